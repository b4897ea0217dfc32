r"""Divergences from below by one event: chosen on one half of the data, tested on the other.

By the data-processing inequality a divergence is at least that of (P(A), P(not A)) and
(Q(A), Q(not A)), for every event A. Total variation, JS and both KL of two Bernoulli laws grow with
p and fall with q while p >= q, so exact lower and upper bounds of P(A) and Q(A) give a bound.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._typing import Float64Array
from . import _binary as binary
from ._samples import Halves
from ._scores import Rule, Score, out_of_fold, rules

_NOMINAL = 0.05  # the risk for which the event is chosen, whatever the level
_THRESHOLDS = 200
_FEWEST = 4
_FAR = 1e100  # outliers beyond it are not told apart

Divergence = Callable[[Any, Any], Any]


class Tested(NamedTuple):
    """What the test half says of an event: bounds P(A) >= p_low, Q(A) <= q_high, and frequencies.

    Both bounds hold together with probability 1 - risk.
    """

    p_low: float
    q_high: float
    p: float
    q: float

    def bound(self, divergence: Divergence) -> float:
        """The least value of a divergence that the bounds allow."""
        return float(divergence(self.p_low, self.q_high)) if self.p_low > self.q_high else 0.0


NOTHING = Tested(0.0, 1.0, 0.0, 0.0)


def tested_event(halves: Halves, divergence: Divergence, risk: float, seed: int) -> Tested:
    """The event {score > threshold} that promises most for a divergence, tested; x is denser on it.

    Points (n, d). A handful of points prove nothing.
    """
    if min(len(halves.chosen_x), len(halves.chosen_y)) < _FEWEST:
        return NOTHING
    halves = _of_size_one(halves)
    x, y = halves.chosen_x, halves.chosen_y
    best: tuple[float, Rule, float] | None = None
    for rule in rules(x, y):
        gain, threshold = _best_threshold(*out_of_fold(rule, x, y, seed), divergence)
        if best is None or gain > best[0]:
            best = gain, rule, threshold
    assert best is not None
    score = best[1](x, y)
    return _counted(score, best[2], halves, risk)


def _counted(score: Score, threshold: float, halves: Halves, risk: float) -> Tested:
    n, m = len(halves.tested_x), len(halves.tested_y)
    hits = int((score(halves.tested_x) > threshold).sum())
    others = int((score(halves.tested_y) > threshold).sum())
    return Tested(
        float(binary.clopper_pearson_lower(hits, n, 0.5 * risk)),
        float(binary.clopper_pearson_upper(others, m, 0.5 * risk)),
        hits / n,
        others / m,
    )


def _best_threshold(
    x_scores: Float64Array, y_scores: Float64Array, divergence: Divergence
) -> tuple[float, float]:
    """The threshold whose event would prove most at the nominal risk, and what it would prove."""
    values = np.unique(np.concatenate([x_scores, y_scores]))
    cuts = 0.5 * (values[1:] + values[:-1]) if values.size > 1 else values
    if cuts.size > _THRESHOLDS:
        cuts = cuts[np.linspace(0, cuts.size - 1, _THRESHOLDS).round().astype(np.int64)]
    n, m = x_scores.size, y_scores.size
    hits = n - np.searchsorted(np.sort(x_scores), cuts, side="right")
    others = m - np.searchsorted(np.sort(y_scores), cuts, side="right")
    low = binary.clopper_pearson_lower(hits, n, 0.5 * _NOMINAL)
    high = binary.clopper_pearson_upper(others, m, 0.5 * _NOMINAL)
    gains = np.where(low > high, divergence(low, np.minimum(high, low)), low - high)
    where = int(np.argmax(gains))
    return float(gains[where]), float(cuts[where])


def _of_size_one(halves: Halves) -> Halves:
    """Centred and divided by one power of two: the rules need not care for extreme scales."""
    pooled = np.concatenate([halves.chosen_x, halves.chosen_y])
    exponent = int(np.frexp(np.abs(pooled).max())[1]) + 1
    centre = np.median(np.ldexp(pooled, -exponent), axis=0)
    spread = np.abs(np.ldexp(pooled, -exponent) - centre)
    size = float(np.quantile(spread, 0.75)) or float(spread.max()) or 1.0
    power = int(np.frexp(size)[1])

    def moved(points: Float64Array) -> Float64Array:
        with np.errstate(over="ignore"):
            scaled = np.ldexp(np.ldexp(points, -exponent) - centre, -power)
        return np.asarray(np.clip(scaled, -_FAR, _FAR))

    return Halves(*(moved(half) for half in halves))
