"""Laws on the line that the caller describes by functions."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import describe, real_number, refuse
from ._line import ContinuousLaw, Points


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LawOnLine(ContinuousLaw):
    """A law without atoms on the line, given by its distribution function, its density, or both.

    Parameters
    ----------
    cdf : callable, optional
        The distribution function: maps an array of places to an array of probabilities,
        non-decreasing and continuous. Needed for Wasserstein-1.
    density : callable, optional
        The density, in the same manner; monotone between neighbouring ``turning_points``. Needed
        for upper bounds of total variation, KL and JS.
    support : pair of floats, default (-inf, inf)
        An interval that carries the law. Bounded if no ``cdf`` is given.
    turning_points : sequence of floats, default ()
        Where the density passes from rising to falling or back, jumps, or has a kink.
    accuracy : float, default 1e-14
        The error that the values of ``cdf``, and relatively those of ``density``, may have.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not what is said above.

    Notes
    -----
    What the caller says (monotone, continuous, monotone between turning points, accurate) is taken
    as true: the certified enclosures of such laws are as good as these statements.

    Examples
    --------
    >>> from divergences import Uniform, total_variation_enclosure
    >>> from divergences.families import LawOnLine
    >>> triangle = LawOnLine(cdf=lambda x: x**2, density=lambda x: 2 * x, support=(0.0, 1.0))
    >>> 0.25 in total_variation_enclosure(triangle, Uniform(0.0, 1.0))
    True
    """

    cdf_: Any = None
    density_: Any = None
    support_: Any = (-math.inf, math.inf)
    turning_points_: Any = ()
    accuracy: float = 1e-14

    def __init__(
        self,
        cdf: Callable[..., Any] | None = None,
        density: Callable[..., Any] | None = None,
        *,
        support: tuple[float, float] = (-math.inf, math.inf),
        turning_points: Any = (),
        accuracy: float = 1e-14,
    ) -> None:
        name = "LawOnLine"
        for parameter, function in (("cdf", cdf), ("density", density)):
            if function is not None and not callable(function):
                refuse(name, parameter, "be a function of an array", describe(function), TypeError)
        if cdf is None and density is None:
            refuse(name, "cdf or density", "be given", "neither")
        low, high = _interval(support, name)
        if cdf is None and not (math.isfinite(low) and math.isfinite(high)):
            refuse(name, "support", "be bounded where no cdf is given", repr(support))
        real_number(accuracy, "accuracy", name, positive=True)
        turns = tuple(sorted(float(turn) for turn in turning_points))
        values = (cdf, density, (low, high), turns, float(accuracy))
        fields = ("cdf_", "density_", "support_", "turning_points_", "accuracy")
        for field, value in zip(fields, values, strict=True):
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        given = [n for n, f in (("cdf", self.cdf_), ("density", self.density_)) if f is not None]
        return f"LawOnLine({' and '.join(given)} on {list(self.support_)!r})"

    def detached(self) -> "LawOnLine":
        """The law itself: it has no graph."""
        return self

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.support_
        return float(low), float(high)

    @property
    def turning_points(self) -> tuple[float, ...]:
        return tuple(self.turning_points_)

    @property
    def break_points(self) -> tuple[float, ...]:
        ends = [end for end in self.support_ if math.isfinite(end)]
        return tuple(sorted({*ends, *self.turning_points_}))

    @property
    def log_concave_tails(self) -> bool:
        return False

    @property
    def given(self) -> bool:
        return True

    @property
    def expectation(self) -> float:
        message = "LawOnLine.expectation: the mean of a law given by functions is not known"
        raise NotImplementedError(message)

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        del x
        message = "LawOnLine.partial_mean: the mean of a law given by functions is not known"
        raise NotImplementedError(message)

    @property
    def has_cdf(self) -> bool:
        """Whether the distribution function was given."""
        return self.cdf_ is not None

    @property
    def has_density(self) -> bool:
        """Whether the density was given."""
        return self.density_ is not None

    def cdf(self, x: ArrayLike) -> Float64Array:
        low, high = self.support_
        if self.cdf_ is None:
            message = f"{self!r} was given no cdf; give one, or use what needs its density alone"
            raise NotImplementedError(message)
        place = np.asarray(x, dtype=np.float64)
        inside = np.clip(place, low, high)
        with np.errstate(all="ignore"):
            value = np.asarray(self.cdf_(inside), dtype=np.float64)
        value = np.broadcast_to(value, place.shape)
        return np.where(place <= low, 0.0, np.where(place >= high, 1.0, value))

    def survival(self, x: ArrayLike) -> Float64Array:
        return np.asarray(1.0 - self.cdf(x))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return self._inverse(np.asarray(level, dtype=np.float64))

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return self._inverse(1.0 - np.asarray(level, dtype=np.float64))

    def _inverse(self, level: Float64Array) -> Float64Array:
        low, high = self.support_
        left = np.full(level.shape, max(low, -1.0) if math.isfinite(high) else low)
        left = np.where(np.isfinite(left), left, -1.0)
        right = np.full(level.shape, high if math.isfinite(high) else 1.0)
        right = np.where(right > left, right, left + 1.0)
        for _ in range(1000):
            outside = (self.cdf(left) > level) & (left > low)
            if not outside.any():
                break
            left = np.where(outside, np.maximum(left - 2.0 * (right - left), low), left)
        for _ in range(1000):
            outside = (self.cdf(right) < level) & (right < min(high, 1e300))
            if not outside.any():
                break
            right = np.where(outside, np.minimum(right + 2.0 * (right - left), high), right)
        for _ in range(100):
            middle = left + 0.5 * (right - left)
            past = self.cdf(middle) >= level
            left, right = np.where(past, left, middle), np.where(past, middle, right)
        return np.asarray(right)

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        low, high = self.support_
        if self.density_ is None:
            message = f"{self!r} was given no density; give one, or use what needs its cdf alone"
            raise NotImplementedError(message)
        x = np.asarray(points.x)
        inside = (x >= low) & (x <= high)
        with np.errstate(all="ignore"):
            value = np.asarray(
                self.density_(np.where(inside, x, 0.5 * (max(low, -1e300) + min(high, 1e300)))),
                dtype=np.float64,
            )
            logarithm = np.log(np.broadcast_to(value, x.shape))
        return xp.where(inside, logarithm, -math.inf)


def _interval(value: Any, name: str) -> tuple[float, float]:
    requirement = "be a pair low < high"
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError):
        refuse(name, "support", requirement, describe(value), TypeError)
    if not low < high:
        refuse(name, "support", requirement, repr(value))
    return low, high
