"""Radii on finite alphabets: their exact risk, by enumeration of all samples."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from divergences import js_divergence, kl_divergence, total_variation
from divergences.intervals._alphabet import (
    empirical_kl_radius,
    js_bounds,
    kl_bounds,
    total_variation_bounds,
)
from divergences.intervals._binary import clopper_pearson_lower, clopper_pearson_upper

RISK = 0.3


@pytest.mark.parametrize(("p", "q"), [(0.2, 0.25), (0.5, 0.5), (0.01, 0.9), (0.9, 0.5)])
def test_of_all_samples_of_two_values_few_enough_are_missed(p, q):
    n, m = 9, 7
    first, second = np.array([p, 1 - p]), np.array([q, 1 - q])
    variation = float(total_variation(first, second))
    js, kl = float(js_divergence(first, second)), float(kl_divergence(first, second))
    missed = dict.fromkeys(("below", "above", "js", "kl"), 0.0)
    for i, j in itertools.product(range(n + 1), range(m + 1)):
        chance = binom.pmf(i, n, p) * binom.pmf(j, m, q)
        shares = np.array([i, n - i]) / n, np.array([j, m - j]) / m
        low, high = total_variation_bounds(float(total_variation(*shares)), 2, n, m, RISK, RISK)
        missed["below"] += chance * (low > variation + 1e-12)
        missed["above"] += chance * (high < variation - 1e-12)
        low, high = js_bounds(float(js_divergence(*shares)), 2, n, m, RISK)
        missed["js"] += chance * (not low - 1e-12 <= js <= high + 1e-12)
        places = [np.repeat([0, 1], counts) for counts in ([i, n - i], [j, m - j])]
        low, high = kl_bounds(*places, 2, RISK)
        missed["kl"] += chance * (not low - 1e-12 <= kl <= high + 1e-12)
    assert max(missed.values()) <= RISK


@pytest.mark.parametrize("masses", [[0.2, 0.3, 0.5], [0.01, 0.09, 0.9], [1 / 3, 1 / 3, 1 / 3]])
@pytest.mark.parametrize("count", [1, 5, 25])
def test_the_kl_of_the_frequencies_rarely_exceeds_its_radius(masses, count):
    radius = empirical_kl_radius(count, 3, RISK)
    exceeded = sum(
        multinomial.pmf(counts, count, masses)
        for i, j in itertools.product(range(count + 1), repeat=2)
        if i + j <= count
        for counts in [[i, j, count - i - j]]
        if float(kl_divergence(np.array(counts) / count, masses)) >= radius
    )
    assert exceeded <= RISK


def test_the_radius_solves_its_equation():
    for size, count, risk in itertools.product((2, 6, 100), (3, 1000), (0.5, 1e-6)):
        scaled = empirical_kl_radius(count, size, risk) * count
        logarithm = -scaled + (size - 1) * (1 + math.log(scaled / (size - 1)))
        assert logarithm == pytest.approx(math.log(risk), rel=1e-9)


@pytest.mark.parametrize("chance", [0.03, 0.5, 0.8])
def test_exact_bounds_of_a_frequency(chance):
    hits = np.arange(13)
    low = clopper_pearson_lower(hits, 12, 0.1)
    high = clopper_pearson_upper(hits, 12, 0.1)
    assert binom.pmf(hits, 12, chance)[low > chance].sum() <= 0.1
    assert binom.pmf(hits, 12, chance)[high < chance].sum() <= 0.1
    assert low[0] == 0
    assert high[12] == 1
    np.testing.assert_allclose(binom.sf(hits[1:] - 1, 12, low[1:]), 0.1, rtol=1e-9)
