"""Invariants of the basis after every single pivot, on problems full of ties."""

import numpy as np
import pytest

from divergences.transport import _network_simplex as ns
from divergences.transport import _spanning_tree as st
from divergences.transport._masses import north_west
from divergences.transport._network_simplex import TOLERANCE, add_all, no_candidates, run


def check(tree, n, supply, demand):
    """One tree, its sizes, conservation of mass, and no empty arc away from the root."""
    nodes, label = tree.nodes, tree.label
    count = len(label)
    origin, parent, flow = (nodes[:, k] for k in (st.ORIGIN, st.PARENT, st.FLOW))
    np.testing.assert_array_equal(origin[label], np.arange(count))
    assert parent[0] == st.NONE
    children = [[] for _ in range(count)]
    for u in range(1, count):
        children[parent[u]].append(u)
    for u in range(count):
        chain, v = [], nodes[u, st.CHILD]
        while v != st.NONE:
            assert nodes[v, st.PREVIOUS] == (chain[-1] if chain else st.NONE)
            chain.append(v)
            v = nodes[v, st.NEXT]
        assert sorted(chain) == children[u]
    order, stack = [], [0]
    while stack:
        order.append(stack.pop())
        stack += children[order[-1]]
    assert len(order) == count, "every node hangs from the root"
    size, balance = np.ones(count, dtype=int), np.zeros(count, dtype=int)
    for u in order[:0:-1]:
        size[parent[u]] += size[u]
        away = flow[u] if origin[u] < n else -flow[u]
        balance[origin[u]] += away
        balance[origin[parent[u]]] -= away
    np.testing.assert_array_equal(nodes[:, st.SIZE], size)
    np.testing.assert_array_equal(balance, [*supply, *(-demand), 0])
    assert flow.min() >= 0
    empty = origin[1:][flow[1:] == 0]
    assert (empty < n).all(), "strongly feasible: only a source may hang by an arc without flow"


def problem(seed, n=24, m=18):
    """A tree to start from on a lattice, and lists of all arcs."""
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(0, 4, (count, 2)).astype(float) / 4 for count in (n, m))
    supply, demand = np.full(n, 3 * m // 2), np.full(m, 3 * n // 2)
    cost = np.linalg.norm(x[:, None] - y, axis=-1)
    flow = north_west(supply, demand)
    lengths = st.in_units(cost[flow.source, flow.target])
    nodes = st.grow(*flow, lengths, m, st.in_units(rng.random(n)))
    tree = st.in_preorder(nodes, n, n + m)
    lists = no_candidates(n, m)
    i, j = (index.ravel() for index in np.indices((n, m)))
    add_all(*lists, tree.potential, i, j, st.in_units(cost.ravel()))
    return tree, lists, cost, supply, demand


def check_optimal(tree, cost, supply, demand):
    n, m = cost.shape
    f, g = tree.potential[:n] / st.UNITS, tree.potential[n : n + m] / st.UNITS
    assert (cost - f[:, None] + g).min() >= -1e-14
    primal = 0.0
    for mass, child, parent in zip(
        tree.nodes[1:, st.FLOW], tree.nodes[1:, st.ORIGIN],
        tree.nodes[tree.nodes[1:, st.PARENT], st.ORIGIN], strict=True,
    ):  # fmt: skip
        if mass:
            primal += mass * cost[min(child, parent), max(child, parent) - n]
    assert primal == pytest.approx(supply @ f - demand @ g, rel=1e-12)


@pytest.mark.parametrize("at_once", [0, 5, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_every_pivot_keeps_a_strongly_feasible_tree(seed, at_once):
    """Whether potentials are moved at once or left to the next renumbering."""
    tree, lists, cost, supply, demand = problem(seed)
    n = len(supply)
    check(tree, n, supply, demand)
    first, pivots, degenerate, late = 0, 0, 0, 0
    while True:
        before = np.sort(tree.nodes[:, st.FLOW])
        made, first, outdated = run(*lists, *tree, first, 1, at_once, 10**6, TOLERANCE)
        if made:
            pivots += 1
            check(tree, n, supply, demand)
            degenerate += bool((before == np.sort(tree.nodes[:, st.FLOW])).all())
        late += outdated
        exact = st.in_preorder(tree.nodes, n, 0)
        if not outdated:
            shifted = tree.potential - tree.potential[-1]  # the root's is 0 up to a constant
            np.testing.assert_array_equal(exact.potential, shifted)
        tree = exact
        if not made:
            break
        assert pivots < 5000
    assert degenerate, "the problem has pivots that move no mass"
    assert bool(late) == (at_once < 20)
    check_optimal(tree, cost, supply, demand)


@pytest.mark.parametrize("seed", range(4))
def test_outdated_potentials_do_not_end_the_search_too_early(seed, monkeypatch):
    """No potential of a large subtree is moved, and a stage gives up at the first vain search."""
    monkeypatch.setattr(ns, "_AT_ONCE", 0.0)
    monkeypatch.setattr(ns, "_VAIN", 0.0)
    monkeypatch.setattr(ns, "_LEAST_VAIN", 1)
    tree, lists, cost, supply, demand = problem(seed, 60, 40)
    for stage in ns.optimise(tree, lists):
        tree = stage
        check(tree, len(supply), supply, demand)
    check_optimal(tree, cost, supply, demand)


def test_an_arc_that_is_not_negative_is_refused():
    """Though the outdated potentials say that it is."""
    tree, lists, cost, supply, _ = problem(0)
    for stage in ns.optimise(tree, lists):
        tree = stage
    before = tree.nodes.copy()
    tree.potential[:] = 0
    tree.potential[0] = st.in_units(np.array(10.0))
    label = tree.label
    made = st.pivot(
        tree.nodes, tree.potential, len(supply), label[0], label[len(supply)],
        int(st.in_units(cost[0, 0])), ns.TOLERANCE, 1000,
    )  # fmt: skip
    assert made == st.REFUSED
    np.testing.assert_array_equal(tree.nodes, before)
