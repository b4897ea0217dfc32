"""Divergences of laws with densities on the line that have no closed form: certified or refused."""

import math
from typing import Any

import numpy as np

from .._array import detach, is_tensor, like, tracks_derivatives
from .._typing import Array
from ..families._affine import AffineOnLine
from ..families._elementary import Uniform
from ..families._identical import identical
from ..families._line import ContinuousLaw
from ..families._mixture import Mixture
from ..quadrature._densities import of_densities
from ._certify import enclose
from ._enclosure import Enclosure

RELATIVE = 1e-5
ABSOLUTE = {
    "total_variation": 1e-4,
    "kl_divergence": 1e-8,
    "js_divergence": 1e-8,
    "wasserstein1": 1e-4,
}
GIVEN = 1e-6
"""The widths below which an enclosure certifies a value: RELATIVE times it plus an absolute one.

The absolute part (for Wasserstein-1 in units of the laws' scale) is what can be proved of laws that
nearly agree, where it is the quadrature's digits that count; a law given by functions has no
quadrature and asks for ``GIVEN``.
"""


def certified(divergence: str, p: ContinuousLaw, q: ContinuousLaw) -> Array:
    """The divergence named, enclosed within the tolerance above.

    Between laws of our own families it is the quadrature's value, which has more digits than the
    enclosure is wide; else the midpoint.
    """
    refuse_moving_ends(divergence, p, q)
    tensors = [*p.tensors(), *q.tensors()]
    if identical(p, q):
        return of_densities(divergence, p, q)
    given = p.given or q.given
    goal = GIVEN if given else ABSOLUTE[divergence]
    goal *= _scale(p, q) if divergence == "wasserstein1" else 1.0
    bounds = enclose(divergence, p, q, goal, RELATIVE)
    if bounds.lower == math.inf:
        return np.float64(math.inf)
    if not bounds.width <= 1.01 * (goal + RELATIVE * bounds.lower):
        _refuse(divergence, p, q, bounds)
    if given:
        _refuse_gradients(divergence, p, q, tensors)
        return _number(bounds.midpoint, tensors)
    value = of_densities(divergence, p, q, enclosed=True)
    margin = 1e-13 * bounds.upper
    inside = bounds.lower - margin <= float(detach(value)) <= bounds.upper + margin
    if inside:
        return value
    _refuse_gradients(divergence, p, q, tensors)
    return _number(bounds.midpoint, tensors)


def _number(value: float, tensors: list[Array]) -> Array:
    return like(np.asarray(value), tensors[0]) if tensors else np.float64(value)


def _refuse_gradients(divergence: str, p: Any, q: Any, tensors: list[Array]) -> None:
    """Say so where the value is the middle of an enclosure, which knows no derivative."""
    if tracks_derivatives(*tensors):
        message = (
            f"{divergence}: gradients of {p!r} against {q!r} are not implemented, as the value is "
            "the middle of an enclosure; detach the parameters"
        )
        raise NotImplementedError(message)


def _scale(p: ContinuousLaw, q: ContinuousLaw) -> float:
    """The width of the middle halves of the laws and the distance between them."""
    low = [float(law.quantile(np.array([0.25]))[0]) for law in (p, q)]
    high = [float(law.quantile(np.array([0.75]))[0]) for law in (p, q)]
    return max(high) - min(low)


def _refuse(divergence: str, p: ContinuousLaw, q: ContinuousLaw, bounds: Enclosure) -> None:
    what = "; for a law given by functions, a density" if divergence != "wasserstein1" else ""
    if divergence == "wasserstein1" and math.isinf(bounds.upper):
        what = "; for a law given by functions, a bounded support (its mean is unknown)"
    message = (
        f"{divergence}: {p!r} against {q!r} is only known to lie in "
        f"[{bounds.lower:.6g}, {bounds.upper:.6g}]; what would work: "
        f"{divergence}_enclosure, which returns that interval{what}; or samples of both laws"
    )
    raise NotImplementedError(message)


def refuse_moving_ends(divergence: str, *laws: Any) -> None:
    """Gradients go through densities on a fixed support: refuse those that would move its ends."""
    for law in laws:
        moving = _moving(law)
        if tracks_derivatives(*moving):
            message = (
                f"{divergence}: gradients with respect to the ends of the support of {law!r} are "
                "not implemented; detach them, or compare two laws of that family"
            )
            raise NotImplementedError(message)


def _moving(law: Any) -> list[Array]:
    """The tensors that move a finite end or a kink of the support."""
    if isinstance(law, Uniform):
        return law.tensors()
    if isinstance(law, Mixture):
        return [tensor for part in law.components for tensor in _moving(part)]
    if isinstance(law, AffineOnLine):
        inner = _moving(law.law)
        bounded = any(math.isfinite(end) for end in law.law.support)
        own = [v for v in (law.scale, law.shift) if is_tensor(v)] if bounded else []
        return inner + own
    return []
