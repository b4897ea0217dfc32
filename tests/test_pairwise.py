"""Energy distance, kernel discrepancies, sliced Wasserstein-1."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import energy_distance as scipy_energy

from divergences import (
    Discrete,
    energy_distance,
    maximum_mean_discrepancy,
    sliced_wasserstein1,
    squared_maximum_mean_discrepancy_unbiased,
    squared_polynomial_discrepancy_unbiased,
    total_variation,
    wasserstein1,
)

BANDWIDTH = 0.7


def _sliced(x, y, *weights):
    return sliced_wasserstein1(x, y, *weights, projections=7, rng=np.random.default_rng(0))


def _gaussian(x, y, *weights):
    return maximum_mean_discrepancy(x, y, *weights, bandwidth=BANDWIDTH)


def _gaussian_unbiased(x, y):
    return squared_maximum_mean_discrepancy_unbiased(x, y, bandwidth=BANDWIDTH)


WEIGHTED = {"energy": energy_distance, "gaussian": _gaussian, "sliced": _sliced}
UNWEIGHTED = {
    "gaussian unbiased": _gaussian_unbiased,
    "polynomial unbiased": squared_polynomial_discrepancy_unbiased,
}
ALL = WEIGHTED | UNWEIGHTED


def _clouds(seed=0, n=5, m=7, d=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5


def _kernel_means(kernel, x, y, unbiased):
    def mean(a, b, own):
        values = [[kernel(u, v) for v in b] for u in a]
        total = math.fsum(value for row in values for value in row)
        if own and unbiased:
            total -= math.fsum(values[i][i] for i in range(len(a)))
            return total / (len(a) * (len(a) - 1))
        return total / (len(a) * len(b))

    return mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)


def test_against_the_definitions():
    x, y = _clouds()
    gaussian = lambda u, v: math.exp(-(math.dist(u, v) ** 2) / (2 * BANDWIDTH**2))  # noqa: E731
    cubic = lambda u, v: (float(u @ v) / 3 + 1) ** 3  # noqa: E731
    minus_distance = lambda u, v: -math.dist(u, v)  # noqa: E731
    for value, kernel, unbiased in (
        (energy_distance(x, y), minus_distance, False),
        (_gaussian(x, y) ** 2, gaussian, False),
        (_gaussian_unbiased(x, y), gaussian, True),
        (squared_polynomial_discrepancy_unbiased(x, y), cubic, True),
    ):
        assert value == pytest.approx(_kernel_means(kernel, x, y, unbiased), rel=1e-12, abs=1e-14)


def test_energy_on_the_line_is_the_square_of_scipy_s():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=4), rng.normal(size=6)
    a, b = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(6))
    assert energy_distance(x, y, a, b) == pytest.approx(scipy_energy(x, y, a, b) ** 2, rel=1e-12)


def test_unbiased_estimates_are_unbiased_by_exhaustion():
    """The mean over all samples of two with replacement is the value of the law itself."""
    points = np.array([[0.0], [0.4], [1.5]])
    y = np.array([[0.2], [0.9]])
    mean = np.mean([[_gaussian_unbiased(points[[i, j]], y) for i in range(3)] for j in range(3)])
    cross = np.exp(-((points - y.T) ** 2) / (2 * BANDWIDTH**2)).mean()
    within = np.mean(np.exp(-((points - points.T) ** 2) / (2 * BANDWIDTH**2)))
    own = math.exp(-(0.7**2) / (2 * BANDWIDTH**2))
    assert mean == pytest.approx(within + own - 2 * cross, rel=1e-12)


def test_bounds_by_wasserstein_and_total_variation():
    for seed in range(10):
        x, y = _clouds(seed)
        exact = wasserstein1(x, y)
        assert energy_distance(x, y) <= 2 * exact
        assert _gaussian(x, y) <= exact / BANDWIDTH
        assert _gaussian(x, y) <= math.sqrt(2) * total_variation(Discrete(x), Discrete(y))
        assert _sliced(x, y) <= exact


@pytest.mark.parametrize("name", WEIGHTED)
def test_equal_laws_and_ways_of_writing_them(name):
    function = WEIGHTED[name]
    x, y = _clouds()
    assert function(x, x) == 0.0
    assert function(x, y) == pytest.approx(function(y, x), rel=1e-13)
    twice = np.concatenate([x, x[:2]])
    weights = np.array([2, 2, 1, 1, 1, 0, 0]) / 7
    listed = function(np.concatenate([x, y[:2]]), y, weights)
    assert listed == pytest.approx(function(twice, y), rel=1e-12)
    assert function(Discrete(x), Discrete(y)) == pytest.approx(function(x, y), rel=1e-13)


def test_sliced_on_the_line_is_exact():
    rng = np.random.default_rng(2)
    x, y, a = rng.normal(size=5), rng.normal(size=8), rng.dirichlet([1] * 5)
    assert _sliced(x, y) == pytest.approx(wasserstein1(x, y), rel=1e-13)
    assert _sliced(x, y, a) == pytest.approx(wasserstein1(x, y, a), rel=1e-13)
    assert _sliced(x, x + 3.0) == pytest.approx(3.0, rel=1e-15)


def test_sliced_is_the_mean_over_its_directions():
    x, y = _clouds()
    directions = np.random.default_rng(0).normal(size=(7, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    expected = np.mean([wasserstein1(x @ way, y @ way) for way in directions])
    assert _sliced(x, y) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ALL)
def test_batches_libraries_and_dtypes(name):
    function = ALL[name]
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 6, 3))
    expected = [function(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(function(x, y), expected, rtol=1e-13)
    np.testing.assert_allclose(function(x, y[1]), [function(a, y[1]) for a in x], rtol=1e-13)
    tensors = function(torch.from_numpy(x), torch.from_numpy(y))
    np.testing.assert_allclose(tensors, expected, rtol=1e-13)
    single = function(x[0].astype(np.float32), y[0].astype(np.float32))
    assert type(single) is np.float32
    assert type(function(x[0].tolist(), y[0].tolist())) is np.float64


@pytest.mark.parametrize("name", ALL)
def test_gradients(name):
    function = ALL[name]
    x, y = (torch.from_numpy(cloud).requires_grad_() for cloud in _clouds(4, 3, 4, 2))
    assert torch.autograd.gradcheck(function, (x, y))
    if name in WEIGHTED:
        weights = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert torch.autograd.gradcheck(
            lambda points, logits: function(points, y, logits.softmax(0)),
            (x, weights.requires_grad_()),
        )
    if name != "sliced":
        assert torch.autograd.gradgradcheck(function, (x, y))
    same = x.detach().clone().requires_grad_()
    gradients = torch.autograd.grad(function(x, same), (x, same))
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)
    batch = torch.randn(5, 4, 2, dtype=torch.float64), torch.randn(5, 3, 2, dtype=torch.float64)
    if name != "sliced":  # a generator is state, which vmap does not carry
        torch.testing.assert_close(torch.vmap(function)(*batch), function(*batch))


@pytest.mark.parametrize("name", ALL)
def test_bad_points_are_refused(name):
    for bad, message in (
        ([[0.0, math.nan]], "x must be finite"),
        (np.zeros((0, 2)), "x must hold at least one point"),
        (np.zeros((3, 4)), "x and y must have points of the same dimension"),
    ):
        with pytest.raises(ValueError, match=message):
            ALL[name](bad, np.zeros((3, 2)))


def test_bad_options_are_refused():
    x = np.zeros((1, 2))
    with pytest.raises(ValueError, match="x must hold at least 2 points"):
        _gaussian_unbiased(x, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="bandwidth must be a positive"):
        maximum_mean_discrepancy(x, x, bandwidth=0.0)
    with pytest.raises(ValueError, match="degree must be"):
        squared_polynomial_discrepancy_unbiased(np.zeros(3), np.zeros(3), degree=0)
    for projections, error in ((0, ValueError), (2.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match="projections must be"):
            sliced_wasserstein1(x, x, projections=projections, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="rng must be a numpy"):
        sliced_wasserstein1(x, x, projections=2, rng=0)
    with pytest.raises(ValueError, match="x_weights must sum to 1"):
        energy_distance(np.zeros(2), np.zeros(2), [0.5, 0.6])
