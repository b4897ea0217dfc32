"""Certified enclosures of divergences of laws on the line, refined to a requested width."""

import math
import sys

import numpy as np

from .._typing import Float64Array
from ..families._line import ContinuousLaw, off_the_graph
from ..families._reduced import recentred, rescaled
from ._cells import cell_bounds
from ._enclosure import Enclosure, first_edges, least_place, refine
from ._wasserstein1 import enclose_wasserstein1

CAPS = {"total_variation": 1.0, "js_divergence": math.log(2.0)}


def enclose(
    divergence: str, p: ContinuousLaw, q: ContinuousLaw, width: float, relative: float = 0.0
) -> Enclosure:
    """An enclosure of a width of at most ``width + relative * lower``, or the best found.

    Laws far from 0 are moved to it first, where floats are dense.
    """
    p, q = recentred(off_the_graph(p), off_the_graph(q))
    p, q, stretch = rescaled(p, q)
    if divergence == "wasserstein1":
        found = enclose_wasserstein1(p, q, width / stretch, relative)
        return found if stretch == 1.0 else _times(found, stretch)
    if divergence == "kl_divergence" and _escapes(p, q):
        return Enclosure(math.inf, math.inf)

    def bounds(low: Float64Array, high: Float64Array) -> tuple[Float64Array, Float64Array]:
        lower, upper = cell_bounds(divergence, p, q, low, high)
        if divergence == "kl_divergence":
            upper = np.fmin(upper, _tail_price(p, q, low, high))
        return lower, upper

    lower, upper = refine(bounds, first_edges(p, q), width, relative, least_place(p, q))
    cap = CAPS.get(divergence, math.inf)
    return Enclosure(min(lower, cap), max(min(upper, cap), min(lower, cap)))


def _times(bounds: Enclosure, stretch: float) -> Enclosure:
    """Bounds times a power of 2: exact but where they leave the normal floats."""
    with np.errstate(over="ignore", under="ignore"):
        lower, upper = bounds.lower * stretch, bounds.upper * stretch
    if upper < sys.float_info.min:
        lower, upper = max(math.nextafter(lower, 0.0), 0.0), math.nextafter(upper, math.inf)
    return Enclosure(min(lower, sys.float_info.max), upper)


def _escapes(p: ContinuousLaw, q: ContinuousLaw) -> bool:
    """Whether p charges an interval where q has no mass, as far as their supports tell."""
    low, high = q.support
    return p.support[0] < low or p.support[1] > high if _full(p) else False


def _full(law: ContinuousLaw) -> bool:
    """Whether the support is the smallest interval, not only one that carries the law."""
    return not law.given


def _tail_price(
    p: ContinuousLaw, q: ContinuousLaw, low: Float64Array, high: Float64Array
) -> Float64Array:
    """An upper bound of KL over the outermost cells of laws of our own families.

    Beyond x, log q falls at most like a parabola and P at least like an exponential (see
    ``ContinuousLaw.tail_floor`` and ``tail_moments``), which bounds the mean of log(p/q) there. At
    a finite end the ratio is a power of the distance to it, and the mean of the logarithm of the
    distance b Y under a density of power a - 1 is log b - 1/a.
    """
    price = np.full(low.shape, np.inf)
    if not (p.log_concave_tails and q.log_concave_tails):
        return price
    mass = np.where(low < p.quantile(0.5), p.cdf(high), p.survival(low))
    reached = np.maximum(q.cdf(high) - q.cdf(low), q.survival(low) - q.survival(high))
    reached = np.abs(reached) * (1 + 1e-13) + 1e-290
    for index in np.flatnonzero(np.isinf(low) != np.isinf(high)):
        side = 1.0 if np.isinf(high[index]) else -1.0
        edge = low[index] if side > 0 else high[index]
        largest = float(p.log_density_bounds(low[[index]], high[[index]])[1][0])
        with np.errstate(all="ignore"):
            beyond = _beyond(p, q, float(edge), side, largest) + reached[index]
        price[index] = np.inf if np.isnan(beyond) else beyond
    for end in (*p.singular_ends, *q.singular_ends):
        outer = ((low == end) | (high == end)) & (mass < 1e-6) & np.isfinite(high - low)
        if outer.any():
            power = p.end_power(end)
            inner = np.where(low == end, high, low)
            steep = abs(power - q.end_power(end)) / power
            with np.errstate(all="ignore"):
                ratio = np.abs(p.log_density(inner) - q.log_density(inner))
                charge = 2.0 * mass * (ratio + steep + 1.0)
            charge = charge + reached
            price = np.where(outer & np.isfinite(charge), charge, price)
    return price


def _beyond(p: ContinuousLaw, q: ContinuousLaw, edge: float, side: float, largest: float) -> float:
    """An upper bound of the integral of p (log(p/q))^+ beyond an edge; ``largest`` is of log p."""
    floor, slope, curvature = q.tail_floor(edge, side)
    mass, mean, square = p.tail_moments(edge, side)
    ratio = max(largest - floor, 0.0) + 1e-12 * (abs(largest) + abs(floor) + 1.0)
    parts = [mass * ratio]
    parts += [
        factor * moment for factor, moment in ((slope, mean), (0.5 * curvature, square)) if factor
    ]
    return (1.0 + 1e-12) * sum(parts)
