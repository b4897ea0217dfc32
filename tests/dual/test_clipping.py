import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from divergences.dual import WeightClipping


def dense(widths, activation, generator, limit, corner):
    """A float64 critic with clipped weights; at ``corner`` all of them are +-limit."""
    layers = []
    for before, after in itertools.pairwise(widths):
        layer = nn.utils.skip_init(nn.Linear, before, after, dtype=torch.float64)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.uniform_(-2 * limit, 2 * limit, generator=generator)
                if corner:
                    parameter.sign_().mul_(limit)
        layers += [layer, activation]
    return nn.Sequential(*layers[:-1])


@given(
    seed=st.integers(0, 2**31),
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    limit=st.floats(0.01, 3.0),
    corner=st.booleans(),
    activation=st.sampled_from(
        [nn.ReLU(), nn.LeakyReLU(1.5), nn.ELU(2.0), nn.CELU(3.0), nn.Tanh(), nn.Softsign()]
    ),
)
def test_no_pair_of_points_exceeds_the_bound(seed, widths, limit, corner, activation):
    generator = torch.Generator().manual_seed(seed)
    critic = dense([3, *widths, 1], activation, generator, limit, corner)
    clipping = WeightClipping(limit)
    clipping.project(critic)
    x = torch.randn(40, 3, dtype=torch.float64, generator=generator)
    y = x + torch.randn(40, 3, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        slopes = (critic(x) - critic(y)).abs()[:, 0] / (x - y).norm(dim=1)
    assert slopes.max().item() <= clipping.lipschitz_bound(critic) * (1 + 1e-9)


def test_the_bound_is_attained():
    """Rank-one matrices of one sign along (1, ..., 1), at positive points: nothing is lost."""
    critic = nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 1)).double()
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.fill_(0.5)
        rise = critic(torch.full((1, 4), 2.0).double()) - critic(torch.full((1, 4), 1.0).double())
    assert rise.item() / 2.0 == pytest.approx(
        WeightClipping(0.5).lipschitz_bound(critic), rel=1e-15
    )


def test_the_bound_is_the_product_of_the_formula():
    critic = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Sequential(nn.Linear(512, 256)),
                           nn.Tanh(), nn.Linear(256, 1))  # fmt: skip
    expected = 0.01**3 * math.sqrt(64 * 512 * 512 * 256 * 256)
    assert WeightClipping().lipschitz_bound(critic) == pytest.approx(expected, rel=1e-14)
    assert isinstance(WeightClipping().lipschitz_bound(critic), float)


def test_slopes_above_one_of_an_activation_count():
    flat = nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(0.2))
    steep = nn.Sequential(nn.Linear(1, 1), nn.LeakyReLU(-3.0), nn.ELU(2.0))
    assert WeightClipping(1.0).lipschitz_bound(flat) == 1.0
    assert WeightClipping(1.0).lipschitz_bound(steep) == 6.0


class OwnForward(nn.Sequential):
    def forward(self, points):
        return 1000 * points


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(1, 1, 3), nn.BatchNorm1d(2), nn.GELU(), nn.SiLU(), nn.SELU(), nn.Softplus(),
     nn.Dropout(), nn.Bilinear(2, 2, 1), OwnForward(nn.Identity())],
)  # fmt: skip
def test_a_layer_without_a_known_bound_is_not_guessed(layer):
    with pytest.raises(NotImplementedError, match=type(layer).__name__):
        WeightClipping().lipschitz_bound(nn.Sequential(nn.Linear(2, 2), layer))


def test_projection_is_the_nearest_point_and_leaves_buffers():
    layer = nn.BatchNorm1d(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([-7.0, 0.2, 7.0]))
        layer.running_var.fill_(9.0)
    WeightClipping(0.25).project(layer)
    assert layer.weight.tolist() == [-0.25, torch.tensor(0.2).item(), 0.25]
    assert layer.running_var.tolist() == [9.0] * 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("limit", [0.01, 0.1, 0.3, 1 / 3])
def test_clipped_entries_never_exceed_the_limit_as_numbers(dtype, limit):
    parameter = nn.Parameter(torch.tensor([-5.0, 5.0], dtype=dtype))
    WeightClipping(limit).project(nn.ParameterList([parameter]))
    step = Fraction(torch.finfo(dtype).eps) * Fraction(limit)
    assert Fraction(limit) - step <= Fraction(parameter[1].item()) <= Fraction(limit)
    assert parameter[0].item() == -parameter[1].item()


@pytest.mark.parametrize(
    ("limit", "error"), [(0.0, ValueError), (-1.0, ValueError), (math.inf, ValueError),
                         (math.nan, ValueError), ("0.01", TypeError), (True, TypeError)]
)  # fmt: skip
def test_a_bad_limit_is_refused(limit, error):
    with pytest.raises(error, match="WeightClipping: limit must be a positive finite number"):
        WeightClipping(limit)


def test_a_layer_that_does_more_than_its_type_says_has_no_bound():
    normed = nn.utils.spectral_norm(nn.Linear(4, 1))
    hooked, patched = nn.Linear(4, 1), nn.Linear(4, 1)
    hooked.register_forward_hook(lambda module, inputs, output: 50 * output)
    patched.forward = lambda z: 50 * z
    reparametrised = nn.utils.parametrizations.weight_norm(nn.Linear(4, 1))
    for layer in (normed, hooked, patched, reparametrised, nn.CELU(alpha=-1.0)):
        with pytest.raises(NotImplementedError, match="no bound is known"):
            WeightClipping(0.01).lipschitz_bound(nn.Sequential(layer))
    assert WeightClipping(0.5).lipschitz_bound(nn.CELU(alpha=3.0)) == 1.0
