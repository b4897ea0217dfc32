r"""Bounds of the distance in about the time of a few sorts, with no problem solved.

From below by 1-Lipschitz functions. A coordinate is one under every norm here, and so is every
function of it that is 1-Lipschitz: the distance of the laws of one coordinate, on the line, is a
bound. Under any metric the distance from a point z is one,

.. math:: W_1 \ge \Bigl| \sum_i a_i d(x_i, z) - \sum_j b_j d(y_j, z) \Bigr| .

From above by couplings: the monotone one along each coordinate, and the way through z,

.. math:: W_1 \le \sum_i a_i d(x_i, z) + \sum_j b_j d(z, y_j) .
"""

import numpy as np

from .._metrics import Metric
from .._summation import total
from .._typing import Float64Array
from . import _line
from ._masses import as_fractions, cost_of, marginals
from ._result import Bracket

_ROUNDING = 2.0**-48  # relative, of the bounds on coordinates
_COORDINATES = 16  # looked at, the ones of largest spread
_SUBNORMAL = 2.0**-1074


def bounds_by_coordinates(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None, metric: Metric
) -> Bracket:
    """Bounds under a norm, of points x (n, d), y (m, d); O((n + m) d + (n + m) log(n + m))."""
    scale = metric.scale(x, y)
    x, y = metric.prepare(x, scale), metric.prepare(y, scale)
    masses = marginals(a, x.shape[0], b, y.shape[0])
    low = np.minimum(x.min(axis=0), y.min(axis=0))
    spread = np.maximum(x.max(axis=0), y.max(axis=0)) - low
    lower, upper = 0.0, np.inf
    for axis in np.argsort(-spread, kind="stable")[:_COORDINATES]:
        flow = _line.monotone_plan(x[:, axis], y[:, axis], masses)
        shift = np.abs(x[flow.source, axis] - y[flow.target, axis])
        lower = max(lower, cost_of(flow, shift, masses.total))
        lengths = metric.listed(x, flow.source, y, flow.target)
        upper = min(upper, cost_of(flow, lengths, masses.total))
    return _rounded_outwards(lower, upper, 0.0, scale)


def bounds_by_a_point(
    to_x: Float64Array, to_y: Float64Array, a: Float64Array | None, b: Float64Array | None
) -> Bracket:
    """Bounds under any metric, from the distances of a point z to all x (n,) and all y (m,)."""
    masses = marginals(a, to_x.size, b, to_y.size)
    supply, demand = (as_fractions(part, masses.total) for part in masses[:2])
    near, far = total(supply * to_x), total(demand * to_y)
    return _rounded_outwards(abs(near - far), near + far, near + far, 1.0)


def _rounded_outwards(lower: float, upper: float, size: float, scale: float) -> Bracket:
    least = max(0.0, lower * (1 - _ROUNDING) - _ROUNDING * size) / scale
    with np.errstate(over="ignore"):
        most = float(np.float64(upper * (1 + _ROUNDING)) / scale)
    return Bracket(max(0.0, least - _SUBNORMAL), most + _SUBNORMAL)
