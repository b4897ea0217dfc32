"""Perceptrons without their silent units, against torch's own products with all of them."""

import copy

import pytest
import torch
from torch import nn

import divergences.dual._perceptron as module
from divergences.dual import RMSprop, SphereProjection, WeightClipping, ascent_step, model_term
from divergences.dual._perceptron import forward, layers_of, quick_values


def perceptron(widths, *, bias=True, flat=True, dtype=torch.float64, silent=0.5, seed=0):
    """A perceptron of whose hidden units a part has biases that silence it."""
    torch.manual_seed(seed)
    layers = []
    for before, after in zip(widths, [*widths[1:], 1], strict=True):
        dense = nn.Linear(before, after, bias=bias, dtype=dtype)
        if bias and after > 1:
            dense.bias.data[torch.rand(after) < silent] = -100.0
        layers += [dense, nn.ReLU()]
    return nn.Sequential(*layers[:-1], *[nn.Flatten(0)] * flat)


@pytest.fixture
def always(monkeypatch):
    """However few the products are."""
    monkeypatch.setattr(module, "PAYS", 0)


def gradients(values, inputs):
    return torch.autograd.grad(values.sin().sum(), inputs, allow_unused=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("bias", "silent"), [(True, 0.0), (True, 0.5), (True, 1.0), (False, 0.0)])
@pytest.mark.parametrize("widths", [(3, 200), (2, 130, 128), (150, 128, 300, 64, 129), (1500, 130)])
def test_values_and_gradients_are_those_of_all_products(always, widths, bias, silent, dtype):
    critic = perceptron(widths, bias=bias, silent=silent, dtype=dtype)
    points = torch.randn(150, widths[0], dtype=dtype, requires_grad=True)
    inputs = [points, *critic.parameters()]
    values, expected = quick_values(critic, points), critic(points)
    exactness = {"rtol": 1e-12, "atol": 1e-14}
    if dtype == torch.float32:
        exactness = {"rtol": 2e-5, "atol": 2e-6}
    torch.testing.assert_close(values, expected, **exactness)
    for mine, theirs in zip(gradients(values, inputs), gradients(expected, inputs), strict=True):
        torch.testing.assert_close(mine, theirs, **exactness)


def test_silent_units_are_found_and_left_out():
    critic = perceptron((5, 256, 400, 16))
    points = torch.randn(100, 5, dtype=torch.float64)
    layers = layers_of(critic, points)
    _, trace = forward(points, layers)
    hidden = [critic[:place](points) for place in (2, 4)]
    alive = [(values != 0).any(0).nonzero()[:, 0] for values in hidden]
    assert trace.speaking[0] is None
    assert torch.equal(trace.speaking[1], alive[0])
    assert torch.equal(trace.speaking[2], alive[1])
    assert trace.speaking[3] is None  # 16 units are not looked at
    assert [list(weight.shape) for weight in trace.gathered] == [
        [256, 5], [400, len(alive[0])], [16, len(alive[1])], [1, 16],
    ]  # fmt: skip


@pytest.mark.parametrize(("silent", "count", "found"), [(0.5, 50, False), (0.1, 150, False),
                                                        (0.1, 800, True)])  # fmt: skip
def test_silent_units_stay_where_gathering_would_take_longer(silent, count, found):
    critic = perceptron((5, 512, 512), silent=silent)
    points = torch.randn(count, 5, dtype=torch.float64)
    _, trace = forward(points, layers_of(critic, points))
    assert (trace.speaking[1] is not None) == found


def steadied(critic, points, mixed):
    """Shift biases: of each hidden layer so many units are mixed, 60 silent, the others steady."""
    values = points
    with torch.no_grad():
        for dense in [layer for layer in critic if isinstance(layer, nn.Linear)][:-1]:
            before = dense(values)
            shift = 0.1 - before.amin(0)
            shift[:mixed] = -before.median(0).values[:mixed]
            shift[mixed : mixed + 60] = -0.1 - before.amax(0)[mixed : mixed + 60]
            dense.bias += shift
            values = dense(values).relu()
    return critic


@pytest.mark.parametrize(("mixed", "ranks"), [(0, [1, 1, 1]), (3, [10, 7, 4]), (12, [None, 25, 13]),
                                              (60, [None, None, None])])  # fmt: skip
def test_slopes_are_a_product_where_few_units_are_mixed(always, monkeypatch, mixed, ranks):
    points = torch.randn(150, 3, dtype=torch.float64, requires_grad=True)
    critic = steadied(perceptron((3, 250, 240, 230)), points, mixed)
    found, plain = [], module._before_relu

    def watched(*parts):
        slopes = plain(*parts)
        torch.testing.assert_close(
            slopes.left if slopes.right is None else slopes.left @ slopes.right,
            (parts[0] @ parts[1]) * (parts[2] > 0),
            rtol=1e-12,
            atol=1e-15,
        )
        found.insert(0, None if slopes.right is None else len(slopes.right))
        return slopes

    monkeypatch.setattr(module, "_before_relu", watched)
    inputs = [points, *critic.parameters()]
    values, expected = quick_values(critic, points), critic(points)
    theirs = gradients(expected, inputs)
    for mine, other in zip(gradients(values, inputs), theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-12)
    assert found == ranks * 2  # back to the points, and to the parameters


def test_what_is_no_number_is_mixed():
    values = torch.ones(130, 128)
    values[3, 5] = float("nan")
    slopes = module._before_relu(torch.ones(130, 1), torch.ones(1, 128), values)
    assert slopes.right.shape == (2, 128)
    assert slopes.left[:, 1].tolist() == [1.0] * 130


def test_what_is_no_number_speaks(always):
    critic = perceptron((2, 128, 128), silent=0.9)
    critic[0].weight.data[critic[0].bias.argmin(), 0] = float("nan")
    points = torch.randn(40, 2, dtype=torch.float64)
    assert critic(points).isnan().all()
    assert quick_values(critic, points).isnan().all()


@pytest.mark.parametrize("flat", [False, True])
def test_second_derivatives_are_true(always, monkeypatch, flat):
    monkeypatch.setattr(module, "SEARCHED", 4)
    critic = perceptron((2, 6, 5), flat=flat)
    points = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in critic.named_parameters()]

    def values(points, *parameters):
        own = dict(zip(names, parameters, strict=True))
        twin = copy.deepcopy(critic)
        for name, entry in own.items():
            owner, _, leaf = name.rpartition(".")
            del twin.get_submodule(owner)._parameters[leaf]
            setattr(twin.get_submodule(owner), leaf, entry)
        assert layers_of(twin, points) is not None
        return quick_values(twin, points)

    inputs = (points, *(p.detach().clone().requires_grad_() for p in critic.parameters()))
    assert torch.autograd.gradcheck(values, inputs)
    assert torch.autograd.gradgradcheck(values, inputs)


def by_hand(critic, optimizer, x, y, limit):
    """Lines 5 to 7 of Algorithm 1, as a script has them."""
    value = critic(x).mean() - critic(y).mean()
    optimizer.zero_grad()
    (-value).backward()
    optimizer.step()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-limit, limit)
    return value.detach()


@pytest.mark.parametrize("widths", [(2, 160, 200, 128), (3, 5, 4)])
@pytest.mark.parametrize("flat", [False, True])
def test_a_clipped_critics_steps_are_those_of_a_plain_loop(widths, flat):
    critic = perceptron(widths, flat=flat, silent=0.0)
    twin = copy.deepcopy(critic)
    ours = RMSprop(critic.parameters(), 5e-5)
    theirs = torch.optim.RMSprop(twin.parameters(), lr=5e-5)
    for _ in range(30):  # of powers of two of points: the last bias has a gradient of exactly 0
        x = torch.randn(64, widths[0], dtype=torch.float64)
        y = torch.randn(32, widths[0], dtype=torch.float64) + 1
        value = ascent_step(critic, ours, x, y, WeightClipping(0.01), together=True)
        expected = by_hand(twin, theirs, x, y, 0.01)
        assert value.item() == pytest.approx(expected.item(), rel=1e-9, abs=1e-13)
        for mine, other in zip(critic.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)
            torch.testing.assert_close(mine.grad, other.grad, rtol=1e-9, atol=1e-14)


def test_gradients_take_the_memory_of_the_last_ones():
    critic = perceptron((2, 130, 140))
    ascend = RMSprop(critic.parameters(), 5e-5)
    x, y = torch.randn(2, 8, 2, dtype=torch.float64)
    ascent_step(critic, ascend, x, y, together=True)
    places = [parameter.grad.data_ptr() for parameter in critic.parameters()]
    ascent_step(critic, ascend, x, y, together=True)
    assert [parameter.grad.data_ptr() for parameter in critic.parameters()] == places


def test_a_generators_step_computes_no_gradient_of_the_critic(always, monkeypatch):
    calls = []
    plain = module._fill
    monkeypatch.setattr(module, "_fill", lambda *parts: calls.append(1) or plain(*parts))
    critic = perceptron((2, 130, 140))
    shift = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    z = torch.randn(6, 2, dtype=torch.float64)
    torch.autograd.backward(model_term(critic, z + shift), inputs=[shift])
    assert calls == []
    (expected,) = torch.autograd.grad(-critic(z + shift).mean(), shift)
    torch.testing.assert_close(shift.grad, expected, rtol=1e-12, atol=1e-15)
    assert all(parameter.grad is None for parameter in critic.parameters())
    model_term(critic, z + shift).backward()
    assert len(calls) == 6


def hooked(critic):
    critic[0].register_forward_hook(lambda *_: None)
    return critic


def replaced(critic):
    critic.forward = lambda points: points[:, 0]
    return critic


def scaled(critic):
    nn.utils.parametrizations.spectral_norm(critic[0])
    return critic


class Doubled(nn.Sequential):
    def forward(self, points):
        return 2 * super().forward(points)


@pytest.mark.parametrize("other", [
    hooked, replaced, scaled, lambda critic: Doubled(*critic), lambda critic: critic[:2],
    lambda critic: nn.Sequential(critic[0], nn.LeakyReLU(), *critic[2:]),
    lambda critic: nn.Sequential(*critic, nn.Linear(1, 1)), lambda critic: critic.float(),
    lambda critic: critic.forward, lambda critic: nn.Sequential(critic),
    lambda critic: nn.Sequential(nn.ReLU(), *critic), lambda critic: critic[:1],
    lambda _: nn.Sequential(),
])  # fmt: skip
def test_a_critic_that_is_anything_else_is_called(other):
    critic = other(perceptron((2, 130)))
    assert layers_of(critic, torch.randn(3, 2, dtype=torch.float64)) is None


def test_half_precision_transforms_and_other_shapes_are_torchs_business():
    critic = perceptron((2, 130), dtype=torch.float32)
    points = torch.randn(3, 2)
    assert layers_of(critic, points) is not None
    assert layers_of(critic, points.to("meta")) is None
    assert layers_of(critic, points[None]) is None
    assert layers_of(critic, points[:0]) is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layers_of(critic, points) is None
    seen = []

    def watched(point):
        seen.append(layers_of(critic, point[None]))
        return critic(point[None])[0]

    torch.func.vmap(watched)(points)
    with torch.autograd.forward_ad.dual_level():
        seen.append(layers_of(critic, points))
    assert seen == [None, None]


def frozen(critic):
    critic[0].weight.requires_grad_(False)
    return list(critic.parameters())


def watched(critic):
    critic[0].weight.register_hook(lambda gradient: 2 * gradient)
    return list(critic.parameters())


def told(critic):
    critic[0].weight.register_post_accumulate_grad_hook(
        lambda weight: setattr(weight, "grad", 2 * weight.grad)
    )
    return list(critic.parameters())


def a_part(critic):
    return list(critic[2].parameters())


def twice(critic):
    critic.insert(2, critic[2])
    critic.insert(3, nn.ReLU())
    return list(critic.parameters())


@pytest.mark.parametrize("special", [frozen, watched, told, a_part, twice])
def test_parameters_with_wishes_of_their_own_have_them(special):
    """The gradients of a step are those of torch's backward, whoever listens to them."""
    critic = perceptron((130, 130, 130))
    twin = copy.deepcopy(critic)
    moved, other = special(critic), special(twin)
    x, y = torch.randn(2, 6, 130, dtype=torch.float64)
    projection = SphereProjection(2.0)
    ascent_step(critic, torch.optim.SGD(moved, lr=0.1), x, y, projection, together=True)
    ascent_step(twin, torch.optim.SGD(other, lr=0.1), x, y, projection)
    for mine, theirs in zip(critic.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-11, atol=1e-14)
        assert (mine.grad is None) == (theirs.grad is None)
