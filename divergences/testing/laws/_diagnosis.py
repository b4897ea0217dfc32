"""The mistake behind a failure, where it is recognised.

The function's values on a few fixed problems are compared with those of the reference, and of
every known quantity, under the usual mistakes; what agrees on all of them is named. Otherwise the
failing example itself may tell.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ... import js_divergence, kl_divergence, total_variation
from . import _reference
from ._batches import ONE_A_ROW
from ._behaviour import constant, unsteady
from ._domain import Domain
from ._estimate_mistakes import estimate_mistake
from ._mistakes import (
    CLIPPED,
    CLIPS,
    KNOWN_WITH_ZEROS,
    MISTAKES,
    OTHERS,
    VECTORS,
    VECTORS_WITH_ZEROS,
    Quantity,
)
from ._sample_mistakes import (
    FLAT,
    LINE_MISTAKES,
    PLANE,
    SAMPLE_MISTAKES,
    SLICED,
    entropic,
    is_sliced,
)
from ._search import Finding
from ._solver_mistakes import solver_mistake
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError, as_number
from ._symptoms import symptom

REMARKS = {
    "js_divergence": {
        "metric": "; it has no triangle inequality (its square root, js_distance, has)"
    },
    "kl_divergence": {"metric": "; it is not symmetric"},
    "the root of js_divergence": {"f-divergence": "; a metric, but no f-divergence"},
    "the Hellinger distance": {
        "f-divergence": "; a metric, but no f-divergence (its square is one)"
    },
    "the squared Hellinger distance": {
        "metric": "; it has no triangle inequality (its square root has)"
    },
    "twice the squared Hellinger distance": {
        "metric": "; it has no triangle inequality (its square root has)"
    },
    "the Bhattacharyya distance": {
        "metric": "; it has no triangle inequality",
        "f-divergence": "; it does not add up over separate parts",
    },
    "the chi-squared divergence": {"metric": "; it is not symmetric"},
    "the Renyi divergence of order 2": {"f-divergence": "; it does not add up over separate parts"},
    "the Renyi divergence of order 1/2": {
        "f-divergence": "; it does not add up over separate parts"
    },
}
"""What is to be added to "it is ..." for a function checked as of a kind."""
ELSEWHERE = " where no mass is zero or tiny, and something else there"


def diagnose(
    subject: Subject, kind: str, domain: Domain | None, finding: Finding,
    known: Quantity | None, name: str, seed: int,
) -> str:  # fmt: skip
    """A sentence about the mistake, or ""."""
    if finding.law.name == ONE_A_ROW and finding.trouble:
        return finding.trouble
    if kind == "coupling-solver":
        return finding.trouble or solver_mistake(subject, finding)
    if domain is None:
        return finding.trouble or estimate_mistake(subject, kind, finding, known, name, seed)
    restless = "" if finding.trouble else unsteady(subject, finding.example)
    if restless:
        return restless
    if finding.law.name == _reference.NORMALISES and not finding.trouble:
        return "silently normalises: masses that do not sum to 1 are rescaled without a word"
    clipped = "" if domain.name == "samples" or _is_nan(finding) else _clipped(subject)
    return (
        clipped
        or symptom(subject, finding, known)
        or _recognised(subject, kind, domain, known, name)
        or finding.trouble
    )


def _is_nan(finding: Finding) -> bool:
    return math.isnan(finding.sides.lhs) or math.isnan(finding.sides.rhs)


def _recognised(
    subject: Subject, kind: str, domain: Domain, known: Quantity | None, name: str
) -> str:
    """The first mistake that explains the values on every probe."""
    return (
        constant(subject, domain)
        or (_of_samples if domain.name == "samples" else _of_vectors)(
            subject, kind, domain, known, name
        )
    )  # fmt: skip


def _of_samples(
    subject: Subject, kind: str, domain: Domain, known: Quantity | None, name: str
) -> str:
    _ = kind
    probes = FLAT if domain.flat else PLANE
    mistakes = (*SAMPLE_MISTAKES, *(LINE_MISTAKES if domain.flat else ()))
    if known is not None and name != "wasserstein1":
        mistakes = (("it is wasserstein1", _reference.SAMPLE_QUANTITIES["wasserstein1"]), *mistakes)
    for text, wrong in mistakes:
        if _agrees(subject, wrong, probes):
            return text
    try:
        if not domain.flat and is_sliced(subject):
            return SLICED
        return entropic(subject, domain.flat)
    except (FunctionRaisedError, UnfitAnswerError, ValueError, OverflowError, ZeroDivisionError):
        return ""


def _of_vectors(
    subject: Subject, kind: str, domain: Domain, known: Quantity | None, name: str
) -> str:
    _ = domain
    for text, wrong in KNOWN_WITH_ZEROS:
        if _agrees(subject, wrong, (*VECTORS, *VECTORS_WITH_ZEROS)):
            return text
    family = "metric" if kind == "ipm" else kind
    for text, wrong in _vector_mistakes(known, name):
        if _agrees(subject, wrong, VECTORS):
            title = text.rpartition("it is ")[2]
            remark = REMARKS.get(title, {}).get(family, "")
            of_kind = family == "f-divergence" and title in REMARKS and not remark
            return text + (ELSEWHERE if not remark and (of_kind or title == name) else remark)
    return ""


def _vector_mistakes(known: Quantity | None, name: str) -> Iterator[tuple[str, Quantity]]:
    quantities: list[tuple[str, Quantity]] = [] if known is None else [(name, known)]
    standard = {"js_divergence": js_divergence, "kl_divergence": kl_divergence,
                "total_variation": total_variation}  # fmt: skip
    quantities += [(other, f) for other, f in standard.items() if other != name]
    for title, quantity in quantities:
        yield f"it is {title}", quantity
        for text, wrong in MISTAKES:
            yield (
                text.format(title),
                lambda p, q, wrong=wrong, f=quantity: wrong(f, p, q),  # type: ignore[misc]
            )
    yield from OTHERS


def _clipped(subject: Subject) -> str:
    """Whether it is a Kullback-Leibler divergence whose zeros are replaced by some eps."""
    try:
        apart = subject(*VECTORS_WITH_ZEROS[1])
    except (FunctionRaisedError, UnfitAnswerError):
        return ""
    if not 3.0 < apart < 1e3:
        return ""
    for eps in (*CLIPS, math.exp(-apart)):
        for formula in CLIPPED:
            wrong = _with(formula, eps)
            if _agrees(subject, wrong, VECTORS_WITH_ZEROS):
                return (f"probabilities are clipped or smoothed at {eps:.3g}: zeros and tiny ones"
                        " do not count")  # fmt: skip
    return ""


def _with(formula: Callable[..., float], eps: float) -> Quantity:
    return lambda p, q: formula(p, q, eps)


def _agrees(subject: Subject, wrong: Quantity, probes: Iterable[tuple[np.ndarray, ...]]) -> bool:
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
