"""Distances against mpmath, at every scale."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch

from divergences._array import namespace
from divergences._metrics import Metric, norm, norm_matrix

from .oracles import exact_distances, exact_norm

METRICS = [
    "euclidean",
    "cityblock",
    "chebyshev",
    ("minkowski", 1.5),
    ("minkowski", 30.0),
    "angular",
]


def metric_of(given):
    if isinstance(given, tuple):
        return Metric(*given)
    orders = {"cityblock": 1.0, "chebyshev": math.inf}
    return Metric(given, orders.get(given, 2.0))


def clouds(rng, dimension):
    """Points at one scale, at mixed scales, and pairs that nearly or fully coincide."""
    x = rng.normal(size=(6, dimension))
    far = x * 10.0 ** rng.uniform(-290, 290, size=(6, 1))
    near = x[:4] * (1 + 1e-9 * rng.normal(size=(4, dimension)))
    return np.concatenate([x, far]), np.concatenate([rng.normal(size=(4, dimension)), near, x[:2]])


@pytest.mark.parametrize("dimension", [1, 2, 3, 40])
@pytest.mark.parametrize("given", METRICS, ids=str)
def test_distances_are_relatively_accurate(given, dimension):
    metric = metric_of(given)
    x, y = clouds(np.random.default_rng(dimension), dimension)
    with mp.workdps(60):
        truth = exact_distances(x, y, given)
        x, y = metric.prepare(x, 1.0), metric.prepare(y, 1.0)
        matrix = metric.matrix(x, y)
        pairs = metric.pairs(x[:, None, :], y)
        for found in (matrix, pairs):
            for i, row in enumerate(truth):
                for j, exact in enumerate(row):
                    # Angles come from rounded unit vectors: accurate relatively to 1 only.
                    size = max(exact, 1) if given == "angular" else exact
                    assert abs(mp.mpf(found[i, j]) - exact) <= 40 * mp.mpf(2) ** -53 * size


@pytest.mark.parametrize("order", [1.5, 2.5, 2.7, 3.0, 10.0, 16.0, 300.0])
@pytest.mark.parametrize("dimension", [2, 7, 40])
def test_many_distances_of_any_order_are_those_of_their_vectors(order, dimension):
    rng = np.random.default_rng(dimension)
    x = rng.normal(size=(90, dimension)) * 10.0 ** rng.uniform(-290, 290, size=(90, 1))
    y = np.concatenate([x[:70] * (1 + 1e-9 * rng.normal(size=(70, dimension))), x[20:], 0 * x[:1]])
    with np.errstate(under="ignore"):
        found, expected = norm_matrix(x, y, order), norm(x[:, None] - y, order)
    np.testing.assert_allclose(found, expected, rtol=1e-15 * (1 + math.log2(dimension)))
    assert (found[np.arange(20, 90), np.arange(70, 140)] == 0).all()


def test_two_coordinates_are_accurate_to_an_ulp():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    found = norm_matrix(x, y, 2.0)
    with mp.workdps(40):
        truth = np.array(exact_distances(x, y, "euclidean"))
        rounding = mp.mpf(2) ** -51
        assert (np.abs(np.vectorize(mp.mpf)(found) - truth) <= rounding * truth).all()


@pytest.mark.parametrize("order", [1.0, 1.7, 2.0, 5.0, 400.0, math.inf])
@pytest.mark.parametrize("scale", [5e-324, 1e-320, 1e-200, 1e200, 1e307])
def test_norms_neither_overflow_nor_underflow(order, scale):
    vector = np.array([3.0, -4.0, 0.0])
    with mp.workdps(40):
        exact = exact_norm([mp.mpf(c) for c in vector * scale], order)
        error = abs(mp.mpf(float(norm(vector * scale, order))) - exact)
        assert error <= 8 * mp.mpf(2) ** -53 * exact + mp.mpf(2) ** -1074
    assert norm(np.zeros(3), order) == 0


@pytest.mark.parametrize("given", METRICS, ids=str)
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_tensor_pairs_agree_and_differentiate(given, dimension):
    metric = metric_of(given)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(8, dimension)), rng.normal(size=(8, dimension))
    tensors = [torch.tensor(cloud, requires_grad=True) for cloud in (x, y)]
    values = metric.tensor_pairs(namespace(tensors[0]), *tensors)
    expected = metric.pairs(metric.prepare(x, 1.0), metric.prepare(y, 1.0))
    np.testing.assert_allclose(values.detach().numpy(), expected, rtol=1e-13, atol=1e-14)
    if dimension > 1 or given != "angular":
        assert torch.autograd.gradcheck(
            lambda p, q: metric.tensor_pairs(namespace(tensors[0]), p, q), tensors
        )


@pytest.mark.parametrize("given", METRICS, ids=str)
def test_coinciding_points_have_derivative_zero(given):
    metric = metric_of(given)
    x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], requires_grad=True)
    y = x.detach().clone()
    distances = metric.tensor_pairs(namespace(x), x, y)
    assert (distances == 0).all()
    distances.sum().backward()
    assert (x.grad == 0).all()


def test_scale_is_a_power_of_two_and_leaves_ordinary_points_alone():
    metric = Metric("euclidean")
    assert metric.scale(np.array([[1e-100]]), np.array([[1e200]])) == 1.0
    for size in (5e-324, 1e-200, 1.7e308):
        scale = metric.scale(np.array([[size]]))
        assert math.frexp(scale)[0] == 0.5
        assert size * scale / scale == size
        assert 1e-175 < size * scale < 1e290
    assert Metric("angular").scale(np.array([[1e-320]])) == 1.0
