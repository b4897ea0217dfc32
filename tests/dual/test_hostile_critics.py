"""Critics that look certified and are not: each was once believed."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from divergences import wasserstein1
from divergences.dual import (
    CriticMaximum,
    CriticSum,
    OneSidedGradientPenalty,
    RidgeCritic,
    certified_lower_bound,
    dual_objective,
    empirical_lipschitz,
    lipschitz_bound,
    wasserstein1_dual,
)


def _frozen(*layers):
    return nn.Sequential(*layers).requires_grad_(requires_grad=False)


def _normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_ridge_critic_of_few_digits_does_not_jump(dtype):
    knots = _normal(0, 200).cumsum(0).abs().sort().values
    critic = RidgeCritic(torch.tensor([1.0]), knots, _normal(1, 201).sign()).to(dtype).double()
    at = torch.linspace(-5, 40, 100_001, dtype=torch.float64)
    slopes = critic(at[:, None]).diff().abs() / at.diff()
    assert slopes.max() <= critic.lipschitz_bound() * (1 + 1e-9)


@pytest.mark.parametrize(
    ("direction", "knots", "slopes", "name"),
    [
        ([0.0], [1.0], [1.0, 1.0], "direction"),
        ([1.0], [2.0, 1.0], [1.0, 1.0, 1.0], "knots"),
        ([1.0], [1.0, 2.0], [1.0, 1.0], "slopes"),
        ([1.0], [float("nan")], [1.0, 1.0], "knots"),
    ],
)
def test_a_ridge_critic_refuses_parts_that_do_not_fit(direction, knots, slopes, name):
    parts = (torch.tensor(part) for part in (direction, knots, slopes))
    with pytest.raises(ValueError, match=f"RidgeCritic: {name}"):
        RidgeCritic(*parts)


@pytest.mark.parametrize("combine", [CriticSum, CriticMaximum])
def test_a_critic_that_works_in_place_does_not_change_its_neighbours_points(combine):
    steep = [nn.Sequential(nn.LeakyReLU(3.0, inplace=True), nn.Flatten()) for _ in range(2)]
    points = torch.tensor([[-1.0], [0.0]])
    torch.testing.assert_close(combine(steep)(points), torch.tensor([-3.0, 0.0]))
    assert points[0, 0] == -1.0


def test_a_first_layer_that_works_in_place_can_be_trained_and_searched():
    critic = nn.Sequential(nn.LeakyReLU(0.5, inplace=True), nn.Linear(2, 1))
    x, y = _normal(2, 40, 2), _normal(3, 40, 2) - 3
    kept = x.clone()
    estimate = wasserstein1_dual(x, y, critic=critic, max_steps=20)
    assert estimate.lower_bound <= wasserstein1(x, y)
    assert 0 < empirical_lipschitz(critic, x, steps=3) <= lipschitz_bound(critic) * (1 + 1e-9)
    OneSidedGradientPenalty().penalty(critic, x, y).backward()
    assert torch.equal(x, kept)


def test_what_cancels_inside_a_critic_leaves_no_false_bound():
    critic = _frozen(nn.Linear(1, 1), nn.Linear(1, 1)).double()
    for layer, offset in zip(critic, (1e17, -1e17), strict=True):
        layer.weight.fill_(1.0)
        layer.bias.fill_(offset)
    x, y = torch.tensor([[8.1], [8.2]]), torch.tensor([[7.9], [7.8]])
    assert wasserstein1_dual(x, y, critic=critic).lower_bound <= wasserstein1(x, y)
    assert wasserstein1_dual(x, y, critic=CriticMaximum([critic])).lower_bound <= 0.3
    # the same critic with a small offset is as sharp as ever
    critic[0].bias.fill_(1.0)
    critic[1].bias.fill_(-1.0)
    sharp = wasserstein1_dual(x, y, critic=critic).lower_bound
    assert 0.3 * (1 - 1e-6) < sharp <= wasserstein1(x.double(), y.double())


@pytest.mark.parametrize(
    "critic",
    [
        _frozen(nn.Conv1d(4, 4, 3), nn.Flatten()),  # points as channels
        _frozen(nn.Linear(3, 1), nn.ZeroPad2d((0, 0, 1, -1))),  # pads the axis of the points
        _frozen(nn.Linear(3, 2)),
        _frozen(nn.Linear(2, 1)),
    ],
)
def test_a_critic_that_is_no_function_of_a_point_is_refused(critic):
    x = _normal(4, 4, 3)
    with pytest.raises(ValueError, match="wasserstein1_dual: critic must map points"):
        wasserstein1_dual(x, x.flip(0), critic=critic)


@pytest.mark.parametrize("name", ["bias", "running_mean"])
def test_a_nan_that_no_norm_sees_is_refused(name):
    layer = nn.Linear(2, 1) if name == "bias" else nn.BatchNorm1d(2).eval()
    getattr(layer, name).data.fill_(float("nan"))
    with pytest.raises(ValueError, match="finite parameters"):
        lipschitz_bound(layer)


def test_an_activation_whose_slope_is_random_has_no_bound():
    class Jitter(nn.Module):
        def forward(self, weight):
            return weight * torch.rand(())

    layer = nn.PReLU()
    parametrize.register_parametrization(layer, "weight", Jitter())
    with pytest.raises(NotImplementedError, match="PReLU"):
        lipschitz_bound(layer)


def test_a_layer_without_second_derivative_is_searched_as_far_as_possible():
    critic = nn.Sequential(nn.Linear(2, 4), nn.Hardsigmoid(), nn.Linear(4, 1))
    found = empirical_lipschitz(critic, _normal(5, 20, 2), steps=3)
    assert 0 < found <= lipschitz_bound(copy.deepcopy(critic).double())


@pytest.mark.parametrize("device", ["nonsense", 3.5])
def test_a_device_that_is_none_is_named(device):
    with pytest.raises(ValueError, match="wasserstein1_dual: device must"):
        wasserstein1_dual([0.0, 1.0], [2.0], device=device)


def test_one_point_has_no_batch_statistics():
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    with pytest.raises(ValueError, match="wasserstein1_dual: y must hold two points"):
        wasserstein1_dual(_normal(6, 8, 2), _normal(7, 1, 2), critic=critic)


class _Nothing(nn.Module):
    """The function 0, whose gradient at 0 autograd takes for 1."""

    def forward(self, points):
        return (points - points.relu() + (-points).relu())[:, 0]


def test_the_search_believes_no_gradient_on_a_kink():
    assert empirical_lipschitz(_Nothing(), torch.tensor([[0.0], [1.0], [-1.0]])) < 1e-12
    blank = torch.zeros(1, 2)  # where the root of squares has the gradient NaN
    found = empirical_lipschitz(lambda z: z.square().sum(1).sqrt(), blank)
    assert found == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e4])
def test_rounding_of_values_adds_nothing_to_a_slope(dtype, offset):
    x = _normal(6, 64, 8).to(dtype)
    found = empirical_lipschitz(lambda z: z[:, 0] + offset, x, steps=5)
    assert found == pytest.approx(1.0, rel=1e-9)
    assert found <= 1.0 + 1e-12


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ["spectral_norm", "weight_norm"])
def test_a_critic_with_hooks_that_was_used_is_searched_and_left_as_it_is(name):
    critic = nn.Sequential(getattr(nn.utils, name)(nn.Linear(2, 4)), nn.ReLU(), nn.Linear(4, 1))
    x = _normal(7, 20, 2)
    critic(x).sum().backward()  # from here on torch does not copy it
    before = {key: value.clone() for key, value in critic.state_dict().items()}
    assert empirical_lipschitz(critic, x, steps=3) > 0
    assert all(torch.equal(before[key], value) for key, value in critic.state_dict().items())
    assert critic.training
    assert critic[2].weight.grad is not None


@pytest.mark.parametrize(
    "critic", [None, 3.0, lambda z: z, lambda z: z[:2, 0], lambda z: z.argmax(1)]
)
def test_what_is_no_critic_is_named(critic):
    x = _normal(8, 6, 2)
    with pytest.raises((TypeError, ValueError), match="empirical_lipschitz: critic must"):
        empirical_lipschitz(critic, x)
    with pytest.raises((TypeError, ValueError), match="certified_lower_bound: critic must"):
        certified_lower_bound(critic, x, x, constant=1.0)
    with pytest.raises(TypeError, match="empirical_lipschitz: generator must"):
        empirical_lipschitz(nn.Linear(2, 1), x, generator=0)


def test_values_that_are_no_floating_numbers_are_refused():
    with pytest.raises(ValueError, match=r"dual_objective: critic must map .* floating"):
        dual_objective(lambda z: z.argmax(1), _normal(9, 4, 2), _normal(10, 3, 2))


def test_a_proof_neither_moves_a_critic_nor_asks_chance():
    x = _normal(11, 8, 2)
    for layer in (nn.BatchNorm1d(2), nn.Dropout(0.5)):
        critic = nn.Sequential(layer, nn.Linear(2, 1))
        with pytest.raises(ValueError, match=r"critic must be in evaluation mode"):
            certified_lower_bound(critic, x, x, constant=3.0)
        assert certified_lower_bound(critic.eval(), x, x + 1, constant=3.0) >= 0
    with pytest.raises(ValueError, match=r"critic must take the samples x; got .* dtype"):
        certified_lower_bound(nn.Linear(2, 1), x.double(), x.double())


def test_a_critic_made_in_inference_mode_has_a_bound():
    with torch.inference_mode():
        critic = nn.Linear(2, 1)
    length = critic.weight.detach().double().norm().item()
    assert length <= lipschitz_bound(critic) <= length * (1 + 1e-9)
