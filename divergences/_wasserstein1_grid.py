"""The public ``wasserstein1_grid``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._array import (
    as_float64,
    as_numpy,
    as_scalar,
    attach,
    finish,
    is_tensor,
    like,
    namespace,
    result_dtype,
    tracks_derivatives,
    untraced,
)
from ._metrics import Metric
from ._typing import Array, ArrayLike, Float64Array
from ._validation import refuse
from ._validation_grid import grid_axes, grid_norm, histogram_pair
from .transport import solve_grid, value_of_few_cells


@untraced
def wasserstein1_grid(
    p: ArrayLike,
    q: ArrayLike,
    *,
    spacing: float | Sequence[float] = 1.0,
    metric: str | tuple[str, float] = "cityblock",
    periodic: bool | Sequence[bool] = False,
) -> Array:
    r"""Wasserstein-1 (Earth Mover) distance of two histograms on a regular grid, exact, certified.

    .. math:: W_1(p, q) = \min_{\pi \in \Pi(p, q)} \sum_{z, w} \pi_{zw} \, d(z, w)
        = \max_{\mathrm{Lip} f \le 1} \sum_z (p_z - q_z) f_z ,

    over the cells' centres, which lie at ``index * spacing``.

    Parameters
    ----------
    p, q : array, tensor or list, of the same shape with 1, 2 or 3 axes
        Masses of the cells: non-negative, of sum 1 up to rounding. There are no batches: every axis
        is one of the grid.
    spacing : float, or one an axis
        Distance of neighbouring cells, positive.
    metric : {"cityblock", "euclidean", "chebyshev"} or ("minkowski", order)
        The ground distance d, a norm.
    periodic : bool, or one an axis
        Whether the last cell of an axis is a neighbour of the first (d is then the shortest way
        round). For a grid with several axes longer than 1: with "cityblock" only.

    Returns
    -------
    scalar
        In the units of ``spacing``. ``np.float64`` or ``np.float32``, or a 0-d tensor of the dtype
        and device of the input with its graph.

    Raises
    ------
    TypeError, ValueError
        For anything else than what is said above: shapes that differ, more than 3 axes, masses that
        are negative or do not sum to 1, a spacing of 0, NumPy mixed with torch.
    NotImplementedError
        For a periodic axis under another metric than "cityblock", on a grid with several axes.
    CertificateError
        If the gap between primal and dual exceeds 1e-9 of the value plus 1e-13 of the diameter.

    See Also
    --------
    wasserstein1 : the same between points anywhere; the cells may be given as weighted points.

    Notes
    -----
    Masses are exact integers and the common mass is cancelled first, so nearly equal histograms
    lose no digits and equal ones give exactly 0.

    Gradients in p and q are those of the exactly normalised distance (envelope theorem),
    :math:`f_z - \sum_w p_w f_w` for p and its negative counterpart for q, also at cells without
    mass, f being an optimal potential. Where that is not unique they are one subgradient; for equal
    histograms 0. There is no gradient in ``spacing``.

    Cost: O(N) for N cells along one axis, O(N log N) round a circle. Cityblock: a network simplex
    on the graph of the grid, 2 d arcs a cell, O(N) memory and time growing as about
    :math:`N^{1.5}`. Other metrics: the cells whose masses differ, as points (see ``wasserstein1``),
    with O(N) memory above some 500 of them. Kernels are compiled at the first use and cached.

    References
    ----------
    Ling and Okada, *An efficient earth mover's distance algorithm for robust histogram comparison*,
    IEEE Trans. PAMI 29 (2007). Delon, Salomon and Sobolevski, *Fast transport optimization for
    Monge costs on the circle*, SIAM J. Appl. Math. 70 (2010).

    Examples
    --------
    >>> from divergences import wasserstein1_grid
    >>> p, q = [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]
    >>> float(wasserstein1_grid(p, q)), float(wasserstein1_grid(p, q, spacing=(3.0, 4.0)))
    (2.0, 7.0)
    >>> float(wasserstein1_grid(p, q, spacing=(3.0, 4.0), metric="euclidean"))
    5.0
    >>> float(wasserstein1_grid([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], periodic=True))
    1.0
    """
    function = "wasserstein1_grid"
    p, q = histogram_pair(p, q, function)
    lengths, wraps = grid_axes(spacing, periodic, p.ndim, function)
    ground = grid_norm(metric, wraps, p.shape, function)
    model = p if is_tensor(p) else None
    if tracks_derivatives(p, q):
        solution = solve_grid(as_numpy(p), as_numpy(q), lengths, ground, wraps)
        value = as_scalar(solution.value, model)
        value = attach(value, _surrogate(p, q, solution.potential))
    else:
        value = as_scalar(_value(as_numpy(p), as_numpy(q), lengths, ground, wraps), model)
    dtype = result_dtype(p, q)
    if dtype == np.float64 and np.isfinite(value):
        return value
    with np.errstate(over="ignore"):
        answer = finish(value, dtype)
    if not np.isfinite(as_numpy(answer)):
        refuse(function, "spacing", f"be so small that the distance is a finite {answer.dtype}",
               f"{spacing!r}")  # fmt: skip
    return answer


def _value(
    p: Float64Array, q: Float64Array, lengths: tuple[float, ...], ground: Metric,
    wraps: tuple[bool, ...],
) -> float:  # fmt: skip
    """The distance alone."""
    value = value_of_few_cells(p, q, lengths, ground, wraps)
    if value is None:
        value = solve_grid(p, q, lengths, ground, wraps, everywhere=False).value
    return value


def _surrogate(p: Array, q: Array, potential: Float64Array) -> Any:
    """What has the derivatives of the distance: sum p f / sum p - sum q f / sum q."""
    xp = namespace(p)
    p, q = as_float64(p), as_float64(q)
    f = like(potential, p)
    return xp.sum(p * f) / xp.sum(p) - xp.sum(q * f) / xp.sum(q)
