"""The public ``optimal_transport``."""

from collections.abc import Callable
from typing import Any

from ._array import untraced
from ._transport_problem import CostProblem, PointProblem, law, point_problem
from ._transport_result import cost_result, point_result
from ._typing import Array, ArrayLike
from ._validation import (
    cost_matrix,
    describe,
    ground_metric,
    known_values,
    one_of,
    progress_bar,
    real_number,
    refuse,
    same_library,
    sample_weights,
)
from .transport import Clock, TransportResult

_NAME = "optimal_transport"


@untraced
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
        By default "line" for numbers under a norm; a network simplex on all distances up to 1.4
        million pairs of points, in four and five coordinates 3.2, in more four (two for equal
        masses; 300,000 where one side is far larger), and for ``cost`` up to 134 million; above
        that "multiscale", with O(n + m) memory, under a norm in up to five coordinates, and up to
        sixteen where the points fill no more than four; else "dense", under any metric. "simplex"
        holds all distances; above four million pairs it is POT's. Kernels are compiled at the first
        use, in three to thirty seconds, and cached.
    time_limit : float, optional
        Seconds. "multiscale" and "dense" look at the clock every few milliseconds; "simplex" runs
        in attempts of bounded length, each twice the last, and stops before an attempt that would
        not fit. Compiling, the distances of all pairs, problems on the line and, without
        ``solver=``, those of points that go to the simplex (at most four million pairs) and
        matrices of that size, which take a fraction of a second, are not interrupted: their answer
        may come after the limit.
    progress : bool
        Show a bar of tqdm's on standard error, with the phase and the time so far.

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
    Cost as in ``wasserstein1``. Ctrl-C is answered within a second: compiled code of other
    libraries runs beside the main thread, and what cannot be stopped ends unheard. Kernels are
    thread-safe, and their results do not depend on the number of threads (the variable
    DIVERGENCES_NUM_THREADS). With weights of zero the potentials are still feasible everywhere.

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
    progress = progress_bar(progress, _NAME)
    limit = None
    if time_limit is not None:
        real_number(time_limit, "time_limit", _NAME, positive=True)
        limit = float(time_limit)
    if cost is not None:
        matrix = _cost_problem(x, y, x_weights, y_weights, metric, cost, solver)
        with Clock(limit, progress=progress) as clock:
            return _of_cost(matrix, clock)
    ground = ground_metric(metric, _NAME)
    problem = point_problem(_NAME, x, y, x_weights, y_weights, ground, solver)
    with Clock(limit, progress=progress) as clock:
        return _of_points(problem, clock)


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
    known_values(_NAME, cost=cost, x_weights=a, y_weights=b)
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


def _of_points(problem: PointProblem, clock: Clock) -> TransportResult:
    value, solution = problem.solve(_NAME, clock)
    return point_result(value, solution, problem)


def _of_cost(problem: CostProblem, clock: Clock) -> TransportResult:
    value, solution = problem.solve(_NAME, clock)
    return cost_result(value, solution, problem)
