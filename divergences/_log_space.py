r"""Total variation, KL and JS of laws given by unnormalised logarithms, never leaving log space.

Of logits x, y with maxima :math:`m_x, m_y` the difference of log-probabilities is

.. math:: l_i = w_i - D, \qquad w_i = (x_i - y_i) - (m_x - m_y), \qquad
          D = \log \frac{S_x}{S_y} = 2 \operatorname{artanh} \frac{S_x - S_y}{S_x + S_y},
          \qquad S_x = \sum_i e^{x_i - m_x},

w with its rounding errors put back, and :math:`S_x - S_y` summed from differences taken through
``expm1`` where w is small, so that close logits lose no digits. With :math:`t = \tanh(l/2)` the
terms are those of ``_vector_terms``. A probability that underflows beside a finite logit still
counts with its logarithm. Float64 arrays with the support on the last axis; -inf is probability 0.
"""

import math
import sys
from typing import NamedTuple

from ._array import attach, detach, tracks_derivatives, values_are_readable
from ._summation import exact_sum, two_sum
from ._typing import Array, Namespace
from ._vector_terms import (
    KL,
    LOG_2,
    NEAR_TERMS,
    SERIES_RADIUS,
    TOTAL_VARIATION,
)

LARGEST = sys.float_info.max
HUGE = 1e290  # sizes of largest logits whose differences may leave the floats


class LogPair(NamedTuple):
    """Probabilities p and q, the logarithm of their quotient, and where each is 0 by -inf."""

    p: Array
    q: Array
    log_quotient: Array
    p_empty: Array
    q_empty: Array


def _in_range(xp: Namespace, logits: Array) -> Array:
    """Logits of a law whose largest is huge, less that one: differences of laws stay finite.

    What is below it by more than the largest float has probability 0.
    """
    top = xp.max(logits, axis=-1, keepdims=True)
    huge = xp.abs(top) > HUGE
    if values_are_readable(top) and not bool(xp.any(huge)):
        return logits
    half = 0.5 * logits - 0.5 * top
    below = xp.where(half < -0.5 * LARGEST, -math.inf, 2.0 * xp.clip(half, -0.5 * LARGEST, 0.0))
    return xp.where(huge, below, logits)


def log_pair(xp: Namespace, x: Array, y: Array) -> LogPair:
    """Probabilities and log-quotients of logits."""
    p_empty, q_empty = xp.isinf(x), xp.isinf(y)
    both = ~p_empty & ~q_empty
    x_top, y_top = (xp.max(logits, axis=-1, keepdims=True) for logits in (x, y))
    zero = xp.zeros_like(x)
    first = xp.where(both, x, zero), xp.where(both, y, zero)
    high, low = two_sum(first[0], -first[1])
    shift, shift_low = two_sum(x_top, -y_top)
    high, rest = two_sum(high, -shift)
    w = xp.where(both, high + (rest + (low - shift_low)), zero)
    p_weight, q_weight = _weights(xp, x, x_top, p_empty), _weights(xp, y, y_top, q_empty)
    p_mass, q_mass = (xp.sum(weight, axis=-1, keepdims=True) for weight in (p_weight, q_weight))
    similar = both & (xp.abs(w) <= 1.0)
    growth = xp.where(similar, _apart(xp, p_weight, q_weight, w), p_weight - q_weight)
    ratio = xp.sum(growth, axis=-1, keepdims=True) / (p_mass + q_mass)
    close = xp.abs(ratio) < 0.5
    near = 2.0 * xp.atanh(xp.where(close, ratio, 0.0))
    difference = xp.where(close, near, xp.log(p_mass) - xp.log(q_mass))
    quotient = xp.where(both, w - difference, zero)
    return LogPair(p_weight / p_mass, q_weight / q_mass, quotient, p_empty, q_empty)


def _weights(xp: Namespace, logits: Array, top: Array, empty: Array) -> Array:
    """exp(logits - top), the rounding of the difference put back."""
    high, low = two_sum(xp.where(empty, top, logits), -top)
    return xp.where(empty, 0.0, xp.exp(high) * (1.0 + low))


def _apart(xp: Namespace, p: Array, q: Array, log_quotient: Array) -> Array:
    """P - q from the larger of the two, so that a swap changes the sign only."""
    larger = xp.where(log_quotient > 0, p, -q)
    return -larger * xp.expm1(-xp.abs(log_quotient))


def _terms(xp: Namespace, divergence: str, pair: LogPair) -> Array:
    p, q, quotient, p_empty, q_empty = pair
    both = ~p_empty & ~q_empty
    total = p + q
    t = xp.tanh(0.5 * quotient)
    near = both & (xp.abs(t) < SERIES_RADIUS)
    difference = xp.where(near, _apart(xp, p, q, quotient), p - q)
    if divergence == TOTAL_VARIATION:
        return 0.5 * xp.abs(difference)
    t = xp.where(near, t, xp.zeros_like(t))
    near_terms = NEAR_TERMS[divergence](xp, difference, total, t, t * t)
    if divergence == KL:
        far = xp.where(both, p * quotient - difference, q)
        far = xp.where(q_empty & ~p_empty, math.inf, far)
    else:
        # log(p/m) = log 2 - log1p(q/p), and so for q
        far = LOG_2 * total - (p * _softplus(xp, -quotient) + q * _softplus(xp, quotient))
        far = 0.5 * xp.where(both, far, LOG_2 * total)
    return xp.where(near, near_terms, far)


def _softplus(xp: Namespace, value: Array) -> Array:
    """log(1 + exp(value))."""
    return xp.where(value > 0, value, 0.0) + xp.log1p(xp.exp(-xp.abs(value)))


def of_logits(divergence: str, xp: Namespace, x: Array, y: Array) -> Array:
    """Total variation, KL or JS of the laws with logits x and y."""
    x, y = xp.broadcast_arrays(x, y)
    first, second = _in_range(xp, detach(x)), _in_range(xp, detach(y))
    pair = log_pair(xp, first, second)
    terms = _terms(xp, divergence, pair)
    singular = xp.any(xp.isinf(terms), axis=-1)
    finite = exact_sum(xp, xp.where(singular[..., None], 0.0, terms))[0]
    value = xp.where(singular, math.inf, finite)
    if divergence != KL:
        cap = 1.0 if divergence == TOTAL_VARIATION else LOG_2
        disjoint = xp.all(pair.p_empty | pair.q_empty, axis=-1)
        value = xp.where(disjoint, cap, xp.clip(value, 0.0, cap))
    if not tracks_derivatives(x, y):
        return value
    return attach(value, _surrogate(xp, divergence, (x, y), pair, singular))


def _surrogate(
    xp: Namespace, divergence: str, logits: tuple[Array, Array], pair: LogPair, singular: Array
) -> Array:
    r"""The change of the divergence with the logits, a function that is 0 here, to differentiate.

    With :math:`p_i = \bar p_i (1 + \alpha_i), q_i = \bar q_i (1 + \beta_i)`, the bars off the
    graph, it is a linear part, whose coefficients are accurate, and a remainder whose first
    derivatives are 0 to the bit: nothing is lost where a probability is nearly 1. As
    :math:`\sum \bar p \alpha = 0`, coefficients are taken less that of the largest probability.
    No NaN at -inf; 0 where the value is inf.
    """
    p, q, quotient, *empty = pair
    off = singular[..., None]
    alpha, beta = (
        _growth(xp, mass, xp.where(none | off, xp.zeros_like(mass), vector))
        for mass, none, vector in zip((p, q), empty, logits, strict=True)
    )
    both = ~empty[0] & ~empty[1]
    near = both & (xp.abs(quotient) <= 1.0)
    difference = xp.where(near, _apart(xp, p, q, quotient), p - q)
    if divergence == TOTAL_VARIATION:
        sign = difference.sign()
        parts = _centred(xp, sign, p) * p * alpha - _centred(xp, sign, q) * q * beta
        return 0.5 * xp.sum(parts, axis=-1)
    if divergence == KL:
        # Where p underflows, quotients of huge logits may differ by more than the largest float.
        slope = _centred(xp, xp.where(p > 0, quotient, 0.0), p)
        linear = slope * p * alpha - difference * beta
        rest = 1.0 * beta  # a node of its own: see _entropy
        bent = _entropy(xp, alpha) + ((rest - xp.log1p(rest)) - alpha * xp.log1p(rest))
        return xp.sum(linear + p * bent, axis=-1)
    middle = 0.5 * (p + q)
    middle = xp.where(middle > 0, middle, 1.0)
    gamma = 0.5 * (p * alpha + q * beta) / middle
    of_p, of_q = (
        _centred(xp, xp.where(both, _to_the_middle(xp, log_ratio), LOG_2), mass) * mass
        for log_ratio, mass in ((quotient, p), (-quotient, q))
    )
    bent = p * _entropy(xp, alpha) + q * _entropy(xp, beta)
    half = of_p * alpha + of_q * beta + bent
    return xp.sum(0.5 * half - middle * _entropy(xp, gamma), axis=-1)


def _to_the_middle(xp: Namespace, quotient: Array) -> Array:
    """log(p/m) for the mean m of p and q, from log(p/q)."""
    near = xp.abs(quotient) <= 1.0
    small = -xp.log1p(0.5 * xp.expm1(-xp.where(near, quotient, 0.0)))
    return xp.where(near, small, LOG_2 - _softplus(xp, -quotient))


def _growth(xp: Namespace, mass: Array, logits: Array) -> Array:
    """By what share the probabilities grow with the logits: 0, with derivatives."""
    change = xp.expm1(logits - detach(logits))
    total = xp.sum(mass * change, axis=-1, keepdims=True)
    return (change - total) / (1.0 + total)


def _entropy(xp: Namespace, share: Array) -> Array:
    """(1 + a) log(1 + a) - a, whose first derivative at 0 is 0 to the bit.

    Its parts cancel in a node of their own, before any other derivative is added to them.
    """
    share = 1.0 * share
    return (1.0 + share) * xp.log1p(share) - share


def _centred(xp: Namespace, coefficients: Array, mass: Array) -> Array:
    """Coefficients less that of the largest probability."""
    top = mass == xp.max(mass, axis=-1, keepdims=True)
    first = top & (xp.cumulative_sum(xp.where(top, 1, 0), axis=-1) == 1)
    return coefficients - xp.sum(xp.where(first, coefficients, 0.0), axis=-1, keepdims=True)
