"""Laws on the line whose distribution functions are elementary: Laplace, exponential, uniform."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import values_are_readable
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import refuse
from ._line import ContinuousLaw, Points


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Laplace(ContinuousLaw):
    r"""The Laplace (double exponential) law.

    .. math:: f(x) = \frac{1}{2b} \exp\Bigl(-\frac{|x - \mu|}{b}\Bigr)

    Parameters
    ----------
    location : float or 0-d tensor
        The centre :math:`\mu`, finite.
    scale : float or 0-d tensor
        The mean distance :math:`b` from the centre, positive and finite.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Examples
    --------
    >>> from divergences import Laplace, wasserstein1
    >>> float(wasserstein1(Laplace(0.0, 1.0), Laplace(3.0, 1.0)))
    3.0
    """

    location: Any
    scale: Any

    def __post_init__(self) -> None:
        self._demand_numbers("scale")

    @property
    def expectation(self) -> float:
        return self._numbers()[0]

    @property
    def turning_points(self) -> tuple[float, ...]:
        return (self._numbers()[0],)

    @property
    def break_points(self) -> tuple[float, ...]:
        return (self._numbers()[0],)

    def _standard(self, x: ArrayLike) -> Float64Array:
        location, scale = self._numbers()
        return np.asarray((np.asarray(x, dtype=np.float64) - location) / scale)

    def cdf(self, x: ArrayLike) -> Float64Array:
        z = self._standard(x)
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0, tail, 1.0 - tail)

    def survival(self, x: ArrayLike) -> Float64Array:
        z = self._standard(x)
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z > 0, tail, 1.0 - tail)

    def quantile(self, level: ArrayLike) -> Float64Array:
        location, scale = self._numbers()
        return np.asarray(location + scale * _laplace_quantile(level))

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        location, scale = self._numbers()
        return np.asarray(location - scale * _laplace_quantile(level))

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        location, scale = self._numbers()
        z = np.clip(self._standard(x), -1e4, 1e4)
        lower = 0.5 * (z - 1.0) * np.exp(np.minimum(z, 0.0))
        upper = -0.5 * (z + 1.0) * np.exp(-np.maximum(z, 0.0))
        return np.asarray(location * self.cdf(x) + scale * np.where(z < 0, lower, upper))

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        del side
        return float(self.log_density(x)), 1.0 / self._numbers()[1], 0.0

    def tail_rate(self, x: float, side: float) -> float:
        location, scale = self._numbers()
        return 1.0 / scale if side * (x - location) >= 0.0 else 0.0

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (location, scale) = self._scalars(points.x)
        return -xp.abs(points.x - location) / scale - xp.log(2.0 * scale)


def _laplace_quantile(level: ArrayLike) -> Float64Array:
    tail = np.asarray(level, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.where(
            tail < 0.5,
            np.log(2.0 * np.minimum(tail, 0.5)),
            -np.log(2.0 * (1.0 - np.maximum(tail, 0.5))),
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exponential(ContinuousLaw):
    r"""The exponential law on [0, inf).

    .. math:: f(x) = \lambda e^{-\lambda x}

    Parameters
    ----------
    rate : float or 0-d tensor
        The rate :math:`\lambda`, the inverse of the mean; positive and finite.

    Raises
    ------
    TypeError, ValueError
        If the rate is not a number as said above.

    Examples
    --------
    >>> from divergences import Exponential, wasserstein1
    >>> float(wasserstein1(Exponential(1.0), Exponential(0.5)))
    1.0
    """

    rate: Any

    def __post_init__(self) -> None:
        self._demand_numbers("rate")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def expectation(self) -> float:
        return 1.0 / self._numbers()[0]

    def _standard(self, x: ArrayLike) -> Float64Array:
        return np.maximum(np.asarray(x, dtype=np.float64) * self._numbers()[0], 0.0)

    def cdf(self, x: ArrayLike) -> Float64Array:
        return np.asarray(-np.expm1(-self._standard(x)))

    def survival(self, x: ArrayLike) -> Float64Array:
        return np.asarray(np.exp(-self._standard(x)))

    def quantile(self, level: ArrayLike) -> Float64Array:
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log1p(-np.asarray(level, dtype=np.float64)) / self._numbers()[0])

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(np.asarray(level, dtype=np.float64)) / self._numbers()[0])

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        z = np.minimum(self._standard(x), 1e4)
        return np.asarray((-np.expm1(-z) - z * np.exp(-z)) / self._numbers()[0])

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        return float(self.log_density(x)), self.tail_rate(x, side), 0.0

    def tail_rate(self, x: float, side: float) -> float:
        return self._numbers()[0] if side > 0.0 and x >= 0.0 else 0.0

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (rate,) = self._scalars(points.x)
        outside = (points.high <= 0.0) | (points.x < 0.0)
        return xp.where(outside, -math.inf, xp.log(rate) - rate * points.x)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Uniform(ContinuousLaw):
    r"""The uniform law on [low, high].

    .. math:: f(x) = \frac{1}{b - a}, \qquad a \le x \le b

    Parameters
    ----------
    low, high : float or 0-d tensor
        The ends :math:`a < b`, finite.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above, or low is not below high.

    Examples
    --------
    >>> from divergences import Uniform, total_variation
    >>> float(total_variation(Uniform(0.0, 1.0), Uniform(0.25, 1.25)))
    0.25
    """

    low: Any
    high: Any

    def __post_init__(self) -> None:
        self._demand_numbers()
        if values_are_readable(self.low, self.high):
            low, high = self._numbers()
            if not low < high or not math.isfinite(high - low):
                refuse("Uniform", "high", "exceed low by a finite number", f"[{low!r}, {high!r}]")

    @property
    def support(self) -> tuple[float, float]:
        low, high = self._numbers()
        return low, high

    @property
    def expectation(self) -> float:
        low, high = self._numbers()
        return low + 0.5 * (high - low)

    def cdf(self, x: ArrayLike) -> Float64Array:
        low, high = self._numbers()
        inside = np.clip(np.asarray(x, dtype=np.float64), low, high)
        return np.asarray((inside - low) / (high - low))

    def survival(self, x: ArrayLike) -> Float64Array:
        low, high = self._numbers()
        inside = np.clip(np.asarray(x, dtype=np.float64), low, high)
        return np.asarray((high - inside) / (high - low))

    def quantile(self, level: ArrayLike) -> Float64Array:
        low, high = self._numbers()
        return np.asarray(low + np.asarray(level, dtype=np.float64) * (high - low))

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        low, high = self._numbers()
        return np.asarray(high - np.asarray(level, dtype=np.float64) * (high - low))

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        low, high = self._numbers()
        inside = np.clip(np.asarray(x, dtype=np.float64), low, high)
        return np.asarray((inside - low) / (high - low) * (low + 0.5 * (inside - low)))

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (low, high) = self._scalars(points.x)
        first, last = self._numbers()
        outside = (points.x < first) | (points.x > last)
        if points.high <= first or points.low >= last:
            outside = xp.ones_like(points.x) > 0
        elif first <= points.low and points.high <= last:  # a place may round to beyond an end
            outside = xp.ones_like(points.x) < 0
        return xp.where(outside, -math.inf, -xp.log(high - low))
