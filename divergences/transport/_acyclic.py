r"""A plan whose support is a forest, from one whose support has cycles.

Arcs enter a forest one by one. One that closes a cycle does not stay: mass is sent round the cycle,
the way that does not cost more, until an arc of it is empty, and that arc leaves. Trees are kept as
arcs to parents; two of them are joined by turning round the way to the root of the smaller, so all
joins together take :math:`O(N \log N)` steps, and a cycle as many as it has arcs.
"""

import numpy as np

from .._typing import IntArray
from ._jit import jit, variable

_NONE = -1


def _root_of(group: IntArray, u: int) -> int:
    """The representative of a component (union-find with path halving)."""
    while group[u] != u:
        group[u] = group[group[u]]
        u = group[u]
    return u


root_of = jit(_root_of, inline=True)


def _turn(
    parent: IntArray, flow: IntArray, length: IntArray, u: int, end: int, above: int, mass: int,
    cost: int,
) -> None:  # fmt: skip
    """Turn round the way from u up to ``end`` (-1: the root) and hang u from ``above``."""
    while True:
        next_up, next_mass, next_cost = parent[u], flow[u], length[u]
        parent[u], flow[u], length[u] = above, mass, cost
        if u == end or next_up == _NONE:
            return
        above, u, mass, cost = u, next_up, next_mass, next_cost


turn = jit(_turn, inline=True)


def _join(parent: IntArray, stamp: IntArray, mark: int, u: int, v: int) -> int:
    """The lowest common ancestor, by walking up from both in turn."""
    while True:
        if u != _NONE:
            if stamp[u] == mark:
                return u
            stamp[u] = mark
            u = parent[u]
        if v != _NONE:
            if stamp[v] == mark:
                return v
            stamp[v] = mark
            v = parent[v]


join = jit(_join, once=True)


def _cancel(
    parent: IntArray, flow: IntArray, length: IntArray, n: int, u: int, v: int, top: int,
    mass: int, cost: int,
) -> None:  # fmt: skip
    """Bring the arc u -> v (of ``mass``, at ``cost``) in and take an arc of its cycle out."""
    rise = cost
    least_with, cut_with = (
        mass,
        variable(_NONE),
    )  # arcs that carry mass the same way round as u -> v
    least_against, cut_against = np.iinfo(np.int64).max, variable(_NONE)
    # Round the cycle u -> v -> top -> u; an arc runs from its source to its sink.
    for side in range(2):
        w = u if side == 0 else v
        while w != top:
            along = (w < n) == (side == 1)
            if along:
                rise += length[w]
                if flow[w] < least_with:
                    least_with, cut_with = flow[w], w
            else:
                rise -= length[w]
                if flow[w] < least_against:
                    least_against, cut_against = flow[w], w
            w = parent[w]
    if rise > 0:
        moved, cut = -least_with, cut_with
    else:
        moved, cut = least_against, cut_against
    for side in range(2):
        w = u if side == 0 else v
        while w != top:
            flow[w] += moved if (w < n) == (side == 1) else -moved
            w = parent[w]
    if cut == _NONE:  # the new arc itself is the empty one
        return
    w = u
    while w not in (top, cut):
        w = parent[w]
    lower, upper = (u, v) if w == cut and cut != top else (v, u)
    turn(parent, flow, length, lower, cut, upper, mass + moved, cost)


cancel = jit(_cancel, once=True)


def _acyclic(
    source: IntArray, target: IntArray, mass: IntArray, cost: IntArray, n: int, m: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Sources, targets, masses and costs of a flow that has no cycle and costs no more."""
    count = n + m
    parent, stamp = np.empty(count, np.int64), np.empty(count, np.int64)
    flow, length = np.empty(count, np.int64), np.empty(count, np.int64)
    group, size = np.empty(count, np.int64), np.empty(count, np.int64)
    for w in range(count):  # a loop: NumPy's functions take long to compile
        parent[w], stamp[w], group[w] = _NONE, _NONE, w
        flow[w], length[w], size[w] = 0, 0, 1
    for k in range(source.size):
        u, v = source[k], n + target[k]
        of_u, of_v = root_of(group, u), root_of(group, v)
        if of_u == of_v:
            top = join(parent, stamp, k, u, v)
            cancel(parent, flow, length, n, u, v, top, mass[k], cost[k])
            continue
        if size[of_u] < size[of_v]:
            turn(parent, flow, length, u, variable(_NONE), v, mass[k], cost[k])
            of_u, of_v = of_v, of_u
        else:
            turn(parent, flow, length, v, variable(_NONE), u, mass[k], cost[k])
        group[of_v] = of_u
        size[of_u] += size[of_v]
    kept = 0
    arcs = np.empty((4, count), dtype=np.int64)
    for w in range(count):
        if flow[w]:
            i, j = (w, parent[w]) if w < n else (parent[w], w)
            arcs[0, kept], arcs[1, kept] = i, j - n
            arcs[2, kept], arcs[3, kept] = flow[w], length[w]
            kept += 1
    return arcs[0, :kept], arcs[1, :kept], arcs[2, :kept], arcs[3, :kept]


acyclic = jit(_acyclic)
