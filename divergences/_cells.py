r"""Rigorous bounds of a divergence over cells of the line.

On a cell that P gives mass :math:`P` and Q mass :math:`Q`, with :math:`r = q/p` between m and M,

.. math:: P f(Q/P) \;\le\; \int p f(r) \;\le\;
    \frac{(M P - Q) f(m) + (Q - m P) f(M)}{M - m}

for convex f: Jensen's inequality (data processing) below, the chord above. Their distance is of
second order in M - m, so that n cells give a width of order 1/n^2; for total variation it is 0
but where the densities cross. Masses carry the rounding of the distribution functions.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._special import deviance
from ._typing import Array, Float64Array
from ._vectors import LOG_2, Pair, js_terms
from .families._given import LawOnLine
from .families._line import ContinuousLaw

ROUNDING = 2e-14  # relative error granted to the distribution functions and densities of families


class Convex(NamedTuple):
    """A convex f with f(1) = 0 and its minimum there; ``spread(P, Q)`` is P f(Q/P)."""

    spread: Callable[[Array, Array], Float64Array]
    at_zero: float
    at_infinity: float


def _variation(p: Array, q: Array) -> Float64Array:
    return np.asarray(0.5 * np.abs(p - q))


def _kl(p: Array, q: Array) -> Float64Array:
    return deviance(p, q)


def _js(p: Array, q: Array) -> Float64Array:
    p, q = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64))
    return np.asarray(js_terms(np, Pair(p, q, p - q, np.float64(1.0))))


CONVEX = {
    "total_variation": Convex(_variation, 0.5, 0.5),
    "kl_divergence": Convex(_kl, np.inf, 1.0),
    "js_divergence": Convex(_js, 0.5 * LOG_2, 0.5 * LOG_2),
}


def accuracy(law: ContinuousLaw) -> float:
    """The relative error granted to the law's functions."""
    return law.accuracy if isinstance(law, LawOnLine) else ROUNDING


def mass_bounds(
    law: ContinuousLaw, low: Float64Array, high: Float64Array, density: tuple[Array, Array]
) -> tuple[Float64Array, Float64Array]:
    """Lower and upper bounds of the mass of each cell."""
    width = high - low
    with np.errstate(invalid="ignore", over="ignore"):
        least = np.where(density[0] > 0, density[0] * width, 0.0)
        most = np.where(density[1] > 0, density[1] * width, 0.0)
    error = accuracy(law)
    least, most = np.nan_to_num(least * (1.0 - error)), most * (1.0 + error)
    if not (isinstance(law, LawOnLine) and not law.has_cdf):
        first, last = law.cdf(low), law.cdf(high)
        upper_first, upper_last = law.survival(low), law.survival(high)
        lower_half = last <= 0.5
        mass = np.where(lower_half, last - first, upper_first - upper_last)
        size = np.where(lower_half, last, upper_first)
        if isinstance(law, LawOnLine):
            mass, size = last - first, np.maximum(last, 1.0)
        slack = error * size
        least = np.maximum(least, mass - slack)
        most = np.minimum(most, mass + slack)
    least = np.clip(least, 0.0, 1.0)
    return least, np.clip(most, least, 1.0)


def density_bounds(
    law: ContinuousLaw, low: Float64Array, high: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Bounds of the density on each cell, [0, inf] where nothing is known."""
    if isinstance(law, LawOnLine) and not law.has_density:
        nothing = np.zeros_like(low)
        outside = (high <= law.support[0]) | (low >= law.support[1])
        return nothing, np.where(outside, 0.0, np.inf)
    least, most = law.density_bounds(low, high)
    error = accuracy(law)
    return np.asarray(least * (1.0 - error)), np.asarray(most * (1.0 + error))


def cell_bounds(
    divergence: str, p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Lower and upper bounds of the divergence's integral over each cell."""
    f = CONVEX[divergence]
    with np.errstate(all="ignore"):
        p_density, q_density = density_bounds(p, low, high), density_bounds(q, low, high)
        p_mass = mass_bounds(p, low, high, p_density)
        q_mass = mass_bounds(q, low, high, q_density)
        lower = _least(f, p_mass, q_mass)
        upper = _most(f, p_mass, q_mass, p_density, q_density)
    tiny = 1e-15 * np.where(np.isfinite(upper), upper, 0.0)
    return np.maximum(lower - tiny, 0.0), upper + tiny


def _least(f: Convex, p: tuple[Array, Array], q: tuple[Array, Array]) -> Float64Array:
    """The minimum over the box of masses: towards P = Q the function falls."""
    above = np.where(q[0] > p[1], f.spread(p[1], np.maximum(q[0], p[1])), 0.0)
    below = np.where(q[1] < p[0], f.spread(p[0], np.minimum(q[1], p[0])), 0.0)
    return np.maximum(above, below)


def _most(
    f: Convex, p: tuple[Array, Array], q: tuple[Array, Array], p_density: Any, q_density: Any
) -> Float64Array:
    """The chord between the extreme ratios, at the worst corner of the box of masses."""
    ratio_low = np.where(p_density[1] > 0, q_density[0] / p_density[1], 0.0)
    ratio_low = np.where(np.isfinite(ratio_low), ratio_low, 0.0)
    ratio_high = np.where(p_density[0] > 0, q_density[1] / p_density[0], np.inf)
    one = np.ones_like(ratio_low)
    at_low = np.where(ratio_low > 0, f.spread(one, np.where(ratio_low > 0, ratio_low, 1.0)), f.at_zero)
    bounded = np.isfinite(ratio_high) & (ratio_high > ratio_low)
    high = np.where(bounded, ratio_high, ratio_low + 1.0)
    at_high = f.spread(one, high)
    slope = np.where(bounded, (at_high - at_low) / (high - ratio_low), f.at_infinity)
    offset = at_low - slope * ratio_low  # the chord is offset + slope r
    chord = _product(offset, p) + _product(slope, q)
    corners = np.maximum(f.spread(p[0], q[1]), f.spread(p[1], q[0]))
    level = ratio_high == ratio_low
    value = np.where(level, corners, np.maximum(chord, 0.0))
    # Whatever the ratio: at most the two masses, each at the price of a singular part.
    apart = np.where(p[1] > 0, f.at_zero * p[1], 0.0) + f.at_infinity * q[1]
    return np.asarray(np.fmin(value, apart))


def _product(factor: Float64Array, mass: tuple[Array, Array]) -> Float64Array:
    product = factor * np.where(factor > 0, mass[1], mass[0])
    return np.where(mass[1] == 0, 0.0, product)
