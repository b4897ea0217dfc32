"""The public ``optimal_transport``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._array import as_float64, as_numpy, attach, finish, is_tensor, like, namespace, result_dtype
from ._metrics import Metric
from ._transport_problem import CostProblem, PointProblem, finished, law, point_problem
from ._typing import Array, ArrayLike, Float64Array, IntArray
from ._validation import (
    cost_matrix,
    describe,
    ground_metric,
    nonzero_points,
    one_of,
    points,
    real_number,
    refuse,
    same_dimension,
    same_library,
    sample_weights,
    uniform,
)
from .transport import Claims, Clock, Solution, TransportResult, verify

_NAME = "optimal_transport"
_BLOCK_ENTRIES = 1 << 20


def optimal_transport(
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    metric: str | tuple[str, float] | Callable[[Any, Any], Any] = "euclidean",
    cost: ArrayLike | None = None,
    solver: str | None = None,
    time_limit: float | None = None,
    progress: bool = False,
) -> TransportResult:
    r"""Optimal plan, potentials and their gap, for points under a metric or for a cost matrix.

    .. math:: \min_{\pi \in \Pi(a, b)} \sum_{ij} \pi_{ij} c_{ij}
        = \max_{u_i + v_j \le c_{ij}} \sum_i a_i u_i + \sum_j b_j v_j .

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d); or ``Discrete``
        The points. To be omitted where ``cost`` is given, unless they are given for their weights.
    x_weights, y_weights : array, tensor or list, shapes (n,) and (m,), optional
        Masses, non-negative, of sum 1 up to rounding; uniform by default.
    metric : as in ``wasserstein1``
        The cost of a pair of points.
    cost : array, tensor or list, shape (n, m), optional
        Costs of any sign, finite, in place of a metric: for squared distances, cosine
        dissimilarities and whatever else is no metric.
    solver : {"line", "multiscale", "dense", "simplex"}, optional
        By default "line" for numbers under a norm; "multiscale", with O(n + m) memory, for many
        points under a norm in few coordinates (more than 25 million pairs, up to 5 coordinates);
        "dense", in any number of coordinates and under any metric, above 100,000 pairs; else
        "simplex", POT's network simplex. "multiscale" and "dense" are compiled at the first use, in
        some ten seconds each, and cached.
    time_limit : float, optional
        Seconds. The multiscale and the dense solver look at the clock every few milliseconds; POT's
        then runs in attempts of bounded length, each twice the last, and stops before an attempt
        that would not fit. Compiling, and the distances of all pairs, are not interrupted.
    progress : bool
        Print each phase as it begins on standard error.

    Returns
    -------
    TransportResult
        With value, plan, potential_x, potential_y, dual_value, gap, tolerance, ``critic`` and
        ``verify``. In torch, ``value`` carries the graph of ``wasserstein1``, or with ``cost`` the
        gradient ``plan``.

    Raises
    ------
    TypeError, ValueError
        As in ``wasserstein1``.
    CertificateError
        If the gap exceeds the tolerance.
    TimeLimitReached
        With the attribute ``bracket``: a lower and an upper bound of the value.

    Notes
    -----
    Cost as in ``wasserstein1``. With weights of zero the potentials are still feasible everywhere.

    Examples
    --------
    >>> from divergences import optimal_transport
    >>> result = optimal_transport([0.0, 1.0], [1.0, 3.0], y_weights=[0.75, 0.25])
    >>> float(result.value), result.gap <= result.tolerance
    (1.0, True)
    >>> result.plan.toarray()
    array([[0.5 , 0.  ],
           [0.25, 0.25]])
    >>> result.verify()
    """
    if not isinstance(progress, bool):
        refuse(_NAME, "progress", "be True or False", describe(progress), TypeError)
    limit = None
    if time_limit is not None:
        real_number(time_limit, "time_limit", _NAME, positive=True)
        limit = float(time_limit)
    clock = Clock(limit, progress=progress)
    if cost is not None:
        return _of_cost(_cost_problem(x, y, x_weights, y_weights, metric, cost, solver), clock)
    ground = ground_metric(metric, _NAME)
    problem = point_problem(_NAME, x, y, x_weights, y_weights, ground, solver)
    value, solution = problem.solve(_NAME, clock)
    if ground.name == "callable":
        costs = as_numpy(problem.costs(problem.x, problem.y, _NAME))
        critic = _callable_critic(problem, solution)
        return _result(value, solution, problem, lambda i, j: costs[i, j] * solution.scale, critic)
    x, y = (ground.prepare(as_numpy(cloud), solution.scale) for cloud in (problem.x, problem.y))
    critic = _metric_critic(ground, solution)
    return _result(value, solution, problem, lambda i, j: ground.pairs(x[i], y[j]), critic)


def _cost_problem(
    x: Any, y: Any, x_weights: Any, y_weights: Any, metric: Any, cost: Any, solver: Any
) -> CostProblem:
    if metric != "euclidean":
        refuse(_NAME, "metric", "be left out where cost is given", describe(metric))
    if solver is not None:
        one_of(solver, "solver", ("dense", "simplex"), _NAME)
    cost = cost_matrix(cost, _NAME)
    a = _weights_of_side("x", x, x_weights, cost, _NAME)
    b = _weights_of_side("y", y, y_weights, cost.T, _NAME)
    same_library(_NAME, cost=cost, x_weights=a, y_weights=b)
    return CostProblem(cost, a, b, solver)


def _weights_of_side(
    name: str, cloud: Any, weights: Any, cost: Array, function: str
) -> Array | None:
    """Weights of the rows of ``cost``, given alone or with points ``cloud``."""
    if cloud is None:
        if weights is None:
            return None
        return sample_weights(weights, f"{name}_weights", cost, function)
    cloud, weights = law(function, name, cloud, weights)
    same_library(function, **{name: cloud, "cost": cost})
    if cloud.shape[0] != cost.shape[0]:
        refuse(function, "cost", "have one row for each x and one column for each y",
               f"{cost.shape[0]} for {cloud.shape[0]} points {name}")  # fmt: skip
    return weights


def _of_cost(problem: CostProblem, clock: Clock) -> TransportResult:
    value, solution = problem.solve(_NAME, clock)
    costs = np.array(as_numpy(problem.cost))  # a result does not change with the caller's array

    def critic(z: Any) -> Array:
        requirement = (
            "be asked of a result between points under a metric "
            "(a cost matrix says nothing about distances elsewhere)"
        )
        refuse(_NAME, "critic", requirement, f"{describe(z)} for a result of cost=")

    return _result(value, solution, problem, lambda i, j: costs[i, j] * solution.scale, critic)


def _result(
    value: Array,
    solution: Solution,
    problem: PointProblem | CostProblem,
    costs: Callable[[IntArray, IntArray], Float64Array],
    critic: Callable[[Any], Array],
) -> TransportResult:
    potentials = solution.potential_x, solution.potential_y
    if not all(np.isfinite(potential).all() for potential in potentials):
        refuse(_NAME, "x and y", "be so close that the potentials are finite float64 numbers",
               "points farther apart")  # fmt: skip
    model = problem.x if isinstance(problem, PointProblem) else problem.cost
    answer = finished(value, problem.dtype, _NAME)
    shape = (solution.supply.size, solution.demand.size)
    given = [
        uniform(count) if weights is None else np.array(as_numpy(weights))
        for count, weights in zip(shape, (problem.x_weights, problem.y_weights), strict=True)
    ]
    precision = 2.0**-23 if str(problem.dtype).endswith("float32") else 0.0

    def check(result: TransportResult) -> None:
        verify(_claims(result), given[0], given[1], costs, solution.scale, precision)

    return TransportResult(
        value=answer,
        plan=_sparse(solution, shape, model),
        potential_x=like(solution.potential_x, model),
        potential_y=like(solution.potential_y, model),
        dual_value=solution.dual_value,
        gap=solution.value - solution.dual_value,
        tolerance=solution.tolerance,
        _critic=critic,
        _verify=check,
    )


def _sparse(solution: Solution, shape: tuple[int, int], model: Array) -> Any:
    if is_tensor(model):
        import torch

        index = torch.from_numpy(np.stack([solution.source, solution.target]))
        mass = torch.from_numpy(solution.mass)
        return torch.sparse_coo_tensor(
            index, mass, shape, device=model.device, check_invariants=True
        ).coalesce()
    from scipy.sparse import csr_array

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
        result.dual_value, result.tolerance,
    )  # fmt: skip


def _metric_critic(metric: Metric, solution: Solution) -> Callable[[Any], Array]:
    assert solution.anchors is not None
    anchors, heights, scale = solution.anchors, solution.heights, solution.scale

    def critic(z: Any) -> Array:
        z = points(z, "z", "critic")
        same_dimension(z, anchors, "critic", "z and the data")
        if metric.name == "angular":
            nonzero_points(z, "z", "critic")
        prepared = metric.prepare(as_numpy(z), scale)
        nearest = _nearest(metric, prepared, anchors, heights)
        at, above = anchors[nearest], heights[nearest]
        values = (metric.pairs(prepared, at) + above) / scale
        answer = like(values, z)
        if is_tensor(z):
            distances = metric.tensor_pairs(namespace(z), as_float64(z) * scale, like(at, z))
            answer = attach(answer, distances / scale)
        return finish(answer, result_dtype(z))

    return critic


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
    nearest = np.empty(z.shape[0], dtype=np.int64)
    step = max(1, _BLOCK_ENTRIES // anchors.shape[0])
    for start in range(0, z.shape[0], step):
        block = metric.matrix(z[start : start + step], anchors) + heights
        nearest[start : start + step] = block.argmin(axis=1)
    return nearest


def _callable_critic(problem: PointProblem, solution: Solution) -> Callable[[Any], Array]:
    def critic(z: Any) -> Array:
        z = points(z, "z", "critic")
        same_dimension(z, problem.y, "critic", "z and the data")
        same_library("critic", z=z, y=problem.y)
        distances = as_float64(problem.costs(z, problem.y, "critic"))
        heights = like(solution.heights / solution.scale, z)
        values = namespace(z).min(distances + heights, axis=1)
        return finish(values, result_dtype(z))

    return critic
