"""The critic at many points: where distance + height is least, by a search in a kd-tree."""

import numpy as np

from .._typing import Float64Array, IntArray


def lowest(z: Float64Array, anchors: Float64Array, heights: Float64Array, order: float) -> IntArray:
    """For each z (k, d) the anchor (m, d) of least |z - anchor| + height, under the norm of order.

    O(d m log m) for the tree, and O(log m) a point where its bounds exclude most nodes.
    """
    from ._kd_tree import below, build, sort
    from ._pricing import smallest

    low = np.minimum(z.min(axis=0), anchors.min(axis=0))
    high = np.maximum(z.max(axis=0), anchors.max(axis=0))
    middle = low / 2 + high / 2
    exponent = int(np.frexp(np.abs(high - middle).max())[1]) + 1  # kernels want a box of size 1
    points = np.ldexp(anchors - middle, -exponent)
    index = sort(points)
    tree = below(build(points), np.ldexp(heights[index], -exponent))
    z = np.ldexp(z - middle, -exponent)
    found = smallest(z, *tree, tree.blocks, order, 1, -1)[1][:, 0]
    return index[found]
