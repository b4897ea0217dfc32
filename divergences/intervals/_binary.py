"""Divergences of two Bernoulli laws, their least values, and exact bounds of a frequency."""

import math
from typing import Any

import numpy as np

from .._typing import Float64Array

LOG_2 = math.log(2.0)


def total_variation(p: Any, q: Any) -> Any:
    """|p - q|, elementwise."""
    return np.abs(np.subtract(p, q))


def kl(p: Any, q: Any) -> Any:
    """KL of Bernoulli(p) from Bernoulli(q), in nats, elementwise."""
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    return np.maximum(_term(p, q) + _term(1.0 - p, 1.0 - q), 0.0)


def reversed_kl(p: Any, q: Any) -> Any:
    """KL of Bernoulli(q) from Bernoulli(p)."""
    return kl(q, p)


def js(p: Any, q: Any) -> Any:
    """Jensen-Shannon of Bernoulli(p) and Bernoulli(q), in nats, elementwise."""
    middle = 0.5 * np.add(p, q)
    return np.minimum(0.5 * (kl(p, middle) + kl(q, middle)), LOG_2)


def _term(p: Float64Array, q: Float64Array) -> Float64Array:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)


def clopper_pearson_lower(successes: Any, trials: int, risk: float) -> Any:
    """The largest chance below which so many successes have probability at most ``risk``."""
    from scipy.special import betaincinv

    hits = np.asarray(successes, dtype=np.float64)
    bound = betaincinv(np.maximum(hits, 1.0), trials - hits + 1.0, risk)
    return np.where(hits > 0, bound * (1.0 - 1e-12), 0.0)


def clopper_pearson_upper(successes: Any, trials: int, risk: float) -> Any:
    """The same from above."""
    return 1.0 - clopper_pearson_lower(trials - np.asarray(successes), trials, risk)
