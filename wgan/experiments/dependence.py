"""Rank correlation of two series of one run, with intervals for numbers that depend on time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 2000
"""Series that the bootstrap draws."""
LEAST = 8
"""Pairs below which no interval is given."""


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation of two series, with an interval."""

    estimate: float | None
    """In [-1, 1]; None where one series is constant or has fewer than three values."""
    lower: float | None
    """Lower end; None with fewer than ``LEAST`` pairs."""
    upper: float | None
    """Upper end."""
    given_time: float | None
    """The same of what is left of both ranks when their linear trend in time is taken off."""
    pairs: int
    """How many pairs."""
    block: int
    """Pairs in a block of the bootstrap."""
    level: float
    """Nominal level of the interval."""

    def to_json(self) -> dict[str, Any]:
        """The numbers with their method."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        method = f"moving block bootstrap of pairs, {DRAWS} draws, percentiles"
        return {**values, "method": method}

    def sentence(self) -> str:
        """The number and its interval, for people."""
        if self.estimate is None:
            return "no rank correlation (a series is constant or too short)"
        if self.lower is None or self.upper is None:
            return f"rank correlation {self.estimate:.2f} ({self.pairs} pairs: no interval)"
        return (
            f"rank correlation {self.estimate:.2f} [{self.lower:.2f}, {self.upper:.2f}] over "
            f"{self.pairs} evaluations"
        )


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, level: float = 0.95, seed: int = 0
) -> RankCorrelation:
    r"""Spearman's correlation of two series that were measured at the same times.

    Parameters
    ----------
    x, y : array (n,)
        In the order of time.
    level : float
        Nominal level of the interval.
    seed : int
        Of the bootstrap.

    Returns
    -------
    RankCorrelation

    Notes
    -----
    Neighbouring values of a training curve are alike, so that n evaluations are worth fewer
    independent ones, and Fisher's interval is far too short. The moving block bootstrap (Künsch
    1989) joins blocks of :math:`\lceil \sqrt n \rceil` neighbouring pairs, drawn with
    replacement, to series of length n; the interval holds the middle part of their
    correlations. It says how far the number depends on which stretches of this run were seen,
    and nothing of other seeds. It is too short where neighbours are very alike:
    ``docs/experiments.md`` has measured coverages.

    Two series that both go one way have a high correlation whatever links them; ``given_time`` is
    the partial correlation given the time, in ranks.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n = len(a)
    block = math.ceil(math.sqrt(n)) if n else 0
    estimate = spearman(a, b)
    lower = upper = None
    if estimate is not None and n >= LEAST:
        draws = _bootstrap(a, b, block, np.random.default_rng(seed))
        if len(draws) >= DRAWS // 2:
            lower, upper = (
                float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
            )
    return RankCorrelation(estimate, lower, upper, _given_time(a, b), n, block, level)


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Pearson's correlation of the ranks, ties at their mean; None where it has no meaning."""
    from scipy.stats import rankdata

    if len(x) < 3:
        return None
    return _pearson(rankdata(x), rankdata(y))


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    x, y = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    return float(np.clip((x @ y) / scale, -1, 1)) if scale > 0 else None


def _bootstrap(
    x: NDArray[np.float64], y: NDArray[np.float64], block: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Correlations of drawn series; those where one is constant are left out."""
    from scipy.stats import rankdata

    n = len(x)
    starts = rng.integers(0, n - block + 1, size=(DRAWS, math.ceil(n / block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(DRAWS, -1)[:, :n]
    a, b = (rankdata(values[places], axis=1) for values in (x, y))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    known = scale > 0
    found: NDArray[np.float64] = (a * b).sum(axis=1)[known] / scale[known]
    return found.clip(-1, 1)


def _given_time(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    from scipy.stats import rankdata

    if len(x) < 4:
        return None
    time = np.arange(len(x), dtype=np.float64)
    left = []
    for values in (x, y):
        ranks = rankdata(values)
        rest = ranks - np.polyval(np.polyfit(time, ranks, 1), time)
        left.append(np.where(np.abs(rest) < 1e-9 * len(x), 0.0, rest))  # a straight line is gone
    return _pearson(left[0], left[1])


def window_medians(
    records: Sequence[dict[str, Any]], key: str
) -> tuple[list[int], list[float], list[float]]:
    """Steps of evaluations, medians of the estimates since the one before, and values of ``key``.

    The evaluation of step 0 is left out: its critic is untrained. Estimates are those on the last
    batch of each generator step, before the critic's last step.
    """
    steps: list[int] = []
    medians: list[float] = []
    values: list[float] = []
    pending: list[float] = []
    for record in records:
        pending += record.get("critic_estimates", [])
        if key in record and record["step"] > 0 and pending:
            steps.append(record["step"])
            medians.append(float(np.median(pending)))
            values.append(float(record[key]))
            pending = []
    return steps, medians, values
