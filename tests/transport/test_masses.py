"""Integer masses, the north-west rule, flows on forests and cancellation."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from divergences.transport._common_mass import cancel, expand
from divergences.transport._forest import flows_on_forest
from divergences.transport._masses import Flow, Marginals, as_fractions, marginals, north_west

from .oracles import exact_masses

WEIGHTS = st.lists(st.floats(0, 1), min_size=1, max_size=8).filter(lambda w: sum(w) > 0)


@given(WEIGHTS, WEIGHTS)
def test_masses_are_the_exact_proportions(a, b):
    masses = marginals(np.array(a), len(a), np.array(b), len(b))
    for numerators, weights in ((masses.supply, a), (masses.demand, b)):
        exact = exact_masses(weights, len(weights))
        assert [Fraction(int(n), masses.total) for n in numerators] == exact
        floats = as_fractions(numerators, masses.total)
        for value, truth in zip(floats, exact, strict=True):
            assert abs(Fraction(float(value)) - truth) <= truth * Fraction(3, 2**53) + Fraction(
                1, 2**1074
            )


@pytest.mark.parametrize("count", [1, 3, 7, 1000])
def test_equal_weights_are_uniform_to_the_bit(count):
    given_weights = marginals(np.full(count, 1 / count), count, None, 5)
    uniform = marginals(None, count, None, 5)
    assert given_weights.total == uniform.total
    assert (given_weights.supply == uniform.supply).all()


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any),
    st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any),
    st.sampled_from([np.int64, object]),
)
def test_north_west_rule(a, b, kind):
    a, b = [n * sum(b) for n in a], [n * sum(a) for n in b]
    flow = north_west(np.array(a, dtype=kind), np.array(b, dtype=kind))
    assert (flow.mass > 0).all()
    assert _sums(flow, len(a), len(b)) == (a, b)
    assert flow.mass.size <= len(a) + len(b) - 1
    assert (np.diff(flow.source) >= 0).all()
    assert (np.diff(flow.target) >= 0).all()


def _sums(flow, n, m):
    rows, columns = [0] * n, [0] * m
    for i, j, mass in zip(*flow, strict=True):
        rows[i] += int(mass)
        columns[j] += int(mass)
    return rows, columns


@given(st.integers(0, 2**32 - 1))
def test_flows_on_a_forest_are_recovered(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, 2)
    rows, columns = rng.permutation(n), rng.permutation(m)
    a, b = rng.integers(1, 100, n), rng.integers(1, 100, m)
    known = north_west(a * b.sum(), b * a.sum())
    source, target = rows[known.source], columns[known.target]
    masses = Marginals(np.zeros(n, dtype=int), np.zeros(m, dtype=int), int(a.sum() * b.sum()))
    np.add.at(masses.supply, source, known.mass)
    np.add.at(masses.demand, target, known.mass)
    order = rng.permutation(source.size)
    flow = flows_on_forest(
        source[order], target[order], masses, lambda i, j: np.zeros((n, m))[i, j]
    )
    found = {(i, j): mass for i, j, mass in zip(*flow, strict=True)}
    assert found == {(i, j): k for i, j, k in zip(source, target, known.mass, strict=True)}


@given(st.integers(0, 2**32 - 1))
def test_whatever_the_support_the_marginals_hold(seed):
    rng = np.random.default_rng(seed)
    n, m = (int(k) for k in rng.integers(1, 8, 2))
    a, b = rng.integers(1, 100, n) * 1, rng.integers(1, 100, m) * 1
    masses = Marginals(a * b.sum(), b * a.sum(), int(a.sum() * b.sum()))
    known = north_west(masses.supply, masses.demand)
    kept = rng.random(known.mass.size) < 0.5
    cost = rng.random((n, m))
    support = known.source[kept], known.target[kept]
    flow = flows_on_forest(*support, masses, lambda i, j: cost[i, j])
    assert (flow.mass > 0).all()
    assert _sums(flow, n, m) == (masses.supply.tolist(), masses.demand.tolist())


def test_leftovers_go_the_cheapest_way():
    masses = Marginals(np.array([2, 1]), np.array([1, 2]), 3)
    nothing = np.zeros(0, dtype=np.int64)
    cost = np.array([[5.0, 1.0], [0.0, 9.0]])
    flow = flows_on_forest(nothing, nothing, masses, lambda i, j: cost[i, j])
    moved = sorted((int(i), int(j), int(k)) for i, j, k in zip(*flow, strict=True))
    assert moved == [(0, 1, 2), (1, 0, 1)]


@given(st.integers(0, 2**32 - 1))
def test_cancellation_leaves_the_exact_difference(seed):
    rng = np.random.default_rng(seed)
    n, m = (int(k) for k in rng.integers(1, 9, 2))
    x, y = rng.integers(0, 3, (n, 2)) * 1.0, rng.integers(0, 3, (m, 2)) * 1.0
    a, b = rng.random(n) + 1e-3, rng.random(m) + 1e-3
    masses = marginals(a, n, b, m)
    residual = cancel(x, y, masses)
    exact = {}
    for points, weights, sign in ((x, exact_masses(a, n), 1), (y, exact_masses(b, m), -1)):
        for point, weight in zip(points, weights, strict=True):
            exact[tuple(point)] = exact.get(tuple(point), 0) + sign * weight
    sides = (
        (residual.sources, residual.marginals.supply, 1),
        (residual.sinks, residual.marginals.demand, -1),
    )
    found = {
        tuple(residual.atoms[k]): sign * Fraction(int(mass), masses.total)
        for atoms, numerators, sign in sides
        for k, mass in zip(atoms, numerators, strict=True)
    }
    assert found == {point: rest for point, rest in exact.items() if rest}

    moved = residual.marginals
    flow = north_west(moved.supply, moved.demand) if moved.total else Flow(*(moved.supply[:0],) * 3)
    whole = expand(flow._replace(
        source=flow.source.astype(int), target=flow.target.astype(int)
    ), residual, masses)  # fmt: skip
    assert _sums(whole, n, m) == (masses.supply.tolist(), masses.demand.tolist())
    stays = sum(k for i, j, k in zip(*whole, strict=True) if (x[i] == y[j]).all())
    assert stays >= int(residual.stays.sum())
