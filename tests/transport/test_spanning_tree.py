"""Invariants of the basis after every single pivot, on problems full of ties."""

import numpy as np
import pytest

from divergences.transport import _spanning_tree as st
from divergences.transport._masses import north_west
from divergences.transport._network_simplex import add_all, no_candidates, run


def check(tree, n, supply, demand):
    """One tree, its sizes, conservation of mass, and no empty arc away from the root."""
    links, root = tree.links, len(tree.flow) - 1
    order = st.preorder(links, root)
    assert sorted(order) == list(range(root + 1))
    size, balance = np.ones(root + 1, dtype=int), np.zeros(root + 1, dtype=int)
    for u in order[:0:-1]:
        parent = links[u, st.PARENT]
        size[parent] += size[u]
        away = tree.flow[u] if links[u, st.IS_SOURCE] else -tree.flow[u]
        balance[u] += away
        balance[parent] -= away
    np.testing.assert_array_equal(links[:, st.SIZE], size)
    np.testing.assert_array_equal(balance, [*supply, *(-demand), 0])
    assert tree.flow.min() >= 0
    empty = np.nonzero(tree.flow[:root] == 0)[0]
    assert (empty < n).all(), "strongly feasible: only a source may hang by an arc without flow"


@pytest.mark.parametrize("seed", range(6))
def test_every_pivot_keeps_a_strongly_feasible_tree(seed):
    rng = np.random.default_rng(seed)
    n, m = 24, 18
    x, y = (rng.integers(0, 4, (count, 2)).astype(float) for count in (n, m))
    supply, demand = np.full(n, 3), np.full(m, 4)
    flow = north_west(supply, demand)
    tree = st.SpanningTree(*st.grow(*flow, (n, m), np.zeros(n)))
    renumbered, label = st.renumber(tree, st.preorder(tree.links, n + m))
    st.refresh(renumbered.links, renumbered.potential, x, y, 2.0)
    tree.potential[:] = renumbered.potential[label[:-1]]
    check(tree, n, supply, demand)
    lists = no_candidates(n, m)
    i, j = (index.ravel() for index in np.indices((n, m)))
    add_all(*lists[1:], tree.links, tree.potential, i, j, x, y, 2.0)
    first, pivots, empty_ones = 0, 0, 0
    while True:
        before = tree.flow.copy()
        made, first = run(*lists, *tree, n + m, first, 1e-12, 1)
        if not made:
            break
        pivots += 1
        empty_ones += bool((np.sort(before) == np.sort(tree.flow)).all())
        check(tree, n, supply, demand)
        assert pivots < 2000
    assert empty_ones, "the problem has degenerate pivots"
    f, g = tree.potential[:n], tree.potential[n : n + m]
    cost = np.linalg.norm(x[:, None] - y, axis=-1)
    assert (cost - f[:, None] + g).min() >= -1e-12
    primal = sum(tree.flow[u] * cost[min(u, p), max(u, p) - n]
                 for u, p in enumerate(tree.links[: n + m, st.PARENT]) if p < n + m)  # fmt: skip
    assert primal == pytest.approx(supply @ f - demand @ g, rel=1e-12)
