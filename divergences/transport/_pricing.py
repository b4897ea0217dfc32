r"""Pricing over a pair of kd-trees: which pairs contradict the potentials, and the best for a point.

The reduced cost of a pair is :math:`r = d(x, y) - f(x) + g(y)`. On node a of the tree of x let
:math:`-f(x) \ge \beta_a + v_a \cdot (x - c_a)`, on node b likewise for g, with half-widths h. A
norm is convex, so with a subgradient s of it at :math:`c_b - c_a`

.. math:: r \ge |c_b - c_a| + \beta_a + \beta_b - \sum_k |s + v_b|_k h_{b k}
    - \sum_k |v_a - s|_k h_{a k} .

Along a transport ray the potentials have slope s, the sums nearly vanish, and whole pairs of nodes
are passed over; the plain bound (box distance plus the least values) serves where nodes are large.
"""

import math

import numpy as np

from .._typing import Float64Array, IntArray
from ._jit import jit
from ._kd_tree import Minorant, Tree
from ._norms import box_distance, distance, slope


def _largest_step(x: Float64Array, a: int, y: Float64Array, b: int) -> int:
    """The axis of the largest coordinate difference."""
    axis = 0
    for k in range(1, x.shape[1]):
        if abs(y[b, k] - x[a, k]) > abs(y[b, axis] - x[a, axis]):
            axis = k
    return axis


largest_step = jit(_largest_step, inline=True)


def _subgradient(
    x: Float64Array, a: int, y: Float64Array, b: int, k: int, length: float, order: float
) -> float:
    """Entry k of a subgradient of the norm at y_b - x_a, whose norm is ``length``."""
    step = y[b, k] - x[a, k]
    if order != math.inf:
        return slope(step, length, order)
    if step == 0.0 or largest_step(x, a, y, b) != k:
        return 0.0
    return math.copysign(1.0, step)


subgradient = jit(_subgradient, inline=True)


def _tilt(
    x: Float64Array, a: int, y: Float64Array, b: int, length: float, order: float,
    slopes: tuple[Float64Array, Float64Array], halves: tuple[Float64Array, Float64Array],
) -> float:  # fmt: skip
    """The two sums of the bound above, for nodes a and b with centres x and y."""
    total = 0.0
    if order == 2.0:
        inverse = 1.0 / length if length > 0.0 else 0.0
        for k in range(x.shape[1]):
            s = (y[b, k] - x[a, k]) * inverse
            total += abs(s + slopes[1][b, k]) * halves[1][b, k]
            total += abs(slopes[0][a, k] - s) * halves[0][a, k]
        return total
    for k in range(x.shape[1]):
        s = subgradient(x, a, y, b, k, length, order)
        total += abs(s + slopes[1][b, k]) * halves[1][b, k]
        total += abs(slopes[0][a, k] - s) * halves[0][a, k]
    return total


tilt = jit(_tilt, inline=True)


def _excluded(
    x: Tree, at_x: Minorant, a: int, y: Tree, at_y: Minorant, b: int, order: float,
    threshold: float,
) -> bool:  # fmt: skip
    """Whether no reduced cost between node a and node b is below the threshold."""
    length = distance(x.centre, a, y.centre, b, order)
    rays = length + at_x.base[a] + at_y.base[b]
    if rays < threshold:
        return False
    rays -= tilt(
        x.centre, a, y.centre, b, length, order, (at_x.slope, at_y.slope), (x.half, y.half)
    )  # fmt: skip
    if rays >= threshold:
        return True
    apart = box_distance(x.centre, x.half, a, y.centre, y.half, b, order)
    return apart + at_x.least[a] + at_y.least[b] >= threshold


excluded = jit(_excluded, inline=True)


def _bound_of_point(
    x: Float64Array, i: int, y: Tree, at_y: Minorant, b: int, order: float
) -> float:
    """Lower bound of d(x_i, y) + g(y) over node b."""
    length = distance(x, i, y.centre, b, order)
    rays = length + at_y.base[b]
    if order == 2.0:
        inverse = 1.0 / length if length > 0.0 else 0.0
        for k in range(x.shape[1]):
            s = (y.centre[b, k] - x[i, k]) * inverse
            rays -= abs(s + at_y.slope[b, k]) * y.half[b, k]
        return rays
    for k in range(x.shape[1]):
        s = subgradient(x, i, y.centre, b, k, length, order)
        rays -= abs(s + at_y.slope[b, k]) * y.half[b, k]
    return rays


bound_of_point = jit(_bound_of_point, inline=True)


def _keep(value: float, index: int, values: Float64Array, indices: IntArray, row: int) -> None:
    """Insert into a row's ascending list if smaller than its last entry."""
    k = values.shape[1] - 1
    if value >= values[row, k]:
        return
    while k > 0 and values[row, k - 1] > value:
        values[row, k] = values[row, k - 1]
        indices[row, k] = indices[row, k - 1]
        k -= 1
    values[row, k] = value
    indices[row, k] = index


keep = jit(_keep, inline=True)


def _smallest_of_point(
    x: Float64Array, i: int, y: Tree, at_y: Minorant, order: float, values: Float64Array,
    indices: IntArray, stack: IntArray, bounds: Float64Array, leaves: int,
) -> None:  # fmt: skip
    """Search for one point, depth first, the more promising child first, in so many leaves."""
    m, last = y.points.shape[0], values.shape[1] - 1
    height = 1
    stack[0], bounds[0] = 1, -np.inf
    while height and leaves:
        height -= 1
        node = stack[height]
        if bounds[height] >= values[i, last]:
            continue
        if node >= 1 << y.depth:
            leaves -= 1
            k = node - (1 << y.depth)
            for j in range((k * m) >> y.depth, ((k + 1) * m) >> y.depth):
                keep(distance(x, i, y.points, j, order) + at_y.values[j], j, values, indices, i)
            continue
        first = bound_of_point(x, i, y, at_y, 2 * node, order)
        second = bound_of_point(x, i, y, at_y, 2 * node + 1, order)
        nearer = 0 if first <= second else 1
        stack[height], bounds[height] = 2 * node + 1 - nearer, max(first, second)
        stack[height + 1], bounds[height + 1] = 2 * node + nearer, min(first, second)
        height += 2


smallest_of_point = jit(_smallest_of_point, inline=True)


def _smallest(
    x: Float64Array, y: Tree, at_y: Minorant, order: float, count: int, leaves: int
) -> tuple[Float64Array, IntArray]:
    """The ``count`` smallest d(x_i, y_j) + g_j of each point, ascending, and their j.

    Missing ones (fewer than ``count`` points y) are inf, with index -1. The search of a point ends
    after ``leaves`` leaves of the tree, the most promising first: it is exact if that is negative.
    """
    values = np.full((x.shape[0], count), np.inf)
    indices = np.full((x.shape[0], count), -1)
    stack = np.empty(2 * y.depth + 3, dtype=np.int64)
    bounds = np.empty(2 * y.depth + 3)
    for i in range(x.shape[0]):
        smallest_of_point(x, i, y, at_y, order, values, indices, stack, bounds, leaves)
    return values, indices


smallest = jit(_smallest)


def _price_leaves(
    x: Tree, at_x: Minorant, a: int, y: Tree, at_y: Minorant, b: int, order: float,
    threshold: float, of_x: tuple[Float64Array, IntArray], of_y: tuple[Float64Array, IntArray],
) -> None:  # fmt: skip
    """Price the pairs between leaf a and leaf b (numbered from 0)."""
    n, m = x.points.shape[0], y.points.shape[0]
    start, stop = (b * m) >> y.depth, ((b + 1) * m) >> y.depth
    leaf = b + (1 << y.depth)
    for i in range((a * n) >> x.depth, ((a + 1) * n) >> x.depth):
        if bound_of_point(x.points, i, y, at_y, leaf, order) + at_x.values[i] >= threshold:
            continue
        for j in range(start, stop):
            reduced = at_x.values[i] + at_y.values[j]
            reduced += distance(x.points, i, y.points, j, order)
            if reduced < threshold:
                keep(reduced, j, of_x[0], of_x[1], i)
                keep(reduced, i, of_y[0], of_y[1], j)


price_leaves = jit(_price_leaves, inline=True)


def _price(
    x: Tree, at_x: Minorant, y: Tree, at_y: Minorant, order: float, threshold: float, count: int
) -> tuple[tuple[Float64Array, IntArray], tuple[Float64Array, IntArray]]:
    """The ``count`` smallest reduced costs below the threshold, of each x and of each y.

    ``at_x`` are minorants of -f. Lists as those of ``smallest``, with 0 for missing values.
    """
    of_x = np.zeros((x.points.shape[0], count)), np.full((x.points.shape[0], count), -1)
    of_y = np.zeros((y.points.shape[0], count)), np.full((y.points.shape[0], count), -1)
    stack = np.empty((4 * (x.depth + y.depth) + 8, 2), dtype=np.int64)
    height = 1
    stack[0] = 1
    while height:
        height -= 1
        a, b = stack[height, 0], stack[height, 1]
        if excluded(x, at_x, a, y, at_y, b, order, threshold):
            continue
        a_splits, b_splits = a < 1 << x.depth, b < 1 << y.depth
        if not (a_splits or b_splits):
            leaves = a - (1 << x.depth), b - (1 << y.depth)
            price_leaves(
                x, at_x, leaves[0], y, at_y, leaves[1], order, threshold, of_x, of_y
            )  # fmt: skip
            continue
        for child_a in range(2 * a if a_splits else a, 2 * a + 2 if a_splits else a + 1):
            for child_b in range(2 * b if b_splits else b, 2 * b + 2 if b_splits else b + 1):
                stack[height, 0], stack[height, 1] = child_a, child_b
                height += 1
    return of_x, of_y


price = jit(_price)
