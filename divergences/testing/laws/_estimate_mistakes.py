"""What is wrong with an estimator or an interval, where it is recognised."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from ._histograms import APART, EQUAL, SKEW, SPREAD, VECTOR_ANSWERS, HistogramPair
from ._mistakes import MISTAKES, Quantity
from ._search import Finding
from ._statistics import SIZE, call, sampled
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError

Answer: TypeAlias = Callable[[HistogramPair], float]

PAIRS, RUNS = (APART, SKEW, SPREAD, EQUAL), 3
AGREEMENT, LEAST, ZERO = 0.15, 0.05, 0.3
"""How close estimates come, relative to the quantity, to LEAST, and to ZERO where it is 0."""


def estimate_mistake(
    subject: Subject, kind: str, finding: Finding, known: Quantity | None, name: str, seed: int
) -> str:
    """A sentence about the mistake, or ""."""
    if finding.law.name == "ties are answered or refused":
        return "repeated values (rounded data) give distances of 0, whose logarithm is taken"
    if kind == "interval" and finding.law.name == "covers the truth":
        if finding.example.get("laws") == "equal":
            return "at P = Q every resampled estimate is above 0: the naive bootstrap fails"
        return "the interval is too short, or around a biased estimate"
    if kind == "estimator" and finding.law.name in {"consistent", "tells laws apart"}:
        return _wrong_quantity(subject, finding, known, name, seed)
    return ""


def _wrong_quantity(
    subject: Subject, finding: Finding, known: Quantity | None, name: str, seed: int
) -> str:
    """Which quantity the estimates are close to, if it is another one."""
    try:
        values = [_median(subject, pair, seed) for pair in PAIRS]
    except (FunctionRaisedError, UnfitAnswerError):
        return ""
    if not np.isfinite(values).all():
        return ""
    if len(set(values)) == 1:
        return f"every estimate is {values[0]:.6g}: the samples are not used"
    if values[0] < values[-1]:
        return "laws that are far apart score lower than equal ones: a wrong sign, or a similarity"
    if known is None:
        return ""
    sides, about = finding.sides, ""
    if finding.law.name == "consistent" and math.isfinite(sides.lhs):
        about = f"estimates are about {sides.lhs:.2g}, not 0"
        if sides.rhs > 0:
            about = f"estimates are about {sides.lhs / sides.rhs:.2g} times the truth"
    errors = {text: _error(values, wrong) for text, wrong in _candidates(known, name)}
    text = min(errors, key=lambda candidate: errors[candidate])
    return ": ".join(filter(None, [text * (errors[text] < AGREEMENT), about]))


def _median(subject: Subject, pair: HistogramPair, seed: int) -> float:
    runs = [call(subject, *sampled(pair, seed, index, SIZE)) for index in range(RUNS)]
    return float(np.median(runs))


def _truth(known: Quantity, name: str, pair: HistogramPair) -> float:
    named = name in VECTOR_ANSWERS or name == "wasserstein1"
    return pair.answer(name) if named else float(known(pair.p, pair.q))


def _error(values: list[float], wrong: Answer) -> float:
    """The largest relative error of the values as estimates of ``wrong``."""
    try:
        wanted = [wrong(pair) for pair in PAIRS]
    except ValueError:
        return math.inf
    least = [LEAST if abs(w) > 1e-9 else ZERO for w in wanted]
    return max(abs(v - w) / max(abs(w), e) for v, w, e in zip(values, wanted, least, strict=True))


def _candidates(known: Quantity, name: str) -> Iterator[tuple[str, Answer]]:
    """Mistakes about the quantity, and other quantities."""
    for text, wrong in MISTAKES:
        short = text.format(name).partition(": it is")[0].partition(" (")[0]
        yield short, _of(wrong, known, name)
    for other in (*VECTOR_ANSWERS, "wasserstein1"):
        if other != name:
            yield f"it is {other}", _answer(other)
    yield "only the means are compared", _difference_of_means


def _answer(name: str) -> Answer:
    return lambda pair: pair.answer(name)


def _difference_of_means(pair: HistogramPair) -> float:
    return abs(float((pair.p - pair.q) @ np.arange(4.0))) / 4


def _of(wrong: Callable[[Quantity, Any, Any], Any], known: Quantity, name: str) -> Answer:
    """A mistake about a quantity of two laws."""

    def value(pair: HistogramPair) -> float:
        def quantity(p: Any, _: Any) -> float:
            first = p is pair.p
            return _truth(known, name, pair if first else HistogramPair("", pair.q, pair.p))

        return float(wrong(quantity, pair.p, pair.q))

    return value
