"""Accuracy and axioms of total variation, KL and JS on probability vectors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divergences import js_distance, js_divergence, kl_divergence, total_variation

from .oracles import error_in_eps, exact_vectors

DIVERGENCES = (total_variation, kl_divergence, js_divergence, js_distance)
LOG_2 = math.log(2.0)


def _pair(rng, count, perturbation):
    p = rng.dirichlet(np.full(count, rng.choice([0.05, 1.0, 10.0])))
    q = p * np.exp(perturbation * rng.normal(size=count))
    return p / p.sum(), q / q.sum()


@pytest.mark.parametrize("perturbation", [1e-15, 1e-13, 1e-10, 1e-6, 1e-3, 0.1, 1.0, 10.0, 60.0])
def test_relative_error_is_a_few_eps_at_every_distance(perturbation):
    rng = np.random.default_rng(17)
    for _ in range(40):
        p, q = _pair(rng, int(rng.integers(2, 24)), perturbation)
        truths = exact_vectors(p, q)
        values = total_variation(p, q), kl_divergence(p, q), js_divergence(p, q)
        for value, truth in zip(values, truths, strict=True):
            assert error_in_eps(value, truth) <= 4.0


@pytest.mark.parametrize("count", [2, 30])
def test_relative_error_with_zeros_subnormals_and_many_atoms(count):
    rng = np.random.default_rng(3)
    for _ in range(20):
        p, q = _pair(rng, count, 1.0)
        p[rng.integers(count)] = 0.0
        q[rng.integers(count)] = rng.choice([0.0, 5e-324, 1e-310, 1e-200])
        p, q = p / p.sum(), q / q.sum()
        for value, truth in zip(
            (total_variation(p, q), kl_divergence(p, q), js_divergence(p, q)),
            exact_vectors(p, q),
            strict=True,
        ):
            assert error_in_eps(value, truth) <= 4.0


def test_a_subnormal_atom_gives_neither_infinity_nor_nan():
    p, q = [0.0, 1.0], [5e-324, 1.0]
    assert kl_divergence(p, q) == 5e-324
    assert kl_divergence(q, p) == math.inf
    assert kl_divergence(q, [0.5, 0.5]) == pytest.approx(LOG_2, rel=4e-16)


def test_equal_inputs_give_zero_and_disjoint_supports_the_caps():
    rng = np.random.default_rng(0)
    for count in (1, 2, 7, 1000):
        p = rng.dirichlet(np.ones(count))
        assert [float(f(p, p)) for f in DIVERGENCES] == [0.0] * 4
        first, second = np.concatenate([p, 0 * p]), np.concatenate([0 * p, p[::-1]])
        assert total_variation(first, second) == 1.0
        assert kl_divergence(first, second) == math.inf
        assert js_divergence(first, second) == LOG_2
        assert js_distance(first, second) == math.sqrt(LOG_2)


weight_lists = st.lists(
    st.one_of(st.just(0.0), st.floats(1e-300, 1.0), st.floats(1e-3, 1.0)), min_size=1, max_size=9
)


@given(weight_lists, st.data())
def test_range_and_symmetry(first, data):
    second = data.draw(st.permutations(first))
    total = math.fsum(first)
    if total < 1e-280:
        return
    p, q = (np.array(weights) / total for weights in (first, second))
    p, q = p / p.sum(), q / q.sum()
    assert 0.0 <= total_variation(p, q) <= 1.0
    assert 0.0 <= js_divergence(p, q) <= LOG_2
    assert kl_divergence(p, q) >= 0.0
    for symmetric in (total_variation, js_divergence, js_distance):
        assert symmetric(p, q) == symmetric(q, p)
    if not np.array_equal(p, q):
        assert total_variation(p, q) > 0.0


@pytest.mark.parametrize("function", DIVERGENCES)
def test_batches_axes_and_broadcasting_agree_with_single_calls(function):
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.ones(6), size=(4, 3)), rng.dirichlet(np.ones(6), size=(4, 3))
    expected = np.array([[function(p[i, j], q[i, j]) for j in range(3)] for i in range(4)])
    np.testing.assert_array_equal(function(p, q), expected)
    moved = function(np.moveaxis(p, -1, 0), np.moveaxis(q, -1, 0), axis=0)
    np.testing.assert_array_equal(moved, expected)
    np.testing.assert_array_equal(
        function(p, q[0, 0]), function(p, np.broadcast_to(q[0, 0], p.shape))
    )
    tensors = function(torch.from_numpy(p), torch.from_numpy(q))
    np.testing.assert_allclose(tensors.numpy(), expected, rtol=1e-15)


@pytest.mark.parametrize("function", DIVERGENCES)
def test_kinds_of_result(function):
    assert type(function([0.5, 0.5], [1, 0])) is np.float64
    assert type(function(np.float32([0.5, 0.5]), np.float32([0.25, 0.75]))) is np.float32
    assert type(function(np.float16([0.5, 0.5]), np.float16([0.25, 0.75]))) is np.float32
    assert type(function(np.float32([0.5, 0.5]), [0.25, 0.75])) is np.float64
    result = function(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]))
    assert result.dtype == torch.float32
    assert result.shape == ()
    integers = torch.tensor([0, 1])
    assert function(integers, integers).dtype == torch.float64


def test_float32_is_the_rounded_float64_answer():
    rng = np.random.default_rng(8)
    for _ in range(50):
        p, q = (rng.dirichlet(np.ones(9)).astype(np.float32) for _ in range(2))
        for function in DIVERGENCES:
            wide = function(
                p.astype(float) / p.astype(float).sum(), q.astype(float) / q.astype(float).sum()
            )
            assert abs(function(p, q) - wide) <= np.spacing(np.float32(wide))


def test_bases():
    p, q = [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]
    assert kl_divergence(p, q, base=2) == 1.0
    assert js_divergence([1, 0], [0, 1], base=2) == 1.0
    assert js_distance([1, 0], [0, 1], base=2) == 1.0
    assert kl_divergence(p, q, base=math.e) == pytest.approx(LOG_2, rel=1e-15)
    for bad in (1.0, 0.5, -2.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="kl_divergence: base must be"):
            kl_divergence(p, q, base=bad)
    with pytest.raises(TypeError, match="js_divergence: base must be a finite number; got str"):
        js_divergence(p, q, base="2")


def _logits(seed, count=6):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(2, count, generator=generator, dtype=torch.float64)
    return draw[0].requires_grad_(), draw[1].requires_grad_()


@pytest.mark.parametrize("function", DIVERGENCES)
def test_gradcheck_through_softmax(function):
    inputs = _logits(1)

    def through_softmax(a, b):
        return function(a.softmax(0), b.softmax(0))

    assert torch.autograd.gradcheck(through_softmax, inputs)
    if function is not total_variation:
        assert torch.autograd.gradgradcheck(through_softmax, inputs)


@pytest.mark.parametrize("function", DIVERGENCES)
def test_gradient_is_that_of_the_normalised_function(function):
    a, b = _logits(2)
    p, q = a.detach().softmax(0).requires_grad_(), b.detach().softmax(0).requires_grad_()
    for vector, gradient in zip((p, q), torch.autograd.grad(function(p, q), (p, q)), strict=True):
        assert abs(float((vector * gradient).sum().detach())) < 1e-15
    close = torch.autograd.grad(function(p, p.detach().clone()), p)[0]
    assert float(close.abs().max()) < 1e-15


@pytest.mark.parametrize("function", DIVERGENCES)
def test_gradients_at_zeros_are_finite_and_as_documented(function):
    p = torch.tensor([0.0, 0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.5, 0.25, 0.25, 0.0], dtype=torch.float64, requires_grad=True)
    for first, second in ((p, q), (q, p)):
        gradients = torch.autograd.grad(function(first, second), (first, second))
        assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)
    if function in (kl_divergence, js_divergence, js_distance):
        assert torch.autograd.grad(function(p, q), p)[0][0] == 0.0
    if function is kl_divergence:  # an infinite value has no gradient
        assert all(not gradient.any() for gradient in torch.autograd.grad(function(q, p), (q, p)))
    if function is js_divergence:  # at an atom of neither law it is log(2)/2 - KL(p, m)/2
        middle = (0.5 * (p + q)).detach()
        expected = 0.5 * LOG_2 - 0.5 * float(kl_divergence(p.detach(), middle))
        assert float(torch.autograd.grad(function(p, q), p)[0][3]) == pytest.approx(
            expected, rel=1e-14
        )


@pytest.mark.parametrize("function", DIVERGENCES)
def test_gradients_at_subnormal_atoms_are_finite(function):
    p = torch.tensor([5e-324, 0.5, 0.5], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64, requires_grad=True)
    for first, second in ((p, q), (q, p)):
        for gradient in torch.autograd.grad(function(first, second), (first, second)):
            assert bool(torch.isfinite(gradient).all())
    if function is kl_divergence:  # the steep entry is defined as 0, the others are 1 - p/q
        gradient = torch.autograd.grad(function(q, p), p)[0]
        np.testing.assert_allclose(gradient, [0.0, 0.5, 0.5], rtol=1e-15)


def test_gradient_of_kl_against_the_formula():
    p = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64, requires_grad=True)
    value = kl_divergence(p, q)
    in_p, in_q = torch.autograd.grad(value, (p, q))
    np.testing.assert_allclose(
        in_p, (p / q).log().detach() - value.detach(), rtol=1e-13, atol=1e-15
    )
    np.testing.assert_allclose(in_q, (1 - p / q).detach(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("function", DIVERGENCES)
def test_vmap_and_functional_gradients(function):
    generator = torch.Generator().manual_seed(9)
    p, q = torch.randn(2, 5, 4, generator=generator, dtype=torch.float64).softmax(-1)
    torch.testing.assert_close(torch.vmap(function)(p, q), function(p, q))
    slope = torch.func.grad(function)(p[0], q[0])
    leaf = p[0].clone().requires_grad_()
    torch.testing.assert_close(slope, torch.autograd.grad(function(leaf, q[0]), leaf)[0])


@pytest.mark.parametrize("offset", [30.0, 100.0, 540.0, 650.0])
def test_kl_through_logits_that_are_far_apart(offset):
    p = torch.tensor([0.5, 0.5], dtype=torch.float64)
    logits = torch.tensor([0.0, offset], dtype=torch.float64, requires_grad=True)
    gradient = torch.autograd.grad(kl_divergence(p, logits.softmax(-1)), logits)[0]
    np.testing.assert_allclose(gradient, [-0.5, 0.5], rtol=1e-12)
    single = torch.tensor([0.0, offset], requires_grad=True)
    gradient = torch.autograd.grad(kl_divergence(p.float(), single.softmax(-1)), single)[0]
    assert bool(torch.isfinite(gradient).all())


def test_an_infinite_row_has_no_gradient_and_spoils_no_other():
    q = torch.tensor(
        [[1e-310, 0.0, 1.0], [0.25, 0.25, 0.5]], dtype=torch.float64, requires_grad=True
    )
    p = torch.tensor([[1e-160, 1.0, 0.0], [0.5, 0.25, 0.25]], dtype=torch.float64)
    values = kl_divergence(p, q)
    assert values[0] == torch.inf
    gradient = torch.autograd.grad(values[1] + values[0], q)[0]
    np.testing.assert_array_equal(gradient[0], [0.0, 0.0, 0.0])
    np.testing.assert_allclose(gradient[1], [-1.0, 0.0, 0.5], atol=1e-15)


@pytest.mark.parametrize("function", DIVERGENCES)
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_forward_mode_agrees_with_backward_mode(function):
    logits = torch.tensor([0.1, 0.4, 1.0], dtype=torch.float64)

    def divergence(logits):
        return function(logits.softmax(-1), torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64))

    forward, backward = (
        mode(divergence)(logits) for mode in (torch.func.jacfwd, torch.func.jacrev)
    )
    torch.testing.assert_close(forward, backward)
    assert bool(forward.any())


def test_the_distance_of_tensors_stays_below_its_cap():
    # torch's square root of log 2 is an ulp above the right one.
    p, q = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([1.0, 0], [0, 1.0]))
    value = js_distance(p, q)
    assert value.item() == math.sqrt(LOG_2)
    assert torch.vmap(js_distance)(p[None], q[None]).item() == math.sqrt(LOG_2)
    for gradient in torch.autograd.grad(value, (p, q)):
        assert torch.isfinite(gradient).all()


def test_a_distance_whose_square_underflows():
    p, q = np.array([1.0, 1e-320]), np.array([1.0, 0.0])
    truth = math.sqrt(0.5e-320 * LOG_2)
    assert js_distance(p, q) == pytest.approx(truth, rel=1e-15)
    rows = js_distance(np.array([p, p, q]), np.array([q, p, [0.5, 0.5]]))
    assert rows[:2].tolist() == [js_distance(p, q), 0.0]
    assert rows[2] == js_distance([1.0, 0.0], [0.5, 0.5])
    tensors = torch.tensor(p), torch.tensor(q)
    assert float(js_distance(*tensors)) == js_distance(p, q)
    assert float(torch.vmap(js_distance)(*(t[None] for t in tensors))) == js_distance(p, q)
