"""verify() finds every tampered number; results survive pickling and copying; critics of many."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch

import divergences._transport_result as results
from divergences import CertificateError, optimal_transport
from divergences._metrics import Metric
from divergences.transport import _verify, lowest, near_pairs

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0)]
ORDERS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": np.inf}


def city(p, q):
    return abs(p[:, None, :] - q[None, :, :]).sum(-1)


def clouds(seed, n=80, m=60, dimension=2):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dimension)), 2 * rng.normal(size=(m, dimension)) + 1


def kinds():
    x, y = clouds(0)
    tensors = torch.tensor(x, requires_grad=True), torch.tensor(y)
    return {
        "points": lambda: optimal_transport(x, y),
        "line": lambda: optimal_transport(x[:, 0], y[:, 0]),
        "angular": lambda: optimal_transport(x, y, metric="angular"),
        "callable": lambda: optimal_transport(x, y, metric=city),
        "cost": lambda: optimal_transport(cost=city(x, y) - 3),
        "torch": lambda: optimal_transport(*tensors),
        "single": lambda: optimal_transport(x.astype(np.float32), y.astype(np.float32)),
    }


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_copies_hold_the_same(kind, copied):
    result = kinds()[kind]()
    twin = copied(result)
    twin.verify()
    assert float(twin.value) == float(result.value.detach() if kind == "torch" else result.value)
    assert (np.asarray(twin.potential_x) == np.asarray(result.potential_x)).all()
    assert twin.gap == result.gap
    if kind != "cost":
        z = [1.0, 2.0] if kind == "line" else [[1.0, 2.0]]
        z = torch.tensor(z) if kind == "torch" else z
        assert float(twin.critic(z)[0]) == float(result.critic(z)[0])


def tampered(result, rng):
    """One number of the result after another, changed."""
    size = float(result.value)
    yield {"value": result.value * (1 + 1e-6)}
    yield {"dual_value": result.dual_value + 1e-6 * size}
    yield {"gap": result.gap + 1e-6 * size}
    yield {"tolerance": result.tolerance + 1e-3 * size}
    for name in ("potential_x", "potential_y"):
        potential = getattr(result, name).copy()
        place = rng.integers(potential.size)
        for change in (-1e-6, 1e-6):
            moved = potential.copy()
            moved[place] += change * size
            yield {name: moved}
            yield {name: potential + change * size}
        moved = potential.copy()
        moved[place] = np.nan
        yield {name: moved}
    for factor in (0.5, 1.1):
        plan = result.plan.copy()
        plan.data[rng.integers(plan.nnz)] *= factor
        yield {"plan": plan}
    plan = result.plan.toarray()
    i, j = np.unravel_index(plan.argmax(), plan.shape)
    k = (i + 1) % plan.shape[0]
    mass = min(plan[i, j], plan[k].max()) / 2
    other = plan[k].argmax()
    plan[i, j] -= mass
    plan[i, other] += mass
    plan[k, other] -= mass
    plan[k, j] += mass
    if j != other:
        yield {"plan": type(result.plan)(plan)}  # still a coupling, of another cost


@pytest.mark.parametrize("many_pairs", [False, True])
@pytest.mark.parametrize("kind", ["points", "line", "angular", "callable", "cost", "single"])
def test_whatever_is_tampered_with_is_found(kind, many_pairs, monkeypatch):
    if many_pairs:
        monkeypatch.setattr(results, "_MANY_PAIRS", 0)
    result = kinds()[kind]()
    result.verify()
    rng = np.random.default_rng(1)
    for change in tampered(result, rng):
        with pytest.raises(CertificateError, match="verify: "):
            dataclasses.replace(result, **change).verify()


def test_a_critic_of_another_problem_is_found():
    x, y = clouds(2)
    one, other = optimal_transport(x, y), optimal_transport(x, y + 1)
    with pytest.raises(CertificateError, match=r"critic at .\["):
        dataclasses.replace(one, _critic=other._critic).verify()


def test_an_infeasible_pair_is_named_with_its_cost(monkeypatch):
    x, y = clouds(3)
    result = optimal_transport(x, y)
    u, v = result.potential_x.copy(), result.potential_y.copy()
    u[7] += 1e-3
    changed = dataclasses.replace(
        result, potential_x=u, dual_value=result.dual_value + 1e-3 / 80, gap=result.gap - 1e-3 / 80
    )
    for many in (10**9, 0):
        monkeypatch.setattr(results, "_MANY_PAIRS", many)
        excess = u[7] + v - np.hypot(*(x[7] - y).T)
        worst = "|".join(map(str, np.nonzero(excess >= excess.max() - 1e-13)[0]))
        with pytest.raises(CertificateError, match=rf"potential_x\[7\].*\[({worst})\]"):
            changed.verify()


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("kind", ["normal", "lattice", "one point", "far away", "collinear"])
def test_no_near_pair_is_passed_over(metric, dimension, kind):
    x, y = clouds(4, 300, 170, dimension)
    if kind == "lattice":
        x, y = np.round(2 * x), np.round(2 * y)
    elif kind == "one point":
        x, y = x[:1], y[:1]
    elif kind == "far away":
        x, y = x + 1e6, y + 1e6
    elif kind == "collinear":
        x, y = (np.outer(p[:, 0], np.ones(dimension)) for p in (x, y))
    result = optimal_transport(x, y, metric=metric)
    order = metric[1] if isinstance(metric, tuple) else ORDERS[metric]
    u, v = result.potential_x, result.potential_y
    cost = Metric("minkowski", order).matrix(x, y)
    want = np.argwhere(cost - u[:, None] - v <= 1e-14 * cost.max())
    found = near_pairs(x, y, u, v, order)
    found = {pair for i, j in found for pair in zip(i.tolist(), j.tolist(), strict=True)}
    assert set(map(tuple, want.tolist())) <= found


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_critics_of_many_points_look_up_the_least(metric, monkeypatch):
    x, y = clouds(5, 200, 150, 3)
    result = optimal_transport(x, y, metric=metric)
    z = np.random.default_rng(6).normal(size=(500, 3)) * 10
    blocked = result.critic(z)
    monkeypatch.setattr(results, "_MANY_LOOKUPS", 0)
    np.testing.assert_allclose(result.critic(z), blocked, rtol=1e-13, atol=1e-13)
    tensor = torch.tensor(z, requires_grad=True)
    np.testing.assert_allclose(result.critic(tensor).detach(), blocked, rtol=1e-13, atol=1e-13)


def test_the_lookup_of_one_anchor():
    assert lowest(np.zeros((2, 2)), np.ones((1, 2)), np.zeros(1), 2.0).tolist() == [0, 0]
    assert lowest(np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), 2.0).tolist() == [0]


@pytest.mark.long
def test_many_points_are_verified_in_little_time_and_memory():
    rng = np.random.default_rng(7)
    x, y = rng.random((20_000, 2)), rng.random((20_000, 2))
    result = optimal_transport(x, y)
    result.verify()
    u = result.potential_x.copy()
    u[123] += 1e-9
    with pytest.raises(CertificateError):
        dataclasses.replace(result, potential_x=u).verify()


def test_the_first_points_may_lie_between_all_others():
    """The diameter is then three times what lies around them, and the tolerance knows it."""
    x, y = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 0.0], [-1.0, 0.0]])
    for solver in (None, "multiscale", "dense", "simplex"):
        optimal_transport(x, y, [1 - 1e-9, 1e-9], solver=solver).verify()


@pytest.mark.parametrize(
    ("n", "m", "width"), [(1, 1, 1), (7, 5, 1), (3, 40, 2), (5, 33, 9), (4, 3, 100)]
)
def test_blocks_hold_every_pair_once_and_few_numbers(n, m, width, monkeypatch):
    monkeypatch.setattr(_verify, "_BLOCK_ENTRIES", 32)
    seen = np.zeros((n, m), dtype=int)
    for rows, columns in _verify._all_pairs(n, m, width):
        seen[rows, columns] += 1
        pairs = rows.size * columns.size
        assert pairs == 1 or pairs * width <= 32
    assert (seen == 1).all()


@pytest.mark.parametrize("metric", ["euclidean", city], ids=["euclidean", "callable"])
def test_single_precision_of_points_alone_is_allowed_for(metric):
    rng = np.random.default_rng(8)
    x, y = (rng.normal(size=(n, 2)).astype(np.float32) for n in (7, 5))
    optimal_transport(x, y, y_weights=rng.dirichlet(np.ones(5)), metric=metric).verify()


def test_a_critic_says_that_it_needs_values():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    critic = optimal_transport(x, x + 1).critic
    with pytest.raises(TypeError, match="critic: z must hold values that a solver can read"):
        torch.func.vmap(critic)(x[None])
