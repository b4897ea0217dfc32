r"""Bounds of the distance in about the time of a few sorts, with no problem solved.

From below by 1-Lipschitz functions f: the distance of the laws of f, on the line, is a bound. Under
a norm single coordinates are such functions, and the linear function that grows fastest from one
mean to the other; under any metric the distance from a point z is one. From above by couplings: the
monotone one along each of these functions. Where distances of listed pairs are not to be had (a
caller's own metric), by way of one point z,

.. math:: \Bigl| \sum_i a_i d(x_i, z) - \sum_j b_j d(y_j, z) \Bigr| \le W_1
    \le \sum_i a_i d(x_i, z) + \sum_j b_j d(z, y_j) .
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._metrics import Metric
from .._summation import total
from .._typing import Float64Array
from . import _line
from ._clock import Clock
from ._masses import Flow, Marginals, as_fractions, cost_of, marginals, rounding_of_masses
from ._result import Bracket

_ROUNDING = 2.0**-48  # relative, of distances and of what is summed of them
_COORDINATES = 16  # looked at, the ones of largest spread
_SUBNORMAL, _LARGEST = 2.0**-1074, float(np.finfo(np.float64).max)
_ULPS = 16  # of a caller's own distances, by which they may contradict each other
_SHARE = 0.1  # of the time, for functions after the first


class Slope(NamedTuple):
    """A 1-Lipschitz function at the points of both laws, and what rounding moves a value by."""

    at_x: Float64Array
    at_y: Float64Array
    error: float


class Coupled(NamedTuple):
    """Two laws of prepared points, the better bounds so far, and the plan of the upper one.

    ``slopes`` are the functions that were looked at, that of the plan first; ``bracket`` is in the
    caller's units, and ``scale`` takes these to those of the points. No two of these are farther
    apart than ``reach``.
    """

    x: Float64Array
    y: Float64Array
    masses: Marginals
    metric: Metric
    scale: float
    reach: float
    flow: Flow
    slopes: list[Slope]
    bracket: Bracket


def couple(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None,
    metric: Metric, clock: Clock,
) -> Coupled:  # fmt: skip
    """Bounds under a metric that is no callable, of points x (n, d), y (m, d).

    O((n + m)(d + log(n + m))) for each function; the first whatever the time, others while a part
    of it lasts.
    """
    scale = metric.scale(x, y)
    x, y = metric.prepare(x, scale), metric.prepare(y, scale)
    masses = marginals(a, x.shape[0], b, y.shape[0])
    lower, upper, best = 0.0, np.inf, Flow(*(np.zeros(0, dtype=np.int64),) * 3)
    slopes: list[Slope] = []
    for slope in _slopes(x, y, masses, metric):
        flow = _line.monotone_plan(slope.at_x, slope.at_y, masses)
        apart = np.abs(slope.at_x[flow.source] - slope.at_y[flow.target])
        lower = max(lower, cost_of(flow, apart, masses.total) - 2 * slope.error)
        cost = cost_of(flow, metric.listed(x, flow.source, y, flow.target), masses.total)
        slopes.append(slope)
        if cost < upper:
            upper, best = cost, flow
            slopes.insert(0, slopes.pop())
        if not clock.allows(0.0) or clock.elapsed() > _SHARE * clock.limit:
            break
    reach = _reach(x, y, metric)
    slack = rounding_of_masses(x.shape[0] + y.shape[0], masses.total, reach)
    bracket = rounded_outwards(lower - slack, upper + slack, 0.0, scale)
    return Coupled(x, y, masses, metric, scale, reach, best, slopes, bracket)


def _reach(x: Float64Array, y: Float64Array, metric: Metric) -> float:
    """A length that no distance between two of the points is above."""
    if not metric.is_norm:
        return 2 * np.pi
    low = np.minimum(x.min(axis=0), y.min(axis=0))
    high = np.maximum(x.max(axis=0), y.max(axis=0))
    return 2 * float(metric.pairs(low[None], high[None])[0])


def _slopes(x: Float64Array, y: Float64Array, masses: Marginals, metric: Metric) -> Iterator[Slope]:
    """1-Lipschitz functions, those that tell most of the distance sooner."""
    supply, demand = (as_fractions(part, masses.total) for part in masses[:2])
    means = supply @ x, demand @ y
    if metric.is_norm:
        if x.shape[1] > 1:
            yield _towards(x, y, means[1] - means[0], metric.order)
        low = np.minimum(x.min(axis=0), y.min(axis=0))
        spread = np.maximum(x.max(axis=0), y.max(axis=0)) - low
        for axis in np.argsort(-spread, kind="stable")[:_COORDINATES]:
            yield Slope(x[:, axis], y[:, axis], 0.0)
    else:
        yield _from(x, y, y[0], metric)
    for centre in means:
        if metric.is_norm or centre.any():
            yield _from(x, y, metric.prepare(centre, 1.0), metric)


def _towards(x: Float64Array, y: Float64Array, step: Float64Array, order: float) -> Slope:
    r"""The linear function of slope 1 that grows fastest along ``step``: by its norm.

    Its coefficients are :math:`|s_i|^{p-1} \operatorname{sign}(s_i)` over their norm of order
    :math:`p / (p - 1)`; for p infinite the coordinate of the largest step alone.
    """
    sizes = np.abs(step)
    largest = float(sizes.max())
    slope = np.zeros_like(step)
    if np.isinf(order) or largest == 0:
        slope[sizes.argmax()] = 1.0
    else:
        slope = (sizes / largest) ** (order - 1) * np.sign(step)
        if order > 1:
            dual = order / (order - 1)
            slope /= float((np.abs(slope) ** dual).sum()) ** (1 / dual)
        slope *= 1 - 8 * _ROUNDING
    reach = float(np.maximum(np.abs(x).max(axis=0), np.abs(y).max(axis=0)) @ np.abs(slope))
    return Slope(x @ slope, y @ slope, 2.0**-52 * (x.shape[1] + 2) * reach)


def _from(x: Float64Array, y: Float64Array, centre: Float64Array, metric: Metric) -> Slope:
    """The distance from a point."""
    at_x, at_y = (metric.matrix(points, centre[None])[:, 0] for points in (x, y))
    return Slope(at_x, at_y, _ROUNDING * float(max(at_x.max(), at_y.max())))


def bounds_by_a_point(
    to_x: Float64Array, to_y: Float64Array, a: Float64Array | None, b: Float64Array | None,
    spacings: tuple[float, float],
) -> Bracket:  # fmt: skip
    """Bounds under any metric, from the distances of a point z to all x (n,) and all y (m,).

    These may contradict each other by some ``spacings`` of numbers of their type, at 1 and at 0.
    """
    masses = marginals(a, to_x.size, b, to_y.size)
    supply, demand = (as_fractions(part, masses.total) for part in masses[:2])
    near, far = total(supply * to_x), total(demand * to_y)
    reach = 2 * float(max(to_x.max(), to_y.max()))
    slack = rounding_of_masses(to_x.size + to_y.size, masses.total, reach)
    slack += _ULPS * (spacings[0] * (near + far) + spacings[1])
    return rounded_outwards(abs(near - far) - slack, near + far + slack, near + far, 1.0)


def rounded_outwards(lower: float, upper: float, size: float, scale: float) -> Bracket:
    """Both bounds, in the caller's units; ``size`` is that of the numbers they are sums of."""
    with np.errstate(over="ignore"):
        least = float(np.float64(max(0.0, lower * (1 - _ROUNDING) - _ROUNDING * size)) / scale)
        most = float(np.float64(upper * (1 + _ROUNDING)) / scale)
    return Bracket(min(max(0.0, least - _SUBNORMAL), _LARGEST), most + _SUBNORMAL)
