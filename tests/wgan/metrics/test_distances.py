import itertools
import math

import numpy as np
import pytest

from wgan.metrics import critic_gap, kid, sliced_wasserstein1, wasserstein1, wasserstein1_gap

from .bounds import least_hits


def kid_by_pairs(x, y):
    """The unbiased estimate, pair by pair."""

    def kernel(a, b):
        return (sum(s * t for s, t in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    within = [
        sum(kernel(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j)
        / (len(s) * (len(s) - 1))
        for s in (x, y)
    ]
    return sum(within) - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def test_kid_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(12, 3)), rng.normal(size=(15, 3)) + 1, rng.normal(size=(11, 3))
    one = kid(x, y, z)
    assert one.estimate == pytest.approx(kid_by_pairs(x.tolist(), y.tolist()), rel=1e-12)
    assert one.real == pytest.approx(kid_by_pairs(x.tolist(), z.tolist()), rel=1e-10)


def moments(mean):
    """First three moments of N(mean, 1)."""
    return np.array([mean, mean**2 + 1, mean**3 + 3 * mean])


def test_kid_is_unbiased():
    """On the line the truth is sum_r C(3, r) (m_r - m'_r)^2 of the moments m, m'."""
    rng = np.random.default_rng(1)
    truth = float(np.dot([3, 3, 1], (moments(0.0) - moments(0.5)) ** 2))
    found = np.array(
        [kid(rng.normal(size=20), rng.normal(0.5, size=20)).estimate for _ in range(300)]
    )
    assert abs(found.mean() - truth) < 5 * found.std() / math.sqrt(len(found))


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_intervals_of_kid_enclose_the_truth(shift):
    """Also where the laws are equal, and the estimate is a degenerate U-statistic."""
    rng, n, trials = np.random.default_rng(2), 50, 200
    truth = float(np.dot([3, 3, 1], (moments(0.0) - moments(shift)) ** 2))
    found = [kid(rng.normal(size=n), rng.normal(shift, size=n)) for _ in range(trials)]
    hits = sum(one.lower <= truth <= one.upper for one in found)
    assert hits >= least_hits(trials, 0.95)


def test_kid_on_fifty_images_shows_that_it_knows_little():
    """Its interval cannot tell a shift of a fifth of a deviation from none; that of 1,000 can."""
    rng = np.random.default_rng(3)
    few, many = (kid(rng.normal(size=(n, 8)), rng.normal(0.2, size=(n, 8))) for n in (50, 1000))
    assert few.lower < 0 < few.upper
    assert many.lower > 0
    assert few.upper - few.lower > 2 * (many.upper - many.lower)
    assert few.samples == (50, 50)


def test_sliced_distance_on_the_line_is_the_area_between_the_sorted_samples():
    rng = np.random.default_rng(4)
    x, y, z = rng.normal(size=30), rng.normal(1, 2, size=30), rng.normal(size=30)
    one = sliced_wasserstein1(x, y, z, projections=3)
    assert one.estimate == pytest.approx(np.abs(np.sort(x) - np.sort(y)).mean(), rel=1e-12)
    assert one.real == pytest.approx(np.abs(np.sort(x) - np.sort(z)).mean(), rel=1e-12)


def test_sliced_distance_of_a_shift_is_the_mean_of_its_projections():
    """For one sample moved by s: the mean of |<theta, s>|, 2 |s| / pi in the plane."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 2))
    one = sliced_wasserstein1(x, x + np.array([3.0, 4.0]), projections=20_000)
    deviation = 5 * math.sqrt(0.5 - (2 / math.pi) ** 2)
    assert abs(one.estimate - 10 / math.pi) < 5 * deviation / math.sqrt(20_000)


def test_intervals_of_the_sliced_distance_enclose_its_mean():
    rng = np.random.default_rng(6)
    found = [
        sliced_wasserstein1(rng.normal(size=(40, 2)), 2 * rng.normal(size=(40, 2)), projections=16)
        for _ in range(120)
    ]
    truth = np.mean([one.estimate for one in found])
    assert sum(one.lower <= truth <= one.upper for one in found) >= least_hits(120, 0.95)


def by_matching(x, y):
    """The exact distance of as many points, over all matchings."""
    return min(
        sum(math.dist(x[i], y[j]) for i, j in enumerate(match)) / len(x)
        for match in itertools.permutations(range(len(x)))
    )


def test_wasserstein1_is_exact_with_a_floor():
    rng = np.random.default_rng(7)
    x, y, z = (rng.normal(size=(6, 2)) for _ in range(3))
    one = wasserstein1(x, y + 1, z)
    assert one.estimate == pytest.approx(by_matching(x, y + 1), rel=1e-12)
    assert one.real == pytest.approx(by_matching(x, z), rel=1e-12)
    assert one.upper == math.inf
    assert one.to_json()["upper"] is None
    assert wasserstein1(x, y + 1, diameter=100.0).upper < math.inf


def test_the_interval_of_wasserstein1_encloses_that_of_the_laws():
    rng = np.random.default_rng(8)
    trials, hits = 40, 0
    for _ in range(trials):
        x, y = rng.uniform(size=(40, 2)), rng.uniform(size=(40, 2))
        one = wasserstein1(x, y + np.array([0.6, 0.8]), diameter=math.hypot(1.6, 1.8))
        hits += one.lower <= 1 <= one.upper  # a shift of length 1
    assert hits >= least_hits(trials, 0.95)


def test_a_generator_that_repeats_its_training_data_has_a_gap():
    rng = np.random.default_rng(9)
    x, training = rng.normal(size=(60, 4)), rng.normal(size=(60, 4))
    memory = wasserstein1_gap(x, training, training[rng.integers(0, 60, 60)])
    assert memory.lower > 0
    honest = wasserstein1_gap(x, training, rng.normal(size=(60, 4)))
    assert honest.lower < 0 < honest.upper
    few = wasserstein1_gap(x[:10, :1], training[:10, :1], x[:10, :1])
    assert few.estimate == pytest.approx(
        -np.abs(np.sort(training[:10, 0]) - np.sort(x[:10, 0])).mean(), rel=1e-12
    )


def test_the_gap_of_an_honest_generator_is_0_on_average():
    rng = np.random.default_rng(10)
    found = [wasserstein1_gap(*(rng.normal(size=(20, 2)) for _ in range(3))) for _ in range(60)]
    assert sum(one.lower <= 0 <= one.upper for one in found) >= least_hits(60, 0.95)


def test_distances_of_unequal_numbers_are_not_compared():
    with pytest.raises(ValueError, match=r"equally many points.*got 20 and 30"):
        wasserstein1_gap(np.zeros((20, 1)), np.zeros((30, 1)), np.zeros((20, 1)))


def test_the_gap_of_a_critic_is_the_difference_of_its_objectives():
    rng = np.random.default_rng(11)
    held_out, training, generated = rng.normal(size=30), rng.normal(2, size=40), rng.normal(size=50)
    one = critic_gap(lambda x, y: x.mean() - y.mean(), held_out, training, generated)
    assert one.estimate == pytest.approx(training.mean() - held_out.mean(), rel=1e-12)
    # with means alone the jackknife is Student's interval, up to the fineness of its groups
    half = 2 * math.sqrt(held_out.var() / 30 + training.var() / 40)
    assert (one.upper - one.lower) / 2 == pytest.approx(half, rel=0.4)


def test_what_is_not_one_value_a_row_has_no_gap():
    values = np.zeros((20, 1))
    with pytest.raises(ValueError, match=r"training must hold one value of the critic a row; got"):
        critic_gap(lambda x, y: 0.0, values, np.zeros((20, 2)), values)


def test_a_discrepancy_that_overflows_is_refused():
    x = np.full((20, 2), 1e45)
    with pytest.raises(ValueError, match="inner products whose power 4 is a finite number"):
        kid(x, x, degree=4)


def test_the_directions_of_a_sliced_distance_are_said_to_be_given():
    x = np.random.default_rng(12).normal(size=(20, 3))
    one = sliced_wasserstein1(x, x + 1, projections=17)
    assert one.encloses.endswith("these 17 directions are taken as given")


@pytest.mark.parametrize("function", [kid, sliced_wasserstein1])
def test_few_samples_are_refused(function):
    with pytest.raises(ValueError, match="real must hold at least 10 points; got 9"):
        function(np.zeros((9, 2)), np.zeros((20, 2)))
    with pytest.raises(ValueError, match="coordinates; got 2 in real, 3 in generated"):
        function(np.zeros((10, 2)), np.zeros((20, 3)))


def test_rows_of_unequal_lengths_are_refused_with_function_and_parameter():
    with pytest.raises(ValueError, match="kid: generated must be numbers of shape"):
        kid(np.zeros((20, 2)), [[1.0, 2.0], [3.0]])
