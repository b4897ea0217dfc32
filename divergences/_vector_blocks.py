r"""Values of the divergences of NumPy vectors, block by block in cache, in plain double precision.

``_vector_terms`` computes in twice the working precision, in many passes; here a row takes the
first of three ways whose error is known to be a few ulps, and ``_vector_terms`` is the last one.

1. *Far apart* (the divergence is not small): the logarithms themselves, and the masses put right at
   the end, by :math:`\mathrm{KL}(p/S_p, q/S_q) = \sum p \log(p/q) / S_p + \log(S_q/S_p)`.
2. *Near*: the difference of the normalised vectors (see ``_vector_terms``),

   .. math:: d_i = (p_i - q_i) + \frac{p_i N}{2 S_p} + \frac{q_i N}{2 S_q}, \qquad
             N = \sum_i (q_i - p_i),

   whose terms are small, so that one rounding of each suffices, and the non-negative terms in t.
3. What is left (the first difference cancels against the second, or nearly underflows):
   ``_vector_terms.accurate``.

The way depends on the row alone, so a batch gives the bits of its rows. O(size), no temporary array
larger than a block.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._array import as_float64
from ._typing import Array, Float64Array
from ._vector_series import NEAR_SUMS, TERMS, series_ways
from ._vector_terms import (
    FAR_TERMS,
    JS,
    KL,
    LOG_2,
    NEAR_TERMS,
    SERIES_RADIUS,
    TOTAL_VARIATION,
    accurate,
)

BLOCK = 16384  # entries: a few such arrays of doubles stay in a core's cache
LONG = 1024  # the first entries of a longer row say whether its logarithms are worth trying
PROBE = 64
SHORT = 64  # entries whose arithmetic takes less time than the calls
PROBED_DISTANCE = 0.25
# Divergences from which the rounding of the logarithms is a few ulps: of few atoms, and of many,
# whose errors average out.
FEW = 32
LEAST_DIRECT = {KL: (0.5, 0.25), JS: (0.08, 0.03)}
LARGEST_DEFECT = {KL: 1e-6, JS: 1e-8}  # of the masses, corrected to second and to first order
UNSEEN = 2.0**-55  # relative changes below are less than half a last digit
LEAST_VALUE = 1e-270
CAPS = {TOTAL_VARIATION: 1.0, KL: math.inf, JS: LOG_2}

Sums = tuple[Any, ...]
_TINY = 5e-324
NEAR_ONE = 1.0 - 2.0**-40
_sum = np.add.reduce
_least = np.minimum.reduce
_most = np.maximum.reduce


class Values(NamedTuple):
    """A divergence of each row, the masses, and the least entry seen."""

    value: Any
    p_mass: Any
    q_mass: Any
    least: float

    def in_order(self, tolerance: float) -> bool:
        """Whether no entry is negative or NaN and all masses are surely within ``tolerance``.

        The plain sums are good to far less than half of the tolerance.
        """
        largest = 0.5 * tolerance
        p_off, q_off = abs(self.p_mass - 1.0), abs(self.q_mass - 1.0)
        if isinstance(p_off, np.ndarray):
            p_off, q_off = p_off.max(initial=0.0), q_off.max(initial=0.0)
        return bool(self.least >= 0.0 and p_off <= largest and q_off <= largest)


def evaluate(divergence: str, p: Array, q: Array) -> Values:
    """The divergence of the rows of p and q.

    Parameters
    ----------
    divergence : str
        Its public name: total variation, KL or JS.
    p, q : real NumPy arrays (..., k) that broadcast, k at least 1
        Their values are not trusted: see ``Values.in_order``.

    Returns
    -------
    Values
        ``value`` of the broadcast shape (...), right for all vectors of non-negative entries whose
        masses are near 1.
    """
    with np.errstate(all="ignore"):
        if p.ndim == q.ndim == 1:
            return _row(divergence, _usable(p), _usable(q))
        return _batch(divergence, p, q)


def _usable(row: Array) -> Array:
    """A contiguous row in float64; a long one as it is, to be cut into blocks."""
    if row.size > BLOCK or (row.dtype == np.float64 and row.flags.c_contiguous):
        return row
    return np.ascontiguousarray(as_float64(row))


def _batch(divergence: str, p: Array, q: Array) -> Values:
    shape = np.broadcast_shapes(p.shape, q.shape)
    count, rows = shape[-1], math.prod(shape[:-1])
    first, second = (as_rows(vector, shape) for vector in (p, q))
    value, p_mass, q_mass = np.empty((3, rows))
    least = math.inf
    step = max(1, BLOCK // count)
    for start in range(0, rows, step):
        part = slice(start, start + step)
        chunk = (v if v.shape[0] == 1 else v[part] for v in (first, second))
        if step == 1:
            found = _row(divergence, *(_usable(vector[0]) for vector in chunk))
        else:
            found = _few_rows(divergence, *(np.ascontiguousarray(as_float64(v)) for v in chunk))
        value[part], p_mass[part], q_mass[part], _ = found
        least = min(least, found.least) if found.least == found.least else math.nan
    return Values(value.reshape(shape[:-1]), p_mass, q_mass, least)


def as_rows(array: Array, shape: tuple[int, ...]) -> Array:
    """``array`` as rows, one row alone if all are the same."""
    if array.size == shape[-1]:
        return array.reshape(1, shape[-1])
    return np.broadcast_to(array, shape).reshape(-1, shape[-1])


def _row(divergence: str, p: Array, q: Array) -> Values:
    if divergence != TOTAL_VARIATION and _probably_far(p, q):
        least, p_mass, q_mass, *totals = map(float, _row_sums(_LOGARITHMS[divergence], p, q))
        if abs(q_mass - p_mass) <= LARGEST_DEFECT[divergence] and p_mass > 0.5:
            value = _FROM_LOGARITHMS[divergence](p_mass, q_mass, *totals)
            largest = CAPS[divergence] * NEAR_ONE
            if LEAST_DIRECT[divergence][p.size >= FEW] <= value < largest:
                return Values(np.float64(value), p_mass, q_mass, least)
    found, lost = _near(divergence, p, q)
    if lost:
        value = accurate(np, divergence, as_float64(p), as_float64(q))
        found = found._replace(value=value)
    return capped(divergence, p, q, found)


def _few_rows(divergence: str, p: Float64Array, q: Float64Array) -> Values:
    """The same for rows that fit a block together."""
    rows = max(p.shape[0], q.shape[0])
    found = None
    left = np.ones(rows, dtype=bool)
    far = divergence != TOTAL_VARIATION and _probably_far(p, q)
    threshold = LEAST_DIRECT.get(divergence, (0.0, 0.0))[p.shape[1] >= FEW]
    if np.any(far) and not _all_near(p, q, threshold):
        found = _direct(divergence, p, q)
        left = ~(far & (found.value >= threshold) & (found.value < math.inf))
    if found is None or left.any():
        some = (v if len(v) == 1 or left.all() else v[left] for v in (p, q))
        near, lost = _near(divergence, *some)
        value = near.value
        for row in np.flatnonzero(lost):
            lone = (v if len(v) == 1 else v[left][row][None] for v in (p, q))
            value[row] = accurate(np, divergence, *(v[0] for v in lone))
        if found is None:
            found = near
        else:
            found.value[left] = value
            found = found._replace(least=np.minimum(found.least, near.least))
    for row in np.flatnonzero(found.value >= CAPS[divergence] * NEAR_ONE):
        first, second = (vector[row if len(vector) > 1 else 0] for vector in (p, q))
        alone = found._replace(value=found.value[row])
        found.value[row] = capped(divergence, first, second, alone).value
    return found


def capped(divergence: str, p: Array, q: Array, found: Values) -> Values:
    """The value of a row in its range, exactly at the cap for disjoint supports."""
    cap = CAPS[divergence]
    if divergence == KL or not found.value >= cap * NEAR_ONE:
        return found
    disjoint = not np.any((p > 0) & (q > 0))
    return found._replace(value=np.float64(cap if disjoint else min(found.value, cap)))


def _probably_far(p: Array, q: Array) -> Any:
    """Whether the first entries of a row differ by so much that the logarithms may do."""
    if p.shape[-1] <= LONG:
        return True if p.ndim == 1 else np.ones(1, dtype=bool)
    p, q = as_float64(p[..., :PROBE]), as_float64(q[..., :PROBE])
    return _sum(np.abs(p - q), axis=-1) >= PROBED_DISTANCE * _sum(p + q, axis=-1)


def _all_near(p: Float64Array, q: Float64Array, threshold: float) -> bool:
    """Whether no row of a block will reach the threshold, by an upper bound of KL: chi-squared."""
    first, second = p[:4], q[:4]
    if float(np.abs(first - second).sum()) > 0.1 * float(first.sum()) or p.shape[1] > LONG:
        return False
    change = p - q
    change /= q
    largest = max(float(change.max()), -float(change.min()))
    return bool(largest * largest < 0.5 * threshold)  # KL at most its mean square; JS less


def _direct(divergence: str, p: Float64Array, q: Float64Array) -> Values:
    """KL or JS of rows by logarithms; NaN where the masses are too far from each other."""
    least, p_mass, q_mass, *totals = _LOGARITHMS[divergence](p, q)
    value = _FROM_LOGARITHMS[divergence](p_mass, q_mass, *totals)
    value[~(np.abs(q_mass - p_mass) <= LARGEST_DEFECT[divergence])] = math.nan
    return Values(value, p_mass, q_mass, least)


def _kl_of_sums(p_mass: Any, q_mass: Any, total: Any) -> Any:
    move = (q_mass - p_mass) / p_mass
    return total / p_mass + (move - 0.5 * (move * move))


def _js_of_sums(p_mass: Any, q_mass: Any, of_p: Any, of_q: Any) -> Any:
    half = 0.5 * (q_mass - p_mass)
    value = (of_p + of_q) + (of_p * (half / p_mass) - of_q * (half / q_mass))
    return 0.5 * value / (0.5 * (p_mass + q_mass))


def _near(divergence: str, p: Array, q: Array) -> tuple[Values, Any]:
    """Any divergence from the differences, and whether more than rounding was lost."""
    least, p_mass, q_mass, excess = _row_sums(_masses, p, q)
    half = 0.5 * excess
    total, moved = _row_sums(_TERMS[divergence], p, q, half / p_mass, half / q_mass)
    size = np.abs(excess)
    unequal = moved + size > 0
    value = np.where(unequal, total / (0.5 * (p_mass + q_mass)), 0.0)
    # The l1 distance is at most moved + size, so that half of it is left where moved >= size.
    lost = unequal & ((moved < size) | ~(value >= LEAST_VALUE))
    return Values(value if excess.ndim else value[()], p_mass, q_mass, least), lost


def _row_sums(formula: Callable[..., Sums], p: Array, q: Array, *of_rows: Array) -> Sums:
    """What ``formula`` sums over rows; a long row is summed block by block, then without error.

    The first sum of those without ``of_rows`` is the least entry.
    """
    count = p.shape[-1]
    columns = [vector[..., None] for vector in of_rows]
    if count <= BLOCK:
        return formula(p, q, *columns)
    parts = []
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        blocks = (np.ascontiguousarray(as_float64(vector[part])) for vector in (p, q))
        parts.append(formula(*blocks, *columns))
    sums = [sum_up([float(part) for part in column]) for column in zip(*parts, strict=True)]
    if not of_rows:
        sums[0] = _least([float(part[0]) for part in parts])
    return tuple(sums)


def sum_up(values: list[float]) -> Any:
    try:
        return np.float64(math.fsum(values))
    except (OverflowError, ValueError):  # beyond the floats, or infinities of both signs
        return np.float64(math.nan)


def _masses(p: Float64Array, q: Float64Array) -> Sums:
    """The least entry, and sums of p, q and q - p."""
    least = min(_least(p, axis=None), _least(q, axis=None))
    return least, _sum(p, axis=-1), _sum(q, axis=-1), _sum(q - p, axis=-1)


def _weighted_logarithm(p: Float64Array, q: Float64Array, zeros: bool) -> Any:
    """Sum of p log(p/q) over rows; 0 where p is."""
    ratio = p / q
    if zeros:
        ratio = np.fmax(ratio, _TINY, out=ratio)
    np.log(ratio, out=ratio)
    np.multiply(ratio, p, out=ratio)
    return _sum(ratio, axis=-1)


def _kl_logarithms(p: Float64Array, q: Float64Array) -> Sums:
    least = _least(p, axis=None)
    total = _weighted_logarithm(p, q, bool(least == 0))
    if not least > 0:  # beside a positive p, a negative q has made the total NaN
        least = min(least, _least(q, axis=None))
    return least, _sum(p, axis=-1), _sum(q, axis=-1), total


def _js_logarithms(p: Float64Array, q: Float64Array) -> Sums:
    if p.ndim == 1 and p.size <= SHORT:
        return _js_logarithms_together(p, q)
    p_least, q_least = _least(p, axis=None), _least(q, axis=None)
    middle = p + q
    middle *= 0.5
    of_p = _weighted_logarithm(p, middle, bool(p_least == 0))
    of_q = _weighted_logarithm(q, middle, bool(q_least == 0))
    return min(p_least, q_least), _sum(p, axis=-1), _sum(q, axis=-1), of_p, of_q


def _js_logarithms_together(p: Float64Array, q: Float64Array) -> Sums:
    """The same bits in half as many calls of NumPy, which are what few atoms cost."""
    least = min(*p.tolist(), *q.tolist())  # not of a NaN, which the masses tell
    rows = np.empty((4, p.size))
    pair = rows[:2]
    pair[0], pair[1] = p, q
    middle = p + q
    middle *= 0.5
    ratio = pair / middle
    if least == 0:
        np.fmax(ratio, _TINY, out=ratio)
    np.multiply(np.log(ratio, out=ratio), pair, out=rows[2:])
    return least, *_sum(rows, axis=-1).tolist()


_LOGARITHMS: dict[str, Callable[..., Sums]] = {KL: _kl_logarithms, JS: _js_logarithms}
_FROM_LOGARITHMS: dict[str, Callable[..., Any]] = {KL: _kl_of_sums, JS: _js_of_sums}


def _difference_and_total(
    p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """The difference and sum of p' = p (1 + p_move), q' = q (1 - q_move).

    Swapping p and q changes the sign of the difference to the bit. What is left out would not
    change a bit.
    """
    move, stretch = 0.5 * (p_move + q_move), 1.0 + 0.5 * (p_move - q_move)
    stretched = (stretch != 1.0).any()
    difference, total = p - q, p + q
    step = total * move
    if stretched:
        total *= stretch
    if (np.abs(move) >= UNSEEN).any():
        total += difference * move
    if stretched:
        difference *= stretch
    difference += step
    return difference, total


def _total_variation_terms(
    p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array
) -> Sums:
    difference, _ = _difference_and_total(p, q, p_move, q_move)
    moved = _sum(np.abs(difference, out=difference), axis=-1)
    return 0.5 * moved, moved


def _divergence_terms(divergence: str) -> Callable[..., Sums]:
    def terms(p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array) -> Sums:
        difference, total = _difference_and_total(p, q, p_move, q_move)
        t = difference / total
        square = t * t

        def summed(way: int, rows: Any) -> Any:
            some = [array[rows] for array in (difference, total, t, square)]
            if way < len(TERMS):
                return NEAR_SUMS[divergence](*some, TERMS[way])
            pair = (p + p * p_move)[rows], (q - q * q_move)[rows]
            return _near_and_far(divergence, *pair, *some)

        ways = series_ways(_most(square, axis=-1))
        way = ways if square.ndim == 1 else ways[0]
        if square.ndim == 1 or (ways == way).all():
            value = summed(way, ...)
        else:
            value = np.empty(len(square))
            for way in np.unique(ways):
                value[ways == way] = summed(way, ways == way)
        return value, _sum(np.abs(difference, out=difference), axis=-1)

    return terms


def _near_and_far(
    divergence: str, p: Array, q: Array, difference: Array, total: Array, t: Array, square: Array
) -> Any:
    near = square < SERIES_RADIUS**2
    value = NEAR_TERMS[divergence](np, difference, total, t, square)
    far = ~near  # NaN where both vectors vanish
    value[far] = FAR_TERMS[divergence](np, p[far], q[far], difference[far])
    return _sum(value, axis=-1)


_TERMS: dict[str, Callable[..., Sums]] = {
    TOTAL_VARIATION: _total_variation_terms,
    KL: _divergence_terms(KL),
    JS: _divergence_terms(JS),
}
