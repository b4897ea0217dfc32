"""TransportResult: plan, potentials, critic, certificate; and what is refused."""

import dataclasses
import math
import pickle
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from divergences import (
    Bracket,
    CertificateError,
    Discrete,
    TimeLimitReached,
    TransportResult,
    _transport_result,
    optimal_transport,
    wasserstein1,
)

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]


def problem(seed, dimension=3, n=12, m=9):
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    a[0] = b[0] = 0.0
    x, y = rng.normal(size=(n, dimension)), rng.normal(size=(m, dimension))
    y[:3] = x[:3]
    return x, y, a / a.sum(), b / b.sum()


def distances(x, y, metric):
    if metric == "angular":
        x, y = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in (x, y))
        return np.arccos(np.clip(x @ y.T, -1, 1))
    orders = {"euclidean": 2, "cityblock": 1, "chebyshev": np.inf}
    order = metric[1] if isinstance(metric, tuple) else orders[metric]
    return np.linalg.norm(x[:, None] - y, ord=order, axis=-1)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_everything_a_result_says(metric, dimension):
    x, y, a, b = problem(1, dimension)
    result = optimal_transport(x, y, a, b, metric=metric)
    cost = distances(x, y, metric)
    plan = result.plan.toarray()
    assert (plan >= 0).all()
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-14)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-14)
    assert result.value == pytest.approx(
        (plan * cost).sum(), rel=1e-7 if metric == "angular" else 1e-13
    )
    assert result.dual_value == pytest.approx(a @ result.potential_x + b @ result.potential_y)
    assert (
        result.potential_x[:, None] + result.potential_y <= cost + 3e-8 * (metric == "angular")
    ).all()
    assert result.gap == result.value - result.dual_value
    assert result.gap <= result.tolerance <= 1e-9 * result.value + 1e-13 * 2 * cost.max()
    np.testing.assert_allclose(result.critic(x), result.potential_x, atol=1e-13)
    np.testing.assert_allclose(result.critic(y), -result.potential_y, atol=1e-13)
    result.verify()


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_the_critic_is_1_lipschitz_and_witnesses_the_value(metric, dimension):
    x, y, a, b = problem(2, dimension)
    result = optimal_transport(x, y, a, b, metric=metric)
    z = np.concatenate([x, y, 3 * np.random.default_rng(0).normal(size=(200, dimension))])
    values = result.critic(z)
    assert values.shape == (len(z),)
    slopes = np.abs(values[:, None] - values) - distances(z, z, metric)
    assert slopes.max() <= (3e-8 if metric == "angular" else 1e-13)
    witnessed = a @ result.critic(x) - b @ result.critic(y)
    assert witnessed == pytest.approx(result.value, rel=1e-12)


def test_the_critic_in_torch():
    x, y, a, b = problem(3, 2)
    for metric in METRICS:
        result = optimal_transport(x, y, a, b, metric=metric)
        z = torch.randn(20, 2, dtype=torch.float64, requires_grad=True)
        values = result.critic(z)
        assert (values.detach().numpy() == result.critic(z.detach().numpy())).all()
        assert torch.autograd.gradcheck(result.critic, z)
        if metric == "euclidean":
            (slope,) = torch.autograd.grad(values.sum(), z)
            np.testing.assert_allclose(slope.norm(dim=1), 1.0, rtol=1e-12)
    assert result.critic(torch.ones(3, 2)).dtype == torch.float32


def test_the_critic_on_the_line_takes_numbers():
    result = optimal_transport([0.0, 1.0], [2.0, 5.0])
    values = result.critic([0.0, 1.0, 2.0, 5.0, -7.0, 9.0])
    np.testing.assert_allclose(np.diff(values[:4]), [-1.0, -1.0, -3.0], rtol=1e-14)


def test_the_critic_of_a_callable_metric():
    x, y, a, b = problem(4, 2)

    def city(p, q):
        return abs(p[:, None, :] - q[None, :, :]).sum(-1)

    result = optimal_transport(x, y, a, b, metric=city)
    result.verify()
    np.testing.assert_allclose(result.critic(x), result.potential_x, atol=1e-13)
    np.testing.assert_allclose(result.critic(y), -result.potential_y, atol=1e-13)
    tensors = optimal_transport(*(torch.tensor(array) for array in (x, y, a, b)), metric=city)
    z = torch.randn(5, 2, dtype=torch.float64)
    np.testing.assert_allclose(tensors.critic(z).numpy(), result.critic(z.numpy()), atol=1e-13)


def test_equal_uniform_clouds_have_a_permutation():
    x, y = np.random.default_rng(0).normal(size=(2, 40, 3))
    plan = optimal_transport(x, y).plan
    assert plan.nnz == 40
    assert (plan.data == 1 / 40).all()


def test_identical_clouds_stay_where_they_are():
    x = np.random.default_rng(0).normal(size=(6, 2))
    result = optimal_transport(x, x)
    assert result.value == result.gap == 0.0 or result.gap <= result.tolerance
    assert (result.plan.toarray() == np.eye(6) / 6).all()
    assert (result.critic(x) == 0).all()


def test_any_cost_matrix():
    rng = np.random.default_rng(5)
    for scale in (1.0, 1e-200, 1e300):
        cost = rng.normal(size=(6, 4)) * scale
        a = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.0])
        result = optimal_transport(cost=cost, x_weights=a)
        result.verify()
        linear = _linear_program(cost / scale, a, np.full(4, 0.25)) * scale
        assert result.value == pytest.approx(linear, rel=1e-9)
        assert (result.potential_x[:, None] + result.potential_y <= cost).all()


def _linear_program(cost, a, b):
    from scipy.optimize import linprog

    n, m = cost.shape
    rows = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(cost.ravel(), A_eq=rows, b_eq=np.concatenate([a, b])).fun


def test_points_may_accompany_a_cost_matrix():
    law = Discrete([0.0, 1.0], [0.25, 0.75])
    result = optimal_transport(law, [5.0], cost=[[4.0], [8.0]])
    assert result.value == 7.0


def test_squared_distances_go_through_cost():
    x, y = np.random.default_rng(6).normal(size=(2, 30))
    result = optimal_transport(cost=(x[:, None] - y) ** 2)
    assert result.value == pytest.approx(((np.sort(x) - np.sort(y)) ** 2).mean(), rel=1e-12)


def test_torch_in_torch_out():
    x, y, a, b = problem(7)
    expected = optimal_transport(x, y, a, b)
    result = optimal_transport(*(torch.tensor(array) for array in (x, y, a, b)))
    assert isinstance(result, TransportResult)
    assert result.plan.is_sparse
    assert (result.plan.to_dense().numpy() == expected.plan.toarray()).all()
    assert (result.potential_x.numpy() == expected.potential_x).all()
    assert (result.potential_y.numpy() == expected.potential_y).all()
    assert (result.value.item(), result.gap) == (expected.value, expected.gap)
    result.verify()
    optimal_transport(torch.rand(5, 2), torch.rand(4, 2)).verify()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: {"value": r.value * (1 + 1e-9)}, "the plan costs"),
        (lambda r: {"dual_value": r.dual_value - 1e-9}, "not dual_value"),
        (lambda r: {"potential_x": r.potential_x + np.eye(1, 12, 4)[0]}, "not dual_value"),
        (lambda r: {"plan": r.plan * 1.001}, "the plan gives x"),
        (lambda r: {"plan": r.plan[:, [0, 2, 1, *range(3, 9)]]}, "the plan gives y"),
        (lambda _: {"tolerance": 0.0}, "above the tolerance"),
    ],
)
def test_verify_finds_what_is_wrong(change, complaint):
    result = optimal_transport(*problem(8))
    with pytest.raises(CertificateError, match=complaint):
        dataclasses.replace(result, **change(result)).verify()


def test_verify_names_the_worst_pair():
    x, y, a, b = problem(8)
    result = optimal_transport(x, y, a, b)
    potential = result.potential_x.copy()
    potential[0] += 10.0  # an atom without mass: no other check sees it
    with pytest.raises(CertificateError, match=r"potential_x\[0\] \+ potential_y\[\d+\]"):
        dataclasses.replace(result, potential_x=potential).verify()


def test_a_plan_that_is_not_optimal_is_refused(monkeypatch):
    from divergences.transport import _choose
    from divergences.transport._masses import north_west
    from divergences.transport._simplex import Candidate

    def careless(cost, masses, clock):
        yield Candidate(north_west(masses.supply, masses.demand), np.zeros(cost.shape[1]), None)

    monkeypatch.setattr(_choose._simplex, "solve", careless)
    with pytest.raises(CertificateError, match="duality gap"):
        wasserstein1(*problem(9), solver="simplex")


@pytest.mark.parametrize("solver", ["multiscale", "dense", "simplex"])
@pytest.mark.parametrize("limit", [1e-6, 0.02])
def test_the_time_limit_gives_a_bracket(limit, solver, monkeypatch):
    from divergences.transport import _simplex

    monkeypatch.setattr(_simplex, "_FIRST_PIVOTS", 1)  # so that ten attempts would be needed
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(900, 2)), rng.normal(size=(900, 2)) + 1
    if solver != "simplex":  # a cold cache: the compiler is not interrupted
        wasserstein1(x[:3], y[:3], solver=solver)
    began = time.monotonic()
    with pytest.raises(TimeLimitReached, match="time_limit") as caught:
        optimal_transport(x, y, time_limit=limit, solver=solver)
    assert time.monotonic() - began < 10  # the solver's import included
    bracket = caught.value.bracket
    assert isinstance(bracket, Bracket)
    assert bracket.lower < wasserstein1(x, y) < bracket.upper


def test_a_generous_time_limit_changes_nothing(monkeypatch):
    from divergences.transport import _simplex

    monkeypatch.setattr(_simplex, "_FIRST_PIVOTS", 1)
    x, y, a, b = problem(10, n=60, m=50)
    free, limited = (optimal_transport(x, y, a, b, time_limit=t) for t in (None, 20.0))
    assert limited.value == pytest.approx(free.value, rel=1e-15)
    limited.verify()


def test_progress_goes_to_standard_error(capsys):
    optimal_transport(*problem(11), progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "network simplex" in captured.err


def test_a_missing_tqdm_is_said_clearly(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="progress must be False where tqdm is not installed"):
        optimal_transport(*problem(11), progress=True)


def test_silence_without_progress(capsys):
    optimal_transport(*problem(11))
    assert capsys.readouterr().err == ""


X, Y = [[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0]]


@pytest.mark.parametrize(
    ("error", "parameter", "arguments", "keywords"),
    [
        (TypeError, "x", (None, Y), {}),
        (TypeError, "x", ("ab", Y), {}),
        (TypeError, "y", (X, [["a", "b"]]), {}),
        (TypeError, "x", ([[1j, 0]], Y), {}),
        (TypeError, "x", (torch.zeros(2, 2), Y), {}),
        (TypeError, "x_weights", (X, Y, torch.full((2,), 0.5)), {}),
        (ValueError, "x", ([[1.0, 2.0], [3.0]], Y), {}),
        (ValueError, "x", (3.0, Y), {}),
        (ValueError, "x", ([], Y), {}),
        (ValueError, "y", (X, np.zeros((0, 2))), {}),
        (ValueError, "x", ([[np.nan, 0.0]], Y), {}),
        (ValueError, "y", (X, [[0.0, np.inf]]), {}),
        (ValueError, "x and y", (X, [[1.0, 2.0, 3.0]]), {}),
        (ValueError, "x and y", (X, [1.0, 2.0]), {}),
        (ValueError, "x_weights", (X, Y, [0.5, 0.6]), {}),
        (ValueError, "x_weights", (X, Y, [1.5, -0.5]), {}),
        (ValueError, "x_weights", (X, Y, [1.0]), {}),
        (ValueError, "x_weights", (X, Y, [np.nan, 1.0]), {}),
        (ValueError, "y_weights", (X, Y, None, [[1.0]]), {}),
        (ValueError, "x_weights", (Discrete(X), Y, [0.5, 0.5]), {}),
        (ValueError, "metric", (X, Y), {"metric": "manhattan"}),
        (ValueError, "metric", (X, Y), {"metric": "cosine"}),
        (ValueError, "metric", (X, Y), {"metric": "sqeuclidean"}),
        (ValueError, "metric", (X, Y), {"metric": "minkowski"}),
        (ValueError, "order of metric", (X, Y), {"metric": ("minkowski", 0.5)}),
        (ValueError, "order of metric", (X, Y), {"metric": ("minkowski", np.nan)}),
        (TypeError, "metric", (X, Y), {"metric": 2}),
        (ValueError, "x", (X, [[1.0, 0.0]]), {"metric": "angular", "solver": None}),
        (ValueError, "solver", (X, Y), {"solver": "sinkhorn"}),
        (ValueError, "solver", (X, Y), {"solver": "line"}),
        (ValueError, "solver", ([1.0], [2.0]), {"solver": "line", "metric": "angular"}),
        (ValueError, "metric(x, y)", (X, Y), {"metric": lambda *_: np.zeros((1, 1))}),
        (ValueError, "metric(x, y)", (X, Y), {"metric": lambda *_: np.full((2, 1), -1.0)}),
        (ValueError, "metric(x, y)", (X, Y), {"metric": lambda *_: np.full((2, 1), np.nan)}),
        (TypeError, "metric(x, y)", (X, Y), {"metric": lambda *_: torch.zeros(2, 1)}),
    ],
)
@pytest.mark.parametrize("function", [wasserstein1, optimal_transport])
def test_bad_input_is_named(function, error, parameter, arguments, keywords):
    if keywords.get("metric") == "angular" and "solver" in keywords and not keywords["solver"]:
        arguments = ([[0.0, 0.0]], arguments[1])
    with pytest.raises(error) as caught:
        function(*arguments, **keywords)
    message = str(caught.value)
    assert message.startswith(f"{function.__name__}: ")
    subject, requirement = message.removeprefix(f"{function.__name__}: ").split(" must ", 1)
    assert parameter in subject
    assert "; got " in requirement


@pytest.mark.parametrize("name", ["cosine", "sqeuclidean"])
def test_what_is_no_metric_is_sent_to_cost(name):
    with pytest.raises(ValueError, match="cost="):
        wasserstein1(X, Y, metric=name)


@pytest.mark.parametrize(
    ("error", "parameter", "keywords"),
    [
        (ValueError, "cost", {"cost": [1.0, 2.0]}),
        (ValueError, "cost", {"cost": [[np.inf]]}),
        (ValueError, "cost", {"cost": np.zeros((0, 2))}),
        (ValueError, "cost", {"cost": [[1.0]], "x": X}),
        (ValueError, "x_weights", {"cost": [[1.0]], "x_weights": [0.5, 0.5]}),
        (TypeError, "cost", {"cost": torch.zeros(1, 1), "x_weights": [1.0]}),
        (ValueError, "metric", {"cost": [[1.0]], "metric": "cityblock"}),
        (ValueError, "solver", {"cost": [[1.0]], "solver": "line"}),
        (ValueError, "time_limit", {"x": X, "y": Y, "time_limit": -1}),
        (TypeError, "time_limit", {"x": X, "y": Y, "time_limit": "1 s"}),
        (TypeError, "progress", {"x": X, "y": Y, "progress": 1}),
        (ValueError, "x", {"x": np.zeros((2, 3, 4)), "y": Y}),
        (TypeError, "x", {}),
        (TypeError, "y", {"x": X}),
    ],
)
def test_bad_options_are_named(error, parameter, keywords):
    with pytest.raises(error, match=rf"^optimal_transport: .*{parameter}.* must .*; got "):
        optimal_transport(**keywords)


def test_bad_batches_are_named():
    x = np.zeros((2, 3, 1))
    for y, weights in ((np.zeros((3, 3, 1)), None), (np.zeros((3, 1)), np.full((3, 3), 1 / 3))):
        with pytest.raises(ValueError, match="must have batch axes that broadcast"):
            wasserstein1(x, y, weights)
    with pytest.raises(ValueError, match="x_weights must have shape"):
        wasserstein1(x, x, np.full(2, 0.5))


def test_an_answer_beyond_the_largest_float_is_refused():
    with pytest.raises(ValueError, match="finite float64"):
        wasserstein1([1.7e308], [-1.7e308])
    with pytest.raises(ValueError, match="finite"):
        wasserstein1(np.float32([3e38]), np.float32([-3e38]))
    assert wasserstein1([1.7e308, -1.7e308], [-1.7e308, 1.6e308]) == pytest.approx(5e306)


def test_what_the_critic_refuses():
    result = optimal_transport(X, Y)
    with pytest.raises(ValueError, match="same dimension"):
        result.critic([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="finite"):
        result.critic([[np.nan, 0.0]])
    with pytest.raises(ValueError, match="distances elsewhere"):
        optimal_transport(cost=[[1.0]]).critic([1.0])
    with pytest.raises(ValueError, match="non-zero"):
        optimal_transport(X, Y, metric="angular").critic([[0.0, 0.0]])


def test_float32_results_verify_and_do_not_follow_the_callers_arrays():
    optimal_transport(np.float32([0, 0.1]), np.float32([0.7, 0.3, 0.4])).verify()
    cost, weights = np.ones((2, 2)), np.array([0.25, 0.75])
    result = optimal_transport(cost=cost, x_weights=weights)
    cost += 1.0
    weights[:] = 0.5
    result.verify()


@pytest.mark.parametrize("field", ["value", "dual_value", "tolerance"])
def test_verify_does_not_take_nan_for_a_number(field):
    result = optimal_transport([[0.0, 1.0]], [[1.0, 1.0]])
    with pytest.raises(CertificateError, match="verify"):
        dataclasses.replace(result, **{field: math.nan}).verify()


def test_the_time_limit_survives_pickling():
    error = pickle.loads(pickle.dumps(TimeLimitReached("late", Bracket(0.0, 1.0))))
    assert (str(error), error.bracket) == ("late", Bracket(0.0, 1.0))


@pytest.mark.parametrize("repeated", [False, True])
def test_a_plan_is_what_scipy_makes_of_its_pairs(repeated):
    rng = np.random.default_rng(9)
    for n, m in ((1, 1), (5, 3), (40, 60), (700, 400)):
        pairs = rng.integers(0, n * m, n + m) if repeated else rng.permutation(n * m)[: n + m - 1]
        source, target = np.divmod(pairs, m)
        mass = rng.random(pairs.size)
        solution = SimpleNamespace(source=source, target=target, mass=mass)
        plan = _transport_result._sparse(solution, (n, m), mass)
        truth = csr_array((mass, (source, target)), shape=(n, m))
        for ours, theirs in zip(
            *([z.data, z.indices, z.indptr] for z in (plan, truth)), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
        assert plan.has_canonical_format
