import itertools
import math

import numpy as np
import pytest
import torch

from wgan.metrics import coverage, density, precision, recall
from wgan.metrics.spread import extrapolated, jackknife

from .bounds import least_hits


def distance(a, b):
    return math.sqrt(sum((s - t) ** 2 for s, t in zip(a, b, strict=True)))


def radius(point, points, k):
    """Distance to the k-th nearest other point, by sorting."""
    return sorted(distance(points[point], q) for i, q in enumerate(points) if i != point)[k - 1]


def by_definition(x, y, k):
    """The four metrics from their definitions, pair by pair."""
    inside = [[distance(p, q) <= radius(i, x, k) for q in y] for i, p in enumerate(x)]
    around = [[distance(p, q) <= radius(j, y, k) for p in x] for j, q in enumerate(y)]
    n, m = len(x), len(y)
    return {
        precision: sum(any(inside[i][j] for i in range(n)) for j in range(m)) / m,
        recall: sum(any(around[j][i] for j in range(m)) for i in range(n)) / n,
        density: sum(inside[i][j] for i in range(n) for j in range(m)) / (k * m),
        coverage: sum(any(inside[i]) for i in range(n)) / n,
    }


@pytest.mark.parametrize(("n", "m", "d", "k"), [(12, 17, 2, 3), (25, 11, 3, 1), (30, 30, 1, 5)])
def test_values_are_those_of_the_definitions(n, m, d, k):
    rng = np.random.default_rng([n, m])
    x, y = rng.normal(size=(n, d)), 0.7 * rng.normal(size=(m, d)) + 0.5
    for function, value in by_definition(x.tolist(), y.tolist(), k).items():
        assert function(x, y, neighbours=k).estimate == pytest.approx(value, rel=1e-14)
        tensors = torch.from_numpy(x), torch.from_numpy(y)
        assert function(*tensors, neighbours=k).estimate == pytest.approx(value, rel=1e-14)


def test_the_published_numbers_of_neighbours_are_the_defaults():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    for function, k in ((precision, 3), (recall, 3), (density, 5), (coverage, 5)):
        assert function(x, y).estimate == by_definition(x.tolist(), y.tolist(), k)[function]


def test_repeated_points_lie_in_their_own_balls():
    """A generator that gives one training point again and again: far from the origin, exactly."""
    x = np.full((20, 3), 1e6) + np.arange(20)[:, None]
    y = np.repeat(x[:1], 20, axis=0)
    assert precision(x, y).estimate == 1.0
    assert recall(x, y).estimate == 1 / 20
    assert coverage(x, np.repeat(x[10:11], 20, axis=0), neighbours=1).estimate == 3 / 20


def test_density_and_coverage_of_one_law_have_their_closed_expectations():
    """1, and 1 - (n-1)...(n-k) / ((n+m-1)...(n+m-k)): means of 400 within five deviations."""
    rng = np.random.default_rng(4)
    n, m, k = 12, 15, 2
    values = {density: [], coverage: []}
    for _ in range(400):
        x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
        for function, found in values.items():
            found.append(function(x, y, neighbours=k).estimate)
    expected = 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    for function, truth in ((density, 1.0), (coverage, expected)):
        found = np.array(values[function])
        assert abs(found.mean() - truth) < 5 * found.std() / math.sqrt(len(found))


@pytest.mark.parametrize("function", [precision, recall, density, coverage])
@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_intervals_enclose_the_mean_over_samples(function, scale):
    rng = np.random.default_rng([5, int(10 * scale)])
    n, trials = 40, 120

    def draws():
        return rng.normal(size=(n, 2)), scale * rng.normal(size=(n, 2))

    found = [function(*draws()) for _ in range(trials)]
    truth = np.mean([one.estimate for one in found])  # its own error is a tenth of one's
    hits = sum(one.lower <= truth <= one.upper for one in found)
    assert hits >= least_hits(trials, 0.95)
    # by the jackknife, for so few samples: 4 deviations are needed
    deviation = np.std([one.estimate for one in found])
    assert np.median([one.upper - one.lower for one in found]) < 12 * deviation


def equal_laws(rng):
    return rng.normal(size=(110, 2)), rng.normal(size=(110, 2))


def uneven_modes(rng):
    """Whole groups of points are met, or not, together."""
    x, y = rng.integers(0, 9, 160), rng.binomial(4, 0.5, 100)
    return (
        np.stack([x, x**2], axis=1) + 0.02 * rng.normal(size=(160, 2)),
        np.stack([y, y**2], axis=1) + 0.05 * rng.normal(size=(100, 2)),
    )


@pytest.mark.parametrize(
    ("function", "laws", "widest"),
    [
        # the jackknife's are 3.4, 3.2, 3.5 and 1.7 times as wide as they would have to be
        (precision, equal_laws, 2.0),
        (recall, equal_laws, 2.0),
        (coverage, equal_laws, 2.2),
        (density, equal_laws, 1.5),
        *((function, uneven_modes, 2.0) for function in (precision, recall, density, coverage)),
    ],
)
def test_intervals_of_many_samples_enclose_the_mean_and_are_close(function, laws, widest):
    rng = np.random.default_rng(9)
    found = [function(*laws(rng)) for _ in range(80)]
    truth = np.mean([one.estimate for one in found])
    hits = sum(one.lower <= truth <= one.upper for one in found)
    assert hits >= least_hits(len(found), 0.95)
    assert "halves and quarters" in found[0].encloses
    ideal = 2 * 1.96 * np.std([one.estimate for one in found], ddof=1)
    assert np.median([one.upper - one.lower for one in found]) < widest * ideal


def test_the_variance_of_a_mean_is_found_from_its_parts():
    """Of n independent numbers: their variance over n; two of such samples, the sum."""
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=4000), 3 * rng.normal(size=2000)

    def difference(rows, columns):
        return x[rows].mean() - y[columns].mean()

    spread = extrapolated(difference, (4000, 2000), lambda _: 1.0)
    truth = 1 / 4000 + 9 / 2000
    assert spread.estimate == x.mean() - y.mean()
    # not below, but for the spread of 10 degrees of freedom and more; at most twice, if no fall
    assert 0.5 * truth < spread.variance < 2 * truth


def test_a_variance_that_does_not_fall_is_carried_on():
    """The largest of n exponential numbers has the variance pi^2/6, whatever n."""
    found = []
    for seed in range(300):
        x = np.random.default_rng([11, seed]).exponential(size=160)
        found.append(extrapolated(lambda rows, x=x: x[rows].max(), (160,), lambda _: 1.0).variance)
    assert 0.65 < np.mean(found) / (math.pi**2 / 6) < 1.2  # as a mean's it would come out at 0.5


def test_where_parts_show_nothing_the_jackknife_stays():
    def share(rows):
        return float(len(rows) < 400)

    assert extrapolated(share, (400,), lambda _: 1.0) == jackknife(share, (400,))


def test_an_interval_at_the_edge_has_a_width():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(50, 2))
    one = precision(x, x)
    assert (one.estimate, one.upper) == (1.0, 1.0)
    assert one.lower == pytest.approx(0.025 ** (1 / 50), rel=1e-12)  # Clopper and Pearson, 50/50
    nothing = precision(x, x + 100)
    assert nothing.lower == nothing.estimate == 0.0
    assert nothing.upper == pytest.approx(1 - 0.025 ** (1 / 50), rel=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "options", "complaint"),
    [
        (np.zeros((9, 2)), np.zeros((20, 2)), {}, "real must hold at least 10 points; got 9"),
        (np.zeros((20, 2)), np.zeros((20, 3)), {}, "equally many coordinates; got 2 in real"),
        (np.zeros((20, 2)), np.full((20, 2), np.nan), {}, "generated must be finite"),
        (None, np.zeros((20, 2)), {}, "real must be numbers of shape"),
        (np.zeros((20, 2)), None, {}, "generated must be numbers of shape"),
        (np.zeros((20, 2)), np.full((20, 2), 1e160), {}, "generated must have no entry above 1e"),
        (np.zeros((20, 2, 2)), np.zeros((20, 2)), {}, "real must be numbers of shape"),
        (np.zeros((20, 2)), np.zeros((20, 2)), {"neighbours": 18}, "neighbours must be below 18"),
        (np.zeros((20, 2)), np.zeros((20, 2)), {"neighbours": 0}, "integer of at least 1; got 0"),
        (np.zeros((20, 2)), np.zeros((20, 2)), {"level": 1.0}, "level must be a number strictly"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(x, y, options, complaint):
    for function in (precision, recall, density, coverage):
        with pytest.raises(ValueError, match=complaint):
            function(x, y, **options)


def test_shares_do_not_change_with_the_unit():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(60, 3)), rng.normal(0.3, size=(60, 3))
    for function, scale in itertools.product((precision, recall, density, coverage), (-600, 160)):
        assert function(np.ldexp(x, scale), np.ldexp(y, scale)) == function(x, y)


def test_ten_samples_are_enough():
    rng = np.random.default_rng(7)
    for function, n in itertools.product((precision, recall, density, coverage), (10, 11)):
        one = function(rng.normal(size=(n, 2)), rng.normal(size=(n, 2)))
        assert one.lower <= one.estimate <= one.upper
        assert one.samples == (n, n)


def test_few_real_samples_make_the_share_of_many_generated_ones_uncertain():
    """Fifteen balls decide about 300 samples: these are no 300 independent events."""
    rng = np.random.default_rng(8)
    found = [precision(rng.normal(size=(15, 2)), rng.normal(size=(300, 2))) for _ in range(60)]
    truth = np.mean([one.estimate for one in found])
    assert sum(one.lower <= truth <= one.upper for one in found) >= least_hits(60, 0.95)
