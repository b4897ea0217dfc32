"""Derivatives of wasserstein1 and optimal_transport: those of the exactly normalised distance."""

import numpy as np
import pytest
import torch

from divergences import Discrete, optimal_transport, wasserstein1

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]


def leaf(array):
    return torch.tensor(array, requires_grad=True)


def city(p, q):
    return (p[:, None, :] - q[None, :, :]).abs().sum(-1)


@pytest.mark.parametrize("metric", [*METRICS, city], ids=lambda m: getattr(m, "__name__", str(m)))
@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_points_and_softmax_weights(metric, dimension):
    if metric == "angular" and dimension == 1:
        pytest.skip("angles between numbers are 0 or pi: no derivative to compare")
    rng = np.random.default_rng(dimension)
    inputs = [leaf(rng.normal(size=shape)) for shape in ((5, dimension), (4, dimension), 5, 4)]
    assert torch.autograd.gradcheck(
        lambda x, y, s, t: wasserstein1(x, y, s.softmax(0), t.softmax(0), metric=metric), inputs
    )


def test_batches():
    rng = np.random.default_rng(0)
    inputs = [leaf(rng.normal(size=shape)) for shape in ((2, 3, 2), (4, 2), (2, 3))]
    assert torch.autograd.gradcheck(lambda x, y, s: wasserstein1(x, y, s.softmax(-1)), inputs)


def test_laws():
    rng = np.random.default_rng(1)
    inputs = [leaf(rng.normal(size=shape)) for shape in ((4, 2), 4, (5, 2))]
    assert torch.autograd.gradcheck(
        lambda x, s, y: wasserstein1(Discrete(x, s.softmax(0)), Discrete(y)), inputs
    )


def test_raw_weights_are_normalised_exactly():
    rng = np.random.default_rng(2)
    x, y = torch.tensor(rng.normal(size=(6, 2))), torch.tensor(rng.normal(size=(5, 2)))
    a, b = (leaf(rng.dirichlet(np.ones(k))) for k in (6, 5))
    wasserstein1(x, y, a, b).backward()
    for weights in (a, b):
        assert abs((weights.detach() * weights.grad).sum()) <= 1e-15
    # Moving mass along a direction of sum 0 changes the distance by the potentials' difference.
    step = 1e-7 * torch.tensor([1.0, -1.0, 0, 0, 0, 0], dtype=torch.float64)
    change = wasserstein1(x, y, a.detach() + step, b) - wasserstein1(x, y, a.detach() - step, b)
    assert change.item() / 2 == pytest.approx((a.grad * step).sum().item(), rel=1e-6)


def test_a_cost_matrix_has_the_plan_as_its_gradient():
    cost = leaf(np.random.default_rng(3).normal(size=(4, 5)))
    result = optimal_transport(cost=cost)
    (gradient,) = torch.autograd.grad(result.value, cost)
    torch.testing.assert_close(gradient, result.plan.to_dense(), rtol=0, atol=0)
    scores = leaf(np.random.default_rng(4).normal(size=4))
    assert torch.autograd.gradcheck(
        lambda c, s: optimal_transport(cost=c, x_weights=s.softmax(0)).value, (cost, scores)
    )


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_coinciding_points_give_zero_and_never_nan(metric, dimension):
    x = leaf(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 1.0, -1.0]])[:, -dimension:])
    y = leaf(x.detach().numpy()[[2, 0, 1]])
    value = wasserstein1(x, y, metric=metric)
    assert value == 0
    value.backward()
    assert (x.grad == 0).all()
    assert (y.grad == 0).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("coinciding", [False, True])
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_gradients_are_directions_of_the_plan_at_any_scale(scale, coinciding, weighted):
    rng = np.random.default_rng(5)
    points = rng.normal(size=(2, 12, 3))
    points[1] += 0 if coinciding else 5
    points[1, 3] = points[0, 4] if coinciding else points[1, 3]
    x, y = (leaf(cloud * scale) for cloud in points)
    a, b = torch.tensor(rng.dirichlet(np.ones(12), 2)) if weighted else (None, None)
    value = wasserstein1(x, y, a, b)
    first = torch.autograd.grad(value, (x, y), create_graph=True)
    plan = optimal_transport(x.detach(), y.detach(), a, b).plan.to_dense().numpy()
    differences = points[0][:, None] - points[1]
    lengths = np.sqrt((differences**2).sum(axis=2))
    directions = differences / np.where(lengths > 0, lengths, 1.0)[..., None]
    for gradient, axis, sign in zip(first, (1, 0), (1, -1), strict=True):
        truth = sign * (plan[..., None] * directions).sum(axis=axis)
        np.testing.assert_allclose(gradient.detach().numpy(), truth, rtol=1e-12, atol=1e-16)
    second = torch.autograd.grad(sum((g * g).sum() for g in first), (x, y))
    assert all(g.isfinite().all() for g in second) or scale < 1e-200  # of the size of 1 / scale


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["plane", "line", "cost", "batch"])
def test_forward_mode(name):
    rng = np.random.default_rng(6)
    x, y = (torch.tensor(rng.normal(size=(n, 1 if name == "line" else 2))) for n in (5, 4))
    a, b = (torch.tensor(rng.dirichlet(np.ones(n))) for n in (5, 4))
    if name == "cost":
        given, function = (city(x, y), a, b), lambda c, *w: (
            optimal_transport(cost=c, x_weights=w[0], y_weights=w[1]).value
        )  # fmt: skip
    else:
        given, function = (x, y, a, b), wasserstein1
    if name == "batch":
        given, function = (x[None], y[None], a, b), lambda *g: wasserstein1(*g).sum()
    leaves = [side.clone().requires_grad_() for side in given]
    gradients = torch.autograd.grad(function(*leaves), leaves)
    for k, gradient in enumerate(gradients):
        direction = torch.tensor(rng.normal(size=gradient.shape))
        with torch.autograd.forward_ad.dual_level():
            moved = list(given)
            moved[k] = torch.autograd.forward_ad.make_dual(given[k], direction)
            tangent = torch.autograd.forward_ad.unpack_dual(function(*moved)).tangent
        torch.testing.assert_close(tangent, (gradient * direction).sum(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("theta", [-0.7, 0.2])
def test_parallel_lines(theta):
    shift = leaf(theta)
    z = torch.linspace(0, 1, 9, dtype=torch.float64)
    y = torch.stack([shift.expand(9), z], 1)
    wasserstein1(torch.stack([torch.zeros_like(z), z], 1), y).backward()
    assert shift.grad.item() == pytest.approx(np.sign(theta), rel=1e-14)


def test_float32_and_extreme_scales():
    x, y = torch.rand(5, 3, requires_grad=True), torch.rand(5, 3)
    value = wasserstein1(x, y)
    value.backward()
    assert value.dtype == x.grad.dtype == torch.float32
    assert value.item() == np.float32(wasserstein1(x.detach().double(), y.double()).item())
    for scale in (1e-300, 1e300):
        points = leaf(np.array([[3.0, 4.0, 0.0]]) * scale)
        wasserstein1(points, torch.zeros_like(points)).backward()
        np.testing.assert_allclose(points.grad, [[0.6, 0.8, 0.0]], rtol=1e-14)


def test_no_graph_is_asked_for_and_none_is_made():
    x = leaf(np.zeros((2, 2)))
    with torch.no_grad():
        assert not wasserstein1(x, x + 1).requires_grad
    assert not wasserstein1(x.detach(), x.detach()).requires_grad
