r"""Transport on the line: the monotone plan is optimal.

.. math:: W_1 = \int_{\mathbb R} |F(z) - G(z)| \, dz
    = \int_0^1 |F^{-1}(t) - G^{-1}(t)| \, dt .

Villani, *Topics in Optimal Transportation* (2003), theorem 2.18. O((n + m) log(n + m)).
"""

from typing import Any

import numpy as np

from .._summation import total, two_sum
from .._typing import Float64Array
from ._masses import Flow, Marginals, Masses, cost_of, north_west


def monotone_plan(x: Float64Array, y: Float64Array, masses: Marginals) -> Flow:
    """The plan that couples equal quantiles of atoms ``x`` (n,) and ``y`` (m,)."""
    from_left_x, from_left_y = (np.argsort(points, kind="stable") for points in (x, y))
    flow = north_west(masses.supply[from_left_x], masses.demand[from_left_y])
    return Flow(from_left_x[flow.source], from_left_y[flow.target], flow.mass)


def value(x: Float64Array, y: Float64Array, masses: Marginals) -> float:
    """The distance alone; equal masses need not follow their atoms through the sorting."""
    if _equal(masses.supply) and _equal(masses.demand):
        x, y = np.sort(x), np.sort(y)
        if x.size == y.size:
            return total(np.abs(x - y)) / x.size
        flow = north_west(masses.supply, masses.demand)
    else:
        flow = monotone_plan(x, y, masses)
    return cost_of(flow, np.abs(x[flow.source] - y[flow.target]), masses.total)


def _equal(masses: Masses) -> bool:
    return bool((masses == masses[0]).all())


def potential(x: Float64Array, y: Float64Array, masses: Marginals) -> Float64Array:
    r"""An optimal 1-Lipschitz f at the n + m points, x first: :math:`f' = \mathrm{sign}(G - F)`.

    Slopes are integrated in fixed point (2**-61 of the range), so that no rounding accumulates.
    """
    points = np.concatenate([x, y])
    order = np.argsort(points, kind="stable")
    excess = np.concatenate([masses.supply, -masses.demand])[order]
    slope = -_signs(np.cumsum(excess))[:-1]
    first, last = points[order[0]], points[order[-1]]
    width = last - first
    if width == 0:
        return np.zeros(points.size)
    exponent = 61 - int(np.frexp(width)[1])
    high, low = two_sum(points[order], -first)
    ticks = sum(np.rint(np.ldexp(part, exponent)).astype(np.int64) for part in (high, low))
    height = np.zeros(points.size, dtype=np.int64)
    np.cumsum(slope * np.diff(ticks), out=height[1:])
    height -= (height.max() + height.min()) // 2
    result = np.empty(points.size)
    result[order] = np.ldexp(height.astype(np.float64), -exponent)
    return result


def _signs(values: Any) -> Any:
    """Signs of integers (int64 or Python's) as int64."""
    return (values > 0).astype(np.int64) - (values < 0).astype(np.int64)
