"""Sliced Wasserstein-1."""

from typing import Any

import numpy as np

from ._array import as_float64, finish, like, namespace, result_dtype
from ._transport_problem import law
from ._typing import Array, ArrayLike, Float64Array, Namespace
from ._validation import batch_shape, describe, refuse, same_dimension, same_library
from .measures import Discrete


def sliced_wasserstein1(
    x: ArrayLike | Discrete,
    y: ArrayLike | Discrete,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    projections: int,
    rng: np.random.Generator,
) -> Array:
    r"""Sliced Wasserstein-1 distance, averaged over random directions.

    .. math:: \frac1L \sum_{l=1}^{L} W_1(\langle \theta_l, X \rangle, \langle \theta_l, Y \rangle),
              \qquad \theta_l \text{ uniform on the sphere}

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d); or Discrete
        Samples, as in `wasserstein1`; (..., n, d) is a batch, which shares its directions.
    x_weights, y_weights : array, tensor or list, shapes (n,) and (m,), optional
        Masses of the points, of sum 1 up to rounding; uniform by default.
    projections : int
        The number L of directions, at least 1.
    rng : numpy.random.Generator
        Where the directions are drawn from, for tensors too.

    Returns
    -------
    scalar or array of the batch's shape
        In [0, W1], in the units of the points. An unbiased Monte Carlo estimate of the mean over
        all directions; on the line, W1 itself.

    Raises
    ------
    TypeError, ValueError
        As `wasserstein1`, and if projections or rng are not what is said above.

    Notes
    -----
    For fixed directions a pseudometric. The mean over the sphere is a metric, smaller than W1 by a
    factor of order :math:`\sqrt d` for laws far apart. Gradients (torch) in points and weights.
    Cost O(L (n + m) (d + log(n + m))).

    References
    ----------
    Bonneel, Rabin, Peyre and Pfister 2015, Sliced and Radon Wasserstein barycenters of measures,
    J. Math. Imaging Vis. 51.

    Examples
    --------
    >>> import numpy as np
    >>> from divergences import sliced_wasserstein1
    >>> rng = np.random.default_rng(0)
    >>> float(sliced_wasserstein1([0.0, 1.0], [5.0, 6.0], projections=3, rng=rng))
    5.0
    """
    function = "sliced_wasserstein1"
    if isinstance(projections, bool) or not isinstance(projections, (int, np.integer)):
        refuse(function, "projections", "be an integer", describe(projections), TypeError)
    if projections < 1:
        refuse(function, "projections", "be at least 1", describe(projections))
    if not isinstance(rng, np.random.Generator):
        refuse(function, "rng", "be a numpy.random.Generator", describe(rng), TypeError)
    x, x_weights = law(function, "x", x, x_weights, batch=True)
    y, y_weights = law(function, "y", y, y_weights, batch=True)
    same_library(function, x=x, y=y, x_weights=x_weights, y_weights=y_weights)
    same_dimension(x, y, function)
    batch_shape(function, x, y, x_weights, y_weights)
    given = (array for array in (x, y, x_weights, y_weights) if array is not None)
    dtype = result_dtype(*given)
    directions = like(_directions(rng, int(projections), int(x.shape[-1])), x)
    xp = namespace(x)
    # (..., d, n) under (L, d): the projections (..., L, n)
    x, y = (xp.matmul(directions, xp.matrix_transpose(as_float64(c))) for c in (x, y))
    return finish(_mean_distance(xp, x, y, x_weights, y_weights), dtype)


def _directions(rng: np.random.Generator, count: int, dimension: int) -> Float64Array:
    if dimension == 1:
        return np.ones((count, 1))
    normal = rng.normal(size=(count, dimension))
    return np.asarray(normal / np.sqrt((normal**2).sum(axis=1, keepdims=True)))


def _mean_distance(xp: Namespace, x: Array, y: Array, a: Any, b: Any) -> Array:
    """W1 on the line, averaged over the last axis but one."""
    if a is None and b is None and x.shape[-1] == y.shape[-1]:
        apart = xp.abs(xp.sort(x, axis=-1) - xp.sort(y, axis=-1))
        return xp.mean(apart, axis=(-2, -1))
    shape = np.broadcast_shapes(tuple(x.shape[:-2]), tuple(y.shape[:-2]))
    masses = [_masses(xp, points, given) for points, given in ((x, a), (y, b))]
    shape = np.broadcast_shapes(shape, *(tuple(mass.shape[:-2]) for mass in masses))
    lines = (*shape, x.shape[-2])
    points = xp.concat([xp.broadcast_to(c, (*lines, c.shape[-1])) for c in (x, y)], axis=-1)
    signed = xp.concat(
        [xp.broadcast_to(m, (*lines, m.shape[-1])) for m in (masses[0], -masses[1])], axis=-1
    )
    order = xp.argsort(points, axis=-1)
    points = xp.take_along_axis(points, order, axis=-1)
    excess = xp.cumulative_sum(xp.take_along_axis(signed, order, axis=-1), axis=-1)
    gaps = points[..., 1:] - points[..., :-1]
    return xp.mean(xp.sum(xp.abs(excess[..., :-1]) * gaps, axis=-1), axis=-1)


def _masses(xp: Namespace, points: Array, weights: Array | None) -> Array:
    """Weights (..., 1, n) of projections (..., L, n)."""
    if weights is None:
        return xp.ones_like(points[..., :1, :]) / points.shape[-1]
    weights = as_float64(weights)
    return (weights / xp.sum(weights, axis=-1, keepdims=True))[..., None, :]
