import math

import pytest
import torch

from divergences import js_divergence
from divergences.dual import (
    adversarial_objective,
    js_lower_estimate,
    nonsaturating_generator_loss,
    saturating_generator_loss,
)

P, Q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=torch.float64)
ATOMS = torch.eye(3, dtype=torch.float64)


def _linear(logits):
    return lambda z: z @ logits


def test_the_optimal_discriminator_attains_the_halved_js():
    estimate = js_lower_estimate(_linear(torch.log(P / Q)), ATOMS, ATOMS, P, Q)
    torch.testing.assert_close(estimate, js_divergence(P, Q), rtol=1e-14, atol=0)


def test_no_discriminator_exceeds_it():
    generator = torch.Generator().manual_seed(0)
    for logits in torch.randn(200, 3, dtype=torch.float64, generator=generator) * 3:
        assert js_lower_estimate(_linear(logits), ATOMS, ATOMS, P, Q) <= js_divergence(P, Q)


@pytest.mark.parametrize("size", [1e3, 1e30, 1e300])
def test_a_sure_discriminator_stays_finite(size):
    logits = (torch.tensor([1.0, -1.0, -1.0]).double() * size).requires_grad_()
    right, wrong = ATOMS[:1], ATOMS[1:]
    assert adversarial_objective(_linear(logits), right, wrong).item() == 0
    value = adversarial_objective(_linear(logits), wrong, right)
    assert value.item() == -size
    (gradient,) = torch.autograd.grad(value, logits)
    torch.testing.assert_close(gradient, torch.tensor([-0.5, 0.25, 0.25]).double())


def test_generator_losses_and_their_gradients():
    logits = torch.tensor([0.3, -2.0, 5.0]).double().requires_grad_()
    discriminator = torch.sigmoid(logits)
    saturating = saturating_generator_loss(_linear(logits), ATOMS, Q)
    torch.testing.assert_close(saturating, (Q * torch.log(1 - discriminator)).sum())
    other = nonsaturating_generator_loss(_linear(logits), ATOMS, Q)
    torch.testing.assert_close(other, -(Q * torch.log(discriminator)).sum())
    (gradient,) = torch.autograd.grad(other, logits)
    torch.testing.assert_close(gradient, -Q * (1 - discriminator).detach())


def test_the_gradient_of_the_minus_log_d_loss_is_that_of_kl_minus_two_js():
    # theorem 2.5 of Arjovsky and Bottou (2017), on softmax families
    theta = torch.log(Q).clone().requires_grad_()
    optimal = torch.log(P / Q)
    loss = nonsaturating_generator_loss(_linear(optimal), ATOMS, torch.softmax(theta, 0))
    (gradient,) = torch.autograd.grad(loss, theta)
    model = torch.softmax(theta, 0)
    divergence = (model * torch.log(model / P)).sum() - 2 * js_divergence(P, model)
    (reference,) = torch.autograd.grad(divergence, theta)
    torch.testing.assert_close(gradient, reference)


def test_equal_logits_give_no_divergence():
    estimate = js_lower_estimate(lambda z: 0 * z[:, :1], ATOMS, ATOMS)
    assert abs(estimate.item()) <= 2**-53
    assert saturating_generator_loss(lambda z: 0 * z[:, 0], ATOMS).item() == -math.log(2)


@pytest.mark.parametrize("loss", [saturating_generator_loss, nonsaturating_generator_loss])
def test_refusals_name_function_and_parameter(loss):
    with pytest.raises(TypeError, match=rf"{loss.__name__}: y must be a floating torch tensor"):
        loss(lambda z: z[:, 0], [1.0])
    with pytest.raises(ValueError, match=rf"{loss.__name__}: discriminator must map the 3 samples"):
        loss(lambda z: z, ATOMS)
    with pytest.raises(ValueError, match="adversarial_objective: x and y must hold points"):
        adversarial_objective(lambda z: z[:, 0], ATOMS, ATOMS[:, :2])
