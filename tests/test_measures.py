"""Discrete laws: matching of atoms, immutability."""

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
import torch

from divergences import Discrete, Normal, js_divergence, kl_divergence, total_variation


def test_atoms_are_matched_by_coordinates_and_duplicates_merged():
    p = Discrete([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]], [0.25, 0.5, 0.25])
    q = Discrete([[2.0, 3.0], [-0.0, 1.0]])
    assert total_variation(p, q) == 0.0
    assert kl_divergence(p, q) == 0.0
    assert js_divergence(p, Discrete([[2.0, 3.0], [5.0, 5.0]])) == pytest.approx(
        float(js_divergence([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])), rel=1e-15
    )


def test_a_permuted_copy_is_at_distance_exactly_zero():
    rng = np.random.default_rng(2)
    points = rng.integers(0, 5, size=(400, 2)).astype(float)  # many duplicates
    weights = rng.dirichlet(np.ones(400))
    order = rng.permutation(400)
    p, q = Discrete(points, weights), Discrete(points[order], weights[order])
    assert total_variation(p, q) == kl_divergence(p, q) == js_divergence(p, q) == 0.0


def test_disjoint_atoms_have_the_values_of_example_1():
    p, q = Discrete([[0.0, 0.3], [0.0, 0.7]]), Discrete([[1e-300, 0.3], [1e-300, 0.7]])
    assert total_variation(p, q) == 1.0
    assert js_divergence(p, q) == math.log(2.0)
    assert kl_divergence(p, q) == kl_divergence(q, p) == math.inf


def test_laws_are_frozen_copies():
    points = np.zeros((2, 1))
    law = Discrete(points)
    points[0] = 5.0
    assert law.points[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        law.points[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        law.points = points
    assert (len(law), law.dimension) == (2, 1)
    for twin in (copy.deepcopy(law), pickle.loads(pickle.dumps(law))):
        np.testing.assert_array_equal(twin.points, law.points)


def test_tensor_laws_keep_their_graph():
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    points = torch.arange(3.0)

    def of_weights(logits):
        return js_divergence(
            Discrete(points, logits.softmax(0)),
            Discrete(points[[0, 2, 2]], torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)),
        )

    assert torch.autograd.gradcheck(of_weights, (logits + 0.1 * points,))


def test_a_law_against_an_array_or_another_dimension_is_refused():
    with pytest.raises(TypeError, match="total_variation: q must be a law like the other argument"):
        total_variation(Discrete([0.0]), [1.0])
    with pytest.raises(TypeError, match="kl_divergence: p must be a law"):
        kl_divergence([1.0], Normal(0, 1))
    with pytest.raises(
        ValueError, match="p and q must have points of the same dimension; got 1 and 2"
    ):
        total_variation(Discrete([0.0]), Discrete([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="must have points of the same dimension; got 2 and 1"):
        total_variation(Discrete([[0.0, 1.0]]), Normal(0, 1))
