r"""Compiled loops for many numbers on the line: each formula of ``_line_arrays`` in one pass.

Sums of non-negative terms are split at an ulp of a known bound: the leading parts add up exactly,
the rests with an error far below the last digit (see ``_summation.sum_of_sizes``).
"""

import numpy as np

from .._typing import Float64Array
from ._jit import jit


def _settle(rows: Float64Array, size: int, limit: int) -> bool:
    """Insertion sort, in place, of rows nearly in order; False after ``limit`` moves: O(n)."""
    moves = 0
    for k in range(1, size):
        point, weight = rows[k, 0], rows[k, 1]
        if rows[k - 1, 0] <= point:
            continue
        place = k
        while place > 0 and rows[place - 1, 0] > point:
            rows[place, 0], rows[place, 1] = rows[place - 1, 0], rows[place - 1, 1]
            place -= 1
        rows[place, 0], rows[place, 1] = point, weight
        moves += k - place
        if moves > limit:
            return False
    return True


settle = jit(_settle)


def _sums_of_levels(rows: Float64Array, fine: float) -> tuple[int, int, bool]:
    """The sums of weights on two levels, and whether these hold every weight exactly."""
    whole_sum, rest_sum, exact = 0, 0, True
    for k in range(rows.shape[0]):
        scaled = rows[k, 1] * 2.0**62
        whole = np.rint(scaled)
        whole_sum += int(whole)
        rest = (scaled - whole) * fine
        rounded = np.rint(rest)
        rest_sum += int(rounded)
        exact &= rest == rounded
    return whole_sum, rest_sum, exact


sums_of_levels = jit(_sums_of_levels, inner=True)


def _distance_of_weighted(
    x: Float64Array, y: Float64Array, fine: float
) -> tuple[float, float, bool]:
    """The distance of sorted weighted atoms, (S_b - S_a) / S_a, and whether levels are exact.

    Rows as ``_line_sort`` leaves them; see ``_line_arrays.weighted_distances``. Which side comes
    next is a coin toss, so nothing branches on it.
    """
    n, m, unit = x.shape[0] - 1, y.shape[0] - 1, 2.0**-62
    supply, supply_rest, exact_supply = sums_of_levels(x, fine)
    demand, demand_rest, exact_demand = sums_of_levels(y, fine)
    fine_unit = unit / fine
    lack = (demand - supply) * unit + (demand_rest - supply_rest) * fine_unit
    tilt = lack / (supply * unit)
    tilt_unit = tilt * unit
    before = min(x[0, 0], y[0, 0])
    bound = 4.0 * (max(x[n - 1, 0], y[m - 1, 0]) - before)
    i, j, one = np.uint64(0), np.uint64(0), np.uint64(1)
    below, excess, excess_rest = 0, 0, 0
    leading, rest = 0.0, 0.0
    for _ in range(n + m):
        next_x, next_y = x[i, 0], y[j, 0]
        from_x = next_x <= next_y
        point = next_x if from_x else next_y
        difference = excess * unit + excess_rest * fine_unit + below * tilt_unit
        term = abs(difference) * (point - before)
        high = (term + bound) - bound
        leading += high
        rest += term - high
        before = point
        given, taken = x[i, 1], -y[j, 1]
        scaled = (given if from_x else taken) * 2.0**62
        whole = np.rint(scaled)
        excess += int(whole)
        excess_rest += int(np.rint((scaled - whole) * fine))
        below += int(whole) if from_x else 0
        step = np.uint64(from_x)
        i += step
        j += one - step
    return (leading + rest) / (demand * unit), tilt, exact_supply and exact_demand


distance_of_weighted = jit(_distance_of_weighted)


def _distance_of_uniform(x: Float64Array, y: Float64Array) -> float:
    """The distance of sorted samples of any sizes, times the least common multiple of these."""
    n, m = x.size, y.size
    common, other = n, m
    while other:
        common, other = other, common % other
    supply, demand = m // common, n // common
    bound = 4.0 * n * supply * max(x[-1] - y[0], y[-1] - x[0])
    i, j = 0, 0
    left, wanted = supply, demand
    leading, rest = 0.0, 0.0
    while i < n and j < m:
        mass = min(left, wanted)
        term = mass * abs(x[i] - y[j])
        high = (term + bound) - bound
        leading += high
        rest += term - high
        left -= mass
        wanted -= mass
        if left == 0:
            i += 1
            left = supply
        if wanted == 0:
            j += 1
            wanted = demand
    return leading + rest


distance_of_uniform = jit(_distance_of_uniform)
