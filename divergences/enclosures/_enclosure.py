"""What an enclosure is, and the refinement of cells until it is as narrow as requested."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import Float64Array
from .._validation import refuse
from ..families._line import ContinuousLaw
from ..families._mixture import Mixture

MOST_CELLS = 400_000
LEVELS = np.concatenate(
    [0.5 * np.exp(-2.0 * np.arange(0.0, 345.0, 1.0)), np.linspace(0.02, 0.5, 25)]
)

Cells = Callable[[Float64Array, Float64Array], tuple[Float64Array, Float64Array]]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Two numbers between which a value certainly lies.

    Parameters
    ----------
    lower, upper : float
        The ends, in the unit of the value; ``upper`` may be inf.

    Raises
    ------
    ValueError
        If lower is not at most upper.

    Examples
    --------
    >>> from divergences import Enclosure
    >>> Enclosure(1.0, 1.5).midpoint, 1.25 in Enclosure(1.0, 1.5)
    (1.25, True)
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            refuse("Enclosure", "lower", "be at most upper", f"{self.lower!r} and {self.upper!r}")

    @property
    def width(self) -> float:
        """The distance of the ends; 0 where both are inf."""
        return 0.0 if self.lower == self.upper else self.upper - self.lower

    @property
    def midpoint(self) -> float:
        """The middle; inf if the upper end is."""
        return 0.5 * self.lower + 0.5 * self.upper

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def intersection(self, other: "Enclosure") -> "Enclosure":
        """What both enclose."""
        return Enclosure(max(self.lower, other.lower), min(self.upper, other.upper))


def first_edges(p: ContinuousLaw, q: ContinuousLaw) -> Float64Array:
    """Ends, turning points and quantiles of both laws, at which the first cells meet."""
    places: list[Float64Array] = []
    for law in (*_parts(p), *_parts(q)):
        places.append(np.array([*law.support, *law.turning_points, *law.break_points]))
        if not law.has_cdf:
            places.append(np.linspace(*law.support, 65))
            continue
        with np.errstate(all="ignore"):
            levels = LEVELS[LEVELS > 1e-12] if law.given else LEVELS
            places += [law.quantile(levels), law.upper_quantile(levels)]
    joined = np.unique(np.concatenate(places))
    low, high = min(p.support[0], q.support[0]), max(p.support[1], q.support[1])
    joined = joined[~np.isnan(joined) & (joined >= low) & (joined <= high)]
    joined = joined[_resolved(joined, least_place(p, q))]
    return np.unique(np.concatenate([[low], joined, [high]]))


def least_place(p: ContinuousLaw, q: ContinuousLaw) -> float:
    """No cells meet nearer to 0 than that: the laws' functions would round the place itself."""
    return max(p.least_place, q.least_place)


def _resolved(places: Float64Array, least: float) -> Any:
    return (np.abs(places) >= least) | (places == 0.0)


def _parts(law: ContinuousLaw) -> list[ContinuousLaw]:
    """The components of a mixture of which some are given by functions."""
    return [part for _, part in law.terms()] if isinstance(law, Mixture) and law.given else [law]


def refine(
    bounds: Cells, edges: Float64Array, width: float, relative: float, least: float
) -> tuple[float, float]:
    """Halve the cells that leave most undecided, at places of a size of at least ``least``."""
    low, high = edges[:-1], edges[1:]
    lower, upper = bounds(low, high)
    rounds = 0
    while True:
        below, above = _sum(lower, 0.0), _sum(upper, math.inf)
        rounding = 4e-16 * above if math.isfinite(above) else 0.0
        below, above = max(below - rounding, 0.0), above + rounding
        goal = width + relative * below
        if above - below <= goal or below == math.inf or low.size > MOST_CELLS:
            return below, above
        gap = np.where(upper > lower, upper - lower, 0.0)
        middle = _middle(low, high)
        able = (middle > low) & (middle < high) & (gap > 0) & _resolved(middle, least)
        if math.isinf(above):
            able &= np.isinf(gap) if rounds < 60 else np.isfinite(gap)
        rounds += 1
        if rounds > 200:
            return below, above
        worst = gap[able & np.isfinite(gap)]
        bar = 0.0
        if worst.size:  # a quarter of the goal may stay in cells that are left alone
            ordered = np.sort(worst)
            left = int(np.searchsorted(np.cumsum(ordered), 0.25 * goal))
            bar = float(ordered[min(left, ordered.size - 1)])
        split = able & (gap >= bar)
        if not split.any():
            return below, above
        new_low = np.concatenate([low[split], middle[split]])
        new_high = np.concatenate([middle[split], high[split]])
        new_lower, new_upper = bounds(new_low, new_high)
        half = int(split.sum())
        stuck = _stuck(gap[split], new_upper - new_lower, half)
        if stuck and bool(np.all(gap[split] < 1e-17 + 1e-15 * below)):
            return below, above
        low, high = np.concatenate([low[~split], new_low]), np.concatenate([high[~split], new_high])
        lower = np.concatenate([lower[~split], new_lower])
        upper = np.concatenate([upper[~split], new_upper])


def _sum(values: Float64Array, beyond: float) -> float:
    try:
        return math.fsum(values)
    except OverflowError:  # a partial sum exceeds the floats
        return beyond


def _stuck(before: Float64Array, after: Float64Array, half: int) -> bool:
    together = after[:half] + after[half:]
    return bool(np.all(together >= before))


def _middle(low: Float64Array, high: Float64Array) -> Float64Array:
    """The middle of each cell; the geometric mean where one end is far nearer to 0."""
    with np.errstate(all="ignore"):
        plain = low + 0.5 * (high - low)
        ratio = high / low
        same = (low * high > 0) & ((ratio > 4.0) | (ratio < 0.25))
        geometric = np.sign(low) * np.sqrt(np.abs(low)) * np.sqrt(np.abs(high))
        return np.where(
            np.isfinite(low) & np.isfinite(high), np.where(same, geometric, plain), np.nan
        )
