"""What a failing example itself tells about the mistake."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._typing import Float64Array
from ._distance import APART
from ._domain import ALIKE
from ._mistakes import CLIPS, IGNORES, VECTORS_WITH_ZEROS, finite_part
from ._reference import TINY
from ._search import Finding
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError


def symptom(subject: Subject, finding: Finding, known: Callable[..., Any] | None) -> str:
    """The first of the signs below that is seen, or ""."""
    vectors = [v for v in finding.example.values() if isinstance(v, np.ndarray)]
    if finding.trouble:
        return ""
    if finding.law.name == "gradients are no NaN":
        return "the value is right and its gradient NaN: mask zeros before the logarithm, not after"
    if finding.sides.lhs == APART and abs(finding.sides.rhs) < APART:
        return "it is zero where the laws differ" + _in_common(finding)
    if not vectors:
        return ""
    clipped = "" if known is None else _clipped(finding, vectors)
    return (
        clipped
        or _nan(subject, finding, known)
        or _infinite(finding, vectors, known)
        or _digits(finding)
    )


def _in_common(finding: Finding) -> str:
    """What the two samples have in common, if they were chosen for it."""
    vectors = list(finding.example.values())
    for text, *pair in ALIKE:
        if len(vectors) == 2 and all(
            np.array_equal(np.ravel(v), np.ravel(w)) for v, w in zip(vectors, pair, strict=True)
        ):
            return f": they have {text}"
    return ""


def _clipped(finding: Finding, vectors: list[Float64Array]) -> str:
    """KL of probabilities kept away from 0 and 1, at one of the usual thresholds."""
    lhs, rhs = finding.sides.lhs, finding.sides.rhs
    told = finding.law.name.startswith("equals") and math.isfinite(lhs) and abs(lhs - rhs) > 1e-6
    if finding.example.keys() != {"p", "q"} or not told:
        return ""
    for eps in CLIPS:
        value = finite_part(*(np.clip(vector, eps, 1 - eps) for vector in vectors))
        if abs(value - lhs) <= 1e-9 * (1 + abs(value)):
            return f"probabilities are clipped at {eps:.3g}: zeros and tiny ones do not count"
    return ""


def _nan(subject: Subject, finding: Finding, known: Any) -> str:
    if not (math.isnan(finding.sides.lhs) or math.isnan(finding.sides.rhs)):
        return ""
    if known is not None and math.isinf(finding.sides.rhs):
        return "NaN where the value is infinite"
    if "p" in finding.example and _is_nan_at_zeros(subject):
        return "NaN at a zero: 0 log 0 and 0/0 count as 0, and p > 0 = q as infinite"
    return "NaN: the root or logarithm of a rounding error below zero, or inf - inf"


def _is_nan_at_zeros(subject: Subject) -> bool:
    """Whether laws that are far from each other, with zeros, have no answer."""
    try:
        return any(math.isnan(subject(*pair)) for pair in VECTORS_WITH_ZEROS)
    except (FunctionRaisedError, UnfitAnswerError):
        return False


def _infinite(finding: Finding, vectors: list[Float64Array], known: Any) -> str:
    lhs, rhs = finding.sides.lhs, finding.sides.rhs
    tiny = len(vectors) == 2 and all(
        np.array_equal(vector, wanted)
        for vector, wanted in zip(vectors, TINY.values(), strict=True)
    )
    if tiny:
        return "the midpoint (p + q)/2 underflows to 0"
    if known is None or math.isinf(lhs) == math.isinf(rhs):
        return ""
    if math.isinf(lhs):
        return "infinite where the value is finite: a probability underflows, or a ratio overflows"
    if abs(lhs - finite_part(vectors[0], vectors[1])) < 1e-9:
        return IGNORES
    return "finite where the value is infinite: zeros are clipped, smoothed or left out"


def _digits(finding: Finding) -> str:
    lhs, rhs = finding.sides.lhs, finding.sides.rhs
    if not 0.0 < abs(lhs - rhs) < 1e-5 * max(1.0, abs(rhs)):
        return ""
    return (
        "loses digits: computed in single precision, with smoothed or clipped probabilities, or on"
        " a coarse grid"
    )
