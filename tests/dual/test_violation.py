import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from divergences import wasserstein1
from divergences.dual import (
    ConeCritic,
    certified_lower_bound,
    lipschitz_bound,
    wasserstein1_dual,
)
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


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    far=st.sampled_from([0.0, 1e3, 1e9]),
    size=st.sampled_from([1e-9, 1.0, 1e150, 1e200]),
)
def test_products_find_the_pair_that_differences_find(seed, far, size):
    x, y = (size * (_points(seed + side, 40 + side, 5) + far) for side in (0, 1))
    at_x, at_y = size * _points(seed + 2, 40)[:, 0], size * _points(seed + 3, 41)[:, 0]
    apart = torch.linalg.vector_norm((x[:, None] - y) / size, dim=2) * size
    expected = max(0.0, float((at_x[:, None] - at_y - 0.3 * apart).max()))
    rounding = 16 * math.ulp(size) + (0 if size < 1e100 else math.inf)
    assert violation(x, y, at_x, at_y, 0.3) == pytest.approx(expected, rel=1e-12, abs=rounding)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 30), float32=st.booleans())
def test_a_critic_as_it_is_proves_no_more_than_the_exact_distance(seed, count, float32):
    x, y = _points(seed, count), _points(seed + 1, 17) + 1
    critic = ConeCritic(x[:5] * 1e3, _points(seed + 2, min(5, count))[:, 0] * 1e5)
    critic = critic.float() if float32 else critic
    x, y = (x.float(), y.float()) if float32 else (x, y)
    truth = wasserstein1(x.double(), y.double()).item()
    lowest = certified_lower_bound(critic, x, y)
    assert 0 <= lowest <= truth * (1 + 1e-12)
    assert lowest >= certified_lower_bound(critic, x, y, constant=2.0)


def test_what_proves_nothing_is_zero_and_what_is_no_constant_is_refused():
    x, y = _points(0, 5), _points(1, 6) + 3
    critic = nn.Linear(2, 1).double()
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[-3.0, -4.0]]))
    found = certified_lower_bound(critic, x, y)
    gap = float((critic(x).mean() - critic(y).mean()).detach())
    assert found == pytest.approx(gap / lipschitz_bound(critic), rel=1e-10)
    assert certified_lower_bound(critic, y, x) == 0
    for constant in (0.0, math.inf):
        assert certified_lower_bound(critic, x, y, constant=constant) == 0
    for constant, error in ((-1.0, ValueError), (math.nan, ValueError), ("1", TypeError)):
        with pytest.raises(error, match="constant"):
            certified_lower_bound(critic, x, y, constant=constant)
    with pytest.raises(NotImplementedError, match="LayerNorm"):
        certified_lower_bound(nn.LayerNorm(1), x[:, :1], y[:, :1])
    with torch.no_grad():
        critic.bias.fill_(math.inf)
    assert certified_lower_bound(critic, x, y, constant=5.0) == 0
