"""The binomial bounds are exact: against rational arithmetic, and as often wrong as they say."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from divergences.theorems._binomial import LEVEL, count_range


def _tail(trials, chance, below=None, above=None):
    inside = [k for k in range(trials + 1) if (below is None or k < below)]
    inside = [k for k in inside if above is None or k > above]
    return sum(
        (comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in inside), Fraction(0)
    )


@pytest.mark.parametrize("level", [0.2, 0.05, 1e-3, LEVEL])
@pytest.mark.parametrize(("trials", "chance"), [(1, 0.5), (20, 0.5), (64, 0.5), (40, 0.125)])
def test_each_tail_is_at_most_half_of_the_level_and_no_bound_could_be_tighter(
    trials, chance, level
):
    low, high = count_range(trials, chance, level)
    exact, half = Fraction(chance), Fraction(level) / 2
    assert _tail(trials, exact, below=low) <= half < _tail(trials, exact, below=low + 1)
    assert _tail(trials, exact, above=high) <= half < _tail(trials, exact, above=high - 1)


def test_reruns_fail_as_often_as_the_level_says():
    rng, level, runs = np.random.default_rng(0), 0.2, 2000
    low, high = count_range(64, 0.5, level)
    counts = rng.binomial(64, 0.5, size=runs)
    outside = int(((counts < low) | (counts > high)).sum())
    _, most = count_range(runs, level)
    assert 0 < outside <= most
