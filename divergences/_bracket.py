"""The public ``wasserstein1_bracket``."""

from collections.abc import Callable
from typing import Any

from ._array import as_numpy
from ._transport_problem import PointProblem, point_problem
from ._typing import ArrayLike
from ._validation import ground_metric, real_number
from .transport import (
    Bracket,
    Clock,
    TimeLimitReached,
    bounds_by_a_point,
    bounds_by_coordinates,
    within,
)

_NAME = "wasserstein1_bracket"


def wasserstein1_bracket(
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    seconds: float,
    metric: str | tuple[str, float] | Callable[[Any, Any], Any] = "euclidean",
) -> Bracket:
    r"""Two numbers that enclose the Wasserstein-1 distance, as close as the time allows.

    .. math:: \int f \, dP - \int f \, dQ \;\le\; W_1(P, Q) \;\le\; \int d \, d\pi

    for every 1-Lipschitz f and every coupling :math:`\pi`: the better both are, the closer the
    bounds.

    Parameters
    ----------
    x, y, x_weights, y_weights : as in ``wasserstein1``, without batches
    seconds : float
        About how long to search. What a few sorts give is returned however short the time.
    metric : as in ``wasserstein1``
        The ground distance.

    Returns
    -------
    Bracket
        ``lower`` and ``upper``, floats in the units of the metric. Where the problem is solved in
        time, they lie as close as ``optimal_transport``'s gap, and ``upper`` is its value.

    Raises
    ------
    TypeError, ValueError
        As in ``wasserstein1``.

    See Also
    --------
    optimal_transport : with ``time_limit=``, the same bracket in an exception.

    Notes
    -----
    Before anything is solved, the bounds are the distance of the laws of single coordinates and the
    couplings monotone along one (norms), or distances by way of one point (other metrics):
    O((n + m)(d + log(n + m))). After that, what the solver knows when the time is over, so long as
    it looks at the clock by then (it does not while it compiles or computes a matrix of distances;
    these are left to themselves, in a thread that ends unheard).

    Examples
    --------
    >>> from divergences import wasserstein1_bracket
    >>> bracket = wasserstein1_bracket([[0.0, 0.0]], [[3.0, 4.0]], seconds=1.0)
    >>> bracket.lower <= 5.0 <= bracket.upper, bracket.upper - bracket.lower < 1e-12
    (True, True)
    """
    real_number(seconds, "seconds", _NAME, positive=True)
    clock = Clock(float(seconds))
    ground = ground_metric(metric, _NAME)
    problem = point_problem(_NAME, x, y, x_weights, y_weights, ground, None)
    first = _first_bounds(problem)
    found = within(clock.limit - clock.elapsed(), lambda: _searched(problem, clock))
    clock.stop()
    if found is None:
        return first
    lower = max(first.lower, found.lower)
    return Bracket(min(lower, found.upper), min(first.upper, found.upper))


def _first_bounds(problem: PointProblem) -> Bracket:
    a, b = (w if w is None else as_numpy(w) for w in (problem.x_weights, problem.y_weights))
    metric, z = problem.metric, problem.y[:1]
    x, y = as_numpy(problem.x), as_numpy(problem.y)
    if metric.is_norm:
        return bounds_by_coordinates(x, y, a, b, metric)
    if metric.name == "callable":
        to_x = as_numpy(problem.costs(problem.x, z, _NAME))[:, 0]
        to_y = as_numpy(problem.costs(problem.y, z, _NAME))[:, 0]
    else:
        x, y = metric.prepare(x, 1.0), metric.prepare(y, 1.0)
        to_x, to_y = metric.matrix(x, y[:1])[:, 0], metric.matrix(y, y[:1])[:, 0]
    return bounds_by_a_point(to_x, to_y, a, b)


def _searched(problem: PointProblem, clock: Clock) -> Bracket:
    try:
        _, solution = problem.solve(_NAME, clock)
    except TimeLimitReached as late:
        return late.bracket
    return Bracket(min(solution.dual_value, solution.value), solution.value)
