r"""The network simplex of a small dense problem, for the interpreter and for the compiler alike.

The formulas read and write flat sequences of integers: lists, with which the interpreter is quick,
or int64 arrays, for which they are compiled. Both make the same pivots, hence the same plan and
potentials to the bit.

The basis is a tree over sources, sinks and a root, kept strongly feasible (Cunningham, *A network
simplex method*, Math. Programming 11, 1976): a tree arc without flow points towards the root, which
rules out cycling. Components of the starting plan hang from the root by a source, on arcs that
never carry flow. Costs are integers, so potentials are exact, and no rounding misleads a pivot.

A compiled kernel takes about n + m microseconds up to 200 points a side, the interpreter a hundred
times as long.
"""

from typing import Any

import numpy as np

from .._typing import IntArray
from ._jit import cached, jit

NONE = -1
MOST = 2**63 - 1

# The columns of a tree, each over the n + m + 1 nodes: sources, sinks, root.
# parent, child, after, before (siblings), size of the subtree, flow on the arc to the parent, and
# height: the potential, for which ``cost - height[i] + height[n + j]`` is 0 on the tree's arcs.
COLUMNS = 7
PARENT, FLOW, HEIGHT = 0, 5, 6

_ROWS = 4  # are priced for a pivot: a third fewer pivots than one row, and not much more to read


def _plan(
    cost: Any, n: int, m: int, supply: Any, demand: Any, source: Any, target: Any, mass: Any
) -> int:
    """Write a plan whose support is a forest, free arcs first; how many pairs it has.

    Each pair exhausts its source or its sink. ``supply`` and ``demand`` end as zeros.
    """
    count = 0
    for free in (True, False):
        for i in range(n):
            while supply[i] > 0:
                best, column = MOST, NONE
                for j in range(m):
                    if demand[j] > 0 and cost[i * m + j] < best:
                        best, column = cost[i * m + j], j
                if free and best > 0:
                    break
                moved = min(supply[i], demand[column])
                source[count], target[count], mass[count] = i, column, moved
                supply[i] -= moved
                demand[column] -= moved
                count += 1
    return count


def _link(u: int, above: int, parent: Any, child: Any, after: Any, before: Any) -> None:
    """Make u the first child of a node."""
    first = child[above]
    parent[u], before[u], after[u] = above, NONE, first
    if first != NONE:
        before[first] = u
    child[above] = u


def _unlink(u: int, parent: Any, child: Any, after: Any, before: Any) -> None:
    """Take u out of the list of children of its parent."""
    if before[u] == NONE:
        child[parent[u]] = after[u]
    else:
        after[before[u]] = after[u]
    if after[u] != NONE:
        before[after[u]] = before[u]


def _arcs_at_nodes(count: int, source: Any, target: Any, n: int, first: Any, other: Any) -> None:
    """Lists of arc ends: 2k at the source of arc k, 2k + 1 at its sink; each names the next."""
    for k in range(count):
        i, j = source[k], n + target[k]
        other[2 * k], first[i] = first[i], 2 * k
        other[2 * k + 1], first[j] = first[j], 2 * k + 1


def _hang(
    cost: Any, n: int, m: int, count: int, source: Any, target: Any, mass: Any, order: Any,
    first: Any, other: Any, parent: Any, child: Any, after: Any, before: Any, size: Any, flow: Any,
    height: Any,
) -> None:  # fmt: skip
    """Write the tree of a plan; ``order``, ``first``, ``other`` are space, the last two NONE."""
    root = n + m
    for u in range(root + 1):
        parent[u], child[u], after[u], before[u] = NONE, NONE, NONE, NONE
        size[u], flow[u], height[u] = 1, 0, 0
    _arcs_at_nodes(count, source, target, n, first, other)
    found = reached = 0
    for top in range(n):
        if parent[top] == NONE:
            _link(top, root, parent, child, after, before)
            order[found] = top
            found += 1
        while reached < found:
            u = order[reached]
            reached += 1
            end = first[u]
            while end != NONE:
                i, j = source[end // 2], target[end // 2]
                v = n + j if u == i else i
                if v != parent[u]:
                    _link(v, u, parent, child, after, before)
                    length = cost[i * m + j]
                    flow[v] = mass[end // 2]
                    height[v] = height[u] - length if u == i else height[u] + length
                    order[found] = v
                    found += 1
                end = other[end]
    for k in range(found - 1, -1, -1):
        size[parent[order[k]]] += size[order[k]]


def _least(row: Any, height: Any, sinks: Any) -> int:
    """The most negative reduced cost in the row of a source, or 0; without an index, which would
    keep the compiler from vector instructions.
    """
    least = height
    for j in range(len(sinks)):
        reduced = row[j] + sinks[j]
        least = reduced if reduced < least else least
    return least - height


def _entering(cost: Any, n: int, m: int, start: int, height: Any) -> tuple[int, int, int]:
    """The most negative reduced cost of a few rows from ``start`` on; its pair, or NONE twice."""
    least, source, i = 0, NONE, start
    sinks = height[n : n + m]
    for _ in range(_ROWS):
        of_row = _least(cost[i * m : i * m + m], height[i], sinks)
        if of_row < least:
            least, source = of_row, i
        i = i + 1 if i + 1 < n else 0
    if source == NONE:
        return 0, NONE, NONE
    row, j = cost[source * m : source * m + m], 0
    while row[j] + sinks[j] - height[source] != least:
        j += 1
    return least, source, j


def _cycle(
    n: int, i: int, sink: int, parent: Any, size: Any, flow: Any
) -> tuple[int, int, int, bool]:
    """Where the cycle of a new arc joins; the flow and the node of the leaving arc, and its side.

    New flow runs i -> sink -> join -> i. Of the arcs that block it the last on the way from the
    join leaves: on the source's side the lowest (<), on the sink's the highest (<=).
    """
    u, v = i, sink
    moved_u, cut_u, moved_v, cut_v = MOST, NONE, MOST, NONE
    while u != v:
        if size[u] < size[v]:
            if u < n and flow[u] < moved_u:
                moved_u, cut_u = flow[u], u
            u = parent[u]
        else:
            if v >= n and flow[v] <= moved_v:
                moved_v, cut_v = flow[v], v
            v = parent[v]
    if moved_v <= moved_u:
        return u, moved_v, cut_v, False
    return u, moved_u, cut_u, True


def _augment(n: int, i: int, sink: int, join: int, moved: int, parent: Any, flow: Any) -> None:
    """Send flow round the cycle of a new arc."""
    u = i
    while u != join:
        flow[u] += -moved if u < n else moved
        u = parent[u]
    u = sink
    while u != join:
        flow[u] += moved if u < n else -moved
        u = parent[u]


def _rehang(
    u: int, above: int, cut: int, join: int, moved: int,
    parent: Any, child: Any, after: Any, before: Any, size: Any, flow: Any,
) -> None:  # fmt: skip
    """Cut the subtree of ``cut`` off and hang it by its node u, turning the way between round."""
    weight, below, carried = size[cut], 0, moved
    v = parent[cut]
    while v != join:
        size[v] -= weight
        v = parent[v]
    v = above
    while v != join:
        size[v] += weight
        v = parent[v]
    while True:
        old_parent, old_flow, old_size = parent[u], flow[u], size[u]
        _unlink(u, parent, child, after, before)
        _link(u, above, parent, child, after, before)
        flow[u], size[u] = carried, weight - below
        if u == cut:
            return
        above, u, carried, below = u, old_parent, old_flow, old_size


def _raise(top: int, change: int, parent: Any, child: Any, after: Any, height: Any) -> None:
    """Add to the potentials of a subtree."""
    u = top
    while True:
        height[u] += change
        if child[u] != NONE:
            u = child[u]
            continue
        while u != top and after[u] == NONE:
            u = parent[u]
        if u == top:
            return
        u = after[u]


def optimise(
    cost: Any, n: int, m: int, supply: Any, demand: Any, source: Any, target: Any, mass: Any,
    order: Any, first: Any, other: Any, parent: Any, child: Any, after: Any, before: Any, size: Any,
    flow: Any, height: Any,
) -> int:  # fmt: skip
    """Write the optimal tree of n sources and m sinks; the number of pivots.

    ``cost`` has n m entries, at least 0 and at most 2^53, row by row; ``supply`` and ``demand`` are
    positive, of equal sum below 2^63. See ``workspace`` for the others.
    """
    count = _plan(cost, n, m, supply, demand, source, target, mass)
    _hang(cost, n, m, count, source, target, mass, order, first, other, parent, child, after,
          before, size, flow, height)  # fmt: skip
    pivots, start, quiet = 0, 0, 0
    while quiet < n:
        change, i, sink = _entering(cost, n, m, start, height)
        start = (start + _ROWS) % n
        if sink == NONE:
            quiet += _ROWS
            continue
        quiet = 0
        pivots += 1
        sink += n
        join, moved, cut, beside_source = _cycle(n, i, sink, parent, size, flow)
        if moved > 0:
            _augment(n, i, sink, join, moved, parent, flow)
        top, above = (i, sink) if beside_source else (sink, i)
        _rehang(top, above, cut, join, moved, parent, child, after, before, size, flow)
        _raise(top, change if beside_source else -change, parent, child, after, height)
    return pivots


def workspace(n: int, m: int) -> list[int]:
    """Sizes of the sequences behind ``demand``, the initial entries of each being NONE."""
    return [n + m] * 5 + [2 * (n + m)] + [n + m + 1] * COLUMNS


def compiled() -> Any:
    """The kernel of ``optimise``; loads the compiler."""
    helpers = (_plan, _link, _unlink, _arcs_at_nodes, _hang, _least, _entering, _cycle, _augment,
               _rehang, _raise)  # fmt: skip
    return jit(optimise, helpers=helpers)


def is_cached() -> bool:
    """Whether the kernel lies on disk, so that it need not be compiled."""
    return cached(optimise)


def plan_of(tree: list[IntArray], n: int) -> tuple[IntArray, IntArray, IntArray]:
    """Sources, sinks and masses of the arcs that carry flow."""
    flow = tree[FLOW]
    used = flow.nonzero()[0]
    above = tree[PARENT][used]
    return np.minimum(used, above), np.maximum(used, above) - n, flow[used]
