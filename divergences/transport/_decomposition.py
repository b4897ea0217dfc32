r"""Improve a plan part by part: each part an exact problem of its own, on a tree that fits a cache.

A part is what the plan sends from a cluster of sources (or to a cluster of sinks). With its
marginals kept it is a transport problem of some hundreds of points, and its optimum improves the
whole plan. Clusters of sources and clusters of sinks take turns, so that the borders of one sweep
lie inside the parts of the next; what both leave is left to the simplex on the whole. Parts are
independent: threads share them.

This is the domain decomposition of Benamou, *A domain decomposition method for the polar
factorization of vector-valued mappings* (1994), with cells that follow the clusters.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._acyclic import acyclic
from ._jit import jit, variable
from ._masses import Flow
from ._network_simplex import TOLERANCE, WIDTH, add, limits, run
from ._pricing import keep
from ._spanning_tree import FLOW, ORIGIN, PARENT, UNITS, grow, renumber
from ._threads import over_blocks

_BLOCKS = 64
_ROUNDING = 1e-14  # reduced costs above minus this count as 0
_NEIGHBOURS = 6  # arcs that a source adds to its list in a round


def _numbered(members: IntArray, places: NDArray[np.int32]) -> IntArray:
    """The members, each once; ``places`` (-1 for all others) becomes their position there."""
    found = 0
    distinct = np.empty(members.size, dtype=np.int64)
    for member in members:
        if places[member] < 0:
            places[member] = found
            distinct[found] = member
            found += 1
    return distinct[:found]


numbered = jit(_numbered, inner=True)


def _lengths_from(
    x: Float64Array, i: int, columns: Float64Array, order: float, lengths: Float64Array
) -> None:
    """Distances of x_i from all sinks, whose coordinates are the rows of ``columns``."""
    for j in range(lengths.size):
        lengths[j] = 0.0
    for axis in range(columns.shape[0]):
        here = x[i, axis]
        for j in range(lengths.size):
            step = abs(columns[axis, j] - here)
            if order == 2.0:
                lengths[j] += step * step
            elif order == 1.0:
                lengths[j] += step
            elif order == np.inf:
                lengths[j] = max(lengths[j], step)
            else:
                lengths[j] += step**order
    if order == 2.0:
        for j in range(lengths.size):
            lengths[j] = np.sqrt(lengths[j])
    elif order != 1.0 and order != np.inf:  # noqa: PLR1714 (membership takes longer to compile)
        for j in range(lengths.size):
            lengths[j] = lengths[j] ** (1 / order)


lengths_from = jit(_lengths_from, once=True)


def _price_all(
    x: Float64Array, y: Float64Array, order: float, potential: IntArray,
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32],
) -> int:  # fmt: skip
    """Add the most negative arcs of every source to its list; how many sources have one."""
    n, m = x.shape[0], y.shape[0]
    values, indices = np.empty((1, _NEIGHBOURS)), np.empty((1, _NEIGHBOURS), dtype=np.int32)
    columns, lengths, heights = np.empty((x.shape[1], m)), np.empty(m), np.empty(m)
    for j in range(m):
        heights[j] = potential[n + j] / UNITS
        for axis in range(x.shape[1]):
            columns[axis, j] = y[j, axis]
    contradicted, row = 0, variable(0)
    for i in range(n):
        lengths_from(x, i, columns, order, lengths)
        height = potential[i] / UNITS - _ROUNDING
        found = False
        for j in range(m):
            found |= lengths[j] + heights[j] < height
        if not found:
            continue
        contradicted += 1
        for k in range(_NEIGHBOURS):
            values[row, k], indices[row, k] = height, -1
        for j in range(m):
            keep(lengths[j] + heights[j], j, values, indices, row)
        for k in range(_NEIGHBOURS):
            j = indices[row, k]
            if j >= 0:
                cost = int(np.rint(lengths[j] * UNITS))
                add(sinks, costs, filled, potential, i, variable(j), cost)
    return contradicted


price_all = jit(_price_all, once=True)


def _solve_part(
    x: Float64Array, y: Float64Array, order: float, source: IntArray, target: IntArray,
    mass: IntArray, cost: IntArray, guidance: IntArray, sinks: NDArray[np.int32], costs: IntArray,
    filled: NDArray[np.int32], rounds: int,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """Nodes and potentials of an optimal tree between few points, from a flow and candidates.

    After one of the ``rounds``, all pairs are priced for the next: one round asks the lists alone.
    """
    n, m = x.shape[0], y.shape[0]
    count = n + m + 1
    nodes = grow(source, target, mass, cost, m, guidance)
    fresh = np.empty_like(nodes)
    potential, label = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    renumber(nodes, potential, label, n, n + m, fresh)
    nodes, fresh = fresh, nodes
    between, at_once, vain = limits(variable(count))
    tolerance = variable(TOLERANCE)
    for after in range(1, rounds + 1):
        first = variable(0)
        while True:
            made, first, outdated = run(
                sinks, costs, filled, nodes, potential, label, first, between, at_once, vain,
                tolerance,
            )  # fmt: skip
            renumber(nodes, potential, label, n, variable(0), fresh)
            nodes, fresh = fresh, nodes
            if made < between and not outdated:
                break
        if after == rounds or not price_all(x, y, order, potential, sinks, costs, filled):
            break
    return nodes, potential


def _best(
    potential: IntArray, sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32],
    rows: IntArray, columns: IntArray, near: NDArray[np.int32], first: int,
) -> None:  # fmt: skip
    """Write each row's candidates of least reduced cost to ``near``, from position ``first``."""
    n, count, row = rows.size, near.shape[1], variable(0)
    values, indices = np.empty((1, count)), np.empty((1, count), dtype=np.int32)
    for i in range(n):
        for k in range(count):
            values[row, k], indices[row, k] = np.inf, -1
        for k in range(filled[i]):
            reduced = costs[i, k] + potential[n + sinks[i, k]] - potential[i]
            keep(float(reduced), variable(sinks[i, k]), values, indices, row)
        near[first + i, 0] = rows[i]
        for k in range(1, count):
            j = indices[row, k - 1]
            near[first + i, k] = columns[j] if j >= 0 else -1


best = jit(_best, once=True)
solve_part = jit(_solve_part, once=True)


def _restricted(
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], rows: IntArray,
    places: NDArray[np.int32], m: int,
) -> tuple[NDArray[np.int32], IntArray, NDArray[np.int32]]:  # fmt: skip
    """The lists of some sources, without the sinks that are none of the m of a part."""
    n, width = rows.size, min(WIDTH, m)
    own_sinks = np.empty((n, width), dtype=np.int32)
    own_costs = np.empty((n, width), dtype=np.int64)
    own_filled = np.zeros(n, dtype=np.int32)
    for i in range(n):
        for k in range(filled[rows[i]]):
            j = places[sinks[rows[i], k]]
            if j >= 0 and own_filled[i] < width:
                own_sinks[i, own_filled[i]] = j
                own_costs[i, own_filled[i]] = costs[rows[i], k]
                own_filled[i] += 1
    return own_sinks, own_costs, own_filled


restricted = jit(_restricted, once=True)


def _rows(points: Float64Array, chosen: IntArray) -> Float64Array:
    """Some of the points; a loop: indexing by an array takes long to compile."""
    result = np.empty((chosen.size, points.shape[1]))
    for k in range(chosen.size):
        for axis in range(points.shape[1]):
            result[k, axis] = points[chosen[k], axis]
    return result


rows_of = jit(_rows, inner=True)


def _improve(
    x: Float64Array, y: Float64Array, order: float, begin: IntArray, source: IntArray,
    target: IntArray, mass: IntArray, cost: IntArray, guidance: IntArray,
    sinks: NDArray[np.int32], costs: IntArray, filled: NDArray[np.int32], rounds: int, first: int,
    last: int,
) -> tuple[IntArray, IntArray, IntArray, NDArray[np.int32]]:  # fmt: skip
    """The arcs of better parts ``first`` to ``last``; part p has arcs begin[p] to begin[p + 1].

    And the candidates of least reduced cost, each row of them led by the source.
    """
    place_x = np.full(x.shape[0], -1, dtype=np.int32)
    place_y = np.full(y.shape[0], -1, dtype=np.int32)
    arcs = np.empty((3, 2 * (begin[last] - begin[first])), dtype=np.int64)
    near = np.empty((begin[last] - begin[first], _NEIGHBOURS + 1), dtype=np.int32)
    kept, listed = 0, variable(0)
    for part in range(first, last):
        span = slice(begin[part], begin[part + 1])
        if begin[part] == begin[part + 1]:
            continue
        rows, columns = numbered(source[span], place_x), numbered(target[span], place_y)
        n, m = rows.size, columns.size
        count = begin[part + 1] - begin[part]
        local_source = np.empty(count, dtype=np.int64)
        local_target = np.empty(count, dtype=np.int64)
        for k in range(count):
            local_source[k] = place_x[source[begin[part] + k]]
            local_target[k] = place_y[target[begin[part] + k]]
        u, v, w, lengths = acyclic(local_source, local_target, mass[span], cost[span], n, m)
        own_sinks, own_costs, own_filled = restricted(sinks, costs, filled, rows, place_y, m)
        guide = np.empty(n, dtype=np.int64)
        for i in range(n):
            guide[i] = guidance[rows[i]]
            place_x[rows[i]] = -1
        for j in range(m):
            place_y[columns[j]] = -1
        nodes, potential = solve_part(
            rows_of(x, rows), rows_of(y, columns), order, u, v, w, lengths, guide, own_sinks,
            own_costs, own_filled, rounds,
        )  # fmt: skip
        for node in range(1, nodes.shape[0]):
            if nodes[node, FLOW]:
                child, parent = nodes[node, ORIGIN], nodes[nodes[node, PARENT], ORIGIN]
                arcs[0, kept] = rows[min(child, parent)]
                arcs[1, kept] = columns[max(child, parent) - n]
                arcs[2, kept] = nodes[node, FLOW]
                kept += 1
        best(potential, own_sinks, own_costs, own_filled, rows, columns, near, listed)
        listed += n
    return arcs[0, :kept], arcs[1, :kept], arcs[2, :kept], near[:listed]


improve = jit(_improve)


def sweep(
    x: Float64Array, y: Float64Array, order: float, flow: Flow, cost: IntArray, part: IntArray,
    parts: int, guidance: IntArray, lists: tuple[NDArray[np.int32], IntArray, NDArray[np.int32]],
    rounds: int, allowed: Callable[[], bool],
) -> tuple[Flow, NDArray[np.int32]]:  # fmt: skip
    """A flow of the same marginals, better in every part; ``part`` says in which each arc is.

    Each part is solved over its lists, then priced for the next of the ``rounds``, of which some
    five make it optimal.

    And candidates: rows of a source and the sinks of least reduced cost in its part (or -1). Parts
    stay as they are once nothing more is ``allowed``.
    """
    by_part = np.argsort(part, kind="stable")
    begin = np.searchsorted(part[by_part], np.arange(parts + 1))
    source, target = flow.source[by_part], flow.target[by_part]
    mass, cost = flow.mass[by_part], cost[by_part]
    blocks = min(_BLOCKS, parts)

    def block(number: int) -> tuple[IntArray, IntArray, IntArray, NDArray[np.int32]]:
        first, last = number * parts // blocks, (number + 1) * parts // blocks
        if not allowed():
            own = slice(begin[first], begin[last])
            none = np.empty((0, _NEIGHBOURS + 1), dtype=np.int32)
            return source[own], target[own], mass[own], none
        return improve(
            x, y, order, begin, source, target, mass, cost, guidance, *lists, rounds, first, last
        )

    found = over_blocks(block, range(blocks))
    *arcs, near = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return Flow(*arcs), near
