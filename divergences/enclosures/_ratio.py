r"""Bounds of the ratio of two densities over cells, from the ratio itself.

Bounds of each density alone lose what the laws have in common. Within one family the log-ratio is
monotone between a few places, so its ends there bound it; of two mixtures whose components are
paired, weights included, the ratio lies between the extreme ones of the pairs (the mediant),

.. math:: \min_i \frac{w_i f_i}{v_i g_i} \le \frac{\sum_i w_i f_i}{\sum_i v_i g_i}
          \le \max_i \frac{w_i f_i}{v_i g_i} .
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._typing import Float64Array
from ..families._affine import AffineOnLine
from ..families._elementary import Exponential, Laplace
from ..families._gamma_beta import Beta, Gamma
from ..families._line import Points
from ..families._mixture import Mixture
from ..families._normal import Normal
from ..families._reduced import same_map
from ..quadrature import log_ratio, matched

Bounds = tuple[Float64Array, Float64Array]
GRANTED = 1e-12  # relative error granted to a log-ratio and to the place of its turn


def log_ratio_bounds(p: Any, q: Any, low: Float64Array, high: Float64Array) -> Bounds:
    """Bounds of log(p/q) on each cell, (-inf, inf) where nothing is known."""
    unknown = np.full(low.shape, -np.inf), np.full(low.shape, np.inf)
    if isinstance(p, Mixture) and isinstance(q, Mixture):
        return _of_mixtures(p, q, low, high) or unknown
    if isinstance(p, AffineOnLine) and isinstance(q, AffineOnLine) and same_map(p, q):
        return log_ratio_bounds(p.law, q.law, *_before(p, low, high))
    turns = TURNS.get((type(p), type(q)))
    return unknown if turns is None else _between(p, q, low, high, turns(p, q))


def _before(law: AffineOnLine, low: Float64Array, high: Float64Array) -> Bounds:
    """The cells from which an affine map makes these."""
    ends = [np.array(law._back(end)) for end in (low, high)]
    for places in ends:
        for end in law.law.break_points:
            places[np.abs(places - end) <= 1e-13 * abs(end)] = end
    return np.minimum(*ends), np.maximum(*ends)


def _of_mixtures(p: Mixture, q: Mixture, low: Float64Array, high: Float64Array) -> Bounds | None:
    least, most = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
    for first, second, growth in matched(p, q):
        if first is None or second is None:
            return None
        bounds = log_ratio_bounds(first[1], second[1], low, high)
        slack = GRANTED * abs(growth)
        least = np.minimum(least, bounds[0] + growth - slack)
        most = np.maximum(most, bounds[1] + growth + slack)
    return least, most


def _between(
    p: Any, q: Any, low: Float64Array, high: Float64Array, turns: list[float]
) -> Bounds:  # fmt: skip
    """The extremes of a log-ratio that is monotone between ``turns`` and the supports' ends."""
    values = [_at(p, q, end) for end in (low, high)]
    least, most = np.minimum(*values), np.maximum(*values)
    for turn in turns:
        inside = (low < turn) & (turn < high)
        there = _at(p, q, np.array([turn]))
        least = np.where(inside, np.minimum(least, there), least)
        most = np.where(inside, np.maximum(most, there), most)
    slack = GRANTED * np.maximum(np.abs(least), np.abs(most)) + _own_rounding(p, q, low, high)
    known = ~(np.isnan(least) | np.isnan(most) | np.isnan(slack))
    return np.where(known, least - slack, -np.inf), np.where(known, most + slack, np.inf)


def _at(p: Any, q: Any, x: Float64Array) -> Float64Array:
    with np.errstate(all="ignore"):
        return log_ratio(p, q, Points(x))


def _own_rounding(p: Any, q: Any, low: Float64Array, high: Float64Array) -> Any:
    """What cancellation between the terms of a log-ratio may leave: the rounding of the largest.

    Each term is the difference of two parameters, relatively, times a number of the order of
    1 + |log-density| in the family's own coordinate.
    """
    pairs = zip(p._numbers(), q._numbers(), strict=True)
    apart = sum(abs(a - b) / max(abs(a), abs(b)) for a, b in pairs if a != b)
    with np.errstate(all="ignore"):
        sizes = [
            np.abs(law._log_density_inside(e, low, high)) for law in (p, q) for e in (low, high)
        ]
        size = np.max(np.where(np.isfinite(sizes), sizes, 0.0), axis=0)
    return GRANTED * apart * (1.0 + size)


def _normal_turns(p: Normal, q: Normal) -> list[float]:
    """The vertex of the quadratic: (m1 s2^2 - m2 s1^2)/(s2^2 - s1^2), about the first mean."""
    (m1, s1), (m2, s2) = p._numbers(), q._numbers()
    if s1 == s2:
        return []
    ratio = s1 / s2
    return [m1 + (m1 - m2) * ratio * ratio / ((1.0 - ratio) * (1.0 + ratio))]


def _gamma_turns(p: Any, q: Any) -> list[float]:
    (a1, r1), (a2, r2) = ((1.0, *law._numbers())[-2:] for law in (p, q))
    return [(a1 - a2) / (r1 - r2)] if r1 != r2 else []


def _beta_turns(p: Beta, q: Beta) -> list[float]:
    (a1, b1), (a2, b2) = p._numbers(), q._numbers()
    a, b = a1 - a2, b1 - b2
    return [a / (a + b)] if a * b > 0.0 else []


TURNS: dict[tuple[type, type], Callable[[Any, Any], list[float]]] = {
    (Normal, Normal): _normal_turns,
    (Laplace, Laplace): lambda p, q: [p._numbers()[0], q._numbers()[0]],
    (Exponential, Exponential): lambda *_: [],
    (Gamma, Gamma): _gamma_turns,
    (Beta, Beta): _beta_turns,
}


def mean_at_ends(
    p: Any, q: Any, low: Float64Array, high: Float64Array, masses: Bounds, growth: float
) -> Float64Array:
    r"""An upper bound of the integral of (p + q) |log(p/q)| over cells at a singular end, else inf.

    There p is a power a - 1 of the distance t to the end, times a factor that changes by at most 2
    over the cell, and :math:`|\log(p/q)|` at t is at most its value at the inner edge b, and
    :math:`|a - a'| \log(b/t)`, whose mean is at most 2 |a - a'|/a, and what the factors change.
    """
    price = np.full(low.shape, np.inf)
    if isinstance(p, AffineOnLine) and isinstance(q, AffineOnLine) and same_map(p, q):
        return mean_at_ends(p.law, q.law, *_before(p, low, high), masses, growth)
    if type(p) is not type(q) or not isinstance(p, Gamma | Beta):
        return price
    for end in p.singular_ends:
        inner, outer = (high, low) if end == 0.0 else (low, high)
        width = np.abs(inner - end)
        powers = p.end_power(end), q.end_power(end)
        change = _change(p, q, end, width)
        narrow = (outer == end) & (change < 0.5)
        if not narrow.any():
            continue
        steep = abs(powers[0] - powers[1])
        there = np.abs(_at(p, q, inner)) + growth + 2.0 * change
        value = sum(m * (there + 2.0 * steep / a) for m, a in zip(masses, powers, strict=True))
        price = np.where(narrow & np.isfinite(value), value * (1.0 + GRANTED), price)
    return price


def _change(p: Any, q: Any, end: float, width: Float64Array) -> Float64Array:
    """What the logs of both factors beside the power change over a cell of this width at most."""
    if isinstance(p, Gamma):
        return np.asarray(max(p._numbers()[1], q._numbers()[1]) * width)
    others = [abs(law.end_power(1.0 - end) - 1.0) for law in (p, q)]
    return np.asarray(-max(others) * np.log1p(-np.minimum(width, 0.75)))
