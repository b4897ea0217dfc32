"""The backend layer: recognition, dtypes, the attached gradient."""

import numpy as np
import pytest
import torch

from divergences import (
    _array,
    js_distance,
    js_divergence,
    kl_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
    wasserstein1_grid,
)


def test_namespaces_and_tensors():
    assert _array.namespace(np.zeros(1), 1.0) is np
    assert _array.namespace(torch.zeros(1)).__name__ == "array_api_compat.torch"
    assert _array.is_tensor(torch.zeros(1))
    assert not _array.is_tensor(np.zeros(1))


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float16"], "float32"),
        (["float32", "float16"], "float32"),
        (["float32", "float64"], "float64"),
        (["int32"], "float64"),
        (["bool"], "float64"),
        (["float32", "int64"], "float64"),
    ],
)
def test_result_dtypes(dtypes, expected):
    arrays = [np.zeros(1, dtype=name) for name in dtypes]
    assert np.dtype(_array.result_dtype(*arrays)) == expected
    tensors = [torch.zeros(1, dtype=getattr(torch, name)) for name in dtypes]
    assert _array.result_dtype(*tensors) == getattr(torch, expected)
    assert _array.result_dtype(torch.zeros(1, dtype=torch.bfloat16)) == torch.float32


def test_attach_keeps_the_bits_of_the_value_and_the_gradient_of_the_surrogate():
    x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    value = torch.tensor(0.1, dtype=torch.float64)
    attached = _array.attach(value, x**2)
    assert attached.item() == value.item()
    assert torch.autograd.grad(attached, x, create_graph=True)[0].item() == 6.0
    infinite = _array.attach(torch.tensor(torch.inf, dtype=torch.float64), x**2)
    assert infinite.item() == torch.inf
    assert torch.autograd.grad(infinite, x)[0].item() == 0.0
    assert _array.attach(1.5, np.float64(2.0)) == 1.5


def test_values_are_not_read_while_torch_traces():
    seen = []

    def observe(tensor):
        seen.append(_array.values_are_readable(tensor))
        return tensor

    observe(torch.zeros(2))
    torch.vmap(observe)(torch.zeros(2, 2))
    observe(torch.zeros(2, device="meta"))
    assert seen == [True, False, False]


def test_as_numpy_detaches_and_widens():
    tensor = torch.tensor([1.5], dtype=torch.bfloat16, requires_grad=True)
    array = _array.as_numpy(tensor)
    assert array.dtype == np.float64
    assert array[0] == 1.5


def test_views_with_a_lazy_sign_are_read_as_what_they_are():
    values = torch.tensor([0.25, 0.75], dtype=torch.float64)
    other = torch.tensor([0.5, 0.5], dtype=torch.float64)
    lazy = torch._neg_view(-values)
    assert _array.as_numpy(lazy).tolist() == _array.host_view(lazy).tolist() == [0.25, 0.75]
    for function in (total_variation, js_divergence, wasserstein1, wasserstein1_grid):
        assert function(lazy, other) == function(values, other)
    single = torch._neg_view(-values.float())
    assert wasserstein1(single, other.float()) == wasserstein1(values.float(), other.float())


@pytest.mark.parametrize("function", [wasserstein1, optimal_transport, wasserstein1_grid])
def test_solvers_say_that_they_need_values(function):
    x = torch.full((4,), 0.25, dtype=torch.float64)
    with pytest.raises(TypeError, match="must hold values that a solver can read"):
        function(x.to("meta"), x.to("meta"))
    with pytest.raises(TypeError, match="must hold values that a solver can read"):
        torch.func.vmap(function)(x[None], x[None])
    with pytest.raises(TypeError, match="optimal_transport: cost must hold values"):
        optimal_transport(cost=torch.ones(2, 2, device="meta"))


@pytest.mark.parametrize(
    "function",
    [js_distance, *(pytest.param(f, marks=pytest.mark.long)
                    for f in (total_variation, kl_divergence, js_divergence))],
)  # fmt: skip
def test_a_vector_divergence_is_one_graph_of_dynamo(function):
    p, q = torch.tensor([0.25, 0.75]), torch.tensor([0.5, 0.5])
    torch.compiler.reset()
    compiled = torch.compile(function, backend="eager", fullgraph=True)
    assert float(compiled(p, q)) == pytest.approx(float(function(p, q)), rel=1e-6)


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # dynamo's own, hidden by it
def test_a_solver_is_called_by_dynamo_and_not_traced():
    rng = np.random.default_rng(5)
    x, y = (torch.tensor(rng.normal(size=(2, n, 2))) for n in (6, 5))
    p, q = (torch.tensor(rng.dirichlet(np.ones(6)).reshape(2, 3)) for _ in range(2))
    torch.compiler.reset()
    for function, given in (
        (wasserstein1, (x, y)),  # a batch lost digits to float32
        (wasserstein1_grid, (p, q)),
        (lambda *points: optimal_transport(*points).value, (x[0], y[0])),
    ):
        answers = []
        for called in (function, torch.compile(function, backend="eager")):
            leaves = [side.clone().requires_grad_() for side in given]
            value = called(*leaves)
            answers.append((value, *torch.autograd.grad(value.sum(), leaves)))
        for ours, theirs in zip(*answers, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
