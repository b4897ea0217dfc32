r"""Formulas of the divergences beside total variation, KL and JS, for probability vectors.

On the normalised pair of ``_vector_terms``, from its accurate difference, so that close vectors
lose no digits: :math:`\sqrt p - \sqrt q = (p - q) / (\sqrt p + \sqrt q)`.
"""

import math
from collections.abc import Callable

import numpy as np

from ._array import as_float64, attach, detach, tracks_derivatives
from ._summation import exact_sum
from ._typing import Array, Namespace
from ._vector_terms import Pair, normalised_pair, plain_pair

Formula = Callable[[Namespace, Pair], Array]
VectorFormula = Callable[[Namespace, Array, Array], Array]


def _squared_hellinger(xp: Namespace, pair: Pair) -> Array:
    p, q, difference, mass = pair
    total = p + q
    alone = (p == 0) | (q == 0)
    one = xp.ones_like(total)
    # Where one of them vanishes the term is half the other, with no root to differentiate.
    roots = xp.sqrt(xp.where(alone, one, p)) + xp.sqrt(xp.where(alone, one, q))
    apart = xp.where(alone, 0.0, difference) / roots
    terms = 0.5 * xp.where(alone, total, apart * apart)
    return _sum(xp, terms) / mass


def _affinity(xp: Namespace, pair: Pair) -> Array:
    """The Bhattacharyya coefficient, sum of sqrt(p q)."""
    p, q, _, mass = pair
    both = (p > 0) & (q > 0)
    one = xp.ones_like(p)
    roots = xp.sqrt(xp.where(both, p, one)) * xp.sqrt(xp.where(both, q, one))
    return _sum(xp, xp.where(both, roots, 0.0)) / mass


def _bhattacharyya(xp: Namespace, pair: Pair) -> Array:
    square, affinity = _squared_hellinger(xp, pair), _affinity(xp, pair)
    near = square < 0.5
    empty = affinity == 0
    far = -xp.log(xp.where(empty | near, 1.0, affinity))
    value = xp.where(near, -xp.log1p(-xp.where(near, square, 0.0)), xp.clip(far, 0.0, None))
    return xp.where(empty, math.inf, value)


def _chi_squared(xp: Namespace, pair: Pair) -> Array:
    p, q, difference, mass = pair
    carried = q > 0
    ratio = xp.where(carried, difference, 0.0) / xp.where(carried, q, 1.0)
    terms = ratio * (difference / _column(mass))
    return _sum(xp, xp.where(~carried & (p > 0), math.inf, terms))


def _column(mass: Array) -> Array:
    return mass if isinstance(mass, float) else mass[..., None]


def _sum(xp: Namespace, terms: Array) -> Array:
    if tracks_derivatives(terms):
        return xp.sum(terms, axis=-1)
    infinite = xp.any(xp.isinf(terms), axis=-1)
    high, low = exact_sum(xp, xp.where(infinite[..., None], 0.0, terms))
    return xp.where(infinite, math.inf, high + low)


def _masked(p: Array, q: Array, xp: Namespace) -> tuple[Array, Array]:
    """Entries of infinite one-sided derivative (an atom of the other law only) off the graph."""
    first, second = detach(p), detach(q)
    return (
        xp.where((first == 0) & (second > 0), first, p),
        xp.where((second == 0) & (first > 0), second, q),
    )


def _evaluated(formula: Formula, xp: Namespace, p: Array, q: Array) -> Array:
    p, q = xp.broadcast_arrays(as_float64(p), as_float64(q))
    first, second = detach(p), detach(q)
    with np.errstate(over="ignore", under="ignore"):  # an answer may well be infinite, or tiny
        value = formula(xp, normalised_pair(xp, first, second))
    if not tracks_derivatives(p, q):
        return value
    finite = xp.isfinite(value)[..., None]  # an infinite value has no gradient
    p, q = _masked(xp.where(finite, p, 1.0), xp.where(finite, q, 1.0), xp)
    return attach(value, formula(xp, plain_pair(xp, p, q)))


def hellinger(xp: Namespace, p: Array, q: Array) -> Array:
    """The Hellinger distance, in [0, 1]; its gradient at 0 is defined as 0."""
    square = _evaluated(_squared_hellinger, xp, p, q)
    positive = square > 0
    value = xp.where(positive, xp.sqrt(xp.where(positive, square, 1.0)), 0.0)
    disjoint = xp.all((detach(p) == 0) | (detach(q) == 0), axis=-1)
    return xp.where(disjoint, 1.0, xp.clip(value, 0.0, 1.0))


def bhattacharyya(xp: Namespace, p: Array, q: Array) -> Array:
    """The Bhattacharyya distance, in [0, inf]."""
    return _evaluated(_bhattacharyya, xp, p, q)


def chi_squared(xp: Namespace, p: Array, q: Array) -> Array:
    """Pearson's chi-squared divergence, in [0, inf]."""
    return _evaluated(_chi_squared, xp, p, q)
