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
from typing import NamedTuple

from ._array import attach, detach, tracks_derivatives
from ._summation import exact_sum, two_sum
from ._typing import Array, Namespace
from ._vector_terms import (
    KL,
    LOG_2,
    NEAR_TERMS,
    SERIES_RADIUS,
    TOTAL_VARIATION,
)


class LogPair(NamedTuple):
    """Probabilities p and q, the logarithm of their quotient, and where each is 0 by -inf."""

    p: Array
    q: Array
    log_quotient: Array
    p_empty: Array
    q_empty: Array


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
    first, second = detach(x), detach(y)
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
    """The same in working precision, to differentiate: no NaN at -inf, 0 where the value is inf."""
    zero = xp.zeros_like(pair.p)
    x, y = (xp.where(singular[..., None], zero, vector) for vector in logits)
    a, b = x.log_softmax(-1), y.log_softmax(-1)
    p, q = a.exp(), b.exp()
    if divergence == TOTAL_VARIATION:
        difference = xp.where(pair.p_empty | pair.q_empty, pair.p - pair.q, pair.log_quotient)
        return 0.5 * xp.sum(difference.sign() * (p - q), axis=-1)
    empty = pair.p_empty & ~singular[..., None], pair.q_empty & ~singular[..., None]
    a, b = xp.where(empty[0], zero, a), xp.where(empty[1], zero, b)
    if divergence == KL:
        return xp.sum(p * (a - b), axis=-1)
    both = ~empty[0] & ~empty[1]
    middle = xp.where(both, xp.logaddexp(a, b), xp.where(empty[0], b, a)) - LOG_2
    terms = xp.where(empty[0], zero, p * (a - middle)) + xp.where(empty[1], zero, q * (b - middle))
    return 0.5 * xp.sum(terms, axis=-1)
