"""Known quantities, and the laws of being equal to one."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import (
    js_distance,
    js_divergence,
    kl_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
)
from ..._typing import Float64Array
from ..._validation import describe, one_of, refuse
from . import _f_divergence
from ._distance import examples
from ._domain import Domain, point_laws
from ._law import Comparison, Example, Law
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError, known_number


def wasserstein2(x: Float64Array, y: Float64Array) -> float:
    """The Wasserstein-2 distance of two samples."""
    return math.sqrt(squared_wasserstein2(x, y))


def squared_wasserstein2(x: Float64Array, y: Float64Array) -> float:
    """The least mean squared distance of two samples."""
    x, y = (v.reshape(len(v), -1) for v in (x, y))
    return float(optimal_transport(cost=((x[:, None] - y) ** 2).sum(axis=-1)).value)


VECTOR_QUANTITIES: dict[str, Callable[..., Any]] = {
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
    "js_distance": js_distance,
    "total_variation": total_variation,
}
SAMPLE_QUANTITIES: dict[str, Callable[..., Any]] = {
    "wasserstein1": wasserstein1,
    "wasserstein2": wasserstein2,
}
NAMES = (*VECTOR_QUANTITIES, *SAMPLE_QUANTITIES)


def quantity(reference: Any, function: str) -> Callable[..., Any]:
    """The callable that ``reference`` names, or is."""
    if callable(reference):
        return reference  # type: ignore[no-any-return]
    if not isinstance(reference, str):
        refuse(function, "reference", "be a callable or one of " + ", ".join(map(repr, NAMES)),
               describe(reference), TypeError)  # fmt: skip
    name = one_of(reference, "reference", NAMES, function)
    return (VECTOR_QUANTITIES | SAMPLE_QUANTITIES)[name]


def domain_of(reference: Any) -> str | None:
    """What a named quantity compares."""
    if reference in VECTOR_QUANTITIES:
        return "vectors"
    return "samples" if reference in SAMPLE_QUANTITIES else None


TINY = _f_divergence.pair([0.0, 1.0], [5e-324, 1.0])
"""Two laws whose midpoint underflows where it is taken by (p + q)/2."""


def _equals(known: Callable[..., Any], rooted: bool) -> Callable[[Subject, Example], Comparison]:
    def compare(d: Subject, e: Example) -> Comparison:
        arguments = list(e.values())
        value, exact = d(*arguments), known_number(known, *arguments)
        size = max(1.0, *(float(np.abs(a).max()) for a in arguments))
        root = d.root_budget(value, exact, size=size) if rooted else 0.0
        return Comparison(value, "==", exact, max(d.budget(value, exact) * size, root))

    return compare


RESCALINGS = ((2.0, 3.0), (3.0, 2.0), (0.5, 0.75))


def _rescaled(d: Subject, e: Example) -> Comparison | None:
    """D(a p, b q) = D(p, q) > 0 for all a, b says that the input was normalised unasked.

    A refusal is right. One rescaling would not do: max(0, p - q), summed, is as large for 2 p, 3 q.
    """
    value = d(e["p"], e["q"])
    try:
        rescaled = [d(a * e["p"], b * e["q"]) for a, b in RESCALINGS]
    except (FunctionRaisedError, UnfitAnswerError):
        return None
    if not np.isfinite([value, *rescaled]).all():
        return None
    farthest = max(rescaled, key=lambda other: abs(other - value))
    return Comparison(farthest, "!=", value, 1e-9 * abs(value))


NORMALISES = "input that is no law is not rescaled"


def laws(known: Callable[..., Any], name: str, domain: Domain) -> tuple[Law, ...]:
    """The laws of a function that is to be equal to ``known``."""
    from .._hypothesis import strategies as st

    rooted = name not in {"kl_divergence", "js_divergence", "total_variation"}
    compare = _equals(known, rooted)
    if domain.name == "samples":
        corners = tuple(dict(zip("xy", laws, strict=True)) for laws in point_laws(domain))
        return (
            Law(f"equals {name}", f"fn(x, y) = {name}(x, y)",
                examples(domain, 2), compare, corners),
        )  # fmt: skip
    uneven = _f_divergence.CORNERS[0]
    corners = (*_f_divergence.CORNERS, TINY)
    return (
        Law(f"equals {name}", f"fn(p, q) = {name}(p, q)", _f_divergence.pairs, compare, corners),
        Law(
            NORMALISES,
            "fn(2 p, 3 q) is refused or not fn(p, q), nor are 3 p, 2 q and p/2, 3 q/4",
            lambda: st.just(uneven),
            _rescaled,
        ),
    )
