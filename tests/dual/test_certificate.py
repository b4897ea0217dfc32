"""``lipschitz_bound`` against dense matrices, random pairs and layers that it must refuse."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from divergences.dual import lipschitz_bound
from divergences.dual._matrix_norm import spectral_norm_bound


def dense_norm(layer, shape):
    """Norm of the linear part of a layer for inputs of one shape, by a dense SVD."""
    size = math.prod(shape)
    with torch.no_grad():
        offset = layer(torch.zeros(1, *shape, dtype=torch.float64))
        columns = layer(torch.eye(size, dtype=torch.float64).reshape(size, *shape)) - offset
    return torch.linalg.matrix_norm(columns.reshape(size, -1), 2).item()


def seeded(layer, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=generator)
    return layer.double()


@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    exponent=st.sampled_from([-300, -30, 0, 30, 150]),
    is_complex=st.booleans(),
)
def test_the_norm_of_a_matrix_is_bounded_and_tight(seed, rows, columns, exponent, is_complex):
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.complex128 if is_complex else torch.float64
    matrix = torch.randn(rows, columns, dtype=dtype, generator=generator)
    exact = torch.linalg.matrix_norm(matrix, 2).item()
    bound = spectral_norm_bound(matrix * 10.0**exponent) / 10.0**exponent
    assert exact * (1 - 1e-14) <= bound <= exact * (1 + 1e-12)


def test_the_norm_of_an_integer_matrix_is_above_the_exact_one():
    """Singular values known exactly: 3 and 1 behind rational rotations with integer entries."""
    for a, b, c in [(3, 4, 5), (5, 12, 13), (20, 21, 29), (119, 120, 169)]:
        turn = torch.tensor([[a, -b], [b, a]], dtype=torch.float64)
        matrix = turn @ torch.diag(torch.tensor([3.0, 1.0]).double()) @ turn.T
        exact = Fraction(3 * c * c)
        assert exact <= Fraction(spectral_norm_bound(matrix)) <= exact * (1 + Fraction(1, 10**13))


def test_a_stack_has_the_norm_of_its_largest_matrix():
    generator = torch.Generator().manual_seed(5)
    stack = torch.randn(200, 6, 4, dtype=torch.complex128, generator=generator)
    stack[:100] *= 1e-3
    exact = torch.linalg.matrix_norm(stack, 2).max().item()
    assert exact <= spectral_norm_bound(stack) <= exact * (1 + 1e-12)
    flat = torch.eye(5).double().expand(50, 5, 5)
    assert 1.0 <= spectral_norm_bound(flat) <= 1 + 1e-13


@st.composite
def convolutions(draw):
    axes = draw(st.sampled_from([1, 2]))
    groups = draw(st.sampled_from([1, 1, 2]))
    size = [draw(st.integers(1, 4)) for _ in range(axes)]
    options = {
        "kernel_size": tuple(size),
        "stride": tuple(draw(st.integers(1, 3)) for _ in range(axes)),
        "dilation": tuple(draw(st.integers(1, 2)) for _ in range(axes)),
        "groups": groups,
    }
    channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    return axes, channels, options


@settings(max_examples=settings().max_examples * 3 // 10)
@given(
    convolution=convolutions(),
    mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    padding=st.integers(0, 3),
    length=st.integers(4, 6),
    seed=st.integers(0, 2**31),
)
def test_a_convolution_is_bounded_for_every_padding(convolution, mode, padding, length, seed):
    axes, (inputs, outputs), options = convolution
    kind = (nn.Conv1d, nn.Conv2d)[axes - 1]
    layer = kind(inputs, outputs, padding=padding, padding_mode=mode, **options)
    seeded(layer, seed)
    sizes = [length + 4] * axes
    assert dense_norm(layer, (inputs, *sizes)) <= lipschitz_bound(layer) * (1 + 1e-12)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(
    convolution=convolutions(),
    padding=st.integers(0, 1),
    extra=st.integers(0, 1),
    seed=st.integers(0, 2**31),
)
def test_a_transposed_convolution_is_bounded(convolution, padding, extra, seed):
    axes, (inputs, outputs), options = convolution
    kind = (nn.ConvTranspose1d, nn.ConvTranspose2d)[axes - 1]
    if extra >= max(min(options["stride"]), min(options["dilation"])):
        extra = 0
    layer = kind(inputs, outputs, padding=padding, output_padding=extra, **options)
    seeded(layer, seed)
    assert dense_norm(layer, (inputs, *[5] * axes)) <= lipschitz_bound(layer) * (1 + 1e-12)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("taps", [1, 2, 3, 4])
def test_long_inputs_come_close_to_the_bound_of_a_convolution(taps, stride):
    """On the lattice the bound is the norm itself, up to the grid."""
    layer = seeded(nn.Conv1d(2, 3, taps, stride=stride, padding=taps - 1), 7)
    bound = lipschitz_bound(layer)
    assert 0.98 * bound <= dense_norm(layer, (2, 96)) <= bound


def test_convolutions_of_space():
    layer = seeded(nn.Conv3d(2, 2, (2, 1, 3), padding=(1, 0, 1), stride=(1, 2, 1)), 3)
    assert 0.5 * lipschitz_bound(layer) <= dense_norm(layer, (2, 5, 4, 5)) <= lipschitz_bound(layer)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    padding=st.integers(0, 2),
    ceil=st.booleans(),
    counted=st.booleans(),
    divisor=st.sampled_from([None, 3]),
)
def test_average_pooling_is_bounded(kernel, stride, padding, ceil, counted, divisor):
    padding = min(padding, kernel // 2)
    layer = nn.AvgPool2d(kernel, stride, padding, ceil, counted, divisor)
    assert dense_norm(layer, (1, 7, 8)) <= lipschitz_bound(layer) * (1 + 1e-12)


def test_average_pooling_without_overlap_is_a_contraction():
    assert lipschitz_bound(nn.AvgPool2d(2)) == pytest.approx(0.5, rel=1e-15)
    assert lipschitz_bound(nn.AdaptiveAvgPool2d(1)) == 1.0
    assert lipschitz_bound(nn.MaxPool2d(2)) == 1.0
    assert lipschitz_bound(nn.MaxPool1d(3, 2)) == pytest.approx(math.sqrt(2), rel=1e-15)


ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.Hardtanh(), nn.Tanh(), nn.Sigmoid(), nn.LogSigmoid(), nn.Softsign(),
    nn.Hardsigmoid(), nn.Hardswish(), nn.Tanhshrink(), nn.Softshrink(), nn.GELU(),
    nn.GELU(approximate="tanh"), nn.SiLU(), nn.Mish(), nn.SELU(), nn.LeakyReLU(0.2),
    nn.LeakyReLU(-3.0), nn.ELU(), nn.ELU(2.5), nn.CELU(0.5), nn.Softplus(threshold=40.0),
    nn.Softplus(beta=3.0, threshold=40.0), nn.Threshold(0.5, 0.5),
]  # fmt: skip


@pytest.mark.parametrize("layer", ACTIVATIONS, ids=str)
def test_the_constant_of_an_activation_is_its_largest_slope(layer):
    points = torch.linspace(-30, 50, 800_001, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(layer(points).sum(), points)
    bound = lipschitz_bound(layer)
    assert slopes.abs().max().item() <= bound
    attained = slopes.abs().max().item() >= bound * (1 - 1e-3)
    assert attained or isinstance(layer, (nn.LeakyReLU, nn.CELU))


def test_slopes_are_read_from_parameters():
    layer = nn.PReLU(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.1, -4.0, 2.0]))
    assert lipschitz_bound(layer) == 4.0


class Half(nn.Module):
    """A module that states its own constant."""

    def forward(self, points):
        return points / 2

    def lipschitz_bound(self):
        return 0.5


def test_a_module_may_state_its_own_constant():
    assert lipschitz_bound(nn.Sequential(Half(), nn.ReLU(), Half())) == pytest.approx(0.25)
    for wrong in (-1.0, math.nan, "1", True):
        layer = Half()
        layer.lipschitz_bound = lambda wrong=wrong: wrong
        with pytest.raises(ValueError, match="state a non-negative number"):
            lipschitz_bound(layer)


class Steeper(Half):
    """Inherits a statement about another map."""

    def forward(self, points):
        return 5 * points


def test_a_statement_does_not_outlive_the_forward_it_speaks_of():
    with pytest.raises(NotImplementedError, match="Steeper"):
        lipschitz_bound(Steeper())


class Subclass(nn.Linear):
    """Adds an attribute, redefines nothing."""

    name = "dense"


class Doubled(nn.Linear):
    def forward(self, points):
        return 2 * super().forward(points)


class OwnWeight(nn.Conv1d):
    def _conv_forward(self, points, weight, bias):
        return super()._conv_forward(points, 2 * weight, bias)


def test_a_subclass_counts_only_if_it_redefines_nothing():
    layer = Subclass(1, 1)
    assert lipschitz_bound(layer) == pytest.approx(abs(layer.weight.item()), rel=1e-14)
    for changed in (Doubled(1, 1), OwnWeight(1, 1, 1)):
        with pytest.raises(NotImplementedError, match=type(changed).__name__):
            lipschitz_bound(changed)


@pytest.mark.parametrize(
    "layer",
    [nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.InstanceNorm1d(2), nn.BatchNorm1d(2), nn.Dropout(),
     nn.Softplus(), nn.Hardshrink(), nn.Threshold(0.5, 0.0), nn.CELU(-1.0), nn.RReLU(),
     nn.Bilinear(2, 2, 1), nn.GLU(), nn.LPPool1d(2, 2), nn.AdaptiveAvgPool1d(3),
     nn.BatchNorm1d(2, track_running_stats=False).eval(), nn.MaxPool1d(2, return_indices=True),
     nn.MultiheadAttention(2, 1), nn.RNN(2, 2), nn.ModuleList()],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_a_layer_without_a_known_bound_is_named(layer):
    with pytest.raises(NotImplementedError, match=type(layer).__name__):
        lipschitz_bound(nn.Sequential(nn.Linear(2, 2), layer))


@pytest.mark.parametrize("padding", [(-1, 2), (3, -1), (-1, -1)])
def test_a_circular_padding_that_also_crops_is_refused(padding):
    """torch copies what it has cropped away, memory that it never wrote."""
    with pytest.raises(NotImplementedError, match="CircularPad1d"):
        lipschitz_bound(nn.CircularPad1d(padding))


def test_training_mode_is_named_only_where_it_is_to_blame():
    moving = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
    for layer in (nn.Dropout(), nn.BatchNorm1d(2), moving):
        with pytest.raises(NotImplementedError, match="in training mode"):
            lipschitz_bound(layer)
        assert layer.training
        assert lipschitz_bound(layer.eval()) >= 0
    for layer in (nn.AdaptiveAvgPool1d(3), nn.LayerNorm(2)):
        with pytest.raises(NotImplementedError, match=r"a \w+ \("):
            lipschitz_bound(layer)


def test_hooks_and_own_forwards_are_refused():
    normed = nn.utils.spectral_norm(nn.Linear(4, 1))
    hooked, patched, before = nn.Linear(4, 1), nn.Linear(4, 1), nn.Linear(4, 1)
    hooked.register_forward_hook(lambda module, inputs, output: 50 * output)
    before.register_forward_pre_hook(lambda module, inputs: (50 * inputs[0],))
    patched.forward = lambda z: 50 * z
    for layer in (normed, hooked, patched, before):
        with pytest.raises(NotImplementedError, match="hooks"):
            lipschitz_bound(nn.Sequential(layer))
    handle = nn.modules.module.register_module_forward_hook(lambda *arguments: None)
    try:
        with pytest.raises(NotImplementedError, match="hooks"):
            lipschitz_bound(nn.Linear(2, 1))
    finally:
        handle.remove()


def test_batch_normalisation_counts_with_its_statistics():
    layer = nn.BatchNorm1d(3, eps=0.0).eval()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -8.0, 2.0]))
        layer.running_var.copy_(torch.tensor([4.0, 16.0, 1.0]))
    assert 2.0 <= lipschitz_bound(layer) <= 2 + 1e-14
    assert lipschitz_bound(nn.BatchNorm2d(3, affine=False).eval()) == pytest.approx(1.0, rel=1e-5)
    assert lipschitz_bound(nn.BatchNorm2d(3, eps=0.25).eval()) == pytest.approx(1.25**-0.5)
    layer.running_var[0] = 0.0
    with pytest.raises(ValueError, match="positive variances"):
        lipschitz_bound(layer)


@pytest.mark.parametrize("parametrize", ["spectral_norm", "orthogonal", "weight_norm"])
def test_parametrised_weights_are_read_as_they_are_used(parametrize):
    torch.manual_seed(0)
    layer = getattr(nn.utils.parametrizations, parametrize)(nn.Linear(5, 4))
    layer.eval()
    exact = torch.linalg.matrix_norm(layer.weight.detach().double(), 2).item()
    assert exact <= lipschitz_bound(layer) <= exact * (1 + 1e-12)
    if parametrize == "spectral_norm":
        with pytest.raises(NotImplementedError, match="Parametrized"):
            lipschitz_bound(layer.train())


class Noise(nn.Module):
    def forward(self, weight):
        return weight + torch.randn_like(weight)


def test_an_unknown_parametrisation_is_refused():
    layer = nn.Linear(3, 2)
    nn.utils.parametrize.register_parametrization(layer, "weight", Noise())
    with pytest.raises(NotImplementedError, match="ParametrizedLinear"):
        lipschitz_bound(layer)


def test_wrappers_are_looked_into():
    layer = nn.Linear(3, 1)
    assert lipschitz_bound(nn.DataParallel(layer)) == lipschitz_bound(layer)
    assert lipschitz_bound(torch.compile(layer, backend="eager")) == lipschitz_bound(layer)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(bad):
    for layer in (nn.Linear(3, 1), nn.Conv1d(1, 1, 3), nn.PReLU()):
        with torch.no_grad():
            layer.weight.fill_(bad)
        with pytest.raises(ValueError, match="finite parameters"):
            lipschitz_bound(nn.Sequential(layer))


def test_zero_is_zero_and_overflow_is_infinite():
    layers = [nn.Linear(2, 2, dtype=torch.float64) for _ in range(3)]
    with torch.no_grad():
        for layer in layers:
            layer.weight.fill_(1e200)
    assert lipschitz_bound(nn.Sequential(*layers)) == math.inf
    with torch.no_grad():
        layers[2].weight.zero_()
    assert lipschitz_bound(nn.Sequential(*layers)) == 0.0
    assert lipschitz_bound(nn.Sequential()) == 1.0


def test_a_callable_is_no_module():
    with pytest.raises(TypeError, match=r"critic must be a torch\.nn\.Module"):
        lipschitz_bound(lambda z: z)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(
    seed=st.integers(0, 2**31),
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    activation=st.sampled_from(ACTIVATIONS),
)
def test_no_pair_of_points_exceeds_the_bound(seed, widths, activation):
    layers = []
    for before, after in itertools.pairwise([3, *widths, 1]):
        layers += [nn.Linear(before, after), activation]
    critic = seeded(nn.Sequential(*layers[:-1]), seed)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2000, 3, dtype=torch.float64, generator=generator)
    y = x + torch.randn(2000, 3, dtype=torch.float64, generator=generator) * 0.3
    with torch.no_grad():
        slopes = (critic(x) - critic(y)).abs()[:, 0] / (x - y).norm(dim=1)
    assert slopes.max().item() <= lipschitz_bound(critic) * (1 + 1e-9)
