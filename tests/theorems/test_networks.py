"""The networks of the claims: gradients against torch, Lipschitz constants of activations."""

import numpy as np
import pytest

from divergences.theorems._networks import ACTIVATIONS, Network


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_pullback_is_the_gradient_of_torch(activation):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    network = Network.draw(rng, (2, 5, 4, 3), activation)
    z, cotangent = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))
    weights = [torch.tensor(w, requires_grad=True) for w in network.weights]
    biases = [torch.tensor(b, requires_grad=True) for b in network.biases]
    sigma = {
        "tanh": torch.tanh,
        "relu": torch.relu,
        "softplus": torch.nn.functional.softplus,
        "identity": lambda u: u,
    }[activation]
    output = torch.tensor(z)
    for depth in range(3):
        output = output @ weights[depth].T + biases[depth]
        output = sigma(output) if depth < 2 else output
    np.testing.assert_allclose(network(z), output.detach().numpy(), rtol=1e-13, atol=1e-13)
    (output * torch.tensor(cotangent)).sum().backward()
    gradient = network.pullback(z, cotangent)
    for ours, theirs in zip(gradient.weights + gradient.biases, weights + biases, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations_are_1_lipschitz(activation):
    sigma, slope = ACTIVATIONS[activation]
    u = np.linspace(-20, 20, 4001)
    assert np.abs(np.diff(sigma(u)) / np.diff(u)).max() <= 1 + 1e-12
    assert np.abs(slope(u)).max() <= 1.0


def test_moves_and_inner_products_are_those_of_the_parameter_vector():
    rng = np.random.default_rng(0)
    network, direction = (Network.draw(rng, (2, 3, 1)) for _ in range(2))
    moved = network.moved(direction, 0.5)
    step = moved.moved(network, -1.0)
    assert step.inner(step) == pytest.approx(0.25 * direction.inner(direction))
    last = direction.last_bias_only()
    assert last.inner(last) == pytest.approx((direction.biases[-1] ** 2).sum())
