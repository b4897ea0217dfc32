"""Atoms matched up to a tolerance; ambiguous chains are refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences import Discrete, merged, total_variation


@settings(max_examples=60)
@given(st.integers(1, 3), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_jittered_copies_are_the_same_law(dimension, count, seed):
    rng = np.random.default_rng(seed)
    places = np.unique(rng.integers(0, 30, size=(count, dimension)), axis=0).astype(float)
    index = rng.integers(0, len(places), size=3 * count)
    jitter = rng.uniform(-0.1, 0.1, size=(2, len(index), dimension))
    p, q = (Discrete(places[index] + j) for j in jitter)
    first, second = merged(p, q, tolerance=0.21)
    assert total_variation(first, second) == 0.0
    assert len({tuple(x) for x in first.points}) == len(np.unique(index))
    assert total_variation(p, q) == 1.0
    near = merged(p, q, tolerance=1e-300)
    assert all(np.array_equal(a.points, b.points) for a, b in zip(near, (p, q), strict=True))


def test_atoms_take_the_place_of_the_first_and_keep_their_weights():
    p, q = Discrete([1.0, 0.0], [0.25, 0.75]), Discrete([0.01, 0.99, 5.0], [0.5, 0.25, 0.25])
    first, second = merged(p, q, tolerance=0.02)
    np.testing.assert_array_equal(first.points[:, 0], [1.0, 0.0])
    np.testing.assert_array_equal(second.points[:, 0], [0.0, 1.0, 5.0])
    np.testing.assert_array_equal(second.weights, q.weights)
    assert float(total_variation(first, second)) == 0.25


def test_chains_are_refused_and_gaps_that_no_coordinate_shows_are_found():
    with pytest.raises(ValueError, match=r"merged: tolerance must not chain atoms .* 3 atoms over"):
        merged(Discrete([0.0, 1.0]), Discrete([2.0]), tolerance=1.0)
    # Around a ring each coordinate is dense, and yet no two atoms are near.
    ring = np.array([[0, 0], [1, 3], [2, 6], [3, 1], [4, 4], [5, 7], [6, 2], [7, 5]], dtype=float)
    (same,) = merged(Discrete(ring), tolerance=1.5)
    np.testing.assert_array_equal(same.points, ring)
    with pytest.raises(ValueError, match=r"chains 5 atoms over 3\.0"):
        merged(Discrete(np.vstack([ring, ring[:1] + 1.0, ring[:1] + 2.0])), tolerance=1.0)


def test_tensors_keep_their_graph():
    weights = torch.tensor([0.25, 0.75], dtype=torch.float64, requires_grad=True)
    p = Discrete(torch.tensor([0.0, 1.0], dtype=torch.float64), weights)
    q = Discrete(torch.tensor([0.001, 1.001], dtype=torch.float64))
    value = total_variation(*merged(p, q, tolerance=0.01))
    assert value.item() == 0.25
    value.backward()
    assert weights.grad.abs().sum() > 0.0


def test_a_million_atoms():
    rng = np.random.default_rng(0)
    x = rng.permutation(1_000_000.0 + np.arange(500_000.0))
    p, q = Discrete(x), Discrete(x + 1e-4)
    assert total_variation(*merged(p, q, tolerance=1e-3)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "tolerance", "error", "message"),
    [
        (([0.0],), 1.0, TypeError, "merged: argument 1 must be a Discrete law"),
        ((Discrete([0.0]),), 0.0, ValueError, "merged: tolerance must be a positive"),
        ((Discrete([0.0]),), np.inf, ValueError, "merged: tolerance must be a positive"),
        ((Discrete([0.0]), Discrete([[0.0, 1.0]])), 1.0, ValueError, "dimension"),
        ((Discrete([0.0]), Discrete(torch.zeros(1))), 1.0, TypeError, "merged"),
    ],
)
def test_invalid_arguments(arguments, tolerance, error, message):
    with pytest.raises(error, match=message):
        merged(*arguments, tolerance=tolerance)


def test_no_laws():
    assert merged(tolerance=1.0) == ()
