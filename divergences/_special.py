r"""Functions that vanish when two parameters agree, with all of their digits there.

The log-gamma function enters the divergences of gamma and beta laws through its Bregman remainder
and its mean slope; both are integrals of smooth functions of one sign between the parameters:

.. math:: \log\Gamma(y) - \log\Gamma(x) = (y - x) \int_0^1 \psi(x + t (y - x))\, dt, \qquad
    \log\Gamma(y) - \log\Gamma(x) - (y - x) \psi(x) = \int_x^y (y - s)\, \psi'(s)\, ds .
"""

import math
from functools import cache
from typing import Any

import numpy as np

from ._summation import two_product, two_sum
from ._typing import Array, Float64Array
from ._vector_terms import ATANH_SERIES, Pair, kl_terms, series

NODES = 20
STIRLING = (
    1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400,
)  # fmt: skip


@cache
def legendre(count: int = NODES) -> tuple[Float64Array, Float64Array]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    x, w = np.polynomial.legendre.leggauss(count)
    return x, w


def deviance(x: Array, y: Array, difference: Array | None = None) -> Float64Array:
    """The non-negative x log(x/y) - x + y; ``difference`` is x - y where it is known better."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    gap = x - y if difference is None else np.asarray(difference)
    terms = np.asarray(kl_terms(np, Pair(x, y, gap, np.float64(1.0))))
    return np.where((y == 0) & (x > 0), np.inf, terms)


def bernoulli_kl(p: float, q: float, difference: float | None = None) -> float:
    """KL of two Bernoulli laws; ``difference`` is p - q where it is known better."""
    gap = p - q if difference is None else difference
    return float(deviance(p, q, gap)) + float(deviance(1.0 - p, 1.0 - q, -gap))


def product_difference(a: float, b: float, c: float, d: float) -> float:
    """Return a b - c d with one rounding."""
    scale = max(abs(a), abs(b), abs(c), abs(d))
    if not min(abs(a), abs(b), abs(c), abs(d)) > 1e-140 or not scale < 1e140:
        return a * b - c * d
    first, second = two_product(a, b), two_product(c, d)
    high, low = two_sum(first[0], -second[0])
    return float(high + (low + (first[1] - second[1])))


def log1p_excess(r: Array) -> Any:
    """Return r - log(1 + r), elementwise for r > -1; inf at -1, NaN below."""
    r = np.asarray(r, dtype=np.float64)
    near = np.abs(r) < 0.5
    small = np.where(near, r, 0.0)
    w = small / (2.0 + small)
    bent = small * w - 2.0 * w * series(np, ATANH_SERIES, w * w)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(near, bent, r - np.log1p(np.where(near, 1.0, r)))[()]


def mean_digamma(x: float, y: float) -> float:
    """The mean of the digamma function between x and y."""
    from scipy.special import gammaln, psi

    if abs(x - y) > 0.25 * min(x, y):
        return float((gammaln(x) - gammaln(y)) / (x - y))
    nodes, weights = legendre()
    return float(0.5 * np.sum(weights * psi(x + 0.5 * (y - x) * (1.0 + nodes))))


def curvature_remainder(x: float, y: float, difference: float | None = None) -> float:
    r"""The non-negative :math:`\int_x^y (y - s) (\psi'(s) - 1/s)\, ds`, panel by panel.

    ``difference`` is y - x where it is known better than from the rounded x and y.
    """
    gap = y - x if difference is None else difference
    if abs(gap) < 0.25 * min(x, y):
        nodes, weights = legendre()
        t = 0.5 * (1.0 + nodes)
        return gap * gap * float(np.sum(0.5 * weights * (1.0 - t) * trigamma_excess(x + t * gap)))
    low, high = math.log(min(x, y)), math.log(max(x, y))
    count = max(1, math.ceil((high - low) / 0.5))
    edges = np.exp(np.linspace(low, high, count + 1))
    edges[0], edges[-1] = min(x, y), max(x, y)
    nodes, weights = legendre()
    half = 0.5 * np.diff(edges)[:, None]
    offset = edges[:-1, None] - x if x < y else edges[:-1, None] - y  # from the smaller one
    place = offset + half * (1.0 + nodes)
    s = min(x, y) + place
    distance = (y - x) - place if x < y else place
    return float(np.sum(half * weights * distance * trigamma_excess(s)))


def trigamma_excess(s: Float64Array) -> Float64Array:
    """The positive psi'(s) - 1/s."""
    from scipy.special import polygamma

    shifted, total = np.array(s, dtype=np.float64), np.zeros_like(s)
    small = shifted < 10.0
    direct = polygamma(1, np.where(small, shifted, 10.0)) - 1.0 / shifted
    with np.errstate(over="ignore"):
        inverse = 1.0 / np.where(small, 10.0, shifted)
        square = inverse * inverse
        for coefficient in (7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6):
            total = (total + coefficient) * square
        series_value = inverse * (0.5 * inverse + total)
    return np.where(small, direct, series_value)


def stirling_error(k: Array) -> Float64Array:
    r"""The positive :math:`\log\Gamma(k+1) - (k + \tfrac12)\log k + k - \tfrac12\log 2\pi`."""
    from scipy.special import gammaln

    k = np.asarray(k, dtype=np.float64)
    small = k < 16.0
    low = np.where(small, np.maximum(k, 1e-300), 1.0)
    direct = gammaln(low + 1.0) - (low + 0.5) * np.log(low) + low - 0.5 * math.log(2.0 * math.pi)
    inverse = 1.0 / np.where(small, 16.0, k)
    value = np.zeros_like(inverse)
    for coefficient in reversed(STIRLING):
        value = value * inverse * inverse + coefficient
    return np.where(small, direct, value * inverse)
