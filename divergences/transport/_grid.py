r"""Two histograms on a regular grid: exact masses in, value and potential out, certified.

The common mass is cancelled first. Then, by what is left:

- one axis: :math:`W_1 = h \sum_i |C_i|`, C the cumulated difference of the masses; on a circle
  :math:`h \sum_i |C_i - m|` with m a median of the :math:`C_i` (Werman, Peleg, Rosenfeld 1985;
  Delon, Salomon, Sobolevski 2010);
- cityblock: a flow on the graph of the grid (``_grid_simplex``), inside the box of the cells that
  differ: no shortest path leaves it. Few cells, or few among many, are solved as points instead;
- other norms: as points, the network simplex, the multiscale one where there are many.

Integer heights solve the dual on a line, on a circle and for equal spacings; in every case the
potential is made feasible by sweeps along the axes (any f becomes its largest 1-Lipschitz minorant
:math:`\min_z f(z) + d(\cdot, z)`), and only then the duality gap is taken.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .._metrics import Metric, norm
from .._summation import total
from .._typing import Float64Array, IntArray
from . import _certificate, _line
from ._choose import solve_points, value_of_small
from ._masses import Marginals, Masses, as_fractions, in_units, marginals

_MASS_UNITS = 2**62  # int64 holds their sum, so flows never overflow
_FEW_PAIRS = 1 << 15  # of cells with more and cells with less mass: solved as points, at once
# A cell costs a flow some 6 microseconds, a point of the multiscale simplex some 80: where so large
# a share of the cells does not differ, points win (500 and 500 of 256 x 256: ten times).
_CELLS_A_POINT = 16
_ROUNDED = 5 * 2.0**-53  # what differences of masses, as floats, change the value by, in diameters
_PRECISION = 2.0**-45  # relative: what they may change it by
_LONGEST_PATH = 2**60


class GridSolution(NamedTuple):
    """The value, and an optimal potential: 1-Lipschitz, one entry a cell, sum (p - q) f = value."""

    value: float
    dual_value: float
    potential: Float64Array


class _Problem(NamedTuple):
    """Excess masses ``moved / total`` of some cells of a grid, the only ones where laws differ.

    Cells are numbered in the order of memory; every axis of the grid has two or more.
    """

    cells: IntArray
    moved: Masses
    total: int
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    periodic: tuple[bool, ...]

    def diameter(self, order: float) -> float:
        """The largest distance between cells, under the norm of this order."""
        steps = [
            size // 2 if wraps else size - 1
            for size, wraps in zip(self.shape, self.periodic, strict=True)
        ]
        return float(norm(np.array(self.spacing) * steps, order))

    def excess(self) -> Masses:
        """The masses of all cells."""
        excess = np.zeros(math.prod(self.shape), dtype=self.moved.dtype)
        excess[self.cells] = self.moved
        return excess.reshape(self.shape)

    def indices(self) -> tuple[IntArray, ...]:
        """Where the cells lie along the axes."""
        return np.unravel_index(self.cells, self.shape)


def solve_grid(
    p: Float64Array,
    q: Float64Array,
    spacing: tuple[float, ...],
    metric: Metric,
    periodic: tuple[bool, ...],
    *,
    everywhere: bool = True,
) -> GridSolution:
    """Optimal transport between histograms of one shape, normalised here; the metric is a norm.

    Unless ``everywhere``, the potential may be 0 at cells whose masses agree, which saves time.
    Axes of several cells are periodic for the cityblock metric only, unless there is one such axis.

    Raises
    ------
    CertificateError
        If the duality gap exceeds the tolerance.
    """
    cells, moved, mass = _exact_excess(p.ravel(), q.ravel())
    if not cells.size:
        return GridSolution(0.0, 0.0, np.zeros(p.shape))
    long, steps, scale = _long_axes(p.shape, spacing)
    problem = _Problem(
        cells,
        moved,
        mass,
        tuple(p.shape[axis] for axis in long),
        tuple(steps.tolist()),
        tuple(periodic[axis] and p.shape[axis] > 2 for axis in long),
    )
    known: slice | IntArray = slice(None)
    if len(long) == 1:
        value, potential = _one_axis(problem)
    elif metric.order == 1.0 and not _are_few(problem):
        value, potential = _flow(problem)
    else:
        value, potential = _points(problem, metric, everywhere)
        known = known if everywhere else cells
    potential = potential.ravel()
    dual = total(as_fractions(moved, mass) * potential[cells])
    _certificate.require(value, dual, _certificate.tolerance(value, problem.diameter(metric.order)))
    with np.errstate(over="ignore"):  # the public function refuses what exceeds the largest float
        part = potential[known]
        potential[known] = (part - (part.max() / 2 + part.min() / 2)) / scale
        return GridSolution(value / scale, dual / scale, potential.reshape(p.shape))


def value_of_few_cells(
    p: Float64Array,
    q: Float64Array,
    spacing: tuple[float, ...],
    metric: Metric,
    periodic: tuple[bool, ...],
) -> float | None:
    """The value of ``solve_grid``, certified, where few cells differ; None if that is safer.

    Differences of the masses are taken as floats, which a value far below the diameter does not
    allow. Cells on a line, however many, are numbers with weights.
    """
    long, steps, scale = _long_axes(p.shape, spacing)
    if not long or any(periodic[axis] and p.shape[axis] > 2 for axis in long):
        return None
    p, q, shape = p.ravel(), q.ravel(), tuple(p.shape[axis] for axis in long)
    used = _occupied(p, q)
    p, q = p[used], q[used]
    if len(long) == 1:
        numbers = used.astype(np.float64)  # exact: rounded places would move close cells
        return _line.value_of_histograms(numbers, p, q) * float(steps[0]) / scale
    excess = p / total(p) - q / total(q)
    more, less = excess > 0, excess < 0
    if not 0 < np.count_nonzero(more) * np.count_nonzero(less) <= _FEW_PAIRS:
        return None
    a, b = excess[more], -excess[less]
    mass_a, mass_b = total(a), total(b)
    x, y = (np.transpose(np.unravel_index(used[k], shape)) * steps for k in (more, less))
    value = value_of_small(x, y, a / mass_a, b / mass_b, metric)
    if value is None:
        return None
    value *= mass_a / 2 + mass_b / 2
    diameter = float(norm(steps * (np.array(shape) - 1), metric.order))
    with np.errstate(over="ignore"):
        return value / scale if _ROUNDED * diameter <= _PRECISION * value else None


def _long_axes(
    shape: tuple[int, ...], spacing: tuple[float, ...]
) -> tuple[list[int], Float64Array, float]:
    """The axes of several cells, their spacings times a power of two, below 1, and that power."""
    long = [axis for axis, size in enumerate(shape) if size > 1]
    steps = np.array([spacing[axis] for axis in long])
    scale = float(np.ldexp(1.0, -np.frexp(steps.max())[1])) if long else 1.0
    return long, steps * scale, scale


def _occupied(p: Float64Array, q: Float64Array) -> IntArray:
    """The cells that have mass."""
    return np.nonzero((p != 0) | (q != 0))[0]


def _exact_excess(p: Float64Array, q: Float64Array) -> tuple[IntArray, Masses, int]:
    """The cells that differ, their integer masses in p less those in q, and the sum of either law.

    What takes time are the cells with mass, not the empty ones.
    """
    used = _occupied(p, q)
    masses = marginals(p[used], used.size, q[used], used.size, exact=True)
    moved = masses.supply - masses.demand
    differ = moved != 0
    return used[differ], moved[differ], masses.total


def _are_few(problem: _Problem) -> bool:
    """Whether the cells that differ are so few that they are better solved as points."""
    if any(problem.periodic):
        return False
    more = int(np.count_nonzero(problem.moved > 0))
    less = problem.moved.size - more
    size = math.prod(part.stop - part.start for part in _box(problem))
    return more * less <= _FEW_PAIRS or (more + less) * _CELLS_A_POINT <= size


def _one_axis(problem: _Problem) -> tuple[float, Float64Array]:
    """The line and the circle: value and potential."""
    (spacing,), (circle,) = problem.spacing, problem.periodic
    cumulated = np.cumsum(problem.excess())
    if circle:
        cumulated = cumulated - np.sort(cumulated)[cumulated.size // 2]
    slopes = (cumulated < 0).astype(np.int64) - (cumulated > 0).astype(np.int64)
    if circle:  # slopes sum to 0 round the circle: those at the median are free
        free = np.nonzero(cumulated == 0)[0]
        missing = -int(slopes.sum())
        slopes[free[: abs(missing)]] = np.sign(missing)
    heights = np.concatenate([[0], np.cumsum(slopes)[:-1]])
    return spacing * (_length(cumulated) / problem.total), heights * spacing


def _length(flow: Masses) -> int:
    """The sum of the absolute values, which need not fit int64."""
    if flow.dtype == object:
        return int(abs(flow).sum())
    high, low = np.divmod(abs(flow), 1 << 31)
    return (int(high.sum()) << 31) + int(low.sum())


def _flow(problem: _Problem) -> tuple[float, Float64Array]:
    """The cityblock metric: value and potential."""
    from ._grid_simplex import Grid, neighbours, optimise

    box = _box(problem)
    excess = problem.excess()[box]
    positive, negative = np.nonzero(excess > 0), np.nonzero(excess < 0)
    part = Marginals(excess[positive], -excess[negative], int(excess[positive].sum()))
    rounded = np.zeros(excess.shape, dtype=np.int64)
    rounded[positive], rounded[negative] = _as_int64(part)
    rounded[negative] *= -1
    lengths, unit = _integer_lengths(problem.spacing, excess.size)
    grid = Grid(excess.shape, problem.periodic, lengths)
    *_, tree = optimise(grid, rounded)
    flow: Any = tree.flow
    if part.total > _MASS_UNITS:
        flow = _exact_flow(excess.ravel(), tree.order, neighbours(grid), tree.parent)
    along = tree.parent[:-1] >> 1
    value = sum(
        h * (_length(flow[along == axis]) / problem.total) for axis, h in enumerate(problem.spacing)
    )
    heights = tree.potential[:-1]
    potential = np.full(problem.shape, np.inf)
    potential[box] = (heights.reshape(excess.shape) - int(heights.min())) * unit
    return value, feasible(potential, problem.spacing, problem.periodic)


def _box(problem: _Problem) -> tuple[slice, ...]:
    """The smallest box around the cells that differ; periodic axes are kept whole."""
    return tuple(
        slice(0, size) if wraps else slice(int(along.min()), int(along.max()) + 1)
        for size, wraps, along in zip(
            problem.shape, problem.periodic, problem.indices(), strict=True
        )
    )


def _as_int64(masses: Marginals) -> tuple[IntArray, IntArray]:
    """Masses as they are where they fit, else rounded: the lightest may become 0."""
    if masses.total <= _MASS_UNITS:
        return masses.supply.astype(np.int64), masses.demand.astype(np.int64)
    return in_units(masses, _MASS_UNITS)


def _integer_lengths(spacing: tuple[float, ...], cells: int) -> tuple[tuple[int, ...], float]:
    """Spacings as integers, and the unit: exact where their ratios are simple.

    Else the smallest is exact and the others are rounded by less than a part in 2**43 (of 65,000
    cells); a spacing below that share of the largest counts as that share.
    """
    exact = [Fraction(h) for h in spacing]
    unit = Fraction(
        int(np.gcd.reduce(np.array([h.numerator for h in exact], dtype=object))),
        int(np.lcm.reduce(np.array([h.denominator for h in exact], dtype=object))),
    )
    most = _LONGEST_PATH // cells
    if max(exact) > most * unit:
        unit = min(exact) / max(1, int(min(exact) * most / max(exact)))
        unit = max(unit, max(exact) / most)
    return tuple(max(1, round(h / unit)) for h in exact), float(unit)


def _exact_flow(excess: Masses, order: Any, neighbour: Any, parent: Any) -> Masses:
    """The flow of the exact masses on a tree given by cells in order, parents first."""
    flow = excess.tolist()
    above = neighbour[order, parent[order] % neighbour.shape[1]]  # the root's is not read
    for u, v in zip(order[:0:-1].tolist(), above[:0:-1].tolist(), strict=True):
        flow[v] += flow[u]
    return np.array(flow, dtype=object)


def feasible(
    potential: Float64Array, spacing: tuple[float, ...], periodic: tuple[bool, ...]
) -> Float64Array:
    """The largest minorant with differences of neighbours at most their spacing; O(N d).

    By the triangle inequality it is 1-Lipschitz for the cityblock metric, and for that metric it is
    min_z f(z) + d(., z), which one axis after the other gives.
    """
    result = potential.copy()
    for axis, (h, wraps) in enumerate(zip(spacing, periodic, strict=True)):
        along = np.moveaxis(result, axis, 0)
        size = along.shape[0]
        steps = range(1, 2 * size) if wraps else range(1, size)
        for i in steps:
            np.minimum(along[i % size], along[(i - 1) % size] + h, out=along[i % size])
        for i in reversed(steps):
            np.minimum(along[(i - 1) % size], along[i % size] + h, out=along[(i - 1) % size])
    return result


def _points(problem: _Problem, metric: Metric, everywhere: bool) -> tuple[float, Float64Array]:
    """Any norm, not periodic: value and potential from the cells that differ, taken as points."""
    more, less = problem.moved > 0, problem.moved < 0
    moved = problem.moved[more]
    mass = int(moved.sum())
    a, b = as_fractions(moved, mass), as_fractions(-problem.moved[less], mass)
    points = np.transpose(problem.indices()) * np.array(problem.spacing)
    solution = solve_points(points[more], points[less], a, b, metric)
    potential = np.zeros(math.prod(problem.shape))
    potential[problem.cells[more]] = solution.potential_x
    potential[problem.cells[less]] = -solution.potential_y
    potential = potential.reshape(problem.shape)
    if everywhere:
        _extend(potential, problem, points[less], -solution.potential_y, metric)
    return solution.value * (mass / problem.total), potential


def _extend(
    potential: Float64Array, problem: _Problem, anchors: Float64Array, heights: Float64Array,
    metric: Metric,
) -> None:  # fmt: skip
    """Fill in the cells whose masses agree from the heights of the ``anchors``, which lack mass."""
    rest = problem.excess() == 0
    if metric.order == 1.0:
        known = np.full(math.prod(problem.shape), np.inf)
        known[problem.cells[problem.moved < 0]] = heights
        known = known.reshape(problem.shape)
        potential[rest] = feasible(known, problem.spacing, problem.periodic)[rest]
    elif rest.any():
        cells = np.argwhere(rest) * np.array(problem.spacing)
        potential[rest] = _extended(anchors, heights, cells, metric)


def _extended(
    anchors: Float64Array, heights: Float64Array, points: Float64Array, metric: Metric
) -> Float64Array:
    """The potential min_k heights_k + distance(., anchors_k) at other points; O(n m), in blocks."""
    result = np.empty(points.shape[0])
    step = max(1, (1 << 20) // anchors.shape[0])
    for start in range(0, points.shape[0], step):
        block = slice(start, start + step)
        result[block] = (metric.matrix(points[block], anchors) + heights).min(axis=1)
    return result
