"""Gradient penalties and the c-transform's: values, gradients, and where norms have none."""

import math

import pytest
import torch
from torch import nn

from divergences.dual import (
    CTransformPenalty,
    GradientPenalty,
    OneSidedGradientPenalty,
    SphereProjection,
    ZeroCenteredGradientPenalty,
    ascent_step,
    lipschitz_bound,
)
from divergences.dual._input_gradient import between, safe_norms

PENALTIES = [
    GradientPenalty(),
    OneSidedGradientPenalty(),
    ZeroCenteredGradientPenalty(),
    CTransformPenalty(),
]
names = pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: type(p).__name__)


def linear(*slopes):
    critic = nn.Linear(len(slopes), 1).double()
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([slopes], dtype=torch.float64))
    return critic


X = torch.tensor([[1.0, 2.0], [0.0, 5.0], [2.0, 2.0]], dtype=torch.float64)
Y = torch.tensor([[0.5, -1.0], [3.0, 3.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("penalty", "slope_two", "slope_half"),
    [(GradientPenalty(3.0), 3.0 * 16, 3.0 * 0.25), (OneSidedGradientPenalty(3.0), 3.0 * 16, 0.0),
     (ZeroCenteredGradientPenalty(4.0), 2 * 2 * 25.0, 2 * 2 * 0.25),
     (ZeroCenteredGradientPenalty(4.0, on="x"), 2 * 25.0, 2 * 0.25),
     (ZeroCenteredGradientPenalty(4.0, on="y"), 2 * 25.0, 2 * 0.25)],
)  # fmt: skip
def test_values_of_a_linear_critic(penalty, slope_two, slope_half):
    assert penalty.penalty(linear(3.0, 4.0), X, Y).item() == pytest.approx(slope_two, rel=1e-14)
    assert penalty.penalty(linear(0.3, 0.4), X, Y).item() == pytest.approx(slope_half, rel=1e-12)
    assert penalty.project(nn.Linear(2, 1)) is None
    critic = linear(3.0, 4.0)
    assert penalty.lipschitz_bound(critic) == lipschitz_bound(critic)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [(GradientPenalty(3.0), 3**2 + 1**2 + 1**2), (OneSidedGradientPenalty(3.0), 3**2 + 1**2)],
)
def test_places_that_are_given_are_where_the_slope_is_taken(penalty, expected):
    def critic(points):  # slope 2|z|
        return points[:, 0].square()

    x, y = torch.tensor([[4.0], [1.0], [2.0]]).double(), torch.zeros(3, 1).double()
    places = torch.tensor([0.5, 0.0, 0.5]).double()  # the slopes are 4, 0 and 2
    assert penalty.penalty(critic, x, y, places).item() == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match=r"penalty: .*places.*shape \(3,\)"):
        penalty.penalty(critic, x, y, places[:2])


def test_the_c_transform_counts_pairs_that_are_too_steep():
    x, y = torch.tensor([[4.0]]).double(), torch.tensor([[0.0], [1.0]]).double()
    # slope 2: the excess of a pair is its distance, 4, 3 and 1, in one of its two orders
    assert CTransformPenalty(9.0).penalty(linear(2.0), x, y).item() == pytest.approx(26.0)
    assert CTransformPenalty().penalty(linear(0.999), x, y).item() == 0.0


class Bowl(nn.Module):
    """a/2 times the squared norm: its gradient is a x."""

    def __init__(self, a):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def forward(self, points):
        return self.a / 2 * points.square().sum(1)


def test_the_second_derivative_reaches_the_parameters():
    critic = Bowl(2.0)
    value = ZeroCenteredGradientPenalty(1.0, on="x").penalty(critic, X, Y)
    (gradient,) = torch.autograd.grad(value, critic.a)
    assert gradient.item() == pytest.approx(2.0 * X.square().sum(1).mean().item(), rel=1e-13)
    value = GradientPenalty(1.0, torch.Generator().manual_seed(0)).penalty(critic, X, Y)
    (gradient,) = torch.autograd.grad(value, critic.a)
    lengths = between(X, Y, torch.Generator().manual_seed(0)).norm(dim=1)
    expected = (2 * (2.0 * lengths - 1) * lengths).mean().item()
    assert gradient.item() == pytest.approx(expected, rel=1e-13)


@names
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_critic_has_a_finite_penalty_and_gradient(penalty, dtype):
    critic = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1)).to(dtype)
    with torch.no_grad():
        critic[0].bias.fill_(-100.0)  # every unit is dead
    value = penalty.penalty(critic, X.to(dtype), Y.to(dtype))
    expected = penalty.weight if type(penalty) is GradientPenalty else 0.0
    assert value.item() == expected
    value.backward()
    for parameter in critic.parameters():
        assert parameter.grad is None or torch.equal(parameter.grad, torch.zeros_like(parameter))


@names
def test_a_critic_that_ignores_its_input_has_slope_zero(penalty):
    value = penalty.penalty(lambda z: z.new_ones(len(z)), X, Y)
    assert value.item() == (penalty.weight if type(penalty) is GradientPenalty else 0.0)


@names
def test_batches_of_one_and_constant_data(penalty):
    critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    point = torch.ones(1, 2)
    value = penalty.penalty(critic, point, point.expand(7, 2))
    value.backward()
    assert math.isfinite(value.item())
    assert all(
        parameter.grad is None or bool(parameter.grad.isfinite().all())
        for parameter in critic.parameters()
    )


@names
def test_no_graph_is_kept_where_gradients_are_off(penalty):
    with torch.no_grad():
        assert not penalty.penalty(linear(3.0, 4.0), X, Y).requires_grad


@names
def test_samples_keep_their_graph_out(penalty):
    leaf = X.clone().requires_grad_()
    value = penalty.penalty(linear(3.0, 4.0), leaf, Y)
    if value.requires_grad:
        value.backward()
    assert leaf.grad is None


@names
def test_autocast_is_computed_in_float32(penalty):
    torch.manual_seed(1)
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    generator = torch.Generator()
    if isinstance(penalty, GradientPenalty):
        penalty = type(penalty)(10.0, generator)
    generator.manual_seed(0)
    plain = penalty.penalty(critic, X.float(), Y.float())
    generator.manual_seed(0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = penalty.penalty(critic, X.float(), Y.float())
    assert under.dtype == torch.float32
    assert under.item() == plain.item()


def test_half_precision_squares_do_not_overflow():
    critic = linear(300.0, 400.0).half()  # whose squares exceed 65504
    value = ZeroCenteredGradientPenalty(2.0, on="x").penalty(critic, X.half(), Y.half())
    assert value.dtype == torch.float32
    assert value.item() == 250_000.0


def test_norms_of_any_scale():
    rows = torch.tensor([[3e30, 4e30], [3e-30, 4e-30], [0.0, 0.0]], requires_grad=True)
    norms = safe_norms(rows)
    torch.testing.assert_close(norms.detach(), torch.tensor([5e30, 5e-30, 0.0]), rtol=1e-6, atol=0)
    norms.sum().backward()
    torch.testing.assert_close(rows.grad, torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]]))


def test_random_points_come_from_the_generator_alone():
    generator = torch.Generator().manual_seed(11)
    penalty = GradientPenalty(generator=generator)
    state = torch.get_rng_state()
    first = penalty.penalty(Bowl(2.0), X, Y).item()
    assert torch.equal(torch.get_rng_state(), state)
    assert penalty.penalty(Bowl(2.0), X, Y).item() != first
    generator.manual_seed(11)
    assert penalty.penalty(Bowl(2.0), X, Y).item() == first
    assert penalty == GradientPenalty()


def test_points_lie_between_pairs_of_unequal_samples():
    generator = torch.Generator().manual_seed(2)
    points = between(torch.zeros(5, 1), torch.tensor([[1.0], [2.0]]), generator)
    assert points.shape == (5, 1)
    assert bool((points >= 0).all() and (points[1::2] <= 2).all() and (points[0::2] <= 1).all())


def test_samples_on_the_line_and_pictures():
    assert GradientPenalty(1.0).penalty(linear(3.0), X[:, 0], Y[:, 0]).item() == pytest.approx(4.0)
    critic = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
    for penalty in PENALTIES:
        value = penalty.penalty(critic, torch.ones(3, 1, 4, 4), torch.zeros(2, 1, 4, 4))
        assert math.isfinite(value.item())


@names
def test_a_training_step_with_batch_normalisation(penalty):
    critic = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    ascent_step(critic, torch.optim.Adam(critic.parameters()), X.float(), Y.float(), penalty)
    assert all(bool(parameter.isfinite().all()) for parameter in critic.parameters())


def test_a_penalty_keeps_the_slope_near_one():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 2, generator=generator) + 2
    y = torch.randn(200, 2, generator=generator)
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(critic.parameters(), lr=3e-2)
    for _ in range(60):
        ascent_step(critic, optimizer, x, y, OneSidedGradientPenalty(generator=generator))
    points = between(x, y, generator).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points)
    assert 0.7 < gradient.norm(dim=1).mean().item() < 1.2


@pytest.mark.parametrize("kind", [type(penalty) for penalty in PENALTIES])
@pytest.mark.parametrize(
    ("weight", "error"), [(0.0, ValueError), (-1.0, ValueError), (math.nan, ValueError),
                          ("10", TypeError)]
)  # fmt: skip
def test_a_bad_weight_is_refused(kind, weight, error):
    with pytest.raises(error, match=f"{kind.__name__}: weight must be a positive finite"):
        kind(weight)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="on must be"):
        ZeroCenteredGradientPenalty(on="z")
    with pytest.raises(ValueError, match="SphereProjection: radius must"):
        SphereProjection(-1.0)
    for penalty in PENALTIES:
        with pytest.raises(ValueError, match="x and y must hold points of one shape"):
            penalty.penalty(linear(1.0), X, Y[:, :1])
        with pytest.raises(TypeError, match="must be a floating torch tensor"):
            penalty.penalty(linear(1.0), [[1.0]], Y)
