"""Does a leaf of the kd-tree hold a point that contradicts? Where pricing spends its time.

A leaf's points lie in a block (see ``_kd_tree.blocks``): coordinates and values, ``LEAF`` of each,
contiguous. Loops of fixed length without branches become vector instructions, so the question is
answered for all of them at once; who contradicts is looked up only where some do.
"""

import math

from .._typing import Float64Array
from ._jit import jit
from ._kd_tree import LEAF

_ROUNDING = 1e-13  # relative, of norms


def _near_in_the_plane(
    x: Float64Array, i: int, blocks: Float64Array, leaf: int, threshold: float
) -> bool:
    found = False
    for k in range(LEAF):
        first, second = blocks[leaf, 0, k] - x[i, 0], blocks[leaf, 1, k] - x[i, 1]
        room = max(threshold - blocks[leaf, 2, k], 0.0)
        found |= first * first + second * second < room * room
    return found


near_in_the_plane = jit(_near_in_the_plane, once=True)


def _near_in_space(
    x: Float64Array, i: int, blocks: Float64Array, leaf: int, threshold: float
) -> bool:
    found = False
    for k in range(LEAF):
        first, second = blocks[leaf, 0, k] - x[i, 0], blocks[leaf, 1, k] - x[i, 1]
        third = blocks[leaf, 2, k] - x[i, 2]
        room = max(threshold - blocks[leaf, 3, k], 0.0)
        found |= first * first + second * second + third * third < room * room
    return found


near_in_space = jit(_near_in_space, once=True)


def _accumulate(
    x: Float64Array, i: int, blocks: Float64Array, leaf: int, order: float, sums: Float64Array
) -> None:
    """The coordinate differences: their sum or maximum, or of other orders that of their squares.

    Powers take ten times as long, and a norm of order p bounds the Euclidean one. ``sums`` (LEAF,).
    """
    for k in range(LEAF):
        sums[k] = 0.0
    for axis in range(blocks.shape[1] - 1):
        if order == 1.0:
            for k in range(LEAF):
                sums[k] += abs(blocks[leaf, axis, k] - x[i, axis])
        elif order == math.inf:
            for k in range(LEAF):
                sums[k] = max(sums[k], abs(blocks[leaf, axis, k] - x[i, axis]))
        else:
            for k in range(LEAF):
                step = blocks[leaf, axis, k] - x[i, axis]
                sums[k] += step * step


accumulate = jit(_accumulate, once=True)


def _near(
    x: Float64Array, i: int, blocks: Float64Array, leaf: int, order: float, threshold: float,
    sums: Float64Array,
) -> bool:  # fmt: skip
    r"""Whether some d(x_i, y) + g(y) of a leaf is below the threshold; ``sums`` (LEAF,) is space.

    Of orders p other than 1, 2 and inf: whether some may be, by
    :math:`|z|_2 \\le d^{(1/2 - 1/p)^+} |z|_p`.
    """
    d = blocks.shape[1] - 1
    if order == 2.0 and d == 2:
        return near_in_the_plane(x, i, blocks, leaf, threshold)
    if order == 2.0 and d == 3:
        return near_in_space(x, i, blocks, leaf, threshold)
    accumulate(x, i, blocks, leaf, order, sums)
    most = 1.0
    if order != 1.0 and order != 2.0 and order != math.inf:  # noqa: PLR1714
        most = (1.0 + _ROUNDING) * float(d) ** max(0.5 - 1.0 / order, 0.0)
    found = False
    for k in range(LEAF):
        room = max(threshold - blocks[leaf, d, k], 0.0) * most
        if order != 1.0 and order != math.inf:  # noqa: PLR1714
            room *= room
        found |= sums[k] < room
    return found


near = jit(_near, once=True)
