"""Batches of small problems: kernels against SciPy and POT, members, certificates, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divergences import optimal_transport, wasserstein1
from divergences._metrics import NORM_ORDERS, Metric
from divergences.transport import solve_batch

EPS = 2.0**-52
METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]
GEOMETRIES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lattice": lambda rng, shape: rng.integers(1, 4, shape) * 1.0,
    "one place": lambda rng, shape: np.ones(shape),
    "offset": lambda rng, shape: 1e9 + rng.random(shape),
    "clusters": lambda rng, shape: rng.random(shape) + 1e6 * rng.integers(0, 2, shape),
    "tiny": lambda rng, shape: rng.normal(size=shape) * 1e-300,
    "huge": lambda rng, shape: rng.normal(size=shape) * 1e300,
    "collinear": lambda rng, shape: rng.normal(size=(*shape[:-1], 1)) * np.ones(shape[-1]),
}


def metric_of(name):
    if isinstance(name, tuple):
        return Metric(*name)
    return Metric(name, NORM_ORDERS.get(name, 2.0))


def members(x, y, a=None, b=None, **options):
    """The problems one by one."""
    rows = range(len(x))
    a, b = ([None] * len(x) if w is None else w for w in (a, b))
    return np.array([wasserstein1(x[k], y[k], a[k], b[k], **options) for k in rows])


def diameters(x, y):
    both = np.concatenate([x, y], axis=1)
    return np.abs(both[:, :, None] - both[:, None]).sum(axis=-1).max(axis=(1, 2))


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_members(geometry, metric):
    rng = np.random.default_rng(0)
    for n, m in ((6, 6), (5, 7)):
        x, y = (GEOMETRIES[geometry](rng, (4, count, 3)) for count in (n, m))
        a, b = (rng.dirichlet(np.ones(count), size=4) for count in (n, m))
        for weights in ((None, None), (a, b), (a, None)):
            values = wasserstein1(x, y, *weights, metric=metric)
            singles = members(x, y, *weights, metric=metric)
            assert (np.abs(values - singles) <= 4 * np.spacing(singles)).all()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_plans_and_potentials_prove_each_other(seed, weighted):
    rng = np.random.default_rng(seed)
    count, n, m, dimension = (int(k) for k in rng.integers(1, 8, 4))
    n = m if rng.random() < 0.5 else n
    x = rng.normal(size=(count, n, dimension)).round(int(rng.integers(0, 4)))
    y = rng.normal(size=(count, m, dimension))
    a, b = (rng.dirichlet(np.ones(size), size=count) if weighted else None for size in (n, m))
    metric = metric_of("euclidean")
    plans = solve_batch(x, y, a, b, metric)
    for k in np.nonzero(plans.trusted)[0]:
        cost = metric.matrix(x[k], y[k])
        plan = np.zeros((n, m))
        np.add.at(plan, (plans.source[k], plans.target[k]), plans.mass[k])
        supply = np.full(n, 1 / n) if a is None else a[k]
        demand = np.full(m, 1 / m) if b is None else b[k]
        np.testing.assert_allclose(plan.sum(axis=1), supply, rtol=0, atol=1e-15)
        np.testing.assert_allclose(plan.sum(axis=0), demand, rtol=0, atol=1e-15)
        assert (plans.mass[k] >= 0).all()
        largest = cost.max()
        assert (plans.u[k][:, None] + plans.v[k] <= cost + 8 * EPS * largest).all()
        dual = supply @ plans.u[k] + demand @ plans.v[k]
        assert abs(plans.values[k] - dual) <= 1e-12 * plans.values[k] + 1e-14 * largest
        assert (plan * cost).sum() == pytest.approx(plans.values[k], rel=1e-14)


@pytest.mark.parametrize("n", [16, 64])
def test_agrees_with_scipy_on_assignments(n):
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(n)
    for dimension in (2, 5):
        x, y = rng.normal(size=(2, 60, n, dimension))
        costs = [cdist(*pair) for pair in zip(x, y, strict=True)]
        references = [cost[linear_sum_assignment(cost)].mean() for cost in costs]
        np.testing.assert_allclose(wasserstein1(x, y), references, rtol=1e-13)


@pytest.mark.parametrize(("n", "m"), [(16, 16), (64, 50), (3, 40)])
def test_agrees_with_pot_on_weights(n, m):
    import ot

    rng = np.random.default_rng(m)
    x, y = rng.normal(size=(20, n, 3)), rng.normal(size=(20, m, 3)) + 0.3
    a, b = rng.dirichlet(np.full(n, 0.5), size=20), rng.dirichlet(np.ones(m), size=20)
    references = [
        ot.emd2(p, q, ot.dist(u, v, metric="euclidean"), numItermax=10**6)
        for p, q, u, v in zip(a, b, x, y, strict=True)
    ]
    np.testing.assert_allclose(wasserstein1(x, y, a, b), references, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_hardly_any_problem_goes_one_by_one(weighted):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 200, 12, 3))
    a = rng.dirichlet(np.ones(12), size=200) if weighted else None
    assert solve_batch(x, y, a, None, metric_of("euclidean")).trusted.all()
    same = solve_batch(x, x[:, ::-1], None, None, metric_of("euclidean"))
    assert same.trusted.all()
    assert (same.values == 0).all()


def test_identical_and_nearly_identical_laws():
    rng = np.random.default_rng(6)
    x, a = rng.normal(size=(10, 8, 2)), rng.dirichlet(np.ones(8), size=10)
    order = rng.permutation(8)
    assert (wasserstein1(x, x[:, order], a, a[:, order]) == 0).all()
    b = a * (1 + 1e-11 * rng.normal(size=a.shape))
    b /= b.sum(axis=-1, keepdims=True)
    assert (wasserstein1(x, x, a, b) == members(x, x, a, b)).all()
    shifted = x + np.array([0.0, 1e-12])
    values, singles = wasserstein1(x, shifted), members(x, shifted)
    assert (np.abs(values - singles) <= 4 * np.spacing(singles)).all()


def test_zero_weights_and_few_atoms():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 1, 2))
    a = rng.dirichlet(np.ones(4), size=5)
    a[:, 0] = 0
    a /= a.sum(axis=-1, keepdims=True)
    values, singles = wasserstein1(x, y, a), members(x, y, a)
    assert (np.abs(values - singles) <= 4 * np.spacing(singles)).all()


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, 700, 16, 2))
    a = rng.dirichlet(np.ones(16), size=700)
    results = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", threads)
        results.append((wasserstein1(x, y).tobytes(), wasserstein1(x, y, a).tobytes()))
    assert results[0] == results[1] == results[2]


def test_large_members_and_forced_solvers_go_one_by_one():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(2, 2, 260, 2))
    assert (wasserstein1(x, y) == members(x, y)).all()
    x, y = x[:, :6], y[:, :5]
    values = wasserstein1(x, y, solver="simplex")
    assert (values == members(x, y, solver="simplex")).all()


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_many_coordinates(metric):
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(2, 60, 12, 400))
    values, singles = (solve(x, y, metric=metric) for solve in (wasserstein1, members))
    assert (np.abs(values - singles) <= 4 * np.spacing(singles)).all()


def leaves_of(rng, *shapes):
    return [torch.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("m", [4, 5])
def test_derivatives(metric, m):
    inputs = leaves_of(np.random.default_rng(m), (3, 4, 2), (m, 2), (3, 4), (m,))

    def weighted(x, y, s, t):
        return wasserstein1(x, y, s.softmax(-1), t.softmax(-1), metric=metric)

    assert torch.autograd.gradcheck(weighted, inputs)
    assert torch.autograd.gradcheck(lambda x, y: wasserstein1(x, y, metric=metric), inputs[:2])


def test_derivatives_of_raw_weights_and_of_members_solved_apart():
    rng = np.random.default_rng(10)
    (x,) = leaves_of(rng, (3, 6, 2))
    a = torch.tensor(rng.dirichlet(np.ones(6), size=3), requires_grad=True)
    y = torch.tensor(rng.normal(size=(3, 6, 2)))
    y[1] = x.detach()[1] + torch.tensor([0.0, 1e-12], dtype=torch.float64)
    values = wasserstein1(x, y, a, a.detach())
    values.sum().backward()
    assert ((a.detach() * a.grad).sum(-1).abs() <= 1e-15).all()
    singles = members(*(side.detach().numpy() for side in (x, y, a, a)))
    np.testing.assert_allclose(values.detach(), singles, rtol=1e-15)
    np.testing.assert_allclose(x.grad[1].sum(0), [0.0, -1.0], atol=1e-3)


@pytest.mark.parametrize("dimension", [1, 2])
def test_no_problem_keeps_a_graph(dimension):
    x = torch.zeros(0, 3, dimension, requires_grad=True)
    value = wasserstein1(x, torch.zeros(4, dimension))
    assert value.shape == (0,)
    assert value.dtype == torch.float32
    value.sum().backward()
    assert x.grad.shape == x.shape
    assert wasserstein1(np.zeros((2, 0, 3, dimension)), np.zeros((4, dimension))).shape == (2, 0)


@pytest.mark.parametrize("shape", [(3, 5), (40, 33), (64, 64)])
def test_atoms_without_mass_in_a_batch(shape):
    n, m = shape
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(6, n, 2)), rng.normal(size=(6, m, 2)) + 1
    a, b = rng.dirichlet(np.ones(n), 6), rng.dirichlet(np.ones(m), 6)
    a[:3, ::2], b[2:5, 1::2] = 0.0, 0.0
    a[5], b[5] = np.eye(n)[0], np.eye(m)[m - 1]
    a, b = (w / w.sum(axis=1, keepdims=True) for w in (a, b))
    plans = solve_batch(x, y, a, b, Metric("euclidean"))
    distances = np.linalg.norm(x[:, :, None] - y[:, None], axis=3)
    assert (plans.u[:, :, None] + plans.v[:, None] <= distances + 1e-14 * distances.max()).all()
    for k in range(6):
        alone = optimal_transport(x[k], y[k], a[k], b[k])
        assert plans.values[k] == pytest.approx(alone.value, rel=1e-14)
        sent = np.bincount(plans.source[k], plans.mass[k], n)
        received = np.bincount(plans.target[k], plans.mass[k], m)
        assert np.abs(sent - a[k]).max() + np.abs(received - b[k]).max() < 1e-15
