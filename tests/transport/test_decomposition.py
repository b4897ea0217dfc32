"""Parts of a plan made optimal on their own."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from divergences.transport._decomposition import sweep
from divergences.transport._masses import Flow
from divergences.transport._network_simplex import no_candidates
from divergences.transport._spanning_tree import in_units


def setting(rng, n, order=2.0):
    x, y = rng.random((n, 2)) * 0.7, rng.random((n, 2)) * 0.7
    name = {1.0: "cityblock", 2.0: "euclidean", 3.0: "minkowski", np.inf: "chebyshev"}[order]
    cost = cdist(x, y, name, **({"p": order} if name == "minkowski" else {}))
    everyone = np.arange(n)
    flow = Flow(everyone, rng.permutation(n), np.ones(n, dtype=np.int64))
    return x, y, cost, flow


def improved(x, y, order, cost, flow, part, parts, allowed=lambda: True):
    lists = no_candidates(len(x), 10)
    lengths = in_units(cost[flow.source, flow.target])
    guidance = np.zeros(len(x), dtype=np.int64)
    return sweep(x, y, order, flow, lengths, part, parts, guidance, lists, 20, allowed)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, np.inf])
def test_one_part_is_the_whole_problem(order):
    """From empty lists: pricing inside the part finds all candidates."""
    x, y, cost, flow = setting(np.random.default_rng(0), 120, order)
    better, near = improved(x, y, order, cost, flow, np.zeros(120, dtype=np.int64), 1)
    optimum = cost[linear_sum_assignment(cost)].sum()
    assert better.mass @ cost[better.source, better.target] == pytest.approx(optimum, rel=1e-12)
    assert sorted(near[:, 0]) == list(range(120))


def test_each_part_keeps_its_marginals_and_becomes_optimal():
    rng = np.random.default_rng(1)
    x, y, cost, flow = setting(rng, 200)
    part = rng.integers(0, 5, 200)
    part[part == 3] = 4  # a part may be empty
    better, near = improved(x, y, 2.0, cost, flow, part, 6)
    of_source = part  # source i has the i-th arc
    for number in range(6):
        here = np.nonzero(part == number)[0]
        there = of_source[better.source] == number
        np.testing.assert_array_equal(np.sort(better.source[there]), here)
        np.testing.assert_array_equal(np.sort(better.target[there]), np.sort(flow.target[here]))
        inner = cost[np.ix_(here, flow.target[here])]
        optimum = inner[linear_sum_assignment(inner)].sum() if here.size else 0.0
        found = cost[better.source[there], better.target[there]].sum()
        assert found == pytest.approx(optimum, rel=1e-12)
    for source, *sinks in near:
        within = set(flow.target[part == part[source]])
        assert {j for j in sinks if j >= 0} <= within


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(2)
    x, y, cost, flow = setting(rng, 400)
    part = rng.integers(0, 8, 400)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", threads)
        better, near = improved(x, y, 2.0, cost, flow, part, 8)
        found.append([*better, near])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_stay_as_they_are_once_the_time_is_over(monkeypatch):
    monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "1")
    rng = np.random.default_rng(7)
    x, y, cost, flow = setting(rng, 200)
    part, asked = rng.integers(0, 5, 200), []

    def allowed():
        asked.append(1)
        return len(asked) <= 3

    better, near = improved(x, y, 2.0, cost, flow, part, 5, allowed)
    assert len(asked) == 5
    target = np.empty(200, dtype=np.int64)
    target[better.source] = better.target
    np.testing.assert_array_equal(target[part > 2], flow.target[part > 2])
    assert set(near[:, 0]) == set(np.nonzero(part <= 2)[0])
    for number in range(3):
        here = np.nonzero(part == number)[0]
        inner = cost[np.ix_(here, flow.target[here])]
        optimum = inner[linear_sum_assignment(inner)].sum()
        assert cost[here, target[here]].sum() == pytest.approx(optimum, rel=1e-12)
