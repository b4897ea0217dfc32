r"""Pricing over a pair of kd-trees: which pairs contradict the potentials, the worst of a point.

The reduced cost of a pair is :math:`r = d(x, y) - f(x) + g(y)`. On node a of the tree of x let
:math:`-f(x) \ge \beta_a + v_a \cdot (x - c_a)`, on node b likewise for g, with half-widths h. A
norm is convex, so with a subgradient s of it at :math:`c_b - c_a`

.. math:: r \ge |c_b - c_a| + \beta_a + \beta_b - \sum_k |s + v_b|_k h_{b k}
    - \sum_k |v_a - s|_k h_{a k} .

Along a transport ray the potentials have slope s, the sums nearly vanish, and whole pairs of nodes
are passed over; the plain bound (box distance plus the least values) serves where nodes are large.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array
from ._jit import jit
from ._kd_tree import LEAF, Bounded
from ._leaves import near
from ._norms import box_distance, distance, slope
from ._threads import over_blocks

_BLOCKS = 64  # parts of x that threads take one after another

# Kernels take arrays one by one, x and y being points with values and a, b rows of nodes (see
# _kd_tree.Bounded): taking an array out of a tuple in a loop counts references, ten times the cost.


def _largest_step(x: Float64Array, i: int, y: Float64Array, j: int, dimension: int) -> int:
    """The axis of the largest coordinate difference."""
    axis = 0
    for k in range(1, dimension):
        if abs(y[j, k] - x[i, k]) > abs(y[j, axis] - x[i, axis]):
            axis = k
    return axis


largest_step = jit(_largest_step, once=True)


def _subgradient(
    x: Float64Array, i: int, y: Float64Array, j: int, k: int, dimension: int, length: float,
    order: float,
) -> float:  # fmt: skip
    """Entry k of a subgradient of the norm at y_j - x_i, whose norm is ``length``."""
    step = y[j, k] - x[i, k]
    if order != math.inf:
        return slope(step, length, order)
    if step == 0.0 or largest_step(x, i, y, j, dimension) != k:
        return 0.0
    return math.copysign(1.0, step)


subgradient = jit(_subgradient, inline=True)


def _excluded(
    x_nodes: Float64Array, a: int, y_nodes: Float64Array, b: int, order: float, threshold: float
) -> bool:
    """Whether no reduced cost between node a and node b is below the threshold."""
    d = x_nodes.shape[1] // 3
    length = distance(x_nodes, a, y_nodes, b, d, order)
    rays: float = length + x_nodes[a, 3 * d] + y_nodes[b, 3 * d]
    inverse = 1.0 / length if length > 0.0 else 0.0
    for k in range(d):
        if order == 2.0:
            s = (y_nodes[b, k] - x_nodes[a, k]) * inverse
        else:
            s = subgradient(x_nodes, a, y_nodes, b, k, d, length, order)
        rays -= abs(s + y_nodes[b, 2 * d + k]) * y_nodes[b, d + k]
        rays -= abs(x_nodes[a, 2 * d + k] - s) * x_nodes[a, d + k]
    if rays >= threshold:
        return True
    apart = box_distance(x_nodes, a, y_nodes, b, d, order)
    flat: float = apart + x_nodes[a, 3 * d + 1] + y_nodes[b, 3 * d + 1]
    return flat >= threshold


excluded = jit(_excluded, once=True)


def _bound_of_point(x: Float64Array, i: int, y_nodes: Float64Array, b: int, order: float) -> float:
    """Lower bound of d(x_i, y) + g(y) over node b."""
    d = y_nodes.shape[1] // 3
    length = distance(x, i, y_nodes, b, d, order)
    rays: float = length + y_nodes[b, 3 * d]
    for k in range(d):
        s = subgradient(x, i, y_nodes, b, k, d, length, order)
        rays -= abs(s + y_nodes[b, 2 * d + k]) * y_nodes[b, d + k]
    return rays


bound_of_point = jit(_bound_of_point, inline=True)


def _keep(
    value: float, index: int, values: NDArray[np.floating[Any]], indices: NDArray[Any], row: int
) -> None:
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


def _smallest(
    x: Float64Array, y: Float64Array, y_nodes: Float64Array, blocks: Float64Array, order: float,
    count: int, leaves: int,
) -> tuple[Float64Array, NDArray[np.int32]]:  # fmt: skip
    """The ``count`` smallest d(x_i, y_j) + g_j of each point, ascending, and their j.

    Missing ones (fewer than ``count`` points y) are inf, with index -1. The search of a point goes
    depth first, the more promising child first, and ends after ``leaves`` leaves: it is exact if
    that is negative. O(log m) a point where the bounds exclude most nodes.
    """
    m, first_leaf = y.shape[0], y_nodes.shape[0] // 2
    values = np.full((x.shape[0], count), np.inf)
    indices = np.full((x.shape[0], count), -1, dtype=np.int32)
    stack, bounds = np.empty(128, dtype=np.int64), np.empty(128)
    sums = np.empty(LEAF)
    for i in range(x.shape[0]):
        height, left = 1, leaves
        stack[0], bounds[0] = 1, -np.inf
        while height and left:
            height -= 1
            node = stack[height]
            if bounds[height] >= values[i, count - 1]:
                continue
            if node >= first_leaf:
                left -= 1
                k = node - first_leaf
                if not near(x, i, blocks, k, order, values[i, count - 1], sums):
                    continue
                for j in range(k * m // first_leaf, (k + 1) * m // first_leaf):
                    value = distance(x, i, y, j, x.shape[1], order) + y[j, x.shape[1]]
                    keep(value, j, values, indices, i)
                continue
            one = bound_of_point(x, i, y_nodes, 2 * node, order)
            other = bound_of_point(x, i, y_nodes, 2 * node + 1, order)
            nearer = 0 if one <= other else 1
            stack[height], bounds[height] = 2 * node + 1 - nearer, max(one, other)
            stack[height + 1], bounds[height + 1] = 2 * node + nearer, min(one, other)
            height += 2
    return values, indices


smallest = jit(_smallest)


def _price(
    x: Float64Array, x_nodes: Float64Array, y: Float64Array, y_nodes: Float64Array,
    blocks: Float64Array, order: float, threshold: float, top: int, values: Float64Array,
    indices: NDArray[np.int32],
) -> None:  # fmt: skip
    """The smallest reduced costs below the threshold of each x under node ``top``.

    Values of x are -f, of y are g. Rows of ``values`` (the threshold where there are fewer) and
    ``indices`` (-1) receive as many as they have columns, ascending.
    """
    n, m, d = x.shape[0], y.shape[0], x.shape[1] - 1
    leaf_a, leaf_b = x_nodes.shape[0] // 2, y_nodes.shape[0] // 2
    sums = np.empty(LEAF)
    stack = np.empty((512, 2), dtype=np.int64)
    stack[0, 0], stack[0, 1] = top, 1
    height = 1
    while height:
        height -= 1
        a, b = stack[height, 0], stack[height, 1]
        if excluded(x_nodes, a, y_nodes, b, order, threshold):
            continue
        if a >= leaf_a and b >= leaf_b:
            i, leaf = a - leaf_a, b - leaf_b
            start, stop = i * n // leaf_a, (i + 1) * n // leaf_a
            for i in range(start, stop):
                if not near(x, i, blocks, leaf, order, threshold - x[i, d], sums):
                    continue
                for j in range(leaf * m // leaf_b, (leaf + 1) * m // leaf_b):
                    reduced = distance(x, i, y, j, d, order) + x[i, d] + y[j, d]
                    if reduced < threshold:
                        keep(reduced, j, values, indices, i)
            continue
        for child_a in range(2 * a, 2 * a + 2) if a < leaf_a else range(a, a + 1):
            for child_b in range(2 * b, 2 * b + 2) if b < leaf_b else range(b, b + 1):
                stack[height, 0], stack[height, 1] = child_a, child_b
                height += 1


price_below = jit(_price)


def price(
    x: Bounded, y: Bounded, order: float, threshold: float, count: int
) -> tuple[Float64Array, NDArray[np.int32]]:
    """The ``count`` smallest reduced costs below the threshold of each x, ascending, and the y.

    Values of x are -f, of y are g. Shapes (n, count): the threshold and -1 where there are fewer.
    """
    n = x.points.shape[0]
    values, indices = np.full((n, count), threshold), np.full((n, count), -1, dtype=np.int32)
    first = min(_BLOCKS, x.nodes.shape[0] // 2)  # the nodes of one level
    blocks = y.blocks

    def block(node: int) -> None:
        price_below(*x, *y, blocks, order, threshold, node, values, indices)

    over_blocks(block, range(first, 2 * first))
    return values, indices
