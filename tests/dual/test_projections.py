"""The sphere and the spectral constraints: what they promise holds for the stored numbers."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from divergences.dual import (
    SpectralClipping,
    SpectralNormalization,
    SphereProjection,
    ascent_step,
    empirical_lipschitz,
    lipschitz_bound,
)
from divergences.dual._gram_iteration import exact_norm, gram_norm


def network(seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    critic = nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 1))
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.normal_(generator=generator).mul_(2)
    return critic.to(dtype), torch.randn(200, 3, generator=generator, dtype=dtype)


CONSTRAINTS = [
    SphereProjection(),
    SphereProjection(1.7),
    SpectralNormalization(),
    SpectralNormalization(1.5, squarings=5),
    SpectralClipping(),
    SpectralClipping(0.5),
]


@settings(max_examples=settings().max_examples // 10)
@given(seed=st.integers(0, 2**31), constraint=st.sampled_from(CONSTRAINTS))
def test_no_search_finds_a_slope_above_the_bound(seed, constraint):
    critic, x = network(seed)
    constraint.project(critic)
    bound = constraint.lipschitz_bound(critic)
    found = empirical_lipschitz(critic, x, steps=10)
    assert found <= lipschitz_bound(critic) * (1 + 1e-9)
    assert lipschitz_bound(critic) <= bound * (1 + 1e-9)
    limit = getattr(constraint, "limit", getattr(constraint, "radius", None))
    assert bound <= limit**3 * (1 + 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_sphere_is_not_left_by_rounding(dtype, scale):
    layer = nn.Linear(9, 5).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(scale)
    SphereProjection(0.7).project(layer)
    for parameter in layer.parameters():
        square = sum(Fraction(entry) ** 2 for entry in parameter.flatten().tolist())
        eps = Fraction(torch.finfo(dtype).eps)
        assert (1 - 8 * eps) * Fraction(0.7) ** 2 <= square <= Fraction(0.7) ** 2


def test_the_sphere_at_the_ends_of_the_floats():
    layer = nn.Linear(2, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3e200, 4e200]], dtype=torch.float64))
        layer.bias.zero_()
    SphereProjection().project(layer)
    assert layer.weight.tolist()[0] == pytest.approx([0.6, 0.8], rel=1e-14)
    assert layer.bias.tolist() == [0.0]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_gram_iteration_bounds_from_above(scale):
    generator = torch.Generator().manual_seed(4)
    for shape in [(1, 1), (5, 3), (3, 8), (40, 40)]:
        matrix = torch.randn(shape, generator=generator, dtype=torch.float64) * scale
        exact = torch.linalg.matrix_norm(matrix, 2).item()
        for squarings in (1, 4, 8):
            slack = min(shape) ** 2.0 ** (-squarings - 2)
            estimate = gram_norm(matrix, squarings).item()
            assert exact * (1 - 1e-13) <= estimate <= exact * slack * (1 + 1e-13)
    assert gram_norm(torch.zeros(3, 3), 4).item() == 0.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-4, 1.0, 1e30, 1e300])
def test_the_norm_of_a_dense_layer_is_bounded_from_above_closely(scale, dtype):
    generator = torch.Generator().manual_seed(4)
    for shape in [(1, 1), (5, 3), (1, 70), (16, 40), (40, 17), (90, 90)]:
        matrix = (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)
        exact = torch.linalg.matrix_norm(matrix.double() / scale, 2).item()
        if not 0 < exact < math.inf or exact < 1e-3:
            continue  # the type has lost the numbers
        room = 1 + 20 * min(shape) * torch.finfo(torch.promote_types(dtype, torch.float32)).eps
        assert exact <= exact_norm(matrix).double().item() / scale <= exact * room
    assert exact_norm(torch.zeros(30, 30)).item() == 0.0
    for bad in (math.nan, math.inf):
        assert exact_norm(torch.full((30, 30), bad)).isnan()


@pytest.mark.parametrize("constraint", [SpectralNormalization(), SpectralClipping()])
def test_convolutions_are_measured_as_maps(constraint):
    torch.manual_seed(0)
    for layer in (nn.Conv2d(3, 4, 3, padding=1), nn.Conv1d(2, 2, 4, stride=2),
                  nn.ConvTranspose2d(4, 2, 3, groups=2), nn.Conv2d(2, 2, 3, padding=1,
                  padding_mode="circular", stride=2)):  # fmt: skip
        with torch.no_grad():
            layer.weight.mul_(5)
        constraint.project(layer)
        assert 0.9 < lipschitz_bound(layer) < 1.02


def test_clipping_leaves_small_singular_values():
    torch.manual_seed(0)
    layer = nn.Linear(6, 4).double()
    left, values, right = torch.linalg.svd(layer.weight.detach(), full_matrices=False)
    limit = values[1].item() * 0.999
    SpectralClipping(limit).project(layer)
    expected = left * values.clamp(max=limit) @ right
    torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-13, atol=1e-14)
    before = layer.weight.detach().clone()
    SpectralClipping(10.0).project(layer)
    assert torch.equal(layer.weight.detach(), before)


def test_zero_weights_stay_zero():
    layer = nn.Sequential(nn.Linear(2, 2), nn.Conv1d(1, 1, 3))
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    for constraint in CONSTRAINTS:
        constraint.project(layer)
    assert all(not bool(parameter.any()) for parameter in layer.parameters())


@pytest.mark.parametrize("scale", [1e-40, 1e30])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_weights_of_any_scale_are_projected(constraint, scale):
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.fill_(scale)
    constraint.project(layer)
    limit = getattr(constraint, "limit", getattr(constraint, "radius", None))
    assert lipschitz_bound(layer) <= limit * (1 + 1e-5)
    if scale > 1 or not isinstance(constraint, SpectralClipping):
        assert lipschitz_bound(layer) >= limit * (1 - 1e-4)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_training_step_ends_in_the_allowed_set(constraint):
    critic, x = network(3)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.1)
    for _ in range(5):
        ascent_step(critic, optimizer, x + 1, x[:150], constraint)
    assert lipschitz_bound(critic) <= constraint.lipschitz_bound(critic) * (1 + 1e-9)
    assert constraint.penalty(critic, x, x) is None


def test_architectures_without_a_bound_are_named():
    with pytest.raises(NotImplementedError, match=r"SphereProjection\.lipschitz_bound.*Conv2d"):
        SphereProjection().lipschitz_bound(nn.Conv2d(1, 1, 3))
    assert 8.0 <= SphereProjection(2.0).lipschitz_bound(network(0)[0]) <= 8 + 1e-13


@pytest.mark.parametrize("bad", [0.0, math.inf, -1.0])
def test_bad_limits_are_refused(bad):
    for kind in (SpectralNormalization, SpectralClipping):
        with pytest.raises(ValueError, match=f"{kind.__name__}: limit must be"):
            kind(bad)
    for squarings, error in ((0, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="squarings must be"):
            SpectralNormalization(squarings=squarings)


def test_the_search_finds_the_steepest_slope():
    critic, x = network(8, torch.float64)
    far = x + 100  # where tanh is flat: only the ascent comes back
    assert empirical_lipschitz(critic, x, steps=50) > 0.5 * empirical_lipschitz(critic, x, steps=0)
    generator = torch.Generator().manual_seed(0)
    first = empirical_lipschitz(critic, far, steps=5, generator=generator)
    assert first == empirical_lipschitz(critic, far, steps=5, generator=generator.manual_seed(0))
    line = nn.Linear(3, 1).double()
    exact = line.weight.detach().norm().item()
    assert empirical_lipschitz(line, x) == pytest.approx(exact, rel=1e-9)
    assert empirical_lipschitz(line, x[:1]) == pytest.approx(exact, rel=1e-9)
    assert empirical_lipschitz(line, x[:1].expand(9, 3)) == pytest.approx(exact, rel=1e-9)
    assert empirical_lipschitz(lambda z: z.new_zeros(len(z)), x) == 0.0
    assert empirical_lipschitz(lambda z: z[:, 0] * 3, x) == pytest.approx(3.0, rel=1e-9)


def test_the_search_refuses_what_it_cannot_use():
    line = nn.Linear(3, 1)
    with pytest.raises(ValueError, match="x must be finite"):
        empirical_lipschitz(line, torch.full((2, 3), math.nan))
    with pytest.raises(ValueError, match="steps must be a count"):
        empirical_lipschitz(line, torch.ones(2, 3), steps=-1)
    with torch.no_grad():
        line.weight.fill_(math.nan)
    with pytest.raises(ValueError, match="have finite slopes"):
        empirical_lipschitz(line, torch.ones(2, 3))
