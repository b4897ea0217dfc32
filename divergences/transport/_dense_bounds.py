r"""Lower bounds of Euclidean distances of all pairs, at the speed of a matrix product.

.. math:: |x - y|^2 = |x|^2 + |y|^2 - 2 x \cdot y

takes one multiplication and addition a coordinate, and loses the digits of close pairs. In single
precision it is a *guide*: which pairs matter. It is made a lower bound by the error of a sum of d
products, taken c at a time (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002,
sections 3.1 and 4.2), no product enters more than k additions:

.. math:: 2 |\mathrm{fl}(x \cdot y) - x \cdot y| \le 2 (k + 1) u |x| |y| \le (k + 1) u
    (|x|^2 + |y|^2), \qquad k = c + \lceil d / c \rceil, \quad u = 2^{-24} ,

so a pair that the bound excludes is excluded for certain, and the few others are decided by their
coordinate differences. The kernel sums the products of a pair in one fixed order, hence always to
the same bits, which no BLAS promises.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array
from ._jit import jit
from ._products import ROWS, FloatArray, add_products, width

Float32Array = NDArray[np.float32]

_CHAIN = 64  # products of a pair that are summed by themselves
_TOGETHER, _PANELS = 24, 4  # rows and panels that meet while they are at hand
# Bounds are sharp if the squares of nearest distances are so many times their error; looked at in
# so many rows.
_SHARP, _ROWS_TRIED = 2.0**10, 16


class Centred(NamedTuple):
    """Clouds around their mean, in single or double precision, in the order of the kernel.

    ``x`` (n', d), ``y`` (panels, d, width): padded by zeros; ``x_squares``, ``y_squares`` are
    lowered squares of lengths, ``x_error``, ``y_error`` what rounding may have moved a point.
    Bounds are to be multiplied by ``share`` before they are rounded to single precision.
    """

    x: FloatArray
    y: FloatArray
    x_squares: FloatArray
    y_squares: FloatArray
    x_error: FloatArray
    y_error: FloatArray
    share: np.floating[Any]


def centred(x: Float64Array, y: Float64Array, size: float = 1.0) -> Centred:
    """Both clouds over their ``size``, a power of two that makes their distances at most about 1.

    Single precision, unless points lie so close together, seen from the centre, that its bounds
    would not tell their distances apart: in tight clusters.
    """
    clouds = _clouds(x, y, size, np.float32)
    rows = min(_ROWS_TRIED, x.shape[0])
    bounds = np.empty((rows, y.shape[0]), dtype=np.float32)
    lower_bounds(*clouds, 0, rows, bounds)
    nearest = float(np.median(bounds.min(axis=1)))
    squares = float(clouds.x_squares.mean()) + float(clouds.y_squares.mean())
    lost = _lost(x.shape[1], float(np.finfo(np.float32).eps)) * squares
    return clouds if nearest**2 > _SHARP * lost else _clouds(x, y, size, np.float64)


def _clouds(
    x: Float64Array, y: Float64Array, size: float, precision: type[np.floating[Any]]
) -> Centred:
    centre = x.mean(axis=0) / 2 + y.mean(axis=0) / 2
    x_part, x_squares, x_error = _rounded(x, centre, size, ROWS, precision)
    columns = width(precision)
    y_part, y_squares, y_error = _rounded(y, centre, size, columns, precision)
    panels = np.ascontiguousarray(y_part.reshape(-1, columns, y_part.shape[1]).transpose(0, 2, 1))
    share = precision(1.0 if precision is np.float32 else 1.0 - np.finfo(np.float32).eps)
    return Centred(x_part, panels, x_squares, y_squares, x_error, y_error, share)


def _lost(dimension: int, eps: float) -> float:
    """By which share the squares of lengths are lowered; ``eps`` is 2 u."""
    additions = min(dimension, _CHAIN) + -(-dimension // _CHAIN)
    # The last terms cover the sum of the three parts, its root, and what underflows.
    return 1.01 * (additions + 8) * eps / 2


def _rounded(
    points: Float64Array, centre: Float64Array, size: float, multiple: int,
    precision: type[np.floating[Any]],
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    (count, dimension), eps = points.shape, float(np.finfo(precision).eps)
    part = np.zeros((-(-count // multiple) * multiple, dimension), dtype=precision)
    np.subtract(points, centre, out=part[:count], casting="same_kind")
    if size != 1:
        part *= precision(1 / size)
    lengths = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    squares = lengths**2 * (1 - _lost(dimension, eps))
    error = 2 * eps * lengths + 2.0**-50
    return part, squares.astype(precision), error.astype(precision)


def _lower_bounds(
    x: FloatArray, y: FloatArray, x_squares: FloatArray, y_squares: FloatArray,
    x_error: FloatArray, y_error: FloatArray, share: np.floating[Any], start: int, stop: int,
    out: Float32Array,
) -> None:  # fmt: skip
    """Lower bounds of the distances of rows ``start`` (a multiple of 4) to ``stop``, in ``out``."""
    width, coordinates, columns = y.shape[2], y.shape[1], out.shape[1]
    sums = np.empty((_TOGETHER, _PANELS * width), x.dtype)
    for top in range(start, stop, _TOGETHER):
        rows = min(_TOGETHER, stop - top)
        for first in range(0, columns, sums.shape[1]):
            panel = first // width
            for row in range(_TOGETHER):
                for j in range(sums.shape[1]):
                    sums[row, j] = 0
            for k in range(min(_PANELS, y.shape[0] - panel)):
                for begin in range(0, coordinates, _CHAIN):
                    end = min(begin + _CHAIN, coordinates)
                    for row in range(0, rows, ROWS):
                        add_products(x, top + row, y, panel + k, begin, end, sums, row, k * width)
            squares, errors = y_squares[first:], y_error[first:]
            for row in range(rows):
                square, error = x_squares[top + row], x_error[top + row]
                found = out[top + row - start, first : first + sums.shape[1]]
                for j in range(found.size):
                    length = square + squares[j] - np.float32(2) * sums[row, j]
                    length = math.sqrt(max(length, np.float32(0)))
                    length = (length - error - errors[j]) * share
                    found[j] = max(length, np.float32(0))


lower_bounds = jit(_lower_bounds, fused=True)
