r"""From the solution between clusters to a start between their children.

A cluster I of sources has a list of sinks J that it may send to. Its children take their potential
and their first candidates from there,

.. math:: f(x) = \min_{J \in \mathrm{list}(I)} d(x, Y_J) + g_J , \qquad
    g(y) = \max_{I : J \in \mathrm{list}(I)} f_I - d(X_I, y) ,

at a cost that does not depend on the number of points: what the lists lack, pricing finds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit, variable
from ._network_simplex import Candidates, add
from ._norms import distance
from ._pricing import keep
from ._spanning_tree import UNITS
from ._threads import over_blocks

_BLOCKS = 16  # parts of the sources that threads take: each reads all arcs


def _shortest(
    sinks: NDArray[np.int32], reduced: Float64Array, filled: NDArray[np.int32], count: int
) -> IntArray:
    """Of each source the ``count`` sinks of least reduced cost, ascending (-1: none)."""
    values = np.full((filled.size, count), np.inf)
    indices = np.full((filled.size, count), -1)
    for i in range(filled.size):
        for k in range(filled[i]):
            keep(reduced[i, k], variable(sinks[i, k]), values, indices, i)
    return indices


shortest = jit(_shortest)


def _transposed(lists: IntArray, m: int, count: int) -> IntArray:
    """For each sink, the first ``count`` sources met in whose list it is; best places first."""
    result = np.full((m, count), -1)
    filled = np.zeros(m, dtype=np.int64)
    for k in range(lists.shape[1]):
        for i in range(lists.shape[0]):
            j = lists[i, k]
            if j >= 0 and filled[j] < count:
                result[j, filled[j]] = i
                filled[j] += 1
    return result


transposed = jit(_transposed)


def _predicted(
    children: Float64Array, begin: IntArray, parents: Float64Array, heights: Float64Array,
    lists: IntArray, order: float, default: Float64Array,
) -> Float64Array:  # fmt: skip
    """The least over the parent's list of d(child, parents_k) + heights_k; ``default`` if none."""
    dimension = children.shape[1]
    values = np.empty(children.shape[0])
    for parent in range(lists.shape[0]):
        for child in range(begin[parent], begin[parent + 1]):
            least = np.inf
            for k in range(lists.shape[1]):
                other = lists[parent, k]
                if other >= 0:
                    length = distance(children, child, parents, other, dimension, order)
                    least = min(least, length + heights[other])
            values[child] = least if least < np.inf else default[parent]
    return values


predicted = jit(_predicted)


def _proposed(
    children: Float64Array, begin: IntArray, others: Float64Array, others_begin: IntArray,
    heights: Float64Array, lists: IntArray, order: float, first: int, last: int,
    values: Float64Array, indices: NDArray[np.int32], each: NDArray[np.int32],
) -> None:  # fmt: skip
    """The smallest d(child, other) + height_other, over the children of the parent's list.

    For the parents ``first`` to ``last``; rows of ``values`` and ``indices`` receive them, and rows
    of ``each`` the best of each entry of the list: the smallest of all may lie side by side, and
    potentials that only they bound wander off (on curves, four times the pivots' cost).
    """
    dimension = children.shape[1]
    for parent in range(first, last):
        for child in range(begin[parent], begin[parent + 1]):
            for k in range(lists.shape[1]):
                above = lists[parent, k]
                if above < 0:
                    continue
                least, best = np.inf, -1
                for other in range(others_begin[above], others_begin[above + 1]):
                    length = distance(children, child, others, other, dimension, order)
                    value = length + heights[other]
                    keep(value, other, values, indices, child)
                    if value < least:
                        least, best = value, other
                each[child, k] = best


proposed = jit(_proposed)


def _list_some(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], potential: IntArray,
    ends: IntArray, others: NDArray[Any], x: Float64Array, y: Float64Array, order: float,
    reverse: bool, first: int, last: int,
) -> None:  # fmt: skip
    """Add to the lists the arcs from source ends[k] to the sinks others[k, :] (-1: none).

    Of the sources ``first`` to ``last``. With ``reverse`` the ends are sinks and the others
    sources. No distance is kept.
    """
    for k in range(others.shape[0]):
        for place in range(others.shape[1]):
            other = others[k, place]
            i, j = (other, ends[k]) if reverse else (ends[k], other)
            if other >= 0 and first <= i < last:
                length = distance(x, i, y, j, x.shape[1], order)
                cost = int(np.rint(length * UNITS))
                add(sinks, costs, filled, potential, variable(i), variable(j), cost)


list_some = jit(_list_some)


def list_all(
    lists: Candidates, potential: IntArray, ends: IntArray, others: NDArray[Any], x: Float64Array,
    y: Float64Array, order: float, *, reverse: bool = False,
) -> None:  # fmt: skip
    """``list_some`` of every source."""
    n = lists.filled.size

    def block(k: int) -> None:
        first, last = k * n // _BLOCKS, (k + 1) * n // _BLOCKS
        list_some(*lists, potential, ends, others, x, y, order, reverse, first, last)

    over_blocks(block, range(_BLOCKS))


def _reach(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], potential: IntArray,
    place: int, low: float, high: float,
) -> Float64Array:  # fmt: skip
    """How near arcs must come to be listed: each source's reduced cost at this place of its list.

    It lies between ``low`` and ``high``, and is ``low`` where the list is shorter.
    """
    n, row = filled.size, variable(0)
    values, indices = np.empty((1, place)), np.empty((1, place), dtype=np.int32)
    found = np.empty(n)
    for i in range(n):
        for k in range(place):
            values[row, k] = np.inf
        for k in range(filled[i]):
            reduced = costs[i, k] + potential[n + sinks[i, k]] - potential[i]
            keep(reduced / UNITS, k, values, indices, row)
        last = values[row, place - 1]
        found[i] = min(max(last, low), high) if last < np.inf else low
    return found


reach = jit(_reach)
