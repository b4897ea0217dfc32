r"""KL of laws of two families, :math:`-H(P) - E_P \log q`, where both terms have closed forms."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._array import erf
from .._typing import Array, Namespace
from ..families._elementary import Exponential, Laplace, Uniform
from ..families._gamma_beta import Beta, Gamma, log_gamma
from ..families._normal import Normal
from ._one_family import digamma, parameters

Scalars = tuple[Array, ...]


def kl_divergence(p: Any, q: Any) -> Array | None:
    """KL of laws of two families; None where an expectation has no closed form."""
    low, high = q.support
    if p.support[0] < low or p.support[1] > high:
        return np.float64(math.inf)
    expected = CROSS[type(q)]
    xp, *values = parameters(p, q)
    count = len(p.parameters())
    first, second = tuple(values[:count]), tuple(values[count:])
    cross = expected(xp, type(p), first, second)
    return None if cross is None else cross - ENTROPY[type(p)](xp, *first)


def _normal_entropy(xp: Namespace, _: Array, std: Array) -> Array:
    return xp.log(std) + 0.5 * math.log(2.0 * math.pi * math.e)


def _gamma_entropy(xp: Namespace, a: Array, r: Array) -> Array:
    return a - xp.log(r) + log_gamma(a) + (1.0 - a) * digamma(a)


def _beta_entropy(_: Namespace, a: Array, b: Array) -> Array:
    constant = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    slopes = (a - 1.0) * digamma(a) + (b - 1.0) * digamma(b)
    return constant - slopes + (a + b - 2.0) * digamma(a + b)


ENTROPY: dict[type, Callable[..., Array]] = {
    Normal: _normal_entropy,
    Laplace: lambda xp, _, b: 1.0 + xp.log(2.0 * b),
    Exponential: lambda xp, r: 1.0 - xp.log(r),
    Gamma: _gamma_entropy,
    Beta: _beta_entropy,
    Uniform: lambda xp, a, b: xp.log(b - a),
}

MOMENTS: dict[type, Callable[..., tuple[Array, Array]]] = {
    Normal: lambda m, s: (m, s * s),
    Laplace: lambda m, b: (m, 2.0 * b * b),
    Exponential: lambda r: (1.0 / r, 1.0 / (r * r)),
    Gamma: lambda a, r: (a / r, a / (r * r)),
    Beta: lambda a, b: (a / (a + b), a * b / ((a + b) * (a + b) * (a + b + 1.0))),
    Uniform: lambda a, b: (a + 0.5 * (b - a), (b - a) * (b - a) / 12.0),
}


def _mean_log(xp: Namespace, kind: type, values: Scalars) -> Array:
    """E log X of a law that is not exponential: gamma laws have a formula of their own."""
    if kind is Gamma:
        return digamma(values[0]) - xp.log(values[1])
    if kind is Beta:
        return digamma(values[0]) - digamma(values[0] + values[1])
    return _uniform_mean_log(xp, *values)


def _uniform_mean_log(xp: Namespace, low: Array, high: Array) -> Array:
    ends = []
    for end in (low, high):
        inside = end > 0
        ends.append(xp.where(inside, end * xp.log(xp.where(inside, end, 1.0)), 0.0 * end))
    return (ends[1] - ends[0]) / (high - low) - 1.0


def _under_normal(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array:
    mean, variance = MOMENTS[kind](*first)
    m, s = second
    scaled = (variance / s + (mean - m) * ((mean - m) / s)) / s
    return xp.log(s) + 0.5 * math.log(2.0 * math.pi) + 0.5 * scaled


def _under_laplace(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array | None:
    location, scale = second
    if kind is Normal:
        z = (first[0] - location) / first[1]
        bell = math.sqrt(2.0 / math.pi) * xp.exp(-0.5 * z * z)
        away = first[1] * (bell + z * erf(z / math.sqrt(2.0)))
    elif kind is Exponential:
        inside = location > 0
        kept = xp.where(inside, location, 0.0 * location)
        over = location + (2.0 * xp.exp(-first[0] * kept) - 1.0) / first[0]
        away = xp.where(inside, over, 1.0 / first[0] - location)
    elif kind is Uniform:
        low, high = first[0] - location, first[1] - location
        width = first[1] - first[0]
        over = 0.5 * (high * (high / width) + low * (low / width))
        away = xp.where(low * high < 0, over, 0.5 * xp.abs(low + high))
    else:
        return None
    return xp.log(2.0 * scale) + away / scale


def _under_exponential(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array:
    return second[0] * MOMENTS[kind](*first)[0] - xp.log(second[0])


def _under_gamma(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array:
    a, r = second
    away = r * MOMENTS[kind](*first)[0] - (a - 1.0) * _mean_log(xp, kind, first)
    return away + log_gamma(a) - a * xp.log(r)


def _under_beta(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array:
    del kind  # uniform: beta laws have a formula of their own, and no other lies in [0, 1]
    a, b = second
    constant = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    rest = _uniform_mean_log(xp, 1.0 - first[1], 1.0 - first[0])
    return constant - (a - 1.0) * _uniform_mean_log(xp, *first) - (b - 1.0) * rest


def _under_uniform(xp: Namespace, kind: type, first: Scalars, second: Scalars) -> Array:
    del kind, first
    return xp.log(second[1] - second[0])


CROSS: dict[type, Callable[[Namespace, type, Scalars, Scalars], Array | None]] = {
    Normal: _under_normal,
    Laplace: _under_laplace,
    Exponential: _under_exponential,
    Gamma: _under_gamma,
    Beta: _under_beta,
    Uniform: _under_uniform,
}
