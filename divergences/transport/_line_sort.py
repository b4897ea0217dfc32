"""Numbers in increasing order with the weights they carry, by a sort of numbers alone.

``np.sort`` is several times faster than ``np.argsort``: so the index of each number is written over
the last bits of its mantissa, and what results is sorted. Numbers that agree in the other bits may
then be out of order. A few are settled by insertion sort or, in short rows, by ``np.argsort``;
where there are many (numbers crowded around an offset and elsewhere) ``np.argsort`` does it all.
"""

import math

import numpy as np

from .._array import as_float64
from .._typing import Float64Array, IntArray

_NARROW = 2.0**-8  # spread, relative to an offset, below which the offset is subtracted
_MOVES = 4  # moves a number after which the insertion sort gives up


def sorted_with_weights(points: Float64Array, weights: Float64Array) -> Float64Array:
    """Rows (point, weight) in the order of the points, and a last one (inf, 0); O(n log n)."""
    from ._line_kernels import settle

    points = as_float64(points)
    size = points.size
    rows = np.empty((size, 2))
    rows[:, 0], rows[:, 1] = points, weights
    result = np.empty((size + 1, 2))
    result[size] = math.inf, 0.0
    # One gather of rows: point and weight lie in one line of the cache.
    np.take(rows, _nearly_sorted(points), axis=0, out=result[:size], mode="clip")
    if not settle(result, size, _MOVES * size):
        order = np.argsort(points, kind="stable")
        np.take(rows, order, axis=0, out=result[:size], mode="clip")
    return result


def increasing_order(points: Float64Array) -> tuple[Float64Array, IntArray]:
    """The points sorted over the last axis, and the indices that sort them."""
    order = _nearly_sorted(points)
    found = np.take_along_axis(points, order, axis=-1)
    wrong = (found[..., 1:] < found[..., :-1]).any(axis=-1)
    if wrong.any():
        order[wrong] = np.argsort(points[wrong], axis=-1, kind="stable")
        found[wrong] = np.take_along_axis(points[wrong], order[wrong], axis=-1)
    return found, order


def _nearly_sorted(points: Float64Array) -> IntArray:
    """Indices in the order of the leading bits of the points, over the last axis."""
    least, greatest = float(points.min()), float(points.max())
    middle = least / 2 + greatest / 2
    narrow = greatest / 2 - least / 2 < _NARROW * abs(middle)
    keys = points - middle if narrow else points.copy()
    bits = keys.view(np.int64)
    last = (1 << points.shape[-1].bit_length()) - 1
    bits &= ~last
    bits |= np.arange(points.shape[-1])
    keys.sort(axis=-1)
    bits &= last
    return bits
