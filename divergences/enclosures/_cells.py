r"""Rigorous bounds of a divergence over cells of the line.

On a cell that P gives mass :math:`P` and Q mass :math:`Q`, with :math:`r = q/p` between m and M,

.. math:: P f(Q/P) \;\le\; \int p f(r) \;\le\;
    \frac{(M P - Q) f(m) + (Q - m P) f(M)}{M - m}

for convex f: Jensen's inequality (data processing) below, the chord above. Their distance is of
second order in M - m, so that n cells give a width of order 1/n^2; for total variation it is 0
but where the densities cross. Masses carry the rounding of the distribution functions.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._special import deviance
from .._typing import Array, Float64Array
from .._vector_terms import LOG_2, Pair, js_terms
from ..families._line import ContinuousLaw
from ..families._mixture import Mixture
from ..quadrature import Term, matched
from ._ratio import log_ratio_bounds, mean_at_ends

MOST_PAIRS = 64  # of components that are bounded pair by pair
UNDERFLOW = 1e-300  # no mass inside a support is taken as less: it may have been rounded to 0


class Convex(NamedTuple):
    """A convex f with f(1) = 0 and its minimum there; ``spread(P, Q)`` is P f(Q/P)."""

    spread: Callable[[Array, Array], Float64Array]
    of_log: Callable[[Array], Float64Array]
    at_zero: float
    at_infinity: float
    of_mean: float  # c such that p f(q/p) is at most c (p + q) |log(p/q)|


def _variation(p: Array, q: Array) -> Float64Array:
    return np.asarray(0.5 * np.abs(p - q))


def _kl(p: Array, q: Array) -> Float64Array:
    return deviance(p, q)


def _js(p: Array, q: Array) -> Float64Array:
    p, q = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64))
    return np.asarray(js_terms(np, Pair(p, q, p - q, np.float64(1.0))))


def _variation_of_log(ratio: Array) -> Float64Array:
    return np.asarray(0.5 * np.abs(np.expm1(ratio)))


def _kl_of_log(ratio: Array) -> Float64Array:
    near = np.abs(ratio) < 1.0
    inside = deviance(
        1.0, np.exp(np.where(near, ratio, 0.0)), -np.expm1(np.where(near, ratio, 0.0))
    )
    return np.where(near, inside, np.expm1(ratio) - ratio)


def _js_of_log(ratio: Array) -> Float64Array:
    return _js(np.float64(1.0), np.exp(np.clip(ratio, -700.0, 700.0)))


CONVEX = {
    "total_variation": Convex(_variation, _variation_of_log, 0.5, 0.5, 0.5),
    "kl_divergence": Convex(_kl, _kl_of_log, np.inf, 1.0, 1.0),
    "js_divergence": Convex(_js, _js_of_log, 0.5 * LOG_2, 0.5 * LOG_2, 0.5 * LOG_2),
}


def mass_bounds(
    law: ContinuousLaw, low: Float64Array, high: Float64Array, logs: tuple[Array, Array]
) -> tuple[Float64Array, Float64Array]:
    """Lower and upper bounds of the mass of each cell."""
    width = high - low
    # Beside an end a density may exceed the floats: a finite lower bound stays one.
    density = np.exp(np.minimum(logs[0], 700.0)), np.exp(logs[1])
    with np.errstate(invalid="ignore", over="ignore"):
        least = np.where(density[0] > 0, density[0] * width, 0.0)
        most = np.where(density[1] > 0, density[1] * width, 0.0)
    error = law.accuracy
    least, most = np.nan_to_num(least * (1.0 - error)), most * (1.0 + error)
    if law.has_cdf:
        first, last = law.cdf(low), law.cdf(high)
        upper_first, upper_last = law.survival(low), law.survival(high)
        lower_half = last <= 0.5
        mass = np.where(lower_half, last - first, upper_first - upper_last)
        size = np.where(lower_half, last, upper_first)
        if law.given:
            mass, size = last - first, np.maximum(last, 1.0)
        # A tail is known up to its exponent, which a relative error moves.
        slack = error * size * (1.0 - np.log(np.maximum(size, UNDERFLOW)))
        least = np.maximum(least, mass - slack)
        most = np.minimum(most, mass + slack)
    least = np.clip(least, 0.0, 1.0)
    outside = (high <= law.support[0]) | (low >= law.support[1])
    most = np.where(outside, 0.0, np.maximum(most, UNDERFLOW))
    return np.where(outside, 0.0, least), np.clip(most, least, 1.0)


def log_density_bounds(
    law: ContinuousLaw, low: Float64Array, high: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Bounds of the log-density on each cell, (-inf, inf) where nothing is known."""
    if not law.has_density:
        outside = (high <= law.support[0]) | (low >= law.support[1])
        return np.full(low.shape, -np.inf), np.where(outside, -np.inf, np.inf)
    least, most = law.log_density_bounds(low, high)
    with np.errstate(invalid="ignore"):
        error = law.accuracy * (1.0 + np.minimum(np.abs(least), np.abs(most)))
    error = np.where(np.isfinite(error), error, law.accuracy)
    return np.asarray(least - error), np.asarray(most + error)


def cell_bounds(
    divergence: str, p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Lower and upper bounds of the divergence's integral over each cell."""
    with np.errstate(all="ignore"):
        lower, upper = _of_pair(divergence, (1.0, p), (1.0, q), low, high)
        if isinstance(p, Mixture) and isinstance(q, Mixture):
            pairs = matched(p, q)
            if len(pairs) <= MOST_PAIRS:
                parts = (_of_terms(divergence, pair, low, high) for pair in pairs)
                upper = np.fmin(upper, sum(parts))
    tiny = 1e-15 * np.where(np.isfinite(upper), upper, 0.0)
    return np.minimum(np.maximum(lower - tiny, 0.0), upper + tiny), upper + tiny


def _of_terms(
    divergence: str,
    pair: tuple[Term | None, Term | None, float],
    low: Float64Array,
    high: Float64Array,
) -> Float64Array:
    """An upper bound over each cell for two components: those of all of them add up to one.

    (p, q) -> p f(q/p) is convex and homogeneous of degree 1, so it is subadditive.
    """
    first, second, growth = pair
    if first is not None and second is not None:
        return _of_pair(divergence, first, second, low, high, growth)[1]
    term = first or second
    assert term is not None
    weight, law = term
    mass = mass_bounds(law, low, high, log_density_bounds(law, low, high))[1] * weight
    f = CONVEX[divergence]
    return np.where(mass > 0, mass * (f.at_infinity if first is None else f.at_zero), 0.0)


def _of_pair(
    divergence: str, first: Term, second: Term, low: Float64Array, high: Float64Array,
    growth: float = 0.0,
) -> tuple[Float64Array, Float64Array]:  # fmt: skip
    """Bounds for two laws times weights, ``growth`` being the log of the weights' ratio."""
    f = CONVEX[divergence]
    (w, p), (v, q) = first, second
    p_log, q_log = log_density_bounds(p, low, high), log_density_bounds(q, low, high)
    p_least, p_most = mass_bounds(p, low, high, p_log)
    q_least, q_most = mass_bounds(q, low, high, q_log)
    p_mass, q_mass = (w * p_least, w * p_most), (v * q_least, v * q_most)
    smallest, largest = q_log[0] - p_log[1], q_log[1] - p_log[0]  # bounds of log(q/p)
    smallest = np.where(np.isnan(smallest) | np.isposinf(smallest), -np.inf, smallest)
    largest = np.where(np.isnan(largest) | np.isneginf(largest), np.inf, largest)
    least, most = log_ratio_bounds(p, q, low, high)
    slack = 1e-15 * abs(growth)
    smallest = np.maximum(smallest, -most) - growth - slack
    largest = np.minimum(largest, -least) - growth + slack
    largest = np.where(q_mass[1] == 0, -np.inf, largest)
    lower = np.fmax(_least(f, p_mass, q_mass), _far(f, p_mass, smallest, largest))
    upper = _most(f, p_mass, q_mass, smallest, largest)
    mean = mean_at_ends(p, q, low, high, (p_mass[1], q_mass[1]), abs(growth))
    return lower, np.fmin(upper, f.of_mean * mean)


def _least(f: Convex, p: tuple[Array, Array], q: tuple[Array, Array]) -> Float64Array:
    """The minimum over the box of masses: towards P = Q the function falls."""
    above = np.where(q[0] > p[1], f.spread(p[1], np.maximum(q[0], p[1])), 0.0)
    below = np.where(q[1] < p[0], f.spread(p[0], np.minimum(q[1], p[0])), 0.0)
    return np.maximum(above, below)


def _far(
    f: Convex, p: tuple[Array, Array], smallest: Float64Array, largest: Float64Array
) -> Float64Array:
    """A lower bound from the ratio that is nearest to 1, for masses of q that underflow."""
    below = np.where(largest < 0, f.of_log(np.minimum(largest, 0.0)), 0.0)
    above = np.where(smallest > 0, f.of_log(np.clip(smallest, 0.0, 700.0)), 0.0)
    value = np.maximum(below, above) * p[0]
    return np.where(np.isnan(value), 0.0, value)


def _most(
    f: Convex,
    p: tuple[Array, Array],
    q: tuple[Array, Array],
    smallest: Float64Array,
    largest: Float64Array,
) -> Float64Array:
    """The chord between the extreme ratios, at the worst corner of the box of masses."""
    smallest = np.minimum(smallest, 700.0)  # a smaller lower bound, but a finite one
    low, high = np.exp(smallest), np.exp(np.minimum(largest, 700.0))
    at_low = np.where(np.isneginf(smallest), f.at_zero, f.of_log(smallest))
    bounded = (largest < 700.0) & (high > low)
    at_high = f.of_log(np.where(bounded, largest, 0.0))
    slope = np.where(bounded, (at_high - at_low) / (high - low), f.at_infinity)
    offset = at_low - slope * low  # the chord is offset + slope r
    value = np.maximum(_product(offset, p) + _product(slope, q), 0.0)
    # f lies below the larger of its values at both ends, too.
    value = np.fmin(value, np.where(bounded, np.maximum(at_low, at_high) * p[1], np.inf))
    # Whatever the ratio: at most the two masses, each at the price of a singular part.
    apart = np.where(p[1] > 0, f.at_zero * p[1], 0.0) + f.at_infinity * q[1]
    return np.asarray(np.fmin(np.where(np.isnan(value), np.inf, value), apart))


def _product(factor: Float64Array, mass: tuple[Array, Array]) -> Float64Array:
    product = factor * np.where(factor > 0, mass[1], mass[0])
    return np.where(mass[1] == 0, 0.0, product)
