r"""Certified enclosures of divergences of laws on the line, refined to a requested width."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._cells import cell_bounds
from ._typing import Float64Array
from ._validation import refuse
from .families._given import LawOnLine
from .families._line import ContinuousLaw, off_the_graph

MOST_CELLS = 400_000
LEVELS = np.concatenate([0.5 * np.exp(-2.0 * np.arange(0.0, 345.0, 1.0)), np.linspace(0.02, 0.5, 25)])
SMALLEST = 1e-290  # tails lighter than this are priced by their mass alone
CAPS = {"total_variation": 1.0, "js_divergence": math.log(2.0)}

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


def enclose(
    divergence: str, p: ContinuousLaw, q: ContinuousLaw, width: float, relative: float = 0.0
) -> Enclosure:
    """An enclosure of a width of at most ``width + relative * lower``, or the best found."""
    p, q = off_the_graph(p), off_the_graph(q)
    if divergence == "wasserstein1":
        from ._enclosure_line import enclose_wasserstein1

        return enclose_wasserstein1(p, q, width, relative)
    if divergence == "kl_divergence" and _escapes(p, q):
        return Enclosure(math.inf, math.inf)

    def bounds(low: Float64Array, high: Float64Array) -> tuple[Float64Array, Float64Array]:
        lower, upper = cell_bounds(divergence, p, q, low, high)
        if divergence == "kl_divergence":
            upper = np.fmin(upper, _tail_price(p, q, low, high))
        return lower, upper

    lower, upper = refine(bounds, first_edges(p, q), width, relative)
    cap = CAPS.get(divergence, math.inf)
    return Enclosure(min(lower, cap), max(min(upper, cap), min(lower, cap)))


def _escapes(p: ContinuousLaw, q: ContinuousLaw) -> bool:
    """Whether p charges an interval where q has no mass, as far as their supports tell."""
    low, high = q.support
    return p.support[0] < low or p.support[1] > high if _full(p) else False


def _full(law: ContinuousLaw) -> bool:
    """Whether the support is the smallest interval, not only one that carries the law."""
    return not isinstance(law, LawOnLine)


def _tail_price(
    p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array
) -> Float64Array:
    """An upper bound of KL over the outermost cells of laws of our own families.

    At infinite ends log-densities grow at most like the square of x, while P gives these cells less
    than 1e-290: the price is that mass times a factor that no such growth reaches. At a finite end
    the ratio is a power of the distance to it, and the mean of the logarithm of the distance b Y
    under a density of power a - 1 is log b - 1/a.
    """
    price = np.full(low.shape, np.inf)
    if not (p.log_concave_tails and q.log_concave_tails):
        return price
    mass = np.where(low < p.quantile(0.5), p.cdf(high), p.survival(low))
    reached = np.maximum(q.cdf(high) - q.cdf(low), q.survival(low) - q.survival(high))
    beyond = (np.isinf(low) | np.isinf(high)) & (mass < SMALLEST)
    price = np.where(beyond, mass * 1e40 + np.abs(reached) * (1 + 1e-14) + 1e-250, price)
    for end in (*p.singular_ends, *q.singular_ends):
        outer = ((low == end) | (high == end)) & (mass < 1e-6) & np.isfinite(high - low)
        if outer.any():
            power = p.end_power(end)
            inner = np.where(low == end, high, low)
            steep = abs(power - q.end_power(end)) / power
            with np.errstate(all="ignore"):
                ratio = np.abs(p.log_density(inner) - q.log_density(inner))
                charge = 2.0 * mass * (ratio + steep + 1.0)
            charge = charge + np.abs(reached) * (1 + 1e-14) + 1e-290
            price = np.where(outer & np.isfinite(charge), charge, price)
    return price


def first_edges(p: ContinuousLaw, q: ContinuousLaw) -> Float64Array:
    """Ends, turning points and quantiles of both laws, at which the first cells meet."""
    places: list[Float64Array] = []
    for law in (p, q):
        places.append(np.array([*law.support, *law.turning_points, *law.break_points]))
        if isinstance(law, LawOnLine) and not law.has_cdf:
            places.append(np.linspace(*law.support, 65))
            continue
        with np.errstate(all="ignore"):
            levels = LEVELS[LEVELS > 1e-12] if isinstance(law, LawOnLine) else LEVELS
            places += [law.quantile(levels), law.upper_quantile(levels)]
    joined = np.unique(np.concatenate(places))
    low, high = min(p.support[0], q.support[0]), max(p.support[1], q.support[1])
    joined = joined[~np.isnan(joined) & (joined >= low) & (joined <= high)]
    return np.unique(np.concatenate([[low], joined, [high]]))


def refine(
    bounds: Cells, edges: Float64Array, width: float, relative: float
) -> tuple[float, float]:
    """Halve the cells that leave most undecided until the sums are close enough."""
    low, high = edges[:-1], edges[1:]
    lower, upper = bounds(low, high)
    rounds = 0
    while True:
        below, above = math.fsum(lower), math.fsum(upper)
        rounding = 4e-16 * above if math.isfinite(above) else 0.0
        below, above = max(below - rounding, 0.0), above + rounding
        goal = width + relative * below
        if above - below <= goal or below == math.inf or low.size > MOST_CELLS:
            return below, above
        gap = np.where(upper > lower, upper - lower, 0.0)
        middle = _middle(low, high)
        able = (middle > low) & (middle < high) & (gap > 0)
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
        return np.where(np.isfinite(low) & np.isfinite(high), np.where(same, geometric, plain), np.nan)

