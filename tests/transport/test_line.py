"""The line: values against rationals and SciPy, batches, many points, tensors on any device."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divergences import optimal_transport, wasserstein1
from divergences._line_problem import on_device
from divergences.transport import _line

from .oracles import exact_masses

EPS = 2.0**-52
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False) | st.integers(-3, 3).map(float)
MASSES = st.floats(1e-9, 1.0) | st.sampled_from([0.0, 1e-30, 0.25])


def exact_value(x, y, a, b):
    """The integral of |F - G|, in fractions."""
    jumps = {}
    for points, weights, sign in ((x, a, 1), (y, b, -1)):
        for point, mass in zip(points, exact_masses(weights, len(points)), strict=True):
            place = Fraction(float(point))
            jumps[place] = jumps.get(place, 0) + sign * mass
    places = sorted(jumps)
    total = excess = Fraction(0)
    for here, there in pairwise(places):
        excess += jumps[here]
        total += abs(excess) * (there - here)
    return total


def close(found, truth, ulps=8):
    return abs(Fraction(float(found)) - truth) <= ulps * Fraction(EPS) * truth + Fraction(
        1, 2**1074
    )


@st.composite
def laws(draw):
    """Two clouds on the line, each with weights or without."""
    sides = []
    for _ in range(2):
        points = draw(st.lists(NUMBERS, min_size=1, max_size=9))
        weights = None
        if draw(st.booleans()):
            entries = draw(st.lists(MASSES, min_size=len(points), max_size=len(points)))
            if sum(entries) > 0:
                weights = np.array(entries) / sum(entries)
        sides.append((np.array(points), weights))
    return sides


@given(laws())
def test_exact_in_rational_arithmetic(pair):
    (x, a), (y, b) = pair
    value = wasserstein1(x, y, a, b)
    assert close(value, exact_value(x, y, a, b))
    assert optimal_transport(x, y, a, b).value == value


@given(laws(), st.sampled_from([1e-300, 1e-150, 1e150, 1e294]))
def test_any_scale(pair, scale):
    (x, a), (y, b) = pair
    x, y = x * scale, y * scale
    assert close(wasserstein1(x, y, a, b), exact_value(x, y, a, b))


@given(laws())
def test_offsets(pair):
    (x, a), (y, b) = pair
    x, y = x + 1e9, y + 1e9
    assert close(wasserstein1(x, y, a, b), exact_value(x, y, a, b))


@pytest.mark.parametrize("noise", [1e-3, 1e-11, 1e-15])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_nearly_equal_weights_keep_their_digits(noise, kind):
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, a = rng.normal(size=40), rng.dirichlet(np.ones(40)).astype(kind).astype(float)
        b = a * (1 + noise * rng.normal(size=40))
        a, b = a / a.sum(), b / b.sum()
        order = rng.permutation(40)
        value = wasserstein1(x, x[order], a, b[order])
        assert close(value, exact_value(x, x[order], a, b[order]), 1000)
        assert wasserstein1(x, x[order], a, a[order]) == 0.0


def test_equal_proportions_of_two_precisions_are_equal():
    single = np.array([1 / 3, 2 / 3], dtype=np.float32)
    double = np.array([1 / 3, 2 / 3])
    assert float(wasserstein1([0.0, 1.0], [0.0, 1.0], single, double)) == 0.0


def test_masses_below_every_level_are_not_lost():
    value = wasserstein1([0.0, 3.0], [0.0], [1.0, 1e-200])
    assert value == pytest.approx(3e-200, rel=1e-15)


MANY = {
    "normal": lambda rng, n: rng.normal(size=n),
    "offset": lambda rng, n: 1e9 + rng.random(n),
    "two offsets": lambda rng, n: rng.random(n) + 1e9 * rng.integers(0, 2, n),
    "many scales": lambda rng, n: np.exp(100 * rng.normal(size=n)),
    "lattice": lambda rng, n: rng.integers(-50, 50, n) * 1.0,
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "one place": lambda rng, n: np.full(n, -2.5),
    "large": lambda rng, n: rng.normal(size=n) * 1e307,
    "small": lambda rng, n: rng.normal(size=n) * 1e-307,
}


LIGHT = {
    "random": lambda rng, n: rng.dirichlet(np.ones(n)),
    "zeros": lambda rng, n: rng.dirichlet(np.full(n, 0.1)) * (rng.random(n) < 0.5),
    "many scales": lambda rng, n: np.exp(30 * rng.normal(size=n)),
    "one heavy": lambda rng, n: np.concatenate([[1.0], np.full(n - 1, 1e-300)]),
    "subnormal": lambda rng, n: np.concatenate([[0.25, 0.75], np.full(n - 2, 5e-324)]),
}


@pytest.mark.parametrize("weights", LIGHT)
@pytest.mark.parametrize("kind", MANY)
def test_some_weighted_points_in_rational_arithmetic(kind, weights):
    rng = np.random.default_rng(2)
    for n, m in ((40, 30), (70, 1), (2, 90)):
        x, y = MANY[kind](rng, n), MANY[kind](rng, m)
        a, b = (LIGHT[weights](rng, k) if k > 2 else np.full(k, 1 / k) for k in (n, m))
        a, b = a / a.sum(), b / b.sum()
        assert close(_line.value(x, y, a, b), exact_value(x, y, a, b), 1000)
        order = rng.permutation(n)
        assert _line.value(x, x[order], a, a[order]) == 0.0


@pytest.mark.parametrize("weights", LIGHT)
def test_histograms_in_rational_arithmetic(weights):
    rng = np.random.default_rng(3)
    for n in (3, 40, 150):
        a, b = (LIGHT[weights](rng, n) for _ in range(2))
        b = b[::-1] / b.sum()
        a /= a.sum()
        near = a * (1 + 1e-13 * rng.normal(size=n))
        near /= near.sum()
        points = np.cumsum(rng.integers(1, 5, n)) * 1.0
        for scale in (1.0, 1e-150, 1e150, 1e300):
            for other in (b, near):
                value = _line.value_of_histograms(points * scale, a, other)
                truth = exact_value(points * scale, points * scale, a, other)
                assert close(value, truth, 1000)
            assert _line.value_of_histograms(points * scale, a, a.copy()) == 0.0


@pytest.mark.parametrize("kind", MANY)
def test_many_points_by_compiled_loops_as_by_arrays(kind, monkeypatch):
    rng = np.random.default_rng(1)
    n, m = 3000, 2500
    x, y = MANY[kind](rng, n), MANY[kind](rng, m)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.full(m, 0.3))
    a[::7] = 0
    a /= a.sum()
    cases = [(None, None), (a, b), (a, None), (None, b)]
    plain = [_line.value(x, y, *weights) for weights in cases]
    monkeypatch.setattr(_line, "_MANY_POINTS", 100)
    for value, weights in zip(plain, cases, strict=True):
        assert abs(_line.value(x, y, *weights) - value) <= 2 * EPS * value
    order = rng.permutation(n)
    assert _line.value(x, x[order], a, a[order]) == 0.0


def test_agrees_with_scipy_on_many_points():
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=100_000), rng.normal(size=80_000) + 0.1
    a, b = rng.dirichlet(np.ones(x.size)), rng.dirichlet(np.ones(y.size))
    for weights in ((None, None), (a, b)):
        reference = wasserstein_distance(x, y, *weights)
        assert wasserstein1(x, y, *weights) == pytest.approx(reference, rel=1e-11)
    half = x.astype(np.float32), y.astype(np.float32)
    wide = [cloud.astype(np.float64) for cloud in half]
    assert wasserstein1(*half) == np.float32(wasserstein1(*wide))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_batches_are_their_members(weighted, kind):
    rng = np.random.default_rng(3)
    for n, m in ((1, 1), (5, 5), (7, 4), (40, 90)):
        x = rng.normal(size=(3, 1, n, 1)).round(1).astype(kind)
        y = rng.normal(size=(2, m, 1)).round(1).astype(kind)
        a = rng.dirichlet(np.ones(n), size=(3, 1)) if weighted else None
        values = wasserstein1(x, y, a)
        assert values.shape == (3, 2)
        for i in range(3):
            for j in range(2):
                single = wasserstein1(x[i, 0], y[j], None if a is None else a[i, 0])
                assert abs(values[i, j] - single) <= 2 * np.spacing(single)


def test_batches_of_mixed_scales_and_identical_members():
    rng = np.random.default_rng(4)
    scales = np.array([1e-300, 1.0, 1e300])[:, None, None]
    x, y = rng.normal(size=(3, 6, 1)) * scales, rng.normal(size=(3, 6, 1)) * scales
    a = rng.dirichlet(np.ones(6), size=3)
    for weights in (None, a):
        values = wasserstein1(x, y, weights)
        for k in range(3):
            row = None if weights is None else weights[k]
            truth = exact_value(x[k, :, 0], y[k, :, 0], row, None)
            assert close(values[k], truth)
    order = rng.permutation(6)
    assert (wasserstein1(x, x[:, order], a, a[:, order]) == 0).all()
    assert wasserstein1(np.zeros((0, 3, 1)), np.zeros((4, 1))).shape == (0,)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("n", [6, 9])
def test_operations_of_torch_give_the_same_values(dtype, n):
    generator = torch.Generator().manual_seed(n)
    x = torch.randn(4, n, generator=generator, dtype=dtype).round(decimals=1)
    y = torch.randn(4, 6, generator=generator, dtype=dtype).round(decimals=1)
    a = torch.rand(4, n, generator=generator, dtype=torch.float64).softmax(-1)
    for weights in (None, a):
        here = on_device((4,), x, y, weights, None)
        there = wasserstein1(x[..., None], y[..., None], weights)
        torch.testing.assert_close(here.to(dtype), there.to(dtype), rtol=1e-15, atol=0)
    order = torch.randperm(n, generator=generator)
    assert (on_device((4,), x, x[:, order], a, a[:, order]) == 0).all()


@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_derivatives(n, batch):
    rng = np.random.default_rng(n)
    leaves = [
        torch.tensor(rng.normal(size=(*batch, *shape)), requires_grad=True)
        for shape in ((n, 1), (5, 1), (n,), (5,))
    ]

    def weighted(x, y, s, t):
        return wasserstein1(x, y, s.softmax(-1), t.softmax(-1))

    assert torch.autograd.gradcheck(weighted, leaves)
    assert torch.autograd.gradcheck(wasserstein1, leaves[:2])


def test_derivatives_at_ties_are_those_of_a_plan():
    x = torch.tensor([0.0, 0.0, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.0, 1.0, 1.0, 5.0], dtype=torch.float64, requires_grad=True)
    a = torch.tensor([0.125, 0.375, 0.25, 0.25], dtype=torch.float64, requires_grad=True)
    value = wasserstein1(x, y, a)
    value.backward()
    assert value.item() == 1.0  # 1/4 moves from 0 to 1, and 1/4 from 2 to 5
    np.testing.assert_array_equal(x.grad, [0.0, -0.25, 0.0, -0.25])
    np.testing.assert_array_equal(y.grad, [0.0, 0.25, 0.0, 0.25])
    assert abs((a.detach() * a.grad).sum()) <= 1e-16
    same = wasserstein1(x, x.detach().flip(0), a, a.detach().flip(0))
    (gradient,) = torch.autograd.grad(same, x)
    assert same.item() == 0.0
    assert (gradient == 0).all()


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_derivatives_at_any_scale(scale):
    x = torch.tensor([0.0, 3 * scale], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([scale, -scale], dtype=torch.float64)
    a = torch.tensor([0.25, 0.75], dtype=torch.float64)
    for weights, expected in ((None, [0.5, 0.5]), (a, [0.25, 0.75])):
        (gradient,) = torch.autograd.grad(wasserstein1(x, y, weights), x)
        np.testing.assert_allclose(gradient, expected, rtol=1e-15)


def test_a_result_on_many_nearly_equal_atoms_is_verified():
    rng = np.random.default_rng(6)
    x, a = rng.normal(size=600), rng.dirichlet(np.ones(600))
    b = a * (1 + 1e-12 * rng.normal(size=600))
    result = optimal_transport(x, x, a, b / b.sum())
    result.verify()
    assert result.value == wasserstein1(x, x, a, b / b.sum())
