r"""Confidence bands of a distribution function, of equal local level.

The i-th of n ordered uniform draws has the law Beta(i, n + 1 - i). The band cuts the same
probability ``alpha`` off both tails of every one of them, and ``alpha`` is chosen such that all
constraints hold together with the wanted probability, exactly. Such a band is narrow in the tails,
where one of constant width (Dvoretzky, Kiefer, Wolfowitz, Massart) is not.
"""

import math
from functools import lru_cache

import numpy as np

from .._typing import Float64Array, IntArray
from ._crossing import staying_probability

_ALL = 1000  # up to so many draws every order statistic is constrained
_EDGE = 40  # as many at either end are, however many draws there are
_TINY_RISK = 1e-9  # below it the union bound loses nothing worth the time
_ROUNDING = 1e-12


def band(count: int, risk: float) -> tuple[Float64Array, Float64Array]:
    r"""Bounds of F between the order statistics, shapes (n + 1,): after k of n draws.

    With probability 1 - risk, for all x at once, lower[k] <= F(x) <= upper[k], k being the number
    of draws at most x. Any F, atoms or not: F(x_(k)) >= U_(k) and F(x_(k)-) <= U_(k) in law.

    References
    ----------
    Aldor-Noiman, Brown, Buja, Rolke and Stine, The power to see (2013); Gontscharuk, Landwehr and
    Finner, Goodness of fit tests in terms of local levels (2016).
    """
    ranks, alpha = local_level(count, risk)
    low, high = _quantiles(count, ranks, alpha)
    counts = np.arange(count + 1)
    lower = np.concatenate([[0.0], low])[np.searchsorted(ranks, counts, side="right")]
    upper = np.concatenate([high, [1.0]])[np.searchsorted(ranks, counts + 1, side="left")]
    return np.maximum(lower - _ROUNDING, 0.0), np.minimum(upper + _ROUNDING, 1.0)


@lru_cache(maxsize=1024)
def local_level(count: int, risk: float) -> tuple[IntArray, float]:
    """The constrained ranks, and the largest local level (within .1 %) that keeps the risk.

    Cost: some five crossing probabilities; milliseconds for a hundred draws, .1 s for a thousand,
    seconds for a million. Computed once for each pair of arguments.
    """
    ranks = _ranks(count)
    known = math.log(risk / (2 * ranks.size))  # the union bound: safe
    if risk < _TINY_RISK or count == 1:  # one draw: nothing to unite
        return ranks, math.exp(known)
    beyond, high_excess = math.log(risk / 2), math.inf
    safe_excess = -math.inf
    trial = known + 0.55 * (beyond - known)
    for _ in range(40):
        excess = _excess(count, ranks, math.exp(trial), risk)
        if excess <= 0:
            known, safe_excess = trial, excess
            if excess > -1e-3 or beyond - known < 1e-4:
                break
        else:
            beyond, high_excess = trial, excess
        trial = _next(known, safe_excess, beyond, high_excess)
    return ranks, math.exp(known)


def _next(safe: float, safe_excess: float, beyond: float, high_excess: float) -> float:
    """A secant step that aims a little to the safe side, or a cut of the bracket."""
    if math.isinf(safe_excess):
        return max(safe, beyond - high_excess - 5e-4) if math.isfinite(high_excess) else beyond
    if math.isinf(high_excess):
        return min(beyond, safe - safe_excess - 5e-4)
    slope = (high_excess - safe_excess) / (beyond - safe)
    step = safe - (safe_excess + 5e-4) / slope
    return step if safe < step < beyond else 0.5 * (safe + beyond)


def _excess(count: int, ranks: IntArray, alpha: float, risk: float) -> float:
    """Log of the probability that the band fails, less log of the risk."""
    failing = 1.0 - staying_probability(count, ranks, *_quantiles(count, ranks, alpha))
    return math.log(max(failing, 1e-300) / risk)


def _quantiles(count: int, ranks: IntArray, alpha: float) -> tuple[Float64Array, Float64Array]:
    from scipy.special import betaincinv

    others = count + 1 - ranks
    low = betaincinv(ranks, others, alpha)
    high = 1.0 - betaincinv(others, ranks, alpha)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


def _ranks(count: int) -> IntArray:
    """All ranks, or so many that neighbours differ by about one standard deviation at most."""
    if count <= _ALL:
        return np.arange(1, count + 1)
    number = max(_ALL, int(3 * math.sqrt(count)))
    angles = np.linspace(0.0, 0.5 * math.pi, number)
    inner = np.rint(1 + (count - 1) * np.sin(angles) ** 2).astype(np.int64)
    edge = np.arange(1, _EDGE + 1)
    return np.unique(np.concatenate([edge, inner, count + 1 - edge]))
