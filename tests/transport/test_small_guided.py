"""Few points in many coordinates: bounds guide the simplex, true distances decide."""

from typing import Any

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from divergences import optimal_transport, wasserstein1
from divergences.transport import (
    _dense_bounds,
    _distances,
    _small,
    _small_guided,
    _small_matrix,
)
from divergences.transport._masses import Marginals

_KINDS = ("normal", "low rank", "clusters", "bits", "far from the origin")


def _clouds(kind: str, n: int, m: int, d: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.3
    if kind == "low rank":
        base = rng.normal(size=(3, d))
        x, y = x[:, :3] @ base + 0.01 * x, y[:, :3] @ base + 0.01 * y
    elif kind == "clusters":
        centres = 100.0 * rng.normal(size=(4, d))
        x, y = x + centres[rng.integers(4, size=n)], y + centres[rng.integers(4, size=m)]
    elif kind == "bits":  # distances are the roots of a few integers: many ties
        x, y = np.sign(x), 2 * np.sign(y) + 0.5
    elif kind == "far from the origin":
        x, y = 1e-3 * x + 1e6, 1e-3 * y + 1e6
    return x, y


def _masses(n: int, m: int, rng: np.random.Generator) -> Marginals:
    supply, demand = (rng.integers(1, 2**40, size=size) for size in (n, m))
    supply[0] += max(0, int(demand.sum() - supply.sum()))
    demand[0] += max(0, int(supply.sum() - demand.sum()))
    return Marginals(supply, demand, int(supply.sum()))


@settings(max_examples=25)
@given(
    st.sampled_from(_KINDS), st.integers(2, 60), st.integers(2, 60), st.integers(16, 70),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_plan_is_optimal_for_the_distances(
    kind: str, n: int, m: int, d: int, seed: int
) -> None:
    x, y = _clouds(kind, n, m, d, seed)
    masses = _masses(n, m, np.random.default_rng(seed))
    found = _small_guided.solve(x, y, masses)
    assert found is not None
    cost, total = cdist(x, y), masses.total
    np.testing.assert_array_equal(np.bincount(found.flow.source, found.flow.mass, n), masses.supply)
    np.testing.assert_array_equal(np.bincount(found.flow.target, found.flow.mass, m), masses.demand)
    value = float(cost[found.flow.source, found.flow.target] @ (found.flow.mass / total))
    dual = found.u @ (masses.supply / total) + found.v @ (masses.demand / total)
    size = np.abs(x).max() * np.sqrt(d)  # what coordinates are rounded by
    assert abs(value - dual) <= found.error + 1e-14 * cost.max() + 2**-50 * size
    assert (cost - found.u[:, None] - found.v).min() >= -found.error - 2**-50 * size
    best = ot.emd2(masses.supply / total, masses.demand / total, cost, numItermax=10**7)
    assert value == pytest.approx(best, rel=1e-9)
    assert 0.999 * cost.max() <= found.largest <= cost.max()


def test_true_distances_decide_whatever_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _clouds("normal", 40, 50, 20, 1)
    masses = _masses(40, 50, np.random.default_rng(2))
    expected = _small_guided.solve(x, y, masses)
    honest, rng = _dense_bounds.lower_bounds, np.random.default_rng(3)

    def poor(*arguments: Any) -> None:
        honest(*arguments)
        arguments[-1][:] *= rng.uniform(0.7, 1.0, arguments[-1].shape).astype(np.float32)

    monkeypatch.setattr(_dense_bounds, "lower_bounds", poor)
    found = _small_guided.solve(x, y, masses)
    assert expected is not None
    assert found is not None
    assert sorted(zip(*found.flow, strict=True)) == sorted(zip(*expected.flow, strict=True))


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("guided", [False, True])
def test_results_verify_and_equal_an_oracle(
    kind: str, weighted: bool, guided: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_small, "_COORDINATES_OF_GUIDE", 0 if guided else 2**60)
    n, m, d = (230, 230, 24) if not weighted else (230, 190, 24)
    x, y = _clouds(kind, n, m, d, 5)
    rng = np.random.default_rng(6)
    a, b = (rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))) if weighted else (None, None)
    result = optimal_transport(x, y, a, b)
    result.verify()
    cost = cdist(x, y)
    if weighted:
        expected = ot.emd2(a, b, cost, numItermax=10**7)
    else:
        expected = float(cost[linear_sum_assignment(cost)].mean())
    assert result.value == pytest.approx(expected, rel=1e-11)
    assert wasserstein1(x, y, a, b) == result.value


@pytest.mark.parametrize("kind", _KINDS)
def test_a_value_has_the_bits_of_the_plan_that_comes_without_the_kernel(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = _clouds(kind, 120, 120, 100, 7)
    monkeypatch.setattr(_small_matrix, "kernel_pays", lambda n, m: False)
    before = wasserstein1(x, y)
    monkeypatch.setattr(_small_matrix, "kernel_pays", lambda n, m: True)
    asked = []
    honest = _distances.matrix
    monkeypatch.setattr(_distances, "matrix", lambda *given: asked.append(True) or honest(*given))
    assert wasserstein1(x, y) == before
    assert asked


def test_points_in_common_are_left_to_the_general_way() -> None:
    x, y = _clouds("normal", 50, 50, 30, 8)
    y[3] = x[4]
    masses = Marginals(np.ones(50, dtype=np.int64), np.ones(50, dtype=np.int64), 50)
    assert _small_guided.solve(x, y, masses) is None
    result = optimal_transport(x, y)
    result.verify()
    cost = cdist(x, y)
    assert result.value == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-13)


@pytest.mark.parametrize("spread", [0.0, 1e-12])
def test_points_that_bounds_do_not_tell_apart_are_left_to_it_too(spread: float) -> None:
    """Samples of a generator that makes one point: the value is their mean distance."""
    x, y = _clouds("normal", 120, 120, 64, 9)
    y = y[:1] + spread * np.random.default_rng(0).normal(size=y.shape)
    masses = Marginals(np.ones(120, dtype=np.int64), np.ones(120, dtype=np.int64), 120)
    assert _small_guided.solve(x, y, masses) is None
    expected = cdist(x, y[:1]).mean()
    assert wasserstein1(x, y) == pytest.approx(expected, rel=1e-13 + 10 * spread)
    result = optimal_transport(x, y)
    result.verify()
    assert result.value == wasserstein1(x, y)


def test_the_check_of_points_in_many_coordinates_takes_little_memory() -> None:
    from tracemalloc import get_traced_memory, start, stop

    x, y = _clouds("normal", 90, 300, 500, 9)
    result = optimal_transport(x, y)
    start()
    try:
        result.verify()
        peak = get_traced_memory()[1]
    finally:
        stop()
    assert peak < 40 * 2**20  # all pairs at once would take hundreds


@pytest.mark.parametrize("shape", [(1, 1, 16), (2, 3, 17), (65, 130, 40), (7, 200, 800)])
def test_compiled_distances(shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    n, m, d = shape
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(n, d)) + 1e3, rng.normal(size=(d, m)).T + 1e3
    found = _distances.matrix(x, y)
    exact = np.sqrt(((x[:, None].astype(np.longdouble) - y) ** 2).sum(axis=2))
    assert np.abs(found / exact - 1).max() < 1e-15
    monkeypatch.setattr(_distances, "_SERIAL", 0)
    np.testing.assert_array_equal(_distances.matrix(x, y), found)


@pytest.mark.parametrize("seed", [10, 16, 18, 28, 44])
@pytest.mark.parametrize("weighted", [False, True])
def test_ties_have_the_bits_of_the_plan_that_comes_without_the_kernel(
    seed: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points on one line in space: many plans of one cost, which rounding tells apart."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=50)
    x, y = np.sort(rng.random(90))[:, None] * direction, rng.random(90)[:, None] * direction
    a, b = (rng.dirichlet(np.ones(90)), rng.dirichlet(np.ones(90))) if weighted else (None, None)
    values = []
    for at_hand in (False, True):
        monkeypatch.setattr(_small_matrix, "kernel_pays", lambda n, m, at_hand=at_hand: at_hand)
        values.append(wasserstein1(x, y, a, b))
    assert values[0] == values[1]
