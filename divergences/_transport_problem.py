"""What ``wasserstein1`` and ``optimal_transport`` accept, and the gradients they give back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._array import (
    as_float64,
    as_numpy,
    attach,
    detach,
    finish,
    is_tensor,
    like,
    namespace,
    result_dtype,
    rows,
    tracks_derivatives,
)
from ._metrics import Metric
from ._typing import Array, ArrayLike, Float64Array
from ._validation import (
    cost_matrix,
    known_values,
    nonzero_points,
    one_of,
    points,
    refuse,
    same_dimension,
    same_library,
    sample_weights,
)
from .measures import Discrete
from .transport import SOLVERS, Clock, Solution, choose, solve_cost, solve_points, value_of_small

_SAFE = 2.0**-400  # distances between this and its inverse are sums of squares without a loss


@dataclass(frozen=True)
class PointProblem:
    """Two weighted clouds x (..., n, d), y (..., m, d) and the metric between them."""

    x: Array
    y: Array
    x_weights: Array | None
    y_weights: Array | None
    metric: Metric
    solver: str | None

    @property
    def dtype(self) -> Any:
        """The dtype of the value."""
        given = (self.x, self.y, self.x_weights, self.y_weights)
        return result_dtype(*(array for array in given if array is not None))

    @property
    def on_the_line(self) -> bool:
        """Whether the points are numbers and the monotone plan is to solve it."""
        return choose(self.metric, self.x.shape[-1], self.solver) == "line"

    @property
    def carries_derivatives(self) -> bool:
        """Whether the value needs a graph."""
        given = (self.x, self.y, self.x_weights, self.y_weights)
        return tracks_derivatives(*(side for side in given if side is not None))

    def value(self, function: str) -> Array:
        """The value alone, 0-d and in float64 with its graph."""
        if self.carries_derivatives or self.metric.name == "callable" or self.on_the_line:
            return self.solve(function)[0]
        if self.solver is None:
            a, b = _numpy_or_none(self.x_weights), _numpy_or_none(self.y_weights)
            value = value_of_small(as_numpy(self.x), as_numpy(self.y), a, b, self.metric)
            if value is not None:
                found = np.asarray(value)
                return _scalar_like(found, self.x) if is_tensor(self.x) else found
            return self.solve(function, refused=True)[0]
        return self.solve(function)[0]

    def solve(
        self, function: str, clock: Clock | None = None, *, refused: bool = False
    ) -> tuple[Array, Solution]:
        """The value, 0-d and in float64 with its graph, and the solution; clouds (n, d), (m, d).

        ``refused`` as in ``solve_points``.
        """
        if self.metric.name == "callable":
            cost = self.costs(self.x, self.y, function)
            problem = CostProblem(cost, self.x_weights, self.y_weights, self.solver)
            return problem.solve(function, clock)
        solution = solve_points(
            as_numpy(self.x), as_numpy(self.y), _numpy_or_none(self.x_weights),
            _numpy_or_none(self.y_weights), self.metric, self.solver, clock, refused=refused,
        )  # fmt: skip
        value = _checked(solution.value, function)
        if not is_tensor(self.x):
            return value, solution
        return self._with_graph(value, solution), solution

    def _with_graph(self, value: Float64Array, solution: Solution) -> Array:
        """The value as a tensor with its derivatives."""
        value = _scalar_like(value, self.x)
        if not self.carries_derivatives:
            return value
        xp, scale = namespace(self.x), solution.scale
        x, y = rows(as_float64(self.x), solution.source), rows(as_float64(self.y), solution.target)
        ends = (x, y) if scale == 1.0 else (x * scale, y * scale)
        sizes = np.abs(as_numpy(ends[0]) - as_numpy(ends[1])).max(axis=-1)
        safe = bool(sizes.min() > _SAFE and sizes.max() < 1 / _SAFE)
        distances = self.metric.tensor_pairs(xp, *ends, safe=safe)
        distances = distances if scale == 1.0 else distances / scale
        surrogate = like(solution.mass, self.x) @ distances
        for terms in _weight_terms(xp, self.x_weights, self.y_weights, solution):
            surrogate = surrogate + terms
        return attach(value, surrogate, finite=safe)

    def costs(self, x: Array, y: Array, function: str) -> Array:
        """What the caller's metric gives for all pairs, checked."""
        return checked_costs(self.metric, x, y, function)


@dataclass(frozen=True)
class CostProblem:
    """A cost matrix (n, m) and weights."""

    cost: Array
    x_weights: Array | None
    y_weights: Array | None
    solver: str | None = None

    @property
    def dtype(self) -> Any:
        """The dtype of the value."""
        given = (self.cost, self.x_weights, self.y_weights)
        return result_dtype(*(array for array in given if array is not None))

    def solve(self, function: str, clock: Clock | None = None) -> tuple[Array, Solution]:
        """The value, 0-d and in float64 with its graph, and the solution."""
        solution = solve_cost(
            as_numpy(self.cost), _numpy_or_none(self.x_weights), _numpy_or_none(self.y_weights),
            clock, self.solver,
        )  # fmt: skip
        value = _checked(solution.value, function)
        if not is_tensor(self.cost):
            return value, solution
        xp = namespace(self.cost)
        carried = as_float64(self.cost)[_indices(solution, self.cost)]
        surrogate = xp.sum(like(solution.mass, self.cost) * carried)
        for terms in _weight_terms(xp, self.x_weights, self.y_weights, solution):
            surrogate = surrogate + terms
        return attach(_scalar_like(value, self.cost), surrogate), solution


def point_problem(
    function: str,
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None,
    y_weights: ArrayLike | None,
    metric: Metric,
    solver: str | None,
    *,
    batch: bool = False,
) -> PointProblem:
    """Check the arguments and put them in one form."""
    x, x_weights = law(function, "x", x, x_weights, batch=batch)
    y, y_weights = law(function, "y", y, y_weights, batch=batch)
    same_library(function, x=x, y=y, x_weights=x_weights, y_weights=y_weights)
    known_values(function, x=x, y=y, x_weights=x_weights, y_weights=y_weights)
    same_dimension(x, y, function)
    if metric.name == "angular":
        nonzero_points(x, "x", function)
        nonzero_points(y, "y", function)
    if solver is not None:
        one_of(solver, "solver", SOLVERS, function)
        if solver == "line" and choose(metric, x.shape[-1]) != "line":
            refuse(function, "solver",
                   "be 'dense' or 'simplex' unless points are numbers and metric a norm",
                   f"'line' for dimension {x.shape[-1]} and metric {metric.name!r}")  # fmt: skip
        if solver == "multiscale" and not metric.is_norm:
            refuse(function, "solver", "be 'dense' or 'simplex' unless the metric is a norm",
                   f"'multiscale' for metric {metric.name!r}")  # fmt: skip
    return PointProblem(x, y, x_weights, y_weights, metric, solver)


def checked_costs(metric: Metric, x: Array, y: Array, function: str) -> Array:
    """What a callable metric gives for all pairs of x (n, d) and y (m, d)."""
    assert metric.function is not None
    shape = (int(x.shape[0]), int(y.shape[0]))
    cost = cost_matrix(metric.function(x, y), function, shape, "metric(x, y)")
    same_library(function, **{"x": x, "metric(x, y)": cost})
    values = as_numpy(cost)
    if values.min() < 0:
        i, j = np.unravel_index(int(values.argmin()), shape)
        refuse(function, "metric(x, y)", "be non-negative", f"{values.min()} at [{i}, {j}]")
    return cost


def law(
    function: str, name: str, value: ArrayLike, weights: ArrayLike | None, *, batch: bool = False
) -> tuple[Array, Array | None]:
    """Points (..., n, d) and weights of samples or of a ``Discrete``."""
    if isinstance(value, Discrete):
        if weights is not None:
            refuse(function, f"{name}_weights", f"be omitted where {name} is a Discrete law, "
                   "which carries its own weights", f"both, for {value!r}")  # fmt: skip
        return value.points, value.weights
    cloud = points(value, name, function, batch=batch)
    if weights is None:
        return cloud, None
    return cloud, sample_weights(weights, f"{name}_weights", cloud, function, batch=batch)


def _checked(value: float, function: str) -> Float64Array:
    if not np.isfinite(value):
        refuse(function, "x and y", "be so close that their distance is a finite float64",
               "points whose Wasserstein distance overflows")  # fmt: skip
    return np.asarray(value, dtype=np.float64)


def finished(value: Array, dtype: Any, function: str) -> Array:
    """``value`` in the dtype of the answer, which must hold it."""
    if dtype == value.dtype and value.ndim == 0 and math.isfinite(detach(value)):
        return value[()]
    with np.errstate(over="ignore"):
        answer = finish(value, dtype)
    if not np.isfinite(as_numpy(answer)).all():
        refuse(function, "x and y", f"be so close that their distance is a finite {dtype}",
               "points whose Wasserstein distance overflows")  # fmt: skip
    return answer


def _numpy_or_none(array: Array | None) -> Float64Array | None:
    return None if array is None else as_numpy(array)


def _scalar_like(value: Float64Array, model: Array) -> Array:
    return like(value.reshape(1), model)[0]


def _indices(solution: Solution, model: Array) -> tuple[Array, Array]:
    xp = namespace(model)
    source, target = (
        xp.asarray(index, device=model.device) for index in (solution.source, solution.target)
    )
    return source, target


def _weight_terms(
    xp: Any, x_weights: Array | None, y_weights: Array | None, solution: Solution
) -> Iterator[Array]:
    r"""Zeros, with the derivatives :math:`(u_i - \sum a u) / \sum a` in the weights."""
    for weights, potential, masses in (
        (x_weights, solution.potential_x, solution.supply),
        (y_weights, solution.potential_y, solution.demand),
    ):
        if weights is not None and tracks_derivatives(weights):
            weights = as_float64(weights)  # noqa: PLW2901
            centred = like(potential - float(masses @ potential), weights)
            change = weights - weights.detach()
            yield xp.sum(change * centred) / xp.sum(weights.detach())
