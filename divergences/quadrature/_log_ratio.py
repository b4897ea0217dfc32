r"""The logarithm of the ratio of two densities, with its digits where the laws nearly agree.

For two laws of one family it is written in the differences of their parameters; for others it is
the difference of the log-densities.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._special import log1p_excess, mean_digamma
from .._typing import Float64Array
from ..families._affine import AffineOnLine
from ..families._elementary import Exponential, Laplace
from ..families._gamma_beta import Beta, Gamma
from ..families._integer import IntegerLaw, ShiftedInteger
from ..families._line import Points, off_the_graph
from ..families._poisson import Poisson
from ..families._trials import Bernoulli, Binomial, Geometric


def log_ratio(p: Any, q: Any, points: Points) -> Float64Array:
    """The log of p/q at ``points``, in NumPy; NaN where both vanish, inf where only q does."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        special = _CONTINUOUS.get((type(p), type(q)))
        if special is not None:
            return np.asarray(special(p, q, points))
        first = off_the_graph(p).log_density_at(np, points)
        return np.asarray(first - off_the_graph(q).log_density_at(np, points))


def log_mass_ratio(p: IntegerLaw, q: IntegerLaw, k: Float64Array) -> Float64Array:
    """The log of the ratio of masses at integers; NaN where both vanish."""
    if isinstance(p, ShiftedInteger) and isinstance(q, ShiftedInteger) and p.shift == q.shift:
        return log_mass_ratio(p.law, q.law, k - p.shift)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        special = _INTEGER.get((type(p), type(q)))
        value = None if special is None else special(p, q, k)
        if value is None:
            value = off_the_graph(p).log_mass(k) - off_the_graph(q).log_mass(k)
        return np.asarray(value)


def relative(a: float, b: float) -> tuple[float, float]:
    """(a - b)/b and the logarithm of a/b, for positive numbers."""
    r = (a - b) / b
    return r, math.log1p(r) if abs(r) < 0.5 else math.log(a) - math.log(b)


def _gammas(p: Gamma, q: Gamma, points: Points) -> Float64Array:
    """(a1 - a2)(log(r1 x) - mean psi) - [r (r2 x - a2) + a2 (r - log(1 + r))].

    Here r = (r1 - r2)/r2.
    """
    (a1, r1), (a2, r2) = p._numbers(), q._numbers()
    log_x = points.log_above(np, 0.0)
    r, _ = relative(r1, r2)
    excess = log1p_excess(r) if r < 1e300 else r
    value = -(r * (r2 * points.x - a2) + a2 * excess)
    if a1 != a2:
        value = value + (a1 - a2) * (log_x + math.log(r1) - mean_digamma(a1, a2))
    return np.where((points.x < 0) | (points.high <= 0), np.nan, value)


def _exponentials(p: Exponential, q: Exponential, points: Points) -> Float64Array:
    return _gammas(Gamma(1.0, p._numbers()[0]), Gamma(1.0, q._numbers()[0]), points)


def _betas(p: Beta, q: Beta, points: Points) -> Float64Array:
    (a1, b1), (a2, b2) = p._numbers(), q._numbers()
    together = mean_digamma_or_psi(a1 + b1, a2 + b2)
    value = np.zeros_like(points.x)
    if a1 != a2:
        slope = points.log_above(np, 0.0) - mean_digamma(a1, a2) + together
        value = value + (a1 - a2) * slope
    if b1 != b2:
        slope = points.log_below(np, 1.0) - mean_digamma(b1, b2) + together
        value = value + (b1 - b2) * slope
    outside = (points.x < 0) | (points.x > 1) | (points.high <= 0) | (points.low >= 1)
    return np.where(outside, np.nan, value)


def mean_digamma_or_psi(x: float, y: float) -> float:
    """The mean of the digamma function between x and y, which may be equal."""
    if x == y:
        from scipy.special import psi

        return float(psi(x))
    return mean_digamma(x, y)


def _laplaces(p: Laplace, q: Laplace, points: Points) -> Float64Array:
    """|x - m2|/b2 - |x - m1|/b1 + log(b2/b1)."""
    (m1, b1), (m2, b2) = p._numbers(), q._numbers()
    x = points.x
    r, logarithm = relative(b1, b2)
    low, high = min(m1, m2), max(m1, m2)
    sign = 1.0 if m1 > m2 else -1.0
    # |x - m2| - |x - m1|, from exact differences on each side.
    apart = sign * np.where(
        x <= low, low - high, np.where(x >= high, high - low, (x - low) + (x - high))
    )
    return np.asarray(apart / b2 + np.abs(x - m1) / b1 * r - logarithm)


def _affine(p: AffineOnLine, q: AffineOnLine, points: Points) -> Float64Array:
    """Both laws under the same map: the ratio before it."""
    if p._map() == q._map() and (type(p.law), type(q.law)) in _CONTINUOUS:
        return log_ratio(p.law, q.law, p.inner(points))
    first = off_the_graph(p).log_density_at(np, points)
    return np.asarray(first - off_the_graph(q).log_density_at(np, points))


def _poissons(p: Poisson, q: Poisson, k: Float64Array) -> Float64Array:
    """K log(l1/l2) - (l1 - l2) = (k - l2) log(1 + r) - l2 (r - log(1 + r))."""
    first, second = p._numbers()[0], q._numbers()[0]
    r, logarithm = relative(first, second)
    if r > 1e300:
        return k * logarithm - (first - second)
    return (k - second) * logarithm - second * log1p_excess(r)


def _binomials(p: Binomial, q: Binomial, k: Float64Array) -> Float64Array | None:
    if p.count != q.count:
        return None
    first, second = p._numbers()[1], q._numbers()[1]
    if not (0.0 < first < 1.0 and 0.0 < second < 1.0):
        return None
    return np.asarray(k * _log_of(first, second) + (p.count - k) * _log_of_rest(first, second))


def _bernoullis(p: Bernoulli, q: Bernoulli, k: Float64Array) -> Float64Array | None:
    return _binomials(Binomial(1, p._numbers()[0]), Binomial(1, q._numbers()[0]), k)


def _geometrics(p: Geometric, q: Geometric, k: Float64Array) -> Float64Array | None:
    first, second = p._numbers()[0], q._numbers()[0]
    if first == 1.0 or second == 1.0:
        return None
    return _log_of(first, second) + k * _log_of_rest(first, second)


def _log_of(first: float, second: float) -> float:
    return relative(first, second)[1]


def _log_of_rest(first: float, second: float) -> float:
    """log((1 - first)/(1 - second)) from the exact difference."""
    r = (second - first) / (1.0 - second)
    return math.log1p(r) if abs(r) < 0.5 else math.log1p(-first) - math.log1p(-second)


_CONTINUOUS: dict[tuple[type, type], Callable[[Any, Any, Points], Float64Array]] = {
    (Gamma, Gamma): _gammas,
    (Exponential, Exponential): _exponentials,
    (Beta, Beta): _betas,
    (Laplace, Laplace): _laplaces,
    (AffineOnLine, AffineOnLine): _affine,
}
_INTEGER: dict[tuple[type, type], Callable[[Any, Any, Float64Array], Float64Array | None]] = {
    (Poisson, Poisson): _poissons,
    (Binomial, Binomial): _binomials,
    (Bernoulli, Bernoulli): _bernoullis,
    (Geometric, Geometric): _geometrics,
}
