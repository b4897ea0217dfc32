import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences.dual import ActiveCones, ConeCritic, dual_objective, lipschitz_bound


def _critic(seed, *, count=7, dimension=3, kind="max", temperature=0.0):
    generator = torch.Generator().manual_seed(seed)
    anchors = torch.randn(count, dimension, dtype=torch.float64, generator=generator)
    heights = torch.randn(count, dtype=torch.float64, generator=generator)
    return ConeCritic(anchors, heights, kind=kind, temperature=temperature).eval()


@pytest.mark.parametrize("kind", ["max", "min"])
def test_values_are_those_of_the_formula(kind):
    critic = _critic(0, kind=kind)
    x = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    distances = torch.linalg.vector_norm(x[:, None] - critic.anchors, dim=2)
    expected = (critic.heights - distances).amax(1)
    if kind == "min":
        expected = (distances - critic.heights).amin(1)
    torch.testing.assert_close(critic(x), expected, rtol=1e-14, atol=1e-14)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["max", "min"]),
    temperature=st.sampled_from([0.0, 1e-3, 1.0, 100.0]),
    dimension=st.integers(1, 20),
)
def test_no_pair_of_points_is_steeper_than_the_certificate(seed, kind, temperature, dimension):
    critic = _critic(seed, kind=kind, temperature=temperature, dimension=dimension)
    generator = torch.Generator().manual_seed(seed + 1)
    x = torch.randn(300, dimension, dtype=torch.float64, generator=generator) * 3
    near = 10 ** (-6 * torch.rand(300, 1, dtype=torch.float64, generator=generator))
    y = x + near * torch.randn(300, dimension, dtype=torch.float64, generator=generator)
    y[:5] = critic.anchors[:5]  # across an apex
    rise = (critic(x) - critic(y)).abs()
    allowed = torch.linalg.vector_norm(x - y, dim=1) * critic.lipschitz_bound()
    assert (rise <= allowed + 1e-13).all()
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    assert torch.linalg.vector_norm(gradient, dim=1).max() <= 1 + 1e-12


@pytest.mark.parametrize("temperature", [0.0, 0.1])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dimension", [2, 16])
def test_gradients_are_finite_at_an_apex(temperature, training, dimension):
    critic = _critic(3, temperature=temperature, dimension=dimension).train(training)
    x = critic.anchors.detach().clone().requires_grad_()
    critic(x).sum().backward()
    for tensor in (x, *critic.parameters()):
        assert tensor.grad.isfinite().all()


def test_training_mode_is_accurate_away_from_the_apexes():
    critic = _critic(4, dimension=64, count=30).float()
    x = torch.randn(100, 64, generator=torch.Generator().manual_seed(0)) + 1000
    with torch.no_grad():
        critic.anchors += 1000  # inner products of uncentred points would lose all digits
    torch.testing.assert_close(critic.train()(x), critic.eval()(x), rtol=0, atol=1e-3)


def test_the_state_holds_the_temperature():
    critic, other = _critic(5, temperature=0.3), _critic(6)
    other.load_state_dict(critic.state_dict())
    x = torch.zeros(1, 3, dtype=torch.float64)
    assert torch.equal(other(x), critic(x))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([[1.0]],), TypeError, "anchors must be a floating torch tensor"),
        ((torch.zeros(3),), ValueError, "anchors must have shape"),
        ((torch.zeros(3, 2), torch.zeros(2)), ValueError, "heights must have shape"),
    ],
)
def test_refusals(arguments, error, text):
    with pytest.raises(error, match=text):
        ConeCritic(*arguments)


def test_refused_options():
    with pytest.raises(ValueError, match="kind must be one of 'max', 'min'"):
        ConeCritic(torch.zeros(1, 1), kind="mean")
    with pytest.raises(ValueError, match="temperature must be at least 0"):
        ConeCritic(torch.zeros(1, 1), temperature=-1.0)


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("dimension", [1, 2, 4, 5, 9])
def test_gradients_of_a_training_step_are_those_of_differences(dimension, kind):
    critic = _critic(7, temperature=0.7, dimension=dimension, kind=kind).train()
    generator = torch.Generator().manual_seed(8)
    x = torch.randn(6, dimension, dtype=torch.float64, generator=generator, requires_grad=True)
    temperature = critic.temperature

    def value(x, anchors, heights):
        parameters = {"anchors": anchors, "heights": heights}
        return torch.func.functional_call(critic, parameters, (x,))

    inputs = (x, critic.anchors, critic.heights)
    assert torch.autograd.gradcheck(value, inputs)
    assert torch.autograd.gradgradcheck(value, inputs)
    torch.testing.assert_close(critic(x), critic.eval()(x), rtol=1e-12, atol=1e-12)
    assert critic.temperature == temperature


@pytest.mark.parametrize("dimension", [2, 9])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_a_step_beside_an_apex_is_no_leap(dimension, offset):
    critic = _critic(9, count=50, dimension=dimension, temperature=1e-3).float().train()
    with torch.no_grad():
        critic.heights.zero_()
        critic.anchors += offset
    x = (critic.anchors[:20].detach() * (1 + 1e-7)).requires_grad_()
    critic(x).sum().backward()
    assert torch.linalg.vector_norm(x.grad, dim=1).max() <= 1.1
    assert torch.linalg.vector_norm(critic.anchors.grad, dim=1).max() <= 20


def test_torch_func_works_in_training_mode():
    critic = _critic(10, temperature=0.5).train().requires_grad_(requires_grad=False)
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    by_rows = torch.func.vmap(torch.func.grad(lambda row: critic(row[None])[0]))(x)
    x.requires_grad_()
    (together,) = torch.autograd.grad(critic(x).sum(), x)
    torch.testing.assert_close(by_rows, together)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_torch_func_and_forward_mode_work_where_parameters_learn():
    critic = _critic(10, temperature=0.5).train()
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad(critic(leaf := x.clone().requires_grad_()).sum(), leaf)
    of_all = torch.func.jacrev(lambda points: critic(points).sum())(x)
    torch.testing.assert_close(of_all, slope)
    along = torch.func.jvp(critic, (x,), (torch.ones_like(x),))[1]
    torch.testing.assert_close(along, slope.sum(dim=1))


def _hard(critic):
    return ConeCritic(critic.anchors, critic.heights, kind=critic.kind).eval()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["max", "min"]),
    temperature=st.sampled_from([0.0, 1e-2, 1.0]),
    margin=st.sampled_from([0.0, 1.0, 4.0]),
    dimension=st.integers(1, 20),
)
def test_hidden_cones_are_raised_and_the_critic_stays(seed, kind, temperature, margin, dimension):
    critic = _critic(seed, kind=kind, temperature=temperature, dimension=dimension)
    with torch.no_grad():
        critic.heights[0] += 20 + torch.cdist(critic.anchors, critic.anchors).max()  # hides all
    before, heights = _hard(critic), critic.heights.detach().clone()
    x = 2 * torch.randn(200, dimension, dtype=torch.float64)
    values = critic(x)
    ActiveCones(margin).project(critic)
    apart = torch.cdist(critic.anchors, critic.anchors, compute_mode="donot_use_mm_for_euclid_dist")
    at_apex = (critic.heights - apart).amax(dim=1)
    # distances are off by up to the root of eps of the anchors' size
    assert (critic.heights >= at_apex - margin * temperature - 1e-6).all()
    assert (critic.heights >= heights).all()
    assert (critic.heights[1:] > heights[1:]).all()
    torch.testing.assert_close(_hard(critic)(x), before(x), rtol=0, atol=1e-6)
    most = temperature * math.log1p(len(heights) * math.exp(-margin))
    assert ((critic(x) - values).abs() <= most + 1e-6).all()
    again = critic.heights.detach().clone()
    ActiveCones(margin).project(critic)
    torch.testing.assert_close(critic.heights.detach(), again, rtol=0, atol=1e-6)
    assert lipschitz_bound(critic) == ActiveCones().lipschitz_bound(critic) == 1.0


@pytest.mark.parametrize("active", [True, False])
def test_a_critic_of_which_one_cone_hides_all_others_learns_again(active):
    """Five modes, samples of none: without the projection all heights but one have gradient 0."""
    angle = torch.arange(5) * (2 * math.pi / 5)
    modes = torch.stack([angle.cos(), angle.sin()], dim=1)
    critic = ConeCritic(torch.cat([torch.zeros(1, 2), modes]), temperature=0.05)
    with torch.no_grad():
        critic.heights[0] = 10.0
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        (-dual_objective(critic, modes, torch.zeros(5, 2))).backward()
        optimizer.step()
        if active:
            ActiveCones().project(critic)
    value = dual_objective(critic.eval(), modes, torch.zeros(5, 2)).item()
    assert value <= 1 + 1e-6  # the distance
    assert (value > 0.9) == active


def test_active_cones_refuse_a_margin_below_0():
    with pytest.raises(ValueError, match=r"ActiveCones: margin must be at least 0; got .*-1"):
        ActiveCones(-1)
    with pytest.raises(TypeError):
        ActiveCones("4")


@pytest.mark.parametrize("temperature", [0.0, 0.5])
@pytest.mark.parametrize("shape", [(4, 1), (4, 2), (4,), (4, 3, 3)])
def test_points_of_another_dimension_are_refused(temperature, shape):
    """In training mode one coordinate was repeated, and the function was steeper than 1."""
    critic = _critic(10, temperature=temperature)
    for mode in (True, False):
        with pytest.raises(ValueError, match=r"ConeCritic: x must have shape \(n, 3\)"):
            critic.train(mode)(torch.zeros(shape, dtype=torch.float64))
