"""Laws on labels, and atoms matched among many."""

import numpy as np
import pytest

from divergences import Discrete, kl_divergence, labelled, total_variation


def test_labels_match_by_equality_and_duplicates_merge():
    p, q = labelled({"a": 0.5, ("b", 1): 0.25, 3: 0.25}, [3, "a", "c", "a"])
    assert total_variation(p, q) == 0.25
    assert total_variation(*labelled(["x", "y"], {"y": 0.5, "x": 0.5})) == 0.0
    assert total_variation(*labelled(np.array(["x", "y"]), {"y": 0.5, "x": 0.5})) == 0.0


@pytest.mark.parametrize(
    ("law", "error", "message"),
    [
        ("cat", TypeError, "labelled: argument 1 must be a mapping"),
        (3, TypeError, "labelled: argument 1 must be a mapping"),
        ([], ValueError, "labelled: argument 1 must hold at least one label"),
        ([[1], [2]], TypeError, "labelled: argument 1 must hold hashable labels"),
        ({"a": 0.5}, ValueError, "weights must sum to 1"),
        ({"a": 1.5, "b": -0.5}, ValueError, "weights must be non-negative"),
    ],
)
def test_bad_laws_on_labels(law, error, message):
    with pytest.raises(error, match=message):
        labelled(law)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_many_atoms_are_matched_exactly(dimension):
    rng = np.random.default_rng(dimension)
    points = rng.integers(-3, 3, size=(20000, dimension)) * 0.1
    p_weights, q_weights = rng.dirichlet(np.ones(20000), size=2)
    order = rng.permutation(20000)
    p, q = Discrete(points, p_weights), Discrete(-0.0 + points[order], q_weights[order])
    masses = {}
    for point, a, b in zip(map(tuple, (points + 0.0).tolist()), p_weights, q_weights, strict=True):
        first, second = masses.get(point, (0.0, 0.0))
        masses[point] = first + a, second + b
    vectors = np.array(list(masses.values())).T
    vectors /= vectors.sum(axis=1, keepdims=True)
    assert kl_divergence(p, q) == pytest.approx(kl_divergence(*vectors), rel=1e-9)


def test_points_that_differ_by_an_ulp_are_different():
    near = np.nextafter(1.0, 2.0)
    assert total_variation(Discrete([1.0]), Discrete([near])) == 1.0
    assert total_variation(Discrete([0.0]), Discrete([-0.0])) == 0.0
