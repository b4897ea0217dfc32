r"""Tails of gamma and beta laws with large exponents, to the last digits wherever they lie.

Series and continued fractions take a number of terms that grows like :math:`\sqrt a`; SciPy stops
after 2000 and is wrong from a = 10^6 on, five deviations from the mean. Gamma laws go through
Temme's uniform expansion (``gamma_tails``). Of a beta law the tail beyond x, away from the mode, is

.. math:: \int_0^\infty f(x \pm h)\, dh = f(x) \int_0^\infty
          \exp\bigl(\log f(x \pm h) - \log f(x)\bigr)\, dh ,

a smooth integral in units of the length on which the exponent falls by about 1; the exponent is,
with :math:`e(r) = r - \log(1 + r)`,

.. math:: h\,\frac{(a - 1)(1 - x) - (b - 1) x}{x (1 - x)} - (a - 1)\, e\Bigl(\frac hx\Bigr)
          - (b - 1)\, e\Bigl(\frac{-h}{1 - x}\Bigr) .
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np

from .._special import deviance, legendre, log1p_excess, stirling_error
from .._summation import two_product, two_sum
from .._typing import Array, ArrayLike, Float64Array

# Panels of the integral, in units of a length on which the exponent falls by 1 or more.
PANELS = (0.0, 4.0, 8.0, 16.0, 42.0)
MOST_AT_ONCE = 256  # places whose panels are in cache together
# Shapes and exponents from which the functions here are used, and more accurate than SciPy's.
LEAST_SHAPE = 1e4
LEAST_EXPONENT = 1e4
FARTHEST_ETA = 0.5  # where tails of such shapes underflow
TERMS = (18, 14, 10, 6)  # of the Taylor series: for eta up to FARTHEST_ETA
GAMMA_STAR = (Fraction(1), Fraction(1, 12), Fraction(1, 288), Fraction(-139, 51840))
TINY = 1e-300
STEPS = 10  # of Newton's method, of which each doubles the digits


@cache
def _rule() -> tuple[Float64Array, Float64Array]:
    nodes, weights = legendre()
    edges = np.array(PANELS)
    half = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half * (1.0 + nodes)).ravel(), (half * weights).ravel()


def gamma_log_density(shape: Array, high: Array, low: Array = 0.0) -> Float64Array:
    """The log-density of the gamma law of rate 1 at ``high + low``, times that place."""
    away = deviance(shape, high, (shape - high) - low)
    return np.asarray(-away - stirling_error(shape) + 0.5 * np.log(shape / (2.0 * math.pi)))


def beta_log_density(alpha: Array, beta: Array, x: Array, rest: Array, low: Array = 0.0) -> Array:
    """The log-density of the beta law at x, times x (1 - x), where 1 - x is ``rest + low``."""
    total = alpha + beta
    constant = stirling_error(total) - stirling_error(alpha) - stirling_error(beta)
    constant = constant + 0.5 * np.log(alpha / total * beta / (2.0 * math.pi))
    gap = weighted_difference(alpha, rest, beta, x) + alpha * low
    return constant - deviance(alpha, total * x, gap) - deviance(beta, total * rest, -gap)


def complement(x: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return 1 - x as a pair of a rounded number and what is left of it."""
    return two_sum(np.ones_like(x), -x)


def weighted_difference(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return a b - c d with about one rounding, for numbers below 1e140."""
    first, second = two_product(a, b), two_product(c, d)
    high, low = two_sum(first[0], -second[0])
    return high + (low + (first[1] - second[1]))


@cache
def _temme() -> tuple[tuple[float, ...], ...]:
    """Taylor coefficients in eta of the first functions C_k, highest power first.

    Of mu = x/a - 1 = eta + eta^2/3 + ..., C_0 = 1/mu - 1/eta and C_k = C_(k-1)'/eta +
    (-1)^k g_k/mu, with g_k the coefficients of Stirling's series; the poles cancel.
    """
    count = max(TERMS) + 2 * len(TERMS) + 2
    alpha = [Fraction(0), Fraction(1), Fraction(1, 3)]
    for k in range(3, count + 2):
        product = sum(j * alpha[j] * alpha[k + 1 - j] for j in range(2, k))
        alpha.append((alpha[k - 1] - product) / (k + 1))
    inverse = [Fraction(1)]  # of mu/eta
    for k in range(1, count):
        inverse.append(-sum((alpha[j + 1] * inverse[k - j] for j in range(1, k + 1)), Fraction(0)))
    table, last = [], inverse[1:]
    for k, stirling in enumerate(GAMMA_STAR):
        if k:
            last = [
                (n + 2) * last[n + 2] + (-1) ** k * stirling * inverse[n + 1]
                for n in range(len(last) - 2)
            ]
        table.append(tuple(float(c) for c in last[: TERMS[k]][::-1]))
    return tuple(table)


def gamma_tails(shape: Array, high: Array, low: Array = 0.0) -> tuple[Float64Array, Float64Array]:
    r"""P(X <= x) and P(X > x) of the gamma law of rate 1 at x = ``high + low``.

    Elementwise for shapes of at least LEAST_SHAPE, to about 1e-15 times one plus the tail's
    exponent, by Temme's uniform expansion (SIAM J. Math. Anal. 10, 1979): with
    :math:`\tfrac12 a \eta^2 = d(a, x)`, the deviance, and the sign of x - a for that of eta,

    .. math:: P(X > x) = \tfrac12 \operatorname{erfc}(\eta \sqrt{a/2})
              + \frac{e^{-a \eta^2/2}}{\sqrt{2 \pi a}} \sum_k C_k(\eta)\, a^{-k} .
    """
    from scipy.special import erfcx

    shape, high = (np.asarray(v, dtype=np.float64) for v in (shape, high))
    gap = (shape - high) - low
    away = deviance(shape, np.maximum(high, TINY), gap)
    upper = gap <= 0.0
    eta = np.minimum(np.sqrt(2.0 * away / shape), FARTHEST_ETA) * np.where(upper, 1.0, -1.0)
    total = np.zeros_like(eta)
    for coefficients in _temme()[::-1]:
        value = np.zeros_like(eta)
        for coefficient in coefficients:
            value = value * eta + coefficient
        total = total / shape + value
    rest = total / np.sqrt(2.0 * math.pi * shape)
    tail = np.exp(-away) * (0.5 * erfcx(np.sqrt(away)) + np.where(upper, rest, -rest))
    return np.where(upper, 1.0 - tail, tail), np.where(upper, tail, 1.0 - tail)


def beta_tails(
    alpha: Array, beta: Array, x: Array, rest: Array, low: Array = 0.0
) -> tuple[Float64Array, Float64Array]:
    """P(X <= x) and P(X > x) of the beta law at x, where 1 - x is ``rest + low``.

    Elementwise for exponents of at least LEAST_EXPONENT, to about 1e-15 times one plus the tail's
    exponent.
    """
    arrays = (np.asarray(v, dtype=np.float64) for v in (alpha, beta, x, rest, low))
    alpha, beta, x, rest, low = np.broadcast_arrays(*arrays)
    x, rest = np.maximum(x, TINY), np.maximum(rest, TINY)
    slope = weighted_difference(alpha - 1.0, rest, beta - 1.0, x) + (alpha - 1.0) * low
    slope = slope / x / rest
    curvature = np.sqrt(alpha - 1.0) / x + np.sqrt(beta - 1.0) / rest
    width = 1.0 / (np.abs(slope) + curvature)
    top = np.exp(beta_log_density(alpha, beta, x, rest, low)) * (width / x / rest)

    def exponent(rows: slice, h: Float64Array) -> Float64Array:
        a, b, below, above, s = (v.ravel()[rows, None] for v in (alpha, beta, x, rest, slope))
        bent = (a - 1.0) * log1p_excess(h / below) + (b - 1.0) * log1p_excess(-h / above)
        return np.asarray(h * s - bent)

    return _both(slope, top, width, exponent)


def _both(
    slope: Float64Array,
    top: Float64Array,
    width: Float64Array,
    exponent: Callable[[slice, Float64Array], Float64Array],
) -> tuple[Float64Array, Float64Array]:
    """Both tails, the one away from the mode from its integral."""
    nodes, weights = _rule()
    upper = slope <= 0.0
    step = np.where(upper, width, -width).ravel()
    integral = np.empty(step.size)
    with np.errstate(all="ignore"):
        for start in range(0, step.size, MOST_AT_ONCE):
            rows = slice(start, start + MOST_AT_ONCE)
            fall = exponent(rows, step[rows, None] * nodes)
            integral[rows] = np.exp(np.where(np.isnan(fall), -np.inf, fall)) @ weights
    tail = np.minimum(top * integral.reshape(upper.shape), 1.0)
    return np.where(upper, 1.0 - tail, tail), np.where(upper, tail, 1.0 - tail)


def gamma_quantile(shape: float, level: ArrayLike, *, upper: bool) -> Float64Array:
    """The x with P(X <= x) = level (or P(X > x) = level) of the gamma law of rate 1.

    Newton's method on the logarithm of the tail that is at most a half, which is concave: from the
    second step on its steps do not change direction.
    """
    from scipy.special import ndtri

    level = np.asarray(level, dtype=np.float64)
    smaller = np.where(level <= 0.5, level, 1.0 - level)
    above = (level <= 0.5) == upper
    inside = smaller > 0.0
    target = np.where(inside, smaller, 0.5)
    z = ndtri(target) * np.where(above, -1.0, 1.0)
    cube = np.maximum(1.0 - 1.0 / (9.0 * shape) + z / (3.0 * math.sqrt(shape)), 0.1)
    x = shape * cube**3  # Wilson and Hilferty
    for _ in range(STEPS):
        tail = np.maximum(np.where(above, *gamma_tails(shape, x)[::-1]), TINY)
        density = np.maximum(np.exp(gamma_log_density(shape, x)) / x, TINY)
        move = np.log(tail / target) * np.minimum(tail / density, 0.5 * x)
        x = np.maximum(x + np.where(above, move, -move), 0.1 * x)
    return np.where(inside, x, np.where(above, math.inf, 0.0))
