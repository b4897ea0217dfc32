"""The critic with a maximum over pieces: its certificate, its temperature, what it learns."""

import math

import pytest
import torch

from divergences.dual import MaxoutCritic, certified_lower_bound, lipschitz_bound, wasserstein1_dual


def seed(number=0):
    return torch.Generator().manual_seed(number)


def absolute_value():
    """|x| on the line, by two pieces and no hidden part."""
    critic = MaxoutCritic(1, 1, 2, dtype=torch.float64)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.zero_()
        critic.slopes.copy_(torch.tensor([[1.0], [-1.0]]))
    return critic


def test_pieces_are_a_maximum_and_their_slope_is_the_bound():
    critic = absolute_value()
    points = torch.tensor([[-2.0], [0.0], [3.0]], dtype=torch.float64)
    assert critic(points).tolist() == [2.0, 0.0, 3.0]
    assert 1 <= lipschitz_bound(critic) <= 1 + 1e-14
    critic.temperature = 0.5
    expected = [0.5 * math.log(2 * math.cosh(2 * x)) for x in (-2, 0, 3)]
    assert critic(points).tolist() == pytest.approx(expected)


def test_the_bound_adds_the_hidden_part_where_it_is_steepest():
    critic = MaxoutCritic(1, 1, 2, dtype=torch.float64)
    with torch.no_grad():
        for name, value in (("hidden_weight", 2.0), ("hidden_bias", 0.0), ("sum_weight", 1.0),
                            ("heights", 0.0)):  # fmt: skip
            getattr(critic, name).fill_(value)
        critic.slopes.copy_(torch.tensor([[1.0], [-4.0]]))
        critic.bends.copy_(torch.tensor([[3.0], [-1.0]]))
    assert lipschitz_bound(critic) == pytest.approx(9, rel=1e-12)  # 1 + (1 + 3) 2, -4 + 0
    assert critic(torch.tensor([[5.0], [-5.0]]).double()).tolist() == [45.0, 20.0]


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_no_size_of_parameters_breaks_the_bound(scale):
    critic = MaxoutCritic(3, 5, 4, generator=seed(), dtype=torch.float64)
    unit = lipschitz_bound(critic)
    with torch.no_grad():
        for name in ("slopes", "bends", "sum_weight", "heights"):
            getattr(critic, name).mul_(scale)
    assert lipschitz_bound(critic) == pytest.approx(unit * scale, rel=1e-12)
    with torch.no_grad():
        critic.bends[0, 0] = math.nan
    with pytest.raises(ValueError, match="finite parameters"):
        lipschitz_bound(critic)


def test_the_temperature_is_part_of_the_state():
    critic = MaxoutCritic(2, 4, 3, temperature=0.25, generator=seed())
    other = MaxoutCritic(2, 4, 3)
    other.load_state_dict(critic.state_dict())
    points = torch.randn(6, 2, generator=seed())
    assert other.temperature == 0.25
    assert torch.equal(other(points), critic(points))
    assert "temperature=0.25" in repr(critic)


@pytest.mark.parametrize("factor", [1.0, 1e-4])
def test_it_learns_what_is_a_maximum(factor):
    """Mass at the corners of a cross against mass at its centre: |x| + |y| in one norm, by rays."""

    def corners(count, generator):
        ends = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        chosen = torch.randint(4, (count,), generator=generator)
        return factor * (ends[chosen] + 0.1 * torch.randn(count, 2, generator=generator))

    def centre(count, generator):
        return factor * 0.1 * torch.randn(count, 2, generator=generator)

    critic = MaxoutCritic(2, 32, 16, generator=seed())
    estimate = wasserstein1_dual(corners, centre, critic=critic, max_steps=150)
    assert 0.85 * factor < estimate.heldout_value < 1.15 * factor
    x, y = corners(300, seed(1)).double(), centre(300, seed(2)).double()
    assert 0 < certified_lower_bound(estimate.critic, x, y) < 1.05 * factor


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((0,), ValueError), ((2, 0), ValueError), ((2, 3, 1.5), TypeError), ((2.0,), TypeError)],
)
def test_sizes_that_are_none_are_refused(arguments, error):
    with pytest.raises(error, match="positive integer"):
        MaxoutCritic(*arguments)


def test_a_negative_temperature_is_refused():
    with pytest.raises(ValueError, match="temperature must be at least 0"):
        MaxoutCritic(2, temperature=-1.0)
