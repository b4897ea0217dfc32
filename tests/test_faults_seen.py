"""What other libraries get wrong (scipy, torch, torchmetrics, TFP, POT, ...) is right here."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from divergences import (
    Discrete,
    Normal,
    bernoulli_kl_divergence_from_logits,
    energy_distance,
    js_distance,
    js_divergence,
    kl_divergence,
    kl_divergence_from_logits,
    total_variation,
    wasserstein1,
)

from .oracles import error_in_eps, exact_vectors

LOG_2 = math.log(2.0)


def test_scipy_jensenshannon_is_the_square_root_on_axis_0():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(3), size=(2, 5))
    assert jensenshannon(p[0], q[0]) == pytest.approx(js_distance(p[0], q[0]), rel=1e-13)
    assert js_divergence(p, q).shape == (5,)
    np.testing.assert_allclose(js_divergence(p, q), jensenshannon(p, q, axis=-1) ** 2, rtol=1e-12)


def test_scipy_normalises_silently():
    assert jensenshannon([1, 1], [3, 1]) > 0
    for function in (js_divergence, kl_divergence, total_variation):
        with pytest.raises(ValueError, match=r"p must sum to 1 .* got a sum of 2\.0"):
            function([1, 1], [0.75, 0.25])


@pytest.mark.parametrize("size", [1e-8, 1e-10, 1e-13])
def test_scipy_loses_all_digits_near_equality(size):
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(20):
        p = rng.dirichlet(np.ones(8))
        q = p * (1 + size * rng.normal(size=8))
        q /= q.sum()
        truths = exact_vectors(p, q)
        for value, truth in zip(
            (kl_divergence(p, q), js_divergence(p, q)), truths[1:], strict=True
        ):
            assert error_in_eps(value, truth) <= 4.0
        worst = max(worst, error_in_eps(entropy(p, q), truths[1]))
    assert worst > 2.0**40  # the fault is there to be seen


def test_scipy_gives_inf_at_a_subnormal_atom():
    assert kl_divergence([0.0, 1.0], [5e-324, 1.0]) == 5e-324
    assert js_divergence([0.0, 1.0], [5e-324, 1.0]) < 1e-320


def test_torch_kl_div_has_another_order_space_and_mean():
    p = torch.tensor([[0.2, 0.8], [0.5, 0.5]], dtype=torch.float64)
    q = torch.tensor([[0.4, 0.6], [0.1, 0.9]], dtype=torch.float64)
    theirs = torch.nn.functional.kl_div(q.log(), p, reduction="none").sum(-1)
    torch.testing.assert_close(kl_divergence(p, q), theirs)
    assert kl_divergence(p, q).shape == (2,)


def test_torch_gradients_are_nan_at_a_target_of_zero():
    p = torch.tensor([0.0, 0.4, 0.6], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64, requires_grad=True)
    for function in (kl_divergence, js_divergence, total_variation):
        for gradient in torch.autograd.grad(function(p, q), (p, q)):
            assert bool(torch.isfinite(gradient).all())
    logits = torch.tensor([-math.inf, 0.0, 1.0], requires_grad=True)
    value = kl_divergence_from_logits(logits, torch.zeros(3))
    assert bool(torch.isfinite(torch.autograd.grad(value, logits)[0]).all())


def test_torch_bernoulli_overflows_at_200_in_single_precision():
    value = bernoulli_kl_divergence_from_logits(torch.tensor(200.0), torch.tensor(-200.0))
    assert value.dtype == torch.float32
    assert float(value) == 200.0


def test_torch_categorical_clamps_at_eps():
    p, q = np.array([0.5, 0.5]), np.array([1e-100, 1.0])
    assert error_in_eps(kl_divergence(p, q), exact_vectors(p, q)[1]) <= 4.0
    clamped = (
        torch.distributions.Categorical(torch.tensor(p)),
        torch.distributions.Categorical(torch.tensor(q)),
    )
    assert torch.distributions.kl_divergence(*clamped) < 0.2 * kl_divergence(p, q)


def test_torchmetrics_nan_where_inf_is_right():
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert kl_divergence([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]) == math.inf


def test_torchmetrics_single_precision_is_negative():
    rng = np.random.default_rng(2)
    for _ in range(200):
        p = rng.dirichlet(np.ones(10)).astype(np.float32)
        q = (p * (1 + 1e-6 * rng.normal(size=10))).astype(np.float32)
        assert kl_divergence(p, q) >= 0.0
        truth = exact_vectors(p, q)[1]
        assert abs(kl_divergence(p, q) - float(truth)) <= np.spacing(np.float32(truth))


def test_tfp_jensen_shannon_is_not_halved():
    p, q = [1.0, 0.0], [0.0, 1.0]
    assert js_divergence(p, q) == LOG_2
    middle = [0.5, 0.5]
    assert js_divergence(p, q) == (kl_divergence(p, middle) + kl_divergence(q, middle)) / 2


def test_total_variation_of_distant_normals_is_one_and_symmetric():
    p, q = Normal(0.0, 1.0), Normal(100.0, 2.0)
    assert total_variation(p, q) == total_variation(q, p) == pytest.approx(1.0, rel=1e-15)
    rng = np.random.default_rng(3)
    for p, q in rng.dirichlet(np.ones(7), size=(50, 2)):
        assert total_variation(p, q) == total_variation(q, p)


def test_kl_is_infinite_off_the_support_not_negative():
    assert kl_divergence([0.5, 0.5], [0.0, 1.0]) == math.inf
    assert js_divergence([0.5, 0.5], [0.0, 1.0]) <= LOG_2


def test_js_never_exceeds_log_2():
    rng = np.random.default_rng(4)
    for _ in range(300):
        p, q = rng.dirichlet(np.full(6, 0.01), size=2)
        assert 0.0 <= js_divergence(p, q) <= LOG_2


def test_ties_are_atoms():
    x, y = Discrete([0.0, 0.0, 1.0, 1.0]), Discrete([0.0, 1.0, 1.0, 1.0])
    assert kl_divergence(x, y) == pytest.approx(
        0.5 * math.log(2) + 0.5 * math.log(2 / 3), rel=1e-14
    )


def test_distances_on_the_line_are_not_squared():
    assert wasserstein1([0.0], [3.0]) == 3.0
    assert wasserstein1([0.0, 6.0], [3.0, 9.0]) == 3.0


def test_energy_is_not_halved():
    assert energy_distance([0.0], [1.0]) == 2.0


@pytest.mark.parametrize(
    ("x", "weights", "message"),
    [
        ([0.0, math.nan], None, "x must be finite"),
        ([0.0, 1.0], [-0.5, 1.5], "x_weights must be non-negative"),
        ([0.0, 1.0], [2.0, 1.0], "x_weights must sum to 1"),
    ],
)
def test_bad_samples_are_errors(x, weights, message):
    for function in (wasserstein1, energy_distance):
        with pytest.raises(ValueError, match=message):
            function(x, [0.0, 1.0], weights)
