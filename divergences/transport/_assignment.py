r"""Small assignment problems, one after another: shortest augmenting paths on dense costs.

.. math:: \min_\sigma \sum_i c_{i \sigma(i)} = \max_{u_i + v_j \le c_{ij}} \sum_i u_i + \sum_j v_j .

R. Jonker, A. Volgenant, *A shortest augmenting path algorithm for dense and sparse linear
assignment problems*, Computing 38 (1987); D. F. Crouse, *On implementing 2D rectangular assignment
algorithms*, IEEE Trans. Aerosp. Electron. Syst. 52 (2016). O(n^3) each, O(n) memory.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._dense_paths import begin, lower, nearest, reduce, relax
from ._jit import jit

_LEAST = -(2**62)


def _assign(
    cost: Float64Array, u: Float64Array, v: Float64Array, column_of: IntArray, row_of: IntArray
) -> None:
    """An optimal assignment of rows to columns and optimal potentials, into the last four."""
    n = cost.shape[0]
    distance, prices, before = np.empty(n), np.empty(n), np.empty(n, np.int64)
    columns, lengths = np.empty(n, np.int64), np.empty(n)  # those reached, and how far they are
    reduce(cost, u, v)
    for i in range(n):
        column_of[i], row_of[i] = -1, -1
    for i in range(n):
        for j in range(n):
            if (cost[i, j] - u[i]) - v[j] <= 0.0 and row_of[j] < 0:
                column_of[i], row_of[j] = j, i
                break
    for free in range(n):
        if column_of[free] >= 0:
            continue
        begin(v, prices, distance)
        reached, i, shortest, j = 0, free, 0.0, -1
        while i >= 0:
            relax(cost, i, shortest - u[i], prices, distance, before)
            j = nearest(distance)
            if j < 0:  # costs that are not finite
                return
            shortest = max(shortest, distance[j])
            columns[reached], lengths[reached] = j, distance[j]
            reached += 1
            prices[j], distance[j] = -np.inf, np.inf
            i = row_of[j]
        u[free] += shortest
        for k in range(reached - 1):
            u[row_of[columns[k]]] += shortest - lengths[k]
        for k in range(reached):
            v[columns[k]] -= shortest - lengths[k]
        while i != free:
            i = before[j]
            row_of[j] = i
            column_of[i], j = j, column_of[i]


assign = jit(_assign, inner=True)


def _assign_all(
    costs: Float64Array, targets: IntArray, u: Float64Array, v: Float64Array, facts: Float64Array
) -> None:
    """The problems (k, n, n) one by one: ``targets``, ``u`` and ``v`` (k, n) are filled.

    ``facts`` (k, 3): the cost of the plan, its excess over the bound by u and v, the largest cost.
    """
    row_of = np.empty(costs.shape[1], np.int64)
    for k in range(costs.shape[0]):
        assign(costs[k], u[k], v[k], targets[k], row_of)
        largest = lower(costs[k], u[k], v[k])
        cost, excess = 0.0, 0.0
        for i in range(targets.shape[1]):
            j = targets[k, i]
            cost += costs[k, i, j]
            excess += (costs[k, i, j] - v[k, j]) - u[k, i]
        facts[k, 0], facts[k, 1], facts[k, 2] = cost, excess, largest


assign_all = jit(_assign_all)


def _is_the_only(
    cost: NDArray[Any], u: NDArray[Any], v: NDArray[Any], tolerance: float, above: IntArray
) -> bool:
    """Whether the pairs of reduced cost at most ``tolerance`` form a forest.

    Another plan that is as cheap would differ from an optimal one by cycles of such pairs.
    ``above`` (2 n,) is room for a union-find.
    """
    n = u.size
    for node in range(2 * n):
        above[node] = node
    for i in range(n):
        for j in range(n):
            if (cost[i, j] - v[j]) - u[i] <= tolerance:
                first, second = i, n + j
                while above[first] != first:
                    above[first] = above[above[first]]
                    first = above[first]
                while above[second] != second:
                    above[second] = above[above[second]]
                    second = above[second]
                if first == second:
                    return False
                above[first] = second
    return True


is_the_only = jit(_is_the_only, once=True)


def _assign_one(
    cost: Float64Array, tolerance: float, column_of: IntArray, u: Float64Array, v: Float64Array
) -> tuple[float, bool]:
    """Fill in the last three; the plan's excess over the bound by u and v, if no other is as cheap.

    ``tolerance`` is relative to the largest cost.
    """
    room = np.empty(2 * u.size, np.int64)
    assign(cost, u, v, column_of, room)
    largest, excess = lower(cost, u, v), 0.0
    for i in range(u.size):
        excess += (cost[i, column_of[i]] - v[column_of[i]]) - u[i]
    return excess, is_the_only(cost, u, v, tolerance * largest, room)


assign_one = jit(_assign_one)


def _prove(
    cost: IntArray, column: IntArray, tolerance: int, v: IntArray, last: IntArray, above: IntArray
) -> tuple[bool, bool]:
    """Fill in ``v`` as ``_linear_assignment.prove``; whether there is a proof, and ``alone``.

    ``last`` (n,) and ``above`` (2 n,) are room.
    """
    n = v.size
    for j in range(n):
        v[j], last[j] = 0, 1  # no potential is positive
    for sweep in range(n + 1):
        settled = True
        for k in range(n):
            i = k if sweep % 2 == 0 else n - 1 - k
            price = v[column[i]]
            if price == last[i]:
                continue
            if price < _LEAST:  # no path is so short: a cycle is negative
                return False, False
            last[i], settled = price, False
            price -= cost[i, column[i]]
            row = cost[i]
            for j in range(n):
                length = row[j] + price
                v[j] = length if length < v[j] else v[j]
        if settled:
            for i in range(n):
                last[i] = cost[i, column[i]] - v[column[i]]
            return True, is_the_only(cost, last, v, tolerance, above)
    return False, False


prove = jit(_prove)
