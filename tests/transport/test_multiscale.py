"""The multiscale simplex against brute force and POT, on data that is kind and data that is not."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from divergences import optimal_transport, wasserstein1
from divergences._metrics import Metric
from divergences.transport import SOLVERS, Clock, TimeLimitReached, _choose, _low_dimension
from divergences.transport import _multiscale as multiscale

METRICS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": np.inf, ("minkowski", 3.0): 3.0}


def matrix(x, y, order):
    if order == np.inf:
        return cdist(x, y, "chebyshev")
    return cdist(x, y, "minkowski", p=order)


def integers(rng, count, total):
    """Positive integers of this sum, spread over many orders of magnitude."""
    shares = rng.dirichlet(np.full(count, 0.3))
    mass = np.maximum(1, (shares * (total - count)).astype(np.int64))
    mass[mass.argmax()] += total - mass.sum()
    return mass


def check(x, y, supply, demand, order, *, shared=True):
    """Marginals to the unit, and optimality by a dual that brute force makes feasible."""
    flow, potential, at_x, at_y = multiscale.solve(
        x, y, supply, demand, order, Clock(), shared=shared, tell=lambda flow, guess: None
    )
    assert (flow.mass > 0).all()
    # Sums of integers, not of floats: weights of bincount would round masses beyond 2^53.
    for index, marginal in ((flow.source, supply), (flow.target, demand)):
        sums = np.zeros_like(marginal)
        np.add.at(sums, index, flow.mass)
        np.testing.assert_array_equal(sums, marginal)
    cost = matrix(x, y, order)
    primal = float(flow.mass @ cost[flow.source, flow.target])
    f, g = potential(x, order), potential(y, order)
    np.testing.assert_allclose(at_x, f, rtol=0, atol=1e-15)
    np.testing.assert_allclose(at_y, g, rtol=0, atol=1e-15 if shared else 5e-15)
    # What the certificate asks of a pair whose ends are of one law each: the potential at x rests
    # on that at y, to the rounding of the pair's own length.
    assert (at_x[:, None] - at_y - cost).max() <= 1e-15 * max(1.0, cost.max())
    assert (f[:, None] - g - cost).max() <= 2e-15 * max(1.0, cost.max())
    dual = float(supply @ f - demand @ g)
    total = float(supply.sum())
    assert abs(primal - dual) <= 1e-12 * primal + 2e-14 * total * max(1.0, cost.max())
    return flow, primal / total


def ones(count):
    return np.ones(count, dtype=np.int64)


@pytest.mark.parametrize("order", METRICS.values())
@pytest.mark.parametrize("dimension", [1, 2, 3, 8])
def test_optimal_in_every_norm_and_dimension(order, dimension):
    rng = np.random.default_rng(dimension)
    for n, m in ((1, 1), (1, 50), (7, 3), (130, 130), (300, 170)):
        x, y = rng.random((n, dimension)), rng.random((m, dimension)) * 0.8 + 0.1
        masses = integers(rng, n, 2**62), integers(rng, m, 2**62)
        for shared in (False, True):
            check(x, y, *masses, order, shared=shared)


def degenerate(kind, rng):
    """Clouds in a box of size about 1 on which many plans or many bases are optimal."""
    n = 400
    line = np.linspace(0, 1, n)
    grid = np.stack(np.meshgrid(np.arange(20), np.arange(20)), axis=-1).reshape(-1, 2) / 20
    return {
        "all equal": (np.full((n, 2), 0.25), np.full((n, 2), 0.25)),
        "two points": (np.zeros((n, 2)), np.ones((n, 2))),
        "collinear": (np.outer(line, [0.6, 0.8]), np.outer(rng.permutation(line) ** 2, [0.6, 0.8])),
        "lattice": (grid, grid[:, ::-1] + np.array([0.5, 0.0])),
        "lattice moved by one": (grid, grid + 0.05),
        "duplicates": (grid[rng.integers(0, 40, n)], grid[rng.integers(0, 40, n)]),
        "same cloud shuffled": (grid, rng.permutation(grid)),
        "far clusters": tuple(
            rng.integers(0, 2, (n, 1)) + 1e-6 * rng.random((n, 2)) for _ in range(2)
        ),
        "circle and centre": (
            np.stack([np.cos(7 * line), np.sin(7 * line)], axis=-1), np.zeros((n, 2)),
        ),
        "parallel lines": (np.stack([0 * line, line], -1), np.stack([0 * line + 0.1, line], -1)),
    }[kind]  # fmt: skip


KINDS = [
    "all equal", "two points", "collinear", "lattice", "lattice moved by one", "duplicates",
    "same cloud shuffled", "far clusters", "circle and centre", "parallel lines",
]  # fmt: skip


@pytest.mark.parametrize("order", [2.0, 1.0, np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_geometry_neither_cycles_nor_misses(kind, order):
    x, y = degenerate(kind, np.random.default_rng(0))
    check(x, y, ones(len(x)), ones(len(y)), order)


@pytest.mark.parametrize("shape", ["plane", "shifted", "curve"])
def test_problems_of_several_levels(shape):
    rng = np.random.default_rng(5)
    n, m = 1500, 1100
    x, y = rng.random((n, 2)), rng.random((m, 2))
    if shape == "shifted":
        y = 0.3 * y + np.array([0.9, 0.4])
    elif shape == "curve":
        y = np.stack([np.sin(3 * y[:, 0]), np.cos(5 * y[:, 0])], axis=-1) / 2
    _, value = check(x, y, ones(n) * m, ones(m) * n, 2.0)
    assert value == pytest.approx(wasserstein1(x, y, solver="simplex"), rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_public_result_is_that_of_the_dense_simplex(metric, weighted):
    rng = np.random.default_rng(3)
    for n, m, d in ((1, 40, 2), (60, 90, 3), (200, 30, 2), (33, 33, 5)):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.3
        weights = (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m) * 0.1)) if weighted else ()
        result = optimal_transport(x, y, *weights, metric=metric, solver="multiscale")
        result.verify()
        dense = wasserstein1(x, y, *weights, metric=metric, solver="simplex")
        assert result.value == pytest.approx(dense, rel=1e-12)
        np.testing.assert_allclose(result.critic(x), result.potential_x, atol=1e-13)
        np.testing.assert_allclose(result.critic(y), -result.potential_y, atol=1e-13)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock"])
def test_one_potential_at_points_that_both_laws_have(metric):
    """Where a point sends in one place and receives in another, and some masses are tiny."""
    rng = np.random.default_rng(11)
    x = np.stack(np.unravel_index(np.arange(900), (30, 30)), axis=1).astype(float)
    weights = rng.dirichlet(np.full(900, 0.05)), rng.dirichlet(np.full(900, 0.5))
    weights = [np.where(w < 1e-300, 0.0, w) for w in weights]
    y = x[rng.permutation(900)] + [3.0, 1.0]
    weights = [w / w.sum() for w in weights]
    result = optimal_transport(x, y, *weights, metric=metric, solver="multiscale")
    result.verify()
    dense = wasserstein1(x, y, *weights, metric=metric, solver="simplex")
    assert result.value == pytest.approx(dense, rel=1e-12)


@pytest.mark.parametrize("light", [1e-17, 1e-25, 5e-324])
def test_the_lightest_atoms_are_served_too(light):
    rng = np.random.default_rng(4)
    x, y = rng.random((40, 2)), rng.random((50, 2))
    weights = np.full(40, light)
    weights[3] = 1.0
    result = optimal_transport(x, y, weights / weights.sum(), solver="multiscale")
    result.verify()
    assert np.diff(result.plan.indptr).min() >= 1


@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_scale_and_offset(offset, scale):
    rng = np.random.default_rng(6)
    x, y = rng.random((80, 2)) + offset, rng.random((60, 2)) + offset
    x, y = x * scale, y * scale
    result = optimal_transport(x, y, solver="multiscale")
    result.verify()
    assert result.value == pytest.approx(wasserstein1(x, y, solver="simplex"), rel=1e-12)


def test_the_same_bits_every_time():
    rng = np.random.default_rng(7)
    x, y = rng.random((500, 3)), rng.random((400, 3))
    first, second = (optimal_transport(x, y, solver="multiscale") for _ in range(2))
    assert first.value == second.value
    np.testing.assert_array_equal(first.potential_x, second.potential_x)
    np.testing.assert_array_equal(first.plan.toarray(), second.plan.toarray())


def test_a_time_limit_gives_a_bracket():
    rng = np.random.default_rng(8)
    x, y = rng.random((700, 2)), rng.random((700, 2)) + 0.2
    exact = wasserstein1(x, y, solver="multiscale")
    with pytest.raises(TimeLimitReached) as caught:
        optimal_transport(x, y, solver="multiscale", time_limit=1e-6)
    bracket = caught.value.bracket
    assert bracket.lower <= exact * (1 + 1e-12)
    assert bracket.upper >= exact * (1 - 1e-12)


def test_a_coarse_level_already_brackets_well(monkeypatch):
    """The time ends in the last level: its guide is the potential of the one before."""
    rng = np.random.default_rng(9)
    x, y = rng.random((700, 2)), rng.random((700, 2)) + 0.2
    asked, allowed = [], np.inf

    def allows(_clock, _seconds):
        asked.append(1)
        return len(asked) < allowed

    monkeypatch.setattr(Clock, "allows", allows)
    exact = wasserstein1(x, y, solver="multiscale")
    allowed = len(asked)
    asked.clear()
    with pytest.raises(TimeLimitReached) as caught:
        optimal_transport(x, y, solver="multiscale", time_limit=1e9)
    bracket = caught.value.bracket
    assert 0.9 * exact < bracket.lower <= exact <= bracket.upper < 1.1 * exact


def test_the_time_limit_holds_for_the_answer_too(monkeypatch):
    """A level that would end in time is not begun if its potential's values would be late."""
    rng = np.random.default_rng(10)
    x, y = rng.random((700, 2)), rng.random((700, 2)) + 0.2
    phases, clock = [], Clock(1e9)
    monkeypatch.setattr(clock, "announce", phases.append)
    monkeypatch.setattr(multiscale.Potential, "seconds", lambda *_: 1e8)
    exact = _choose.solve_points(x, y, None, None, Metric("euclidean"), "multiscale", clock).value
    assert clock.reserve == 0
    levels = sum("sources" in phase for phase in phases)
    phases.clear()
    monkeypatch.setattr(multiscale.Potential, "seconds", lambda *_: 1e9)
    with pytest.raises(TimeLimitReached) as caught:
        _choose.solve_points(x, y, None, None, Metric("euclidean"), "multiscale", clock)
    assert clock.reserve == 0
    assert sum("sources" in phase for phase in phases) == 2 < levels
    bracket = caught.value.bracket
    assert 0.5 * exact < bracket.lower <= exact <= bracket.upper < 1.5 * exact


def test_late_answers_rest_on_coarser_potentials(monkeypatch):
    """The finest whose values do not take too long; the coarsest is taken anyway."""
    points = np.random.default_rng(11).random((50, 2))
    tree = multiscale.build(points[:9].copy())
    potentials = [multiscale.Potential(tree, np.full(9, float(k))) for k in range(4)]
    monkeypatch.setattr(
        multiscale.Potential, "seconds", lambda potential, *_: 2 * potential.heights[0] + 1
    )
    nearest = matrix(points, tree.points, 2.0).min(axis=1)
    for seconds, chosen in ((10, 3), (7, 3), (6.9, 2), (4, 1), (0, 0), (-1, 0)):
        heights = _low_dimension._heights(potentials, points, 2.0, seconds)
        np.testing.assert_allclose(heights, nearest + chosen, rtol=1e-14)
    np.testing.assert_array_equal(_low_dimension._heights([], points, 2.0, 1.0), np.zeros(50))


@pytest.mark.parametrize(
    ("count", "dimension", "larger"),
    [
        (599, 2, None), (600, 2, []), (20_000, 2, []), (20_001, 2, [1200, 4800]),
        (2400, 3, [1200]), (50_000, 5, [1200, 4800, 19_200]),
        (1_000_000, 2, [1200, 4800, 19_200]),
    ],
)  # fmt: skip
def test_larger_parts_follow_in_space_and_beyond_the_caches(count, dimension, larger):
    small = [] if larger is None else [(300, 3)] * 3
    larger = [(size, 1) for size in larger or []]
    assert multiscale._sweeps(count, dimension) == small + larger


@pytest.mark.parametrize("uncached", [20_000, 2_000])
def test_sweeps_keep_the_masses(monkeypatch, uncached):
    """With larger parts, of which each is a simplex with outdated potentials, too."""
    monkeypatch.setattr(multiscale, "_UNCACHED", uncached)
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=(4100, 2)), 1.5 * rng.normal(size=(4000, 2)) + 1
    swept, sweep = [], multiscale.sweep

    def watched(*arguments):
        better, near = sweep(*arguments)
        swept.append((arguments[6], arguments[9], better.mass.sum() - arguments[3].mass.sum()))
        return better, near

    monkeypatch.setattr(multiscale, "sweep", watched)
    weights = rng.dirichlet(np.ones(4100))
    optimal_transport(x, y, x_weights=weights, solver="multiscale").verify()
    last = [(16, 3, 0)] * 3
    if uncached < 4000:
        last.append((4, 1, 0))
    assert swept[-len(last) :] == last


def test_how_near_arcs_must_come_to_be_listed():
    """As near as the fifth of their source's list, between two limits."""
    rng = np.random.default_rng(11)
    filled = np.array([0, 4, 5, 8, 8], dtype=np.int32)
    sinks = np.tile(np.arange(8, dtype=np.int32), (5, 1))
    reduced = rng.random((5, 8))
    reduced[3] *= 1e-9
    heights = rng.integers(0, 1 << 40, 13)
    costs = np.rint(reduced * 2.0**54).astype(np.int64) + heights[:5, None] - heights[5:]
    found = multiscale.reach(sinks, costs, filled, heights, 5, 1e-6, 0.5)
    fifth = np.sort(reduced[2, :5])[4], np.sort(reduced[4])[4]
    expected = [1e-6, 1e-6, min(fifth[0], 0.5), 1e-6, min(fifth[1], 0.5)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_in_tight_clusters_not_every_pair_comes_near(monkeypatch):
    """Else pricing looks at all pairs: twice the time at 6,000 points, and quadratic beyond."""
    rng = np.random.default_rng(12)
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    x, y = (places[rng.integers(0, 3, 900)] + 1e-7 * rng.normal(size=(900, 2)) for _ in "xy")
    rooms, reach = [], multiscale.reach

    def watched(*arguments):
        rooms.append(reach(*arguments))
        return rooms[-1]

    monkeypatch.setattr(multiscale, "reach", watched)
    optimal_transport(x, y, solver="multiscale").verify()
    assert np.quantile(rooms[-1], 0.95) < 1e-7
    rooms.clear()
    optimal_transport(rng.random((900, 2)), rng.random((900, 2)), solver="multiscale")
    assert np.median(rooms[-1]) == multiscale._NEAR


def test_the_choice():
    metric = _choose.Metric("euclidean")
    assert _choose.choose(metric, 2, n=10**4, m=10**4) == "multiscale"
    assert _choose.choose(metric, 2, n=300, m=333) == "simplex"
    assert _choose.choose(metric, 3, n=10**3, m=10**3) == "multiscale"
    assert _choose.choose(metric, 4, n=10**3, m=10**3) == "multiscale"
    assert _choose.choose(metric, 5, n=10**4, m=10**4) == "multiscale"
    assert _choose.choose(metric, 6, n=10**4, m=10**5) == "dense"
    rng = np.random.default_rng(0)
    curve = np.cos(rng.random((2000, 1)) * np.arange(1, 21))
    clusters = 0.01 * rng.normal(size=(2000, 20)) + rng.integers(0, 4, (2000, 1))
    for atoms, dimension, solver in (
        (curve, 8, "multiscale"), (curve, 16, "multiscale"), (curve, 20, "dense"),
        (clusters, 8, "multiscale"), (rng.normal(size=(2000, 20)), 6, "dense"),
        (rng.normal(size=(2000, 20)), 16, "dense"),
    ):  # fmt: skip
        options = {"n": 1000, "m": 1000, "atoms": atoms[:, :dimension]}
        assert _choose.choose(metric, dimension, **options) == solver
    spread, few = rng.normal(size=(2000, 5)), {"n": 1000, "m": 1000, "alike": True}
    for atoms, dimension, solver in (
        (spread, 3, "multiscale"), (spread, 4, "dense"), (spread, 5, "dense"),
        (curve, 4, "multiscale"), (clusters, 5, "multiscale"),
    ):  # fmt: skip
        assert _choose.choose(metric, dimension, atoms=atoms[:, :dimension], **few) == solver
    assert _choose.choose(metric, 4, n=4000, m=4000, alike=True) == "multiscale"
    assert _choose.choose(_choose.Metric("cityblock", 1.0), 4, **few) == "multiscale"
    assert _choose.choose(metric, 1, n=10**3, m=10**3) == "line"
    assert _choose.choose(_choose.Metric("angular"), 2, n=10**4, m=10**5) == "dense"
    assert "multiscale" in SOLVERS


def test_the_dimensions_that_points_fill():
    rng, metric = np.random.default_rng(0), _choose.Metric("euclidean")
    turned = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    for dimension, low, high in ((1, 0.7, 1.3), (2, 1.7, 2.3), (3, 2.5, 3.3), (6, 4.5, 6.5)):
        points = rng.normal(size=(3000, dimension)) @ turned[:dimension]
        assert low < _low_dimension.filled(points, metric) < high
        assert _low_dimension.filled(1e-200 * points, metric) == pytest.approx(
            _low_dimension.filled(points, metric), rel=1e-9
        )


def test_a_metric_that_is_no_norm_is_refused():
    x = np.eye(3)
    with pytest.raises(
        ValueError, match="solver must be 'dense' or 'simplex' unless the metric is a norm"
    ):
        wasserstein1(x, x, metric="angular", solver="multiscale")
