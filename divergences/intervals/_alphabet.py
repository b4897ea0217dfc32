r"""Explicit bounds on a finite alphabet of K values, from the frequencies of two samples.

With P_n and Q_m the empirical laws and s = 1/n + 1/m:

- total variation is convex in the pair, so E TV(P_n, Q_m) >= TV(P, Q), and exceeds it by at most
  sqrt((K - 1) s)/2 (Cauchy and Schwarz); by McDiarmid's inequality TV(P_n, Q_m) is within
  sqrt(s log(1/risk)/2) of its expectation on either side;
- the root of JS is a metric, JS(P_n, P) <= KL(P_n, P)/2 (P in place of the mixture), and KL of an
  empirical law is bounded by Agrawal;
- KL = sum (p log(p/q) - p + q), whose terms are convex and non-negative, so simultaneous exact
  intervals of all p_i and q_i bound every term by its corners.
"""

import math

import numpy as np

from .._typing import Float64Array, IntArray
from ._binary import LOG_2, clopper_pearson_lower, clopper_pearson_upper

Bounds = tuple[float, float]


def frequencies(places: IntArray, size: int) -> Float64Array:
    """The share of each of ``size`` values."""
    return np.bincount(places, minlength=size) / places.size


def total_variation_bounds(
    distance: float, size: int, n: int, m: int, lower_risk: float, upper_risk: float
) -> Bounds:
    """Lower and upper bound around the distance of the frequencies."""
    total = 1.0 / n + 1.0 / m
    bias = 0.5 * math.sqrt((size - 1) * total)
    low = distance - bias - math.sqrt(-0.5 * total * math.log(lower_risk))
    high = distance + math.sqrt(-0.5 * total * math.log(upper_risk))
    return max(low, 0.0), min(high, 1.0) if size > 1 else 0.0


def js_bounds(divergence: float, size: int, n: int, m: int, risk: float) -> Bounds:
    """Lower and upper bound around the JS of the frequencies, together at ``risk``."""
    reach = sum(math.sqrt(0.5 * empirical_kl_radius(count, size, 0.5 * risk)) for count in (n, m))
    root = math.sqrt(divergence)
    return max(root - reach, 0.0) ** 2, min((root + reach) ** 2, LOG_2)


def empirical_kl_radius(count: int, size: int, risk: float) -> float:
    r"""The eps with P(KL(P_n, P) >= eps) <= risk, for any P on ``size`` values.

    .. math:: P(\mathrm{KL}(P_n, P) \ge \epsilon) \le e^{-n \epsilon}
        \left(\frac{e \epsilon n}{K - 1}\right)^{K - 1}, \qquad \epsilon > \frac{K - 1}{n} .

    References
    ----------
    Agrawal, Concentration of the multinomial in Kullback-Leibler divergence near the optimal rate
    (2019), arXiv:1904.02291, theorem 1.2.
    """
    if size == 1:
        return 0.0
    degrees = size - 1
    goal = -math.log(risk)
    low, high = 1.0, 2.0  # of the ratio n eps/(K - 1): degrees (ratio - 1 - log ratio) >= goal
    while degrees * (high - 1.0 - math.log(high)) < goal:
        high *= 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if degrees * (middle - 1.0 - math.log(middle)) < goal:
            low = middle
        else:
            high = middle
    return high * degrees / count


def kl_bounds(p_places: IntArray, q_places: IntArray, size: int, risk: float) -> Bounds:
    """Lower and upper bound of KL(P, Q), together at ``risk``; upper is inf if Q may miss a value.

    Cost: O(K).
    """
    if size == 1:
        return 0.0, 0.0
    share = risk / (4 * size)
    (p_low, p_high), (q_low, q_high) = (
        (
            np.asarray(clopper_pearson_lower(counts, places.size, share)),
            np.asarray(clopper_pearson_upper(counts, places.size, share)),
        )
        for places in (p_places, q_places)
        for counts in [np.bincount(places, minlength=size)]
    )
    most = np.max([_term(p, q) for p in (p_low, p_high) for q in (q_low, q_high)], axis=0)
    least = np.where(p_low > q_high, _term(p_low, q_high), 0.0)
    least += np.where(p_high < q_low, _term(p_high, q_low), 0.0)
    return max(float(least.sum()), 0.0), float(most.sum())


def _term(p: Float64Array, q: Float64Array) -> Float64Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        product = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return np.asarray(product - p + q)
