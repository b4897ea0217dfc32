"""1-Lipschitz layers: the claimed bound against dense matrices, Jacobians, pairs and ascent."""

import copy
import itertools
import math
import pickle
import shutil

import pytest
import torch
from torch import nn

from divergences.dual import (
    AOLConv2d,
    CriticMaximum,
    CriticSum,
    GroupSort,
    MaxMin,
    MaxoutCritic,
    OrthogonalLinear,
    Residual,
    SkewOrthogonalConv2d,
    SLLConv2d,
    SLLLinear,
    ascent_step,
    dual_objective,
    empirical_lipschitz,
    lipschitz_bound,
    orthogonal_mlp,
)
from divergences.dual._orthogonalize import METHODS as METHODS_OF
from divergences.dual._shared_weights import shared_weights

METHODS = ("cayley", "householder", "exponential", "bjorck")


def seed(number=0):
    return torch.Generator().manual_seed(number)


def defect(layer):
    """Spectral norm of W' W - I on the shorter side, in float64."""
    weight = layer.weight.detach().double()
    if weight.shape[0] < weight.shape[1]:
        weight = weight.T
    gram = weight.T @ weight - torch.eye(weight.shape[1], dtype=torch.float64)
    return torch.linalg.matrix_norm(gram, 2).item()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 7), (3, 8), (9, 4)])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 3e-6), (torch.float64, 1e-14)])
def test_weights_are_orthogonal(method, shape, dtype, limit):
    layer = OrthogonalLinear(*shape, method=method, generator=seed(), dtype=dtype)
    assert layer.weight.shape == (shape[1], shape[0])
    assert defect(layer) < limit
    exact = torch.linalg.matrix_norm(layer.weight.detach().double(), 2).item()
    assert exact * (1 - 1e-15) <= lipschitz_bound(layer) <= exact * (1 + 1e-13)


def trained(method, width, steps, dtype):
    """A layer after steps of Adam towards an arbitrary target, with a large rate."""
    layer = OrthogonalLinear(width, width, method=method, generator=seed(1), dtype=dtype)
    generator = seed(2)
    target = torch.randn(width, width, generator=generator, dtype=dtype)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        (layer.weight * target).sum().backward()
        optimizer.step()
    return layer


@pytest.mark.parametrize("method", METHODS)
def test_weights_stay_orthogonal(method):
    assert defect(trained(method, 24, 30, torch.float32)) < 1e-5
    assert defect(trained(method, 24, 30, torch.float64)) < 1e-12


@pytest.mark.long
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("method", METHODS)
def test_weights_stay_orthogonal_for_a_thousand_steps_at_width_512(method, dtype, limit):
    layer = trained(method, 512, 1000, dtype)
    assert defect(layer) <= limit
    # the proof's own room for rounding is 2e-11 at this width
    assert 1 - limit <= lipschitz_bound(layer) <= 1 + limit + 1e-10


@pytest.mark.parametrize("shape", [(1, 1), (6, 1), (5, 5), (9, 4), (40, 40)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_reflections_accumulated_at_once_are_those_taken_one_by_one(shape, size):
    raw = size * torch.randn(shape, generator=seed(), dtype=torch.float64)
    expected = torch.eye(shape[0], dtype=torch.float64)
    for k in range(shape[1]):
        vector = raw[:, k].clone()
        vector[:k], vector[k] = 0, 1
        expected = expected - 2 * torch.outer(expected @ vector, vector) / vector.square().sum()
    torch.testing.assert_close(METHODS_OF["householder"](raw), expected[:, : shape[1]])


@pytest.mark.parametrize("condition", [1.0, 30.0, 3000.0])
def test_scaled_steps_end_at_the_nearest_orthogonal_matrix(condition):
    left, right = (
        torch.linalg.qr(torch.randn(20, 8, generator=seed(k), dtype=torch.float64)).Q[:, :8]
        for k in (0, 1)
    )
    values = torch.logspace(0, -math.log10(condition), 8, dtype=torch.float64)
    right = torch.linalg.qr(right[:8]).Q
    nearest = METHODS_OF["bjorck"](7 * left * values @ right.T)
    torch.testing.assert_close(nearest, left @ right.T, rtol=0, atol=1e-10)
    steep = METHODS_OF["bjorck"](
        left * values**4 @ right.T
    )  # beyond its reach: shorter, not longer
    assert torch.linalg.matrix_norm(steep, 2) <= 1 + 1e-14


@pytest.mark.parametrize("method", METHODS)
def test_the_bound_is_measured(method):
    """Parameters that no method can make orthogonal give the norm they have, or an error."""
    layer = OrthogonalLinear(3, 3, method=method)
    with torch.no_grad():
        layer.raw.zero_()
    exact = torch.linalg.matrix_norm(layer.weight.detach().double(), 2).item()
    assert lipschitz_bound(layer) == pytest.approx(exact, abs=1e-14)
    with torch.no_grad():
        layer.raw.fill_(math.nan)
    with pytest.raises((ValueError, torch.linalg.LinAlgError), match=r"finite parameters|linalg"):
        lipschitz_bound(layer)


def test_gradients_reach_the_free_parameter():
    for method in METHODS:
        layer = OrthogonalLinear(3, 4, method=method, generator=seed(), dtype=torch.float64)

        def value(raw, layer=layer):
            return torch.func.functional_call(layer, {"raw": raw}, (torch.ones(2, 3).double(),))

        assert torch.autograd.gradcheck(value, (layer.raw.detach().requires_grad_(),))


def test_sorting():
    points = torch.randn(5, 12, 2, generator=seed())
    groups = points.reshape(5, 3, 4, 2).sort(dim=2).values.reshape(5, 12, 2)
    assert torch.equal(GroupSort(4)(points), groups)
    assert torch.equal(MaxMin()(points), GroupSort(2)(points))
    assert torch.equal(MaxMin()(points[:, :, 0]).norm(dim=1), MaxMin()(points)[:, :, 0].norm(dim=1))
    assert lipschitz_bound(MaxMin()) == lipschitz_bound(GroupSort(4)) == 1.0
    with pytest.raises(ValueError, match="number of channels"):
        MaxMin()(torch.ones(2, 3))


def test_the_jacobian_of_max_min_is_orthogonal_also_between_equal_channels():
    points = torch.randn(40, 6, generator=seed(), dtype=torch.float64)
    points[:20, 1] = points[:20, 0]
    points[10:30, 4:] = 0
    for point in points:
        jacobian = torch.autograd.functional.jacobian(lambda z: MaxMin()(z[None])[0], point)
        assert torch.equal(jacobian @ jacobian.T, torch.eye(6, dtype=torch.float64))
        assert torch.equal(jacobian @ point, MaxMin()(point[None])[0])
    assert torch.autograd.gradgradcheck(MaxMin(), points[30:, :4].clone().requires_grad_())


def dense_matrix(layer, shape):
    size = math.prod(shape)
    with torch.no_grad():
        offset = layer(torch.zeros(1, *shape, dtype=torch.float64))
        rows = layer(torch.eye(size, dtype=torch.float64).reshape(size, *shape)) - offset
    return rows.reshape(size, -1)


@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"stride": 2, "padding": 1}])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_almost_orthogonal_convolutions(options, scale):
    layer = AOLConv2d(2, 3, 3, generator=seed(), dtype=torch.float64, **options)
    with torch.no_grad():
        layer.raw.mul_(scale)
    exact = torch.linalg.matrix_norm(dense_matrix(layer, (2, 6, 5)), 2).item()
    assert exact <= lipschitz_bound(layer) <= 1 + 1e-12


def test_skew_convolutions_are_orthogonal():
    layer = SkewOrthogonalConv2d(3, 3, generator=seed(), dtype=torch.float64)
    with torch.no_grad():
        layer.raw.mul_(3)
    matrix = dense_matrix(layer, (3, 5, 4))
    values = torch.linalg.svdvals(matrix)
    assert values[0].item() <= lipschitz_bound(layer) <= 1 + 2e-6
    assert values[-1].item() >= 1 - 2e-6
    thin = SkewOrthogonalConv2d(1, 2, stride=2, generator=seed(), dtype=torch.float64)
    norm = torch.linalg.matrix_norm(dense_matrix(thin, (1, 6, 4)), 2).item()
    assert norm <= lipschitz_bound(thin) <= 1 + 2e-6


def blocks():
    """Layers of every kind, with the shape of a point."""
    yield SLLLinear(5, 7, generator=seed()), (5,)
    yield SLLLinear(5, 1, generator=seed()), (5,)
    yield SLLConv2d(2, 3, generator=seed()), (2, 4, 4)
    yield AOLConv2d(2, 3, 3, generator=seed()), (2, 4, 4)
    yield SkewOrthogonalConv2d(2, 2, generator=seed()), (2, 4, 4)
    yield OrthogonalLinear(6, 4, generator=seed()), (6,)
    yield GroupSort(3), (6,)
    yield MaxMin(), (6, 2)
    yield orthogonal_mlp(4, (8, 8), generator=seed()), (4,)
    yield MaxoutCritic(4, 8, 5, generator=seed()), (4,)
    yield MaxoutCritic(4, 8, 5, temperature=0.3, generator=seed()), (4,)
    yield Residual(OrthogonalLinear(6, 6, generator=seed()), skip=-0.5, weight=0.5), (6,)
    yield Residual(AOLConv2d(2, 2, 3, padding=1, generator=seed())), (2, 4, 4)
    yield CriticMaximum([orthogonal_mlp(4, (8,)), nn.Linear(4, 1)]), (4,)
    yield CriticSum([orthogonal_mlp(4, (8,)), nn.Linear(4, 1)], [0.3, -2.0]), (4,)


ALL = list(blocks())
every = pytest.mark.parametrize(
    ("layer", "shape"), ALL, ids=[f"{i}-{type(layer).__name__}" for i, (layer, _) in enumerate(ALL)]
)


@every
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_no_pair_and_no_jacobian_exceeds_the_bound(layer, shape, scale):
    layer = copy.deepcopy(layer).double()
    generator = seed(5)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(scale).add_(torch.randn(parameter.shape, generator=generator))
    bound = lipschitz_bound(layer)
    x = torch.randn(2000, *shape, generator=generator, dtype=torch.float64)
    y = x + torch.randn(2000, *shape, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        rises = (
            (layer(x) - layer(y)).flatten(1).norm(dim=1)
            if layer(x).ndim > 1
            else (layer(x) - layer(y)).abs()
        )
    assert (rises / (x - y).flatten(1).norm(dim=1)).max().item() <= bound * (1 + 1e-10)
    for point in x[:10]:
        jacobian = torch.func.jacrev(lambda z: layer(z[None]).flatten())(point)
        norm = torch.linalg.matrix_norm(jacobian.reshape(jacobian.shape[0], -1), 2).item()
        assert norm <= bound * (1 + 1e-12)


@every
def test_the_search_stays_below_the_bound_of_a_critic(layer, shape):
    class Direction(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, points):
            values = self.layer(points).reshape(len(points), -1)
            return values.sum(1) / values.shape[1] ** 0.5  # a 1-Lipschitz function of the output

    x = torch.randn(40, *shape, generator=seed(3))
    found = empirical_lipschitz(Direction(), x, steps=10)
    assert found <= lipschitz_bound(layer) * (1 + 1e-9)


@every
def test_state_is_saved_and_copied(layer, shape):
    other = copy.deepcopy(layer)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(layer.state_dict())
    third = pickle.loads(pickle.dumps(layer))
    points = torch.randn(3, *shape, generator=seed())
    assert torch.equal(other(points), layer(points))
    assert torch.equal(third(points), layer(points))


@every
def test_dynamo_traces_without_a_break(layer, shape):
    torch._dynamo.reset()
    points = torch.randn(3, *shape, generator=seed())
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(points), layer(points))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_a_critic_is_compiled_with_its_gradient():
    critic = orthogonal_mlp(3, (8, 8), generator=seed(), dtype=torch.float64)
    compiled = torch.compile(critic, fullgraph=True)
    points = torch.randn(5, 3, generator=seed(1)).double()
    parameters = list(critic.parameters())
    plain = torch.autograd.grad(critic(points).sum(), parameters)
    fused = torch.autograd.grad(compiled(points).sum(), parameters)
    torch.testing.assert_close(fused, plain)


def test_residual_blocks_keep_one_within_rounding():
    """Hidden width 1: T equals W' W, nothing is lost, and the reflection at x -> -x is attained."""
    layer = SLLLinear(4, 1, generator=seed(), dtype=torch.float64)
    assert 1.0 <= lipschitz_bound(layer) <= 1 + 1e-7
    for dtype in (torch.float32, torch.bfloat16):
        block = SLLLinear(6, 9, generator=seed(), dtype=dtype)
        assert 1.0 <= lipschitz_bound(block) <= 1.2
    with torch.no_grad():
        layer.weight.zero_()
    assert torch.equal(layer(torch.ones(2, 4).double()), torch.ones(2, 4).double())


def test_sums_and_maxima():
    halves = CriticSum([nn.Linear(2, 1), nn.Linear(2, 1)])
    bounds = [lipschitz_bound(critic) for critic in halves.critics]
    assert lipschitz_bound(halves) == pytest.approx(sum(bounds) / 2)
    assert lipschitz_bound(CriticMaximum(halves.critics)) == max(bounds)
    points = torch.randn(7, 2, generator=seed())
    values = torch.cat([critic(points) for critic in halves.critics], dim=1)
    torch.testing.assert_close(halves(points), values.mean(1))
    assert torch.equal(CriticMaximum(halves.critics)(points), values.amax(1))
    with pytest.raises(NotImplementedError, match="LayerNorm"):
        lipschitz_bound(CriticMaximum([nn.LayerNorm(2)]))


def test_residual_blocks_add_their_bounds():
    branch = nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 3))
    bound = lipschitz_bound(branch)
    assert lipschitz_bound(Residual(branch)) == pytest.approx(1 + bound, rel=1e-12)
    assert lipschitz_bound(Residual(branch, skip=-0.5, weight=-2.0)) >= 0.5 + 2 * bound
    points = torch.randn(6, 3, generator=seed())
    kept = points.clone()
    block = nn.Sequential(Residual(nn.ReLU(inplace=True)), Residual(branch, skip=2.0, weight=0.5))
    once = points + points.relu()
    torch.testing.assert_close(block(points), 2 * once + 0.5 * branch(once))
    assert torch.equal(points, kept)
    with pytest.raises(ValueError, match="keep the shape"):  # the sum would be broadcast
        Residual(nn.Linear(3, 1))(points)
    with pytest.raises(NotImplementedError, match="LayerNorm"):
        lipschitz_bound(Residual(nn.LayerNorm(3)))


def test_weights_are_shared_between_the_calls_of_one_objective():
    layer = OrthogonalLinear(3, 2, generator=seed())
    with shared_weights():
        first = layer.weight
        assert layer.weight is first
        with torch.no_grad():
            assert not layer.weight.requires_grad
        with shared_weights():
            assert layer.weight is first
    assert layer.weight is not first
    layer.raw.grad = None
    dual_objective(
        nn.Sequential(layer, nn.Linear(2, 1)), torch.ones(4, 3), torch.zeros(2, 3)
    ).backward()
    assert layer.raw.grad is not None


def test_autocast_does_not_touch_the_weights():
    layer = OrthogonalLinear(8, 8, generator=seed())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = layer.weight
        assert layer(torch.ones(1, 8)).dtype == torch.bfloat16
    assert torch.equal(inside, layer.weight)


def test_an_orthogonal_critic_finds_a_translation():
    """W1 of a law and its translate is the length of the shift; the dual value stays below."""
    generator = seed(0)
    x = torch.randn(256, 3, generator=generator)
    y = x + torch.tensor([2.0, -1.0, 2.0])
    critic = orthogonal_mlp(3, (16, 16), generator=generator)
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for _ in range(60):
        value = ascent_step(critic, optimizer, x, y).item()
        assert value <= 3.0 * (1 + 1e-4)
    certified = dual_objective(critic, x, y).item() / lipschitz_bound(critic)
    assert 2.9 < certified <= 3.0 * (1 + 1e-5)


def test_generators_decide_everything():
    state = torch.get_rng_state()
    first, second = (orthogonal_mlp(2, (4, 4), generator=seed(9)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    widths = [layer.weight.shape for layer in first if isinstance(layer, OrthogonalLinear)]
    assert widths == [(b, a) for a, b in itertools.pairwise((2, 4, 4, 1))]


@pytest.mark.parametrize(
    ("build", "error"),
    [(lambda: OrthogonalLinear(0, 1), ValueError), (lambda: OrthogonalLinear(1.5, 1), TypeError),
     (lambda: OrthogonalLinear(1, 1, method="qr"), ValueError), (lambda: GroupSort(0), ValueError),
     (lambda: SLLConv2d(1, kernel_size=2), ValueError), (lambda: AOLConv2d(1, 0, 3), ValueError),
     (lambda: SkewOrthogonalConv2d(1, 1, 2), ValueError), (lambda: CriticMaximum([]), ValueError),
     (lambda: orthogonal_mlp(2, (3,)), ValueError), (lambda: CriticSum([abs]), TypeError),
     (lambda: CriticSum([nn.Identity()], [1.0, 2.0]), ValueError),
     (lambda: Residual(abs), TypeError), (lambda: Residual(nn.ReLU(), skip=math.nan), ValueError)],
)  # fmt: skip
def test_bad_options_are_refused(build, error):
    with pytest.raises(error, match="must"):
        build()
