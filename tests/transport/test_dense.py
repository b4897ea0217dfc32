"""The dense solver and its parts against brute force, POT's simplex and SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from divergences import optimal_transport, wasserstein1
from divergences._metrics import Metric
from divergences.transport import (
    TimeLimitReached,
    _common_mass,
    _dense,
    _dense_problem,
    _network_simplex,
    choose,
)
from divergences.transport._auction import auction, greedy, leaves_first
from divergences.transport._dense_bounds import centred, lower_bounds
from divergences.transport._dense_pricing import price, proposals
from divergences.transport._dense_problem import Guide, MatrixCosts, PointCosts, shrink
from divergences.transport._network_simplex import run

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), ("minkowski", 1.5), "angular"]


def diameter(x, y):
    z = np.concatenate([x, y])
    return float(cdist(z, z, "chebyshev").max()) * z.shape[1]


def check(x, y, a=None, b=None, metric="euclidean"):
    """The result holds by itself and has the value of the other solver."""
    result = optimal_transport(x, y, a, b, metric=metric, solver="dense")
    result.verify()
    reference = wasserstein1(x, y, a, b, metric=metric, solver="simplex")
    size = 4.0 if metric == "angular" else diameter(x, y)
    assert abs(result.value - reference) <= 1e-12 * reference + 1e-13 * size
    return result


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_value_is_that_of_the_simplex(metric, weighted):
    rng = np.random.default_rng(3)
    for n, m, d in ((1, 40, 2), (40, 1, 3), (2, 2, 1), (60, 90, 3), (200, 130, 30), (67, 67, 401)):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.3
        weights = (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m) * 0.1)) if weighted else ()
        check(x, y, *weights, metric=metric)


def test_a_callable_metric():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(70, 3))
    result = optimal_transport(x, y, metric=lambda p, q: cdist(p, q, "cityblock"), solver="dense")
    result.verify()
    assert result.value == pytest.approx(wasserstein1(x, y, metric="cityblock"), rel=1e-13)


@pytest.mark.long
def test_a_callable_metric_above_the_default_threshold():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(800, 3)), rng.normal(size=(700, 3))
    result = optimal_transport(x, y, metric=cdist)
    result.verify()
    assert result.value == pytest.approx(wasserstein1(x, y, solver="simplex"), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("offset", [0.0, -7.0])
def test_cost_matrices_of_any_sign_and_scale(scale, offset):
    rng = np.random.default_rng(5)
    for n, m in ((40, 40), (30, 55), (1, 7), (150, 100)):
        cost = (rng.normal(size=(n, m)) + offset) * scale
        a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
        for weights in ({}, {"x_weights": a, "y_weights": b}):
            found = optimal_transport(cost=cost, solver="dense", **weights)
            found.verify()
            reference = optimal_transport(cost=cost, solver="simplex", **weights)
            assert abs(found.value - reference.value) <= 1e-13 * np.abs(cost).max()


@pytest.mark.parametrize("n", [60, 400])
def test_potentials_that_spread_over_many_times_the_costs(n):
    """A chain: the optimal dual climbs one step of the largest cost a row."""
    cost = np.full((n, n), 1.0)
    index = np.arange(n)
    cost[index, index] = 0.5
    cost[index[1:], index[:-1]] = 0.0
    cost[index[:-1], index[1:]] = 1.0
    cost[0, n - 1] = 1.0
    for matrix in (cost, -cost, cost.T, np.tril(cost), -np.tril(cost)):
        rows, columns = linear_sum_assignment(matrix)
        found = optimal_transport(cost=matrix, solver="dense")
        found.verify()
        assert found.value == pytest.approx(matrix[rows, columns].mean(), abs=1e-13)


@pytest.mark.parametrize("cost", [np.zeros((4, 6)), np.full((5, 5), -2.5)])
def test_equal_costs(cost):
    found = optimal_transport(cost=cost, solver="dense")
    found.verify()
    assert found.value == cost[0, 0]


def clouds(draw):
    """Clouds that tie, coincide, lie on a line or in far clusters."""
    n, m, d = draw(st.integers(1, 30)), draw(st.integers(1, 30)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = ["lattice", "duplicates", "line", "clusters", "normal", "wide", "equal"]
    kind = draw(st.sampled_from(kinds))
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    if kind == "lattice":
        x, y = rng.integers(0, 3, (n, d)) * 1.0, rng.integers(0, 3, (m, d)) * 1.0
    elif kind == "duplicates":
        x, y = x[rng.integers(0, min(n, 3), n)], np.concatenate([x, y])[rng.integers(0, n + m, m)]
    elif kind == "line":
        x, y = np.outer(x[:, 0], np.ones(d)), np.outer(y[:, 0], np.ones(d))
    elif kind == "clusters":
        x, y = x + 1e6 * rng.integers(0, 2, (n, 1)), y + 1e6 * rng.integers(0, 2, (m, 1))
    elif kind == "wide":
        x, y = x * 10 ** rng.uniform(-8, 8, (n, 1)), y * 10 ** rng.uniform(-8, 8, (m, 1))
    elif kind == "equal":
        x, y = np.zeros((n, d)), np.zeros((m, d))
    scale = draw(st.sampled_from([1.0, 1.0, 1e-150, 1e150]))
    offset = draw(st.sampled_from([0.0, 0.0, 1e9]))
    return (x + offset) * scale, (y + offset) * scale, rng


def some_weights(kind, count, rng):
    weights = rng.dirichlet(np.ones(count))
    if kind == "light":
        weights = 10.0 ** rng.uniform(-40, 0, count)
    if kind == "subnormal":
        weights = np.where(rng.random(count) < 0.5, 5e-324, 1.0)
    if kind == "zero":
        weights = weights * (rng.random(count) < 0.5)
        weights[0] = 0.5
    return None if kind == "uniform" else weights / weights.sum()


@given(st.data())
@settings(max_examples=150)
def test_degenerate_geometry_and_weights(data):
    x, y, rng = clouds(data.draw)
    kinds = st.sampled_from(["uniform", "random", "light", "subnormal", "zero"])
    a, b = (some_weights(data.draw(kinds), len(z), rng) for z in (x, y))
    metric = data.draw(st.sampled_from(["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0)]))
    check(x, y, a, b, metric)


def test_a_heavy_atom_of_many_parts_verifies():
    """Its thousand parts, added in floating point, would miss its mass by more than 1e-14."""
    rng = np.random.default_rng(21)
    x, y = rng.normal(size=(1200, 2)), rng.normal(size=(60, 2))
    b = 10.0 ** rng.uniform(-300, 0, 60)
    check(x, y, rng.dirichlet(np.ones(1200) * 0.3), b / b.sum())


def test_squares_of_large_coordinates_do_not_overflow():
    rng = np.random.default_rng(20)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(30, 3))
    x, y = (z * 10 ** rng.uniform(-8, 8, (len(z), 1)) * 1e150 for z in (x, y))
    check(x, y)
    check(x, y[:1])


@pytest.mark.parametrize("metric", METRICS)
def test_a_cloud_and_itself_in_another_order(metric):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(80, 7))
    a = rng.dirichlet(np.ones(80))
    order = rng.permutation(80)
    assert wasserstein1(x, x[order], metric=metric, solver="dense") == 0
    assert wasserstein1(x, x[order], a, a[order], metric=metric, solver="dense") == 0


def test_laws_that_nearly_agree_keep_their_digits():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, 5))
    a = rng.dirichlet(np.ones(60))
    b = a * (1 + 1e-11 * rng.normal(size=60))
    b /= b.sum()
    found = wasserstein1(x, x, a, b, solver="dense")
    assert found == pytest.approx(wasserstein1(x, x, a, b, solver="simplex"), rel=1e-9)


def bits(result):
    return result.value.hex(), result.potential_x.tobytes(), result.plan.toarray().tobytes()


def test_the_same_bits_with_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(300, 37)), rng.normal(size=(280, 37))
    monkeypatch.setattr(_dense_problem, "_ROWS", 64)
    found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", threads)
        found.append(bits(optimal_transport(x, y, solver="dense")))
    assert found[0] == found[1] == found[2]


def test_a_guide_that_is_not_kept_changes_nothing(monkeypatch):
    """Sizes without a common divisor: then the potentials are unique, wherever it begins."""
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(150, 20)), rng.normal(size=(169, 20))
    monkeypatch.setattr(_dense_problem, "_ROWS", 64)
    kept = optimal_transport(x, y, solver="dense")
    monkeypatch.setattr(_dense_problem, "_KEPT_ENTRIES", 0)
    assert bits(optimal_transport(x, y, solver="dense")) == bits(kept)


def test_the_time_limit_of_a_cost_matrix():
    rng = np.random.default_rng(10)
    cost = rng.normal(size=(700, 800)) ** 2 - 5
    with pytest.raises(TimeLimitReached) as caught:
        optimal_transport(cost=cost, time_limit=1e-6, solver="dense")
    bracket = caught.value.bracket
    assert bracket.lower < optimal_transport(cost=cost, solver="dense").value < bracket.upper


def test_large_problems_go_to_the_dense_solver():
    metric = Metric("euclidean")
    assert choose(metric, 32, n=1_000, m=1_000) == "dense"
    assert choose(metric, 32, n=100, m=100) == "simplex"
    assert choose(Metric("angular"), 1, n=1_000, m=1_000) == "dense"


@given(
    st.integers(0, 2**32), st.integers(1, 300), st.sampled_from([0.0, 1e-9, 1e-4, 1.0]),
    st.sampled_from([140, 260, 511]),
)  # fmt: skip
@settings(max_examples=50)
def test_lower_bounds_are_below_and_close(seed, d, spread, m):
    """Pairs at every distance, lengths of the points over many orders of magnitude; whole panels
    of columns of either width, and the rest of one."""
    rng = np.random.default_rng(seed)
    x = rng.standard_t(1.5, size=(9, d))
    y = x[rng.integers(0, 9, m)] + spread * rng.normal(size=(m, d))
    exact = cdist(x, y)
    unit = 2.0 ** -np.frexp(exact.max() + np.abs(x).max())[1]
    found = np.empty((9, m), dtype=np.float32)
    arrays = centred(x * unit, y * unit)
    lower_bounds(*arrays, 0, 4, found[:4])
    lower_bounds(*arrays, 4, 9, found[4:])
    assert (found <= exact * unit).all()
    z = np.concatenate([x, y])
    lengths = np.abs(z - z.mean(axis=0)).max() * unit * np.sqrt(d)
    chain = min(d, 64) + d / 64
    assert (exact * unit - found <= 2.0**-11 * np.sqrt(chain + 8) * (lengths + exact * unit)).all()


@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-4, 1e-5])
def test_lower_bounds_tell_points_of_tight_clusters_apart(spread):
    """Single precision loses their distances; where it does, double takes its place."""
    rng = np.random.default_rng(12)
    x, y = (rng.integers(0, 4, (k, 1)) + spread * rng.normal(size=(k, 150)) for k in (60, 70))
    clouds = centred(x / 64, y / 64)
    found, exact = np.empty((60, 70), dtype=np.float32), cdist(x, y) / 64
    lower_bounds(*clouds, 0, 60, found)
    assert (found <= exact).all()
    np.testing.assert_allclose(found, exact, rtol=1e-3)
    assert clouds.x.dtype == (np.float32 if spread == 1.0 else np.float64)


@pytest.mark.parametrize("exact", [False, True])
def test_pricing_finds_what_brute_force_finds(exact):
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(90, 12)), rng.normal(size=(110, 12))
    unit = shrink(20.0, 90)
    costs = PointCosts(x, y, Metric("euclidean"), unit)
    f, g = rng.normal(size=90) * unit, rng.normal(size=110) * unit + 3 * unit
    brute = cdist(x, y) * unit - f[:, None] + g
    reduced, _ = price(costs, Guide(costs), f, g, 10, 1e-14, exact)
    for i in range(90):
        wanted = np.sort(brute[i])[:10]
        wanted = wanted[wanted < 0]
        np.testing.assert_allclose(np.sort(reduced[i])[: wanted.size], wanted, rtol=1e-9)
    of_x, of_y = proposals(Guide(costs), costs.shape, f, g, 5)
    np.testing.assert_array_equal(np.sort(of_x), np.sort(np.argsort(brute, axis=1)[:, :5]))
    np.testing.assert_array_equal(np.sort(of_y), np.sort(np.argsort(brute, axis=0)[:5].T))


@pytest.mark.parametrize("exact", [False, True])
def test_pricing_is_complete_where_many_pairs_are_tight(exact):
    """All pairs are within the doubt of single precision, and one of them is violated."""
    cost = np.ones((30, 200))
    cost[7, 150] -= 1e-9
    costs = MatrixCosts(cost, 0.0, 1.0)
    reduced, columns = price(costs, Guide(costs), np.ones(30), np.zeros(200), 10, 1e-14, exact)
    assert reduced.min() == pytest.approx(-1e-9, rel=1e-6)
    assert columns[7][reduced[7].argmin()] == 150


def test_the_auction_is_optimal_to_its_epsilon():
    rng = np.random.default_rng(12)
    for n, m in ((40, 40), (20, 50), (50, 20)):
        cost = rng.random((n, m))
        sinks = np.tile(np.arange(m, dtype=np.int32), (n, 1))
        filled, prices = np.full(n, m, dtype=np.int32), np.zeros(m)
        supply, demand = np.full(n, m), np.full(m, n)
        left, source, target = auction(sinks, cost, filled, supply, demand, prices, 1e-3, 10**7)
        assert left > 0
        dual = (cost + prices).min(axis=1).mean() - prices.mean()
        value = float(optimal_transport(cost=cost, solver="simplex").value)
        assert value - 1e-3 <= dual <= value + 1e-15
        slack = (cost + prices)[source, target] - (cost + prices).min(axis=1)[source]
        assert slack.max() <= 1e-3 + 1e-12
        assert set(source) == set(range(n))
        assert set(target) == set(range(m))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_the_masses_of_a_forest_are_sent_along_it_again(n, m, seed):
    """And where there are cycles as well, every arc comes once."""
    rng = np.random.default_rng(seed)
    nodes, parent = rng.permutation(n + m), {}
    for place in range(1, n + m):  # each node hangs from an earlier one of the other side, or not
        others = [node for node in nodes[:place] if (node < n) != (nodes[place] < n)]
        if others and rng.random() < 0.9:
            parent[nodes[place]] = rng.choice(others)
    arcs = np.array([(min(pair), max(pair) - n) for pair in parent.items()], int).reshape(-1, 2)
    source, target = arcs[rng.permutation(len(arcs))].T.copy()
    mass = rng.integers(1, 100, source.size)
    supply = np.bincount(source, mass, n).astype(np.int64)
    demand = np.bincount(target, mass, m).astype(np.int64)
    order, sent = leaves_first(source, target, n, m), np.empty(source.size, np.int64)
    assert sorted(order) == list(range(source.size))
    chosen = order.copy()
    assert greedy(chosen, source, target, supply, demand, sent) == source.size
    assert not supply.any()
    assert not demand.any()
    assert (sent == mass[chosen]).all()
    pairs = np.unique(rng.integers(0, n * m, 3 * (n + m)))
    order = leaves_first(pairs // m, pairs % m, n, m)
    assert sorted(order) == list(range(pairs.size))


@pytest.mark.parametrize("m", [900, 700])
def test_what_the_auction_holds_is_the_first_basis(monkeypatch, m):
    """It needs two pivots a source; the cheapest arcs, taken greedily, six to eight."""
    pivots = []
    monkeypatch.setattr(
        _network_simplex, "run", lambda *given: pivots.append(found := run(*given)) or found
    )
    rng = np.random.default_rng(14)
    x, y = rng.normal(size=(900, 20)), rng.normal(size=(m, 20))
    optimal_transport(x, y, solver="dense").verify()
    assert sum(made for made, *_ in pivots) < 4 * 900


def test_a_source_that_outbids_itself_raises_its_whole_bid():
    """It once took its own large portion in steps of its small debt: 10^8 of them."""
    sinks, filled = np.zeros((2, 1), dtype=np.int32), np.ones(2, dtype=np.int32)
    supply, demand, prices = np.array([2**61, 1]), np.array([2**61 + 1]), np.zeros(1)
    assert auction(sinks, np.zeros((2, 1)), filled, supply, demand, prices, 0.1, 100)[0] > 0
    rng = np.random.default_rng(3)
    for _ in range(20):
        sinks = np.tile(np.arange(5, dtype=np.int32), (6, 1))
        filled = np.full(6, 5, dtype=np.int32)
        supply = (10.0 ** rng.uniform(0, 17, 6)).astype(np.int64)
        cuts = np.sort(rng.integers(1, supply.sum(), 4))
        demand = np.diff(cuts, prepend=0, append=supply.sum())
        auction(sinks, rng.random((6, 5)), filled, supply, demand, np.zeros(5), 1e-3, 10**5)


def test_points_of_one_hash_are_told_apart(monkeypatch):
    rng = np.random.default_rng(13)
    x, y = rng.integers(0, 4, (50, 2)) * 1.0, rng.integers(0, 4, (60, 2)) * 1.0
    value = wasserstein1(x, y)
    monkeypatch.setattr(_common_mass, "_hashes", lambda z: np.zeros(len(z), dtype=np.uint64))
    assert wasserstein1(x, y) == pytest.approx(value, rel=1e-14)


def test_zeros_of_either_sign_are_one_point():
    x, y = np.array([[0.0, -0.0], [1.0, 1.0]]), np.array([[-0.0, 0.0], [1.0, 1.0]])
    assert wasserstein1(x, y) == 0


def _rounds_of_pricing(monkeypatch, cost, *weights):
    """The value by the dense solver, and how often it priced all pairs."""
    rounds = []

    def counted(*arguments):
        rounds.append(1)
        return price(*arguments)

    monkeypatch.setattr(_dense, "price", counted)
    result = optimal_transport(cost=cost, x_weights=weights[0], y_weights=weights[1],
                               solver="dense")  # fmt: skip
    result.verify()
    return float(result.value), len(rounds)


def test_sources_whose_costs_are_tied_do_not_all_list_the_same_sinks(monkeypatch):
    """They did, the first ones: a dozen rounds of pricing that each added 10 violators a source."""
    rng = np.random.default_rng(15)
    cost = rng.integers(0, 3, (1200, 1200)) * 1.0
    weights = rng.dirichlet(np.ones(1200)), rng.dirichlet(np.ones(1200))
    value, rounds = _rounds_of_pricing(monkeypatch, cost, *weights)
    reference = optimal_transport(cost=cost, x_weights=weights[0], y_weights=weights[1],
                                  solver="simplex")  # fmt: skip
    assert abs(value - reference.value) <= 1e-12 * reference.value + 1e-13 * 2
    assert rounds <= 4


def test_potentials_of_few_nodes_are_never_outdated(monkeypatch):
    outdated = []

    def noted(*arguments):
        found = run(*arguments)
        outdated.append(found[2])
        return found

    monkeypatch.setattr(_network_simplex, "run", noted)
    rng = np.random.default_rng(16)
    weights = rng.dirichlet(np.ones(300)), rng.dirichlet(np.ones(400))
    result = optimal_transport(cost=rng.random((300, 400)), x_weights=weights[0],
                               y_weights=weights[1], solver="dense")  # fmt: skip
    result.verify()
    assert outdated
    assert not any(outdated)


@pytest.mark.parametrize("spread", [3.0, 8.0])
def test_a_value_far_below_the_largest_cost_keeps_its_digits(spread):
    """It was off by four percent where the costs span 14 orders of magnitude."""
    cost = np.exp(spread * np.random.default_rng(17).normal(size=(300, 300)))
    value = optimal_transport(cost=cost, solver="dense").value
    assert value == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-12)


def test_masses_of_a_matrix_may_be_integers_beyond_the_floats():
    rng = np.random.default_rng(9)
    cost, b = rng.random((3, 4)), np.array([1.0, 1e-300, 5e-324, 1e-300])
    result = optimal_transport(cost=cost, y_weights=b, solver="dense")
    result.verify()
    assert result.value == pytest.approx(cost[:, 0].mean(), rel=1e-14)
