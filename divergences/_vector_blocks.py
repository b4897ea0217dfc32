r"""Values of the divergences of NumPy vectors, block by block in cache, in plain double precision.

``_vector_terms`` computes in twice the working precision, in many passes; here a row takes the first of
three ways whose error is known to be a few ulps, and ``_vector_terms`` is the last of them.

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
from typing import NamedTuple

import numpy as np

from ._array import as_float64
from ._typing import Array, Float64Array
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

BLOCK = 8192  # entries: four such arrays of doubles stay in a core's cache
PROBE = 64  # entries of a row that say which way to try first
PROBED_DISTANCE = 0.15  # total variation on them from which the logarithms are tried
LEAST_DIRECT = {KL: 0.4, JS: 0.06}  # divergences from which their rounding is a few ulps
LARGEST_DEFECT = 1e-6  # of the masses; JS is corrected to first order in it
LEAST_SHARE = 0.5  # of the differences that normalisation may leave
LEAST_VALUE = 1e-270
CAPS = {TOTAL_VARIATION: 1.0, KL: math.inf, JS: LOG_2}
_TINY = 5e-324

Sums = tuple[Float64Array, ...]


class Moves(NamedTuple):
    """What takes p and q to their common mass ``mass``: p (1 + p_move) and q (1 - q_move)."""

    p_move: Float64Array
    q_move: Float64Array
    mass: Float64Array


class Values(NamedTuple):
    """A divergence of each row, and whether every mass and sign is surely in order."""

    value: Float64Array
    in_order: bool


def evaluate(divergence: str, p: Array, q: Array, tolerance: float) -> Values:
    """The divergence of the rows of p and q.

    Parameters
    ----------
    divergence : str
        Its public name.
    p, q : real NumPy arrays (..., k) that broadcast, k at least 1
        Their values are not trusted: see ``in_order``.
    tolerance : float
        How far a mass may lie from 1.

    Returns
    -------
    Values
        ``value`` of the broadcast shape (...), right for all vectors of non-negative entries whose
        masses are near 1. ``in_order`` is False if something is negative, not finite or of a mass
        too far from 1, or too near to that to be decided here.
    """
    shape = np.broadcast_shapes(p.shape, q.shape)
    count = shape[-1]
    first, second = _rows(p, shape), _rows(q, shape)
    rows = math.prod(shape[:-1])
    values = np.empty(rows)
    in_order = True
    step = max(1, BLOCK // count)
    with np.errstate(all="ignore"):
        for start in range(0, rows, step):
            part = slice(start, start + step)
            chunk = _Chunk(_part(first, part), _part(second, part), tolerance)
            values[part] = chunk.values(divergence)
            in_order = in_order and chunk.in_order
    return Values(values.reshape(shape[:-1]), in_order)


def _rows(array: Array, shape: tuple[int, ...]) -> Array:
    """``array`` as rows, one row alone if all are the same."""
    if array.size == shape[-1]:
        return array.reshape(1, shape[-1])
    return np.broadcast_to(array, shape).reshape(-1, shape[-1])


def _part(rows: Array, part: slice) -> Array:
    rows = rows if rows.shape[0] == 1 else rows[part]
    # A long row stays in its dtype, and is taken to float64 block by block.
    return rows if rows.shape[1] > BLOCK else np.ascontiguousarray(as_float64(rows))


class _Chunk:
    """A few rows that fit a block together, or one long row."""

    def __init__(self, p: Array, q: Array, tolerance: float) -> None:
        self.p, self.q = p, q
        self.tolerance = tolerance
        self.in_order = True

    def values(self, divergence: str) -> Float64Array:
        rows = max(self.p.shape[0], self.q.shape[0])
        if divergence == TOTAL_VARIATION:
            return _capped(divergence, self.p, self.q, self._near(divergence, self.p, self.q))
        value = np.full(rows, np.nan)
        apart = self._apart()
        if apart.any():
            value[apart] = self._direct(divergence, *self._some(apart))
        left = ~(value >= LEAST_DIRECT[divergence]) | np.isinf(value)
        if left.any():
            value[left] = self._near(divergence, *self._some(left))
        return _capped(divergence, self.p, self.q, value)

    def _some(self, chosen: Float64Array) -> tuple[Array, Array]:
        if chosen.all():
            return self.p, self.q
        return tuple(v if v.shape[0] == 1 else v[chosen] for v in (self.p, self.q))  # type: ignore[return-value]

    def _apart(self) -> Float64Array:
        """Whether the first entries of a row differ by so much that the logarithms may do."""
        p, q = (as_float64(vector[:, :PROBE]) for vector in (self.p, self.q))
        distance = np.add.reduce(np.abs(p - q), axis=-1)
        return np.asarray(distance >= PROBED_DISTANCE * np.add.reduce(p + q, axis=-1))

    def _check(self, p_mass: Float64Array, q_mass: Float64Array, faults: Float64Array) -> None:
        # The plain sums are good to far less than half of the tolerance.
        off = max(np.abs(p_mass - 1.0).max(), np.abs(q_mass - 1.0).max())
        self.in_order = bool(self.in_order and not faults.any() and off <= 0.5 * self.tolerance)

    def _direct(self, divergence: str, p: Array, q: Array) -> Float64Array:
        if divergence == KL:
            p_mass, q_mass, faults, total = _row_sums(_kl_direct, p, q)
            self._check(p_mass, q_mass, faults)
            return np.asarray(total / p_mass + np.log1p((q_mass - p_mass) / p_mass))
        p_mass, q_mass, faults, of_p, of_q = _row_sums(_js_direct, p, q)
        self._check(p_mass, q_mass, faults)
        moves = _moves(p_mass, q_mass, q_mass - p_mass)
        value = 0.5 * ((of_p + of_q) + (of_p * moves.p_move - of_q * moves.q_move)) / moves.mass
        return np.where(np.abs(moves.p_move) <= LARGEST_DEFECT, value, np.nan)

    def _near(self, divergence: str, p: Array, q: Array) -> Float64Array:
        p_mass, q_mass, faults, excess, distance = _row_sums(_masses, p, q)
        self._check(p_mass, q_mass, faults)
        moves = _moves(p_mass, q_mass, excess)
        total, moved = _row_sums(_TERMS[divergence], p, q, moves.p_move, moves.q_move)
        value = np.asarray(total / moves.mass)
        lost = (moved < LEAST_SHARE * distance) | ~(value >= LEAST_VALUE)
        lost &= distance > 0  # equal vectors: 0
        value[~(distance > 0)] = 0.0
        for row in np.flatnonzero(lost):
            pair = (as_float64(v[0 if v.shape[0] == 1 else row]) for v in (p, q))
            value[row] = accurate(np, divergence, *pair)
        return value


def _moves(p_mass: Float64Array, q_mass: Float64Array, excess: Float64Array) -> Moves:
    half = 0.5 * excess
    return Moves(half / p_mass, half / q_mass, 0.5 * (p_mass + q_mass))


def _row_sums(formula: Callable[..., Sums], p: Array, q: Array, *of_rows: Float64Array) -> Sums:
    """What ``formula`` sums over rows; a long row is summed block by block, then without error."""
    count = p.shape[1]
    columns = [vector[..., None] for vector in of_rows]
    if count <= BLOCK:
        return formula(p, q, *columns)
    parts = []
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        blocks = (np.ascontiguousarray(as_float64(vector[:, part])) for vector in (p, q))
        parts.append(formula(*blocks, *columns))
    return tuple(
        np.array([_sum_up([float(entry[0]) for entry in column])])
        for column in zip(*parts, strict=True)
    )


def _sum_up(values: list[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond the floats, or infinities of both signs
        return math.nan


def _faults(p: Float64Array, q: Float64Array) -> tuple[float, float, Float64Array]:
    least = np.minimum.reduce(p, axis=None), np.minimum.reduce(q, axis=None)
    return *least, np.asarray([float(not (least[0] >= 0 and least[1] >= 0))])


def _masses(p: Float64Array, q: Float64Array) -> Sums:
    """Sums of p, q, faults, q - p and abs(q - p)."""
    *_, faults = _faults(p, q)
    difference = q - p
    excess = np.add.reduce(difference, axis=-1)
    distance = np.add.reduce(np.abs(difference, out=difference), axis=-1)
    return np.add.reduce(p, axis=-1), np.add.reduce(q, axis=-1), faults, excess, distance


def _weighted_logarithm(p: Float64Array, q: Float64Array, zeros: bool) -> Float64Array:
    """Sum of p log(p/q) over rows; 0 where p is."""
    ratio = p / q
    if zeros:
        ratio = np.fmax(ratio, _TINY, out=ratio)
    np.log(ratio, out=ratio)
    np.multiply(ratio, p, out=ratio)
    return np.asarray(np.add.reduce(ratio, axis=-1))


def _kl_direct(p: Float64Array, q: Float64Array) -> Sums:
    least, _, faults = _faults(p, q)
    total = _weighted_logarithm(p, q, least == 0)
    return np.add.reduce(p, axis=-1), np.add.reduce(q, axis=-1), faults, total


def _js_direct(p: Float64Array, q: Float64Array) -> Sums:
    p_least, q_least, faults = _faults(p, q)
    middle = p + q
    middle *= 0.5
    of_p = _weighted_logarithm(p, middle, p_least == 0)
    of_q = _weighted_logarithm(q, middle, q_least == 0)
    return np.add.reduce(p, axis=-1), np.add.reduce(q, axis=-1), faults, of_p, of_q


def _difference(
    p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """d, and what p and q move by; swapping p and q changes the sign of d to the bit."""
    p_step, q_step = p * p_move, q * q_move
    return (p - q) + (p_step + q_step), p_step, q_step


def _total_variation_terms(
    p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array
) -> Sums:
    difference, *_ = _difference(p, q, p_move, q_move)
    moved = np.add.reduce(np.abs(difference, out=difference), axis=-1)
    return 0.5 * moved, moved


def _divergence_terms(divergence: str) -> Callable[..., Sums]:
    near_terms, far_terms = NEAR_TERMS[divergence], FAR_TERMS[divergence]

    def terms(p: Float64Array, q: Float64Array, p_move: Float64Array, q_move: Float64Array) -> Sums:
        difference, p_step, q_step = _difference(p, q, p_move, q_move)
        total = (p + q) + (p_step - q_step)
        t = difference / total
        square = t * t
        near = square < SERIES_RADIUS**2
        value = near_terms(np, difference, total, t, square)
        if not near.all():  # NaN where both vectors vanish
            far = ~near
            value[far] = far_terms(np, (p + p_step)[far], (q - q_step)[far], difference[far])
        moved = np.add.reduce(np.abs(difference, out=difference), axis=-1)
        return np.add.reduce(value, axis=-1), moved

    return terms


_TERMS: dict[str, Callable[..., Sums]] = {
    TOTAL_VARIATION: _total_variation_terms,
    KL: _divergence_terms(KL),
    JS: _divergence_terms(JS),
}


def _capped(divergence: str, p: Array, q: Array, value: Float64Array) -> Float64Array:
    """``value`` in its range, exactly at the cap for disjoint supports."""
    cap = CAPS[divergence]
    if not math.isinf(cap):
        for row in np.flatnonzero(value >= cap * (1.0 - 2.0**-40)):
            first, second = (v[0 if v.shape[0] == 1 else row] for v in (p, q))
            disjoint = ((first == 0) | (second == 0)).all()
            value[row] = cap if disjoint else min(value[row], cap)
    return value
