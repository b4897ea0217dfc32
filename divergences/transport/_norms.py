r"""Norms of differences inside compiled kernels, their subgradients, and boxes.

Points are rows; ``order`` is that of the norm, at least 1 (2 Euclidean, 1 cityblock, inf
Chebyshev). Coordinates are scaled by the caller so that the largest distance is about 1, hence
plain squares: what underflows is far below the rounding of the largest distance.
"""

import math

import numpy as np

from .._typing import Float64Array, IntArray
from ._jit import jit


def _distance(
    x: Float64Array, i: int, y: Float64Array, j: int, dimension: int, order: float
) -> float:
    """|x_i - y_j|, the coordinates being the first columns; O(d)."""
    if order == 2.0:
        if dimension == 2:
            first, second = x[i, 0] - y[j, 0], x[i, 1] - y[j, 1]
            return math.sqrt(first * first + second * second)
        total = 0.0
        for k in range(dimension):
            step = x[i, k] - y[j, k]
            total += step * step
        return math.sqrt(total)
    total = 0.0
    for k in range(dimension):
        step = abs(x[i, k] - y[j, k])
        if order == 1.0:
            total += step
        elif order == math.inf:
            total = max(total, step)
        else:
            total += step**order
    return total if order == 1.0 or order == math.inf else total ** (1 / order)  # noqa: PLR1714


distance = jit(_distance, inline=True)


def _slope(step: float, length: float, order: float) -> float:
    """One entry of a subgradient of the norm at a vector of this length (not for order inf)."""
    if length == 0.0:
        return 0.0
    if order == 2.0:
        return step / length
    if order == 1.0:
        return math.copysign(1.0, step) if step != 0.0 else 0.0
    return math.copysign((abs(step) / length) ** (order - 1), step)


slope = jit(_slope, once=True)


def _box_distance(
    x: Float64Array, a: int, y: Float64Array, b: int, dimension: int, order: float
) -> float:
    """Smallest distance between two boxes, rows of centres and then half-widths."""
    total = 0.0
    for k in range(dimension):
        step = abs(x[a, k] - y[b, k]) - x[a, dimension + k] - y[b, dimension + k]
        if step <= 0.0:
            continue
        if order == 2.0:
            total += step * step
        elif order == 1.0:
            total += step
        elif order == math.inf:
            total = max(total, step)
        else:
            total += step**order
    if order == 2.0:
        return math.sqrt(total)
    return total if order == 1.0 or order == math.inf else total ** (1 / order)  # noqa: PLR1714


box_distance = jit(_box_distance, once=True)


def _distances(
    x: Float64Array, rows: IntArray, y: Float64Array, columns: IntArray, order: float
) -> Float64Array:
    """Distances of listed pairs."""
    result = np.empty(rows.size)
    for k in range(rows.size):
        result[k] = distance(x, rows[k], y, columns[k], x.shape[1], order)
    return result


distances = jit(_distances)
