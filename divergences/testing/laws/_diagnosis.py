"""The mistake behind a failure, where it is recognised.

The function's values on a few fixed problems are compared with those of the reference, and of
every known quantity, under the usual mistakes; what agrees on all of them is named. Otherwise the
failing example itself may tell.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ... import js_divergence, kl_divergence, total_variation
from . import _reference
from ._batches import ONE_A_ROW
from ._domain import Domain
from ._mistakes import (
    FLAT,
    KNOWN_WITH_ZEROS,
    LOG2,
    MISTAKES,
    PLANE,
    SAMPLE_MISTAKES,
    VECTORS,
    VECTORS_WITH_ZEROS,
    Quantity,
)
from ._search import Finding
from ._solver_mistakes import solver_mistake
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError, as_number
from ._symptoms import symptom

FACTORS = {
    2.0: "missing 1/2",
    0.5: "a factor 1/2 too many",
    1 / LOG2: "base 2: bits, not nats",
    -1.0: "wrong sign",
}


def diagnose(
    subject: Subject, kind: str, domain: Domain | None, finding: Finding,
    known: Quantity | None, name: str,
) -> str:  # fmt: skip
    """A sentence about the mistake, or ""."""
    if finding.law.name == _reference.NORMALISES:
        return "silently normalises: masses that do not sum to 1 are rescaled without a word"
    if finding.law.name == ONE_A_ROW and finding.trouble:
        return finding.trouble
    if kind == "coupling-solver":
        return finding.trouble or solver_mistake(subject, finding)
    if domain is None:
        return finding.trouble or _estimate(kind, finding)
    return (
        symptom(finding, known)
        or _recognised(subject, kind, domain, known, name)
        or finding.trouble
    )


def _recognised(
    subject: Subject, kind: str, domain: Domain, known: Quantity | None, name: str
) -> str:
    """The first mistake that explains the values on every probe."""
    if domain.name == "samples":
        probes = FLAT if domain.flat else PLANE
        for text, wrong in SAMPLE_MISTAKES:
            if _agrees(subject, wrong, probes):
                return text
        return ""
    for text, wrong in KNOWN_WITH_ZEROS:
        if _agrees(subject, wrong, VECTORS_WITH_ZEROS):
            return text
    for text, wrong in _vector_mistakes(known, name):
        if _agrees(subject, wrong, VECTORS):
            return text + _wrong_kind(kind, text)
    return ""


def _vector_mistakes(known: Quantity | None, name: str) -> Iterator[tuple[str, Quantity]]:
    quantities: list[tuple[str, Quantity]] = [] if known is None else [(name, known)]
    standard = {"js_divergence": js_divergence, "kl_divergence": kl_divergence,
                "total_variation": total_variation}  # fmt: skip
    quantities += [(other, f) for other, f in standard.items() if other != name]
    for title, quantity in quantities:
        if title != name:
            yield f"it is {title}", quantity
        for text, wrong in MISTAKES:
            yield (
                text.format(title),
                lambda p, q, wrong=wrong, f=quantity: wrong(f, p, q),  # type: ignore[misc]
            )


def _wrong_kind(kind: str, text: str) -> str:
    if kind == "f-divergence" and "js_divergence" in text and "root" in text:
        return "; a metric, but no f-divergence"
    if kind in {"metric", "ipm"} and text == "it is js_divergence":
        return "; it has no triangle inequality (its square root, js_distance, has)"
    if kind in {"metric", "ipm"} and text == "it is kl_divergence":
        return "; it is not symmetric"
    return ""


def _agrees(subject: Subject, wrong: Quantity, probes: Iterable[Any]) -> bool:
    for arguments in probes:
        try:
            value, expected = subject(*arguments), as_number(wrong(*arguments))[0]
        except (FunctionRaisedError, UnfitAnswerError, ValueError):
            return False
        if not np.isfinite([value, expected]).all():
            return False
        if abs(value - expected) > 1e-6 * max(abs(expected), 1e-3):
            return False
    return True


def _estimate(kind: str, finding: Finding) -> str:
    lhs, rhs = finding.sides.lhs, finding.sides.rhs
    if finding.law.name == "ties are answered or refused":
        return "repeated values (rounded data) give distances of 0, whose logarithm is taken"
    if kind == "interval" and finding.law.name == "covers the truth":
        if finding.example.get("laws") == "equal":
            return "at P = Q every resampled estimate is above 0: the naive bootstrap fails"
        return "the interval is too short, or around a biased estimate"
    if finding.law.name == "consistent" and rhs > 0 and math.isfinite(lhs):
        ratio = lhs / rhs
        for factor, text in FACTORS.items():
            if abs(ratio / factor - 1) < 0.1:
                return f"{text}: estimates are about {ratio:.3g} times the truth"
        return f"estimates are about {ratio:.3g} times the truth"
    return ""
