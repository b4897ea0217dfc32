"""Total variation and JS of normal laws in R^d, against laws of the radius and of the line."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy.special import gammainc

from divergences import (
    MultivariateNormal,
    Normal,
    Product,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
)
from divergences.closed_forms import _normal_space
from divergences.families import from_torch


def _radius_js(dimension, variance):
    """JS of two centred balls: the ratio of their densities is a function of the radius."""
    half = mp.mpf(dimension) / 2

    def density(square, v):
        return mp.exp(-square / (2 * v)) * square ** (half - 1) / ((2 * v) ** half * mp.gamma(half))

    def integrand(square):
        p, q = density(square, mp.mpf(variance)), density(square, mp.mpf(1))
        middle = (p + q) / 2
        return (p * mp.log(p / middle) + q * mp.log(q / middle)) / 2

    top = 100 * max(variance, 1)
    return mp.quad(integrand, [1e-300, *np.geomspace(1e-3, top, 30)])


@pytest.mark.parametrize("dimension", [2, 3, 4, 7, 20])
@pytest.mark.parametrize("variance", [1.0 + 2.0**-20, 1.5, 0.25, 30.0])
def test_balls_about_one_centre(dimension, variance):
    p, q = (
        MultivariateNormal(np.zeros(dimension), variance),
        MultivariateNormal(np.zeros(dimension), 1.0),
    )
    e = variance - 1.0
    square = dimension * variance * math.log1p(e) / e
    truth = abs(
        gammainc(dimension / 2, square / 2) - gammainc(dimension / 2, square / 2 / variance)
    )
    value = total_variation(p, q)
    assert value == pytest.approx(truth, rel=2e-12, abs=4e-16)
    assert total_variation(q, p) == pytest.approx(value, rel=1e-11)
    with mp.workdps(30):
        truth = float(_radius_js(dimension, variance))
    assert js_divergence(p, q) == pytest.approx(truth, rel=1e-12)
    assert js_distance(p, q) == pytest.approx(math.sqrt(truth), rel=1e-12)


@pytest.mark.parametrize(
    ("shift", "std"),
    [
        (1.0, 1.0),
        (1e-7, 1.0),
        (0.0, 1.0 + 2.0**-30),
        (0.4, 2.0),
        (3.0, 0.2),
        (25.0, 3.0),
        (1.0, 1e3),
    ],
)
def test_one_coordinate_is_the_law_on_the_line(shift, std):
    move, excess = np.array([shift]), np.array([std * std - 1.0])
    line = Normal(shift, std), Normal(0.0, 1.0)
    js = _normal_space.of_normals("js_divergence", move, excess)
    assert js == pytest.approx(float(js_divergence(*line)), rel=1e-12)
    # In one coordinate |M| falls slowest, and what it leaves out is bounded all the same.
    variation = _normal_space.of_normals("total_variation", move, excess)
    assert variation == pytest.approx(float(total_variation(*line)), rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 3, 6, 40])
def test_general_pairs(dimension):
    rng = np.random.default_rng(dimension)
    for size in (0.02, 0.3, 1.0):
        first, second = (
            np.eye(dimension) + size * (a @ a.T) / dimension
            for a in rng.normal(size=(2, dimension, dimension))
        )
        mean = size * rng.normal(size=dimension)
        p, q = MultivariateNormal(mean, first), MultivariateNormal(np.zeros(dimension), second)
        turn = rng.normal(size=(dimension, dimension)) + 3 * np.eye(dimension)
        moved = [
            MultivariateNormal(turn @ law.mean + 1.0, turn @ np.asarray(law.matrix()) @ turn.T)
            for law in (p, q)
        ]
        for function in (total_variation, js_divergence):
            value = function(p, q)
            assert function(q, p) == pytest.approx(value, rel=1e-10)
            assert function(*moved) == pytest.approx(value, rel=1e-8)
        variation, js = total_variation(p, q), js_divergence(p, q)
        assert variation**2 / 2 <= js <= variation * math.log(2)
        assert variation <= math.sqrt(min(kl_divergence(p, q), kl_divergence(q, p)) / 2)


def test_total_variation_in_the_plane_by_both_ways():
    rng = np.random.default_rng(4)
    from divergences.closed_forms import _normal_plane

    for _ in range(5):
        shift, excess = rng.normal(size=2), np.expm1(rng.normal(size=2))
        value = _normal_space.of_normals("total_variation", shift, excess)
        assert value == pytest.approx(_normal_plane.total_variation(shift, excess), rel=5e-12)


@pytest.mark.parametrize("size", [1.0, 1e-2, 1e-5, 1e-7])
@pytest.mark.parametrize("ratio", [1.0, 1e-3, 1e-7])
def test_a_coordinate_that_hardly_differs_loses_no_digits(size, ratio):
    rng = np.random.default_rng(6)
    shift, excess = size * rng.normal(size=2), size * np.array([ratio, -0.8])
    excess = (1.0 + excess) - 1.0
    truth = _normal_space.of_normals("total_variation", shift, excess)
    for order in (slice(None), slice(None, None, -1)):
        law = MultivariateNormal(shift[order], 1.0 + excess[order])
        value = total_variation(law, MultivariateNormal([0.0, 0.0], 1.0))
        assert value == pytest.approx(truth, rel=1e-11)


def test_products_of_normal_laws_are_laws_in_space():
    rng = np.random.default_rng(9)
    means, stds = rng.normal(size=(2, 3)), np.exp(rng.normal(size=(2, 3)))
    products = [Product([Normal(*v) for v in zip(*row, strict=True)])
                for row in zip(means, stds, strict=True)]  # fmt: skip
    laws = [MultivariateNormal(m, s * s) for m, s in zip(means, stds, strict=True)]
    for function in (total_variation, js_divergence, js_distance, kl_divergence):
        assert function(*products) == pytest.approx(float(function(*laws)), rel=1e-12)
    near = Product([Normal(0.0, 1.0 + 1e-9), Normal(1e-9, 1.0)]), Product([Normal(0.0, 1.0)] * 2)
    # Half of KL's two directions for near laws: JS = KL/4 up to higher order.
    assert js_divergence(*near) == pytest.approx(kl_divergence(*near) / 4.0, rel=1e-8)


@pytest.mark.parametrize("function", [total_variation, js_divergence, kl_divergence])
def test_products_of_normal_laws_have_the_derivatives_of_laws_in_space(function):
    numbers = torch.tensor([0.3, 1.2, -0.2, 0.8, 0.7], dtype=torch.float64, requires_grad=True)

    def product(v):
        law = torch.distributions.Normal(torch.stack([v[0], v[1]]), torch.stack([v[4], 2 * v[4]]))
        other = Product([Normal(v[2], 1.0), Normal(0.4, v[3])])
        return from_torch(torch.distributions.Independent(law, 1)), other

    def in_space(v):
        variances = torch.stack([v[4] ** 2, 4 * v[4] ** 2])
        mean = torch.stack([v[2], torch.full_like(v[2], 0.4)])
        other = MultivariateNormal(mean, torch.stack([torch.ones_like(v[3]), v[3] ** 2]))
        return MultivariateNormal(torch.stack([v[0], v[1]]), variances), other

    found, expected = (
        torch.autograd.grad(function(*build(numbers)), numbers)[0] for build in (product, in_space)
    )
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def test_a_sample_mean_agrees():
    rng = np.random.default_rng(9)
    scales = np.array([0.5, 1.3, 2.0, 1.0])
    shift = np.array([0.3, -0.2, 0.0, 0.7])
    p, q = MultivariateNormal(shift, scales**2), MultivariateNormal(np.zeros(4), 1.0)
    x = rng.normal(size=(200_000, 4))
    y = shift + scales * rng.normal(size=x.shape)

    def ratio(z):
        return np.sum(0.5 * z**2 - 0.5 * ((z - shift) / scales) ** 2 - np.log(scales), axis=-1)

    # Both frequencies are binomial: 6 standard deviations.
    estimate = np.mean(ratio(y) > 0) - np.mean(ratio(x) > 0)
    assert abs(estimate - total_variation(p, q)) < 6 * math.sqrt(0.5 / len(x))


def test_ends():
    base = MultivariateNormal(np.zeros(3), np.eye(3))
    far = MultivariateNormal([400.0, 0.0, 1.0], [2.0, 3.0, 4.0])
    assert total_variation(far, base) == 1.0
    assert js_divergence(far, base) == math.log(2.0)
    assert js_divergence(base, MultivariateNormal(np.zeros(3), 1.0)) == 0.0
    flat = MultivariateNormal(np.zeros(3), [1.0, 2.0, 0.0])
    assert total_variation(flat, base) == 1.0
    assert js_divergence(flat, MultivariateNormal(np.zeros(3), [1.0, 1.0, 0.0])) > 0.0


def _from_roots(means, roots):
    eye = 0.1 * torch.eye(means.shape[1], dtype=torch.float64)
    pairs = zip(means, roots, strict=True)
    return [MultivariateNormal(mean, root @ root.T + eye) for mean, root in pairs]


@pytest.mark.parametrize("dimension", [2, 3, 5])
@pytest.mark.parametrize("function", [total_variation, js_divergence, js_distance])
def test_derivatives_in_means_and_covariances(function, dimension):
    generator = torch.Generator().manual_seed(dimension)
    means = torch.randn(2, dimension, generator=generator, dtype=torch.float64)
    roots = torch.randn(2, dimension, dimension, generator=generator, dtype=torch.float64)
    leaves = means.requires_grad_(), roots.requires_grad_()

    def of_roots(means, roots):
        return function(*_from_roots(means, roots))

    assert torch.autograd.gradcheck(of_roots, leaves, atol=1e-7, rtol=1e-5)
    plain = _from_roots(means.detach(), roots.detach())
    plain = [MultivariateNormal(law.mean.numpy(), law.matrix().numpy()) for law in plain]
    assert abs(of_roots(*leaves).item() / function(*plain) - 1.0) < 1e-12


@pytest.mark.parametrize("dimension", [2, 4])
@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-8])
def test_derivatives_of_laws_that_nearly_agree(dimension, size):
    """Near one law, TV and JS are homogeneous in the difference: Euler's relation holds."""
    rng = np.random.default_rng(dimension)
    root, tilt = rng.normal(size=(2, dimension, dimension))
    move = rng.normal(size=dimension)
    covariance = root @ root.T + np.eye(dimension)
    other = MultivariateNormal(torch.zeros(dimension), torch.from_numpy(covariance))
    mean = torch.from_numpy(size * move).requires_grad_()
    matrix = torch.from_numpy(covariance + size * (tilt + tilt.T)).requires_grad_()
    change = torch.from_numpy(size * move), matrix.detach() - torch.from_numpy(covariance)
    for function, degree in ((total_variation, 1), (js_divergence, 2), (js_distance, 1)):
        value = function(MultivariateNormal(mean, matrix), other)
        slopes = torch.autograd.grad(value, (mean, matrix))
        along = sum((slope * step).sum() for slope, step in zip(slopes, change, strict=True))
        assert along.item() == pytest.approx(degree * value.item(), rel=20 * size + 1e-6)


def test_second_derivatives_and_special_covariances():
    vectors = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in ([1.0, 2.0, 1.0], [1.5, 2.0, 0.7], [0.3, 0.0, 1.0])
    ]
    for function in (total_variation, js_divergence):
        assert torch.autograd.gradcheck(
            lambda a, b, m, f=function: f(
                MultivariateNormal(m, a), MultivariateNormal(torch.zeros_like(m), b)
            ),
            vectors,
        )
        equal = [
            torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([0.0, 1.0], 2.0)
        ]
        assert torch.autograd.gradcheck(
            lambda m, v, f=function: f(
                MultivariateNormal(m, v), MultivariateNormal(torch.zeros_like(m), v)
            ),
            equal,
        )
    assert torch.autograd.gradgradcheck(
        lambda a, b, m: js_divergence(
            MultivariateNormal(m, a), MultivariateNormal(torch.zeros_like(m), b)
        ),
        vectors,
        atol=1e-6,
    )


def test_derivatives_at_equal_and_at_singular_laws():
    mean = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    law = MultivariateNormal(mean, 1.0)
    other = MultivariateNormal(torch.zeros(2, dtype=torch.float64), 1.0)
    for function in (total_variation, js_divergence, js_distance):
        (gradient,) = torch.autograd.grad(function(law, other), mean)
        assert float(gradient.abs().max()) < 1e-14
    flat = torch.tensor([[1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    there = torch.tensor([1.0, 1.0], dtype=torch.float64)
    value = total_variation(MultivariateNormal(mean, flat), MultivariateNormal(there, flat))
    (gradient,) = torch.autograd.grad(value, mean)
    # Along (1, 1) the laws are N(0, 2) and N(sqrt 2, 2) on a line: 2 Phi(D/2) - 1 with D = 1.
    slope = -math.exp(-0.125) / math.sqrt(2.0 * math.pi) / 2.0
    assert torch.allclose(gradient, torch.full_like(gradient, slope), rtol=1e-10)
    apart = MultivariateNormal(torch.tensor([0.0, 1.0], dtype=torch.float64), flat)
    (gradient,) = torch.autograd.grad(js_divergence(MultivariateNormal(mean, flat), apart), mean)
    assert not gradient.any()
    swapped = [torch.tensor(v, dtype=torch.float64) for v in ([1.0, 2.0], [2.0, 1.0])]
    with pytest.raises(NotImplementedError, match="converges too slowly"):
        total_variation(MultivariateNormal(mean, swapped[0]), MultivariateNormal(mean, swapped[1]))
