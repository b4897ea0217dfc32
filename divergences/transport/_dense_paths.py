"""What the small dense solvers share: first potentials, and one step of Dijkstra's search.

A column whose distance is final has -inf in ``prices`` and inf in ``distance``, so that loops over
all columns pass it without a branch: the compiler turns them into vector instructions.
"""

import math

from .._typing import Float64Array, IntArray
from ._jit import jit


def _least(values: Float64Array) -> float:
    """The smallest entry; four chains, since one would wait for each comparison."""
    a, b, c, d = math.inf, math.inf, math.inf, math.inf
    for k in range(values.size // 4):
        a = values[4 * k] if values[4 * k] < a else a
        b = values[4 * k + 1] if values[4 * k + 1] < b else b
        c = values[4 * k + 2] if values[4 * k + 2] < c else c
        d = values[4 * k + 3] if values[4 * k + 3] < d else d
    for k in range(values.size - values.size % 4, values.size):
        a = values[k] if values[k] < a else a
    a, c = a if a < b else b, c if c < d else d
    return a if a < c else c


least = jit(_least, inline=True)


def _reduce(cost: Float64Array, u: Float64Array, v: Float64Array) -> None:
    """Feasible potentials: u the minima of the rows, v those of what is left in the columns."""
    for j in range(v.size):
        v[j] = math.inf
    for i in range(u.size):
        u[i] = least(cost[i])
        for j in range(v.size):
            rest = cost[i, j] - u[i]
            v[j] = rest if rest < v[j] else v[j]


reduce = jit(_reduce, inner=True)


def _begin(v: Float64Array, prices: Float64Array, distance: Float64Array) -> None:
    """No column reached yet."""
    for j in range(v.size):
        prices[j], distance[j] = v[j], math.inf


begin = jit(_begin, inline=True)


def _relax(
    cost: Float64Array, i: int, offset: float,
    prices: Float64Array, distance: Float64Array, before: IntArray,
) -> None:  # fmt: skip
    """Shorten the ways to the columns by those through row i."""
    for j in range(distance.size):
        length = (cost[i, j] - prices[j]) + offset
        closer = length < distance[j]
        distance[j] = length if closer else distance[j]
        before[j] = i if closer else before[j]


relax = jit(_relax, inline=True)


def _nearest(distance: Float64Array) -> int:
    """The open column of least distance; -1 if none is within reach."""
    value = least(distance)
    if not value < math.inf:
        return -1
    j = 0
    while distance[j] != value:
        j += 1
    return j


nearest = jit(_nearest, inline=True)


def _lower(cost: Float64Array, u: Float64Array, v: Float64Array) -> float:
    """Make u the largest that is feasible beside v; returns the largest cost."""
    largest = 0.0
    for i in range(u.size):
        smallest = math.inf
        for j in range(v.size):
            rest = cost[i, j] - v[j]
            smallest = rest if rest < smallest else smallest
            largest = cost[i, j] if cost[i, j] > largest else largest
        u[i] = smallest
    return largest


lower = jit(_lower, inner=True)
