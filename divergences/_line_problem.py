r"""Numbers on the line, one problem or a batch: their distances, with the gradients they give back.

Tensors on the host are read as NumPy arrays without a copy; on other devices, or where torch only
traces, the same formulas run as torch operations, and the uniform ones never wait for the device.

A point of mass :math:`[F_0, F_1]` in quantiles moves with the slope

.. math:: g(x) = |\{t \in [F_0, F_1] : G^{-1}(t) < x\}| - |\{t \in [F_0, F_1] : G^{-1}(t) > x\}| ,

found by two searches in the distribution function G of the other law, ties included. A weight has
the derivative f(x), where :math:`f' = \mathrm{sign}(G - F)` and the mean of f is 0.
"""

from typing import Any

import numpy as np

from ._array import (
    as_float64,
    as_numpy,
    attach,
    is_tensor,
    like,
    namespace,
    tracks_derivatives,
    values_are_readable,
)
from ._transport_problem import PointProblem
from ._typing import Array, Namespace
from .transport import (
    distance_on_the_line,
    distances_on_the_line,
    safe_scale,
    uniform_distances,
    weighted_distances,
)

_UNITS = 2.0**62  # masses as int64: their sums are exact in every order


def line_distances(problem: PointProblem, shape: tuple[int, ...]) -> Array:
    """Distances of the problem's batch ``shape``, in float64, with their graph."""
    x, y = problem.x[..., 0], problem.y[..., 0]
    a, b = problem.x_weights, problem.y_weights
    if not is_tensor(x):
        return _on_host(shape, x, y, a, b)
    x, y = (_floating(points) for points in (x, y))
    host = x.device.type in ("cpu", "mps") and values_are_readable(x)
    if host:
        value = like(_on_host(shape, *map(_readable, (x, y, a, b))), x)
    else:
        value = on_device(shape, *map(_detached, (x, y, a, b)))
    if not tracks_derivatives(*(side for side in (x, y, a, b) if side is not None)):
        return value
    return attach(value, _surrogate(x, y, a, b, shape))


def _on_host(shape: tuple[int, ...], x: Any, y: Any, a: Any, b: Any) -> Any:
    narrow = x.dtype == y.dtype == np.float32  # sorted as they are
    x, y = (points if narrow else as_float64(points) for points in (x, y))
    a, b = (None if weights is None else as_float64(weights) for weights in (a, b))
    if not shape and x.ndim == y.ndim == 1:
        return np.asarray(distance_on_the_line(x, y, a, b))
    return distances_on_the_line(x, y, a, b)


def _floating(points: Array) -> Array:
    """Tensors of float32 as they are, of all else in float64."""
    return points if str(points.dtype) == "torch.float32" else as_float64(points)


def _detached(side: Array | None) -> Array | None:
    return None if side is None else side.detach()


def _readable(side: Array | None) -> Any:
    if side is None or str(side.dtype) != "torch.float32":
        return None if side is None else as_numpy(side)
    return side.detach().cpu().resolve_neg().numpy()


def on_device(shape: tuple[int, ...], x: Array, y: Array, a: Any, b: Any) -> Array:
    """The distances by operations of the tensors' library, on their device."""
    xp = namespace(x)
    if a is None and b is None:
        x, y = (as_float64(xp.sort(points, axis=-1)) for points in (x, y))
        scale = safe_scale(xp, x, y)
        return uniform_distances(xp, x * scale, y * scale) / scale[..., 0]
    x, y, a, b = _alike(xp, x, y, a, b, shape)
    scale = safe_scale(xp, as_float64(x), as_float64(y))
    scaled = as_float64(x) * scale, as_float64(y) * scale
    value, trusted = weighted_distances(xp, *scaled, a, b)
    value = value / scale[..., 0]
    if values_are_readable(value) and not bool(trusted.all()):
        value = xp.where(trusted, value, like(_on_host(shape, *map(as_numpy, (x, y, a, b))), value))
    return value


def _alike(xp: Namespace, x: Any, y: Any, a: Any, b: Any, shape: tuple[int, ...]) -> Any:
    """Points and explicit weights, all of the batch's shape."""
    sides = []
    for points, weights in ((x, a), (y, b)):
        count = int(points.shape[-1])
        uniform = xp.ones_like(as_float64(points)) / count
        given = uniform if weights is None else as_float64(weights)
        sides += [xp.broadcast_to(side, (*shape, count)) for side in (points, given)]
    return sides[0], sides[2], sides[1], sides[3]


def _surrogate(x: Array, y: Array, a: Any, b: Any, shape: tuple[int, ...]) -> Array:
    """A function of the shape ``shape`` with the derivatives of the distances."""
    xp = namespace(x)
    x, y = as_float64(x), as_float64(y)
    scale = safe_scale(xp, x.detach(), y.detach())
    x, y = x * scale, y * scale
    if a is None and b is None:
        terms = uniform_distances(xp, xp.sort(x, axis=-1), xp.sort(y, axis=-1))
        return terms / scale[..., 0]
    still = _alike(xp, x.detach(), y.detach(), _detached(a), _detached(b), shape)
    at_x, at_y, in_a, in_b = still
    masses_x, masses_y = (_in_units(xp, weights) for weights in (in_a, in_b))
    terms = xp.sum((x - x.detach()) * _slopes(xp, at_x, masses_x, at_y, masses_y), axis=-1)
    terms = terms + xp.sum((y - y.detach()) * _slopes(xp, at_y, masses_y, at_x, masses_x), axis=-1)
    heights = _heights(xp, at_x, at_y, masses_x, masses_y)
    count = int(at_x.shape[-1])
    for weights, in_units, height in (
        (a, masses_x, heights[..., :count]), (b, masses_y, -heights[..., count:])
    ):  # fmt: skip
        if weights is None:
            continue
        weights = as_float64(weights)  # noqa: PLW2901
        mean = xp.sum(as_float64(in_units) * height, axis=-1, keepdims=True) / _UNITS
        change = (weights - weights.detach()) / xp.sum(weights.detach(), axis=-1, keepdims=True)
        terms = terms + xp.sum(change * (height - mean), axis=-1)
    return terms / scale[..., 0]


def _in_units(xp: Namespace, weights: Array) -> Array:
    shares = weights / xp.sum(weights, axis=-1, keepdims=True)
    return xp.astype(xp.round(shares * _UNITS), xp.int64)


def _slopes(xp: Namespace, x: Array, masses_x: Array, y: Array, masses_y: Array) -> Array:
    """The derivative of the distance in each point x (..., n)."""
    order, other = xp.argsort(x, axis=-1, stable=True), xp.argsort(y, axis=-1, stable=True)
    x, y = xp.take_along_axis(x, order, axis=-1), xp.take_along_axis(y, other, axis=-1)
    masses = xp.take_along_axis(masses_x, order, axis=-1)
    end = xp.cumulative_sum(masses, axis=-1)
    start = end - masses
    below = xp.cumulative_sum(xp.take_along_axis(masses_y, other, axis=-1), axis=-1)
    below = xp.concat([xp.zeros_like(below[..., :1]), below], axis=-1)
    left, right = (
        xp.take_along_axis(below, xp.searchsorted(y, x, side=side), axis=-1)
        for side in ("left", "right")
    )
    slopes = (xp.clip(left, start, end) - start) - (end - xp.clip(right, start, end))
    return as_float64(xp.take_along_axis(slopes, xp.argsort(order, axis=-1), axis=-1)) / _UNITS


def _heights(xp: Namespace, x: Array, y: Array, masses_x: Array, masses_y: Array) -> Array:
    """A potential f at the points (..., n + m), x first: f' = sign(G - F)."""
    points = xp.concat([x, y], axis=-1)
    order = xp.argsort(points, axis=-1, stable=True)
    sorted_points = xp.take_along_axis(points, order, axis=-1)
    excess = xp.concat([masses_x, -masses_y], axis=-1)
    excess = xp.cumulative_sum(xp.take_along_axis(excess, order, axis=-1), axis=-1)
    steps = -xp.sign(as_float64(excess[..., :-1])) * (
        sorted_points[..., 1:] - sorted_points[..., :-1]
    )
    heights = xp.cumulative_sum(steps, axis=-1)
    heights = xp.concat([xp.zeros_like(points[..., :1]), heights], axis=-1)
    return xp.take_along_axis(heights, xp.argsort(order, axis=-1), axis=-1)
