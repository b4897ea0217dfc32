r"""Formulas of the divergences beside total variation, KL and JS, for probability vectors.

On the normalised pair of ``_vector_terms``, from its accurate difference, so that close vectors
lose no digits: :math:`\sqrt p - \sqrt q = (p - q) / (\sqrt p + \sqrt q)`.
"""

import math
from collections.abc import Callable

import numpy as np

from ._array import as_float64, attach, detach, from_numpy, host_view, tracks_derivatives
from ._summation import exact_sum
from ._typing import Array, Namespace
from ._vector_terms import Pair, accurate_pair, plain_pair

Formula = Callable[[Namespace, Pair], Array]
Masked = Callable[[Namespace, Array, Array], tuple[Array, Array]]
VectorFormula = Callable[[Namespace, Array, Array], Array]


def _hellinger(xp: Namespace, pair: Pair) -> Array:
    """The root before the division: the square of a distance may underflow where it does not."""
    return _root(xp, _squared_distance(xp, pair)) / pair.mass**0.5


def _squared_hellinger(xp: Namespace, pair: Pair) -> Array:
    return _squared_distance(xp, pair) / pair.mass


def _squared_distance(xp: Namespace, pair: Pair) -> Array:
    """The squared Hellinger distance times the mass."""
    p, q, difference, _ = pair
    total = p + q
    alone = (p == 0) | (q == 0)
    one = xp.ones_like(total)
    # Where one of them vanishes the term is half the other, with no root to differentiate.
    roots = xp.sqrt(xp.where(alone, one, p)) + xp.sqrt(xp.where(alone, one, q))
    apart = difference / roots
    return _sum(xp, 0.5 * xp.where(alone, total, apart * apart))


def _root(xp: Namespace, square: Array) -> Array:
    positive = square > 0
    return xp.where(positive, xp.sqrt(xp.where(positive, square, 1.0)), 0.0)


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
    far = -xp.log(xp.where(empty, 1.0, affinity))
    value = xp.where(near, -xp.log1p(-xp.where(near, square, 0.0)), far)
    return xp.where(empty, math.inf, value)


def _chi_squared(xp: Namespace, pair: Pair) -> Array:
    p, q, difference, mass = pair
    carried, unit = q > 0, _column(mass)
    ratio = difference / xp.where(carried, q, 1.0)
    # Where both vanish the term is that of p = 0, which is q, with its derivative.
    terms = xp.where(carried, ratio * (difference / unit), q / unit)
    return _sum(xp, xp.where(~carried & (p > 0), math.inf, terms))


def _column(mass: Array) -> Array:
    return mass if isinstance(mass, float) else mass[..., None]


def _sum(xp: Namespace, terms: Array) -> Array:
    if tracks_derivatives(terms):
        return xp.sum(terms, axis=-1)
    infinite = xp.any(xp.isinf(terms), axis=-1)
    finite = exact_sum(xp, xp.where(infinite[..., None], 0.0, terms))[0]
    return xp.where(infinite, math.inf, finite)


def _off_alone(xp: Namespace, p: Array, q: Array) -> tuple[Array, Array]:
    """Entries of infinite one-sided derivative (an atom of the other law only) off the graph."""
    first, second = detach(p), detach(q)
    return (
        xp.where((first == 0) & (second > 0), first, p),
        xp.where((second == 0) & (first > 0), second, q),
    )


def _off_both(xp: Namespace, p: Array, q: Array) -> tuple[Array, Array]:
    """The same for chi-squared: in p, where both vanish."""
    first = detach(p)
    return xp.where((first == 0) & (detach(q) == 0), first, p), q


def _evaluated(formula: Formula, off_graph: Masked, xp: Namespace, p: Array, q: Array) -> Array:
    """The value and its graph, without what ``off_graph`` takes off it."""
    p, q = xp.broadcast_arrays(as_float64(p), as_float64(q))
    value = _value(formula, xp, detach(p), detach(q))
    if not tracks_derivatives(p, q):
        return value
    finite = xp.isfinite(value)[..., None]  # an infinite value has no gradient
    p, q = off_graph(xp, xp.where(finite, p, 1.0), xp.where(finite, q, 1.0))
    return attach(value, formula(xp, plain_pair(xp, p, q)))


def _value(formula: Formula, xp: Namespace, p: Array, q: Array) -> Array:
    """The value off the graph; in NumPy where the entries may be looked at."""
    first, second = host_view(p), host_view(q)
    if first is None or second is None:
        return formula(xp, accurate_pair(xp, p, q))
    with np.errstate(over="ignore", under="ignore"):  # an answer may well be infinite, or tiny
        value = formula(np, accurate_pair(np, first, second))
    return value if xp is np else from_numpy(value, p)


def hellinger(xp: Namespace, p: Array, q: Array) -> Array:
    """The Hellinger distance, in [0, 1]; its gradient at 0 is defined as 0."""
    p, q = xp.broadcast_arrays(as_float64(p), as_float64(q))
    value = _value(_hellinger, xp, detach(p), detach(q))
    if tracks_derivatives(p, q):
        value = attach(value, _root(xp, _evaluated(_squared_hellinger, _off_alone, xp, p, q)))
    disjoint = xp.all((detach(p) == 0) | (detach(q) == 0), axis=-1)
    return xp.where(disjoint, 1.0, xp.clip(value, 0.0, 1.0))


def bhattacharyya(xp: Namespace, p: Array, q: Array) -> Array:
    """The Bhattacharyya distance, in [0, inf]."""
    return _evaluated(_bhattacharyya, _off_alone, xp, p, q)


def chi_squared(xp: Namespace, p: Array, q: Array) -> Array:
    """Pearson's chi-squared divergence, in [0, inf]."""
    return _evaluated(_chi_squared, _off_both, xp, p, q)
