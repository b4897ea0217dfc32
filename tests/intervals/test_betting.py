"""The lower bound of a mean."""

import numpy as np
import pytest
from scipy.stats import binom

from divergences.intervals._betting import mean_lower_bound


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda g: g.random(50), 0.5, 1 / 12),
        (lambda g: (g.random(50) < 0.05).astype(float), 0.05, 0.0475),
        (lambda g: (g.random(50) < 0.95).astype(float), 0.95, 1e-6),  # a wrong guess
        (lambda g: np.full(50, 0.25), 0.25, 0.0),
    ],
)
def test_it_holds(draw, mean, variance):
    trials, risk = 500, 0.2
    misses = sum(
        mean_lower_bound(draw(np.random.default_rng(seed)), 0.0, 1.0, risk, variance) > mean
        for seed in range(trials)
    )
    assert misses <= binom.isf(1e-6, trials, risk)


def test_it_is_better_than_hoeffdings_and_not_by_chance():
    values = np.random.default_rng(0).random(400)
    bound = mean_lower_bound(values, 0.0, 1.0, 0.05, 1 / 12)
    assert values.mean() - np.sqrt(np.log(20) / 800) < bound < values.mean()


def test_it_moves_with_the_range_and_ignores_the_order():
    values = np.random.default_rng(0).random(100)
    plain = mean_lower_bound(values, 0.0, 1.0, 0.05, 0.1)
    moved = mean_lower_bound(3.0 + 2.0 * values, 3.0, 5.0, 0.05, 0.4)
    assert moved == pytest.approx(3.0 + 2.0 * plain, rel=1e-12)
    assert mean_lower_bound(values[::-1], 0.0, 1.0, 0.05, 0.1) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("values", [np.zeros(10), np.array([0.5])])
def test_what_proves_nothing_gives_the_end_of_the_range(values):
    assert mean_lower_bound(values, 0.0, 1.0, 1e-6, 0.1) == pytest.approx(0.0, abs=1e-4)
    assert mean_lower_bound(values, 2.0, 2.0, 0.05, 0.1) == 2.0
