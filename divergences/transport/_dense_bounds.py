r"""Lower bounds of Euclidean distances of all pairs, at the speed of a matrix product.

.. math:: |x - y|^2 = |x|^2 + |y|^2 - 2 x \cdot y

takes one multiplication and addition a coordinate, and loses the digits of close pairs. In single
precision it is a *guide*: which pairs matter. It is made a lower bound by the error of a sum of d
products (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1),

.. math:: 2 |\mathrm{fl}(x \cdot y) - x \cdot y| \le 2 (d + 1) u |x| |y| \le (d + 1) u
    (|x|^2 + |y|^2), \qquad u = 2^{-24} ,

so a pair that the bound excludes is excluded for certain, and the few others are decided by their
coordinate differences. The kernel sums the products of a pair in one fixed order, hence always to
the same bits, which no BLAS promises.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array
from ._jit import jit

Float32Array = NDArray[np.float32]

_UNIT = 2.0**-24
_ROWS = 4  # the kernel works on so many rows, coordinates and columns at once
_WIDTH = 128


class Centred(NamedTuple):
    """Clouds in single precision around their mean, in the order in which the kernel reads them.

    ``x`` (n', d'), ``y`` (panels, d', 128): padded by zeros; ``x_squares``, ``y_squares`` are
    lowered squares of lengths, ``x_error``, ``y_error`` what rounding may have moved a point.
    """

    x: Float32Array
    y: Float32Array
    x_squares: Float32Array
    y_squares: Float32Array
    x_error: Float32Array
    y_error: Float32Array


def centred(x: Float64Array, y: Float64Array) -> Centred:
    """Both clouds, whose distances are at most about 1."""
    centre = x.mean(axis=0) / 2 + y.mean(axis=0) / 2
    x_part, x_squares, x_error = _single(x, centre, _ROWS)
    y_part, y_squares, y_error = _single(y, centre, _WIDTH)
    panels = y_part.reshape(-1, _WIDTH, y_part.shape[1]).transpose(0, 2, 1)
    return Centred(x_part, np.ascontiguousarray(panels), x_squares, y_squares, x_error, y_error)


def _single(
    points: Float64Array, centre: Float64Array, multiple: int
) -> tuple[Float32Array, Float32Array, Float32Array]:
    count, dimension = points.shape
    shape = (-(-count // multiple) * multiple, -(-dimension // _ROWS) * _ROWS)
    part = np.zeros(shape, dtype=np.float32)
    part[:count, :dimension] = points - centre
    lengths = np.sqrt(np.einsum("ij,ij->i", part, part, dtype=np.float64))
    # The last terms cover the sum of the three parts, its root, and what underflows.
    squares = lengths**2 * (1 - 1.01 * (dimension + 8) * _UNIT)
    error = 4 * _UNIT * lengths + 2.0**-50
    return part, squares.astype(np.float32), error.astype(np.float32)


def _lower_bounds(
    x: Float32Array, y: Float32Array, x_squares: Float32Array, y_squares: Float32Array,
    x_error: Float32Array, y_error: Float32Array, start: int, stop: int, out: Float32Array,
) -> None:  # fmt: skip
    """Lower bounds of the distances of rows ``start`` (a multiple of 4) to ``stop``, in ``out``."""
    width, coordinates, columns = y.shape[2], y.shape[1], out.shape[1]
    sums = np.empty((4, width), dtype=np.float32)
    for panel in range(y.shape[0]):
        for i in range(start, stop, 4):
            sums[:] = 0
            for k in range(0, coordinates, 4):
                a0, a1, a2, a3 = x[i, k], x[i, k + 1], x[i, k + 2], x[i, k + 3]
                b0, b1, b2, b3 = x[i + 1, k], x[i + 1, k + 1], x[i + 1, k + 2], x[i + 1, k + 3]
                c0, c1, c2, c3 = x[i + 2, k], x[i + 2, k + 1], x[i + 2, k + 2], x[i + 2, k + 3]
                e0, e1, e2, e3 = x[i + 3, k], x[i + 3, k + 1], x[i + 3, k + 2], x[i + 3, k + 3]
                for j in range(width):
                    y0, y1 = y[panel, k, j], y[panel, k + 1, j]
                    y2, y3 = y[panel, k + 2, j], y[panel, k + 3, j]
                    sums[0, j] = a3 * y3 + (a2 * y2 + (a1 * y1 + (a0 * y0 + sums[0, j])))
                    sums[1, j] = b3 * y3 + (b2 * y2 + (b1 * y1 + (b0 * y0 + sums[1, j])))
                    sums[2, j] = c3 * y3 + (c2 * y2 + (c1 * y1 + (c0 * y0 + sums[2, j])))
                    sums[3, j] = e3 * y3 + (e2 * y2 + (e1 * y1 + (e0 * y0 + sums[3, j])))
            first = panel * width
            for row in range(min(4, stop - i)):
                square, error = x_squares[i + row], x_error[i + row]
                for j in range(min(width, columns - first)):
                    length = square + y_squares[first + j] - np.float32(2) * sums[row, j]
                    length = math.sqrt(max(length, np.float32(0)))
                    length = length - error - y_error[first + j]
                    out[i + row - start, first + j] = max(length, np.float32(0))


lower_bounds = jit(_lower_bounds, fused=True)


def _lengths(x: Float64Array, rows: NDArray[np.int64], y: Float64Array, columns: NDArray[np.int64],
             start: int, stop: int, out: Float64Array) -> None:  # fmt: skip
    """Euclidean distances of the listed pairs ``start`` to ``stop``, by coordinate differences.

    Eight sums side by side: they are what the processor adds at once.
    """
    dimension = x.shape[1]
    whole = dimension - dimension % 8
    for number in range(start, stop):
        i, j = rows[number], columns[number]
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for k in range(0, whole, 8):
            s0 += (x[i, k] - y[j, k]) ** 2
            s1 += (x[i, k + 1] - y[j, k + 1]) ** 2
            s2 += (x[i, k + 2] - y[j, k + 2]) ** 2
            s3 += (x[i, k + 3] - y[j, k + 3]) ** 2
            s4 += (x[i, k + 4] - y[j, k + 4]) ** 2
            s5 += (x[i, k + 5] - y[j, k + 5]) ** 2
            s6 += (x[i, k + 6] - y[j, k + 6]) ** 2
            s7 += (x[i, k + 7] - y[j, k + 7]) ** 2
        for k in range(whole, dimension):
            s0 += (x[i, k] - y[j, k]) ** 2
        out[number] = math.sqrt(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)))


lengths = jit(_lengths)
