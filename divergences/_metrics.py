r"""Ground metrics: distances of all pairs, and of listed pairs, without loss.

Distances come from coordinate differences, never from inner products, whose cancellation costs
half of the digits of a close pair. Squares that would under- or overflow are taken after an exact
scaling by a power of two. The distances of listed pairs also exist for torch tensors, with the
subgradient 0 where two points coincide.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ._typing import Array, Float64Array, IntArray, Namespace

NAMES = ("euclidean", "cityblock", "chebyshev", "minkowski", "angular")
NORM_ORDERS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": math.inf}

_COORDINATES_A_PASS = 32  # squares summed one after another: bounds the rounding by 16 ulps
_BLOCK_ENTRIES = 1 << 21  # entries of the largest temporary array
_CACHED_ENTRIES = 1 << 15  # entries of temporary arrays that are used again at once
_GREATEST_ORDER_OF_PRODUCTS = 16
_LEAST_EXPONENT, _GREATEST_EXPONENT = -500, 950  # of scaled coordinates
_SAFE = 2.0**-500  # a distance above it has lost nothing to underflow of its squares


@dataclass(frozen=True)
class Metric:
    r"""A ground metric on :math:`\mathbb R^d`.

    Attributes
    ----------
    name : one of ``NAMES``, or "callable"
    order : order of the norm, at least 1 (inf for the largest coordinate); unused by the others
    function : what the caller gave, for "callable": (n, d), (m, d) -> (n, m)
    """

    name: str
    order: float = 2.0
    function: Callable[[Any, Any], Any] | None = None

    @property
    def is_norm(self) -> bool:
        """Whether the distance is a norm of the difference, so that it scales with the points."""
        return self.name not in ("angular", "callable")

    def scale(self, *clouds: Float64Array) -> float:
        """A power of two that takes coordinates away from the ends of the range of floats."""
        largest = max(float(np.abs(cloud).max()) for cloud in clouds)
        exponent = math.frexp(largest)[1]
        if not self.is_norm or largest == 0:
            return 1.0
        return math.ldexp(1.0, min(max(exponent, _LEAST_EXPONENT), _GREATEST_EXPONENT) - exponent)

    def prepare(self, points: Float64Array, scale: float | Float64Array) -> Float64Array:
        """The points that the distances act on: scaled, or unit vectors for the angular metric."""
        if self.name == "angular":
            points = unit_vectors(points)
        return points * scale

    def matrix(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Distances of all pairs of prepared points, shape (n, m); O(n m d)."""
        if self.name == "angular":
            angles = norm_matrix(x, y, 2.0)  # memory that is written again is there already
            np.arctan2(angles, norm_matrix(x, -y, 2.0), out=angles)
            angles *= 2
            return angles
        return norm_matrix(x, y, self.order)

    def pairs(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Distances of the rows of ``x`` from those of ``y`` (prepared), shape (k,); O(k d)."""
        if self.name == "angular":
            return 2 * np.arctan2(norm(x - y, 2.0), norm(x + y, 2.0))
        return norm(x - y, self.order)

    def listed(
        self, x: Float64Array, rows: IntArray, y: Float64Array, columns: IntArray
    ) -> Float64Array:
        """``pairs`` of x[rows] and y[columns], copied in blocks that a cache holds."""
        step = max(1, _CACHED_ENTRIES // x.shape[1])
        if rows.size <= step:
            return self.pairs(x[rows], y[columns])
        found = np.empty(rows.size)
        for start in range(0, rows.size, step):
            part = slice(start, start + step)
            found[part] = self.pairs(x[rows[part]], y[columns[part]])
        return found

    def tensor_pairs(self, xp: Namespace, x: Array, y: Array, *, safe: bool = False) -> Array:
        """``pairs`` of points not prepared, differentiable, with derivative 0 at distance 0.

        ``safe`` says that no distance is 0, and that squares neither over- nor underflow.
        """
        if safe and self.is_norm and self.order == 2.0:
            return xp.linalg.vector_norm(x - y, axis=-1)
        if self.name != "angular":
            return differentiable_norm(xp, x - y, self.order)
        x, y = (p / differentiable_norm(xp, p, 2.0)[..., None] for p in (x, y))
        chord, sum_length = (differentiable_norm(xp, p, 2.0) for p in (x - y, x + y))
        return 2 * xp.atan2(chord, sum_length)


NAMED_NORMS = {name: Metric(name, order) for name, order in NORM_ORDERS.items()}


def unit_vectors(points: Float64Array) -> Float64Array:
    """Non-zero points divided by their Euclidean lengths, at any scale."""
    exponents = np.frexp(np.abs(points).max(axis=-1, keepdims=True))[1]
    points = np.ldexp(points, -exponents)
    unit: Float64Array = points / norm(points, 2.0)[..., None]
    return unit


def norm(vectors: Float64Array, order: float) -> Float64Array:
    """Norms over the last axis, relatively accurate at every scale; O(size)."""
    sizes = np.abs(vectors)
    if vectors.shape[-1] == 1:
        return np.asarray(sizes[..., 0])
    if order == 2.0 and vectors.shape[-1] == 2:
        return np.hypot(sizes[..., 0], sizes[..., 1])
    if order == 1.0:
        return np.asarray(sizes.sum(axis=-1))
    if math.isinf(order):
        return np.asarray(sizes.max(axis=-1))
    if order == 2.0:
        with np.errstate(over="ignore"):
            squares = (sizes * sizes).sum(axis=-1)
        if squares.size and squares.min() > _SAFE**2 and squares.max() < np.inf:
            return np.asarray(np.sqrt(squares))
    return _scaled_norm(sizes, order)


def _scaled_norm(sizes: Float64Array, order: float) -> Float64Array:
    """The same, coordinates divided by about the largest of them."""
    largest = sizes.max(axis=-1)
    exponents = np.frexp(largest)[1]
    sizes = np.ldexp(sizes, -exponents[..., None])
    if order == 2.0:
        return np.asarray(np.ldexp(np.sqrt((sizes * sizes).sum(axis=-1)), exponents))
    # Sizes are divided by the largest, so that powers of any order stay between 0 and 1.
    mantissa = np.where(largest > 0, np.frexp(largest)[0], 1.0)
    sums = ((sizes / mantissa[..., None]) ** order).sum(axis=-1)
    return np.asarray(np.ldexp(mantissa * sums ** (1 / order), exponents))


def norm_matrix(x: Float64Array, y: Float64Array, order: float) -> Float64Array:
    """Norms of the differences of all pairs, shape (n, m); O(n m d) time, O(n m) memory."""
    n, m, dimension = x.shape[0], y.shape[0], x.shape[1]
    if dimension == 1:
        return np.abs(x - y.T)
    if dimension == 2 and order == 2.0:
        along = np.subtract.outer(x[:, 0], y[:, 0])
        return np.hypot(along, np.subtract.outer(x[:, 1], y[:, 1]), out=along)
    if order in (1.0, 2.0) or math.isinf(order):
        return _compiled_matrix(x, y, order)
    if m > dimension and n * m * dimension > _CACHED_ENTRIES:
        return _matrix_of_order(x, np.ascontiguousarray(y.T), order)
    result = np.empty((n, m))
    step = max(1, _BLOCK_ENTRIES // (m * dimension))
    for start in range(0, n, step):
        result[start : start + step] = norm(x[start : start + step, None, :] - y, order)
    return result


def _matrix_of_order(x: Float64Array, columns: Float64Array, order: float) -> Float64Array:
    """The same for a finite order, the second points being ``columns`` (d, m).

    Sizes are divided by the largest of their pair, as in ``_scaled_norm``, a coordinate at a time
    in blocks that a cache holds.
    """
    n, (dimension, m) = x.shape[0], columns.shape
    result = np.empty((n, m))
    step = max(1, _CACHED_ENTRIES // m)
    for start in range(0, n, step):
        rows, largest = x[start : start + step, :, None], result[start : start + step]
        sizes = [np.abs(rows[:, k] - columns[k]) for k in range(dimension)]
        np.maximum.reduce(sizes, out=largest)
        divisor = np.where(largest > 0, largest, 1.0)
        total = np.zeros_like(largest)
        for first in range(0, dimension, _COORDINATES_A_PASS):
            part = [_power(s / divisor, order) for s in sizes[first : first + _COORDINATES_A_PASS]]
            total += sum(part[1:], start=part[0])
        largest *= total ** (1 / order)
    return result


def _power(sizes: Float64Array, order: float) -> Float64Array:
    """Sizes to the power of ``order``: by products, and a root, where these are few."""
    if order > _GREATEST_ORDER_OF_PRODUCTS or (2 * order) % 1:
        return np.asarray(sizes**order)
    power = np.sqrt(sizes) if order % 1 else np.ones_like(sizes)
    rest, square = int(order), sizes
    while rest:
        if rest % 2:
            power = power * square
        rest //= 2
        square = square * square if rest else square
    return power


def _compiled_matrix(x: Float64Array, y: Float64Array, order: float) -> Float64Array:
    """SciPy's distances, summed over few coordinates at a time, underflown squares done again."""
    from scipy.spatial.distance import cdist

    if math.isinf(order):
        return np.asarray(cdist(x, y, "chebyshev"))
    name: Literal["sqeuclidean", "cityblock"] = "sqeuclidean" if order == 2.0 else "cityblock"
    exponent = int(np.frexp(max(np.abs(x).max(), np.abs(y).max()))[1]) if order == 2.0 else 0
    total = np.zeros((x.shape[0], y.shape[0]))
    for start in range(0, x.shape[1], _COORDINATES_A_PASS):
        part = slice(start, start + _COORDINATES_A_PASS)
        total += cdist(np.ldexp(x[:, part], -exponent), np.ldexp(y[:, part], -exponent), name)
    if order == 1.0:
        return total
    total = np.sqrt(total)
    small = np.nonzero(total < _SAFE)
    total = np.ldexp(total, exponent)
    step = max(1, _BLOCK_ENTRIES // x.shape[1])
    for start in range(0, small[0].size, step):
        i, j = (index[start : start + step] for index in small)
        total[i, j] = norm(x[i] - y[j], order)
    return total


def differentiable_norm(xp: Namespace, vectors: Array, order: float) -> Array:
    sizes = xp.abs(vectors)
    largest = xp.max(sizes, axis=-1, keepdims=True)
    largest = largest.detach()
    # The zero vector is replaced before the division and after the root: both branches of each
    # `where` are finite, so that no NaN enters its derivative.
    zero = largest == 0
    one = xp.ones_like(largest)
    ratios = xp.where(zero, xp.ones_like(sizes), sizes) / xp.where(zero, one, largest)
    if order == 1.0:
        lengths = xp.sum(ratios, axis=-1)
    elif math.isinf(order):
        lengths = ratios.amax(-1)
    else:
        lengths = xp.sum(ratios**order, axis=-1) ** (1 / order)
    largest, zero = largest[..., 0], zero[..., 0]
    return xp.where(zero, xp.zeros_like(lengths), lengths * largest)
