r"""Total variation, KL and Jensen-Shannon of probability vectors, term by term non-negative.

Floats never sum to exactly 1, and for neighbouring vectors that mass defect would swamp the answer
(its relative error is about the square of defect over difference). So the formulas act on the
exactly normalised pair: both vectors are brought to the common mass :math:`S = (S_p + S_q)/2`
(times a power of two, out of reach of underflow),

.. math:: p'_i = p_i S / S_p, \qquad q'_i = q_i S / S_q, \qquad
          d_i = p'_i - q'_i = (p_i - q_i) + \frac{p_i}{S_p}\frac{N}{2} + \frac{q_i}{S_q}\frac{N}{2},
          \qquad N = S_q - S_p,

with :math:`N` and :math:`d_i` carried in twice the working precision, and the sum over terms is
divided by :math:`S`. Swapping p and q changes the sign of d to the bit.

With :math:`t = d / (p' + q')` the terms are (the sum of the subtracted :math:`p' - q'` being 0)

.. math::
    \mathrm{KL}_i &= p' \log(p'/q') - d = d\,(t + (1 + t) A), \qquad
    A = \operatorname{atanh}(t)/t - 1 = \sum_{k \ge 1} \frac{t^{2k}}{2k+1}, \\
    \mathrm{JS}_i &= \tfrac12 (p' \log\tfrac{p'}{m} + q' \log\tfrac{q'}{m})
    = \frac{p' + q'}{4} \sum_{k \ge 1} \frac{t^{2k}}{k (2k-1)},

the series for :math:`|t| < 1/2`, the logarithms beyond. Every function takes the namespace ``xp``
and float64 arrays with the support on the last axis.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._array import attach, detach, tracks_derivatives
from ._summation import divide, exact_sum, two_product, two_sum
from ._typing import Array, Namespace

LOG_2 = math.log(2.0)
SERIES_RADIUS = 0.5
# The first neglected term is below 4**-27 of the first one.
ATANH_SERIES = tuple(1.0 / (2 * k + 1) for k in range(1, 27))
JS_SERIES = tuple(1.0 / (k * (2 * k - 1)) for k in range(1, 27))
SCALE = 2.0**500  # the mass the vectors are brought to: no subnormal, no tiny reciprocal remains
FARTHEST = 1e-290  # quotients beyond this or its inverse are taken as differences of logarithms
LARGEST_SLOPE = 1e300


class Pair(NamedTuple):
    """Two vectors of the same mass: ``p``, ``q``, their accurate ``difference``, and ``mass``."""

    p: Array
    q: Array
    difference: Array
    mass: Array


def normalised_pair(xp: Namespace, p: Array, q: Array) -> Pair:
    """Bring p and q to ``SCALE`` times their mean mass; the difference is good to about an ulp."""
    shape = np.broadcast_shapes(tuple(p.shape), tuple(q.shape))
    p, q = xp.broadcast_to(p, shape), xp.broadcast_to(q, shape)
    p_mass, q_mass = exact_sum(xp, p), exact_sum(xp, q)
    first, second = SCALE * p, SCALE * q
    high, low = two_sum(first, -second)
    defect = exact_sum(xp, -high, -low)  # N = S_q - S_p, times SCALE
    half_defect = (0.5 * defect[0], 0.5 * defect[1])
    p_move, p_rest = _scaled(p, divide(half_defect, p_mass))
    q_move, q_rest = _scaled(q, divide(half_defect, q_mass))
    move, move_error = two_sum(p_move, q_move)
    total, total_error = two_sum(high, move)
    difference = total + (total_error + (low + (move_error + (p_rest + q_rest))))
    mass = SCALE * (0.5 * (p_mass[0] + q_mass[0]))
    return Pair(first + p_move, second - q_move, difference, mass)


def _scaled(vector: Array, factor: tuple[Array, Array]) -> tuple[Array, Array]:
    """``vector`` times a pair (one a row), as a pair."""
    high, low = two_product(vector, factor[0][..., None])
    return high, low + vector * factor[1][..., None]


def _plain_pair(xp: Namespace, p: Array, q: Array) -> Pair:
    """The normalised pair in working precision: what the gradients go through."""
    p = p * SCALE / xp.sum(p, axis=-1, keepdims=True)
    q = q * SCALE / xp.sum(q, axis=-1, keepdims=True)
    difference = p - q
    return Pair(p, q, difference, SCALE)


def series(xp: Namespace, coefficients: tuple[float, ...], square: Array) -> Array:
    """``sum_k coefficients[k-1] square**k`` by Horner's rule."""
    value = xp.zeros_like(square)
    for coefficient in reversed(coefficients):
        value = (value + coefficient) * square
    return value


def _ratio(xp: Namespace, pair: Pair) -> tuple[Array, Array]:
    """The ratio t = (p - q)/(p + q), 0 where both vanish, and whether the series applies."""
    total = pair.p + pair.q
    occupied = total > 0
    t = xp.where(occupied, pair.difference, 0.0) / xp.where(occupied, total, 1.0)
    return t, xp.abs(t) < SERIES_RADIUS


def log_quotient(xp: Namespace, p: Array, q: Array) -> Array:
    """log(p/q) for positive p, q, also where the quotient over- or underflows."""
    extreme = (p * FARTHEST > q) | (q * FARTHEST > p)
    one = xp.ones_like(p)
    direct = xp.log(xp.where(extreme, one, p) / xp.where(extreme, one, q))
    apart = xp.log(xp.where(extreme, p, one)) - xp.log(xp.where(extreme, q, one))
    return xp.where(extreme, apart, direct)


def _log_difference(xp: Namespace, p: Array, q: Array) -> Array:
    """Log p - log q: fewer digits than ``log_quotient``, but no derivative that overflows."""
    return xp.log(p) - xp.log(q)


def kl_terms(xp: Namespace, pair: Pair, quotient: Callable[..., Array] = log_quotient) -> Array:
    """The non-negative terms of KL; 0 in place of the infinite ones (q = 0 < p)."""
    p, q, difference, _ = pair
    t, near = _ratio(xp, pair)
    t = xp.where(near, t, 0.0)
    correction = series(xp, ATANH_SERIES, t * t)
    near_term = difference * (t + (1.0 + t) * correction)
    both = (p > 0) & (q > 0) & ~near
    one = xp.ones_like(p)
    logarithm = quotient(xp, xp.where(both, p, one), xp.where(both, q, one))
    far_term = xp.where(both, p * logarithm, 0.0) - difference  # p = 0 leaves q
    far_term = xp.where((q == 0) & (p > 0), 0.0, far_term)
    return xp.where(near, near_term, far_term)


def js_terms(xp: Namespace, pair: Pair) -> Array:
    """The non-negative terms of the halved Jensen-Shannon divergence."""
    p, q, _, _ = pair
    total = p + q
    t, near = _ratio(xp, pair)
    t = xp.where(near, t, 0.0)
    near_term = 0.25 * total * series(xp, JS_SERIES, t * t)
    alone = (p == 0) | (q == 0)
    both = ~alone & ~near
    one = xp.ones_like(p)
    first, second = xp.where(both, p, one), xp.where(both, q, one)
    middle = 0.5 * (first + second)
    far_term = 0.5 * (
        first * log_quotient(xp, first, middle) + second * log_quotient(xp, second, middle)
    )
    return xp.where(alone, (0.5 * LOG_2) * total, xp.where(near, near_term, far_term))


def _total(xp: Namespace, terms: Array, mass: Array) -> Array:
    high, low = exact_sum(xp, terms)
    return (high + low) / mass


def total_variation(xp: Namespace, p: Array, q: Array) -> Array:
    """Half the l1 distance of the normalised vectors, in [0, 1]."""
    first, second = detach(p), detach(q)
    pair = normalised_pair(xp, first, second)
    value = _total(xp, 0.5 * xp.abs(pair.difference), pair.mass)
    disjoint = xp.all((first == 0) | (second == 0), axis=-1)
    value = xp.where(disjoint, 1.0, xp.clip(value, 0.0, 1.0))
    if not tracks_derivatives(p, q):
        return value
    plain = _plain_pair(xp, p, q)
    sign = xp.where(first > second, 1.0, xp.where(first < second, -1.0, 0.0))
    slope = 0.5 * xp.sum(sign * plain.difference, axis=-1)
    return attach(value, slope / plain.mass)


def kl_divergence(xp: Namespace, p: Array, q: Array, largest_slope: float = LARGEST_SLOPE) -> Array:
    """KL(p, q) in nats, in [0, inf]; no derivative exceeds ``largest_slope``."""
    first, second = detach(p), detach(q)
    pair = normalised_pair(xp, first, second)
    value = _total(xp, kl_terms(xp, pair), pair.mass)
    singular = xp.any((second == 0) & (first > 0), axis=-1)
    value = xp.where(singular, math.inf, value)
    if not tracks_derivatives(p, q):
        return value
    aligned = singular[..., None]  # an infinite value has no gradient: there, equal laws stand in
    p, q = xp.where(aligned, 1.0, p), xp.where(aligned, 1.0, q)
    first, second = xp.where(aligned, 1.0, first), xp.where(aligned, 1.0, second)
    return attach(value, _kl_slope(xp, (p, q), (first, second), largest_slope))


def _kl_slope(
    xp: Namespace, vectors: tuple[Array, Array], values: tuple[Array, Array], largest: float
) -> Array:
    """KL in working precision, as a function to differentiate.

    Infinite one-sided derivatives (p = 0), and those beyond the largest float (in a steep q), are
    defined as 0; a steep entry still counts in the derivative through the sum of q.
    """
    (p, q), (first, second) = vectors, values
    steep = second < first / largest
    p = xp.where(first == 0, first, p)
    q = xp.where(steep, second, q)
    pair = _plain_pair(xp, p, q)
    pair = pair._replace(q=xp.where(steep, detach(pair.q), pair.q))
    steep_mass = xp.sum(xp.where(steep, pair.p, 0.0), axis=-1)
    terms = xp.sum(kl_terms(xp, pair, _log_difference), axis=-1) + steep_mass * xp.log(
        xp.sum(q, axis=-1)
    )
    return terms / pair.mass


def js_divergence(xp: Namespace, p: Array, q: Array) -> Array:
    """The halved JS(p, q) in nats, in [0, log 2]."""
    first, second = detach(p), detach(q)
    pair = normalised_pair(xp, first, second)
    value = _total(xp, js_terms(xp, pair), pair.mass)
    disjoint = xp.all((first == 0) | (second == 0), axis=-1)
    value = xp.where(disjoint, LOG_2, xp.clip(value, 0.0, LOG_2))
    if not tracks_derivatives(p, q):
        return value
    # Infinite one-sided derivatives (an atom of the other law only) are defined as 0.
    p = xp.where((first == 0) & (second > 0), first, p)
    q = xp.where((second == 0) & (first > 0), second, q)
    plain = _plain_pair(xp, p, q)
    return attach(value, xp.sum(js_terms(xp, plain), axis=-1) / plain.mass)


def js_distance(xp: Namespace, p: Array, q: Array) -> Array:
    """The square root of the halved JS(p, q); its gradient at 0 is defined as 0."""
    divergence = js_divergence(xp, p, q)
    positive = divergence > 0
    root = xp.sqrt(xp.where(positive, divergence, 1.0))
    return xp.where(positive, root, 0.0)


VECTOR_FORMULAS = {
    "total_variation": total_variation,
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
    "js_distance": js_distance,
}
