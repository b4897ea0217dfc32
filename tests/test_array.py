"""The backend layer: recognition, dtypes, the attached gradient."""

import numpy as np
import pytest
import torch

from divergences import _array


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
