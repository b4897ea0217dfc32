"""Small problems: the same bits from every solver of them, certified, without compiler or POT."""

import math
import subprocess
import sys

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from divergences import TimeLimitReached, optimal_transport, wasserstein1
from divergences._metrics import Metric
from divergences.transport import (
    _certificate,
    _high_dimension,
    _linear_assignment,
    _small,
    _small_integers,
    _small_matrix,
    _small_simplex,
    _small_start,
)
from divergences.transport._masses import rounded_marginals

EUCLIDEAN = Metric("euclidean")


def by_interpreter(monkeypatch):
    monkeypatch.setattr(_small_matrix._Spent, "enough", np.inf)


def by_kernel(monkeypatch):
    monkeypatch.setattr(_small_matrix._Spent, "seconds", np.inf)
    monkeypatch.setattr(_small_matrix._Spent, "enough", 0.0)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32), st.sampled_from([1, 3, 1000]))
def test_the_formula_is_optimal_to_the_integer(n, m, seed, levels):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, levels, (n, m))
    total = int(rng.integers(max(n, m), 100))
    supply = 1 + rng.multinomial(total - n, np.full(n, 1 / n))
    demand = 1 + rng.multinomial(total - m, np.full(m, 1 / m))
    space = [[_small_simplex.NONE] * size for size in _small_simplex.workspace(n, m)]
    _small_simplex.optimise(cost.ravel().tolist(), n, m, supply.tolist(), demand.tolist(), *space)
    tree = [np.array(column) for column in space[-_small_simplex.COLUMNS :]]
    source, target, mass = _small_simplex.plan_of(tree, n)
    assert (mass > 0).all()
    assert (np.bincount(source, mass, n) == supply).all()
    assert (np.bincount(target, mass, m) == demand).all()
    height = tree[_small_simplex.HEIGHT]
    reduced = cost - height[:n, None] + height[n : n + m]
    assert reduced.min() >= 0
    assert (reduced[source, target] == 0).all()


def optimal_by_auctions(cost, mass, optimise, space):
    """The pivots, after a check that the tree is an optimal assignment to the integer."""
    n = len(cost)
    made = optimise(space)
    tree = [np.array(column) for column in space[-_small_simplex.COLUMNS :]]
    source, target, moved = _small_simplex.plan_of(tree, n)
    rows, columns = linear_sum_assignment(cost)
    assert (moved == mass).all()
    assert set(target) == set(range(n))
    assert cost[source, target].sum() == cost[rows, columns].sum()
    height = tree[_small_simplex.HEIGHT]
    assert (cost - height[:n, None] + height[n : 2 * n]).min() >= 0
    return made


@given(st.integers(2, 12), st.integers(0, 2**32), st.sampled_from([1, 3, 10**6, 2**53]))
def test_equal_masses_are_assigned_to_the_integer(n, seed, levels):
    """Also where costs are as large as they may be, which prices and heights must not overflow."""
    rng = np.random.default_rng(seed)
    cost, mass = rng.integers(0, levels, (n, n)), [int(rng.integers(1, 9))] * n
    space = [[_small_simplex.NONE] * size for size in _small_simplex.workspace(n, n)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_small_start, "FEWEST", 2)
        optimal_by_auctions(
            cost, mass[0],
            lambda space: _small_simplex.optimise(
                cost.ravel().tolist(), n, n, list(mass), list(mass), *space
            ),
            space,
        )  # fmt: skip
        assert np.abs(space[-1][: 2 * n]).max() <= (n + 20) * (cost.max() + 1)


@pytest.mark.parametrize("levels", [3, 10**6, 2**52])
def test_auctions_are_the_same_in_the_interpreter_and_compiled(levels):
    n, mass = _small_start.FEWEST, [3] * _small_start.FEWEST
    cost = np.random.default_rng(levels % 99).integers(0, levels, (n, n))
    sizes = _small_simplex.workspace(n, n)
    listed = [[_small_simplex.NONE] * size for size in sizes]
    arrays = [np.full(size, _small_simplex.NONE) for size in sizes]
    flat, kernel = cost.ravel(), _small_simplex.compiled()
    made = optimal_by_auctions(
        cost, 3, lambda to: _small_simplex.optimise(flat.tolist(), n, n, mass, mass, *to), listed
    )
    mass = np.array(mass)
    assert made == optimal_by_auctions(
        cost, 3, lambda to: kernel(flat, n, n, mass.copy(), mass.copy(), *to), arrays
    )
    assert all((column == there).all() for column, there in zip(listed, arrays, strict=True))


@pytest.mark.parametrize("kind", ["random", "lattice", "line", "all alike", "hubs"])
def test_auctions_begin_with_an_assignment_and_its_potentials(kind):
    """Every pair is tight, and no price is beyond what the docstring of ``_match`` says."""
    rng, n = np.random.default_rng(3), 230
    x, y = rng.random((n, 2)), rng.random((n, 2)) + 0.1
    if kind == "lattice":
        x, y = np.rint(6 * x), np.rint(6 * y)
    cost = cdist(x, y)
    if kind == "line":
        cost = np.abs(x[:, :1] - y[:, 0])
    if kind in ("all alike", "hubs"):
        cost = np.ones((n, n)) + (kind == "hubs") * rng.random(n) + 1e-3 * cost * (kind == "hubs")
    integers = np.rint(cost / cost.max() * 2**50).astype(np.int64)
    one, space = np.ones(n, np.int64), _small_matrix._space(n, n)
    _small_simplex.compiled_parts()[0](integers.ravel(), n, n, one.copy(), one.copy(), *space)
    tree = space[-_small_simplex.COLUMNS :]
    source, target, mass = _small_simplex.plan_of(tree, n)
    assert (mass == 1).all()
    assert set(source) == set(target) == set(range(n))
    height = tree[_small_simplex.HEIGHT]
    assert (integers[source, target] == height[source] - height[n + target]).all()
    assert np.abs(height[: 2 * n]).max() <= 11 * integers.max()


def test_auctions_save_most_pivots(monkeypatch):
    rng, n = np.random.default_rng(5), 300
    cost = cdist(rng.normal(size=(n, 32)), rng.normal(size=(n, 32)))
    integers = np.rint(cost / cost.max() * 2**50).astype(np.int64).ravel()
    begin, improve, _ = _small_simplex.compiled_parts()
    one, made = np.ones(n, np.int64), []
    for greedily in (False, True):
        space = _small_matrix._space(n, n)
        if greedily:
            monkeypatch.setattr(_small_start, "FEWEST", n + 1)
            listed = [column.tolist() for column in space]
            _small_start.begin(integers.tolist(), n, n, one.tolist(), one.tolist(), *listed)
            space = [np.array(column) for column in listed]
        else:
            begin(integers, n, n, one.copy(), one.copy(), *space)
        tree = space[-_small_simplex.COLUMNS :]
        made.append(improve(integers, n, n, 0, _small_simplex.MOST, *tree)[0])
    assert made[0] < made[1] / 3


@pytest.mark.parametrize("largest", [1.0, 1e-100, 1e9])
def test_costs_become_the_same_integers_with_the_kernel_and_without(largest):
    cost = np.random.default_rng(1).random((17, 23)) * largest
    cost[3] = cost[5]
    for most in (math.inf, 0.3 * largest):
        arguments = cost, cost.min(axis=1), 53, most
        one = _small_integers.reduced(*arguments)
        other = _small_integers.reduced_by_kernel(*arguments)
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        integers, v, unit = one
        assert 2**52 <= integers.max() <= 2**53
        assert math.frexp(unit)[0] == 0.5
        reduced = cost - cost.min(axis=1)[:, None] - v
        assert np.abs(integers.reshape(cost.shape) * unit - np.minimum(reduced, most)).max() <= unit
    same = np.full((3, 4), largest), np.full(3, largest), 53, math.inf
    assert not _small_integers.reduced_by_kernel(*same)[0].any()
    assert not _small_integers.reduced(*same)[0].any()


def test_whole_costs_are_solved_without_rounding():
    rng = np.random.default_rng(2)
    for shape in ((6, 9), (210, 240), (3, 900)):
        cost = rng.integers(-40, 40, shape).astype(float)
        weights = [rng.dirichlet(np.ones(size)) for size in shape]
        masses, _ = rounded_marginals(weights[0], shape[0], weights[1], shape[1])
        plan = _small_matrix.transported(cost, masses)
        assert plan.is_exact()
        parts = cost + rng.random(shape)
        whole = [_small_matrix._by_simplex(z, *masses[:2]).is_whole() for z in (cost, parts)]
        assert whole == [True, False]
        truth = ot.emd2(*weights, cost, numItermax=10**7)
        value = optimal_transport(cost=cost, x_weights=weights[0], y_weights=weights[1]).value
        assert value == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("n", [100, 300])
def test_whole_costs_of_many_ties_need_no_other_way(n):
    cost = np.random.default_rng(n).integers(0, 10, (n, n)) / 1.0
    assert _small.solve_matrix(cost, None, None) is not None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(2, 3), (6, 9), (220, 230), (3, 400)])
def test_costs_at_the_ends_of_the_range_of_floats(shape, weighted):
    rng = np.random.default_rng(4)
    cost = rng.random(shape)
    weights = [rng.dirichlet(np.ones(size)) if weighted else None for size in shape]
    options = dict(zip(("x_weights", "y_weights"), weights, strict=True))
    value = optimal_transport(cost=cost, **options).value
    for scale in (2.0**-1015, 2.0**-1022, 2.0**-1030, 2.0**1000):
        found = optimal_transport(cost=cost * scale, **options).value
        assert found == pytest.approx(value * scale, rel=1e-10, abs=2.0**-1073)
    whole = rng.integers(0, 9, shape)
    found = optimal_transport(cost=whole * 2.0**-1074, **options).value
    truth = optimal_transport(cost=whole.astype(float), **options).value
    roundings = sum(shape) if weighted else 1  # of masses times costs
    assert abs(found / 2.0**-1074 - truth) <= 0.5 * roundings + 1e-12


def test_costs_cut_far_above_the_value_have_the_same_plan():
    rng = np.random.default_rng(3)
    cost = np.exp(4 * rng.normal(size=(60, 70)))
    a, b = rng.dirichlet(np.ones(60)), rng.dirichlet(np.ones(70))
    masses, _ = rounded_marginals(a, 60, b, 70)
    plan = _small_matrix.transported(cost, masses)
    value = (plan.flow.mass / masses.total) @ cost[plan.flow.source, plan.flow.target]
    cut = _small_matrix.cut_at(cost, masses, value, plan.flow)
    assert cut.error < 2.0**-44 * value < plan.error
    found = (cut.flow.mass / masses.total) @ cost[cut.flow.source, cut.flow.target]
    assert found == pytest.approx(ot.emd2(a, b, cost, numItermax=10**7), rel=1e-12)
    value = optimal_transport(cost=cost, x_weights=a, y_weights=b).value
    assert found == pytest.approx(value, rel=1e-14)
    far = np.full((2, 2), 1e6)
    far[0, 0] = far[1, 1] = 1.0
    uneven, _ = rounded_marginals(np.array([0.5, 0.5]), 2, np.array([0.5 + 1e-9, 0.5 - 1e-9]), 2)
    flow = _small_matrix.transported(far, uneven).flow
    assert _small_matrix.cut_at(far, uneven, 1.0, flow) is None  # a long way is used
    assert _small_matrix.cut_at(cost, masses, 0.0, plan.flow) is None


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("atoms", ["normal", "lattice"])
def test_interpreter_and_kernel_give_the_same_bits(monkeypatch, atoms, weighted):
    rng = np.random.default_rng(0)
    for n, m in ((3, 5), (50, 50), (60, 45)):
        x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 1
        if atoms == "lattice":
            x, y = np.round(3 * x), np.round(3 * y) + 0.5
        a = rng.integers(1, 4, n) / 1.0 if weighted else np.ones(n)
        results, values = [], []
        for choose in (by_interpreter, by_kernel):
            with monkeypatch.context() as patch:
                choose(patch)
                arguments = (x, y, a / a.sum()) if weighted else (x, y)
                values.append(wasserstein1(*arguments))
                results.append(optimal_transport(*arguments))
        first, second = results
        assert values == [first.value, second.value]
        assert values[0] == values[1]
        assert (first.plan != second.plan).nnz == 0
        assert (first.potential_x == second.potential_x).all()
        first.verify()


ATOMS = {
    "normal": lambda rng, n: rng.normal(size=(2, n, 2)),
    "far": lambda rng, n: rng.normal(size=(2, n, 2)) + 30.0 * np.arange(2)[:, None, None],
    "collinear": lambda rng, n: rng.normal(size=(2, n, 1)) * [3.0, 4.0],
    "lattice": lambda rng, n: rng.integers(0, 9, (2, n, 2)) + 0.5 * np.arange(2)[:, None, None],
    "repeated": lambda rng, n: rng.normal(size=(2, 5, 2))[:, rng.integers(0, 5, n)],
}


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "angular"])
@pytest.mark.parametrize("atoms", ATOMS)
def test_assignments_have_the_same_bits_with_the_kernel_and_without(monkeypatch, atoms, metric):
    for n in (2, 20, 21, 40, 70, 128, 129):
        x, y = ATOMS[atoms](np.random.default_rng(n), n)
        x, y = (x + 1, y + 1) if metric == "angular" else (x, y)
        cost = Metric(metric).matrix(x, y) if metric != "angular" else np.abs(x @ y.T)
        results = []
        for choose in (by_interpreter, by_kernel):
            with monkeypatch.context() as patch:
                choose(patch)
                found = optimal_transport(x, y, metric=metric), optimal_transport(cost=cost)
                assert wasserstein1(x, y, metric=metric) == found[0].value
            results.append([
                np.concatenate([[r.value], r.potential_x, r.potential_y, *r.plan.toarray()])
                for r in found
            ])  # fmt: skip
        np.testing.assert_array_equal(results[0], results[1])
        for result in found:
            result.verify()
        assert found[1].value == pytest.approx(ot.emd2([], [], cost), rel=1e-12)


@pytest.mark.parametrize("levels", [2, 5, 2**55])
def test_assignments_are_proved_the_same_way_by_the_kernel(levels):
    rng = np.random.default_rng(levels % 1000)
    for n in (1, 2, 3, 10, 40, 90):
        cost = rng.integers(0, levels, (n, n))
        best = _linear_assignment.assign(cost.astype(float))
        for column in (best, np.roll(best, 1), np.arange(n)):
            for tolerance in (0, 3):
                proof = _linear_assignment.prove(cost, column, tolerance)
                by_kernel = _small_matrix._proved_by_kernel(cost, column, tolerance)
                optimal = cost[np.arange(n), column].sum() == cost[np.arange(n), best].sum()
                assert (proof is not None) == (by_kernel is not None) == optimal
                if proof is None:
                    continue
                np.testing.assert_array_equal(proof.v, by_kernel.v)
                reduced = cost - (cost[np.arange(n), column] - proof.v[column])[:, None] - proof.v
                assert (reduced >= 0).all()
                assert (reduced[np.arange(n), column] == 0).all()
                close = csr_array(reduced <= tolerance)
                graph = block_array([[None, close], [close.T, None]])
                parts = connected_components(graph, directed=False)[0]
                assert proof.alone == by_kernel.alone == (close.nnz == 2 * n - parts)


def test_an_assignment_is_alone_if_no_other_costs_as_little():
    for cost, alone in (([[0, 1], [1, 0]], True), ([[0, 1], [0, 1]], False), ([[7]], True)):
        proof = _linear_assignment.prove(np.array(cost), np.arange(len(cost)), 0)
        assert proof.alone == alone
    square = np.array([[0, 3], [3, 0]])
    assert [_linear_assignment.prove(square, np.arange(2), k).alone for k in (2, 3)] == [
        True,
        False,
    ]


def test_units_are_finer_where_no_cost_is_negative():
    cost = np.random.default_rng(8).random((40, 50))
    supply, demand = np.full(40, 5), np.full(50, 4)
    bases = [_small_matrix._by_simplex(c, supply, demand) for c in (cost, cost - 0.5)]
    assert [basis.bits for basis in bases] == [55, 53]
    assert bases[0].error == bases[1].error / 4
    assert _small_integers.bits_of(128, 900, cost[0]) == 54  # 256 and 22 of them add up below 2^63
    whole = np.rint(100 * cost)
    assert _small_matrix._by_simplex(whole, supply, demand).is_whole()


@pytest.mark.parametrize("n", [20, 33, 60, 90, 110, 129, 150, 200, 500])
def test_many_optimal_plans_need_no_other_way(monkeypatch, n):
    by_kernel(monkeypatch)
    rng = np.random.default_rng(n)
    on_a_line = np.sort(rng.random((2, n, 1)), axis=1) * [0.3, 0.7, 1.1]
    for x, y in (on_a_line, rng.integers(0, 20, (2, n, 2)) / 1.0, rng.normal(size=(2, n, 2))):
        for metric in (EUCLIDEAN, Metric("cityblock", 1.0)):
            values = [
                found.value
                for only in (True, False)
                if (found := _small.solve(x, y, None, None, metric, value_only=only)) is not None
            ]
            assert len(values) == 2
            assert values[0] == values[1]
            assert values[0] == pytest.approx(ot.emd2([], [], metric.matrix(x, y)), rel=1e-12)


def test_what_is_refused_once_is_not_tried_again(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    y = np.concatenate([x[:500], rng.normal(size=(100, 2))])
    asked, solve = [], _small.solve
    monkeypatch.setattr(_small, "solve", lambda *given, **how: asked.append(solve(*given, **how)))
    value = wasserstein1(x, y)
    assert asked == [None]
    assert optimal_transport(x, y).value == value


def test_what_the_rounding_of_masses_would_touch_is_left_to_the_general_way():
    rng = np.random.default_rng(2)
    x, a = rng.normal(size=(20, 2)), rng.dirichlet(np.ones(20))
    near = np.concatenate([x[:9], x[9:] + 1e-9])
    for arguments in (
        (x, x + 1e-9, a, a),
        (x, x[::-1], a, a),
        (x, near, a, a),
        (x, x, a, a + 1e-17 * rng.normal(size=20)),
    ):
        found = _small.solve(*arguments, EUCLIDEAN)
        assert found is None or found.value > 1e-3


LIGHT = [
    np.array([1e-13, 1 - 1e-13, 0.0, 0.0]),
    np.array([1e-25, 0.5, 0.5, 1e-300]),
    np.array([0.0, 1.0, 0.0, 0.0]),
    np.array([0.25, 0.0, 5e-324, 0.75]),
]


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "angular"])
@pytest.mark.parametrize("scale", [1.0, 1e-310, 1e-200, 1e200, 1e307])
def test_atoms_without_mass_and_any_scale(metric, scale):
    rng = np.random.default_rng(5)
    for a in LIGHT:
        for b in (None, *LIGHT):
            x, y = scale * rng.normal(size=(4, 2)), scale * rng.normal(size=(4, 2))
            result = optimal_transport(x, y, a, b, metric=metric)
            result.verify()
            general = optimal_transport(x, y, a, b, metric=metric, solver="simplex")
            assert result.value == pytest.approx(general.value, rel=1e-14)
            assert wasserstein1(x, y, a, b, metric=metric) == result.value
            plan = result.plan.toarray()
            np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-17, rtol=1e-9)
            off = np.abs(result.critic(x) - result.potential_x).max()
            assert off <= 1e-13 * (1 if metric == "angular" else scale) + 1e-323


def test_what_is_exact_in_spite_of_rounded_costs():
    """A value far below the diameter, where the basis is optimal beyond the rounding."""
    x = np.random.default_rng(6).random((150, 2))
    shift = np.array([3e-13, 4e-13])
    found = _small.solve(x, x + shift, None, None, EUCLIDEAN)
    assert found is not None
    lengths = np.hypot(*((x + shift) - x).T)
    assert found.value == pytest.approx(lengths.mean(), rel=1e-14)
    assert optimal_transport(x, x + shift).value == found.value


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("d", [2, 20])
@pytest.mark.parametrize(("n", "m"), [(3, 700), (700, 3), (2, 4500), (40, 320), (9, 4100)])
def test_few_atoms_against_many(n, m, d, weighted):
    rng = np.random.default_rng(n + m)
    x, y = rng.random((n, d)), rng.random((m, d)) + 0.1
    a = rng.dirichlet(np.ones(n)) if weighted else None
    b = rng.dirichlet(np.full(m, 0.3)) if weighted else None
    result = optimal_transport(x, y, a, b)
    result.verify()
    a, b = (np.full(k, 1 / k) if w is None else w for w, k in ((a, n), (b, m)))
    cost = np.sqrt(((x[:, None] - y) ** 2).sum(axis=2))
    assert result.value == pytest.approx(ot.emd2(a, b, cost, numItermax=10**7), rel=1e-11)
    assert wasserstein1(y, x, b, a) == pytest.approx(result.value, rel=1e-14)


@pytest.mark.parametrize(("n", "m"), [(4, 3), (12, 30), (60, 60), (100, 90)])
def test_costs_and_weights_over_many_orders_of_magnitude(monkeypatch, n, m):
    """Masses rounded to 2^-62 give what exact masses give, where they are taken."""
    rng = np.random.default_rng(n)
    taken = 0
    for spread in (0.0, 3.0, 12.0):
        for sizes in (3.5, 8.0):
            cost = np.exp(sizes * rng.normal(size=(n, m)))
            a, b = (w / w.sum() for w in (np.exp(spread * rng.normal(size=k)) for k in (n, m)))
            for scale in (1.0, 1e-150, 1e150):
                found = optimal_transport(cost=cost * scale, x_weights=a, y_weights=b)
                found.verify()
                with monkeypatch.context() as patch:
                    patch.setattr(_small, "_is_stable", lambda *given: False)
                    exact = optimal_transport(cost=cost * scale, x_weights=a, y_weights=b)
                assert found.value == pytest.approx(exact.value, rel=1e-13, abs=0)
            taken += _small.solve_matrix(cost, a, b) is not None
    assert taken


def test_masses_whose_rounding_may_change_the_tree_are_exact():
    cost = np.array([[1.0, 1e9], [1e9, 1.0]])
    masses, rounding = rounded_marginals(np.array([0.5, 0.5]), 2, np.array([0.5 + 2**-50, 0.5]), 2)
    plan = _small_matrix.transported(cost, masses)
    assert plan.flow.mass.size == 3
    assert _small._is_stable(cost, plan, rounding, 2.0)
    assert not _small._is_stable(cost, plan, rounding, 1e-12)
    light = plan._replace(flow=plan.flow._replace(mass=plan.flow.mass.clip(max=4)))
    assert not _small._is_stable(cost, light, rounding, 2.0)
    apart, rounding = rounded_marginals(np.array([0.5, 0.5]), 2, np.array([0.5, 0.5]), 2)
    assert not _small._is_stable(cost, _small_matrix.transported(cost, apart), rounding, 2.0)


@pytest.mark.parametrize("seed", range(20))
def test_matrices_of_any_sign(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 60, 2)
    cost = rng.normal(size=(n, m)) * 10.0 ** rng.integers(-5, 6)
    if seed % 3 == 0:
        cost = np.rint(cost)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[rng.random(n) < 0.2] = 0
    a = a / a.sum() if a.sum() else np.eye(n)[0]
    result = optimal_transport(cost=cost, x_weights=a, y_weights=b)
    result.verify()
    again = optimal_transport(cost=cost, x_weights=a, y_weights=b, solver="simplex")
    assert result.value == pytest.approx(again.value, abs=1e-15 * np.abs(cost).max(), rel=1e-14)


PROGRAM = """
import sys
import numpy as np
from divergences import optimal_transport, wasserstein1
rng = np.random.default_rng(0)
x, y, a, b = *rng.normal(size=(2, 30, 2)), *rng.dirichlet(np.ones(30), 2)
wasserstein1(x, y)
wasserstein1(x, y, a, b)
wasserstein1(x, x)
wasserstein1(x, y, metric="angular")
optimal_transport(x, y, a, b).verify()
optimal_transport(cost=abs(x[:, :1] - y[:, 0]), x_weights=a)
print([name for name in ("ot", "numba", "torch") if name in sys.modules])
"""


def matrix_in_stages(monkeypatch):
    """Matrices count as too large for one go, and stages are short."""
    monkeypatch.setattr(_small_matrix, "_MOST_POINTS", 0)
    monkeypatch.setattr(_small_matrix, "_STAGE", 37)
    monkeypatch.setattr(_high_dimension, "solve_matrix", None)  # not to be called


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [210, 260])
def test_stages_make_the_same_pivots(monkeypatch, m, weighted):
    rng = np.random.default_rng(31)
    cost, a, b = rng.random((210, m)), None, None
    if weighted:
        a, b = rng.dirichlet(np.ones(210)), rng.dirichlet(np.ones(m))
        a[7], a[8] = 0.0, a[7] + a[8]
    at_once = optimal_transport(x_weights=a, y_weights=b, cost=cost)
    matrix_in_stages(monkeypatch)
    staged = optimal_transport(x_weights=a, y_weights=b, cost=cost)
    assert staged.value == at_once.value
    assert (staged.plan != at_once.plan).nnz == 0
    np.testing.assert_array_equal(staged.potential_x, at_once.potential_x)
    np.testing.assert_array_equal(staged.potential_y, at_once.potential_y)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_time_limit_is_looked_at_between_stages(monkeypatch, weighted):
    rng = np.random.default_rng(32)
    cost, a = rng.normal(size=(300, 300)) ** 2 - 5, None
    if weighted:
        a = rng.dirichlet(np.ones(300))
        a[3], a[4] = 0.0, a[3] + a[4]
    value = optimal_transport(x_weights=a, cost=cost).value
    matrix_in_stages(monkeypatch)
    with pytest.raises(TimeLimitReached) as caught:
        optimal_transport(x_weights=a, cost=cost, time_limit=1e-6)
    bracket = caught.value.bracket
    assert bracket.lower < value < bracket.upper
    assert bracket.upper < cost.max()
    masses = np.full(300, 1 / 300) if a is None else a
    assert bracket.lower >= masses @ cost.min(axis=1) - 1e-12  # what no potentials prove


def test_large_matrices_go_to_the_simplex_unless_a_few_atoms_face_many():
    assert _small.fits_in_stages(None, 5000, None, 4000)
    assert not _small.fits_in_stages(None, 20000, None, 20000)
    assert not _small.fits_in_stages(None, 300, None, 20000)
    few = np.zeros(20000)
    few[:4000] = 1 / 4000
    assert _small.fits_in_stages(few, 20000, None, 5000)


@pytest.mark.parametrize(
    ("metric", "d", "n", "weighted", "small"),
    [
        (EUCLIDEAN, 2, 880, False, True), (EUCLIDEAN, 3, 900, True, False),
        (EUCLIDEAN, 5, 1000, False, True), (EUCLIDEAN, 5, 1010, False, False),
        (EUCLIDEAN, 4, 1300, True, True), (EUCLIDEAN, 4, 1350, True, False),
        (EUCLIDEAN, 8, 1000, False, True), (EUCLIDEAN, 8, 1010, False, False),
        (Metric("cityblock", 1.0), 8, 1400, False, True),
        (Metric("cityblock", 1.0), 5, 1310, False, False),
        (EUCLIDEAN, 8, 2000, True, True), (Metric("minkowski", 2.5), 2, 2000, False, True),
        (Metric("angular"), 3, 2000, False, True), (Metric("angular"), 8, 1500, False, False),
    ],
)  # fmt: skip
def test_where_the_small_simplex_ends(metric, d, n, weighted, small):
    points = np.zeros((n, d))
    weights = np.full(n, 1 / n) if weighted else None
    masses, rounding = rounded_marginals(weights, n, weights, n)
    problem = _small._Points(points, points, masses, metric, rounding, value_only=True)
    assert _small.fits(weights, n, weights, n)
    assert (n * n <= _small._most_pairs(problem)) == small


def test_blocks_of_a_matrix_change_nothing():
    """Conjugates, and whether costs are whole, of more entries than one block has."""
    rng = np.random.default_rng(33)
    cost, v = rng.random((300, 500)), rng.random(500)
    u, raised = _certificate.conjugates(cost, v)
    np.testing.assert_array_equal(u, (cost - (v - (v.max() / 2 + v.min() / 2))).min(axis=1))
    np.testing.assert_array_equal(raised, (cost - u[:, None]).min(axis=0))
    whole = np.rint(100 * cost)
    assert _small_integers.is_whole(whole, 0.5)
    whole[299, 499] += 0.25
    assert not _small_integers.is_whole(whole, 0.5)
    assert _small_integers.are_whole(np.array([[0.0, 9.0]]), np.zeros(1), 2.0**-49)
    assert not _small_integers.are_whole(np.array([[-9.0, 9.0]]), np.zeros(1), 2.0**-49)
    assert not _small_integers.are_whole(np.array([[0.0, 9.0]]), np.array([-9.0]), 2.0**-49)


def test_neither_compiler_nor_pot_is_loaded(tmp_path):
    import os

    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment
    )
    assert result.stdout.strip() == "[]"


def test_many_tied_points_are_not_assigned_by_paths(monkeypatch):
    """Paths between lattices of many ties took four times as long as the simplex."""
    monkeypatch.setattr(_small_matrix, "_assigned_by_paths", None)  # not to be called
    x, y = np.random.default_rng(34).integers(0, 3, (2, 650, 6)) * 2.0
    assert wasserstein1(x, y + 1, metric="cityblock") >= 6


def test_every_cycle_of_pairs_is_seen():
    rng = np.random.default_rng(3)
    for _ in range(2_000):
        n = int(rng.integers(2, 12))
        pairs = rng.random((n, n)) < 1.5 / n
        nothing = np.zeros((n, n), dtype=bool)
        parts = connected_components(np.block([[nothing, pairs], [pairs.T, nothing]]))[0]
        assert _linear_assignment._is_forest(pairs) == (np.count_nonzero(pairs) == 2 * n - parts)
