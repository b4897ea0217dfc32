r"""Minimum-cost flow on the graph of a regular grid, from coarse grids to the fine one.

.. math:: \min_\phi \sum_{\text{arcs}} h_e |\phi_e|, \qquad \operatorname{div} \phi = p - q ,

the Beckmann form of :math:`W_1` for the cityblock metric, whose geodesics run along the axes: 2 d
arcs a cell instead of all pairs of cells. Ling and Okada, *An efficient earth mover's distance
algorithm for robust histogram comparison*, IEEE Trans. PAMI 29 (2007).

Cells are joined in pairs along one axis, then another; the optimal basis of the coarse problem,
with each coarse arc put between two cells of its pairs and each pair joined, is the first basis of
the fine one. Pivots then come to .15 a cell (digits) to .6 (noise) on 128 by 128 cells; with blocks
of two by two it was twice as many. A pivot leaves the potentials of a large
subtree outdated: the arcs found with them are checked on their cycle, and every so often all
potentials are made new.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import IntArray
from ._grid_tree import DONE, NO_PARENT, REFUSED, GridTree, pivot, settle
from ._jit import jit, variable
from ._result import CertificateError

_BLOCK = 4  # cells searched for a pivot
_AT_ONCE = 0.03  # share of the cells whose potentials a pivot may change at once
_LATER = 0.02  # pivots that left potentials outdated, or found nothing by them, of the cells
_SWEEPS = 10  # renewals of all potentials between two looks at the clock
_FEW_CELLS = 4  # the coarsest grid
_STAGES = 1_000_000  # far beyond any problem met: the guard against a cycle


class Grid(NamedTuple):
    """Cells of a grid: ``shape``, which axes are periodic, and integer distances of neighbours."""

    shape: tuple[int, ...]
    periodic: tuple[bool, ...]
    length: tuple[int, ...]


def neighbours(grid: Grid) -> NDArray[np.int32]:
    """The neighbour of each cell in each direction, shape (N + 1, 2 d); N where there is none."""
    count = int(np.prod(grid.shape))
    cells = np.arange(count).reshape(grid.shape)
    table = np.full((count + 1, 2 * len(grid.shape)), count, dtype=np.int32)
    for axis, periodic in enumerate(grid.periodic):
        here = np.moveaxis(cells, axis, 0)
        table[here[:-1].ravel(), 2 * axis] = here[1:].ravel()
        table[here[1:].ravel(), 2 * axis + 1] = here[:-1].ravel()
        if periodic:
            table[here[-1].ravel(), 2 * axis] = here[0].ravel()
            table[here[0].ravel(), 2 * axis + 1] = here[-1].ravel()
    return table


def axis_to_halve(grid: Grid) -> int:
    """The axis whose cells are the closest, then the longest: blocks become cubes, then fewer."""
    axes = [axis for axis, size in enumerate(grid.shape) if size > 1]
    return min(axes, key=lambda axis: (grid.length[axis], -grid.shape[axis]))


def coarser(grid: Grid, axis: int) -> Grid:
    """The grid of blocks of two cells along an axis (the last of an odd number is alone)."""
    shape, periodic, length = list(grid.shape), list(grid.periodic), list(grid.length)
    shape[axis] = -(-shape[axis] // 2)
    periodic[axis] = periodic[axis] and shape[axis] > 2
    length[axis] *= 2
    return Grid(tuple(shape), tuple(periodic), tuple(length))


def comb(grid: Grid) -> tuple[NDArray[np.int8], int]:
    """A spanning tree, directions and root: along the first axis back to 0, then the next."""
    cells = np.indices(grid.shape).reshape(len(grid.shape), -1)
    return _towards(cells, np.zeros_like(cells), np.full(cells.shape[1], NO_PARENT)), 0


def refined(
    grid: Grid, axis: int, parent: NDArray[np.int8], root: int
) -> tuple[NDArray[np.int8], int]:
    """A spanning tree of ``grid`` from one of ``coarser(grid, axis)``: directions and root."""
    cells = np.indices(grid.shape).reshape(len(grid.shape), -1)
    blocks = cells.copy()
    blocks[axis] //= 2
    block = np.ravel_multi_index(tuple(blocks), coarser(grid, axis).shape)
    direction = parent[block]
    gates = cells.copy()  # the cell of each block from which its arc to the parent goes
    gates[axis] = 2 * blocks[axis]
    ahead = direction == 2 * axis
    gates[axis, ahead] = np.minimum(gates[axis, ahead] + 1, grid.shape[axis] - 1)
    tree = _towards(cells, gates, direction)
    return tree, int(np.nonzero((block == root) & (tree[:-1] == NO_PARENT))[0][0])


def _towards(cells: IntArray, goals: IntArray, arrived: NDArray[np.int8]) -> NDArray[np.int8]:
    """Directions that lead each cell to its goal axis by axis; at the goal, ``arrived``."""
    parent = np.full(cells.shape[1] + 1, NO_PARENT, dtype=np.int8)
    parent[:-1] = arrived
    for axis in reversed(range(cells.shape[0])):
        before, behind = cells[axis] < goals[axis], cells[axis] > goals[axis]
        parent[:-1][before] = 2 * axis
        parent[:-1][behind] = 2 * axis + 1
    return parent


def _cheapest(
    neighbour: NDArray[np.int32], length: IntArray, potential: IntArray, start: int, stop: int
) -> tuple[int, int]:
    """Source and direction of the arc that exceeds its length most, of some cells; -1 if none."""
    outside = neighbour.shape[0] - 1
    most, source, way = 0, -1, -1
    for u in range(start, stop):
        for direction in range(0, neighbour.shape[1], 2):
            v = neighbour[u, direction]
            if v == outside:
                continue
            fall = potential[u] - potential[v]
            excess = abs(fall) - length[direction >> 1]
            if excess > most:
                most = excess
                source, way = (u, direction) if fall > 0 else (v, direction ^ 1)
    return source, way


cheapest = jit(_cheapest, once=True)


def _run(
    neighbour: NDArray[np.int32], length: IntArray, excess: IntArray, parent: NDArray[np.int8],
    size: NDArray[np.int32], flow: IntArray, potential: IntArray, order: NDArray[np.int32],
    first: int, at_once: int, later: int, sweeps: int,
) -> int:  # fmt: skip
    """Pivot to optimality (returns -1), or until all potentials were made new ``sweeps`` times.

    Returns the first cell of the block to go on with.
    """
    count = excess.size
    start, quiet, outdated = first, 0, 0
    while quiet < count or outdated:
        if quiet >= count or outdated >= later:
            settle(neighbour, length, excess, parent, size, flow, potential, order)
            quiet, outdated = 0, 0
            sweeps -= 1
            if sweeps < 0:
                return start
        stop = min(start + _BLOCK, count)
        u, direction = cheapest(neighbour, length, potential, start, stop)
        done = REFUSED
        if u >= 0:
            root = variable(order[0])
            done = pivot(
                neighbour, length, parent, size, flow, potential, root, u, direction, at_once
            )
            outdated += done != DONE
        quiet = quiet + stop - start if done == REFUSED else 0
        start = stop if stop < count else 0
    settle(neighbour, length, excess, parent, size, flow, potential, order)
    return -1


run = jit(_run)


def _first_basis(grid: Grid, excess: IntArray) -> tuple[NDArray[np.int8], int]:
    """A spanning tree, directions and root: the optimal one of the coarser grid, refined."""
    if excess.size <= _FEW_CELLS:
        return comb(grid)
    axis = axis_to_halve(grid)
    blocks = np.add.reduceat(excess, np.arange(0, grid.shape[axis], 2), axis=axis)
    *_, tree = optimise(coarser(grid, axis), blocks)
    return refined(grid, axis, tree.parent, int(tree.order[0]))


def optimise(grid: Grid, excess: IntArray) -> Iterator[GridTree]:
    """Bases of the minimum-cost flow, better and better; the last one is optimal.

    ``excess`` (of the grid's shape, int64, of sum 0) is the mass to carry away from each cell.
    Lengths times cells must stay below 2**60. Between the bases (milliseconds to a second) the
    caller may stop; their arrays are reused, and only the last one's potentials are optimal.
    """
    parent, root = _first_basis(grid, excess)
    count = excess.size
    neighbour, length = neighbours(grid), np.array(grid.length, dtype=np.int64)
    excess = np.ascontiguousarray(excess, dtype=np.int64).ravel()
    tree = GridTree(
        parent,
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int64),
        np.zeros(count + 1, dtype=np.int64),
        np.full(count, root, dtype=np.int32),
    )
    settle(neighbour, length, excess, *tree)
    at_once, later = int(_AT_ONCE * count), max(10, int(_LATER * count))
    start = 0
    for _ in range(_STAGES):
        start = run(neighbour, length, excess, *tree, start, at_once, later, _SWEEPS)
        yield tree
        if start < 0:
            return
    message = f"the simplex on the grid did not end in {_STAGES} stages"
    raise CertificateError(message)
