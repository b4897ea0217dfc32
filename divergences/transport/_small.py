r"""Small problems: up to some 200 points a side neither compiler nor POT is loaded for them.

Equal masses are assigned by SciPy (``_linear_assignment``). All others go to the simplex of
``_small_simplex``: the interpreter runs it until it has spent as long in this process as loading
the compiled kernel would take, then the kernel does, with the same pivots and so the same bits. By
then a kernel also takes over assignments (shortest augmenting paths up to 128 points and in many
coordinates, else the simplex); where its plan is not the only optimal one, SciPy's stays the
answer. Beyond 40,000 pairs the kernels solve everything.

Weights are rounded to multiples of 2^-62, costs to some 2^-53 of the largest; so problems whose
answers this might touch beyond the last digits (a value far below the diameter, points in common,
masses far apart) are left to the general way, which cancels and refines, and is slower.
"""

import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .._metrics import Metric
from .._summation import total
from .._typing import Float64Array, IntArray
from . import _linear_assignment, _small_simplex
from ._certificate import conjugates
from ._masses import Flow, Marginals, cost_of, only_plan

MOST_PAIRS = 40_000  # without a compiler
# With one: in few coordinates until the multiscale simplex wins, in many until the dense solver.
_FEW_COORDINATES = 5
_MOST_PAIRS, _MOST_PAIRS_IN_MANY = 1_000_000, 360_000
# Where distances cost more than pivots, lower bounds guide the simplex (``_small_guided``).
_MANY_COORDINATES, _COORDINATES_OF_GUIDE = 16, 1_000_000

_MOST_POINTS, _MOST_POINTS_INTERPRETED = 4_000, 600  # a pivot may touch them all

_MASS_UNITS = 2**62
_COST_BITS, _HEIGHT_BITS = 53, 62  # of costs, and of sums of as many costs as one side has points
_LIGHTEST = 2**30  # units: lighter masses would be rounded by more than a part in 10^9
# Relative: what rounded costs and potentials, or rounded masses, may change the value by at most.
_PRECISION, _PRECISION_COMPILED = 2.0**-48, 2.0**-45
_SAFE = 2.0**-400  # distances between this and its inverse are sums of squares without a loss
_FEW_FOR_PATHS = 128  # points that shortest paths assign sooner than the simplex, wherever they lie
_TIES = 2.0**-46  # of the largest cost: closer ones are ties, lest rounding decide
_LOADING, _COMPILING = 0.02, 0.5  # seconds spent without the kernel after which it is loaded

_least, _most = np.minimum.reduce, np.maximum.reduce  # without the wrappers


class Small(NamedTuple):
    """A plan of integer masses, its cost, and the potentials that prove it optimal.

    No distance is above twice the ``diameter``, and one is not below it.
    """

    flow: Flow
    masses: Marginals
    value: float
    potentials: Callable[[], tuple[Float64Array, Float64Array]]
    diameter: float


class _Basis(NamedTuple):
    """An optimal plan and potentials of the columns, with the tree and the costs it is of.

    ``error`` bounds by how much the plan may exceed the optimum of total mass 1.
    """

    flow: Flow
    v: Float64Array
    error: float
    tree: list[IntArray]
    integers: IntArray


class _Spent:
    """Seconds that this process has spent without the kernel, and how many are enough."""

    seconds = 0.0
    enough: float | None = None


def solve(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None,
    metric: Metric, *, value_only: bool = False,
) -> Small | None:  # fmt: skip
    """Optimal transport between atoms x (n, d), y (m, d); None if the general way is safer.

    With ``value_only`` the potentials may come from another solver than without; the plan may not.
    """
    n, m = x.shape[0], y.shape[0]
    if n * m > _MOST_PAIRS or n + m > _MOST_POINTS or not metric.is_norm:
        return None
    masses = _equal_masses(n) if a is None and b is None and n == m else _masses(a, n, b, m)
    if masses is None:
        return None
    rounding = 0.0 if a is None and b is None else (n + m) / _MASS_UNITS
    if _guide_pays(x, y, metric, value_only=value_only):
        found = _guided(x, y, masses, metric, rounding)
        if found is not None:
            return found
    return _by_distances(x, y, masses, metric, rounding, value_only=value_only)


def _by_distances(
    x: Float64Array, y: Float64Array, masses: Marginals, metric: Metric, rounding: float, *,
    value_only: bool,
) -> Small | None:  # fmt: skip
    """From the matrix of distances; ``rounding``, that of the masses, is in diameters."""
    (n, m), few = (x.shape[0], y.shape[0]), x.shape[1] <= _FEW_COORDINATES
    if n * m > (_MOST_PAIRS if few else _MOST_PAIRS_IN_MANY):
        return None
    cost = _distances(x, y, metric)
    diameter = float(_most(cost, axis=None))
    if not (_least(cost, axis=None) > _SAFE and diameter < 1 / _SAFE):
        return None
    if masses.total == n == m:
        paths = n <= _FEW_FOR_PATHS or not few
        flow, v, error = _assigned(cost, masses.supply, value_only=value_only, paths=paths)
    else:
        flow, v, error = _transported(cost, masses)
    value = _value(x, y, flow, masses, metric)
    precision = _PRECISION if n * m <= MOST_PAIRS else _PRECISION_COMPILED
    if max(error, rounding / 2 * diameter) <= precision * value:
        return Small(flow, masses, value, lambda: conjugates(cost, v), diameter)
    return None


def _guided(
    x: Float64Array, y: Float64Array, masses: Marginals, metric: Metric, rounding: float
) -> Small | None:
    """The same without that matrix; None too where it would not do, or not to the same bits."""
    from . import _small_guided

    found = _small_guided.solve(x, y, masses)
    if found is None or (x.shape[0] * y.shape[0] <= MOST_PAIRS and not found.alone):
        return None
    value = _value(x, y, found.flow, masses, metric)
    if max(found.error, rounding * found.largest) > _PRECISION_COMPILED * value:
        return None
    potentials = found.u - found.error, found.v
    return Small(found.flow, masses, value, lambda: potentials, found.largest)


def _value(
    x: Float64Array, y: Float64Array, flow: Flow, masses: Marginals, metric: Metric
) -> float:
    """The cost of a plan."""
    lengths = metric.pairs(x[flow.source], y[flow.target])
    if masses.total == flow.mass.size:
        return total(lengths) / masses.total
    return cost_of(flow, lengths, masses.total)


def _guide_pays(x: Float64Array, y: Float64Array, metric: Metric, *, value_only: bool) -> bool:
    """Whether bounds from matrix products are worth their while, and a kernel is at hand."""
    (n, d), m = x.shape, y.shape[0]
    if metric.name != "euclidean" or d < _MANY_COORDINATES or min(n, m) == 1:
        return False
    if n * m <= MOST_PAIRS and not (value_only and n * m * d >= _COORDINATES_OF_GUIDE):
        return False
    return _kernel_pays(n, m)


def optimum(cost: Float64Array, supply: IntArray, demand: IntArray) -> tuple[Flow, Float64Array]:
    """An optimal plan of positive integer masses, and potentials of the columns."""
    square = cost.shape[0] == cost.shape[1]
    if square and (supply == supply[0]).all() and (demand == supply[0]).all():
        return _assigned(cost, supply)[:2]
    return _by_simplex(cost, supply, demand)[:2]


def _distances(x: Float64Array, y: Float64Array, metric: Metric) -> Float64Array:
    """Distances of all pairs, squares being safe."""
    if metric.name in ("euclidean", "cityblock", "chebyshev"):
        return np.asarray(_cdist()(x, y, metric.name))
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # an infinite distance is left to the general way
        return metric.matrix(x, y)


@cache
def _cdist() -> Any:
    from scipy.spatial.distance import cdist

    return cdist


def _equal_masses(n: int) -> Marginals:
    one_each = np.ones(n, dtype=np.int64)
    return Marginals(one_each, one_each, n)


def _masses(a: Float64Array | None, n: int, b: Float64Array | None, m: int) -> Marginals | None:
    """Integer masses of equal sums; None where some are too light."""
    if a is None and b is None:
        common = int(np.gcd(n, m))
        return Marginals(np.full(n, m // common), np.full(m, n // common), n * m // common)
    supply, demand = _in_units(a, n), _in_units(b, m)
    if min(_least(supply), _least(demand)) < _LIGHTEST:
        return None
    return Marginals(supply, demand, _MASS_UNITS)


def _in_units(weights: Float64Array | None, count: int) -> IntArray:
    """Normalised weights in units of 2^-62, each within one of the exact; their sum is exact."""
    if weights is None:
        weights = np.full(count, 1.0 / count)
    units = np.rint(weights * float(_MASS_UNITS)).astype(np.int64)
    units += np.rint(weights * float(_MASS_UNITS - int(units.sum()))).astype(np.int64)
    units[units.argmax()] += _MASS_UNITS - int(units.sum())
    return units


def _transported(cost: Float64Array, masses: Marginals) -> tuple[Flow, Float64Array, float]:
    """An optimal plan, potentials of the columns, and their error."""
    if 1 in cost.shape:
        flow, _, g = only_plan(cost.ravel(), masses)
        return flow, -g, 0.0
    return _by_simplex(cost, masses.supply, masses.demand)[:3]


def _assigned(
    cost: Float64Array, mass: IntArray, *, value_only: bool = False, paths: bool = False
) -> tuple[Flow, Float64Array, float]:
    """An optimal permutation, each source sending its ``mass``, potentials, and their error.

    The compiled kernel is that of shortest ``paths``, else the simplex.
    """
    n = mass.size
    compiled = cost.size > MOST_PAIRS
    known: tuple[Float64Array, float] | None = None
    if compiled or (value_only and _kernel_pays(*cost.shape)):
        by_kernel = _assigned_by_paths if paths else _assigned_by_simplex
        column, known, alone = by_kernel(cost, mass)
        if compiled or alone():
            return Flow(np.arange(n), column, mass), *known
    _linear_assignment.load()
    began = time.perf_counter()
    column = _linear_assignment.assign(cost)
    # What proves one optimal plan proves all.
    v, error = known or _linear_assignment.potentials(cost, column)
    _Spent.seconds += time.perf_counter() - began
    return Flow(np.arange(n), column, mass), v, error


def _assigned_by_simplex(
    cost: Float64Array, mass: IntArray
) -> tuple[IntArray, tuple[Float64Array, float], Callable[[], bool]]:
    """The sinks of the sources; potentials, their error; and if no other plan is as cheap."""
    basis = _by_simplex(cost, mass, mass)
    column = basis.flow.target[np.argsort(basis.flow.source)]
    return column, (basis.v, basis.error), lambda: _is_the_only(basis, mass.size)


def _assigned_by_paths(
    cost: Float64Array, mass: IntArray
) -> tuple[IntArray, tuple[Float64Array, float], Callable[[], bool]]:
    """The same, by shortest augmenting paths."""
    from ._assignment import assign_one

    n = mass.size
    column, u, v = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n)
    excess, alone = assign_one(cost, _TIES, column, u, v)
    return column, (v, excess / n), lambda: bool(alone)


def _is_the_only(basis: _Basis, n: int) -> bool:
    """Whether no pair outside the tree has reduced cost 0: another optimal plan would use one."""
    height, parent = basis.tree[_small_simplex.HEIGHT], basis.tree[_small_simplex.PARENT]
    root = height.size - 1
    reduced = basis.integers.reshape(n, root - n) - height[:n, None] + height[n:root]
    in_tree = root - np.count_nonzero(parent == root)
    return bool(reduced.size - np.count_nonzero(reduced) <= in_tree)


def _by_simplex(cost: Float64Array, supply: IntArray, demand: IntArray) -> _Basis:
    n, m = cost.shape
    bits = min(_COST_BITS, _HEIGHT_BITS - min(n, m).bit_length())
    large = cost.size > MOST_PAIRS
    integers, v, unit = (_reduced_by_kernel if large else _reduced)(cost, bits)
    tree = (_compiled if _kernel_pays(*cost.shape) else _interpreted)(integers, supply, demand)
    v -= tree[_small_simplex.HEIGHT][n : n + m] * unit
    return _Basis(Flow(*_small_simplex.plan_of(tree, n)), v, unit, tree, integers)


def _reduced(cost: Float64Array, bits: int) -> tuple[IntArray, Float64Array, float]:
    """Costs less their least in each row and then column, as integers of at most so many bits, row
    by row; what the columns were reduced by; and the unit of the integers.
    """
    reduced = cost - _least(cost, axis=1)[:, None]
    v = _least(reduced, axis=0)
    reduced -= v
    unit = math.ldexp(float(_most(reduced, axis=None)), -bits) or 1.0
    reduced /= unit
    return np.rint(reduced, out=reduced).ravel().astype(np.int64), v, unit


def _reduced_by_kernel(cost: Float64Array, bits: int) -> tuple[IntArray, Float64Array, float]:
    """The same, with no array of this size but the integers."""
    from ._small_costs import to_integers

    integers, v = np.empty(cost.size, dtype=np.int64), np.empty(cost.shape[1])
    unit = to_integers(cost, _least(cost, axis=1), bits, v, integers)
    return integers, v, unit


def _interpreted(cost: IntArray, supply: IntArray, demand: IntArray) -> list[IntArray]:
    n, m = supply.size, demand.size
    began = time.perf_counter()
    space = [[_small_simplex.NONE] * size for size in _small_simplex.workspace(n, m)]
    _small_simplex.optimise(cost.tolist(), n, m, supply.tolist(), demand.tolist(), *space)
    _Spent.seconds += time.perf_counter() - began
    return [np.array(column) for column in space[-_small_simplex.COLUMNS :]]


def _compiled(cost: IntArray, supply: IntArray, demand: IntArray) -> list[IntArray]:
    n, m = supply.size, demand.size
    sizes = _small_simplex.workspace(n, m)
    block = np.full(sum(sizes), _small_simplex.NONE)
    space, start = [], 0
    for size in sizes:
        space.append(block[start : start + size])
        start += size
    _kernel()(cost, n, m, supply.copy(), demand.copy(), *space)
    return space[-_small_simplex.COLUMNS :]


def _kernel_pays(n: int, m: int) -> bool:
    """Whether the problem is large, or enough time has been spent without the kernel."""
    if n * m > MOST_PAIRS or n + m > _MOST_POINTS_INTERPRETED:
        return True
    if _Spent.seconds < _LOADING:
        return False
    if _Spent.enough is None:
        _Spent.enough = _LOADING if _small_simplex.is_cached() else _COMPILING
    return _Spent.seconds >= _Spent.enough


@cache
def _kernel() -> Any:
    return _small_simplex.compiled()
