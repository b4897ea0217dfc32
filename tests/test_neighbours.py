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


def _truths(p, q, digits=100):
    with mp.workdps(digits):
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


@pytest.mark.parametrize("atom", [1e-20, 1e-30, 1e-60, 1.1e-310])
def test_vectors_that_agree_to_thirty_digits(atom):
    p = np.array([0.5, 0.5, atom])
    q = p * (1 + 2**-51)  # proportional but for one ulp of the last entry
    q[2] = np.nextafter(q[2], 1)
    for function, truth in zip(NEIGHBOURS, _truths(p, q, digits=900), strict=True):
        assert error_in_eps(function(p, q), truth) <= 8.0
        rows = function(np.array([p, p]), np.array([p, q]))
        assert rows.tolist() == [0.0, function(p, q)]
        assert float(function(torch.tensor(p), torch.tensor(q))) == function(p, q)


def test_a_distance_whose_square_underflows():
    value = hellinger_distance([1.0, 1e-320], [1.0, 0.0])
    assert value == pytest.approx(math.sqrt(1e-320 / 2), rel=1e-15)
    assert hellinger_distance([1.0, 5e-324], [1.0, 0.0]) > 0.0
    far = bhattacharyya_distance([1.0, 1e-200], [0.0, 1.0])
    assert far == pytest.approx(100.0 * math.log(10.0), rel=1e-15)


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


ZEROS = [0.0, 0.25, 0.5, 0.25, 0.0], [0.25, 0.0, 0.25, 0.5, 0.0]


def _slopes(name, p, q):
    """The derivatives in p by the formulas, those in entries, then of the normalised function."""
    both = (p > 0) & (q > 0)
    root = np.sqrt(np.where(both, q, 0.0) / np.where(both, p, 1.0))
    square = 0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum()
    of_square = 0.5 * (1.0 - root)
    slopes = {
        "hellinger": of_square / (2.0 * np.sqrt(square)),
        "bhattacharyya": of_square / (1.0 - square),
        "chi_squared": 2.0 * (p - q) / np.where(q > 0, q, 1.0),
        "chi_squared of q": np.where(q > 0, 1.0 - (p / np.where(q > 0, q, 1.0)) ** 2, 1.0),
    }[name]
    steep = (p == 0) & (q > 0) & ("chi" not in name)
    weights = q if name.endswith("q") else p
    return np.where(steep, 0.0, slopes - weights @ slopes)


def test_gradients_at_zeros_are_those_of_the_formulas():
    for vectors in (ZEROS, ZEROS[::-1], ([0.9, 0.1, 0.0], [0.001, 0.0, 0.999])):
        p, q = (np.array(v) for v in vectors)
        for function, name in zip(NEIGHBOURS[:2], ("hellinger", "bhattacharyya"), strict=True):
            leaves = [torch.tensor(v, requires_grad=True) for v in (p, q)]
            slopes = torch.autograd.grad(function(*leaves), leaves)
            np.testing.assert_allclose(slopes[0], _slopes(name, p, q), rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(slopes[1], _slopes(name, q, p), rtol=1e-12, atol=1e-15)
    p, q = np.array([0.0, 0.25, 0.75, 0.0]), np.array([0.25, 0.5, 0.25, 0.0])
    leaves = [torch.tensor(v, requires_grad=True) for v in (p, q)]
    slopes = torch.autograd.grad(chi_squared_divergence(*leaves), leaves)
    # Where both vanish, the derivative in p is infinite, and 0 by definition.
    expected = np.where(p + q > 0, _slopes("chi_squared", p, q), 0.0)
    np.testing.assert_allclose(slopes[0], expected, rtol=1e-12)
    np.testing.assert_allclose(slopes[1], _slopes("chi_squared of q", p, q), rtol=1e-12)


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
