"""Distances of samples that are means over pairs: energy distance and kernel discrepancies."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._array import as_float64, as_numpy, detach, finish, is_tensor, namespace, result_dtype
from ._metrics import differentiable_norm, norm, norm_matrix
from ._transport_problem import law
from ._typing import Array, ArrayLike, Namespace
from ._validation import batch_shape, describe, real_number, refuse, same_dimension, same_library
from .measures import Discrete

_BLOCK_ENTRIES = 1 << 21  # coordinates of differences held at a time
Dissimilarity = Callable[[Namespace, Array, Array], Array]


class _Samples(NamedTuple):
    x: Array
    y: Array
    x_weights: Array
    y_weights: Array
    dtype: Any


def energy_distance(
    x: ArrayLike | Discrete,
    y: ArrayLike | Discrete,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
) -> Array:
    r"""Energy distance of two laws in R^d.

    .. math:: \mathcal E(P, Q) = 2 E|X - Y| - E|X - X'| - E|Y - Y'|

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d); or Discrete
        Samples, as in `wasserstein1`; (..., n, d) is a batch.
    x_weights, y_weights : array, tensor or list, shapes (n,) and (m,), optional
        Masses of the points, of sum 1 up to rounding; uniform by default.

    Returns
    -------
    scalar or array of the batch's shape
        In [0, 2 W1], in the units of the points. Not the square root, and not halved.

    Raises
    ------
    TypeError, ValueError
        As `wasserstein1`.

    Notes
    -----
    That of the two empirical laws themselves (a V-statistic); zero only for equal laws. Where laws
    nearly agree the three means cancel: absolute error of some eps times the largest distance.
    Gradients (torch) in points and weights; two coinciding points contribute 0.
    Cost O((n + m)^2 d), blockwise in memory.

    References
    ----------
    Szekely and Rizzo 2013, Energy statistics, J. Stat. Plan. Inference 143.

    Examples
    --------
    >>> from divergences import energy_distance
    >>> float(energy_distance([0.0], [3.0]))
    6.0
    """
    samples = _samples("energy_distance", x, y, x_weights, y_weights)
    return finish(_clipped(_contrast(_distances, samples)), samples.dtype)


def maximum_mean_discrepancy(
    x: ArrayLike | Discrete,
    y: ArrayLike | Discrete,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    *,
    bandwidth: float,
) -> Array:
    r"""Maximum mean discrepancy of two laws under the Gaussian kernel.

    .. math:: \mathrm{MMD} = \sqrt{E k(X, X') + E k(Y, Y') - 2 E k(X, Y)}, \qquad
              k(x, y) = e^{-|x - y|^2 / (2 \sigma^2)}

    Parameters
    ----------
    x, y, x_weights, y_weights
        As in `energy_distance`.
    bandwidth : float
        :math:`\sigma`, positive, in the units of the points.

    Returns
    -------
    scalar or array of the batch's shape
        In [0, sqrt(2)], without unit.

    Raises
    ------
    TypeError, ValueError
        As `wasserstein1`, and if the bandwidth is not a positive number.

    See Also
    --------
    squared_maximum_mean_discrepancy_unbiased : an unbiased estimate of the square.

    Notes
    -----
    The distance of the two empirical laws themselves: as an estimate of that of the laws behind
    them it is biased upwards. A metric; at most :math:`W_1/\sigma` and :math:`\sqrt 2` times total
    variation. Gradients (torch): defined as 0 at value 0. Cost O((n + m)^2 d).

    References
    ----------
    Gretton et al. 2012, A kernel two-sample test, JMLR 13.

    Examples
    --------
    >>> from divergences import maximum_mean_discrepancy
    >>> value = maximum_mean_discrepancy([0.0], [1e9], bandwidth=1.0)
    >>> round(float(value) ** 2, 12)
    2.0
    """
    function = "maximum_mean_discrepancy"
    samples = _samples(function, x, y, x_weights, y_weights)
    square = _clipped(_contrast(_gaussian(bandwidth, function), samples))
    xp = namespace(square)
    positive = square > 0
    root = xp.where(positive, xp.sqrt(xp.where(positive, square, 1.0)), 0.0)
    return finish(root, samples.dtype)


def squared_maximum_mean_discrepancy_unbiased(
    x: ArrayLike, y: ArrayLike, *, bandwidth: float
) -> Array:
    r"""Unbiased estimate of the squared Gaussian maximum mean discrepancy, from samples.

    .. math:: \frac{\sum_{i \ne j} k(x_i, x_j)}{n(n-1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{m(m-1)}
              - \frac{2 \sum_{i, j} k(x_i, y_j)}{n m}

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d)
        Independent samples, at least two each; (..., n, d) is a batch.
    bandwidth : float
        That of `maximum_mean_discrepancy`.

    Returns
    -------
    scalar or array of the batch's shape
        At most 2; being unbiased, it may be negative.

    Raises
    ------
    TypeError, ValueError
        As `maximum_mean_discrepancy`, and for fewer than two points.

    Notes
    -----
    Gradients (torch) in the points. Cost O((n + m)^2 d).

    References
    ----------
    Gretton et al. 2012, A kernel two-sample test, JMLR 13, lemma 6.

    Examples
    --------
    >>> from divergences import squared_maximum_mean_discrepancy_unbiased
    >>> value = squared_maximum_mean_discrepancy_unbiased([0.0, 9.0], [0.0, 9.0], bandwidth=0.1)
    >>> round(float(value), 12)
    -1.0
    """
    function = "squared_maximum_mean_discrepancy_unbiased"
    samples = _samples(function, x, y, None, None, least=2)
    return finish(_contrast(_gaussian(bandwidth, function), samples, unbiased=True), samples.dtype)


def squared_polynomial_discrepancy_unbiased(
    x: ArrayLike, y: ArrayLike, *, degree: int = 3
) -> Array:
    r"""Unbiased squared maximum mean discrepancy under KID's polynomial kernel, from samples.

    .. math:: k(x, y) = \Bigl(\frac{\langle x, y \rangle}{d} + 1\Bigr)^3

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d)
        Independent samples (for the kernel inception distance, features of images), at least two
        each; (..., n, d) is a batch.
    degree : int, default 3
        The exponent, at least 1.

    Returns
    -------
    scalar or array of the batch's shape
        Being unbiased, it may be negative.

    Raises
    ------
    TypeError, ValueError
        As `squared_maximum_mean_discrepancy_unbiased`.

    Notes
    -----
    Not a distance of laws: it compares their moments up to the degree. Cost O((n + m)^2 d).

    References
    ----------
    Binkowski, Sutherland, Arbel and Gretton 2018, Demystifying MMD GANs, arXiv:1801.01401.

    Examples
    --------
    >>> from divergences import squared_polynomial_discrepancy_unbiased
    >>> float(squared_polynomial_discrepancy_unbiased([0.0, 0.0], [1.0, 1.0]))
    7.0
    """
    function = "squared_polynomial_discrepancy_unbiased"
    if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)) or degree < 1:
        refuse(function, "degree", "be an integer of at least 1", describe(degree))
    samples = _samples(function, x, y, None, None, least=2)

    def minus_kernel(xp: Namespace, first: Array, second: Array) -> Array:
        inner = xp.matmul(first, xp.matrix_transpose(second))
        return -((inner / first.shape[-1] + 1.0) ** degree)

    return finish(_contrast(minus_kernel, samples, unbiased=True), samples.dtype)


def _samples(
    function: str, x: Any, y: Any, x_weights: Any, y_weights: Any, least: int = 1
) -> _Samples:
    x, x_weights = law(function, "x", x, x_weights, batch=True)
    y, y_weights = law(function, "y", y, y_weights, batch=True)
    same_library(function, x=x, y=y, x_weights=x_weights, y_weights=y_weights)
    same_dimension(x, y, function)
    batch_shape(function, x, y, x_weights, y_weights)
    given = (array for array in (x, y, x_weights, y_weights) if array is not None)
    dtype = result_dtype(*given)
    for name, cloud in (("x", x), ("y", y)):
        if cloud.shape[-2] < least:
            refuse(function, name, f"hold at least {least} points", describe(cloud))
    x, y = as_float64(x), as_float64(y)
    return _Samples(x, y, _masses(x, x_weights), _masses(y, y_weights), dtype)


def _masses(cloud: Array, weights: Array | None) -> Array:
    xp = namespace(cloud)
    if weights is None:
        return xp.ones_like(cloud[..., 0]) / cloud.shape[-2]
    weights = as_float64(weights)
    return weights / xp.sum(weights, axis=-1, keepdims=True)


def _distances(xp: Namespace, first: Array, second: Array) -> Array:
    """Euclidean distances of all pairs, (..., n, m)."""
    if not is_tensor(first):
        if first.ndim == second.ndim == 2:
            return norm_matrix(first, second, 2.0)
        return norm(first[..., :, None, :] - second[..., None, :, :], 2.0)
    return differentiable_norm(xp, first[..., :, None, :] - second[..., None, :, :], 2.0)


def _gaussian(bandwidth: float, function: str) -> Dissimilarity:
    """1 - k, which loses no digits for close points."""
    real_number(bandwidth, "bandwidth", function, positive=True)

    def dissimilarity(xp: Namespace, first: Array, second: Array) -> Array:
        scaled = _distances(xp, first, second) / bandwidth
        return -xp.expm1(-0.5 * scaled * scaled)

    return dissimilarity


def _contrast(dissimilarity: Dissimilarity, samples: _Samples, *, unbiased: bool = False) -> Array:
    """2 E r(X, Y) - E r(X, X') - E r(Y, Y')."""
    x, y, a, b, _ = samples
    across = _mean(dissimilarity, x, y, a, b)
    within = (_within(dissimilarity, cloud, w, unbiased) for cloud, w in ((x, a), (y, b)))
    first, second = within
    return (across - first) + (across - second)


def _within(dissimilarity: Dissimilarity, x: Array, a: Array, unbiased: bool) -> Array:
    mean = _mean(dissimilarity, x, x, a, a)
    if not unbiased:
        return mean
    xp, count = namespace(x), x.shape[-2]
    own = dissimilarity(xp, x[..., :, None, :], x[..., :, None, :])[..., 0, 0]
    return (mean - xp.mean(own, axis=-1) / count) * (count / (count - 1))


def _mean(dissimilarity: Dissimilarity, x: Array, y: Array, a: Array, b: Array) -> Array:
    """Sum of a_i b_j r(x_i, y_j), over blocks of rows of x."""
    xp = namespace(x)
    row = max(1, math.prod(y.shape) * max(1, math.prod(x.shape[:-2])))
    step = max(1, _BLOCK_ENTRIES // row)
    total: Array = 0.0
    for start in range(0, x.shape[-2], step):
        part = slice(start, start + step)
        block = dissimilarity(xp, x[..., part, :], y)
        total = total + xp.sum(a[..., part] * xp.sum(block * b[..., None, :], axis=-1), axis=-1)
    return total


def _clipped(value: Array) -> Array:
    """At least 0, which rounding may have missed."""
    if is_tensor(value):
        return value.where(detach(value) > 0, 0.0 * detach(value))
    return np.maximum(as_numpy(value), 0.0)
