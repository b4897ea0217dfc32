"""Euclidean distances in many coordinates, by coordinate differences, compiled.

Sums are taken in the order in which the processor adds several numbers at once: always the same
one, and more accurate than one after another. Squares must be safe.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array
from ._jit import jit
from ._threads import over_blocks

_CACHED = 1 << 15  # coordinates of the points that meet all others before the next ones do
_ROWS = 64  # of a thread's block
_SERIAL = 1 << 24  # coordinates that one thread takes before others are awake


def _all_lengths(
    x: Float64Array, first: int, last: int, y: Float64Array, out: Float64Array
) -> None:
    """The distances of points ``first`` to ``last`` from all others, in these rows of ``out``.

    Two points by two: each coordinate read serves two pairs.
    """
    m, dimension = y.shape[0], x.shape[1]
    together = max(2, _CACHED // dimension // 2 * 2)
    for start in range(0, m, together):
        for i in range(first, last, 2):
            other_i = min(i + 1, last - 1)
            for j in range(start, min(start + together, m), 2):
                other_j = min(j + 1, m - 1)
                s00 = s01 = s10 = s11 = 0.0
                for k in range(dimension):
                    x0, x1, y0, y1 = x[i, k], x[other_i, k], y[j, k], y[other_j, k]
                    s00 += (x0 - y0) ** 2
                    s01 += (x0 - y1) ** 2
                    s10 += (x1 - y0) ** 2
                    s11 += (x1 - y1) ** 2
                out[i, j], out[i, other_j] = math.sqrt(s00), math.sqrt(s01)
                out[other_i, j], out[other_i, other_j] = math.sqrt(s10), math.sqrt(s11)


all_lengths = jit(_all_lengths, fused=True, reordered=True)


def matrix(x: Float64Array, y: Float64Array) -> Float64Array:
    """The distances of all pairs of x (n, d) and y (m, d); O(n m d)."""
    (n, d), m = x.shape, y.shape[0]
    x, y, found = np.ascontiguousarray(x), np.ascontiguousarray(y), np.empty((n, m))
    rows = _ROWS if n * m * d > _SERIAL else n
    over_blocks(lambda i: all_lengths(x, i, min(i + rows, n), y, found), range(0, n, rows))
    return found


def _lengths(x: Float64Array, rows: NDArray[np.int64], y: Float64Array, columns: NDArray[np.int64],
             start: int, stop: int, out: Float64Array) -> None:  # fmt: skip
    """The distances of the listed pairs ``start`` to ``stop``."""
    for number in range(start, stop):
        i, j = rows[number], columns[number]
        square = 0.0
        for k in range(x.shape[1]):
            square += (x[i, k] - y[j, k]) ** 2
        out[number] = math.sqrt(square)


lengths = jit(_lengths, fused=True, reordered=True)
