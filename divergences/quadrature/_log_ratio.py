r"""The logarithm of the ratio of two densities, with its digits where the laws nearly agree.

For two laws of one family, under one or two affine maps, it is written in the differences of their
parameters. Of two mixtures, whose components f_i, g_i with weights w_i, v_i are paired, it is

.. math:: \log\frac pq = \log\Bigl(1 + \sum_i \frac{v_i g_i}{q}
    \Bigl(\frac{w_i f_i}{v_i g_i} - 1\Bigr)\Bigr),

in the log-ratios of the components; for others it is the difference of the log-densities.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._special import log1p_excess, mean_digamma
from .._typing import Float64Array
from ..families._affine import AffineOnLine
from ..families._elementary import Exponential, Laplace, Uniform
from ..families._gamma_beta import Beta, Gamma
from ..families._line import Points, off_the_graph
from ..families._mixture import Mixture
from ..families._normal import Normal
from ._matching import matched

NEAR = 0.5


def log_ratio(p: Any, q: Any, points: Points) -> Float64Array:
    """The log of p/q at ``points``, in NumPy; NaN where both vanish, inf where only q does."""
    with np.errstate(all="ignore"):
        special = _CONTINUOUS.get((type(p), type(q)))
        if special is None and Mixture in (type(p), type(q)):
            special = _mixtures
        if special is None and AffineOnLine in (type(p), type(q)):
            special = _affine
        return np.asarray((special or _plain)(p, q, points))


def _plain(p: Any, q: Any, points: Points) -> Float64Array:
    first = off_the_graph(p).log_density_at(np, points)
    return np.asarray(first - off_the_graph(q).log_density_at(np, points))


def relative(a: float, b: float) -> tuple[float, float]:
    """(a - b)/b and the logarithm of a/b, for positive numbers."""
    r = (a - b) / b
    return r, math.log1p(r) if abs(r) < 0.5 else math.log(a) - math.log(b)


def _normals(p: Normal, q: Normal, points: Points) -> Float64Array:
    """(a + r u)((2 + r) u + a)/2 - log(1 + r) in the first law's coordinate u."""
    (m1, s1), (m2, s2) = p._numbers(), q._numbers()
    r, logarithm = relative(s1, s2)
    a, u = (m1 - m2) / s2, (points.x - m1) / s1
    value = 0.5 * (a + r * u) * ((2.0 + r) * u + a) - logarithm
    return np.where(np.isfinite(value), value, _plain(p, q, points))


def _uniforms(p: Uniform, q: Uniform, points: Points) -> Float64Array:
    """The log of the ratio of the lengths, inside both supports."""
    (a, b), (c, d) = p._numbers(), q._numbers()
    grow = ((d - b) + (a - c)) / (b - a)
    inside = math.log1p(grow) if abs(grow) < 0.5 else math.log(d - c) - math.log(b - a)
    value = _plain(p, q, points)
    return np.where(np.isfinite(value), inside, value)


def _gammas(p: Any, q: Any, points: Points) -> Float64Array:
    """(a1 - a2)(log(r1 x) - mean psi) - [r (r2 x - a2) + a2 (r - log(1 + r))].

    Here r = (r1 - r2)/r2.
    """
    (a1, r1), (a2, r2) = _shape_and_rate(p), _shape_and_rate(q)
    log_x = points.log_above(np, 0.0)
    r, logarithm = relative(r1, r2)
    excess = log1p_excess(r) if abs(r) < NEAR else r - logarithm
    value = -(r * (r2 * points.x - a2) + a2 * excess)
    if a1 != a2:
        value = value + (a1 - a2) * (log_x + math.log(r1) - mean_digamma(a1, a2))
    return np.where((points.x < 0) | (points.high <= 0), np.nan, value)


def _shape_and_rate(law: Any) -> tuple[float, float]:
    numbers = law._numbers()
    return (1.0, numbers[0]) if isinstance(law, Exponential) else (numbers[0], numbers[1])


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


def _affine(p: Any, q: Any, points: Points) -> Float64Array:
    """Log P(y1) - log Q(y1), the increment of log Q from y2 to y1, and log of s2/s1."""
    (first, s1, t1), (second, s2, t2) = _parts(p), _parts(q)
    increment = next((f for kinds, f in _INCREMENTS if {type(first), type(second)} <= kinds), None)
    if increment is None or s1 * s2 < 0:
        return _plain(p, q, points)
    before = p.inner(points) if isinstance(p, AffineOnLine) else points
    value = log_ratio(first, second, before)
    if (s1, t1) == (s2, t2):
        return value
    other = q.inner(points) if isinstance(q, AffineOnLine) else points
    stretch = (s2 - s1) / s1, relative(abs(s2), abs(s1))[1]
    moved = increment(second, before, other, (t2 - t1) / s1, stretch) + stretch[1]
    direct = _plain(p, q, points)
    return np.where(np.isfinite(direct), value + moved, direct)


def _parts(law: Any) -> tuple[Any, float, float]:
    return (law.law, *law._map()) if isinstance(law, AffineOnLine) else (law, 1.0, 0.0)


def _log_growth(
    step: Float64Array, from_: Float64Array, to: Float64Array, stretch: float
) -> Float64Array:
    """The increment of the log of a distance; ``step`` is its relative one before stretching."""
    near = np.asarray(np.abs(step) < NEAR)
    small = np.where(near, step, 0.0)
    return np.where(near, np.log1p(small) + stretch, to - from_)


def _gamma_increment(
    law: Any, to: Points, from_: Points, shift: float, stretch: tuple[float, float]
) -> Float64Array:
    """(a - 1) log(y1/y2) - r (y1 - y2), where y1 - y2 = shift + y2 (s2 - s1)/s1."""
    shape, rate = _shape_and_rate(law)
    value = -rate * (shift + from_.x * stretch[0])
    if shape == 1.0:
        return np.asarray(value)
    logs = from_.log_above(np, 0.0), to.log_above(np, 0.0)
    step = shift * np.exp(-logs[0] - stretch[1])
    return np.asarray(value + (shape - 1.0) * _log_growth(step, *logs, stretch[1]))


def _beta_increment(
    law: Beta, to: Points, from_: Points, shift: float, stretch: tuple[float, float]
) -> Float64Array:
    """(a - 1) log(y1/y2) + (b - 1) log((1 - y1)/(1 - y2))."""
    alpha, beta = law._numbers()
    value: Float64Array = np.zeros(from_.x.shape)
    moves = (alpha, shift, "log_above", 0.0), (beta, -(shift + stretch[0]), "log_below", 1.0)
    for power, move, name, end in moves:
        if power != 1.0:
            logs = getattr(from_, name)(np, end), getattr(to, name)(np, end)
            step = move * np.exp(-logs[0] - stretch[1])
            value = value + (power - 1.0) * _log_growth(step, *logs, stretch[1])
    return value


_INCREMENTS: tuple[tuple[set[type], Callable[..., Float64Array]], ...] = (
    ({Gamma, Exponential}, _gamma_increment),
    ({Beta}, _beta_increment),
)


def _mixtures(p: Any, q: Any, points: Points) -> Float64Array:
    p, q = off_the_graph(p), off_the_graph(q)
    log_p, log_q = p.log_density_at(np, points), q.log_density_at(np, points)
    change = np.zeros_like(points.x)
    for first, second, growth in matched(p, q):
        shares = [np.zeros_like(points.x)] * 2
        for side, term in enumerate((first, second)):
            if term is not None:
                shares[side] = np.exp(
                    math.log(term[0]) + term[1].log_density_at(np, points) - log_q
                )
        step = shares[0] - shares[1]
        if first is not None and second is not None:
            ratio = log_ratio(first[1], second[1], points) + growth
            step = np.where(np.abs(ratio) < 1.0, shares[1] * np.expm1(ratio), step)
        change = change + step
    direct = np.asarray(log_p - log_q)
    return np.where(np.abs(direct) < NEAR, np.log1p(change), direct)


_CONTINUOUS: dict[tuple[type, type], Callable[[Any, Any, Points], Float64Array]] = {
    (Normal, Normal): _normals,
    (Uniform, Uniform): _uniforms,
    **{
        (first, second): _gammas
        for first in (Gamma, Exponential)
        for second in (Gamma, Exponential)
    },
    (Beta, Beta): _betas,
    (Laplace, Laplace): _laplaces,
}
