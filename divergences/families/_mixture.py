"""Mixtures of laws with densities on the line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import as_float64, as_numpy, detach, is_tensor, like
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import describe, masses, real_array, refuse
from ._affine import on_the_line
from ._line import ROUNDING, ContinuousLaw, Points, off_the_graph, one_home


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mixture(ContinuousLaw):
    r"""The mixture :math:`\sum_i w_i P_i` of laws with densities on the line.

    Parameters
    ----------
    components : sequence of laws
        Laws with densities on the line, or `Affine` images of such, at least one.
    weights : array, tensor or list, shape (k,), optional
        Their weights: non-negative, of sum 1 up to rounding; equal by default.

    Raises
    ------
    TypeError, ValueError
        If components or weights are not what is said above, or tensors of several devices.
        Mixtures of atoms are `Discrete`.

    Examples
    --------
    >>> from divergences import Mixture, Normal, total_variation
    >>> p = Mixture([Normal(-1.0, 0.1), Normal(1.0, 0.1)], [0.5, 0.5])
    >>> round(float(total_variation(p, Normal(1.0, 0.1))), 9)
    0.5
    """

    components: Any
    weights: Any = None

    def __post_init__(self) -> None:
        parts = self.components
        requirement = "be a sequence of laws with densities on the line"
        if not isinstance(parts, Sequence) or isinstance(parts, str):
            refuse("Mixture", "components", requirement, describe(parts), TypeError)
        if not parts:
            refuse("Mixture", "components", requirement, "an empty sequence")
        parts = [on_the_line(part) for part in parts]
        for part in parts:
            if not isinstance(part, ContinuousLaw):
                refuse("Mixture", "components", requirement, describe(part), TypeError)
        count = len(parts)
        weights = np.full(count, 1.0 / count) if self.weights is None else self.weights
        weights = real_array(weights, "weights", "Mixture")
        if tuple(weights.shape) != (count,):
            refuse("Mixture", "weights", f"have shape ({count},)", describe(weights))
        masses(weights, "weights", "Mixture")
        given = {f"component {place}": part for place, part in enumerate(parts)}
        one_home("Mixture", given | ({"weights": weights} if is_tensor(weights) else {}))
        if not is_tensor(weights):
            weights = np.array(weights, dtype=np.float64)
            weights.flags.writeable = False
        object.__setattr__(self, "components", tuple(parts))
        object.__setattr__(self, "weights", weights)

    def __repr__(self) -> str:
        return f"Mixture({list(self.components)!r}, {as_numpy(self.weights).tolist()!r})"

    def tensors(self) -> list[Array]:
        own = [self.weights] if is_tensor(self.weights) else []
        return own + [tensor for part in self.components for tensor in part.tensors()]

    def detached(self) -> "Mixture":
        """The mixture off the graph, in NumPy."""
        return Mixture([off_the_graph(part) for part in self.components], as_numpy(self.weights))

    def terms(self) -> list[tuple[float, ContinuousLaw]]:
        """Weights (of sum exactly 1 up to rounding) and components that carry mass."""
        weights = as_numpy(self.weights)
        total = math.fsum(weights)
        pairs = zip(weights / total, self.components, strict=True)
        return [(float(weight), part) for weight, part in pairs if weight > 0]

    def _sum(self, name: str, *arguments: ArrayLike) -> Float64Array:
        parts = (weight * getattr(part, name)(*arguments) for weight, part in self.terms())
        return np.asarray(sum(parts))

    @property
    def support(self) -> tuple[float, float]:
        ends = [part.support for _, part in self.terms()]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def expectation(self) -> float:
        return math.fsum(weight * part.expectation for weight, part in self.terms())

    @property
    def turning_points(self) -> tuple[float, ...]:
        return tuple(sorted({t for _, part in self.terms() for t in part.turning_points}))

    @property
    def break_points(self) -> tuple[float, ...]:
        return tuple(sorted({t for _, part in self.terms() for t in part.break_points}))

    @property
    def singular_ends(self) -> tuple[float, ...]:
        return tuple(sorted({t for _, part in self.terms() for t in part.singular_ends}))

    @property
    def log_concave_tails(self) -> bool:
        return all(part.log_concave_tails for part in self.components)

    @property
    def least_place(self) -> float:
        return max(part.least_place for _, part in self.terms())

    @property
    def given(self) -> bool:
        return any(part.given for _, part in self.terms())

    @property
    def has_cdf(self) -> bool:
        return all(part.has_cdf for _, part in self.terms())

    @property
    def has_density(self) -> bool:
        return all(part.has_density for _, part in self.terms())

    @property
    def accuracy(self) -> float:
        return max(ROUNDING, *(part.accuracy for _, part in self.terms()))

    def cdf(self, x: ArrayLike) -> Float64Array:
        return self._sum("cdf", x)

    def survival(self, x: ArrayLike) -> Float64Array:
        return self._sum("survival", x)

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        return self._sum("partial_mean", x)

    def quantile(self, level: ArrayLike) -> Float64Array:
        return self._bisect(level, "quantile")

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return self._bisect(level, "upper_quantile")

    def _bisect(self, level: ArrayLike, name: str) -> Float64Array:
        """Bisection between the extreme quantiles of the components."""
        target = np.asarray(level, dtype=np.float64)
        ends = np.stack([getattr(part, name)(target) for _, part in self.terms()])
        low, high = ends.min(axis=0), ends.max(axis=0)
        for _ in range(80):
            middle = low + 0.5 * (high - low)
            past = (
                self.survival(middle) <= target if "upper" in name else self.cdf(middle) >= target
            )
            low, high = np.where(past, low, middle), np.where(past, middle, high)
        return np.asarray(high)

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        weights = as_float64(self.weights)
        model = points.x
        if is_tensor(model) and not is_tensor(weights):
            weights = like(np.asarray(weights), model)
        total = weights.sum()
        values = [
            xp.log(weights[i] / total) + part.log_density_at(xp, points)
            for i, part in enumerate(self.components)
            if float(detach(weights[i])) > 0
        ]
        stacked = xp.stack([value + xp.zeros_like(points.x) for value in values])
        largest = xp.max(detach(stacked), axis=0)
        safe = xp.where(xp.isfinite(largest), largest, 0.0)
        summed = xp.exp(stacked - safe).sum(axis=0)
        positive = summed > 0
        return xp.where(positive, safe + xp.log(xp.where(positive, summed, 1.0)), -math.inf)

    def log_density_bounds(self, low: Float64Array, high: Float64Array) -> tuple[Array, Array]:
        bounds = [(w, part.log_density_bounds(low, high)) for w, part in self.terms()]
        with np.errstate(invalid="ignore"):
            least, most = (
                np.logaddexp.reduce([math.log(w) + np.asarray(pair[side]) for w, pair in bounds])
                for side in (0, 1)
            )
        return least, most

    def end_power(self, end: float) -> float:
        return min(part.end_power(end) for _, part in self.terms())

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        floors = []
        for weight, part in self.terms():
            floor, slope, curvature = part.tail_floor(x, side)
            floors.append((math.log(weight) + floor, slope, curvature))
        return max(floors)

    def tail_moments(self, x: float, side: float) -> tuple[float, float, float]:
        parts = [(w, part.tail_moments(x, side)) for w, part in self.terms()]
        mass, mean, square = (math.fsum(w * m[k] for w, m in parts) for k in range(3))
        return mass, mean, square

    def edges(self, tails: Float64Array) -> Float64Array:
        return np.concatenate([part.edges(tails) for _, part in self.terms()])

    def log_edges(self, tails: Float64Array, end: float) -> Float64Array:
        return np.concatenate([part.log_edges(tails, end) for _, part in self.terms()])
