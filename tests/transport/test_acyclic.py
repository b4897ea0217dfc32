"""Flows without cycles keep marginals and cost no more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from divergences.transport._acyclic import acyclic


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 60), st.integers(0, 10**6))
def test_a_forest_of_the_same_marginals_at_no_more_cost(n, m, count, seed):
    """With ties in costs and masses, and the same pair many times."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, n, count), rng.integers(0, m, count)
    mass, costs = rng.integers(1, 4, count), rng.integers(0, 5, (n, m))
    rows, columns, flow, lengths = acyclic(source, target, mass, costs[source, target], n, m)
    assert (flow > 0).all()
    for before, after, size in ((source, rows, n), (target, columns, m)):
        np.testing.assert_array_equal(
            np.bincount(before, mass, size), np.bincount(after, flow, size)
        )
    np.testing.assert_array_equal(lengths, costs[rows, columns])
    assert flow @ lengths <= mass @ costs[source, target]
    group = list(range(n + m))

    def root(u):
        while group[u] != u:
            u = group[u]
        return u

    for i, j in zip(rows, columns + n, strict=True):
        one, other = root(i), root(j)
        assert one != other, "a cycle"
        group[one] = other


@pytest.mark.parametrize("cheaper", [0, 1])
def test_a_square_keeps_its_cheaper_diagonal(cheaper):
    costs = np.array([[1, 2], [2, 1]]) if cheaper == 0 else np.array([[2, 1], [1, 2]])
    i, j = np.indices((2, 2)).reshape(2, -1)
    rows, columns, flow, _ = acyclic(i, j, np.full(4, 5), costs.ravel(), 2, 2)
    found = {(int(a), int(b)): int(f) for a, b, f in zip(rows, columns, flow, strict=True)}
    assert found == {(0, cheaper): 10, (1, 1 - cheaper): 10}
