"""Pairs of laws moved to where floats are dense, before they are compared."""

import math
import sys
from typing import Any

import numpy as np

from .._array import detach, is_tensor, tracks_derivatives
from ..measures import Law
from ._affine import Affine, AffineOnLine
from ._canonical import canonical
from ._elementary import Exponential, Laplace, Uniform
from ._gamma_beta import Gamma
from ._line import ContinuousLaw
from ._mixture import Mixture
from ._normal import Normal

FAR = 8.0  # distances from 0, in units of the laws' widths, from which places lose digits
APART = 1e-20
EXTREME = 1e100  # sizes of laws that are moved nearer to 1: their squares leave the floats
LEAST = 1e-290  # no law is made smaller than that


def without_common_maps(p: Law, q: Law) -> tuple[Law, Law, Any]:
    """The laws before the affine maps on the line that they share, and how much those stretch."""
    factor: Any = 1.0
    while isinstance(p, Affine) and isinstance(q, Affine) and same_map(p, q):
        factor = factor * abs(p.scale)
        p, q = p.law, q.law
    return p, q, factor


def same_map(p: Any, q: Any) -> bool:
    """Whether two affine maps by numbers are the same."""
    return all(
        a is b or (not is_tensor(a) and not is_tensor(b) and float(a) == float(b))
        for a, b in ((p.scale, q.scale), (p.shift, q.shift))
        if np.ndim(a) == np.ndim(b) == 0
    ) and all(np.ndim(v) == 0 for v in (p.scale, p.shift, q.scale, q.shift))


def recentred(p: ContinuousLaw, q: ContinuousLaw) -> tuple[Any, Any]:
    """Laws that may be moved exactly, about 0 instead of about a place far from it."""
    if not (_movable(p) and _movable(q)):
        return p, q
    narrow = min((p, q), key=_width)
    centre = _centre(narrow)
    if not FAR * _width(narrow) < abs(centre) < math.inf:
        return p, q
    return canonical(Affine(p, 1.0, -centre)), canonical(Affine(q, 1.0, -centre))


def _centre(law: Any) -> float:
    """A place within the law; of an affine image the shift, which leaves the law itself behind."""
    if isinstance(law, Mixture):
        return _centre(min((part for _, part in law.terms()), key=_width))
    if isinstance(law, AffineOnLine):
        return law._map()[1]
    return float(law.quantile(np.array([0.5]))[0])


def _movable(law: Any, kinds: Any = Normal | Laplace | Uniform | AffineOnLine) -> bool:
    if isinstance(law, Mixture):
        return all(_movable(part, kinds) for part in law.components)
    return isinstance(law, kinds) and law.has_cdf


def reduced(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """The pair before the map that moves an end, of no extreme size; what Wasserstein-1 is then."""
    first, second, stretch = before_the_map(p, q) or (p, q, 1.0)
    first, second, power = rescaled(first, second)
    return first, second, stretch * power


def rescaled(p: ContinuousLaw, q: ContinuousLaw) -> tuple[Any, Any, float]:
    """Laws of an extreme size, shrunk or stretched by a power of 2 to where squares of it are
    floats, and that power.

    Wasserstein-1 of the laws that were is the power times that of those returned. Of laws of both
    extremes at once, the smaller one is not lost.
    """
    sizes = [size for size in (_size(law) for law in (p, q)) if size > 0.0]
    if not sizes or 1.0 / EXTREME < max(sizes) < EXTREME:
        return p, q, 1.0
    power = -math.floor(math.log2(max(sizes)))
    if power < 0:
        power = min(max(power, math.ceil(math.log2(LEAST) - math.log2(min(sizes)))), 0)
    factor = 2.0 ** min(max(power, -1022), 1022)
    if factor == 1.0:
        return p, q, 1.0
    return _stretched(p, factor), _stretched(q, factor), 1.0 / factor


def _size(law: ContinuousLaw) -> float:
    """About how far the law reaches from 0 but for tails, or its support without a cdf."""
    if isinstance(law, Mixture):
        return max(_size(part) for _, part in law.terms())
    if not law.has_cdf:
        return max(abs(end) for end in law.support)
    if isinstance(law, Normal | Laplace | Uniform):  # quantiles take longer than closed forms
        return float(max(abs(number) for number in law._numbers()))
    with np.errstate(all="ignore"):
        level = np.array([1e-9])
        size = max(abs(law.quantile(level)[0]), abs(law.upper_quantile(level)[0]))
    return float(size) if np.isfinite(size) else sys.float_info.max


def _stretched(law: Any, factor: float) -> Any:
    if isinstance(law, Mixture):
        return Mixture([_stretched(part, factor) for part in law.components], law.weights)
    if isinstance(law, Exponential):
        return Exponential(law.rate / factor)
    if isinstance(law, Gamma):
        return Gamma(law.shape, law.rate / factor)
    return canonical(Affine(law, factor))


def before_the_map(p: Any, q: Any) -> tuple[Any, Any, Any] | None:
    """The pair before the map that makes one of them from a fixed law, and that map's stretch.

    So derivatives in the ends of a support (of a uniform law on [0, 1], or any law under an affine
    map) become derivatives in the other law's parameters. None where no end is differentiated, or
    where the other law has ends or kinks of its own that this would move.
    """
    for law, other in ((p, q), (q, p)):
        found = _moving_map(law)
        if found is None or not _movable(other, Normal | Laplace):
            continue
        fixed, scale, shift = found
        moved = canonical(Affine(other, 1.0 / scale, -shift / scale))
        return (fixed, moved, abs(scale)) if law is p else (moved, fixed, abs(scale))
    return None


def _moving_map(law: Any) -> tuple[Any, Any, Any] | None:
    """A law that does not move, and the scale and shift, with derivatives, that make this one."""
    if isinstance(law, Uniform) and tracks_derivatives(*law.tensors()):
        return Uniform(0.0, 1.0), law.high - law.low, law.low
    if isinstance(law, AffineOnLine):
        moving = [v for v in (law.scale, law.shift) if is_tensor(v)]
        return (law.law, law.scale, law.shift) if tracks_derivatives(*moving) else None
    return None


def _width(law: Any) -> float:
    if isinstance(law, Mixture):
        return min(_width(part) for part in law.components)
    if isinstance(law, Uniform):
        low, high = law._numbers()
        return high - low
    if isinstance(law, AffineOnLine):
        quarters = law.law.upper_quantile(0.25) - law.law.quantile(0.25)
        return abs(law._map()[0]) * float(quarters)
    return float(detach(law.std if isinstance(law, Normal) else law.scale))


def apart(p: ContinuousLaw, q: ContinuousLaw) -> bool:
    """Whether one law lies beyond the other but for masses below the rounding of 1."""
    if not (p.has_cdf and q.has_cdf):
        return False
    tail = np.array([APART])
    with np.errstate(all="ignore"):
        ends = [(law.quantile(tail)[0], law.upper_quantile(tail)[0]) for law in (p, q)]
    (low, high), (other_low, other_high) = ends
    return bool(high < other_low or other_high < low)
