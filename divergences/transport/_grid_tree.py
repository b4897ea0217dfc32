"""The spanning tree of a network simplex on the graph of a regular grid, and the pivot.

Every node is a cell; arcs join neighbouring cells in both directions and carry any mass, so every
spanning tree is a basis: cutting the arc between a node and its parent leaves a subtree, and the
arc carries the excess mass of that subtree. A flow is positive if it goes up, to the parent.

A tree is one small number a cell: the direction in which its parent lies. Direction 2k is the next
cell along axis k and 2k + 1 the one before, so ``direction ^ 1`` is the way back. Children are
found among the neighbours, those whose parent lies the way back; no list of them is kept.

The tree is *strongly feasible* (Cunningham 1976): an arc without flow counts as pointing up. The
leaving arc is chosen accordingly, which rules out cycling. The join of a cycle is found by subtree
sizes, as in LEMON (Kovacs 2015). Lengths and potentials are integers, so that the excess of an arc
over its length, summed round its cycle, is exact whatever the potentials say.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import IntArray
from ._jit import jit, variable

NO_PARENT = 127  # the direction of the root's parent; no way back from anywhere
_MOST = np.iinfo(np.int64).max


class GridTree(NamedTuple):
    """A basis on N cells. Arrays with N + 1 rows end with a cell that stands for "outside".

    ``parent`` (N + 1,) directions of the parents; ``size`` (N,) of the subtrees; ``flow`` (N,) to
    the parent; ``potential`` (N + 1,); ``order`` (N,) the cells, parents first. Kernels take the
    arrays one by one.
    """

    parent: NDArray[np.int8]
    size: NDArray[np.int32]
    flow: IntArray
    potential: IntArray
    order: NDArray[np.int32]


def _settle(
    neighbour: NDArray[np.int32], length: IntArray, excess: IntArray, parent: NDArray[np.int8],
    size: NDArray[np.int32], flow: IntArray, potential: IntArray, order: NDArray[np.int32],
) -> None:  # fmt: skip
    """All of a tree from its directions and its root, ``order[0]``; O(N)."""
    count = excess.size
    found = 1
    for position in range(count):
        u = order[position]
        for direction in range(neighbour.shape[1]):
            v = neighbour[u, direction]
            if parent[v] == direction ^ 1:
                order[found] = v
                found += 1
    for u in range(count):
        size[u], flow[u] = 1, excess[u]
    for position in range(count - 1, 0, -1):
        u = order[position]
        above = neighbour[u, parent[u]]
        size[above] += size[u]
        flow[above] += flow[u]
    potential[order[0]] = 0
    for position in range(1, count):
        u = order[position]
        rise = length[parent[u] >> 1]
        potential[u] = potential[neighbour[u, parent[u]]] + (rise if flow[u] >= 0 else -rise)


settle = jit(_settle)


def _shift(
    neighbour: NDArray[np.int32], parent: NDArray[np.int8], potential: IntArray, top: int,
    avoided: int, amount: int,
) -> None:  # fmt: skip
    """Add to the potentials of the subtree of ``top`` without the subtree of ``avoided``."""
    directions = neighbour.shape[1]
    u, direction = top, 0
    potential[u] += amount
    while True:
        if direction < directions:
            v = neighbour[u, direction]
            if parent[v] == direction ^ 1 and v != avoided:
                u, direction = v, 0
                potential[u] += amount
            else:
                direction += 1
        elif u == top:
            return
        else:
            upwards = parent[u]
            u, direction = neighbour[u, upwards], (upwards ^ 1) + 1


shift = jit(_shift)


def _cycle(
    neighbour: NDArray[np.int32], length: IntArray, parent: NDArray[np.int8],
    size: NDArray[np.int32], flow: IntArray, source: int, target: int,
) -> tuple[int, int, int, int, bool]:  # fmt: skip
    """The cycle that source -> target closes: where it joins, what it costs, what blocks it.

    Returns the join; the potential of the source minus that of the target, along the tree; the mass
    and the lower cell of the leaving arc, and whether that is on the source's side. Of the arcs
    that block the cycle, the last on the way join, source, target, join leaves: on the source's
    side the lowest (<), on the target's the highest (<=).
    """
    u, v = source, target
    rise = 0
    least_u, cut_u, least_v, cut_v = _MOST, -1, _MOST, -1
    while u != v:
        if size[u] < size[v]:
            step = length[parent[u] >> 1]
            if flow[u] >= 0:
                rise += step
                if flow[u] < least_u:
                    least_u, cut_u = flow[u], u
            else:
                rise -= step
            u = neighbour[u, parent[u]]
        else:
            step = length[parent[v] >> 1]
            if flow[v] < 0:
                rise += step
                if -flow[v] <= least_v:
                    least_v, cut_v = -flow[v], v
            else:
                rise -= step
            v = neighbour[v, parent[v]]
    if least_v <= least_u:
        return u, rise, least_v, cut_v, False
    return u, rise, least_u, cut_u, True


cycle = jit(_cycle, once=True)


def _add_upwards(
    neighbour: NDArray[np.int32], parent: NDArray[np.int8], values: Any, first: int, last: int,
    amount: int,
) -> None:  # fmt: skip
    """Add to the entries of the cells from ``first`` up to, but without, its ancestor ``last``."""
    u = first
    while u != last:
        values[u] += amount
        u = neighbour[u, parent[u]]


add_upwards = jit(_add_upwards, inline=True)


def _turn_round(
    neighbour: NDArray[np.int32], parent: NDArray[np.int8], size: NDArray[np.int32], flow: IntArray,
    u: int, cut: int, direction: int, mass: int,
) -> None:  # fmt: skip
    """Hang the subtree of ``cut``, cut off, by its cell u: u's parent lies in ``direction``.

    ``mass`` is the flow to that parent. The way from u up to ``cut`` is turned round.
    """
    moved, below = size[cut], 0
    while True:
        upwards, old_mass, old_size = parent[u], flow[u], size[u]
        parent[u], flow[u], size[u] = direction, mass, moved - below
        if u == cut:
            return
        u = neighbour[u, upwards]
        direction, mass, below = upwards ^ 1, -old_mass, old_size


turn_round = jit(_turn_round, once=True)

REFUSED, DONE, OUTDATED = range(3)


def _pivot(
    neighbour: NDArray[np.int32], length: IntArray, parent: NDArray[np.int8],
    size: NDArray[np.int32], flow: IntArray, potential: IntArray, root: int, source: int,
    direction: int, at_once: int,
) -> int:  # fmt: skip
    """Bring the arc from ``source`` in ``direction`` into the basis if that lowers the cost.

    Returns REFUSED, DONE, or OUTDATED: done, with potentials left as they were, since more than
    ``at_once`` would have to change. O(length of the cycle).
    """
    target = variable(neighbour[source, direction])
    join, rise, mass, cut, beside_source = cycle(
        neighbour, length, parent, size, flow, source, target
    )
    excess = rise - length[direction >> 1]
    if excess <= 0:
        return REFUSED
    if mass:
        add_upwards(neighbour, parent, flow, source, join, -mass)
        add_upwards(neighbour, parent, flow, target, join, mass)
    moved = variable(size[cut])
    above = variable(neighbour[cut, parent[cut]])
    add_upwards(neighbour, parent, size, above, join, -moved)
    if beside_source:
        u, other, back, carried, amount = source, target, direction, mass, -excess
    else:
        u, other, back, carried, amount = target, source, direction ^ 1, -mass, excess
    add_upwards(neighbour, parent, size, other, join, moved)
    turn_round(neighbour, parent, size, flow, u, cut, back, carried)
    if moved <= at_once:
        shift(neighbour, parent, potential, u, variable(-1), amount)
    elif size[root] - moved <= at_once:
        shift(neighbour, parent, potential, root, u, -amount)
    else:
        return OUTDATED
    return DONE


pivot = jit(_pivot, once=True)
