r"""Balanced kd-trees without pointers, whose nodes double as a hierarchy of clusters.

Points are put in an order in which node k of level l owns the slice

.. math:: [\lfloor k n / 2^l \rfloor, \lfloor (k + 1) n / 2^l \rfloor) .

Nodes are numbered like a heap: the root is 1, the children of node a are 2a and 2a + 1, so level l
is 2^l to 2^(l+1) - 1. A node has the box of its points (centre and half-widths) and, for values
given at the points, an affine function below all of them: where the values are those of a
potential, nearly affine along transport rays, it bounds them far better than their minimum.
"""

from typing import NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray
from ._jit import jit

LEAF = 32  # points that a leaf holds at most, and at least half of them (if there are so many)
_SAMPLE = 64  # points of a node that its slope is fitted to
_RIDGE = 1e-9


class Tree(NamedTuple):
    """Points (n, d) in tree order; ``boxes`` of nodes (2^(depth+1), 2d): centre, half-widths."""

    points: Float64Array
    boxes: Float64Array


class Bounded(NamedTuple):
    """A tree with values at its points and affine functions below them.

    ``points`` (n, d + 1) are coordinates and value; ``nodes`` (2^(depth+1), 3d + 2) are centre c,
    half-widths, slope v, base and least: on the node, values are at least base + v . (z - c), and
    at least least.
    """

    points: Float64Array
    nodes: Float64Array

    @property
    def blocks(self) -> Float64Array:
        """The points by leaf."""
        return blocks(self.points, self.nodes.shape[0].bit_length() - 2)


def _select(points: Float64Array, order: IntArray, axis: int, span: tuple[int, int, int]) -> None:
    """Permute rows start to stop so that those before ``middle`` are the smaller along axis."""
    start, middle, stop = span
    left, right = start, stop - 1
    while left < right:
        pivot = points[(left + right) // 2, axis]
        i, j = left, right
        while i <= j:
            while points[i, axis] < pivot:
                i += 1
            while points[j, axis] > pivot:
                j -= 1
            if i <= j:
                for k in range(points.shape[1]):
                    points[i, k], points[j, k] = points[j, k], points[i, k]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            right = j
        elif middle >= i:
            left = i
        else:
            return


select = jit(_select, once=True)


def _widest(points: Float64Array, start: int, stop: int) -> int:
    """The axis along which rows start to stop extend farthest."""
    best, axis = -1.0, 0
    for k in range(points.shape[1]):
        low, high = points[start, k], points[start, k]
        for i in range(start, stop):
            low, high = min(low, points[i, k]), max(high, points[i, k])
        if high - low > best:
            best, axis = high - low, k
    return axis


widest = jit(_widest, once=True)


def _sort(points: Float64Array) -> IntArray:
    """Put the points in tree order, in place; the permutation. O(n d log n)."""
    n = points.shape[0]
    order = np.arange(n)
    level = 0
    while n >> level > 1:
        for k in range(1 << level):
            start, stop = (k * n) >> level, ((k + 1) * n) >> level
            middle = ((2 * k + 1) * n) >> (level + 1)
            if stop - start > 1:
                axis = widest(points, start, stop)
                select(points, order, axis, (start, middle, stop))
        level += 1
    return order


sort = jit(_sort)


def _boxes(points: Float64Array, depth: int) -> Float64Array:
    """Centres and half-widths of all nodes, rounded outwards, shape (2^(depth+1), 2d); O(n d)."""
    n, dimension = points.shape
    low = np.zeros((2 << depth, dimension))
    high = np.zeros((2 << depth, dimension))
    for node in range((2 << depth) - 1, 0, -1):
        leaf = node - (1 << depth)
        for axis in range(dimension):
            if leaf >= 0:
                start, stop = (leaf * n) >> depth, ((leaf + 1) * n) >> depth
                least, most = points[start, axis], points[start, axis]
                for i in range(start + 1, stop):
                    least, most = min(least, points[i, axis]), max(most, points[i, axis])
            else:
                least = min(low[2 * node, axis], low[2 * node + 1, axis])
                most = max(high[2 * node, axis], high[2 * node + 1, axis])
            low[node, axis], high[node, axis] = least, most
    result = np.empty((2 << depth, 2 * dimension))
    for node in range(2 << depth):
        for axis in range(dimension):
            centre = (low[node, axis] + high[node, axis]) / 2
            result[node, axis] = centre
            result[node, dimension + axis] = max(
                high[node, axis] - centre, centre - low[node, axis]
            )
    return result


boxes = jit(_boxes)


def _fit(points: Float64Array, start: int, stop: int, centre: Float64Array) -> Float64Array:
    """Least-squares slope of the values (last column) of some rows, from a sample; O(d^3)."""
    dimension = points.shape[1] - 1
    stride = max(1, (stop - start) // _SAMPLE)
    square = np.zeros((dimension + 1, dimension + 2))
    row = np.empty(dimension + 2)
    for i in range(start, stop, stride):
        for k in range(dimension):
            row[k] = points[i, k] - centre[k]
        row[dimension], row[dimension + 1] = 1.0, points[i, dimension]
        for k in range(dimension + 1):
            for l in range(k, dimension + 2):  # noqa: E741
                square[k, l] += row[k] * row[l]
    trace = 0.0
    for k in range(dimension):
        trace += square[k, k]
    for k in range(dimension + 1):
        square[k, k] += _RIDGE * trace if k < dimension else 0.0
        for l in range(k):  # noqa: E741
            square[k, l] = square[l, k]
    return solve(square)[:dimension]


def _solve(square: Float64Array) -> Float64Array:
    """Solution of positive semidefinite equations (k, k + 1), 0 for what they leave open."""
    count = square.shape[0]
    for k in range(count - 1, -1, -1):
        pivot = square[k, k]
        for i in range(k):
            factor = square[i, k] / pivot if pivot > 0.0 else 0.0
            for l in range(count + 1):  # noqa: E741
                square[i, l] -= factor * square[k, l]
    solution = np.zeros(count)
    for k in range(count):
        total = square[k, count]
        for l in range(k):  # noqa: E741
            total -= square[k, l] * solution[l]
        if square[k, k] > 0.0:
            solution[k] = total / square[k, k]
    return solution


solve = jit(_solve, once=True)
fit = jit(_fit, once=True)


def _minorants(points: Float64Array, boxes: Float64Array) -> Float64Array:
    """The rows ``nodes`` of ``Bounded``, of points with values; O(n d log n)."""
    n, dimension = points.shape[0], points.shape[1] - 1
    nodes = np.zeros((boxes.shape[0], 3 * dimension + 2))
    for node in range(boxes.shape[0]):  # loops: assigning to slices takes a second to compile
        for column in range(2 * dimension):
            nodes[node, column] = boxes[node, column]
    level = 0
    while 2 << level <= boxes.shape[0]:
        for k in range(1 << level):
            node = (1 << level) + k
            start, stop = (k * n) >> level, ((k + 1) * n) >> level
            slope = fit(points, start, stop, boxes[node])
            length = 0.0
            for axis in range(dimension):
                length += slope[axis] * slope[axis]
            if not length <= 4.0 * dimension:  # a fit of rounding: a potential's slope is 1
                for axis in range(dimension):
                    slope[axis] = 0.0
            base, least = np.inf, np.inf
            for i in range(start, stop):
                residual = points[i, dimension]
                least = min(least, residual)
                for axis in range(dimension):
                    residual -= slope[axis] * (points[i, axis] - boxes[node, axis])
                base = min(base, residual)
            for axis in range(dimension):
                nodes[node, 2 * dimension + axis] = slope[axis]
            nodes[node, 3 * dimension], nodes[node, 3 * dimension + 1] = base, least
        level += 1
    return nodes


minorants = jit(_minorants)


def _blocks(points: Float64Array, depth: int) -> Float64Array:
    """The rows of ``points`` by leaf, shape (leaves, columns, LEAF), last columns filled with inf.

    A fixed number of points, each coordinate contiguous: loops over them become vector
    instructions.
    """
    n, leaves = points.shape[0], 1 << depth
    result = np.full((leaves, points.shape[1], LEAF), np.inf)
    for leaf in range(leaves):
        start, stop = (leaf * n) >> depth, ((leaf + 1) * n) >> depth
        for column in range(points.shape[1]):
            for i in range(start, stop):
                result[leaf, column, i - start] = points[i, column]
            if column < points.shape[1] - 1:
                for k in range(stop - start, LEAF):
                    result[leaf, column, k] = points[start, column]
    return result


blocks = jit(_blocks)


def depth_for(count: int) -> int:
    """Levels below the root of a tree of ``count`` points."""
    return max(0, (max(count, 1) - 1) // LEAF).bit_length()


def build(points: Float64Array) -> Tree:
    """The tree of points that are in tree order already."""
    return Tree(points, boxes(points, depth_for(points.shape[0])))


def below(tree: Tree, values: Float64Array) -> Bounded:
    """Affine functions below ``values`` (n,) on every node."""
    points = np.column_stack([tree.points, values])
    return Bounded(points, minorants(points, tree.boxes))
