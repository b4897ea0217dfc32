r"""The network simplex over lists of candidate arcs.

Each source has a short list of sinks that the optimal plan may use. Pivots bring in the arc of
the most negative reduced cost :math:`c_{ij} - f_i + g_j` of a block of sources, block after block,
until no candidate has one. Who may be a candidate is not decided here: pricing all pairs adds what
the lists lack.

A block is searched with the potentials at hand, which may be outdated (see ``_spanning_tree``); the
arc found there is taken only if its cycle, summed exactly, is negative. So outdated potentials cost
some vain searches and no wrong pivot.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import IntArray
from ._jit import jit
from ._result import CertificateError
from ._spanning_tree import OUTDATED, REFUSED, UNITS, SpanningTree, pivot, renumber

WIDTH = 40
TOLERANCE = int(UNITS * 2.0**-49)  # reduced costs above minus this count as 0
_BLOCK = 10  # sources searched for a pivot
# Shares of the number of nodes: pivots before labels and potentials are renewed; the subtrees whose
# potentials a pivot moves at once; the vain searches that say potentials are too outdated.
_PIVOTS, _AT_ONCE, _VAIN = 0.3, 0.02, 0.002
_LEAST_PIVOTS, _LEAST_VAIN = 1000, 20
_FEW = 1000  # nodes of a tree that fits the first cache: potentials of any subtree move at once
_STAGES = 1_000_000  # far beyond any problem met: the guard against a cycle


class Candidates(NamedTuple):
    """Arcs of source i: the first ``filled[i]`` entries of ``sink[i]``, ``cost[i]`` (integers)."""

    sink: NDArray[np.int32]
    cost: IntArray
    filled: NDArray[np.int32]


def no_candidates(n: int, width: int) -> Candidates:
    """Empty lists of n sources."""
    return Candidates(
        np.zeros((n, width), dtype=np.int32),
        np.zeros((n, width), dtype=np.int64),
        np.zeros(n, dtype=np.int32),
    )


def _add(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], potential: IntArray,
    i: int, j: int, cost: int,
) -> None:  # fmt: skip
    """Add an arc if it is new; in a full list it replaces the arc of largest reduced cost."""
    n = filled.size
    largest, place = -_MOST, -1
    for k in range(filled[i]):
        if sinks[i, k] == j:
            return
        reduced = costs[i, k] + potential[n + sinks[i, k]]
        if reduced > largest:
            largest, place = reduced, k
    if filled[i] < sinks.shape[1]:
        place = filled[i]
        filled[i] += 1
    elif cost + potential[n + j] >= largest:
        return
    sinks[i, place], costs[i, place] = j, cost


_MOST = np.iinfo(np.int64).max
add = jit(_add, inline=True)


def _add_all(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], potential: IntArray,
    rows: IntArray, columns: IntArray, lengths: IntArray,
) -> None:  # fmt: skip
    """Add the arcs (i, j) of equally long arrays of indices and costs."""
    for k in range(rows.size):
        add(sinks, costs, filled, potential, rows[k], columns[k], lengths[k])


add_all = jit(_add_all)


def _cheapest(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], potential: IntArray,
    start: int, stop: int, tolerance: int,
) -> tuple[int, int]:  # fmt: skip
    """Row and place of the most negative arc of some rows; place -1 if none."""
    n = filled.size
    least, row, place = -tolerance, -1, -1
    for i in range(start, stop):  # the least alone, without its place: vectors of entries
        lowest = _MOST
        for k in range(filled[i]):
            lowest = min(lowest, costs[i, k] + potential[np.uint32(n + sinks[i, k])])
        if lowest < least + potential[i]:
            least, row = lowest - potential[i], i
    if row >= 0:
        for k in range(filled[row]):
            if costs[row, k] + potential[n + sinks[row, k]] == least + potential[row]:
                place = k
                break
    return row, place


cheapest = jit(_cheapest, once=True)


def _run(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], nodes: IntArray,
    potential: IntArray, label: IntArray, first: int, pivots: int,
    at_once: int, vain: int, tolerance: int,
) -> tuple[int, int, bool]:  # fmt: skip
    """Pivot until a round over all blocks finds nothing, or ``pivots`` times.

    Returns the pivots made, the first row of the block to go on with, and whether potentials are
    outdated.
    """
    n = filled.size
    made, quiet, start, outdated = 0, 0, first, False
    while quiet < n and made < pivots:
        stop = min(start + _BLOCK, n)
        i, place = cheapest(sinks, costs, filled, potential, start, stop, tolerance)
        done = REFUSED
        if place >= 0:
            j, cost = sinks[i, place], costs[i, place]
            done = pivot(nodes, potential, n, label[i], label[n + j], cost, tolerance, at_once)
            if done == REFUSED:
                vain -= 1
                if vain <= 0:
                    break
        if done == REFUSED:
            quiet += stop - start
        else:
            outdated |= done == OUTDATED
            made += 1
            quiet = 0
        start = stop if stop < n else 0
    return made, start, outdated


run = jit(_run)


def _limits(nodes: int) -> tuple[int, int, int]:
    """Of a stage: the pivots, the subtrees that move at once, and the vain searches."""
    if nodes <= _FEW:
        return nodes, nodes, _MOST
    between = max(_LEAST_PIVOTS, int(_PIVOTS * nodes))
    return between, int(_AT_ONCE * nodes), max(_LEAST_VAIN, int(_VAIN * nodes))


limits = jit(_limits)


def optimise(
    tree: SpanningTree, lists: Candidates, tolerance: int = TOLERANCE, *, all_at_once: bool = False
) -> Iterator[SpanningTree]:
    """Pivot until no arc of the lists has a reduced cost below ``-tolerance``.

    A pivot moves the potentials of small subtrees, those of others wait; or ``all_at_once``.

    Between the stages (milliseconds each) the caller may stop. The tree's arrays are reused: only
    the newest tree is valid.
    """
    n = lists.filled.size
    nodes = tree.label.size
    between, at_once, vain = limits(nodes)
    if all_at_once:
        at_once = nodes
    fresh = np.empty_like(tree.nodes)
    first = 0
    for _ in range(_STAGES):
        made, first, outdated = run(*lists, *tree, first, between, at_once, vain, tolerance)
        renumber(*tree, n, 0, fresh)
        tree, fresh = tree._replace(nodes=fresh), tree.nodes
        yield tree
        if made < between and not outdated:
            return
    message = f"the network simplex did not end in {_STAGES * between} pivots"
    raise CertificateError(message)
