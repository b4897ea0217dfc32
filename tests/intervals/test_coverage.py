"""Every interval encloses the truth as often as it says, over many laws; bounds are not empty."""

import math

import numpy as np
import pytest

from divergences.intervals import (
    compare_samples,
    js_interval,
    kl_interval,
    total_variation_interval,
    wasserstein1_interval,
)
from divergences.testing import laws as house_laws

from .laws import PAIRS, VALUES, fewest_hits

FUNCTIONS = {
    "total_variation": total_variation_interval,
    "js": js_interval,
    "kl": kl_interval,
    "wasserstein1": wasserstein1_interval,
}
CASES = [(pair, name) for pair, (_, _, truths) in PAIRS.items() for name in truths]
LEVEL = 0.7  # low, so that an interval that is too short is noticed


def covered(function, pair, truth, trials, sizes=(48, 40), **options):
    first, second, _ = PAIRS[pair]
    hits = 0
    for seed in range(trials):
        g = np.random.default_rng(seed)
        interval = function(first(g, sizes[0]), second(g, sizes[1]), level=LEVEL, **options)
        hits += interval.lower <= truth * (1 + 1e-12) and truth <= interval.upper * (1 + 1e-12)
    return hits


@pytest.mark.parametrize(("pair", "name"), CASES)
def test_it_covers(pair, name):
    trials = 30
    truth = PAIRS[pair][2][name]
    options = {}
    if name == "wasserstein1" and pair in ("parallel lines", "equal squares"):
        options["diameter"] = math.sqrt(2)
    if name == "wasserstein1" and pair in ("uniform", "discrete", "singular on the line"):
        options["support"] = {"uniform": (0.0, 1.2), "discrete": (0.0, 4.0)}.get(pair, (0.0, 1.0))
    assert covered(FUNCTIONS[name], pair, truth, trials, **options) >= fewest_hits(trials, LEVEL)


@pytest.mark.long
@pytest.mark.parametrize(("pair", "name"), CASES)
def test_it_covers_in_many_repetitions(pair, name):
    truth, trials = PAIRS[pair][2][name], 400
    hits = covered(FUNCTIONS[name], pair, truth, trials, sizes=(150, 120))
    assert hits >= fewest_hits(trials, LEVEL)


@pytest.mark.parametrize("name", ["total_variation", "js", "kl"])
def test_it_covers_on_a_declared_support(name):
    truth, trials = PAIRS["discrete"][2][name], 40
    hits = covered(FUNCTIONS[name], "discrete", truth, trials, sizes=(300, 250), support=VALUES)
    assert hits >= fewest_hits(trials, LEVEL)


def test_all_five_cover_together():
    first, second, truths = PAIRS["discrete"]
    trials, hits = 15, 0
    for seed in range(trials):
        g = np.random.default_rng(seed)
        found = compare_samples(first(g, 100), second(g, 150), level=LEVEL, support=VALUES)
        hits += all(truths[name] in getattr(found, name) for name in ("total_variation", "js"))
        hits -= truths["kl"] not in found.kl_pq or truths["wasserstein1"] not in found.wasserstein1
    assert hits >= fewest_hits(trials, LEVEL)


@pytest.mark.parametrize("name", ["total_variation", "js", "wasserstein1"])
def test_the_laws_of_intervals_hold(name):
    full = {"js": "js_divergence"}.get(name, name)
    report = house_laws.check(FUNCTIONS[name], kind="interval", reference=full, max_examples=20)
    assert report.ok, report


@pytest.mark.parametrize(
    ("pair", "name", "share"),
    [
        ("shifted normals", "total_variation", 0.7),
        ("shifted normals", "js", 0.35),
        ("shifted normals", "kl", 0.33),
        ("shifted normals", "wasserstein1", 0.8),
        ("heavy tails apart", "wasserstein1", 0.3),
        ("singular on the line", "total_variation", 0.97),
        ("parallel lines", "js", 0.9),
        ("parallel lines", "wasserstein1", 0.9),
        ("discrete", "total_variation", 0.6),
    ],
)
def test_lower_bounds_are_not_empty(pair, name, share):
    first, second, truths = PAIRS[pair]
    g = np.random.default_rng(0)
    interval = FUNCTIONS[name](first(g, 1000), second(g, 1000))
    assert share * truths[name] < interval.lower <= truths[name]


def test_in_many_coordinates_a_shift_and_a_scale_are_seen():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(190, 30)), g.normal(size=(190, 30))
    shifted = y + np.eye(30)[0] * 4.0
    assert 2.8 < wasserstein1_interval(x, shifted).lower < 4.0
    assert 0.7 < total_variation_interval(x, shifted).lower < 0.955
    # W1 of N(0, I) and N(0, 4 I) is E |Z|, about sqrt(30 - 1/2)
    assert 4.5 < wasserstein1_interval(x, 2.0 * y).lower < 5.44


def test_the_band_beats_one_of_constant_width():
    g = np.random.default_rng(3)
    x, y = g.beta(2.0, 8.0, 200), g.beta(3.0, 6.0, 200)
    interval = wasserstein1_interval(x, y, support=(0.0, 1.0))
    radius = math.sqrt(math.log(4 / 0.05) / 400)
    places = np.unique(np.concatenate([x, y, [0.0, 1.0]]))
    shares = [np.searchsorted(np.sort(s), places[:-1], side="right") / 200 for s in (x, y)]
    gaps, steps = np.abs(shares[0] - shares[1]), np.diff(places)
    ceilings = [np.minimum(share + radius, 1.0) for share in shares]
    floors = [np.maximum(share - radius, 0.0) for share in shares]
    most = np.maximum(ceilings[0] - floors[1], ceilings[1] - floors[0])
    assert interval.upper < np.dot(most, steps)
    assert interval.lower > np.dot(np.maximum(gaps - 2 * radius, 0.0), steps)
