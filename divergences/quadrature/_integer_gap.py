r"""Wasserstein-1 of laws on very many integers, from the accurate differences of their masses.

With :math:`D_k = F(k) - G(k) = \sum_{j \le k} (p_j - q_j)`, a block of integers
:math:`s, \dots, e - 1` on which D keeps its sign adds

.. math:: \sum_{k=s}^{e-1} |D_k| = \Bigl| (e - s)\, D_{s-1} + \sum_{j=s}^{e-1} (e - j)
    (p_j - q_j) \Bigr| ,

two sums over few of the integers (``_integer_nodes``). Blocks in which D changes its sign are
halved. The distribution functions themselves, which agree to many digits for laws that are near,
are not looked at.
"""

from collections.abc import Callable

import numpy as np

from .._summation import total
from .._typing import Float64Array
from ..families._integer import IntegerLaw
from ._integer_nodes import DIRECT, listed, rule

# Edges of blocks, in deviations from the mean: as far as an exponential tail of 1e-33 reaches.
STEPS = np.concatenate([np.arange(0.0, 13.0, 0.05), np.arange(13.0, 90.0, 0.5)])

Terms = Callable[[Float64Array], Float64Array]


def sum_of_gaps(laws: tuple[IntegerLaw, ...], low: float, high: float, difference: Terms) -> float:
    """The sum of |F(k) - G(k)| over low, ..., high; ``difference`` is the one of the masses."""
    edges = _edges(laws, low, high)
    start, count = edges[:-1], np.diff(edges)
    masses, areas = _sums(difference, start, count)
    before = _before(masses)
    found = []
    while start.size:
        whole = count * before + areas
        after = before + masses
        mixed = (before * after < 0.0) & (count > 1.0)
        found.append(np.abs(whole[~mixed]))
        start, count, before = start[mixed], count[mixed], before[mixed]
        half = np.floor(0.5 * count)
        masses, areas = _sums(difference, start, half)
        other = _sums(difference, start + half, count - half)
        before = np.concatenate([before, before + masses])
        start = np.concatenate([start, start + half])
        count = np.concatenate([half, count - half])
        masses, areas = (np.concatenate(pair) for pair in ((masses, other[0]), (areas, other[1])))
    return total(np.concatenate(found))


def _edges(laws: tuple[IntegerLaw, ...], low: float, high: float) -> Float64Array:
    """First integers of the blocks, and the one beyond the last; the ends of supports are some."""
    places = [np.array([low, high + 1.0])]
    for law in laws:
        first, last = law.support
        steps = STEPS * law.deviation
        places += [law.expectation - steps, law.expectation + steps, np.array([first, last + 1.0])]
    return np.unique(np.clip(np.round(np.concatenate(places)), low, high + 1.0))


def _before(masses: Float64Array) -> Float64Array:
    """F - G before each block, summed from the side on which less has changed."""
    size = np.cumsum(np.abs(masses))
    below = np.concatenate([[0.0], np.cumsum(masses)[:-1]])
    above = -np.cumsum(masses[::-1])[::-1]
    return np.where(size < 0.5 * size[-1], below, above)


def _sums(
    difference: Terms, start: Float64Array, count: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """The sums of p - q over each block, and of p - q times the distance to its end."""
    masses, areas = np.zeros((2, start.size))
    long = count > DIRECT
    if long.any():
        places, weights = rule(start[long], count[long])
        terms = weights * difference(places)
        masses[long] = terms.sum(axis=1)
        areas[long] = (terms * ((start + count)[long, None] - places)).sum(axis=1)
    if not long.all():
        owner = np.repeat(np.arange(start.size)[~long], count[~long].astype(int))
        places = listed(start[~long], count[~long])
        terms = difference(places)
        masses += np.bincount(owner, terms, minlength=start.size)
        areas += np.bincount(owner, terms * ((start + count)[owner] - places), start.size)
    return masses, areas
