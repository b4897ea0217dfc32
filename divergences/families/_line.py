r"""What every law on the line offers, and the places at which densities are evaluated.

Values (`cdf`, `quantile`, ...) are NumPy's, computed from the parameters' values; `log_density` and
`log_mass` also follow the graph of tensor parameters, which is what the gradients of the
divergences go through.
"""

import dataclasses
import math
import sys
from typing import Any, NamedTuple

import numpy as np

from .._array import as_float64, as_numpy, detach, is_tensor, like, namespace
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import real_number, same_library
from ..measures import Discrete, Law


class Points(NamedTuple):
    """Places in one piece (low, high) of the line, with digits near its ends.

    ``from_low`` is log(x - low) and ``to_high`` is log(high - x), known also where x rounds to
    an end; they are used by laws whose density is singular there.
    """

    x: Array
    low: float = -np.inf
    high: float = np.inf
    from_low: Array = None
    to_high: Array = None

    def log_above(self, xp: Namespace, end: float) -> Array:
        """log(x - end), -inf where x is not above."""
        return _log_distance(xp, self.x - end, self.low - end, self.from_low)

    def log_below(self, xp: Namespace, end: float) -> Array:
        """log(end - x), -inf where x is not below."""
        return _log_distance(xp, end - self.x, end - self.high, self.to_high)

    def like(self, model: Array) -> "Points":
        """The same places as arrays of the library and device of ``model``."""
        arrays = (self.x, self.from_low, self.to_high)
        x, below, above = (a if a is None else like(np.asarray(a), model) for a in arrays)
        return Points(x, self.low, self.high, below, above)


def _log_distance(xp: Namespace, value: Array, offset: float, log_rest: Array) -> Array:
    """The log of ``value``, which is ``offset`` plus the exponential of ``log_rest`` if known."""
    if log_rest is None or offset < 0.0:
        return _log(xp, value)
    if offset == 0.0:
        return log_rest
    return xp.logaddexp(log_rest, xp.zeros_like(log_rest) + math.log(offset))


def _log(xp: Namespace, value: Array) -> Array:
    inside = value > 0
    return xp.where(inside, xp.log(xp.where(inside, value, 1.0)), -np.inf)


class Parametric(Law):
    """A law of a few numbers: shared representation and access to its parameters."""

    __slots__ = ()

    def __repr__(self) -> str:
        texts = (f"{name}={_text(value)}" for name, value in self.parameters().items())
        return f"{type(self).__name__}({', '.join(texts)})"

    def _demand_numbers(self, *positive: str) -> None:
        """Demand finite numbers, those named positive; tensors of one device."""
        name, values = type(self).__name__, self.parameters()
        for parameter, value in values.items():
            real_number(value, parameter, name, positive=parameter in positive)
        same_library(name, **{key: value for key, value in values.items() if is_tensor(value)})

    def parameters(self) -> dict[str, Any]:
        """The parameters by name, as they were given."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def tensors(self) -> list[Array]:
        """The parameters that are tensors."""
        return [value for value in self.parameters().values() if is_tensor(value)]

    def _numbers(self) -> tuple[float, ...]:
        """The values of the parameters, off the graph."""
        return tuple(float(detach(value)) for value in self.parameters().values())

    def _scalars(self, model: Array) -> tuple[Array, ...]:
        """The parameters in float64, with their graph, in the library of ``model``."""
        return tuple(own(value, model) for value in self.parameters().values())


def one_home(function: str, parts: dict[str, Any]) -> None:
    """Demand that parts of a law are of one array library and on one device.

    Tensors count, and arrays of one axis or more; plain numbers go with either.
    """
    arrays = {}
    for name, part in parts.items():
        if is_tensor(part) or (isinstance(part, np.ndarray) and part.ndim):
            arrays[name] = part
        elif isinstance(part, Law):
            arrays[name] = next(iter(tensors_of(part)), None)
    same_library(function, **arrays)


def tensors_of(law: Law) -> list[Array]:
    """The parameters of a law that are tensors."""
    if isinstance(law, Discrete):
        return [field for field in (law.points, law.weights) if is_tensor(field)]
    return list(law.tensors()) if isinstance(law, Parametric) else []


def own(value: Any, model: Array) -> Array:
    """A number in float64, in the library of ``model`` if it is not a tensor already."""
    if is_tensor(value):
        return as_float64(value)
    return like(np.asarray(float(value)), model) if is_tensor(model) else np.float64(value)


def _text(value: Any) -> str:
    if is_tensor(value) or isinstance(value, np.ndarray | np.generic):
        return repr((as_numpy(value) if is_tensor(value) else np.asarray(value)).tolist())
    return repr(value)


class LineLaw(Parametric):
    """A law on the line, known by its distribution function."""

    __slots__ = ()

    @property
    def support(self) -> tuple[float, float]:
        """The smallest closed interval that carries the law."""
        return -np.inf, np.inf

    @property
    def expectation(self) -> float:
        """The mean of the law as a float (inf or NaN where there is none)."""
        raise NotImplementedError

    def cdf(self, x: ArrayLike) -> Float64Array:
        """P(X <= x), elementwise."""
        raise NotImplementedError

    def survival(self, x: ArrayLike) -> Float64Array:
        """P(X > x), elementwise, with its digits far in the upper tail."""
        raise NotImplementedError

    def quantile(self, level: ArrayLike) -> Float64Array:
        """The smallest x with P(X <= x) >= level."""
        raise NotImplementedError

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        """The x with P(X > x) = level, with its digits where level is tiny."""
        raise NotImplementedError

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        """E[X; X <= x], elementwise."""
        raise NotImplementedError


ROUNDING = 2e-14  # relative error granted to the distribution functions and densities of families


class ContinuousLaw(LineLaw):
    """A law on the line with a density, monotone between the places in ``turning_points``."""

    __slots__ = ()

    @property
    def given(self) -> bool:
        """Whether it is made of functions of the caller's, of which no tails or means are known."""
        return False

    @property
    def has_cdf(self) -> bool:
        """Whether the distribution function is known."""
        return True

    @property
    def has_density(self) -> bool:
        """Whether the density is known."""
        return True

    @property
    def accuracy(self) -> float:
        """The error granted to cdf and density: relative, for a ``given`` law's cdf absolute."""
        return ROUNDING

    @property
    def turning_points(self) -> tuple[float, ...]:
        """Where the density may pass from rising to falling or back."""
        return ()

    @property
    def break_points(self) -> tuple[float, ...]:
        """Where the density is not smooth: finite ends of the support, kinks."""
        return tuple(end for end in self.support if np.isfinite(end))

    @property
    def singular_ends(self) -> tuple[float, ...]:
        """Ends of the support at which the density is a power of the distance, or nearly so."""
        return ()

    @property
    def log_concave_tails(self) -> bool:
        """Whether the log-density grows at most quadratically and tails fall exponentially."""
        return True

    @property
    def least_place(self) -> float:
        """The size of the smallest places other than 0 at which cdf and density have digits."""
        return sys.float_info.min

    def log_density(self, x: ArrayLike) -> Array:
        r"""The logarithm of the density, elementwise; -inf off the support.

        Parameters
        ----------
        x : array, tensor or list
            Places on the line.

        Returns
        -------
        array or tensor of the shape of ``x``
            A tensor if ``x`` or a parameter is one.
        """
        place = as_float64(x) if is_tensor(x) else np.asarray(x, dtype=np.float64)
        model = next(iter(self.tensors()), None)
        if model is not None and not is_tensor(place):
            place = like(place, model)
        xp = namespace(place)
        low, high = self.support
        value = self.log_density_at(xp, Points(place))
        return xp.where((place >= low) & (place <= high), value, -np.inf)

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        """The log-density at ``points`` of one piece that the support contains or avoids."""
        raise NotImplementedError

    def log_density_bounds(self, low: Float64Array, high: Float64Array) -> tuple[Array, Array]:
        """The infimum and supremum of the log-density over each of the cells [low, high].

        Cells lie inside the support or outside; ends may be infinite.
        """
        at_low, at_high = (self._log_density_inside(end, low, high) for end in (low, high))
        least, most = np.minimum(at_low, at_high), np.maximum(at_low, at_high)
        for turn in self.turning_points:
            inside = (low < turn) & (turn < high)
            if inside.any():
                there = float(np.asarray(self.log_density(np.array([turn])))[0])
                least = np.where(inside, np.minimum(least, there), least)
                most = np.where(inside, np.maximum(most, there), most)
        return least, most

    def _log_density_inside(
        self, end: Float64Array, low: Float64Array, high: Float64Array
    ) -> Float64Array:
        """The log-density at an end of each cell, approached from the inside."""
        first, last = self.support
        outside = (high <= first) | (low >= last)
        finite = np.isfinite(end)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = np.asarray(self.log_density_at(np, Points(np.where(finite, end, 0.0))))
        value = np.where(np.isnan(value), np.inf, value)
        return np.where(finite & ~outside, value, -np.inf)

    def end_power(self, end: float) -> float:
        """The a for which the density is like the (a - 1)th power of the distance to ``end``."""
        del end
        return 1.0

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        """A lower bound of the log-density beyond x, on one side (1: above, -1: below).

        Returns (c, s, k): it is at least c - s t - k t^2/2 at distance t from x; c is -inf where no
        such bound is known.
        """
        del x, side
        return -np.inf, 0.0, 0.0

    def tail_rate(self, x: float, side: float) -> float:
        """A rate at which the tail beyond x falls at least; 0 or less where none is known.

        The distance from x of what lies beyond is stochastically at most exponential of that rate.
        """
        del x, side
        return 0.0

    def tail_moments(self, x: float, side: float) -> tuple[float, float, float]:
        """Upper bounds of the mass beyond x, and of the integrals of the distance and its square.

        Relative rounding aside; no mass is taken as less than 1e-300.
        """
        low, high = self.support
        if x >= high if side > 0 else x <= low:
            return 0.0, 0.0, 0.0
        mass = max(float(self.survival(x) if side > 0 else self.cdf(x)), 1e-300)
        rate = self.tail_rate(x, side)
        if not rate > 0.0:
            return mass, np.inf, np.inf
        return mass, mass / rate, 2.0 * mass / rate / rate

    def edges(self, tails: Float64Array) -> Float64Array:
        """Places between which the density changes by a bounded factor, for quadrature."""
        return np.concatenate([self.quantile(tails), self.upper_quantile(tails)])

    def log_edges(self, tails: Float64Array, end: float) -> Float64Array:
        """Logarithms of distances from a finite ``end`` of the support, for its extreme tails."""
        del tails, end
        return np.empty(0)


def off_the_graph(law: Any) -> Any:
    """The law with its parameters' values only, off the graph."""
    return law.detached() if hasattr(law, "detached") else _rebuilt(law)


def _rebuilt(law: Any) -> Any:
    if not any(is_tensor(value) for value in law.parameters().values()):
        return law
    return type(law)(*law._numbers())
