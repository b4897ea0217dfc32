import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from wgan import TrainingConfig
from wgan.data import make_data
from wgan.evaluate import Evaluator, count_modes, exact_distance, sliced_distance
from wgan.procedure import Procedure


class Tiny:
    """Four held-out points and four more, few enough to try every matching."""

    dimension, image_shape, bounded = 2, None, False

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        self.held_out = torch.randn(4, 2, generator=random)
        self.reference = torch.randn(4, 2, generator=random)


def clipping(limit=0.01):
    return Procedure.of(TrainingConfig(out="unused", clip=limit))


def brute_force(x, y):
    cost = np.linalg.norm(x.double().numpy()[:, None] - y.double().numpy()[None], axis=-1)
    return min(
        sum(cost[i, j] for i, j in enumerate(match)) / len(x)
        for match in itertools.permutations(range(len(x)))
    )


def test_distances_are_exact():
    data = Tiny()
    samples = torch.randn(4, 2, generator=torch.Generator().manual_seed(1)) + 3
    critic = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    evaluation = Evaluator(data, clipping())(critic, samples)
    assert evaluation.wasserstein1 == pytest.approx(brute_force(data.held_out, samples), rel=1e-12)
    assert evaluation.floor == pytest.approx(brute_force(data.held_out, data.reference), rel=1e-12)
    assert evaluation.excess == evaluation.wasserstein1 - evaluation.floor


def test_the_lower_bound_is_one_and_is_attained_by_the_right_critic():
    """Data at 0 and samples at s on a line: the critic -0.5 z, clipped at 0.5, is optimal."""
    data = Tiny()
    data.held_out, data.reference = torch.zeros(4, 1), torch.zeros(4, 1)
    samples = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    critic = nn.Sequential(nn.Linear(1, 1))
    with torch.no_grad():
        critic[0].weight.fill_(-0.5)
        critic[0].bias.fill_(0.25)
    evaluation = Evaluator(data, clipping(0.5))(critic, samples)
    assert evaluation.critic_estimate_held_out == 1.25
    assert evaluation.wasserstein1 == 2.5
    assert evaluation.lower_bound == pytest.approx(2.5, rel=1e-10)
    assert evaluation.lower_bound < 2.5  # room for rounding was taken off
    with torch.no_grad():
        critic[0].weight.fill_(0.5)
    assert Evaluator(data, clipping(0.5))(critic, samples).lower_bound == 0.0


@pytest.mark.parametrize("seed", range(40))
def test_the_lower_bound_of_an_optimal_critic_leaves_room_for_rounding(seed):
    """A translation far from 0: the linear critic along it attains the distance exactly."""
    data, generator = Tiny(), torch.Generator().manual_seed(seed)
    data.held_out = torch.randn(7, 2, generator=generator).double() + 1e3
    shift = torch.randn(2, generator=generator).double()
    critic = nn.Sequential(nn.Linear(2, 1)).double()
    with torch.no_grad():
        critic[0].weight.copy_(0.01 * shift / shift.abs().max())
    bound = Procedure.of(TrainingConfig(out="unused", clip=0.01)).lipschitz_bound(critic)[0]
    samples = data.held_out - shift
    lowest = Evaluator(data, clipping()).proven(critic, samples, bound)
    exact = math.fsum((data.held_out - samples).norm(dim=1).tolist()) / 7
    assert 0.99 * exact < lowest <= exact


def test_digits_lost_inside_the_critic_are_not_claimed():
    """In float64 1 is lost beside 1e16: even numbers only pass between the layers."""
    data = Tiny()
    data.held_out = torch.full((3, 1), 1.1, dtype=torch.float64)
    data.reference = data.held_out
    critic = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for layer, offset in zip(critic, (1e16, -1e16), strict=True):
            layer.weight.fill_(1.0)
            layer.bias.fill_(offset)
    samples = torch.full((3, 1), 0.9, dtype=torch.float64)
    evaluator = Evaluator(data, clipping())
    assert evaluator.estimate(critic, data.held_out, samples) == 2
    assert 0 < evaluator.proven(critic, samples, 1.0) <= 0.2000000000000002


def test_a_critic_outside_the_constraint_certifies_nothing_false():
    data = Tiny()
    critic = nn.Sequential(nn.Linear(2, 1))
    with torch.no_grad():
        critic[0].weight.fill_(-100.0)
    evaluation = Evaluator(data, clipping(0.5))(critic, data.held_out + 1)
    assert 0 < evaluation.lower_bound <= evaluation.wasserstein1
    assert critic[0].weight.tolist() == [[-100.0, -100.0]]


def test_the_critic_is_not_changed():
    critic = nn.Sequential(nn.Linear(2, 1))
    Evaluator(Tiny(), clipping())(critic, torch.ones(4, 2))
    assert critic[0].weight.dtype == torch.float32


def test_two_real_halves_of_the_digits_are_2_8_apart():
    from wgan.data import make_data

    data = make_data("digits", torch.device("cpu"))
    assert exact_distance(data.held_out, data.reference) == pytest.approx(2.8, abs=0.1)


@pytest.mark.parametrize(("dimension", "exact", "sliced"), [
    (4, True, False), (5, True, True), (64, True, True), (65, False, True),
])  # fmt: skip
def test_many_coordinates_have_the_sliced_distance_too(dimension, exact, sliced):
    data, random = Tiny(), torch.Generator().manual_seed(0)
    data.held_out, data.reference, samples = (
        torch.randn(9, dimension, generator=random) + shift for shift in (0, 0, 1)
    )
    evaluation = Evaluator(data, clipping())(nn.Sequential(nn.Linear(dimension, 1)), samples)
    assert (evaluation.wasserstein1 is not None) == exact
    assert (evaluation.sliced_wasserstein1 is not None) == sliced
    if sliced:
        own = (
            sliced_distance(data.held_out, samples),
            sliced_distance(data.held_out, data.reference),
        )
        assert (evaluation.sliced_wasserstein1, evaluation.sliced_floor) == own
        assert 0 < own[1] < own[0]
    assert evaluation.floor == (exact_distance if exact else sliced_distance)(
        data.held_out, data.reference
    )
    assert evaluation.excess == evaluation.distance - evaluation.floor
    assert ("sliced_floor" in evaluation.to_json()) == sliced


def test_an_exact_distance_prefers_a_blurred_point_to_noisy_digits_and_a_sliced_one_does_not():
    from wgan.data import make_data

    data, random = make_data("digits", torch.device("cpu")), torch.Generator().manual_seed(0)
    mean = data.reference.mean(0, keepdim=True).expand(400, -1)
    noisy = data.reference + 0.5 * torch.randn(data.reference.shape, generator=random)
    exact, sliced = (
        [distance(data.held_out, samples) for samples in (mean, noisy)]
        for distance in (exact_distance, sliced_distance)
    )
    assert exact[0] < exact[1]
    assert sliced[0] > 2 * sliced[1]


def test_modes_are_counted_in_all_samples_and_high_quality_is_within_three_deviations():
    modes = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    samples = torch.tensor([[0.0, 0.029], [0.031, 0.0], [1.0, 0.0], [0.5, 0.5]])
    assert count_modes(samples, modes, 0.01) == (2, 0.5)
    assert count_modes(samples + 5, modes, 0.01) == (0, 0.0)


def test_the_ring_itself_has_the_published_quality():
    """1 - exp(-9/2), within five standard errors; every mode is met."""
    ring = make_data("ring", torch.device("cpu"))
    count = 20_000
    samples = ring.batch(count, torch.Generator().manual_seed(2))
    modes, high_quality = count_modes(samples, ring.modes, ring.deviation)
    expected = -math.expm1(-4.5)
    assert modes == 8
    assert abs(high_quality - expected) < 5 * math.sqrt(expected * (1 - expected) / count)


def test_a_law_with_modes_is_evaluated_on_as_many_samples_as_published():
    ring = make_data("ring", torch.device("cpu"))
    evaluator = Evaluator(ring, clipping())
    assert evaluator.wanted == 2500
    critic = nn.Sequential(nn.Linear(2, 1))
    samples = ring.batch(evaluator.wanted, torch.Generator().manual_seed(3))
    evaluation = evaluator(critic, samples)
    assert evaluation.modes == 8
    assert evaluation.wasserstein1 == exact_distance(ring.held_out, samples[:500])
    assert evaluation.to_json()["high_quality"] == evaluation.high_quality
    assert "8 modes" in evaluation.sentence()
    assert "modes" not in Evaluator(Tiny(), clipping())(critic, samples[:4]).to_json()
