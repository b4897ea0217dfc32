r"""Certified enclosures of Wasserstein-1 on the line, :math:`\int |F - G|`.

On a cell [a, b] the difference F - G lies between F(a) - G(b) and F(b) - G(a), since both grow.
Where that decides its sign, the integral of F - G is known from
:math:`\int_a^b F = bF(b) - aF(a) - E[X; a < X \le b]`, or from bounds of the density; where it does
not, the cell is halved.
"""

import math
from typing import Any

import numpy as np

from .._typing import Float64Array
from ..families._given import LawOnLine
from ..families._line import ContinuousLaw
from ._cells import accuracy, log_density_bounds
from ._enclosure import Enclosure, first_edges, refine

Bounds = tuple[Float64Array, Float64Array]


def enclose_wasserstein1(
    p: ContinuousLaw, q: ContinuousLaw, width: float, relative: float
) -> Enclosure:
    """An enclosure of W1 of a width of at most ``width + relative * lower``, or the best found."""
    if any(isinstance(law, LawOnLine) and not _is_bounded(law) for law in (p, q)):
        return _without_tails(p, q, width, relative)

    def bounds(low: Float64Array, high: Float64Array) -> Bounds:
        return _cells(p, q, low, high)

    lower, upper = refine(bounds, first_edges(p, q), width, relative)
    return Enclosure(lower, max(lower, upper))


def _is_bounded(law: ContinuousLaw) -> bool:
    return all(math.isfinite(end) for end in law.support)


def _without_tails(p: ContinuousLaw, q: ContinuousLaw, width: float, relative: float) -> Enclosure:
    """Only a lower bound: nothing is known of the mean of a law given on an unbounded support."""

    def bounds(low: Float64Array, high: Float64Array) -> Bounds:
        finite = np.isfinite(low) & np.isfinite(high)
        with np.errstate(invalid="ignore"):
            lower, upper = _cells(p, q, np.where(finite, low, 0.0), np.where(finite, high, 0.0))
        return np.where(finite, lower, 0.0), np.where(finite, upper, 0.0)

    lower, _ = refine(bounds, first_edges(p, q), width, relative)
    return Enclosure(lower, math.inf)


def _cells(p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of the integral of |F - G| over each cell."""
    with np.errstate(all="ignore"):
        least, most = _gap(p, q, low, high)
        width = high - low
        lower = width * np.maximum(np.maximum(least, -most), 0.0)
        upper = width * np.maximum(most, -least)
        first, second = (_integral(law, low, high) for law in (p, q))
        signed = first[0] - second[1], first[1] - second[0]
        ahead, behind = least >= 0.0, most <= 0.0
        exact_low = np.where(ahead, signed[0], np.where(behind, -signed[1], 0.0))
        exact_high = np.where(ahead, signed[1], np.where(behind, -signed[0], np.inf))
        # |integral| is a lower bound whatever the signs.
        either = np.maximum(np.maximum(signed[0], -signed[1]), 0.0)
        lower = np.fmax(np.fmax(np.nan_to_num(lower), exact_low), either)
        tails = _tail(p, low, high) + _tail(q, low, high)
        upper = np.fmin(np.fmin(np.where(np.isnan(upper), np.inf, upper), exact_high), tails)
    return np.minimum(lower, upper), upper


def _gap(p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of F - G on each cell, from the tails that are smaller."""
    values: list[Any] = []
    for law in (p, q):
        error = accuracy(law)
        values.append([(f(low), f(high), error) for f in (law.cdf, law.survival)])
    (cdf_p, over_p), (cdf_q, over_q) = values
    least = _down(cdf_p[0], cdf_p[2]) - _up(cdf_q[1], cdf_q[2])
    most = _up(cdf_p[1], cdf_p[2]) - _down(cdf_q[0], cdf_q[2])
    if not any(isinstance(law, LawOnLine) for law in (p, q)):
        least = np.maximum(least, _down(over_q[1], over_q[2]) - _up(over_p[0], over_p[2]))
        most = np.minimum(most, _up(over_q[0], over_q[2]) - _down(over_p[1], over_p[2]))
    return least, most


def _down(value: Float64Array, error: float) -> Float64Array:
    return np.asarray(value * (1.0 - error))


def _up(value: Float64Array, error: float) -> Float64Array:
    return np.asarray(value * (1.0 + error))


def _integral(law: ContinuousLaw, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of the integral of F over each cell."""
    error = accuracy(law)
    width = high - low
    first, last = law.cdf(low), law.cdf(high)
    below, above = width * _down(first, error), width * _up(last, error)
    least, most = (np.exp(bound) for bound in log_density_bounds(law, low, high))
    curve = 0.5 * width * width
    below = np.fmax(below, width * _down(first, error) + np.nan_to_num(curve * least))
    above = np.fmin(above, width * _up(first, error) + curve * most)
    below = np.fmax(below, width * _down(last, error) - curve * most)
    above = np.fmin(above, width * _up(last, error) - curve * least)
    if isinstance(law, LawOnLine):
        return below, above
    # Places are measured from the middle of the cell, so that only its own width is rounded.
    middle = low + 0.5 * width
    mass = np.where(last <= 0.5, last - first, law.survival(low) - law.survival(high))
    moment = law.partial_mean(high) - law.partial_mean(low) - middle * mass
    slack = 4 * error * (width * last + np.abs(middle) * np.abs(last) + abs(law.expectation))
    exact = 0.5 * width * (first + last) - moment
    return np.fmax(below, exact - slack), np.fmin(above, exact + slack)


def _tail(law: ContinuousLaw, low: Float64Array, high: Float64Array) -> Float64Array:
    """The integral of F over a cell down to -inf, of 1 - F over one up to inf, else of neither."""
    if isinstance(law, LawOnLine):
        beyond = (high <= law.support[0]) | (low >= law.support[1])
        return np.where(beyond & ~(np.isfinite(low) & np.isfinite(high)), 0.0, np.inf)
    size = 4 * accuracy(law)
    mean = law.expectation
    down = high * law.cdf(high) - law.partial_mean(high)
    up = mean - law.partial_mean(low) - low * law.survival(low)
    slack_down = size * law.cdf(high) * (np.abs(high) + abs(mean))
    slack_up = size * (np.abs(low) * law.survival(low)) + size * abs(mean)
    value = np.where(np.isneginf(low), down + slack_down, np.inf)
    return np.where(np.isposinf(high), np.fmax(up, 0.0) + slack_up, value)
