r"""The logarithm of the ratio of two masses, with its digits where the laws nearly agree."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._special import bernoulli_kl, log1p_excess
from .._summation import two_product
from .._typing import Float64Array
from ..families._integer import IntegerLaw, ShiftedInteger
from ..families._line import off_the_graph
from ..families._poisson import Poisson
from ..families._trials import Bernoulli, Binomial, Geometric, bernoulli_difference
from ._log_ratio import relative


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
    # With x = k - n q: x (log odds of p less that of q) - n KL(q, p); x from an exact product.
    high, low = two_product(np.float64(p.count), np.float64(second))
    slope = _log_of(first, second) - _log_of_rest(first, second)
    return np.asarray(((k - high) - low) * slope - p.count * bernoulli_kl(second, first))


def _bernoullis(p: Bernoulli, q: Bernoulli, k: Float64Array) -> Float64Array | None:
    first, second = (off_the_graph(law).masses(k) for law in (p, q))
    if min(*first, *second) <= 0.0:
        return None
    move = float(bernoulli_difference(np, first, second))
    return np.where(
        k > 0, _log_moved(first[0], second[0], move), _log_moved(first[1], second[1], -move)
    )


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


def _log_moved(first: float, second: float, difference: float) -> float:
    """Log(first/second) from their exact difference."""
    r = difference / second
    return math.log1p(r) if abs(r) < 0.5 else math.log(first) - math.log(second)


_INTEGER: dict[tuple[type, type], Callable[[Any, Any, Float64Array], Float64Array | None]] = {
    (Poisson, Poisson): _poissons,
    (Binomial, Binomial): _binomials,
    (Bernoulli, Bernoulli): _bernoullis,
    (Geometric, Geometric): _geometrics,
}
