"""Bands of distribution functions: calibration against exact determinants; what they promise."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from divergences.intervals._bands import _excess, band, local_level
from divergences.intervals._crossing import _convolved, staying_probability


def steck(low, high):
    """P(low_i <= U_(i) <= high_i for all i), by Steck's determinant."""
    n = len(low)
    matrix = [
        [
            max(high[i] - low[j], 0.0) ** (j - i + 1) / math.factorial(j - i + 1)
            if j >= i - 1 else 0.0
            for j in range(n)
        ]
        for i in range(n)
    ]  # fmt: skip
    return math.factorial(n) * float(np.linalg.det(np.array(matrix)))


@given(st.lists(st.integers(1, 499), min_size=1, max_size=7), st.integers(0, 10**6))
def test_staying_probability_is_stecks_determinant(places, seed):
    low = np.sort(np.array(places) / 1000.0)
    high = np.sort(1.0 - np.random.default_rng(seed).integers(1, 500, len(low)) / 1000.0)
    found = staying_probability(len(low), np.arange(1, len(low) + 1), low, high)
    assert found == pytest.approx(steck(low, high), rel=1e-10, abs=1e-12)


def test_ranks_left_out_are_not_constrained():
    found = staying_probability(6, np.array([2, 5]), np.array([0.1, 0.4]), np.array([0.6, 0.95]))
    full = steck([0.0, 0.1, 0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.95, 0.95, 0.95, 1.0])
    assert found == pytest.approx(full, rel=1e-12)


def test_a_single_rank_is_a_beta_variable():
    from scipy.special import betainc

    found = staying_probability(3000, np.array([900]), np.array([0.29]), np.array([0.31]))
    assert found == pytest.approx(betainc(900, 2101, 0.31) - betainc(900, 2101, 0.29), rel=1e-10)


def test_no_path_between_crossed_bounds():
    assert staying_probability(2, np.array([1, 2]), np.array([0.5, 0.6]), np.array([0.3, 0.4])) == 0


def test_bounds_at_the_ends_are_no_bounds():
    found = staying_probability(2, np.array([1, 2]), np.array([0.0, 0.3]), np.array([0.7, 1.0]))
    assert found == pytest.approx(steck([0.0, 0.3], [0.7, 1.0]), rel=1e-12)


def test_a_quantile_that_rounds_to_one_is_no_error():
    lower, upper = band(300_000, 2e-9)  # alpha / n is below the rounding of 1
    assert (lower[0], upper[-1]) == (0.0, 1.0)
    assert 1.0 - upper[0] == pytest.approx(lower[-1], abs=1e-12) != 1.0


def test_both_convolutions_agree():
    g = np.random.default_rng(0)
    first, second = g.random(700), g.random(600)
    np.testing.assert_allclose(_convolved(first, second), np.convolve(first, second), rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100, 1500])
@pytest.mark.parametrize("risk", [0.5, 0.05, 1e-4])
def test_the_local_level_keeps_the_risk_and_wastes_little(count, risk):
    ranks, alpha = local_level(count, risk)
    assert -2e-3 <= _excess(count, ranks, alpha, risk) <= 1e-9
    if count == 1:
        assert alpha == pytest.approx(risk / 2)


def test_a_risk_that_is_tiny_is_divided():
    ranks, alpha = local_level(50, 1e-12)
    assert alpha == pytest.approx(1e-12 / (2 * ranks.size))


@pytest.mark.parametrize("count", [20, 1700])
def test_a_band_holds_as_often_as_it_says(count):
    trials, level = 2000 if count == 20 else 400, 0.8
    lower, upper = band(count, 1.0 - level)
    hits = 0
    for seed in range(trials):
        draws = np.sort(np.random.default_rng(seed).random(count))
        below, above = lower[1:], upper[:-1]
        hits += bool((below <= draws).all() and (draws <= above).all())
    assert binom.ppf(1e-6, trials, level) <= hits <= binom.isf(1e-6, trials, level)


@pytest.mark.parametrize("count", [1, 7, 200, 2500])
def test_a_band_is_monotone_encloses_the_frequencies_and_is_symmetric(count):
    lower, upper = band(count, 0.05)
    shares = np.arange(count + 1) / count
    assert (lower <= shares).all()
    assert (shares <= upper).all()
    assert lower[0] == 0
    assert upper[-1] == 1
    assert (np.diff(lower) >= 0).all()
    assert (np.diff(upper) >= 0).all()
    np.testing.assert_allclose(lower, 1.0 - upper[::-1], atol=1e-11)


def test_bands_are_nested_in_the_level_and_shrink_with_the_sample():
    bands = [band(100, risk) for risk in (0.5, 0.1, 0.01)]
    for (lower, upper), (lower_of_wider, upper_of_wider) in itertools.pairwise(bands):
        assert (lower_of_wider <= lower).all()
        assert (upper <= upper_of_wider).all()
    larger = band(400, 0.1)
    assert (larger[1] - larger[0]).mean() < (bands[1][1] - bands[1][0]).mean()


def test_in_the_tails_a_band_is_far_narrower_than_one_of_constant_width():
    upper = band(200, 0.05)[1]
    constant = math.sqrt(math.log(2 / 0.05) / 400)
    assert upper[0] < 0.6 * constant
    assert upper[100] - 0.5 < 1.25 * constant
