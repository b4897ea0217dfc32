import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from divergences import wasserstein1
from divergences.dual import ConeCritic, wasserstein1_dual
from divergences.dual._violation import violation


def _points(seed, count, dimension=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dimension, generator=generator, dtype=torch.float64)


def _network(seed, first, second, offset):
    """Layers whose scales cancel, and biases that do: all digits may be lost on the way."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(2, 6), nn.LeakyReLU(0.2), nn.Linear(6, 6), nn.ReLU(),
                            nn.Linear(6, 1)).double()  # fmt: skip
    with torch.no_grad():
        network[0].weight *= 10.0**first
        network[2].weight *= 10.0**second
        network[4].weight *= 10.0 ** -(first + second)
        network[0].bias += 10.0**offset
    return network.requires_grad_(requires_grad=False)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(-20, 20),
    second=st.integers(-20, 20),
    offset=st.integers(-5, 30),
    weighted=st.booleans(),
)
def test_no_critic_exceeds_the_exact_distance(seed, first, second, offset, weighted):
    x, y = _points(seed, 20), _points(seed + 1, 25)
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(20, generator=generator, dtype=torch.float64) if weighted else torch.ones(20)
    a = a.double() / a.sum()
    network = _network(seed, first, second, offset)
    estimate = wasserstein1_dual(x, y, a, critic=network)
    truth = wasserstein1(x, y, a).item()
    assert 0 <= estimate.lower_bound <= truth * (1 + 1e-12)


def test_the_digits_that_a_network_loses_are_not_claimed():
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for layer, offset in zip(network, (1e16, -1e16), strict=True):
            layer.weight.fill_(1.0)
            layer.bias.fill_(offset)
    network.requires_grad_(requires_grad=False)
    x, y = (torch.full((3, 1), at, dtype=torch.float64) for at in (1.1, 0.9))
    estimate = wasserstein1_dual(x, y, critic=network)
    assert estimate.value == 2  # even numbers only pass between the layers
    assert 0 < estimate.lower_bound <= 0.2000000000000002


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-8, 1.0, 1e6, 1e12]))
def test_cones_with_huge_heights_and_far_apexes(seed, size):
    x, y = _points(seed, 30), _points(seed + 1, 30)
    anchors, heights = size * _points(seed + 2, 9), size * _points(seed + 3, 9)[:, 0]
    critic = ConeCritic(anchors, heights).requires_grad_(requires_grad=False)
    estimate = wasserstein1_dual(x, y, critic=critic)
    assert estimate.lower_bound <= wasserstein1(x, y).item() * (1 + 1e-12)


def test_the_violation_is_that_of_the_worst_pair():
    x, y = torch.tensor([[0.0], [5.0]]).double(), torch.tensor([[1.0], [3.0]]).double()
    at_x, at_y = torch.tensor([4.0, 0.0]).double(), torch.tensor([1.0, 9.0]).double()
    assert violation(x, y, at_x, at_y, 2.0) == pytest.approx(1.0)  # 4 - 1 - 2 * 1
    assert violation(x, y, at_x, at_y, 4.0) == 0.0


def test_an_honest_critic_loses_nothing():
    x, y = _points(0, 300), _points(1, 300) + 2
    at_x, at_y = (torch.linalg.vector_norm(points + 9, dim=1) for points in (x, y))
    assert violation(y, x, at_y, at_x, 1.0) <= 64 * math.ulp(16.0)
