r"""The logarithm of the ratio of two masses, with its digits where the laws nearly agree."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._special import deviance, log1p_excess
from .._typing import Float64Array
from ..families._integer import IntegerLaw, ShiftedInteger
from ..families._line import off_the_graph
from ..families._poisson import Poisson
from ..families._shares import bernoulli_difference
from ..families._trials import Bernoulli, Binomial, Geometric, trials_away
from ._log_ratio import relative

MOST_STEPS = 64  # of one trial each, by which the numbers of trials may differ


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
        return np.asarray(k * logarithm - (first - second))
    excess = log1p_excess(r) if abs(r) < 0.5 else r - logarithm  # near -1, 1 + r has no digits
    return np.asarray((k - second) * logarithm - second * excess)


def _binomials(p: Binomial, q: Binomial, k: Float64Array) -> Float64Array | None:
    first, second = p._two(), q._two()
    if min(*first, *second) <= 0.0 or abs(p.count - q.count) > MOST_STEPS:
        return None
    if p.count > q.count:
        fewer = _binomials(q, p, k)
        return None if fewer is None else -fewer
    value = _of_equal_counts(p.count, first, second, k)
    if p.count == q.count:
        return value
    # One trial more: C(n, k)/C(n + 1, k) = 1 - k/(n + 1), over 1 - q is 1 + x.
    for count in range(p.count + 1, q.count + 1):
        away = trials_away(k, count - k, float(count), *second)
        value = value + np.log1p(-away / (count * second[1]))
    value = np.where(k > p.count, -math.inf, value)
    return np.where(k > q.count, math.nan, value)


def _of_equal_counts(
    count: int, first: tuple[float, float], second: tuple[float, float], k: Float64Array
) -> Float64Array:
    """With x = k - n q: x (log odds of p less that of q) - n KL(q, p)."""
    logs, move = _log_ratios(first, second)
    away = trials_away(k, count - k, float(count), *second)
    kl = deviance(second[0], first[0], -move) + deviance(second[1], first[1], move)
    return np.asarray(away * (logs[0] - logs[1]) - count * kl)


def _bernoullis(p: Bernoulli, q: Bernoulli, k: Float64Array) -> Float64Array | None:
    first, second = p._two(), q._two()
    if min(*first, *second) <= 0.0:
        return None
    return np.where(k > 0, *_log_ratios(first, second)[0])


def _geometrics(p: Geometric, q: Geometric, k: Float64Array) -> Float64Array | None:
    first, second = p._two(), q._two()
    if min(*first, *second) <= 0.0:
        return None
    success, failure = _log_ratios(first, second)[0]
    return success + k * failure


def _log_ratios(
    first: tuple[float, float], second: tuple[float, float]
) -> tuple[tuple[float, float], float]:
    """Logs of the ratios of both probabilities of a trial, and the difference of the first."""
    move = float(bernoulli_difference(np, first, second))
    logs = _log_moved(first[0], second[0], move), _log_moved(first[1], second[1], -move)
    return logs, move


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
