"""Backends: the only file that knows NumPy from torch.

A tensor is recognised through ``sys.modules``, so torch is never imported for a caller who does
not use it, and no tensor is ever passed to ``numpy.asarray`` (which would cut its gradients).
Mathematics takes its namespace as a parameter ``xp``; what differs between backends beyond that
namespace (devices, graphs, tracing) is a function here.
"""

import functools
import math
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ._typing import Array, Float64Array, IntArray, Namespace

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def is_tensor(value: object) -> bool:
    """Whether ``value`` is a torch tensor; never imports torch."""
    if type(value) is np.ndarray:  # at once: small problems ask dozens of times
        return False
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def namespace(*values: object) -> Namespace:
    """The array namespace of ``values``: torch's if one is a tensor, else NumPy (2.0 conforms)."""
    if any(is_tensor(value) for value in values):
        import array_api_compat.torch as torch_namespace

        return torch_namespace
    return np


def values_are_readable(*values: Array) -> bool:
    """Whether the entries of ``values`` may be looked at to check them.

    They may not while torch only traces a computation: under ``torch.compile``, functorch
    transforms (``vmap``, ``grad``), CUDA graph capture, and on the meta device.
    """
    if not any(is_tensor(value) for value in values):
        return True
    torch: Any = sys.modules["torch"]
    if torch.compiler.is_compiling() or torch._C._functorch.maybe_current_level() is not None:
        return False
    if any(is_tensor(value) and value.device.type == "meta" for value in values):
        return False
    on_cuda = any(is_tensor(value) and value.is_cuda for value in values)
    return not (on_cuda and torch.cuda.is_current_stream_capturing())


def untraced(function: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """``function`` for a solver, which ``torch.compile`` is to call and not to trace.

    Traced, its NumPy operations would become torch operations, some of them in float32, and its
    loops would be unrolled.
    """

    @functools.wraps(function)
    def called(*args: _Arguments.args, **options: _Arguments.kwargs) -> _Answer:
        torch: Any = sys.modules.get("torch")
        if torch is None or not torch.compiler.is_compiling():
            return function(*args, **options)
        answer: _Answer = torch.compiler.disable(function)(*args, **options)
        return answer

    return called


def hides_values(tensor: Array) -> bool:
    """Whether no program can read the entries of a torch tensor: meta, or wrapped by functorch."""
    torch: Any = sys.modules["torch"]
    if torch.compiler.is_compiling():
        return False
    return bool(
        tensor.device.type == "meta" or torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def result_dtype(*arrays: Array) -> Any:
    """The dtype of an answer computed from ``arrays`` (floating, integer or boolean).

    Integers and booleans count as float64, half precision as float32; of several dtypes the
    widest wins.
    """
    kinds = [array.dtype.char for array in arrays if isinstance(array, np.ndarray)]
    if len(kinds) == len(arrays):
        return _FLOAT32 if set(kinds) <= {"e", "f"} else _FLOAT64
    xp = namespace(*arrays)
    for array in arrays:
        kind = str(array.dtype)
        if not any(kind.endswith(narrow) for narrow in ("float32", "float16")):
            return np.dtype(np.float64) if xp is np else xp.float64  # also every integer, bool
    return np.dtype(np.float32) if xp is np else xp.float32


def spacings(array: Array) -> tuple[float, float]:
    """From 1, and from 0, to the next number of the type of ``array``; 0 of integers."""
    xp = namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        return 0.0, 0.0
    limits = xp.finfo(array.dtype)
    return float(limits.eps), float(limits.eps) * float(limits.smallest_normal)


def as_float64(array: Array) -> Array:
    """``array`` in float64, in which all formulas are evaluated; keeps graph and device."""
    if is_tensor(array):
        if array.device.type == "mps":  # the one device without float64
            return array.float()
        return array.double()
    return np.asarray(array, dtype=np.float64)


def as_numpy(array: Array) -> Float64Array:
    """A float64 NumPy array of the values of ``array``, off the graph and on the host."""
    if is_tensor(array):
        return np.asarray(array.detach().cpu().double().resolve_neg().numpy())
    return np.asarray(array, dtype=np.float64)


def like(values: Float64Array, model: Array) -> Array:
    """The NumPy ``values`` as a float64 array of the library and device of ``model``."""
    if is_tensor(model):
        torch: Any = sys.modules["torch"]
        tensor = torch.from_numpy(np.array(values, order="C"))  # a copy: torch wants it writable
        return as_float64(tensor) if model.device.type == "cpu" else tensor.to(model.device)
    return values


def host_view(array: Array) -> Array | None:
    """The values of ``array`` as a NumPy array without a copy (half types: in float32).

    None where they do not lie in this computer's memory or may not be looked at.
    """
    if not is_tensor(array):
        return array
    if array.device.type != "cpu" or not values_are_readable(array):
        return None
    array = array.detach()
    return (array.float() if "float16" in str(array.dtype) else array).resolve_neg().numpy()


def from_numpy(values: Any, model: Array) -> Array:
    """``values`` (float64) as a tensor on the device of the tensor ``model``, sharing memory."""
    torch: Any = sys.modules["torch"]
    return torch.from_numpy(np.asarray(values)).to(model.device)


def detach(array: Array) -> Array:
    """``array`` off the graph (the array itself in NumPy)."""
    return array.detach() if is_tensor(array) else array


def tracks_derivatives(*arrays: Array) -> bool:
    """Whether torch may ask for derivatives with respect to ``arrays``, backward or forward."""
    if not any(is_tensor(array) for array in arrays):
        return False
    torch: Any = sys.modules["torch"]
    if any(is_tensor(array) and array.requires_grad for array in arrays):
        return True
    forward = torch.autograd.forward_ad._current_level >= 0
    return bool(forward or torch._C._functorch.maybe_current_level() is not None)


def rows(array: Array, index: IntArray) -> Array:
    """The rows of a tensor, with its graph; the tensor itself for all rows in order."""
    if index.size == array.shape[0] and bool((index == np.arange(index.size)).all()):
        return array
    torch: Any = sys.modules["torch"]
    chosen = torch.from_numpy(index).to(array.device)
    # The derivative of a selection is the quicker one, but on a GPU it adds up in any order.
    return array.index_select(0, chosen) if array.device.type == "cpu" else array[chosen]


def attach(value: Array, surrogate: Array, *, finite: bool = False) -> Array:
    """``value`` to the bit, with the derivatives of ``surrogate`` (envelope theorem).

    In NumPy, or where ``surrogate`` carries no graph, simply ``value``. Where ``value`` is not
    finite, or ``surrogate`` is not, the gradient is zero; unless both are known to be ``finite``.
    """
    if not tracks_derivatives(surrogate):
        return value
    xp = namespace(surrogate)
    base = surrogate.detach()
    if finite:
        return value + (surrogate - base)
    usable = xp.isfinite(base) & xp.isfinite(value)
    tangent = xp.where(usable, surrogate - base, xp.zeros_like(surrogate))
    return value + tangent


def with_graph(value: float, surrogate: Array) -> Array:
    """The number ``value`` as a float64 array with the derivatives of ``surrogate``."""
    return attach(like(np.asarray(value), surrogate), surrogate)


def finish(value: Array, dtype: Any) -> Array:
    """``value`` as the caller gets it: a scalar of NumPy type or an array, in ``dtype``."""
    if is_tensor(value):
        return value.to(dtype)
    return np.asarray(value).astype(dtype)[()]


def erf(value: Array) -> Array:
    """The error function, elementwise."""
    if is_tensor(value):
        return value.erf()
    return np.vectorize(math.erf, otypes=[np.float64])(value)[()]


def as_scalar(value: Any, model: Array | None = None) -> Array:
    """A number as float64 scalar: NumPy's, or a 0-d tensor on the device of ``model``."""
    if is_tensor(value):
        return as_float64(value)
    return np.float64(value) if model is None else like(np.asarray(float(value)), model)
