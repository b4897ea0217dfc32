r"""Small transportation problems, one after another: shortest augmenting paths, integer masses.

Mass leaves each source along shortest paths of the residual graph, in which an arc of the plan may
be taken backwards; as in ``_assignment``, but a path carries as much as its tightest arc allows,
and the search goes on behind a sink that it has filled.
R. K. Ahuja, T. L. Magnanti, J. B. Orlin, *Network Flows* (1993), section 9.7. O(n m) a search and
about n + m searches; O(n m) memory.
"""

import numpy as np

from .._typing import Float64Array, IntArray
from ._dense_paths import begin, lower, nearest, reduce, relax
from ._jit import jit

_SEARCHES_A_NODE = 50  # more than ever needed: what takes more is left to another solver


def _greedy(
    cost: Float64Array, supply: IntArray, demand: IntArray, u: Float64Array, v: Float64Array,
    flow: IntArray, users: IntArray, used: IntArray,
) -> None:  # fmt: skip
    """Mass along the arcs without reduced cost, as it comes."""
    for j in range(demand.size):
        used[j] = 0
        for i in range(supply.size):
            flow[j, i] = 0
            if supply[i] > 0 and demand[j] > 0 and (cost[i, j] - u[i]) - v[j] <= 0.0:
                moved = min(supply[i], demand[j])
                flow[j, i] = moved
                supply[i] -= moved
                demand[j] -= moved
                users[j, used[j]] = i
                used[j] += 1


greedy = jit(_greedy)


def _push(
    source: int, last: int, most: int, before: IntArray, entry: IntArray,
    flow: IntArray, users: IntArray, used: IntArray,
) -> tuple[int, bool]:  # fmt: skip
    """Move mass along the path found to column ``last``: how much, and if no arc was emptied.

    ``before`` is the row ahead of a column on the path, ``entry`` the column ahead of a row.
    """
    moved, i = most, before[last]
    while i != source:
        moved = min(moved, flow[entry[i], i])
        i = before[entry[i]]
    j, whole = last, True
    while True:
        i = before[j]
        if flow[j, i] == 0:
            users[j, used[j]] = i
            used[j] += 1
        flow[j, i] += moved
        if i == source:
            return moved, whole
        j = entry[i]
        flow[j, i] -= moved
        if flow[j, i] == 0:
            whole, k = False, 0
            while users[j, k] != i:
                k += 1
            used[j] -= 1
            users[j, k] = users[j, used[j]]


push = jit(_push)


def _search(
    source: int, stamp: int, cost: Float64Array, supply: IntArray, demand: IntArray,
    u: Float64Array, v: Float64Array, flow: IntArray, users: IntArray, used: IntArray,
    floats: Float64Array, integers: IntArray,
) -> bool:  # fmt: skip
    """Send the supply of ``source`` along shortest paths, until it or an arc is used up.

    ``floats`` and ``integers`` are room to work in; a row seen has ``stamp`` in the
    last. False where no open sink is within reach.
    """
    m = v.size
    distance, prices, lengths = floats[0, :m], floats[1, :m], floats[2, :m]
    start = floats[3]  # how far away a row is
    before, columns = integers[0], integers[1]  # the row ahead of a column; columns passed
    entry, rows, seen = integers[2], integers[3], integers[4]  # the column ahead of a row; rows
    begin(v, prices, distance)
    seen[source], rows[0], start[source] = stamp, source, 0.0
    passed, reached, relaxed, shortest, whole = 0, 1, 0, 0.0, True
    while whole and supply[source] > 0:
        while relaxed < reached:
            i = rows[relaxed]
            relax(cost, i, start[i] - u[i], prices, distance, before)
            relaxed += 1
        last = nearest(distance)
        if last < 0:
            break
        shortest = max(shortest, distance[last])
        columns[passed], lengths[passed] = last, distance[last]
        passed += 1
        prices[last], distance[last] = -np.inf, np.inf
        if demand[last] > 0:
            most = min(supply[source], demand[last])
            moved, whole = push(source, last, most, before, entry, flow, users, used)
            supply[source] -= moved
            demand[last] -= moved
        for k in range(used[last]):
            i = users[last, k]
            if seen[i] != stamp:
                seen[i], entry[i], start[i], rows[reached] = stamp, last, shortest, i
                reached += 1
    for k in range(relaxed):
        u[rows[k]] += shortest - start[rows[k]]
    for k in range(passed):
        v[columns[k]] -= shortest - lengths[k]
    return supply[source] == 0 or not whole


search = jit(_search)


def _transport(
    cost: Float64Array, supply: IntArray, demand: IntArray, u: Float64Array, v: Float64Array,
    flow: IntArray, users: IntArray, used: IntArray,
) -> bool:  # fmt: skip
    """An optimal plan ``flow`` (m, n) and potentials; False if it gave up.

    ``supply`` and ``demand`` are used up, but for what one has more than the other;
    ``users[j, :used[j]]`` are the rows that send mass to column j.
    """
    n, m = cost.shape
    floats, integers = np.empty((4, max(n, m))), np.zeros((5, max(n, m)), np.int64)
    reduce(cost, u, v)
    greedy(cost, supply, demand, u, v, flow, users, used)
    searches = 0
    for source in range(n):
        while supply[source] > 0:
            searches += 1
            if searches > _SEARCHES_A_NODE * (n + m):
                return False
            if not search(
                source, searches, cost, supply, demand, u, v, flow, users, used, floats, integers
            ):
                # All demand is met: what is left over is the rounding of the masses.
                return bool(demand.max() == 0)
    return True


transport = jit(_transport)


def _transport_all(
    costs: Float64Array, supplies: IntArray, demands: IntArray,
    sources: IntArray, targets: IntArray, masses: IntArray,
    u: Float64Array, v: Float64Array, facts: Float64Array,
) -> None:  # fmt: skip
    """The problems (k, n, m) one by one: the three lists (k, p), ``u`` and ``v`` are filled.

    ``supplies`` and ``demands`` are used up. ``facts`` (k, 3) as in ``assign_all``; infinite excess
    where a problem was given up, or its plan is longer than the lists.
    """
    count, n, m = costs.shape
    flow, users, used = (
        np.empty((m, n), np.int64),
        np.empty((m, n), np.int64),
        np.empty(m, np.int64),
    )
    for k in range(count):
        done = transport(costs[k], supplies[k], demands[k], u[k], v[k], flow, users, used)
        facts[k, 2] = lower(costs[k], u[k], v[k])
        place, cost, excess = 0, 0.0, 0.0
        for j in range(m):
            for user in range(used[j]):
                i = users[j, user]
                cost += flow[j, i] * costs[k, i, j]
                excess += flow[j, i] * ((costs[k, i, j] - v[k, j]) - u[k, i])
                if place < masses.shape[1]:
                    sources[k, place], targets[k, place], masses[k, place] = i, j, flow[j, i]
                place += 1
        finished = done and place <= masses.shape[1]
        facts[k, 0], facts[k, 1] = cost, excess if finished else np.inf


transport_all = jit(_transport_all)
