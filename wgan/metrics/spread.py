"""How far a metric would move with other samples: exact for shares, from parts of them else."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GROUPS = 20
"""Groups of the jackknife."""
FEW_GROUPS = 10
"""Groups where each costs several transport problems or decompositions."""
LEAST = 10
"""Samples that an interval by the jackknife needs of each kind."""
Rows = NDArray[np.intp]
Statistic = Callable[..., float]
"""A metric as a function of the rows that are taken of each sample."""
PARTITIONS = {2: 25, 4: 15}
"""Random partitions into so many parts."""
FREEDOM_OF_PARTS = 10
"""Degrees of freedom that a variance from parts counts for: its own spread in simulations."""


class Spread(NamedTuple):
    """A statistic on all samples, and its variance over such samples."""

    estimate: float
    variance: float
    freedom: int
    """Degrees of freedom of the variance."""
    method: str
    """How the variance was found, in words."""

    @property
    def encloses(self) -> str:
        """What the intervals enclose."""
        return f"the mean over independent samples of these sizes ({self.method}, Student's law)"

    def interval(self, level: float) -> tuple[float, float]:
        """Ends by Student's law."""
        half = student(level, self.freedom) * math.sqrt(self.variance)
        return self.estimate - half, self.estimate + half

    def interval_of_square(self, level: float) -> tuple[float, float]:
        """Ends for a squared distance, whose variance grows with its size.

        The upper end is where a truth of variance V (truth + s) / (estimate + s) would have shown
        so small an estimate, s the half width above: few samples that happen to lie together show
        a small distance and a small variance at once. The lower end is that of `interval`.
        """
        half = student(level, self.freedom) * math.sqrt(self.variance)
        if half == 0:
            return self.estimate, self.estimate
        size = max(self.estimate, 0.0) + half
        share = half**2 / size
        above = (share + math.sqrt(share**2 + 4 * half**2)) / 2
        return self.estimate - half, self.estimate + above


def jackknife(statistic: Statistic, sizes: Sequence[int], groups: int = GROUPS) -> Spread:
    r"""Variance of a statistic of independent samples, from leaving groups out.

    .. math:: \hat V = \frac{G - 1}{G} \sum_g (\theta_{(g)} - \bar\theta)^2

    Parameters
    ----------
    statistic : callable
        Takes an array of rows for each sample and gives the metric on these.
    sizes : sequence of int
        Sizes of the samples, at least ``LEAST``; group g is rows g, g + G, ... of each of them.
    groups : int
        G, at most; small samples have fewer, of at least two rows each.

    Returns
    -------
    Spread

    Notes
    -----
    For a symmetric statistic the sum overestimates the variance at G - 1 groups in expectation,
    whatever the statistic (Efron and Stein 1981, The jackknife estimate of variance, Ann. Statist.
    9): its intervals are cautious also for degenerate U-statistics and for nearest neighbours,
    where they come out about twice as wide as they would have to be; `extrapolated` is closer.
    """
    groups = min(groups, min(sizes) // 2)
    whole = [np.arange(size) for size in sizes]
    left = np.array(
        [statistic(*(rows[rows % groups != group] for rows in whole)) for group in range(groups)]
    )
    variance = (groups - 1) / groups * float(((left - left.mean()) ** 2).sum())
    method = f"jackknife of {groups} groups"
    return Spread(float(statistic(*whole)), variance, groups - 1, method)


def extrapolated(
    statistic: Statistic, sizes: Sequence[int], scale: Callable[[float], float]
) -> Spread:
    r"""Variance of a statistic of neighbours, carried on from quarters and halves of the samples.

    Disjoint parts of the samples are independent samples of smaller sizes, so that the variance
    between them is unbiased for that of the statistic at their size, whatever the statistic. With
    :math:`v_g = \hat V_g / s(\bar\theta_g)`, the mean variance among g parts in the statistic's own
    scale, the variance on all samples is taken for

    .. math:: s(\theta)\, v_2 \min(1, \max(\tfrac12, v_2 / v_4))

    It falls on as it fell from quarters to halves, at most by half, as that of a mean, and never
    grows. The jackknife's variance caps what is above :math:`s(\theta) v_2 / 2`.

    Parameters
    ----------
    statistic : callable
        As in `jackknife`.
    sizes : sequence of int
        Sizes of the samples; their quarters have to suit the statistic.
    scale : callable
        s: gives the size of the variance of one term from the statistic's value, as p (1 - p) for
        a share; positive.

    Returns
    -------
    Spread

    Notes
    -----
    That a variance falls with the sample size by half at most at each doubling is no theorem for
    neighbours, but what simulations show: ``docs/evaluate.md`` has how often intervals enclose.
    """
    cautious = jackknife(statistic, sizes)
    rng = np.random.default_rng(0)
    halves, quarters = (
        _among_parts(statistic, sizes, parts, count, scale, rng)
        for parts, count in PARTITIONS.items()
    )
    if 0 in (halves, quarters, cautious.variance):  # too rare an event to be seen in parts
        return cautious
    size = scale(cautious.estimate)
    falling = size * halves * min(1.0, max(0.5, halves / quarters))
    variance = max(size * halves / 2, min(falling, cautious.variance))
    method = "variance between halves and quarters, at most the jackknife's"
    return Spread(cautious.estimate, variance, FREEDOM_OF_PARTS, method)


def _among_parts(
    statistic: Statistic,
    sizes: Sequence[int],
    parts: int,
    partitions: int,
    scale: Callable[[float], float],
    rng: np.random.Generator,
) -> float:
    """Mean variance of a statistic between disjoint parts of the samples, in its own scale."""
    values = np.empty((partitions, parts))
    for row in values:
        orders = [rng.permutation(size) for size in sizes]
        row[:] = [statistic(*(order[part::parts] for order in orders)) for part in range(parts)]
    return float(values.var(axis=1, ddof=1).mean()) / scale(float(values.mean()))


def fewest(sizes: Sequence[int], groups: int = GROUPS) -> int:
    """How many rows of the smallest sample are left at least when a group is out."""
    size = min(sizes)
    return size - math.ceil(size / min(groups, size // 2))


def student(level: float, freedom: float) -> float:
    """The two-sided quantile of Student's law."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def proportion(successes: float, trials: float, level: float) -> tuple[float, float]:
    """Ends of Clopper and Pearson's interval for a share, also for numbers that are no integers."""
    from scipy.special import betaincinv

    risk = (1 - level) / 2
    failures = trials - successes
    lower = float(betaincinv(successes, failures + 1, risk)) if successes > 0 else 0.0
    upper = float(betaincinv(successes + 1, failures, 1 - risk)) if failures > 0 else 1.0
    return lower, upper


def dependent_share(spread: Spread, count: int, level: float) -> tuple[float, float]:
    """Ends for a share of ``count`` events that depend on each other, from its variance.

    Clopper and Pearson's interval for as many independent events as have that variance (Korn and
    Graubard 1998, Confidence intervals for proportions with small expected number of positive
    counts, Survey Methodology 24), at most ``count``: it has a width at 0 and 1 too.
    """
    share = spread.estimate
    effective = float(count)
    if spread.variance > 0:
        inner = min(max(share, 0.5 / count), 1 - 0.5 / count)
        effective = min(effective, inner * (1 - inner) / spread.variance)
        freedom = student(level, count - 1) / student(level, spread.freedom)
        effective *= freedom**2
    return proportion(share * effective, effective, level)
