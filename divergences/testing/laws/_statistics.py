r"""Laws of estimators and of intervals from samples, by exact binomial bounds.

A statistical law is judged on independent repetitions, in each of which a good function succeeds
with a known probability at least r. It fails where so few successes have a probability of at most
`LEVEL` under Binomial(n, r): the chance to fail a good function, whatever its distribution.
"""

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._typing import Float64Array
from ._histograms import APART, EQUAL, PAIRS, HistogramPair
from ._law import Comparison, Example, Law
from ._subject import (
    FunctionRaisedError,
    Subject,
    UnfitAnswerError,
    as_number,
    called,
    known_number,
    parameters_of,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LEVEL = 1e-6
SIZE, REPETITIONS = 1000, 20
COVERAGE, COVERAGE_SIZE = 0.9, 100
TOLERANCE = 0.25


def binomial_tail(successes: int, trials: int, rate: float) -> float:
    """P(Binomial(trials, rate) <= successes), exactly, summed from the smallest term."""
    terms = (
        math.comb(trials, k) * rate**k * (1.0 - rate) ** (trials - k) for k in range(successes + 1)
    )
    return math.fsum(terms)


def fewest_successes(trials: int, rate: float) -> int:
    """The least number of successes that is not yet a failure at `LEVEL`."""
    count = 0
    while binomial_tail(count, trials, rate) <= LEVEL:
        count += 1
    return count


def call(estimate: Subject, x: Float64Array, y: Float64Array) -> float:
    """The estimate of two samples, as (n, 1) where it refuses (n,)."""
    try:
        return estimate(x, y)
    except (FunctionRaisedError, UnfitAnswerError):
        return estimate(x[:, None], y[:, None])


def sampled(
    pair: HistogramPair, seed: int, index: int, size: int
) -> tuple[Float64Array, Float64Array]:
    """Samples of a pair of laws: other ones for every seed, repetition and pair."""
    return pair.samples(np.random.default_rng([seed, index, *pair.name.encode()]), size)


def _finite(estimate: Subject, e: Example) -> Comparison:
    value = call(estimate, e["x"], e["y"])
    return Comparison(abs(value), "<=", 1e300)


def _tied(estimate: Subject, e: Example) -> Comparison | None:
    try:
        return _finite(estimate, e)
    except (FunctionRaisedError, UnfitAnswerError):  # refusing ties is honest
        return None


def _unordered(estimate: Subject, e: Example) -> Comparison | None:
    value, again = call(estimate, e["x"], e["y"]), call(estimate, e["x"], e["y"])
    if value != again:  # a random estimator is not repeatable, whatever the order
        return None
    reversed_value = call(estimate, e["x"][::-1], e["y"])
    return Comparison(reversed_value, "==", value, 1e-6 * max(1.0, abs(value)))


def _separates(seed: int) -> Callable[[Subject, Example], Comparison]:
    def compare(estimate: Subject, _: Example) -> Comparison:
        higher = 0
        for index in range(REPETITIONS):
            same = call(estimate, *sampled(EQUAL, seed, index, 200))
            apart = call(estimate, *sampled(APART, seed, index, 200))
            higher += apart > same
        return Comparison(float(fewest_successes(REPETITIONS, 0.5)), "<=", float(higher))

    return compare


def _consistent(name: str, known: Callable[..., Any], seed: int) -> Any:
    def compare(estimate: Subject, e: Example) -> Comparison:
        pair = next(pair for pair in PAIRS if pair.name == e["laws"])
        truth = pair.answer(name) if name else known_number(known, pair.p, pair.q)
        allowed = TOLERANCE * truth if truth > 0 else 0.1
        estimates = [
            call(estimate, *sampled(pair, seed, index, SIZE)) for index in range(REPETITIONS)
        ]
        close = sum(abs(value - truth) <= allowed for value in estimates)
        if close >= fewest_successes(REPETITIONS, 0.5):
            return Comparison(truth, "==", truth)
        return Comparison(float(np.median(estimates)), "==", truth, 0.0)

    return compare


def _samples(ties: bool) -> "Callable[[], SearchStrategy[Example]]":
    from .._hypothesis import strategies as st

    def example(seed: int) -> Example:
        x, y = sampled(PAIRS[seed % len(PAIRS)], seed, 0, 100)
        if ties:
            x, y = np.round(x, 1), np.round(y, 1)
        return {"x": x, "y": y}

    return lambda: st.integers(0, 2**20).map(example)


def _named(*names: str) -> tuple[Example, ...]:
    return tuple({"laws": name} for name in names)


def estimator_laws(
    name: str | None, known: Callable[..., Any] | None, seed: int
) -> tuple[Law, ...]:
    """The laws of an estimator; consistency where the quantity is known."""
    from .._hypothesis import strategies as st

    def nothing() -> "SearchStrategy[Example]":
        return st.just({"laws": "equal and apart"})

    laws: tuple[Law, ...] = (
        Law("finite", "an estimate from samples of continuous laws is a finite number",
            _samples(False), _finite),
        Law("ties are answered or refused", "repeated values give a finite number or an error",
            _samples(True), _tied),
        Law("points have no order", "the estimate does not change when a sample is reversed",
            _samples(False), _unordered),
        Law("tells laws apart", "laws far apart score higher than equal ones, in at least half of"
            f" {REPETITIONS} repetitions, up to chance {LEVEL:g} (successes on the right)",
            nothing, _separates(seed), level=LEVEL),
    )  # fmt: skip
    if known is None:
        return laws
    tried = _named("apart", "equal", "spread", "skew", *("far",) * (name == "wasserstein1"))
    return (
        *laws,
        Law("consistent", f"from {SIZE} points each, within {TOLERANCE:.0%} of the truth (0.1 where"
            f" it is 0) in at least half of {REPETITIONS} repetitions, up to chance"
            f" {len(tried) * LEVEL:g} (the median is shown)",
            lambda: st.sampled_from(tried), _consistent(name or "", known, seed),
            tried, level=len(tried) * LEVEL),
    )  # fmt: skip


def with_level(function: Callable[..., Any]) -> Callable[..., Any]:
    """The interval as ``fn(x, y, level)``, where ``level`` may have to be named."""
    parameter = parameters_of(function).get("level")
    if parameter is None or parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return function
    return lambda x, y, level: function(x, y, level=level)


def _bounds(
    subject: Subject, x: Float64Array, y: Float64Array, level: float
) -> tuple[float, float]:
    """Lower and upper end: of an object with these names, or the first and last of a tuple."""
    answer = subject.raw(x, y, level)
    try:
        ends = called(_ends, answer)
    except FunctionRaisedError as error:
        kind = type(answer).__name__
        message = f"returned a {kind}: no .lower and .upper, and no pair of ends"
        raise UnfitAnswerError(message) from error
    return as_number(ends[0])[0], as_number(ends[1])[0]


def _ends(answer: Any) -> tuple[Any, Any]:
    if hasattr(answer, "lower") and hasattr(answer, "upper"):
        return answer.lower, answer.upper
    if len(answer) not in (2, 3) or isinstance(answer, (str, bytes, dict)):
        raise TypeError
    return answer[0], answer[-1]


def _in_order(interval: Subject, e: Example) -> Comparison:
    lower, upper = _bounds(interval, e["x"], e["y"], COVERAGE)
    return Comparison(lower, "<=", upper)


def _nested(interval: Subject, e: Example) -> Comparison | None:
    once, twice = (_bounds(interval, e["x"], e["y"], COVERAGE) for _ in range(2))
    if once != twice:
        return None
    wide = _bounds(interval, e["x"], e["y"], 0.99)
    gains = (once[0] - wide[0], wide[1] - once[1] if math.isfinite(once[1]) else 0.0)
    return Comparison(0.0, "<=", min(gains), 1e-9)


def _covers(name: str, known: Callable[..., Any], seed: int, trials: int) -> Any:
    def compare(interval: Subject, e: Example) -> Comparison:
        pair = next(pair for pair in PAIRS if pair.name == e["laws"])
        truth = pair.answer(name) if name else known_number(known, pair.p, pair.q)
        hits = 0
        for index in range(trials):
            ends = _bounds(interval, *sampled(pair, seed, index, COVERAGE_SIZE), COVERAGE)
            hits += ends[0] <= truth + 1e-12 and truth - 1e-12 <= ends[1]
        return Comparison(float(fewest_successes(trials, COVERAGE)), "<=", float(hits))

    return compare


def interval_laws(
    name: str | None, known: Callable[..., Any] | None, seed: int, trials: int
) -> tuple[Law, ...]:
    """The laws of an interval; coverage where the quantity is known."""
    from .._hypothesis import strategies as st

    laws: tuple[Law, ...] = (
        Law("ends are in order", "lower <= upper", _samples(False), _in_order),
        Law("a higher level is wider", "the interval at .99 contains that at .90",
            _samples(False), _nested),
    )  # fmt: skip
    if known is None:
        return laws
    corners = _named("equal", "near", "apart", "spread", "far")
    level = len(corners) * LEVEL
    return (
        *laws,
        Law("covers the truth", f"at level {COVERAGE}, from {COVERAGE_SIZE} points each, in"
            f" at least 90 % of {trials} repetitions, up to chance {level:g} (least and actual"
            " number shown)",
            lambda: st.sampled_from(corners), _covers(name or "", known, seed, trials), corners,
            level=level),
    )  # fmt: skip
