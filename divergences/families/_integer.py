"""What laws on the integers 0, 1, 2, ... have in common."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import as_float64, detach, is_tensor, like, namespace, values_are_readable
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import real_number, refuse
from ._line import LineLaw, off_the_graph


class IntegerLaw(LineLaw):
    """A law on the non-negative integers."""

    __slots__ = ()

    def log_mass(self, k: ArrayLike) -> Array:
        """The logarithm of P(X = k), elementwise; -inf where that is 0.

        Parameters
        ----------
        k : array, tensor or list
            Numbers; those that are no integers of the support have mass 0.

        Returns
        -------
        array or tensor of the shape of ``k``
            A tensor if ``k`` or a parameter is one.
        """
        place = as_float64(k) if is_tensor(k) else np.asarray(k, dtype=np.float64)
        model = next(iter(self.tensors()), None)
        if model is not None and not is_tensor(place):
            place = like(place, model)
        xp = namespace(place)
        low, high = self.support
        inside = (place >= low) & (place <= high) & (place == xp.floor(place))
        value = self.log_mass_at(xp, xp.where(inside, place, low))
        return xp.where(inside, value, -math.inf)

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        """The log-mass at integers of the support."""
        raise NotImplementedError

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        raise NotImplementedError

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        """A number such that what lies beyond k, away from the mean, has at most mass exp(-it).

        Chernoff's bound; it grows away from the mean, where it is 0.
        """
        raise NotImplementedError


def probability(
    value: Any, function: str, *, positive: bool = False, name: str = "probability"
) -> None:
    real_number(value, name, function, positive=positive)
    if values_are_readable(value) and not 0.0 <= float(detach(value)) <= 1.0:
        end = "(0, 1]" if positive else "[0, 1]"
        refuse(function, name, f"lie in {end}", repr(float(detach(value))))


def log_positive(xp: Namespace, value: Array) -> Array:
    return xp.log(xp.where(value > 0, value, 1.0))


def integer_quantile(law: IntegerLaw, level: ArrayLike, *, upper: bool) -> Float64Array:
    """The smallest k with cdf(k) >= level (or survival(k) <= level), by bisection."""
    target = np.asarray(level, dtype=np.float64)
    low, high = law.support
    top = high if np.isfinite(high) else 2.0 * (law.expectation + 40.0 * law.deviation + 40.0)
    left, right = np.full(target.shape, low - 1.0), np.full(target.shape, top)
    while True:
        reached = law.survival(right) <= target if upper else law.cdf(right) >= target
        if bool(np.all(reached)) or np.isfinite(high) or float(np.max(right)) > 1e300:
            break
        right = np.where(reached, right, 2.0 * right)
    while bool(np.any(right - left > 1.0)):
        middle = np.floor(0.5 * (left + right))
        reached = law.survival(middle) <= target if upper else law.cdf(middle) >= target
        new_left, new_right = np.where(reached, left, middle), np.where(reached, middle, right)
        if np.array_equal(new_left, left) and np.array_equal(new_right, right):
            break  # integers beyond 2**53: neighbours cannot be told apart
        left, right = new_left, new_right
    return right


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ShiftedInteger(IntegerLaw):
    """A law on the integers moved by an integer: what such an `Affine` becomes when compared."""

    law: Any
    shift: Any

    def tensors(self) -> list[Array]:
        return list(self.law.tensors())

    def detached(self) -> "ShiftedInteger":
        """The law off the graph, in NumPy."""
        return ShiftedInteger(off_the_graph(self.law), self.shift)

    @property
    def support(self) -> tuple[float, float]:
        low, high = self.law.support
        return low + self.shift, high + self.shift

    @property
    def expectation(self) -> float:
        return float(self.law.expectation + self.shift)

    @property
    def deviation(self) -> float:
        return float(self.law.deviation)

    def cdf(self, x: ArrayLike) -> Float64Array:
        return np.asarray(self.law.cdf(np.asarray(x, dtype=np.float64) - self.shift))

    def survival(self, x: ArrayLike) -> Float64Array:
        return np.asarray(self.law.survival(np.asarray(x, dtype=np.float64) - self.shift))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return np.asarray(self.law.quantile(level) + self.shift)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return np.asarray(self.law.upper_quantile(level) + self.shift)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        return np.asarray(self.law.tail_exponent(k - self.shift))

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        return self.law.log_mass_at(xp, k - self.shift)
