"""Pushforwards of laws by affine maps."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import as_float64, detach, is_tensor, values_are_readable
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import describe, real_array, real_number, refuse
from ..measures import Law
from ._line import (
    ROUNDING,
    ContinuousLaw,
    LineLaw,
    Parametric,
    Points,
    off_the_graph,
    one_home,
    own,
)

_OF_THE_LINE = (
    "cdf", "survival", "quantile", "upper_quantile", "support", "expectation", "log_density",
    "log_mass",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Affine(Parametric):
    r"""The law of :math:`a X + b` for X of a given law.

    Parameters
    ----------
    law : law
        The law of X.
    scale : float, tensor or matrix, default 1
        A number other than 0; for `MultivariateNormal` and `Discrete` laws also a matrix of shape
        (k, d), of any rank.
    shift : float, tensor or vector, default 0
        A number, or a vector of shape (k,) where X is in R^d.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not what is said above, or tensors are of several devices, or mixed with
        arrays.

    Notes
    -----
    Two laws under the same map are compared before it: total variation, KL and JS do not change,
    and Wasserstein-1 is multiplied by abs(scale).

    Examples
    --------
    >>> from divergences import Affine, Gamma, wasserstein1
    >>> p, q = Gamma(2.0, 1.0), Gamma(3.0, 1.0)
    >>> round(float(wasserstein1(Affine(p, -2.0, 5.0), Affine(q, -2.0, 5.0))), 12)
    2.0
    """

    law: Any
    scale: Any = 1.0
    shift: Any = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.law, Law):
            refuse("Affine", "law", "be a law", describe(self.law), TypeError)
        in_space = not isinstance(self.law, LineLaw)
        for name in ("scale", "shift"):
            value = getattr(self, name)
            if in_space and not isinstance(value, (int, float)):
                array = real_array(value, name, "Affine")
                if array.ndim > (2 if name == "scale" else 1):
                    refuse("Affine", name, "be a matrix, vector or number", describe(value))
                if name == "scale" and array.ndim == 1:
                    refuse("Affine", name, "be a number or a matrix", describe(value))
                object.__setattr__(self, name, array)
                continue
            real_number(value, name, "Affine")
            if name == "scale" and values_are_readable(value) and float(detach(value)) == 0.0:
                refuse("Affine", "scale", "not be 0 (that law is an atom)", repr(value))
        one_home("Affine", {"law": self.law, "scale": self.scale, "shift": self.shift})

    def tensors(self) -> list[Array]:
        own = [value for value in (self.scale, self.shift) if is_tensor(value)]
        inner = self.law.tensors() if isinstance(self.law, Parametric) else []
        return own + inner

    def __repr__(self) -> str:
        return f"Affine({self.law!r}, scale={self.scale!r}, shift={self.shift!r})"

    def __getattr__(self, name: str) -> Any:
        """What laws on the line have, of the law that this one is with the map carried out."""
        from ._canonical import canonical  # which imports this file

        image = canonical(self) if name in _OF_THE_LINE else self
        if isinstance(image, Affine):
            message = f"{self!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(image, name)


def on_the_line(law: Any) -> Any:
    """An affine image of a law with a density on the line as such a law; others as they are."""
    if not isinstance(law, Affine):
        return law
    inner = on_the_line(law.law)
    return AffineOnLine(inner, law.scale, law.shift) if isinstance(inner, ContinuousLaw) else law


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AffineOnLine(ContinuousLaw):
    """An affine map of a law with a density on the line: what `Affine` becomes when compared."""

    law: Any
    scale: Any
    shift: Any

    def __repr__(self) -> str:
        return f"Affine({self.law!r}, scale={self.scale!r}, shift={self.shift!r})"

    def tensors(self) -> list[Array]:
        return [v for v in (self.scale, self.shift) if is_tensor(v)] + list(self.law.tensors())

    def detached(self) -> "AffineOnLine":
        """The law off the graph, in NumPy."""
        return AffineOnLine(off_the_graph(self.law), *self._map())

    def _map(self) -> tuple[float, float]:
        return float(detach(self.scale)), float(detach(self.shift))

    def _forth(self, places: Any) -> Any:
        scale, shift = self._map()
        return tuple(sorted(scale * np.asarray(places, dtype=np.float64) + shift))

    def _back(self, x: ArrayLike) -> Float64Array:
        scale, shift = self._map()
        return np.asarray((np.asarray(x, dtype=np.float64) - shift) / scale)

    @property
    def support(self) -> tuple[float, float]:
        low, high = self._forth(self.law.support)
        return float(low), float(high)

    @property
    def expectation(self) -> float:
        scale, shift = self._map()
        return scale * float(self.law.expectation) + shift

    @property
    def turning_points(self) -> tuple[float, ...]:
        return tuple(map(float, self._forth(self.law.turning_points)))

    @property
    def break_points(self) -> tuple[float, ...]:
        return tuple(map(float, self._forth(self.law.break_points)))

    @property
    def singular_ends(self) -> tuple[float, ...]:
        return tuple(map(float, self._forth(self.law.singular_ends)))

    @property
    def log_concave_tails(self) -> bool:
        return bool(self.law.log_concave_tails)

    @property
    def least_place(self) -> float:
        return float(max(abs(self._map()[0]), 1.0) * self.law.least_place)

    @property
    def given(self) -> bool:
        return bool(self.law.given)

    @property
    def has_cdf(self) -> bool:
        return bool(self.law.has_cdf)

    @property
    def has_density(self) -> bool:
        return bool(self.law.has_density)

    @property
    def accuracy(self) -> float:
        return max(ROUNDING, float(self.law.accuracy))

    def cdf(self, x: ArrayLike) -> Float64Array:
        name = "cdf" if self._map()[0] > 0 else "survival"
        return np.asarray(getattr(self.law, name)(self._back(x)))

    def survival(self, x: ArrayLike) -> Float64Array:
        name = "survival" if self._map()[0] > 0 else "cdf"
        return np.asarray(getattr(self.law, name)(self._back(x)))

    def quantile(self, level: ArrayLike) -> Float64Array:
        scale, shift = self._map()
        name = "quantile" if scale > 0 else "upper_quantile"
        return np.asarray(scale * getattr(self.law, name)(level) + shift)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        scale, shift = self._map()
        name = "upper_quantile" if scale > 0 else "quantile"
        return np.asarray(scale * getattr(self.law, name)(level) + shift)

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        scale, shift = self._map()
        inner = self.law.partial_mean(self._back(x))
        if scale < 0:
            inner = self.law.expectation - inner
        return np.asarray(scale * inner + shift * self.cdf(x))

    def inner(self, points: Points) -> Points:
        """The places from which ``points`` come."""
        scale, shift = (
            as_float64(v) if is_tensor(v) else np.float64(v) for v in (self.scale, self.shift)
        )
        factor, offset = self._map()
        logarithm = math.log(abs(factor))
        below, above = (None if a is None else a - logarithm for a in points[3:])
        ends = [self._snapped((end - offset) / factor) for end in (points.low, points.high)]
        if factor < 0:
            below, above, ends = above, below, ends[::-1]
        x = (points.x - shift) / scale
        if not is_tensor(x):  # a distance from an end has digits that the place has not
            up = None if below is None else ends[0] + np.exp(below)
            down = None if above is None else ends[1] - np.exp(above)
            if up is not None and down is not None:
                x = np.where(np.asarray(below) < np.asarray(above), up, down)
            elif up is not None or down is not None:
                x = down if up is None else up
        return Points(x, ends[0], ends[1], below, above)

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        scale = own(self.scale, points.x)
        magnitude = scale if self._map()[0] > 0 else -scale
        return self.law.log_density_at(xp, self.inner(points)) - xp.log(magnitude)

    def log_density_bounds(self, low: Float64Array, high: Float64Array) -> tuple[Array, Array]:
        factor = self._map()[0]
        first, last = self._back(low), self._back(high)
        if factor < 0:
            first, last = last, first
        least, most = self.law.log_density_bounds(first, last)
        return least - math.log(abs(factor)), most - math.log(abs(factor))

    def _inside(self, x: float, side: float) -> tuple[float, float, float]:
        """Where x and the side come from, and the stretch."""
        factor = self._map()[0]
        return float(self._back(x)), math.copysign(side, side * factor), abs(factor)

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        place, inner_side, size = self._inside(x, side)
        floor, slope, curvature = self.law.tail_floor(place, inner_side)
        return floor - math.log(size), slope / size, curvature / size / size

    def tail_moments(self, x: float, side: float) -> tuple[float, float, float]:
        place, inner_side, size = self._inside(x, side)
        mass, mean, square = self.law.tail_moments(place, inner_side)
        return mass, mean * size, square * size * size

    def end_power(self, end: float) -> float:
        return float(self.law.end_power(self._snapped(float(self._back(end)))))

    def log_edges(self, tails: Float64Array, end: float) -> Float64Array:
        factor = self._map()[0]
        near = self._snapped(float(self._back(end)))
        return np.asarray(self.law.log_edges(tails, near) + math.log(abs(factor)))

    def _snapped(self, end: float) -> float:
        """The break point of the inner law that ``end`` is up to rounding."""
        places = self.law.break_points
        return next((e for e in places if abs(e - end) <= 1e-13 * max(abs(e), 1e-300)), end)
