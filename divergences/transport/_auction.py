r"""A short auction: potentials that are nearly optimal on lists of candidate arcs.

Sinks are objects with prices g. A source with mass left bids for the sink of least
:math:`c_{ij} + g_j`, up to the level at which its second choice is as good, plus :math:`\epsilon`;
it takes what is free and then the portions held by lower bids, whose owners bid again. When every
sink is full, its price is the lowest level held. Each arc used is then within :math:`\epsilon` of
the least: Bertsekas and Castanon, *The auction algorithm for the transportation problem* (1989).

The simplex takes it from there, prices and portions, so it may stop at any time.
"""

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit

_NONE = -1


def _preferred(
    sinks: NDArray[np.int32], costs: Float64Array, count: int, prices: Float64Array, i: int,
    epsilon: float,
) -> tuple[int, float]:  # fmt: skip
    """The best sink of a source and the level of its bid."""
    best, second, chosen = np.inf, np.inf, _NONE
    for k in range(count):
        value = costs[i, k] + prices[sinks[i, k]]
        if value < best:
            best, second, chosen = value, best, sinks[i, k]
        elif value < second:
            second = value
    margin = second - best if second < np.inf else 0.0
    return chosen, prices[chosen] + margin + epsilon


preferred = jit(_preferred, once=True)


def _vacate(
    head: IntArray, following: IntArray, queue: IntArray, queued: NDArray[np.bool_]
) -> None:
    """No sink has portions, all of which are spare, and every source waits.

    Loops: NumPy's functions take long to compile.
    """
    for j in range(head.size):
        head[j] = _NONE
    for portion in range(following.size):
        following[portion] = portion + 1 if portion + 1 < following.size else _NONE
    for i in range(queue.size):
        queue[i], queued[i] = i, True


vacate = jit(_vacate, once=True)


def _insert(head: IntArray, following: IntArray, level: Float64Array, j: int, portion: int) -> int:
    """Put a portion into the ascending list of sink j; the number of steps."""
    steps, before, here = 1, _NONE, head[j]
    while here != _NONE and level[here] < level[portion]:
        before, here = here, following[here]
        steps += 1
    following[portion] = here
    if before == _NONE:
        head[j] = portion
    else:
        following[before] = portion
    return steps


insert = jit(_insert, once=True)


def _held(head: IntArray, following: IntArray, owner: IntArray) -> tuple[IntArray, IntArray]:
    """Source and sink of every portion, sink by sink, the highest bids first."""
    source, target = np.empty(owner.size, np.int64), np.empty(owner.size, np.int64)
    first = source.size
    for j in range(head.size - 1, -1, -1):
        portion = head[j]
        while portion != _NONE:
            first -= 1
            source[first], target[first] = owner[portion], j
            portion = following[portion]
    return source[first:], target[first:]


held = jit(_held, once=True)


def _leaves_first(source: IntArray, target: IntArray, n: int, m: int) -> IntArray:
    """An order of arcs: always one that is the last of its source or sink, where there is any.

    Sent one by one along these what both ends still have, the masses of a forest are its own.
    """
    count = source.size
    degree, sum_of_arcs = np.zeros(n + m, np.int64), np.zeros(n + m, np.int64)
    for k in range(count):
        for node in (source[k], n + target[k]):
            degree[node] += 1
            sum_of_arcs[node] += k
    order, gone = np.empty(count, np.int64), np.zeros(count, np.bool_)
    leaves, waiting, rest = np.empty(n + m, np.int64), 0, 0
    for node in range(n + m):
        if degree[node] == 1:
            leaves[waiting] = node
            waiting += 1
    for place in range(count):
        k = count
        while waiting > 0 and k == count:
            waiting -= 1
            if degree[leaves[waiting]] == 1:  # the other end of its arc did not take it
                k = sum_of_arcs[leaves[waiting]]
        if k == count:  # cycles are left
            while gone[rest]:
                rest += 1
            k = rest
        order[place], gone[k] = k, True
        for node in (source[k], n + target[k]):
            degree[node] -= 1
            sum_of_arcs[node] -= k
            if degree[node] == 1:
                leaves[waiting] = node
                waiting += 1
    return order


leaves_first = jit(_leaves_first)


def _auction(
    sinks: NDArray[np.int32], costs: Float64Array, filled: NDArray[np.int32], supply: IntArray,
    demand: IntArray, prices: Float64Array, epsilon: float, budget: int,
) -> tuple[int, IntArray, IntArray]:  # fmt: skip
    """Raise ``prices`` by bids until all mass is placed or the budget of steps is spent.

    Returns what is left of the budget, and source and sink of the portions held. O(list) a bid.
    """
    n, m = supply.size, demand.size
    owed, free, size = supply.copy(), demand.copy(), 4 * (n + m)
    head, following = np.empty(m, np.int64), np.empty(size, np.int64)
    level, owner, mass = np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    queue, queued = np.empty(n, np.int64), np.empty(n, np.bool_)
    front, waiting, spare = 0, n, 0
    vacate(head, following, queue, queued)
    while waiting and budget > 0 and spare != _NONE:
        i = queue[front]
        front = front + 1 if front + 1 < n else 0
        waiting -= 1
        queued[i] = False
        if filled[i] == 0:
            continue
        j, bid = preferred(sinks, costs, filled[i], prices, i, epsilon)
        got = min(owed[i], free[j])
        free[j] -= got
        while got < owed[i] and head[j] != _NONE and level[head[j]] < bid:
            portion = head[j]
            loser = owner[portion]
            # Its own lower bid it raises as a whole.
            taken = mass[portion] if loser == i else min(owed[i] - got, mass[portion])
            got += taken
            mass[portion] -= taken
            owed[loser] += taken
            if loser != i and not queued[loser]:
                queue[(front + waiting) % n], queued[loser] = loser, True
                waiting += 1
            if mass[portion] == 0:
                head[j], following[portion], spare = following[portion], spare, portion
        owed[i] -= got
        portion, spare = spare, following[spare]
        level[portion], owner[portion], mass[portion] = bid, i, got
        budget -= insert(head, following, level, j, portion)
        if free[j] == 0:
            prices[j] = level[head[j]]
        if owed[i] and not queued[i]:
            queue[(front + waiting) % n], queued[i] = i, True
            waiting += 1
    return budget, *held(head, following, owner)


auction = jit(_auction)


def _greedy(
    order: IntArray, rows: IntArray, columns: IntArray, supply: IntArray, demand: IntArray,
    mass: IntArray,
) -> int:  # fmt: skip
    """Send along the arcs in their order what both ends still have; the rest stays in them.

    Each arc used empties one end, so the support is a forest. Returns how many arcs are used; the
    first entries of ``order`` become these.
    """
    used = 0
    for k in order:
        moved = min(supply[rows[k]], demand[columns[k]])
        if moved > 0:
            supply[rows[k]] -= moved
            demand[columns[k]] -= moved
            mass[used] = moved
            order[used] = k
            used += 1
    return used


greedy = jit(_greedy)
