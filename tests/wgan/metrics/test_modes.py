import math

import numpy as np
import pytest
import torch

from wgan.data import make_data
from wgan.metrics import class_coverage, mode_coverage
from wgan.metrics.modes import MODE_SAMPLES, STACKED_SAMPLES

from .bounds import RISK, least_hits


def test_modes_and_quality_are_those_of_the_definition():
    """A mode: at least one sample nearer than three deviations, by loops."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(6, 3)) * 2
    samples = means[rng.integers(0, 4, 300)] + 0.1 * rng.normal(size=(300, 3))
    captured, good = set(), 0
    for sample in samples:
        near = [math.dist(sample, mean) for mean in means]
        if min(near) < 0.3:
            captured.add(near.index(min(near)))
            good += 1
    modes, quality = mode_coverage(samples, means, 0.1)
    assert (modes.estimate, modes.lower, modes.upper, modes.level) == (len(captured), 4, 6, 1.0)
    assert quality.estimate == good / 300
    assert quality.lower < quality.estimate < quality.upper


@pytest.mark.parametrize(("name", "count"), [("ring", 8), ("grid", 25)])
def test_the_data_themselves_have_the_published_scores(name, count):
    data = make_data(name, torch.device("cpu"))
    samples = data.batch(MODE_SAMPLES, torch.Generator().manual_seed(1))
    modes, quality = mode_coverage(samples, data.modes, data.deviation)
    assert modes.estimate == modes.lower == modes.upper == count
    assert quality.real == pytest.approx(-math.expm1(-4.5), rel=1e-14)
    assert quality.lower <= quality.real <= quality.upper


def test_the_interval_of_quality_encloses_the_truth():
    """Clopper and Pearson's, on draws whose truth is known."""
    data = make_data("ring", torch.device("cpu"))
    random, truth, trials = torch.Generator().manual_seed(2), -math.expm1(-4.5), 300
    hits = 0
    for _ in range(trials):
        one = mode_coverage(data.batch(200, random), data.modes, data.deviation)[1]
        hits += one.lower <= truth <= one.upper
    assert hits >= least_hits(trials, 0.95)


def test_a_missed_mode_is_bounded():
    """A mode of the stated mass is missed by all samples with probability 5 %."""
    modes, _ = mode_coverage(np.zeros((100, 2)), [[0.0, 0.0], [9.0, 9.0]], 0.1)
    assert modes.estimate == 1
    mass = 1 - 0.05**0.01
    assert f"at most {mass:.2g} of its mass (95%)" in modes.encloses


def test_a_perfect_sampler_of_a_thousand_classes_scores_the_published_kl():
    """2 n KL is nearly chi-squared of 999 degrees: within its quantiles of a millionth."""
    from scipy.stats import chi2

    rng = np.random.default_rng(3)
    labels = rng.integers(0, 1000, STACKED_SAMPLES)
    modes, evenness = class_coverage(labels, 1000)
    assert modes.estimate == 1000
    low, high = chi2.ppf([RISK, 1 - RISK], 999) / (2 * STACKED_SAMPLES)
    assert low < evenness.estimate < high
    assert 0.95 * 0.019 < (low + high) / 2 < 1.05 * 0.0195
    frequencies = np.unique(labels, return_counts=True)[1] / STACKED_SAMPLES
    assert evenness.estimate == pytest.approx(
        sum(p * math.log(1000 * p) for p in frequencies), rel=1e-12
    )


def test_classes_that_are_missed_are_counted():
    labels = np.repeat([0, 3], 50)
    modes, evenness = class_coverage(labels, 8, real_labels=np.arange(80) % 8)
    assert (modes.estimate, modes.lower, modes.upper) == (2, 2, 8)
    assert evenness.estimate == pytest.approx(math.log(4), rel=1e-14)
    assert evenness.real == 0.0


def test_the_interval_of_evenness_encloses_the_mean():
    rng = np.random.default_rng(4)
    p = np.array([0.4, 0.3, 0.2, 0.1])
    found = [class_coverage(rng.choice(4, 100, p=p), 4)[1] for _ in range(200)]
    truth = np.mean([one.estimate for one in found])
    hits = sum(one.lower <= truth <= one.upper for one in found)
    assert hits >= least_hits(len(found), 0.95)


@pytest.mark.parametrize(
    ("labels", "classes", "complaint"),
    [
        (np.zeros(20), 4, "labels must be integers"),
        (np.full(20, 4), 4, "labels must be from 0 to 3; got labels from 4 to 4"),
        (np.zeros(3, int), 4, "hold at least 10 labels"),
        (np.zeros(20, int), 1, "classes must be an integer of at least 2"),
    ],
)
def test_labels_that_are_none_are_refused(labels, classes, complaint):
    with pytest.raises(ValueError, match=complaint):
        class_coverage(labels, classes)


def test_a_deviation_must_be_positive():
    with pytest.raises(ValueError, match="deviation must be positive"):
        mode_coverage(np.zeros((20, 2)), np.zeros((1, 2)), 0.0)


def test_an_upper_end_is_at_most_the_largest_value():
    """Two classes of a thousand, one of them once: nearly log 1000, and never more."""
    labels = np.zeros(40, dtype=int)
    labels[7] = 5
    _, evenness = class_coverage(labels, 1000)
    assert evenness.lower < evenness.estimate < evenness.upper <= math.log(1000)
