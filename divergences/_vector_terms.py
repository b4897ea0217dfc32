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
from typing import Any, NamedTuple

import numpy as np

from ._summation import divide, exact_sum, two_product, two_sum
from ._typing import Array, Namespace
from ._vector_rationals import exact_difference

Quotient = Callable[[Namespace, Array, Array], Array]

TOTAL_VARIATION, KL, JS = "total_variation", "kl_divergence", "js_divergence"
JS_DISTANCE = "js_distance"
LOG_2 = math.log(2.0)
SERIES_RADIUS = 0.5
# Interpolation of the series at the Chebyshev nodes of square in [0, 1/4]: relative error below
# 6e-17, where the Taylor series would take twice as many terms. ATANH is
# A / square, JS (series / square - 1) / square.
ATANH_SERIES = (
    0.3333333333333333, 0.20000000000000864, 0.14285714285490106, 0.11111111133938968,
    0.09090907881509189, 0.07692345940270638, 0.06665886352702884, 0.05893099692590042,
    0.05160769881147162, 0.05441915418234587, 0.012292448728540531, 0.13557903913692299,
    -0.14450491183414468, 0.21098097885975797,
)  # fmt: skip
JS_SERIES = (
    0.16666666666666669, 0.06666666666666003, 0.03571428571576827, 0.022222222092555033,
    0.015151521024189657, 0.010988853335309518, 0.00833603614168967, 0.006505108587431875,
    0.005501691737600029, 0.0030808120729037456, 0.007925018150853355, -0.0060340867866888375,
    0.012555626064267501,
)  # fmt: skip
SCALE_EXPONENT = 500
SCALE = (
    2.0**SCALE_EXPONENT
)  # the mass the vectors are brought to: no subnormal, no tiny reciprocal remains
# For derivatives: reciprocals of subnormal entries are finite, and third powers do not underflow.
PLAIN_SCALE = 2.0**200
FARTHEST = 1e-290  # quotients beyond this or its inverse are taken as differences of logarithms
LEAST_DIFFERENCE = 2.0**-100  # in total: below, twice the working precision does not suffice


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


def accurate_pair(xp: Namespace, p: Array, q: Array) -> Pair:
    """The normalised pair in twice the working precision.

    Rows that agree to some 30 digits take exact arithmetic (NumPy only).
    """
    pair = normalised_pair(xp, p, q)
    if xp is not np:
        return pair
    p, q = np.broadcast_arrays(p, q)
    close = np.abs(pair.difference).sum(axis=-1) < LEAST_DIFFERENCE * pair.mass
    close &= (p != q).any(axis=-1)
    if not close.any():
        return pair
    pair = Pair(*(np.array(part) for part in pair))
    for row in map(tuple, np.argwhere(close)):
        exact = exact_difference(p[row], q[row], SCALE_EXPONENT)
        for part, values in zip(pair, (*exact, SCALE), strict=True):
            part[row] = values
    return pair


def _scaled(vector: Array, factor: tuple[Array, Array]) -> tuple[Array, Array]:
    """``vector`` times a pair (one a row), as a pair."""
    high, low = two_product(vector, factor[0][..., None])
    return high, low + vector * factor[1][..., None]


def plain_pair(xp: Namespace, p: Array, q: Array) -> Pair:
    """The normalised pair in working precision: what the gradients go through."""
    p = p * PLAIN_SCALE / xp.sum(p, axis=-1, keepdims=True)
    q = q * PLAIN_SCALE / xp.sum(q, axis=-1, keepdims=True)
    difference = p - q
    return Pair(p, q, difference, PLAIN_SCALE)


def series(_: Namespace, coefficients: tuple[float, ...], square: Array) -> Array:
    """``sum_k coefficients[k-1] square**k`` by Horner's rule."""
    value = square * coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = (value + coefficient) * square
    return value


def log_quotient(xp: Namespace, p: Array, q: Array) -> Array:
    """log(p/q) for positive p, q, also where the quotient over- or underflows."""
    extreme = (p * FARTHEST > q) | (q * FARTHEST > p)
    one = xp.ones_like(p)
    direct = xp.log(xp.where(extreme, one, p) / xp.where(extreme, one, q))
    apart = xp.log(xp.where(extreme, p, one)) - xp.log(xp.where(extreme, q, one))
    return xp.where(extreme, apart, direct)


def log_difference(xp: Namespace, p: Array, q: Array) -> Array:
    """Log p - log q: fewer digits than ``log_quotient``, but no derivative that overflows."""
    return xp.log(p) - xp.log(q)


def kl_near(xp: Namespace, difference: Array, _total: Array, t: Array, square: Array) -> Array:
    """Terms of KL for abs(t) < 1/2."""
    return difference * (t + (1.0 + t) * series(xp, ATANH_SERIES, square))


def kl_far(
    xp: Namespace, p: Array, q: Array, difference: Array, quotient: Quotient = log_quotient
) -> Array:
    """Terms of KL for abs(t) > 1/2, inf where q = 0 < p, 0 where both vanish."""
    both = (p > 0) & (q > 0)
    one = xp.ones_like(p)
    logarithm = quotient(xp, xp.where(both, p, one), xp.where(both, q, one))
    value = xp.where(both, p * logarithm - difference, q)
    return xp.where((q == 0) & (p > 0), math.inf, value)


def js_near(xp: Namespace, _difference: Array, total: Array, _t: Array, square: Array) -> Array:
    """Terms of the halved JS for abs(t) < 1/2."""
    return 0.25 * total * (square + square * series(xp, JS_SERIES, square))


def js_far(xp: Namespace, p: Array, q: Array, _difference: Array) -> Array:
    """Terms of the halved JS for abs(t) > 1/2, 0 where both vanish."""
    both = (p > 0) & (q > 0)
    one = xp.ones_like(p)
    first, second = xp.where(both, p, one), xp.where(both, q, one)
    middle = 0.5 * (first + second)
    value = 0.5 * (
        first * log_quotient(xp, first, middle) + second * log_quotient(xp, second, middle)
    )
    return xp.where(both, value, (0.5 * LOG_2) * (p + q))


NEAR_TERMS = {KL: kl_near, JS: js_near}
FAR_TERMS: dict[str, Callable[..., Array]] = {KL: kl_far, JS: js_far}


def kl_terms(xp: Namespace, pair: Pair, quotient: Quotient = log_quotient) -> Array:
    """The non-negative terms of KL of a normalised pair, some of them inf."""
    near, far = _near_and_far(xp, KL, pair)
    p, q, difference = far
    return xp.where(near[0], near[1], kl_far(xp, p, q, difference, quotient))


def js_terms(xp: Namespace, pair: Pair) -> Array:
    """The non-negative terms of the halved JS of a normalised pair."""
    near, far = _near_and_far(xp, JS, pair)
    return xp.where(near[0], near[1], js_far(xp, *far))


def _near_and_far(xp: Namespace, divergence: str, pair: Pair) -> tuple[Any, Any]:
    """Where the series applies and its terms, and (p, q, difference) of the rest."""
    p, q, difference, _ = pair
    total = p + q
    occupied = total > 0
    one, zero = xp.ones_like(total), xp.zeros_like(total)
    t = xp.where(occupied, difference, zero) / xp.where(occupied, total, one)
    near = occupied & (xp.abs(t) < SERIES_RADIUS)
    t = xp.where(near, t, zero)
    near_terms = NEAR_TERMS[divergence](xp, difference, total, t, t * t)
    # Where the series applies, two ones stand in: no derivative of a branch that is not taken.
    far = xp.where(near, one, p), xp.where(near, one, q), xp.where(near, zero, difference)
    return (near, near_terms), far


def accurate(xp: Namespace, divergence: str, p: Array, q: Array) -> Array:
    """Total variation, KL, JS or its root of the rows of p and q, not yet cut to its range.

    See ``accurate_pair`` for what is accurate.
    """
    pair = accurate_pair(xp, p, q)
    if divergence == TOTAL_VARIATION:
        of_terms = 0.5 * xp.abs(pair.difference)
    else:
        of_terms = (kl_terms if divergence == KL else js_terms)(xp, pair)
    singular = xp.any(xp.isinf(of_terms), axis=-1)  # an infinity would spoil the error-free sum
    finite = exact_sum(xp, xp.where(singular[..., None], 0.0, of_terms))[0]
    if divergence == JS_DISTANCE:  # of each, for their quotient may underflow
        return xp.sqrt(finite) / pair.mass**0.5
    return xp.where(singular, math.inf, finite / pair.mass)
