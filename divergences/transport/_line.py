r"""Transport on the line: the monotone plan is optimal.

.. math:: W_1 = \int_{\mathbb R} |F(z) - G(z)| \, dz
    = \int_0^1 |F^{-1}(t) - G^{-1}(t)| \, dt .

Villani, *Topics in Optimal Transportation* (2003), theorem 2.18. O((n + m) log(n + m)). Sorting is
most of the work, and it is NumPy's; what follows it is NumPy's too for up to 131,072 points, and
for equally many uniform ones. Only above does a compiled loop save more than its compilation costs.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._array import as_float64
from .._summation import sum_of_sizes, two_sum
from .._typing import Float64Array, IntArray
from ._line_arrays import (
    LEAST_SHARE,
    error_bound,
    safe_scale,
    safe_scale_of,
    second_level,
    uniform_distances,
    weighted_distances,
)
from ._line_sort import sorted_with_weights
from ._masses import Flow, Marginals, cost_of, marginals, north_west, unless_equal
from ._threads import over_blocks

_MANY_POINTS = 1 << 17  # more are worth compiled loops
_FEW_WEIGHTED = 64  # atoms that Python's own integers sum sooner than vectorised passes
_UNITS = 2.0**62  # of weights: integers in int64
_MOST_BITS = 1000  # by which a float can be shifted to a whole number, and be one yet
_FEW_POINTS = 256  # up to here Python's own exact sum is the fastest
_BLOCK_ENTRIES = 1 << 15  # of temporary arrays: what fits a cache is fast


def monotone_plan(x: Float64Array, y: Float64Array, masses: Marginals) -> Flow:
    """The plan that couples equal quantiles of atoms ``x`` (n,) and ``y`` (m,)."""
    from_left_x, from_left_y = (np.argsort(points, kind="stable") for points in (x, y))
    flow = north_west(masses.supply[from_left_x], masses.demand[from_left_y])
    return Flow(from_left_x[flow.source], from_left_y[flow.target], flow.mass)


def plan_of_value(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None, value: float
) -> tuple[Flow, Marginals]:
    """A plan that costs ``value`` to rounding, and its masses: exact ones if it takes them."""
    for exact in (False, True):
        masses = marginals(a, x.size, b, y.size, exact=exact)
        flow = monotone_plan(x, y, masses)
        cost = cost_of(flow, np.abs(x[flow.source] - y[flow.target]), masses.total)
        if abs(cost - value) <= LEAST_SHARE * value:
            break
    return flow, masses


def value(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None
) -> float:
    """The distance of atoms x (n,) and y (m,) in float32 or float64; weights None are uniform."""
    a, b = unless_equal(a), unless_equal(b)
    weighted = a is not None or b is not None
    if weighted and x.size + y.size <= _FEW_WEIGHTED:
        return _value_of_few(x, y, _explicit(a, x.size), _explicit(b, y.size))
    if weighted and x.size + y.size <= _MANY_POINTS:
        return _value_of_some(x, y, _explicit(a, x.size), _explicit(b, y.size))
    if weighted:
        return _value_of_many(x, y, _explicit(a, x.size), _explicit(b, y.size))
    x, y, scale = _scaled(*_both(np.sort, x, y))
    with np.errstate(over="ignore"):
        if x.size == y.size:
            return _sum_of_distances(x, y) / x.size / scale
        if x.size + y.size <= _MANY_POINTS:
            return float(uniform_distances(np, as_float64(x), as_float64(y))) / scale
        from ._line_kernels import distance_of_uniform

        common = math.lcm(x.size, y.size)
        return distance_of_uniform(as_float64(x), as_float64(y)) / common / scale


def _both(work: Callable[[Any], Any], first: Any, second: Any) -> list[Any]:
    """``work`` of both sides, on two threads if that is worth their start."""
    if np.size(first) <= _BLOCK_ENTRIES:
        return [work(first), work(second)]
    return over_blocks(lambda side: work((first, second)[side]), range(2))


def _explicit(weights: Float64Array | None, count: int) -> Float64Array:
    return np.full(count, 1.0 / count) if weights is None else weights


def _scaled(x: Any, y: Any) -> tuple[Any, Any, float]:
    """Sorted numbers, scaled if that keeps sums in range, and the scale."""
    scale = safe_scale_of(max(-float(x[0]), float(x[-1]), -float(y[0]), float(y[-1])))
    if scale == 1.0:
        return x, y, scale
    return as_float64(x) * scale, as_float64(y) * scale, scale


def _sum_of_distances(x: Any, y: Any) -> float:
    """The sum of |x - y| in float64 whatever the dtypes, block by block."""
    if x.size <= _FEW_POINTS:
        return math.fsum(np.abs(np.subtract(x, y, dtype=np.float64)).tolist())
    parts = []
    for start in range(0, x.size, _BLOCK_ENTRIES):
        block = slice(start, start + _BLOCK_ENTRIES)
        sizes = np.subtract(x[block], y[block], dtype=np.float64)
        parts.append(float(sum_of_sizes(np, np.abs(sizes, out=sizes))))
    return math.fsum(parts)


def _value_of_few(x: Any, y: Any, a: Float64Array, b: Float64Array) -> float:
    """The distance of weighted atoms in Python's integers, exact but for the last sum."""
    supply, demand = _whole(a.tolist()), _whole(b.tolist())
    mass, other = sum(supply), sum(demand)
    atoms = [(point, share * other) for point, share in zip(x.tolist(), supply, strict=True)]
    atoms += [(point, -share * mass) for point, share in zip(y.tolist(), demand, strict=True)]
    atoms.sort()
    everything, excess, areas = mass * other, 0, []
    last = atoms[0][0]
    scale = safe_scale_of(max(-last, atoms[-1][0]))
    for point, share in atoms:
        areas.append(abs(excess) / everything * (point * scale - last * scale))
        excess += share
        last = point
    return math.fsum(areas) / scale


def _whole(weights: list[float]) -> list[int]:
    """Integers in the proportions of the weights."""
    bits = 53 - math.frexp(min(filter(None, weights), default=1.0))[1]
    if bits <= _MOST_BITS:
        unit = 2.0**bits  # the smallest weight, and so each, is a multiple of its inverse
        return [int(weight * unit) for weight in weights]
    ratios = [weight.as_integer_ratio() for weight in weights]
    whole = max(denominator for _, denominator in ratios)
    return [numerator * (whole // denominator) for numerator, denominator in ratios]


def _value_of_some(x: Any, y: Any, a: Float64Array, b: Float64Array) -> float:
    """The distance of weighted atoms by NumPy: what ``weighted_distances`` is for rows, in less."""
    points = np.concatenate([x, y])
    order = points.argsort()
    levels, fine, exact = _levels(np.concatenate([a, b]))
    levels[:, x.size :] *= -1
    levels = levels[:, order]
    supply = np.where(order < x.size, levels[0], 0).cumsum()
    sums, points = levels.cumsum(axis=1), as_float64(points[order])
    found = _area(points, sums, supply, fine, exact)
    return _exact_value(x, y, a, b) if found is None else found


def value_of_histograms(points: Float64Array, a: Float64Array, b: Float64Array) -> float:
    """The distance of two laws on the same increasing points."""
    levels, fine, exact = _levels(np.array([a, b]))
    sums = levels.cumsum(axis=2)
    found = _area(points, sums[:, 0] - sums[:, 1], sums[0, 0], fine, exact)
    return _exact_value(points, points, a, b) if found is None else found


def _levels(weights: Float64Array) -> tuple[IntArray, float, bool]:
    """Weights as multiples of 2^-62, what these leave as multiples of a ``fine`` part of that, and
    whether nothing is left then.
    """
    fine = 2.0 ** second_level(weights.size)
    levels = np.empty((2, *weights.shape))
    scaled = weights * _UNITS
    np.rint(scaled, out=levels[0])
    scaled -= levels[0]
    scaled *= fine
    np.rint(scaled, out=levels[1])
    return levels.astype(np.int64), fine, bool((scaled == levels[1]).all())


def _area(
    points: Float64Array, sums: IntArray, supply: IntArray, fine: float, exact: bool
) -> float | None:
    """The area between distribution functions whose differences are ``sums`` on two levels.

    None where rounding may be more than ``LEAST_SHARE`` of it.
    """
    scale = safe_scale_of(max(-float(points[0]), float(points[-1])))
    if scale != 1.0:
        points = points * scale
    excess, rest = sums.astype(np.float64)
    rest /= fine
    all_supply = float(supply[-1])
    tilt = -float(excess[-1] + rest[-1]) / all_supply
    excess += rest
    if tilt:
        excess += supply * tilt
    areas = np.abs(excess[:-1], out=excess[:-1])
    areas *= points[1:] - points[:-1]
    few = areas.size <= _FEW_POINTS
    area = math.fsum(areas.tolist()) if few else float(sum_of_sizes(np, areas))
    found = area / (all_supply - float(sums[0, -1]))
    bound = error_bound(2 * points.size, tilt, exact) * float(points[-1] - points[0])
    return found / scale if LEAST_SHARE * found >= bound else None


def _value_of_many(x: Any, y: Any, a: Float64Array, b: Float64Array) -> float:
    """The distance of weighted atoms by compiled loops."""
    from ._line_kernels import distance_of_weighted

    largest = max(float(np.maximum(points.max(), -points.min())) for points in (x, y))
    scale = safe_scale_of(largest)
    sides = (x, a), (y, b)

    def sort(side: int) -> Float64Array:
        points, weights = sides[side]
        return sorted_with_weights(as_float64(points) * scale if scale != 1.0 else points, weights)

    first, second = over_blocks(sort, range(2))
    count = x.size + y.size
    found, tilt, exact = distance_of_weighted(first, second, 2.0 ** second_level(count))
    width = max(first[-2, 0], second[-2, 0]) - min(first[0, 0], second[0, 0])
    if LEAST_SHARE * found >= error_bound(count, tilt, exact) * width:
        return found / scale
    return _exact_value(first[:-1, 0], second[:-1, 0], first[:-1, 1], second[:-1, 1]) / scale


def values(x: Any, y: Any, a: Float64Array | None, b: Float64Array | None) -> Float64Array:
    """Distances of x (..., n) from y (..., m), weights alike, whose leading axes broadcast.

    One sort along the last axis for all of them; blocks of rows on all processors.
    """
    a, b = unless_equal(a), unless_equal(b)
    count = x.shape[-1] + y.shape[-1]
    kernel: Callable[..., Float64Array] = _uniform_rows
    if a is None and b is None:
        sides = [np.sort(x, axis=-1), np.sort(y, axis=-1)]
    else:
        sides = [x, y, _explicit(a, x.shape[-1]), _explicit(b, y.shape[-1])]
        kernel = _weighted_rows if count <= _MANY_POINTS else _long_rows
    shape = np.broadcast_shapes(*(side.shape[:-1] for side in sides))
    rows = [
        np.broadcast_to(side, (*shape, side.shape[-1])).reshape(-1, side.shape[-1])
        for side in sides
    ]
    step = max(1, _BLOCK_ENTRIES // count)

    def part(start: int) -> Float64Array:
        return kernel(*(side[start : start + step] for side in rows))

    parts = over_blocks(part, range(0, rows[0].shape[0], step))
    return np.concatenate([np.zeros(0), *parts]).reshape(shape)


def _uniform_rows(x: Any, y: Any) -> Float64Array:
    x, y, scale = _scaled_rows(x, y)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(uniform_distances(np, x, y) / scale)


def _weighted_rows(x: Any, y: Any, a: Float64Array, b: Float64Array) -> Float64Array:
    x, y, scale = _scaled_rows(x, y)
    with np.errstate(over="ignore", under="ignore"):
        found, trusted = weighted_distances(np, x, y, a, b)
        for k in np.nonzero(~trusted)[0]:
            found[k] = _exact_value(x[k], y[k], a[k], b[k])
        return np.asarray(found / scale)


def _long_rows(x: Any, y: Any, a: Float64Array, b: Float64Array) -> Float64Array:
    return np.array([value(*row) for row in zip(x, y, a, b, strict=True)])


def _scaled_rows(x: Any, y: Any) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Rows in float64, scaled where that keeps sums in range, and their scales."""
    x, y = as_float64(x), as_float64(y)
    scale = safe_scale(np, x, y)
    if (scale != 1.0).any():
        x, y = x * scale, y * scale
    return x, y, scale[:, 0]


def _exact_value(x: Float64Array, y: Float64Array, a: Float64Array, b: Float64Array) -> float:
    """The distance with masses as Python integers: for nearly equal laws."""
    first, second = (np.lexsort(side) for side in ((a, x), (b, y)))
    if x.size == y.size and (x[first] == y[second]).all() and (a[first] == b[second]).all():
        return 0.0
    masses = marginals(a, x.size, b, y.size, exact=True)
    flow = monotone_plan(x, y, masses)
    return cost_of(flow, np.abs(x[flow.source] - y[flow.target]), masses.total)


def potential(x: Float64Array, y: Float64Array, masses: Marginals) -> Float64Array:
    r"""An optimal 1-Lipschitz f at the n + m points, x first: :math:`f' = \mathrm{sign}(G - F)`.

    Slopes are integrated in fixed point (2**-61 of the range), so that no rounding accumulates.
    """
    points = np.concatenate([x, y])
    order = np.argsort(points, kind="stable")
    excess = np.concatenate([masses.supply, -masses.demand])[order]
    slope = -_signs(np.cumsum(excess))[:-1]
    first, last = points[order[0]], points[order[-1]]
    width = last - first
    if width == 0:
        return np.zeros(points.size)
    exponent = 61 - int(np.frexp(width)[1])
    high, low = two_sum(points[order], -first)
    ticks = sum(np.rint(np.ldexp(part, exponent)).astype(np.int64) for part in (high, low))
    height = np.zeros(points.size, dtype=np.int64)
    np.cumsum(slope * np.diff(ticks), out=height[1:])
    height -= (height.max() + height.min()) // 2
    result = np.empty(points.size)
    result[order] = np.ldexp(height.astype(np.float64), -exponent)
    return result


def _signs(values: Any) -> Any:
    """Signs of integers (int64 or Python's) as int64."""
    return (values > 0).astype(np.int64) - (values < 0).astype(np.int64)
