r"""Small problems: up to some 200 points a side neither compiler nor POT is loaded for them.

The matrix of distances is solved by ``_small_matrix``; in many coordinates it comes from a kernel
(``_distances``), or lower bounds stand in for most distances (``_small_guided``). Atoms without
mass are left out, and coordinates near the ends of the range of floats are scaled.

Weights are rounded to multiples of 2^-62, costs to some 2^-53 of the largest; so problems whose
answers this might touch beyond the last digits (a value far below the diameter, laws that nearly
agree) are left to the general way, which cancels common mass and refines, and is slower.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .._metrics import Metric
from .._summation import total
from .._typing import Float64Array
from . import _small_matrix
from ._certificate import conjugates, radius
from ._clock import Clock
from ._masses import FEW_ATOMS, Flow, Marginals, cost_of, rounded_marginals

# In few coordinates until the multiscale simplex wins: later where distances are dear, which it
# computes several times. In many until the dense solver does: of equal masses sooner.
_SPACE, _FEW_COORDINATES = 3, 5
_MOST_PAIRS_IN_SPACE, _MOST_PAIRS_IN_FEW = 790_000, 1_690_000
_CHEAP_ORDERS = (1.0, 2.0, math.inf)
_MOST_PAIRS_ASSIGNED, _MOST_PAIRS_ASSIGNED_EUCLIDEAN = 2_000_000, 1_000_000
_MOST_BY_PATHS = 300  # points of many coordinates; of more, ties and clusters make paths long
_MOST_PAIRS_IN_COMMON = 250_000  # where up to half of the points are in both clouds
# In many coordinates a kernel takes over from SciPy's distances (``_distances``); where distances
# cost more than pivots, lower bounds guide the simplex (``_small_guided``).
_MANY_COORDINATES, _COORDINATES_OF_KERNEL, _COORDINATES_OF_GUIDE = 16, 300_000, 1 << 27
_FEWEST_BY_KERNEL, _FEWEST_GUIDED = 8, 32

# Sums of more coordinates than these are taken again, pairwise.
_MOST_COORDINATES_OF_COST = 1024

# Relative: what rounded costs and potentials, or rounded masses, may change the value by at most.
_PRECISION, _PRECISION_COMPILED, _PRECISION_GUIDED = 2.0**-48, 2.0**-45, 2.0**-42
_SAFE = 2.0**-400  # distances between this and its inverse are sums of squares without a loss
_LARGEST_EXPONENT = 1000  # of a scale

_least, _most, _sum = np.minimum.reduce, np.maximum.reduce, np.add.reduce  # without the wrappers


class Small(NamedTuple):
    """A plan of integer masses, its cost, and the potentials that prove it optimal.

    No distance is above twice the ``diameter``, and one is not below it. All lengths are those of
    the points times ``scale``.
    """

    flow: Flow
    masses: Marginals
    value: float
    potentials: Callable[[], tuple[Float64Array, Float64Array]]
    diameter: float
    scale: float = 1.0


class _Points(NamedTuple):
    """Prepared atoms x (n, d), y (m, d) of positive integer masses.

    ``rounding`` bounds what rounded masses may change the value by, in diameters; ``value_only``
    as in ``solve``.
    """

    x: Float64Array
    y: Float64Array
    masses: Marginals
    metric: Metric
    rounding: float
    value_only: bool


def fits(a: Float64Array | None, n: int, b: Float64Array | None, m: int) -> bool:
    """Whether the atoms that have mass are few enough."""
    return _small_matrix.fits(*_with_mass(a, n, b, m))


def fits_in_stages(a: Float64Array | None, n: int, b: Float64Array | None, m: int) -> bool:
    """Whether a matrix between the atoms that have mass is one for the simplex, in stages."""
    return _small_matrix.fits_in_stages(*_with_mass(a, n, b, m))


def asks_twice(a: Float64Array | None, n: int, b: Float64Array | None, m: int) -> bool:
    """Whether ``solve`` may do without ``value_only`` what it refuses to do with it."""
    n, m = _with_mass(a, n, b, m)
    return n * m <= _small_matrix.MOST_PAIRS


def _with_mass(a: Float64Array | None, n: int, b: Float64Array | None, m: int) -> tuple[int, int]:
    """How many atoms have mass."""
    n = n if a is None else int(np.count_nonzero(a))
    return n, m if b is None else int(np.count_nonzero(b))


def solve(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None,
    metric: Metric, *, value_only: bool = False,
) -> Small | None:  # fmt: skip
    """Optimal transport between few atoms x (n, d), y (m, d); None if the general way is safer.

    The metric is not a callable. With ``value_only`` the potentials may come from another solver
    than without; the plan may not.
    """
    if not metric.is_norm:
        x, y = metric.prepare(x, 1.0), metric.prepare(y, 1.0)
    masses, rounding = rounded_marginals(a, x.shape[0], b, y.shape[0])
    points = _Points(x, y, masses, metric, rounding, value_only)
    if rounding == 0 or (_least(masses.supply) > 0 and _least(masses.demand) > 0):
        return _solve_positive(points)
    return _without_empty_atoms(points)


class StoppedEarly(Exception):  # noqa: N818 (it carries what is known)
    """The time ended with this feasible plan of the masses, and potentials of the columns."""

    def __init__(self, flow: Flow, masses: Marginals, v: Float64Array) -> None:
        super().__init__()
        self.flow, self.masses, self.v = flow, masses, v


def solve_matrix(
    cost: Float64Array, a: Float64Array | None, b: Float64Array | None, clock: Clock | None = None
) -> tuple[Flow, Marginals, Float64Array] | None:
    """The same for a matrix of costs of any sign: plan, masses and potentials of the columns.

    Raises
    ------
    StoppedEarly
        When the clock, if there is one, does not allow more.
    """
    n, m = cost.shape
    masses, rounding = rounded_marginals(a, n, b, m)
    rows, columns = masses.supply.nonzero()[0], masses.demand.nonzero()[0]
    every = rows.size == n and columns.size == m
    part = cost if every else np.ascontiguousarray(cost[np.ix_(rows, columns)])
    inner = masses
    if not every:
        inner = Marginals(masses.supply[rows], masses.demand[columns], masses.total)

    def of_all(flow: Flow, v: Float64Array) -> tuple[Flow, Marginals, Float64Array]:
        if not every:
            flow = Flow(rows[flow.source], columns[flow.target], flow.mass)
            u = (cost[:, columns] - v).min(axis=1)
            v = (cost - u[:, None]).min(axis=0)
        return flow, masses, v

    try:
        plan = _plan_of_matrix(part, inner, rounding, masses.total == n == m, clock)
    except _small_matrix.OutOfTime as stopped:
        raise StoppedEarly(*of_all(stopped.flow, stopped.v)) from None
    return None if plan is None else of_all(plan.flow, plan.v)


def _plan_of_matrix(
    cost: Float64Array, masses: Marginals, rounding: float, one_each: bool, clock: Clock | None
) -> _small_matrix.Plan | None:
    """The plan of positive masses; None if the general way is safer."""
    if one_each:
        plan = _small_matrix.assigned(cost, masses.supply, clock=clock)
    else:
        plan = _small_matrix.transported(cost, masses, clock)
    value = cost_of(plan.flow, cost[plan.flow.source, plan.flow.target], masses.total)
    allowed = _PRECISION_COMPILED * abs(value)
    if not (plan.error <= allowed or plan.is_exact()):
        cut = _small_matrix.cut_at(cost, masses, value, plan.flow, clock)
        if cut is None:
            return None
        plan = cut
    if rounding == 0 or sum(cost.shape) > FEW_ATOMS:  # of many, the general way rounds masses too
        return plan
    largest = 2 * float(max(_most(cost, axis=None), -_least(cost, axis=None)))
    if rounding * largest > allowed and not _is_stable(cost, plan, rounding, allowed):
        return None
    return plan


def _is_stable(
    cost: Float64Array, plan: _small_matrix.Plan, rounding: float, allowed: float
) -> bool:
    """Whether exact masses would have the same tree, and a value no more than ``allowed`` away.

    Masses are off by a unit at most, a flow on a tree by no more units than there are atoms: if all
    its arcs carry more, exact masses have a flow on it too. The value changes by the potentials
    times what masses are off, which adds up to 0 on either side.
    """
    count = sum(cost.shape)
    if plan.flow.mass.size < count - 1 or plan.flow.mass.min() <= count:
        return False
    u, v = conjugates(cost, plan.v)
    width = float(np.ptp(u) + np.ptp(v)) + count * plan.error
    return 2 * rounding * width <= allowed


def _without_empty_atoms(points: _Points) -> Small | None:
    """The solution between the others; potentials as these leave room for."""
    x, y, masses, metric = points[:4]
    rows, columns = masses.supply.nonzero()[0], masses.demand.nonzero()[0]
    part = Marginals(masses.supply[rows], masses.demand[columns], masses.total)
    found = _solve_positive(points._replace(x=x[rows], y=y[columns], masses=part))
    if found is None:
        return None
    flow = Flow(rows[found.flow.source], columns[found.flow.target], found.flow.mass)
    if points.value_only:
        return found._replace(flow=flow, masses=masses)
    x, y = x * found.scale, y * found.scale

    def potentials() -> tuple[Float64Array, Float64Array]:
        _, inner = found.potentials()
        u = (metric.matrix(x, y[columns]) - inner).min(axis=1)
        return u, (metric.matrix(x, y) - u[:, None]).min(axis=0)

    diameter = max(found.diameter, radius(metric, np.concatenate([x, y])))
    return Small(flow, masses, found.value, potentials, diameter, found.scale)


def _solve_positive(points: _Points) -> Small | None:
    if points.x.shape[0] * points.y.shape[0] > _most_pairs(points):
        return None
    if not _is_for_kernel(points):
        return _by_distances(points, _distances(*points[:2], points.metric))
    (n, d), m = points.x.shape, points.y.shape[0]
    few = n * m <= _small_matrix.MOST_PAIRS
    found = None
    if not few or (points.value_only and _small_matrix.kernel_pays(n, m)):
        guided = n * m * d >= _COORDINATES_OF_GUIDE and _is_for_guide(points)
        found = _guided(points) if guided else _by_kernel(points, alone=few)
    if found is None and few:  # nor is it asked again whether a kernel's plan is alone
        slowly = points._replace(value_only=False)
        return _by_distances(slowly, _distances(*points[:2], points.metric))
    return found or _by_kernel(points)


def _is_for_kernel(points: _Points) -> bool:
    """Whether compiled distances may be the quicker ones, at least for the value alone."""
    (n, d), m = points.x.shape, points.y.shape[0]
    if points.metric.name != "euclidean" or d < _MANY_COORDINATES:
        return False
    if n * m > _small_matrix.MOST_PAIRS:
        return True
    return bool(n * m * d >= _COORDINATES_OF_KERNEL and min(n, m) >= _FEWEST_BY_KERNEL)


def _by_kernel(points: _Points, *, alone: bool = False) -> Small | None:
    """From compiled distances; None if not ``alone``, where other distances may decide."""
    from ._distances import matrix

    return _by_distances(points, matrix(points.x, points.y), alone=alone)


def _most_pairs(points: _Points) -> int:
    """How many pairs this way is quicker for than the others."""
    (n, d), m, metric = points.x.shape, points.y.shape[0], points.metric
    cheap = metric.is_norm and metric.order in _CHEAP_ORDERS
    if d <= _SPACE and cheap:
        return _MOST_PAIRS_IN_SPACE
    if d > _SPACE and points.masses.total == n == m:
        euclidean = metric.is_norm and metric.order == 2.0
        most = _MOST_PAIRS_ASSIGNED_EUCLIDEAN if euclidean else _MOST_PAIRS_ASSIGNED
    else:
        most = _small_matrix.MOST_PAIRS_COMPILED
    return min(most, _MOST_PAIRS_IN_FEW) if d <= _FEW_COORDINATES and cheap else most


def _by_distances(points: _Points, cost: Float64Array, *, alone: bool = False) -> Small | None:
    """From the matrix of distances; None too if the plan is to be ``alone`` and is not."""
    x, y, masses = points[:3]
    n, m = x.shape[0], y.shape[0]
    diameter = float(_most(cost, axis=None))
    if not _SAFE < diameter < 1 / _SAFE:
        return _at_size_one(points)
    closest = float(_least(cost, axis=None))
    many = n * m > _MOST_PAIRS_IN_COMMON
    if many and closest == 0 and np.count_nonzero(cost) < n * m - max(n, m) // 2:
        return None  # so many atoms in common that cancelling them is quicker
    if masses.total == n == m:
        far = x.shape[1] > _FEW_COORDINATES and n <= _MOST_BY_PATHS
        paths = n <= _small_matrix.FEW_FOR_PATHS or far
        plan = _small_matrix.assigned(
            cost, masses.supply, value_only=points.value_only, paths=paths, alone=alone
        )
    else:
        plan = _small_matrix.transported(cost, masses)
    if alone and not plan.is_alone():
        return None
    few_pairs = n * m <= _small_matrix.MOST_PAIRS
    matrix = None if few_pairs and _is_for_kernel(points) else cost
    value = _value(points, plan.flow, matrix)
    allowed = (_PRECISION if few_pairs else _PRECISION_COMPILED) * value
    if not _is_precise(points, closest, diameter, allowed):
        return None
    if not (plan.error <= allowed or plan.is_exact()):
        found = _small_matrix.cut_at(cost, masses, value, plan.flow)
        if found is None:
            return None
        plan = found
        value = _value(points, plan.flow, matrix)
    return Small(plan.flow, masses, value, lambda: conjugates(cost, plan.v), diameter)


def _is_precise(points: _Points, closest: float, diameter: float, allowed: float) -> bool:
    """Whether rounded masses, and squares lost below the range of floats, change the value by less.

    Of many atoms the general way rounds masses too, unless laws have atoms in common.
    """
    if closest <= _SAFE and allowed <= _SAFE:
        return False
    if points.rounding * diameter <= allowed:
        return True
    return closest > 0 and points.x.shape[0] + points.y.shape[0] > FEW_ATOMS


def _at_size_one(points: _Points) -> Small | None:
    """The solution at a scale where coordinates are of size 1, if they are not nearly so."""
    largest = max(float(np.abs(points.x).max()), float(np.abs(points.y).max()))
    scale = float(np.ldexp(1.0, min(-int(np.frexp(largest)[1]), _LARGEST_EXPONENT)))
    if largest == 0 or _SAFE < scale < 1 / _SAFE:
        return None
    found = _solve_positive(points._replace(x=points.x * scale, y=points.y * scale))
    return None if found is None else found._replace(scale=scale)


def _guided(points: _Points) -> Small | None:
    """Without that matrix; None where it would not do."""
    from . import _small_guided

    x, y, masses = points[:3]
    found = _small_guided.solve(x, y, masses)
    if found is None:
        return None
    value = _value(points, found.flow, lengths=found.lengths)
    if max(found.error, 2 * points.rounding * found.largest) > _PRECISION_GUIDED * value:
        return None
    potentials = found.u - found.error, found.v
    return Small(found.flow, masses, value, lambda: potentials, found.largest)


def _value(
    points: _Points, flow: Flow, cost: Float64Array | None = None,
    lengths: Float64Array | None = None,
) -> float:  # fmt: skip
    """The cost of a plan; to the same bits with compiled distances and without."""
    masses = points.masses
    if cost is not None:
        lengths = cost[flow.source, flow.target]
    if lengths is None or points.x.shape[1] > _MOST_COORDINATES_OF_COST:
        lengths = points.metric.listed(points.x, flow.source, points.y, flow.target)
    if masses.total == flow.mass.size:
        return total(lengths) / masses.total
    return cost_of(flow, lengths, masses.total)


def _is_for_guide(points: _Points) -> bool:
    """Whether many points in many coordinates face each other, rather than a few all others."""
    (n, d), m = points.x.shape, points.y.shape[0]
    if points.metric.name != "euclidean" or d < _MANY_COORDINATES:
        return False
    if _small_matrix.is_lopsided(n, m) or min(n, m) < _FEWEST_GUIDED:
        return False
    return bool(n * m > _small_matrix.MOST_PAIRS)


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
