r"""Sums over very many integers from few of them.

A block of N integers is summed by twenty of them, near the Gauss-Legendre nodes, with weights that
sum polynomials of degree 19 exactly. The sums of the Legendre polynomials over the block's
:math:`t_k = (2k + 1 - N)/N` come from the formula of Euler and Maclaurin, which ends for them:

.. math:: \sum_{k=0}^{N-1} g(t_k) = \frac1h \int_{-1}^1 g
    + \sum_{r \ge 1} \frac{B_{2r}(1/2)}{(2r)!}\, h^{2r-1} \bigl[g^{(2r-1)}\bigr]_{-1}^{1},
    \qquad h = 2/N .

Blocks are halved until both halves agree with the whole; short ones are summed as they are. Places
are integers, so that masses lose nothing where the integers are large and the law is narrow.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np

from .._special import legendre
from .._typing import Float64Array
from ..families._integer import IntegerLaw
from ._panels import AGREEMENT, NEGLIGIBLE, STAGNANT

DIRECT = 256.0  # blocks of at most so many integers are summed as they are
MOST_BLOCKS = 20_000
STEPS = np.concatenate([[0.0], 2.0 ** np.arange(-2.0, 6.0, 0.5)])  # deviations from the mean

Terms = Callable[[Float64Array], Float64Array]


@cache
def _corrections() -> Float64Array:
    """The coefficients of h^(2r-1), r = 0, 1, ..., in the sums of the Legendre polynomials."""
    count = legendre()[0].size
    table = np.zeros((count // 2 + 1, count))
    table[0, 0] = 2.0
    for degree in range(2, count, 2):
        for r in range(1, degree // 2 + 1):
            k = 2 * r - 1
            slope = Fraction(
                math.factorial(degree + k),
                2**k * math.factorial(k) * math.factorial(degree - k),
            )
            factor = (Fraction(2, 4**r) - 1) * _bernoulli(2 * r) / math.factorial(2 * r)
            table[r, degree] = float(2 * factor * slope)
    return table


@cache
def _bernoulli(index: int) -> Fraction:
    if index == 0:
        return Fraction(1)
    parts = (math.comb(index + 1, k) * _bernoulli(k) for k in range(index))
    return -sum(parts, Fraction(0)) / (index + 1)


def rule(start: Float64Array, count: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Integers and weights, as arrays (blocks, 20), for sums over blocks of more than DIRECT."""
    table, (x, _) = _corrections(), legendre()
    offset = np.round(0.5 * (1.0 + x) * (count[:, None] - 1.0))
    step = 2.0 / count
    powers = step[:, None] ** (2.0 * np.arange(table.shape[0]) - 1.0)
    sums = powers @ table
    t = (offset + 0.5) * step[:, None] - 1.0
    basis = np.polynomial.legendre.legvander(t, x.size - 1)
    weights = np.linalg.solve(np.swapaxes(basis, 1, 2), sums[:, :, None])[:, :, 0]
    return start[:, None] + offset, np.asarray(weights, dtype=np.float64)


def nodes(
    laws: tuple[IntegerLaw, ...], low: float, high: float, terms: Terms, cuts: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Integers and weights that sum ``terms`` over low, ..., high to about 1e-14 of the sum.

    No block goes over one of ``cuts``, first integers beyond which the terms are smooth again.
    """
    places = np.unique(np.concatenate([edges(laws, low, high), cuts]))
    start, count = places[:-1], np.diff(places)
    whole = _sums(terms, start, count)
    total, before = float(np.abs(whole).sum()), np.full(start.shape, np.inf)
    done: list[tuple[Float64Array, Float64Array]] = []
    while start.size:
        half = np.floor(0.5 * count)
        middle = start + half
        left, right = _sums(terms, start, half), _sums(terms, middle, count - half)
        both = left + right
        error = np.abs(both - whole)
        keep = ~(error > AGREEMENT * np.abs(both)) | (error < NEGLIGIBLE * total)
        keep |= (error > 0.1 * before) & (error < STAGNANT * total)
        keep |= (count <= DIRECT) | (start.size > MOST_BLOCKS)
        done.append(_pairs(start[keep], count[keep]))
        before = np.concatenate([error[~keep]] * 2)
        whole = np.concatenate([left[~keep], right[~keep]])
        start, count = (
            np.concatenate([first[~keep], second[~keep]])
            for first, second in ((start, middle), (half, count - half))
        )
    places, weights = (np.concatenate(parts) for parts in zip(*done, strict=True))
    order = np.argsort(places, kind="stable")
    return places[order], weights[order]


def edges(laws: tuple[IntegerLaw, ...], low: float, high: float) -> Float64Array:
    """First integers of the blocks to begin with, and the one beyond the last."""
    places = [np.array([low, high + 1.0])]
    for law in laws:
        steps = STEPS * law.deviation
        places += [law.expectation - steps, law.expectation + steps]
    return np.unique(np.clip(np.round(np.concatenate(places)), low, high + 1.0))


def _sums(terms: Terms, start: Float64Array, count: Float64Array) -> Float64Array:
    """The sum of ``terms`` over each block."""
    result = np.zeros(start.shape)
    long = count > 0.5 * DIRECT
    if long.any():
        places, weights = rule(start[long], count[long])
        result[long] = np.sum(weights * terms(places), axis=1)
    if not long.all():
        owner = np.repeat(np.arange(start.size)[~long], count[~long].astype(int))
        values = terms(listed(start[~long], count[~long]))
        result += np.bincount(owner, values, minlength=start.size)
    return result


def listed(start: Float64Array, count: Float64Array) -> Float64Array:
    """The integers of the blocks, one after another."""
    ends = np.cumsum(count)
    return np.asarray(np.arange(ends[-1]) + np.repeat(start - (ends - count), count.astype(int)))


def _pairs(start: Float64Array, count: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Integers and weights of the blocks: all of them, or those of the rule."""
    short = count <= DIRECT
    places, weights = rule(start[~short], count[~short])
    all_of = listed(start[short], count[short]) if short.any() else np.empty(0)
    joined = np.concatenate([all_of, places.ravel()])
    return joined, np.concatenate([np.ones(all_of.size), weights.ravel()])
