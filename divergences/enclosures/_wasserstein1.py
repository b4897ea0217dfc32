r"""Certified enclosures of Wasserstein-1 on the line, :math:`\int |F - G|`.

On a cell [a, b] the difference F - G lies between F(a) - G(b) and F(b) - G(a), since both grow.
Where that decides its sign, the integral of F - G is known from
:math:`\int_a^b F = bF(b) - aF(a) - E[X; a < X \le b]`, or from bounds of the density; where it does
not, the cell is halved.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._typing import Float64Array
from ..families._line import ContinuousLaw
from ._cells import log_density_bounds
from ._enclosure import Enclosure, first_edges, least_place, refine

Bounds = tuple[Float64Array, Float64Array]
Pair = tuple[Float64Array, Float64Array]  # at the low and at the high ends of cells


def enclose_wasserstein1(
    p: ContinuousLaw, q: ContinuousLaw, width: float, relative: float
) -> Enclosure:
    """An enclosure of W1 of a width of at most ``width + relative * lower``, or the best found."""
    if any(law.given and not _is_bounded(law) for law in (p, q)):
        return _without_tails(p, q, width, relative)

    def bounds(low: Float64Array, high: Float64Array) -> Bounds:
        return _cells(p, q, low, high)

    lower, upper = refine(bounds, first_edges(p, q), width, relative, least_place(p, q))
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

    lower, _ = refine(bounds, first_edges(p, q), width, relative, least_place(p, q))
    return Enclosure(lower, math.inf)


def _cells(p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of the integral of |F - G| over each cell."""
    with np.errstate(all="ignore"):
        ends = [_at_ends(law, low, high) for law in (p, q)]
        least, most = _gap(p, q, *ends)
        width = high - low
        lower = width * np.maximum(np.maximum(least, -most), 0.0)
        upper = width * np.maximum(most, -least)
        first, second = (
            _integral(law, at, low, high) for law, at in zip((p, q), ends, strict=True)
        )
        signed = first[0] - second[1], first[1] - second[0]
        ahead, behind = least >= 0.0, most <= 0.0
        exact_low = np.where(ahead, signed[0], np.where(behind, -signed[1], 0.0))
        exact_high = np.where(ahead, signed[1], np.where(behind, -signed[0], np.inf))
        # |integral| is a lower bound whatever the signs.
        either = np.maximum(np.maximum(signed[0], -signed[1]), 0.0)
        lower = np.fmax(np.fmax(np.nan_to_num(lower), exact_low), either)
        tails = _tail(p, ends[0], low, high) + _tail(q, ends[1], low, high)
        upper = np.fmin(np.fmin(np.where(np.isnan(upper), np.inf, upper), exact_high), tails)
    return np.minimum(lower, upper), upper


class _Ends(NamedTuple):
    """What a law says of the low and the high ends of cells."""

    cdf: Pair
    survival: Pair
    partial_mean: Pair


def _at_ends(law: ContinuousLaw, low: Float64Array, high: Float64Array) -> _Ends:
    """Each function once at each place: cells that meet share one. No mean of a given law."""
    places, index = np.unique(np.concatenate([low, high]), return_inverse=True)

    def both(function: Callable[[Float64Array], Float64Array]) -> Pair:
        values = np.asarray(function(places))[index.ravel()]
        return values[: low.size], values[low.size :]

    unknown = np.full(low.shape, np.nan)
    means = (unknown, unknown) if law.given else both(law.partial_mean)
    return _Ends(both(law.cdf), both(law.survival), means)


def _gap(p: ContinuousLaw, q: ContinuousLaw, of_p: _Ends, of_q: _Ends) -> Bounds:
    """Bounds of F - G on each cell, from the tails that are smaller."""
    least = _down(of_p.cdf[0], p) - _up(of_q.cdf[1], q)
    most = _up(of_p.cdf[1], p) - _down(of_q.cdf[0], q)
    if not (p.given or q.given):
        above = _down(of_q.survival[1], q) - _up(of_p.survival[0], p)
        below = _up(of_q.survival[0], q) - _down(of_p.survival[1], p)
        least, most = np.maximum(least, above), np.minimum(most, below)
    return least, most


def _down(value: Float64Array, law: ContinuousLaw) -> Float64Array:
    """A lower bound of a probability: one that was given may have been taken from 1."""
    slack = law.accuracy if law.given else value * law.accuracy
    return np.asarray(np.maximum(value - slack, 0.0))


def _up(value: Float64Array, law: ContinuousLaw) -> Float64Array:
    slack = law.accuracy if law.given else value * law.accuracy
    return np.asarray(value + slack)


def _integral(law: ContinuousLaw, at: _Ends, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of the integral of F over each cell."""
    width = high - low
    first, last = at.cdf
    below, above = width * _down(first, law), width * _up(last, law)
    least, most = (np.exp(bound) for bound in log_density_bounds(law, low, high))
    curve = 0.5 * width * width
    below = np.fmax(below, width * _down(first, law) + np.nan_to_num(curve * least))
    above = np.fmin(above, width * _up(first, law) + curve * most)
    below = np.fmax(below, width * _down(last, law) - curve * most)
    above = np.fmin(above, width * _up(last, law) - curve * least)
    if law.given:
        return below, above
    # Places are measured from the middle of the cell, so that only its own width is rounded.
    middle = low + 0.5 * width
    mass = np.where(last <= 0.5, last - first, at.survival[0] - at.survival[1])
    moment = at.partial_mean[1] - at.partial_mean[0] - middle * mass
    slack = 4 * law.accuracy * (width * last + np.abs(middle) * np.abs(last) + abs(law.expectation))
    exact = 0.5 * width * (first + last) - moment
    return np.fmax(below, exact - slack), np.fmin(above, exact + slack)


def _tail(law: ContinuousLaw, at: _Ends, low: Float64Array, high: Float64Array) -> Float64Array:
    """The integral of F over a cell down to -inf, of 1 - F over one up to inf, else of neither."""
    if law.given:
        beyond = (high <= law.support[0]) | (low >= law.support[1])
        return np.where(beyond & ~(np.isfinite(low) & np.isfinite(high)), 0.0, np.inf)
    size = 4 * law.accuracy
    mean = law.expectation
    below, above = at.cdf[1], at.survival[0]
    down = high * below - at.partial_mean[1]
    up = mean - at.partial_mean[0] - low * above
    slack_down = size * below * (np.abs(high) + abs(mean))
    slack_up = size * (np.abs(low) * above) + size * abs(mean)
    value = np.where(np.isneginf(low), down + slack_down, np.inf)
    return np.where(np.isposinf(high), np.fmax(up, 0.0) + slack_up, value)
