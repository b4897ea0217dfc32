"""Hellinger, Bhattacharyya and chi-squared."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given

from divergences import (
    Discrete,
    Normal,
    bhattacharyya_distance,
    chi_squared_divergence,
    hellinger_distance,
    kl_divergence,
    total_variation,
)
from divergences.testing import strategies

from .oracles import error_in_eps

NEIGHBOURS = (hellinger_distance, bhattacharyya_distance, chi_squared_divergence)


def _truths(p, q):
    with mp.workdps(100):
        p, q = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
        p, q = ([v / mp.fsum(vector) for v in vector] for vector in (p, q))
        pairs = list(zip(p, q, strict=True))
        square = mp.fsum((mp.sqrt(a) - mp.sqrt(b)) ** 2 for a, b in pairs) / 2
        singular = any(a and not b for a, b in pairs)
        chi = mp.inf if singular else mp.fsum((a - b) ** 2 / b for a, b in pairs if b)
        return mp.sqrt(square), -mp.log1p(-square), chi


@pytest.mark.parametrize("perturbation", [1e-15, 1e-8, 1e-2, 1.0, 20.0])
def test_a_few_eps_at_every_distance(perturbation):
    rng = np.random.default_rng(1)
    for _ in range(20):
        p = rng.dirichlet(np.ones(int(rng.integers(2, 20))))
        q = p * np.exp(perturbation * rng.normal(size=p.size))
        p[0] *= rng.integers(2)
        p, q = p / p.sum(), q / q.sum()
        for function, truth in zip(NEIGHBOURS, _truths(p, q), strict=True):
            assert error_in_eps(function(p, q), truth) <= 8.0


def test_ends_of_the_range():
    p, q = [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]
    assert [f(p, q) for f in NEIGHBOURS] == [1.0, math.inf, math.inf]
    assert [f(p, p) for f in NEIGHBOURS] == [0.0, 0.0, 0.0]
    assert chi_squared_divergence([0.5, 0.5], [5e-324, 1.0]) == math.inf  # beyond the floats
    assert chi_squared_divergence([0.5, 0.5], [1e-300, 1.0]) == pytest.approx(2.5e299, rel=1e-15)


@given(strategies.vector_pairs())
def test_inequalities_and_symmetry(pair):
    p, q = pair.p, pair.q
    hellinger, variation = hellinger_distance(p, q), total_variation(p, q)
    assert hellinger**2 <= variation * (1 + 1e-14)
    assert variation <= math.sqrt(2) * hellinger * (1 + 1e-14)
    chi = chi_squared_divergence(p, q)
    assert kl_divergence(p, q) <= math.log1p(chi) * (1 + 1e-13)
    assert 2 * variation <= math.sqrt(chi) * (1 + 1e-14)
    assert hellinger == hellinger_distance(q, p)
    assert bhattacharyya_distance(p, q) == bhattacharyya_distance(q, p)
    assert hellinger == pytest.approx(math.sqrt(pair.answers.hellinger), rel=4e-15)


@pytest.mark.parametrize("function", NEIGHBOURS)
def test_gradients(function):
    draw = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs = draw[0].requires_grad_(), draw[1].requires_grad_()
    through = lambda a, b: function(a.softmax(-1), b.softmax(-1))  # noqa: E731
    assert torch.autograd.gradcheck(through, inputs)
    assert torch.autograd.gradgradcheck(through, inputs)
    for first, second in (
        ([0.0, 0.5, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0]),
        ([0.0, 0.5, 0.5, 0.0], [0.5, 0.25, 0.25, 0.0]),
        ([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]),
        ([0.5, 0.5, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]),
    ):
        p, q = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (first, second))
        for gradient in torch.autograd.grad(function(p, q), (p, q)):
            assert bool(torch.isfinite(gradient).all())
    p = torch.rand(5, 4, dtype=torch.float64).softmax(-1)
    q = torch.rand(5, 4, dtype=torch.float64).softmax(-1)
    torch.testing.assert_close(torch.vmap(function)(p, q), function(p, q))


@pytest.mark.parametrize("function", NEIGHBOURS)
def test_kinds_batches_and_laws(function):
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet(np.ones(4), size=(2, 3))
    expected = [function(a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_array_equal(function(p, q), expected)
    np.testing.assert_array_equal(function(p.T, q.T, axis=0), expected)
    assert type(function(np.float32([0.5, 0.5]), np.float32([0.25, 0.75]))) is np.float32
    points = rng.normal(size=(4, 2))
    shuffled = rng.permutation(4)
    law = Discrete(points, p[0]), Discrete(points[shuffled], q[0][shuffled])
    assert function(*law) == pytest.approx(expected[0], rel=1e-14)
    with pytest.raises(ValueError, match=f"{function.__name__}: q must sum to 1"):
        function([0.5, 0.5], [0.5, 0.6])
    with pytest.raises(TypeError, match=f"{function.__name__}: q must be a Discrete law"):
        function(law[0], Normal(0.0, 1.0))
    with pytest.raises(TypeError, match=f"{function.__name__}: p must be a Discrete law"):
        function([0.5, 0.5], law[0])
