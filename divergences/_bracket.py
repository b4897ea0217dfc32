"""The public ``wasserstein1_bracket``."""

from collections.abc import Callable
from typing import Any

from ._array import as_numpy, spacings, untraced
from ._transport_problem import PointProblem, point_problem
from ._typing import ArrayLike
from ._validation import ground_metric, real_number
from .transport import (
    Bracket,
    CertificateError,
    Clock,
    Coupled,
    TimeLimitReached,
    bounds_by_a_point,
    choose,
    couple,
    narrowed,
    rounded_outwards,
    within,
)

_NAME = "wasserstein1_bracket"
_SEARCH = 0.85  # of the time: then a solver is to say what it has
_NARROWED = {True: 0.3, False: 0.6}  # of that: when it begins, by whether it tells bounds meanwhile
_PAIRS_SOLVED_SOON = 1_000_000  # in a tenth of a second


@untraced
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
    Before the problem as a whole is solved, the bounds are the distances of the laws of some
    1-Lipschitz functions (coordinates, the one that grows fastest from mean to mean, distances from
    a point, the potential of a sample) and couplings that are monotone along one of them, then
    optimal in each of many parts; for a callable metric, distances by way of one point alone,
    which trust its triangle inequality to some ulps of what it returns.
    O((n + m)(d + log(n + m))) at first, and a third of the time in all, or half of it in many
    coordinates. After that, what the solver finds in time, in few coordinates from level to level
    (it does not look at the clock while it compiles or computes a matrix of distances; these are
    left to themselves, in a thread that ends unheard).

    Examples
    --------
    >>> from divergences import wasserstein1_bracket
    >>> bracket = wasserstein1_bracket([[0.0, 0.0]], [[3.0, 4.0]], seconds=1.0)
    >>> bracket.lower <= 5.0 <= bracket.upper, bracket.upper - bracket.lower < 1e-12
    (True, True)
    """
    real_number(seconds, "seconds", _NAME, positive=True)
    heard: list[Bracket] = []
    clock = Clock(_SEARCH * float(seconds), listener=heard.append)
    ground = ground_metric(metric, _NAME)
    problem = point_problem(_NAME, x, y, x_weights, y_weights, ground, None)
    first, coupled = _first_bounds(problem, clock)
    left = float(seconds) - clock.elapsed()
    found = within(left, lambda: _searched(problem, coupled, clock)) if left > 0 else None
    clock.stop()
    known = [first, *heard, found or first]
    upper = min(bracket.upper for bracket in known)
    return Bracket(min(upper, max(bracket.lower for bracket in known)), upper)


def _first_bounds(problem: PointProblem, clock: Clock) -> tuple[Bracket, Coupled | None]:
    """What can be said before anything is solved; and what to improve where that pays."""
    a, b = (w if w is None else as_numpy(w) for w in (problem.x_weights, problem.y_weights))
    if problem.metric.name == "callable":
        z = problem.y[:1]
        x, y = (problem.costs(points, z, _NAME)[:, 0] for points in (problem.x, problem.y))
        coarser = max(spacings(x), spacings(y))
        return bounds_by_a_point(as_numpy(x), as_numpy(y), a, b, coarser), None
    coupled = couple(as_numpy(problem.x), as_numpy(problem.y), a, b, problem.metric, clock)
    soon = problem.x.shape[0] * problem.y.shape[0] <= _PAIRS_SOLVED_SOON
    return coupled.bracket, None if soon or problem.on_the_line else coupled


def _searched(problem: PointProblem, coupled: Coupled | None, clock: Clock) -> Bracket | None:
    """What a solver finds; the clock's listener hears better bounds on the way."""
    if coupled is not None:
        n, m = problem.x.shape[0], problem.y.shape[0]
        solver = choose(problem.metric, coupled.x.shape[1], n=n, m=m)
        for bracket in narrowed(coupled, clock, _NARROWED[solver == "multiscale"]):
            clock.tell(bracket)
    return _solved(problem, clock) if clock.allows(0.0) else None


def _solved(problem: PointProblem, clock: Clock) -> Bracket | None:
    """What a solver finds; None where it finds nothing, for want of memory or of digits."""
    try:
        _, solution = problem.solve(_NAME, clock)
    except TimeLimitReached as late:
        known = late.bracket
        return rounded_outwards(known.lower, known.upper, 0.0, 1.0)
    except (CertificateError, MemoryError):
        return None
    return Bracket(min(solution.dual_value, solution.value), solution.value)
