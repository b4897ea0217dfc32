r"""Which pairs of many points could contradict potentials, without looking at all of them.

Written for the check of results, so it shares nothing with the solver: vectorised, level by level.
Both clouds are halved along their widest axis, level after level, into equally many equal groups. A
group a of x has a box with centre c and half-widths h, and an affine function below its values
:math:`-u \ge \beta + w \cdot (x - c)` (least squares, lowered); so has a group b of y for -v. Since
:math:`|y - x| \ge s \cdot (y - x)` for every s of dual norm at most 1,

.. math:: |y - x| - u - v \ge s \cdot (c_b - c_a) + \beta_a + \beta_b
    - \sum_k |s + w_b|_k h_{bk} - \sum_k |w_a - s|_k h_{ak} .

Pairs of groups for which that is positive, with s along the centres, are passed over; of the others
their halves are looked at, and in the end their points.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray

_GROUP = 12  # points of the smallest groups
_PAIRS_AT_ONCE = 1 << 14
_POINTS_AT_ONCE = 1 << 21
_MARGIN = 1e-12  # of the diameter: bounds are rounded by far less
_RIDGE = 1e-9


class _Groups(NamedTuple):
    """Of one level: boxes and affine functions below the values; rows are groups."""

    centre: Float64Array
    half: Float64Array
    slope: Float64Array
    base: Float64Array
    least: Float64Array


def near_pairs(
    x: Float64Array, y: Float64Array, u: Float64Array, v: Float64Array, order: float
) -> Iterator[tuple[IntArray, IntArray]]:
    """Indices (i, j) of all pairs with |x_i - y_j| - u_i - v_j below a tiny positive margin.

    And of few others. The norm is that of ``order``. O(n + m) memory; about O(n log n) time where
    few pairs come near.
    """
    depth = max(0, math.ceil(math.log2(max(x.shape[0], y.shape[0]) / _GROUP)))
    low: Float64Array = np.minimum(x.min(axis=0), y.min(axis=0))
    high: Float64Array = np.maximum(x.max(axis=0), y.max(axis=0))
    margin = _MARGIN * float(_norms((high - low)[None], order)[0])
    middle = low / 2 + high / 2
    x, y = x - middle, y - middle
    x_order, y_order = _halved(x, depth), _halved(y, depth)
    x_levels, y_levels = _levels(x[x_order], -u[x_order]), _levels(y[y_order], -v[y_order])
    start = np.zeros(1, dtype=np.int64)
    waiting = [(0, start, start)]
    while waiting:
        level, a, b = waiting.pop()
        near = _bounds(x_levels[level], a, y_levels[level], b, order) < margin
        a, b = a[near], b[near]
        if level == depth:
            yield from _points(x, u, x_order[a], y, v, y_order[b], order, margin)
            continue
        a = (2 * a[:, None] + np.array([0, 0, 1, 1])).ravel()
        b = (2 * b[:, None] + np.array([0, 1, 0, 1])).ravel()
        for begin in range(0, a.size, _PAIRS_AT_ONCE):
            part = slice(begin, begin + _PAIRS_AT_ONCE)
            waiting.append((level + 1, a[part], b[part]))


def _norms(vectors: Float64Array, order: float) -> Float64Array:
    sizes = np.abs(vectors)
    if order == 2.0:
        return np.asarray(np.sqrt(np.einsum("...k,...k->...", sizes, sizes)))
    if math.isinf(order):
        return np.asarray(sizes.max(axis=-1))
    return np.asarray((sizes**order).sum(axis=-1) ** (1 / order))


def _halved(points: Float64Array, depth: int) -> IntArray:
    """Indices of the points of each of 2^depth groups, some points standing twice."""
    count = 1 << depth
    size = -(-points.shape[0] // count)
    index = np.arange(size * count) * points.shape[0] // (size * count)
    for level in range(depth):
        rows = index.reshape(1 << level, -1)
        inside = points[rows]
        axes = np.ptp(inside, axis=1).argmax(axis=1)
        keys = np.take_along_axis(inside, axes[:, None, None], axis=2)[..., 0]
        index = np.take_along_axis(rows, np.argsort(keys, axis=1, kind="stable"), axis=1).ravel()
    return np.asarray(index.reshape(count, size))


def _levels(points: Float64Array, values: Float64Array) -> list[_Groups]:
    """The groups of every level, from those of the last: points (groups, size, d)."""
    found = []
    for level in range(points.shape[0].bit_length()):
        inside = points.reshape(1 << level, -1, points.shape[2])
        heights = values.reshape(1 << level, -1)
        low, high = inside.min(axis=1), inside.max(axis=1)
        centre = low / 2 + high / 2
        half = np.maximum(high - centre, centre - low)
        offset = inside - centre[:, None]
        slope = _fitted(offset, heights)
        base = (heights - np.einsum("gsk,gk->gs", offset, slope)).min(axis=1)
        found.append(_Groups(centre, half, slope, base, heights.min(axis=1)))
    return found


def _fitted(offset: Float64Array, heights: Float64Array) -> Float64Array:
    """Least-squares slopes, 0 where rounding alone would decide."""
    from_mean = offset - offset.mean(axis=1, keepdims=True)
    square = np.einsum("gsk,gsl->gkl", from_mean, from_mean)
    trace = np.einsum("gkk->g", square)
    square += (_RIDGE * trace + (trace == 0))[:, None, None] * np.eye(offset.shape[2])
    slope = np.linalg.solve(square, np.einsum("gsk,gs->gk", from_mean, heights)[..., None])[..., 0]
    sensible = np.abs(slope).max(axis=1) <= 2.0  # potentials have slope 1
    return np.where(sensible[:, None], slope, 0.0)


def _direction(step: Float64Array, order: float) -> Float64Array:
    """Vectors of dual norm 1 (or 0) with s . step = |step|."""
    if math.isinf(order):
        s = np.zeros_like(step)
        rows, axis = np.arange(step.shape[0]), np.abs(step).argmax(axis=1)
        s[rows, axis] = np.sign(step[rows, axis])
        return s
    length = _norms(step, order)[:, None]
    ratio = np.abs(step) / np.where(length > 0, length, 1.0)
    return np.sign(step) * ratio ** (order - 1)


def _bounds(x: _Groups, a: IntArray, y: _Groups, b: IntArray, order: float) -> Float64Array:
    """Lower bounds of |x - y| - u - v over pairs of groups."""
    step = y.centre[b] - x.centre[a]
    s = _direction(step, order)
    ray = (s * step).sum(axis=1) + x.base[a] + y.base[b]
    ray -= (np.abs(s + y.slope[b]) * y.half[b]).sum(axis=1)
    ray -= (np.abs(x.slope[a] - s) * x.half[a]).sum(axis=1)
    apart = _norms(np.maximum(np.abs(step) - x.half[a] - y.half[b], 0.0), order)
    return np.asarray(np.maximum(ray, apart + x.least[a] + y.least[b]))


def _points(
    x: Float64Array, u: Float64Array, rows: IntArray, y: Float64Array, v: Float64Array,
    columns: IntArray, order: float, margin: float,
) -> Iterator[tuple[IntArray, IntArray]]:  # fmt: skip
    """The near pairs of points, of pairs of groups given by the indices of their points."""
    step = max(1, _POINTS_AT_ONCE // (rows.shape[1] * columns.shape[1]))
    for begin in range(0, rows.shape[0], step):
        i, j = rows[begin : begin + step, :, None], columns[begin : begin + step, None, :]
        reduced = _norms(x[i] - y[j], order) - u[i] - v[j]
        pair, first, second = np.nonzero(reduced < margin)
        yield i[pair, first, 0], j[pair, 0, second]
