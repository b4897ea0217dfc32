"""From a solution to the result that the caller gets: plan, critic, and the check of both.

What a result holds are values of module-level classes, not closures, so it can be pickled and
copied (as far as a metric given as a callable can be).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._array import as_float64, as_numpy, attach, finish, is_tensor, like, namespace, result_dtype
from ._metrics import Metric
from ._transport_problem import CostProblem, PointProblem, checked_costs, finished
from ._typing import Array, Float64Array, IntArray
from ._validation import (
    describe,
    known_values,
    nonzero_points,
    points,
    refuse,
    same_dimension,
    same_library,
    uniform,
)
from .transport import Claims, Solution, TransportResult, lowest, near_pairs, verify

_BLOCK_ENTRIES = 1 << 20
_FEW_POINTS = 1_000  # whose plan is sorted sooner here than SciPy checks it
_MANY_PAIRS = 25_000_000  # more are not looked at one by one
_FEW_COORDINATES = 8
_MANY_LOOKUPS = 100_000_000
_ASKED = 256  # points at which the check asks a critic of many anchors

_every = np.logical_and.reduce  # without the wrapper


@dataclass(frozen=True, eq=False)
class PointCosts:
    """Distances of prepared points x (n, d) and y (m, d)."""

    metric: Metric
    x: Float64Array
    y: Float64Array

    @property
    def width(self) -> int:
        """The coordinates of a point."""
        return int(self.x.shape[1])

    def __call__(self, i: IntArray, j: IntArray) -> Float64Array:
        """The distances of pairs."""
        return self.metric.pairs(self.x[i], self.y[j])

    def largest(self) -> float:
        """At least the diameter of the points, at most six times as much.

        From any point to any other it is at most three steps by way of the first of x and of y.
        """
        n, m = self.x.shape[0], self.y.shape[0]
        row = self(np.zeros(m, dtype=np.int64), np.arange(m)).max()
        column = self(np.arange(n), np.zeros(n, dtype=np.int64)).max()
        return 3 * float(max(row, column))

    def near(self, u: Float64Array, v: Float64Array) -> Iterator[tuple[IntArray, IntArray]] | None:
        """The pairs that could contradict potentials; None where all are to be looked at."""
        many = u.size * v.size > _MANY_PAIRS and self.x.shape[1] <= _FEW_COORDINATES
        if not (many and self.metric.is_norm):
            return None
        return near_pairs(self.x, self.y, u, v, self.metric.order)


@dataclass(frozen=True, eq=False)
class MatrixCosts:
    """Scaled costs of all pairs."""

    matrix: Float64Array
    width: int = 1

    def __call__(self, i: IntArray, j: IntArray) -> Float64Array:
        """The costs of pairs."""
        return np.asarray(self.matrix[i, j])

    def largest(self) -> float:
        """The largest absolute cost."""
        return float(np.abs(self.matrix).max())

    def near(self, u: Float64Array, v: Float64Array) -> None:
        """All pairs are to be looked at."""


@dataclass(frozen=True, eq=False)
class MetricCritic:
    """f(z) = min_k d(z, anchors_k) + heights_k; anchors are prepared, heights scaled."""

    metric: Metric
    anchors: Float64Array
    heights: Float64Array
    scale: float

    def __call__(self, z: Any) -> Array:
        """The values, of the library of ``z``."""
        z = points(z, "z", "critic")
        known_values("critic", z=z)
        same_dimension(z, self.anchors, "critic", "z and the data")
        if self.metric.name == "angular":
            nonzero_points(z, "z", "critic")
        prepared = self.metric.prepare(as_numpy(z), self.scale)
        nearest = _nearest(self.metric, prepared, self.anchors, self.heights)
        at, above = self.anchors[nearest], self.heights[nearest]
        answer = like((self.metric.pairs(prepared, at) + above) / self.scale, z)
        if is_tensor(z):
            distances = self.metric.tensor_pairs(
                namespace(z), as_float64(z) * self.scale, like(at, z)
            )
            answer = attach(answer, distances / self.scale)
        return finish(answer, result_dtype(z))


@dataclass(frozen=True, eq=False)
class CallableCritic:
    """The same for a metric given as a callable; ``y`` as the caller gave it."""

    metric: Metric
    y: Array
    heights: Float64Array

    def __call__(self, z: Any) -> Array:
        """The values, of the library of ``z``."""
        z = points(z, "z", "critic")
        same_dimension(z, self.y, "critic", "z and the data")
        same_library("critic", z=z, y=self.y)
        distances = as_float64(checked_costs(self.metric, z, self.y, "critic"))
        values = namespace(z).min(distances + like(self.heights, z), axis=1)
        return finish(values, result_dtype(z))


def no_critic(z: Any) -> Array:
    """Refuse: a cost matrix says nothing about other points."""
    requirement = (
        "be asked of a result between points under a metric "
        "(a cost matrix says nothing about distances elsewhere)"
    )
    refuse("critic", "critic", requirement, f"{describe(z)} for a result of cost=")


@dataclass(frozen=True, eq=False)
class Check:
    """``TransportResult.verify``: the problem as it was given."""

    x_weights: Float64Array
    y_weights: Float64Array
    costs: PointCosts | MatrixCosts
    support: tuple[Array, Array] | None
    scale: float
    precision: float

    def __call__(self, result: TransportResult) -> None:
        """Raise ``CertificateError`` on the first claim that does not hold."""
        n, m = self.x_weights.size, self.y_weights.size
        at_x, at_y = np.arange(n), np.arange(m)
        if n * m > _MANY_PAIRS:
            at_x, at_y = (np.linspace(0, k - 1, min(k, _ASKED)).astype(np.int64) for k in (n, m))
        asked = None
        if self.support is not None:
            x, y = self.support
            asked = tuple(
                (at, as_numpy(values), _rounding(values.dtype))
                for at, values in ((at_x, result.critic(x[at_x])), (at_y, result.critic(y[at_y])))
            )
        claims = _claims(result)
        given = self.x_weights, self.y_weights
        verify(claims, *given, self.costs, self.scale, self.precision, asked)


def point_result(value: Array, solution: Solution, problem: PointProblem) -> TransportResult:
    """The result of a problem between points."""
    metric = problem.metric
    kept = problem.x, problem.y
    kept = tuple(p.detach().clone() if is_tensor(p) else np.array(p) for p in kept)  # type: ignore[assignment]
    costs: PointCosts | MatrixCosts
    critic: Callable[[Any], Array]
    if metric.name == "callable":
        matrix = as_numpy(problem.costs(problem.x, problem.y, "optimal_transport"))
        costs = MatrixCosts(matrix * solution.scale)
        critic = CallableCritic(metric, kept[1], solution.heights / solution.scale)
    else:
        x, y = (metric.prepare(as_numpy(cloud), solution.scale) for cloud in kept)
        costs = PointCosts(metric, x, y)
        assert solution.anchors is not None
        critic = MetricCritic(metric, solution.anchors, solution.heights, solution.scale)
    return _result(value, solution, problem, costs, critic, kept)


def cost_result(value: Array, solution: Solution, problem: CostProblem) -> TransportResult:
    """The result of a problem given by its costs."""
    costs = MatrixCosts(as_numpy(problem.cost) * solution.scale)
    return _result(value, solution, problem, costs, no_critic, None)


def _result(
    value: Array, solution: Solution, problem: PointProblem | CostProblem,
    costs: PointCosts | MatrixCosts, critic: Callable[[Any], Array],
    support: tuple[Array, Array] | None,
) -> TransportResult:  # fmt: skip
    potentials = solution.potential_x, solution.potential_y
    if not all(_every(np.isfinite(potential)) for potential in potentials):
        refuse("optimal_transport", "x and y",
               "be so close that the potentials are finite float64 numbers",
               "points farther apart")  # fmt: skip
    model = problem.x if isinstance(problem, PointProblem) else problem.cost
    shape = (solution.supply.size, solution.demand.size)
    given = [
        uniform(count) if weights is None else np.array(as_numpy(weights))
        for count, weights in zip(shape, (problem.x_weights, problem.y_weights), strict=True)
    ]
    precision = _rounding(problem.dtype)
    return TransportResult(
        value=finished(value, problem.dtype, "optimal_transport"),
        plan=_sparse(solution, shape, model),
        potential_x=like(solution.potential_x, model),
        potential_y=like(solution.potential_y, model),
        dual_value=solution.dual_value,
        gap=solution.value - solution.dual_value,
        tolerance=solution.tolerance,
        _critic=critic,
        _verify=Check(given[0], given[1], costs, support, solution.scale, precision),
    )


def _rounding(dtype: Any) -> float:
    """The relative rounding of an answer in ``dtype``, beside that of float64."""
    return 2.0**-23 if dtype.itemsize == 4 else 0.0


def _sparse(solution: Solution, shape: tuple[int, int], model: Array) -> Any:
    if is_tensor(model):
        import torch

        index = torch.from_numpy(np.stack([solution.source, solution.target]))
        mass = torch.from_numpy(solution.mass)
        return torch.sparse_coo_tensor(
            index, mass, shape, device=model.device, check_invariants=True
        ).coalesce()
    from scipy.sparse import csr_array

    if sum(shape) <= _FEW_POINTS:
        pairs = solution.source * shape[1] + solution.target
        order = pairs.argsort(kind="stable")
        pairs = pairs[order]
        if _every(pairs[1:] > pairs[:-1]):  # no pair comes twice
            starts = np.zeros(shape[0] + 1, dtype=np.int64)
            np.bincount(solution.source, minlength=shape[0]).cumsum(out=starts[1:])
            return csr_array((solution.mass[order], solution.target[order], starts), shape=shape)
    return csr_array((solution.mass, (solution.source, solution.target)), shape=shape)


def _claims(result: TransportResult) -> Claims:
    """The numbers that a result states now, read from the result itself."""
    if is_tensor(result.plan):
        source, target = result.plan.indices().cpu().numpy()
        mass = as_numpy(result.plan.values())
    else:
        plan = result.plan.tocoo()
        source, target, mass = plan.row, plan.col, plan.data
    return Claims(
        float(as_numpy(result.value)), source, target, mass,
        as_numpy(result.potential_x), as_numpy(result.potential_y),
        result.dual_value, result.gap, result.tolerance,
    )  # fmt: skip


def _nearest(
    metric: Metric, z: Float64Array, anchors: Float64Array, heights: Float64Array
) -> IntArray:
    """For each point the anchor at which distance + height is least."""
    if anchors.shape[1] == 1 and metric.is_norm:
        # f is 1-Lipschitz on the anchors, so on the line a next neighbour attains the minimum.
        order = np.argsort(anchors[:, 0], kind="stable")
        right = np.searchsorted(anchors[order, 0], z[:, 0])
        two = np.stack([order[np.maximum(right - 1, 0)], order[np.minimum(right, order.size - 1)]])
        best = np.argmin(np.abs(z[:, 0] - anchors[two, 0]) + heights[two], axis=0)
        return np.asarray(np.take_along_axis(two, best[None], axis=0)[0])
    many = z.shape[0] * anchors.shape[0] > _MANY_LOOKUPS
    if many and metric.is_norm and anchors.shape[1] <= _FEW_COORDINATES:
        return lowest(z, anchors, heights, metric.order)
    nearest = np.empty(z.shape[0], dtype=np.int64)
    step = max(1, math.ceil(_BLOCK_ENTRIES / anchors.shape[0]))
    for start in range(0, z.shape[0], step):
        block = metric.matrix(z[start : start + step], anchors) + heights
        nearest[start : start + step] = block.argmin(axis=1)
    return nearest
