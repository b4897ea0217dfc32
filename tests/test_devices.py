"""The same answers on every device, on the caller's device."""

import pytest
import torch

from divergences import (
    Discrete,
    Normal,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("function", [total_variation, kl_divergence, js_divergence, js_distance])
def test_vectors(function, device):
    logits = torch.linspace(-3, 3, 12, dtype=torch.float64).reshape(2, 6)
    here = logits.clone().requires_grad_()
    there = logits.to(device).requires_grad_()
    values = []
    for leaf in (here, there):
        value = function(leaf.softmax(-1), leaf.flip(0, 1).softmax(-1))
        value.sum().backward()
        assert value.device == leaf.device
        values.append(value.detach().cpu())
    torch.testing.assert_close(*values, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(here.grad, there.grad.cpu(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dimension", [1, 3])
def test_wasserstein1(device, dtype, dimension):
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(9, dimension, generator=generator, dtype=dtype)
    y = torch.randn(7, dimension, generator=generator, dtype=dtype)
    here, there = x.clone().requires_grad_(), x.to(device).requires_grad_()
    value, other = wasserstein1(here, y), wasserstein1(there, y.to(device))
    assert other.device == there.device
    assert other.dtype == dtype
    value.backward()
    other.backward()
    torch.testing.assert_close(value, other.cpu())
    torch.testing.assert_close(here.grad, there.grad.cpu())


@pytest.mark.parametrize("device", DEVICES)
def test_laws(device):
    points = torch.tensor([[0.0], [1.0], [3.0]], device=device)
    p, q = Discrete(points), Discrete(points[[0, 0, 2]])
    for function in (total_variation, kl_divergence, js_divergence, wasserstein1):
        assert function(q, p).device == points.device
    assert float(total_variation(p, q)) == pytest.approx(1 / 3)
    mean = torch.tensor(1.0, device=device)
    assert kl_divergence(Normal(mean, 1.0), Normal(0.0, 1.0)).device == mean.device
    assert total_variation(p, Normal(0.0, 1.0)).device == points.device
