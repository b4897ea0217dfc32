"""The public ``wasserstein1``."""

from collections.abc import Callable
from typing import Any

from ._array import untraced
from ._batch_problem import batch_values
from ._laws import wasserstein1 as of_laws
from ._line_problem import line_distances
from ._transport_problem import finished, law, point_problem
from ._typing import Array, ArrayLike
from ._validation import batch_shape, default_for_laws, ground_metric, refuse
from .measures import Discrete, Law


def wasserstein1(
    x: ArrayLike,
    y: ArrayLike,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    metric: str | tuple[str, float] | Callable[[Any, Any], Any] = "euclidean",
    solver: str | None = None,
) -> Array:
    r"""Wasserstein-1 (Earth Mover) distance, exact and certified.

    .. math:: W_1(P, Q) = \min_{\pi \in \Pi(P, Q)} \int d(x, y) \, d\pi(x, y)
        = \sup_{\mathrm{Lip} f \le 1} \int f \, dP - \int f \, dQ .

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d); or a law
        Samples: a vector holds numbers on the line. With three axes or more, a batch of clouds
        (..., n, d) and (..., m, d) whose leading axes broadcast. A ``Discrete`` may stand for
        either; two laws of other families are compared by a closed form or by quadrature.
    x_weights, y_weights : array, tensor or list, shapes (n,) and (m,), optional
        Masses of the points, non-negative, of sum 1 up to rounding; uniform by default. For
        batches also (..., n) and (..., m).
    metric : {"euclidean", "cityblock", "chebyshev", "angular"}, ("minkowski", order) or callable
        The ground distance d. "angular" is the angle in radians between non-zero vectors. A
        callable gets x (n, d) and y (m, d) and returns their distances (n, m), for tensors with a
        graph; that it is a metric is not checked.
    solver : {"line", "multiscale", "dense", "simplex"}, optional
        By default "line" for numbers under a norm; a network simplex on all distances up to 1.4
        million pairs of points, in four and five coordinates 3.2, in more four (two for equal
        masses; 300,000 where one side is far larger); above that "multiscale", with O(n + m)
        memory, under a norm in up to five coordinates, and up to sixteen where the points fill no
        more than four; else "dense", under any metric. "simplex" holds all distances; above four
        million pairs it is POT's. Kernels are compiled at the first use, in three to thirty
        seconds, and cached.

    Returns
    -------
    scalar or array of the batch's shape
        In [0, diameter], in the units of the metric. ``np.float64`` or ``np.float32``, or a tensor
        of the dtype and device of the input with its graph.

    Raises
    ------
    TypeError, ValueError
        For anything else than what is said above: NaN or infinite coordinates, weights that are
        negative or do not sum to 1, points of different dimension, NumPy mixed with torch.
    NotImplementedError
        If no closed form is known for two laws; the message says what would work.
    CertificateError
        If the gap between primal and dual exceeds 1e-9 of the value plus 1e-13 of the diameter.

    See Also
    --------
    optimal_transport : the plan, the potentials and the gap besides.
    wasserstein1_bracket : two bounds within a given time.

    Notes
    -----
    Masses are integers, exact ones wherever it shows, equal mass at equal points is cancelled
    first, and distances are taken from coordinate differences, so the value is accurate relatively
    even where the laws nearly agree; identical clouds in any order give exactly 0.

    The problems of a batch are solved together, on all processors: sorted along one axis on the
    line; otherwise, up to 65,536 pairs of points each, by compiled solvers whose answers are
    certified like single ones. Tensors of numbers on the line stay on their device.

    Gradients are those of the exactly normalised distance (envelope theorem): the plan's
    directions for the points, :math:`f(x_i) - \sum_k a_k f(x_k)` for a weight. Where the optimal
    plan is not unique they are one subgradient; a pair at distance 0 contributes 0. Second
    derivatives keep plan and potentials fixed.

    Cost: O((n + m) log(n + m)) on the line, where it is that of the sorts; otherwise O(n m d) for
    the distances, O(n m) memory and about O((n + m)^3) for the solver. Up to 40,000 pairs neither
    the compiler nor POT is loaded: the first call of a process takes a fraction of a second.

    References
    ----------
    Villani, *Optimal Transport: Old and New* (2009), chapters 5 and 6.

    Examples
    --------
    >>> from divergences import wasserstein1
    >>> float(wasserstein1([0.0, 1.0, 3.0], [5.0, 6.0, 8.0]))
    5.0
    >>> float(wasserstein1([[0.0, 0.0]], [[3.0, 4.0]]))
    5.0
    """
    if any(isinstance(side, Law) and not isinstance(side, Discrete) for side in (x, y)):
        default_for_laws(metric, "euclidean", "metric", "wasserstein1")
        default_for_laws(solver, None, "solver", "wasserstein1")
        return of_laws(*(_as_law(*side) for side in (("x", x, x_weights), ("y", y, y_weights))))
    return _of_points(x, y, x_weights, y_weights, metric, solver)


@untraced
def _of_points(
    x: ArrayLike, y: ArrayLike, x_weights: ArrayLike | None, y_weights: ArrayLike | None,
    metric: Any, solver: str | None,
) -> Array:  # fmt: skip
    ground = ground_metric(metric, "wasserstein1")
    problem = point_problem("wasserstein1", x, y, x_weights, y_weights, ground, solver, batch=True)
    if problem.x.ndim == problem.y.ndim == 2 and not problem.on_the_line:
        return finished(problem.value("wasserstein1"), problem.dtype, "wasserstein1")
    shape = batch_shape("wasserstein1", problem.x, problem.y, problem.x_weights, problem.y_weights)
    if problem.on_the_line:
        return finished(line_distances(problem, shape), problem.dtype, "wasserstein1")
    return finished(batch_values(problem, shape), problem.dtype, "wasserstein1")


def _as_law(name: str, value: ArrayLike, weights: ArrayLike | None) -> Law:
    if isinstance(value, Law):
        if weights is not None:
            requirement = f"be omitted where {name} is a law"
            refuse("wasserstein1", f"{name}_weights", requirement, f"both, for {value!r}")
        return value
    return Discrete(*law("wasserstein1", name, value, weights))
