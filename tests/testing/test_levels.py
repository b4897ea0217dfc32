"""Statistical laws fail good functions as often as their level says, whatever the seed.

The level is raised to 0.3 a pair, so that failures can be counted; the functions under test succeed
with exactly the probability that the law grants, by a coin that their samples toss.
"""

import hashlib

import numpy as np
import pytest

from divergences.testing import laws
from divergences.testing.laws import _statistics
from divergences.testing.laws._law import LawReport
from divergences.theorems._binomial import count_range

SEEDS, LEVEL = 40, 0.3


def coin(rate, *samples):
    """True with probability ``rate``, a function of the samples."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in samples)).digest()
    return int.from_bytes(digest[:7], "big") < rate * 2**56


def uniform(*samples):
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in samples)).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def interval(rate):
    """Covers 1/2, which every pair of laws is said to be apart."""
    return lambda x, y, *, level: (0.0, 1.0) if coin(rate, x, y) else (2.0, 3.0)


def estimator(rate):
    """Hits 1 with the probability given, and is ordered at random; blind to order."""

    def estimate(x, y):
        x, y = np.sort(x), np.sort(y)
        return 1.0 if coin(rate, x, y) else 10.0 + uniform(x, y)

    return estimate


def failures(function, options, law, seeds=SEEDS):
    """Over so many seeds, how many reports have the law failed."""
    count = 0
    for seed in range(seeds):
        report: LawReport = laws.check(function, **options, seed=seed)
        count += law in [failure.law for failure in report.failures]
    return count


def half(p, q):
    return 0.5


def one(p, q):
    return 1.0


CASES = {
    "covers the truth": (
        interval(0.9),
        {"kind": "interval", "reference": half, "max_examples": 20},
        (20, 0.9, 5),
    ),
    "consistent": (
        estimator(0.5),
        {"kind": "estimator", "reference": one, "max_examples": 20},
        (_statistics.REPETITIONS, 0.5, 4),
    ),
    "tells laws apart": (
        lambda x, y: uniform(np.sort(x), np.sort(y)),
        {"kind": "estimator", "max_examples": 20},
        (_statistics.REPETITIONS, 0.5, 1),
    ),
}


@pytest.mark.parametrize("law", CASES)
def test_reruns_with_other_seeds_fail_as_often_as_the_level_says(law, monkeypatch):
    monkeypatch.setattr(_statistics, "LEVEL", LEVEL)
    monkeypatch.setattr(_statistics, "SIZE", 20)
    function, options, (trials, rate, pairs) = CASES[law]
    fewest = _statistics.fewest_successes(trials, rate)
    once = _statistics.binomial_tail(fewest - 1, trials, rate)
    assert LEVEL / 4 < once <= LEVEL  # a binomial variable has no level in between
    low, high = count_range(SEEDS, 1.0 - (1.0 - once) ** pairs, 1e-3)
    assert 0 < low <= failures(function, options, law) <= high < SEEDS


@pytest.mark.parametrize("law", CASES)
def test_no_seed_fails_a_good_function_at_the_level_in_use(law, monkeypatch):
    monkeypatch.setattr(_statistics, "SIZE", 20)
    function, options, _ = CASES[law]
    assert failures(function, options, law, 20) == 0


@pytest.mark.parametrize("law", CASES)
def test_reports_state_the_level(law):
    _, options, (_, _, pairs) = CASES[law]
    broken = {"consistent": lambda x, y: 7.0, "tells laws apart": lambda x, y: -x.size + x.mean()}
    bad = broken.get(law, interval(0.0))
    found = [f for f in laws.check(bad, **options).failures if f.law == law]
    assert f"{pairs * _statistics.LEVEL:g}" in found[0].statement


def test_seeds_repetitions_and_pairs_have_samples_of_their_own():
    first = [
        _statistics.sampled(pair, seed, index, 3)[0][0]
        for pair in _statistics.PAIRS
        for seed in range(3)
        for index in range(3)
    ]
    assert len(set(first)) == len(first)
