r"""The network simplex of a small dense problem, for the interpreter and for the compiler alike.

The formulas read and write flat sequences of integers: lists, with which the interpreter is quick,
or int64 arrays, for which they are compiled. Both make the same pivots, hence the same plan and
potentials to the bit.

The basis is a tree over sources, sinks and a root, kept strongly feasible (Cunningham, *A network
simplex method*, Math. Programming 11, 1976): a tree arc without flow points towards the root, which
rules out cycling. The first one is made by ``_small_start``. Costs are integers, so potentials are
exact, and no rounding misleads a pivot.

A compiled kernel takes about n + m microseconds up to 200 points a side, the interpreter a hundred
times as long.
"""

import math
from functools import partial
from typing import Any

import numpy as np

from .._typing import IntArray
from . import _small_start
from ._jit import cached, jit
from ._small_start import begin

NONE, MOST = _small_start.NONE, _small_start.MOST

# The columns of a tree, each over the n + m + 1 nodes: sources, sinks, root.
# parent, following and previous in preorder (a ring, so that a subtree is a stretch of it), size of
# the subtree, flow on the arc to the parent, and height: the potential, for which
# ``cost - height[i] + height[n + j]`` is 0 on the tree's arcs.
COLUMNS = 6
PARENT, FLOW, HEIGHT = 0, 4, 5

# Rows priced for a pivot. Four take a third fewer pivots than one, and not much more to read; of
# more sinks than these one row is enough, since reading takes longer than a pivot saves.
_ROWS, _MANY_SINKS = 4, 1_500


def _least(row: Any, height: Any, sinks: Any) -> int:
    """The most negative reduced cost in the row of a source, or 0; without an index, which would
    keep the compiler from vector instructions.
    """
    least = height
    for j in range(len(sinks)):
        reduced = row[j] + sinks[j]
        least = reduced if reduced < least else least
    reduced = least - height
    return int(reduced)


def _entering(
    cost: Any, n: int, m: int, start: int, rows: int, height: Any
) -> tuple[int, int, int]:
    """The most negative reduced cost of a few rows from ``start`` on; its pair, or NONE twice."""
    least, source, i = 0, NONE, start
    sinks = height[n : n + m]
    for _ in range(rows):
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


def _shift(
    u: int, stop: int, n: int, gain: int, weight: int, parent: Any, size: Any, flow: Any
) -> None:  # fmt: skip
    """Add to the sizes of u and of the nodes above it, up to ``stop``, and to their arcs' flows: a
    gain where the child is a sink, a loss where it is a source.
    """
    while u != stop:
        size[u] += weight
        flow[u] += -gain if u < n else gain
        u = parent[u]


def _move(
    top: int, above: int, cut: int, change: int,
    parent: Any, following: Any, previous: Any, size: Any, height: Any,
) -> None:  # fmt: skip
    """Add to the potentials of the subtree of ``cut``, and put it behind ``above`` in preorder.

    Its node ``top`` comes first, then what else hangs from the parent of top, and so on.
    """
    edge, entry, rest, tail = previous[top], previous[cut], top, top
    u, below = top, size[top]
    for _ in range(below):
        height[rest] += change
        tail, rest = rest, following[rest]
    while u != cut:
        u = parent[u]
        left, below = size[u] - below, size[u]
        stop, edge = edge, previous[u]
        following[tail], previous[u], tail = u, tail, u
        height[u] += change
        left -= 1
        while tail != stop:
            tail = following[tail]
            height[tail] += change
            left -= 1
        if left > 0:
            following[tail], previous[rest] = rest, tail
            for _ in range(left):
                height[rest] += change
                tail, rest = rest, following[rest]
    following[entry], previous[rest] = rest, entry
    behind = following[above]
    following[above], previous[top] = top, above
    following[tail], previous[behind] = behind, tail


def _turn(
    top: int, above: int, cut: int, n: int, gain: int, moved: int,
    parent: Any, size: Any, flow: Any,
) -> None:  # fmt: skip
    """Hang ``top`` from ``above``, and what lay between it and ``cut`` the other way round.

    The flows of the arcs between change by ``gain`` as in ``_shift``.
    """
    u, weight, below, carried = top, size[cut], 0, moved
    while True:
        old_parent, old_size = parent[u], size[u]
        old_flow = flow[u] + (-gain if u < n else gain)
        parent[u], flow[u], size[u] = above, carried, weight - below
        if u == cut:
            return
        above, u, carried, below = u, old_parent, old_flow, old_size


def unit_of(largest: float, bits: int) -> float:
    """The power of two that makes integers of at most so many bits of costs from 0 to this one.

    At least the smallest float above 0, of which all are multiples.
    """
    if largest <= 0.0:
        return 2.0**-1000
    return max(math.ldexp(1.0, math.frexp(largest)[1] - bits), 2.0**-1074)


def improve(
    cost: Any, n: int, m: int, start: int, most: int, parent: Any, following: Any, previous: Any,
    size: Any, flow: Any, height: Any,
) -> tuple[int, int]:  # fmt: skip
    """Pivot until the tree is optimal, or ``most`` times.

    Row ``start`` is priced first. Returns the number of pivots, and the row to go on with.
    """
    pivots, quiet = 0, 0
    rows = _ROWS if m <= _MANY_SINKS else 1
    while quiet < n and pivots < most:
        change, i, sink = _entering(cost, n, m, start, rows, height)
        start = (start + rows) % n
        if sink == NONE:
            quiet += rows
            continue
        quiet = 0
        pivots += 1
        sink += n
        join, moved, cut, beside_source = _cycle(n, i, sink, parent, size, flow)
        top, above, gain = (i, sink, moved) if beside_source else (sink, i, -moved)
        _shift(parent[cut], join, n, gain, -size[cut], parent, size, flow)
        _shift(above, join, n, -gain, size[cut], parent, size, flow)
        change = change if beside_source else -change
        _move(top, above, cut, change, parent, following, previous, size, height)
        _turn(top, above, cut, n, gain, moved, parent, size, flow)
    return pivots, start


def retune(cost: Any, n: int, m: int, parent: Any, following: Any, height: Any) -> None:
    """Potentials of the tree after changes of the costs."""
    root = n + m
    u = following[root]
    while u != root:
        above = parent[u]
        if u >= n:
            height[u] = height[above] - cost[above * m + u - n]
        elif above != root:
            height[u] = height[above] + cost[u * m + above - n]
        u = following[u]


def optimise(
    cost: Any, n: int, m: int, supply: Any, demand: Any, *space: Any,
    parts: tuple[Any, Any] = (begin, improve),
) -> int:  # fmt: skip
    """Write the optimal tree of n sources and m sinks; the number of pivots.

    ``cost`` has n m entries, at least 0 and at most 2^55, row by row; ``supply`` and ``demand`` are
    positive, of equal sum below 2^63. ``workspace`` tells the sizes of what they are followed by:
    ``source``, ``target``, ``mass``, ``stack``, ``first``, ``other`` and the tree's columns. The
    formulas of ``parts`` do the work, or their kernels.
    """
    begin, improve = parts
    begin(cost, n, m, supply, demand, *space)
    made, _ = improve(cost, n, m, 0, MOST, *space[-COLUMNS:])
    return int(made)


def workspace(n: int, m: int) -> list[int]:
    """Sizes of the sequences behind ``demand``, the initial entries of each being NONE."""
    return [n + m] * 5 + [2 * (n + m)] + [n + m + 1] * COLUMNS


def compiled() -> Any:
    """``optimise`` by kernels; loads the compiler."""
    begin, improve, _ = compiled_parts()
    return partial(optimise, parts=(begin, improve))


def compiled_parts() -> tuple[Any, Any, Any]:
    """The kernels of ``begin``, ``improve`` and ``retune``."""
    of_improve = (_least, _entering, _cycle, _shift, _move, _turn)
    return _small_start.compiled(), jit(improve, helpers=of_improve), jit(retune)


def is_cached() -> bool:
    """Whether the kernels lie on disk, so that they need not be compiled."""
    return cached(begin) and cached(improve)


def plan_of(tree: list[IntArray], n: int) -> tuple[IntArray, IntArray, IntArray]:
    """Sources, sinks and masses of the arcs that carry flow."""
    flow = tree[FLOW]
    used = flow.nonzero()[0]
    above = tree[PARENT][used]
    return np.minimum(used, above), np.maximum(used, above) - n, flow[used]
