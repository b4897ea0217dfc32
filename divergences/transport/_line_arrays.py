r"""Distances on the line over the last axis of arrays, in NumPy or torch: batches, and any device.

For n and m equal masses the quantile functions are compared piece by piece; for weights the
distribution functions are, at the points of both laws sorted together:

.. math:: W_1 = \int_{\mathbb R} |F(z) - G(z)| \, dz, \qquad
    F - G = \frac{A(z)}{S_a} - \frac{B(z)}{S_b}
    = \frac{(A - B) + A\,(S_b - S_a)/S_a}{S_b} .

A and B are sums of raw weights, :math:`S_a` and :math:`S_b` their totals, which differ in the last
digits only. The difference A - B is taken in integers, on two levels: multiples of
:math:`2^{-62}`, and what these leave in multiples of :math:`2^{-62-s}`, with s as large as sums in
int64 allow. Weights above :math:`2^{-9-s}` are such multiples exactly, so equal masses cancel to 0.
"""

import math
from typing import Any

from .._array import as_float64, is_tensor
from .._summation import sum_of_sizes
from .._typing import Array, Namespace
from ._line_sort import increasing_order

LEAST_SHARE = 2.0**-43  # errors up to this share of a distance are accepted
_LARGE, _SMALL = 2.0**900, 2.0**-500  # sizes out of this range are scaled


def safe_scale(xp: Namespace, x: Array, y: Array) -> Array:
    """A power of two for each pair of rows (kept as an axis of 1) that keeps sums in range."""
    largest = xp.maximum(
        xp.max(xp.abs(x), axis=-1, keepdims=True), xp.max(xp.abs(y), axis=-1, keepdims=True)
    )
    one = xp.ones_like(largest)
    return xp.where(largest > _LARGE, 2.0**-100 * one, xp.where(largest < _SMALL, 2.0**500, one))


def safe_scale_of(largest: float) -> float:
    """The same for one pair of rows, from the largest size of its entries."""
    return 2.0**-100 if largest > _LARGE else 2.0**500 if largest < _SMALL else 1.0


def uniform_distances(xp: Namespace, x: Array, y: Array) -> Array:
    """Distances of samples x (..., n) and y (..., m) already sorted; shape (...)."""
    n, m = int(x.shape[-1]), int(y.shape[-1])
    if n == m:
        return sum_of_sizes(xp, xp.abs(x - y)) / n
    source, target, mass = quantile_pieces(xp, n, m, x)
    sizes = xp.abs(x[..., source] - y[..., target]) * mass
    return sum_of_sizes(xp, sizes) / math.lcm(n, m)


def quantile_pieces(xp: Namespace, n: int, m: int, model: Array) -> tuple[Array, Array, Array]:
    """Which of n sorted points meets which of m, and in how many parts of 1 / lcm(n, m)."""
    where: dict[str, Any] = {} if isinstance(model.device, str) else {"device": model.device}
    common = math.gcd(n, m)
    ends = xp.concat([
        (m // common) * xp.arange(1, n + 1, **where), (n // common) * xp.arange(1, m + 1, **where)
    ])  # fmt: skip
    order = xp.argsort(ends, stable=True)
    ends = ends[order]
    mass = xp.concat([ends[:1], ends[1:] - ends[:-1]])
    closes_source = xp.astype(order < n, ends.dtype)
    source = xp.cumulative_sum(closes_source) - closes_source
    target = xp.arange(n + m, **where) - source
    # The last two ends coincide, and the piece between them has no mass and no source.
    return xp.clip(source, max=n - 1), target, as_float64(mass)


def second_level(count: int) -> int:
    """The bits s of the second level with which sums of ``count`` rests stay in int64."""
    return 61 - count.bit_length()


def error_bound(count: int, tilt: Any, exact: Any) -> Any:
    """How far F - G may be wrong beyond its rounding, for so many atoms and (S_b - S_a) / S_a.

    ``exact`` says whether the two levels hold all weights exactly: 1 or 0.
    """
    rounded = count * 2.0 ** -(63 + second_level(count))
    return rounded * (1 - exact) + abs(tilt) * 2.0**-50


def weighted_distances(
    xp: Namespace, x: Array, y: Array, a: Array, b: Array
) -> tuple[Array, Array]:
    """Distances of x (..., n) with weights ``a`` from y (..., m) with ``b``, of one batch shape.

    Returns
    -------
    distances, trusted : arrays of shape (...)
        Where not ``trusted``, the error may exceed ``LEAST_SHARE`` of the distance.
    """
    count = int(x.shape[-1] + y.shape[-1])
    fine = 2.0 ** second_level(count)
    points, order = _in_order(xp, as_float64(xp.concat([x, y], axis=-1)))
    weights = xp.take_along_axis(xp.concat([a, -b], axis=-1), order, axis=-1)  # those of y negative
    scaled = weights * 2.0**62
    whole = xp.round(scaled)
    rest = (scaled - whole) * fine
    rounded = xp.round(rest)
    excess = _running_sums(xp, whole)
    excess_rest = _running_sums(xp, rounded) / fine
    supply = _running_sums(xp, xp.where(weights > 0, whole, xp.zeros_like(whole)))

    all_supply = supply[..., -1]
    tilt = -(excess[..., -1] + excess_rest[..., -1]) / all_supply
    all_demand = all_supply - excess[..., -1]
    difference = xp.abs(excess + excess_rest + supply * tilt[..., None])
    areas = sum_of_sizes(xp, difference[..., :-1] * (points[..., 1:] - points[..., :-1]))
    distances = areas / all_demand
    exact = as_float64(xp.all(rest == rounded, axis=-1))
    bound = error_bound(count, tilt, exact) * (points[..., -1] - points[..., 0])
    return distances, LEAST_SHARE * distances >= bound


def _in_order(xp: Namespace, points: Array) -> tuple[Array, Array]:
    if not is_tensor(points):
        return increasing_order(points)
    order = xp.argsort(points, axis=-1, stable=True)
    return xp.take_along_axis(points, order, axis=-1), order


def _running_sums(xp: Namespace, integers: Array) -> Array:
    """Sums of whole numbers, exact until they are returned as floats."""
    return as_float64(xp.cumulative_sum(xp.astype(integers, xp.int64), axis=-1))
