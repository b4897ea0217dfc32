"""A CUDA device that is pretended: its tensors say cuda:0 and hold memory of the processor.

It shows mixed devices, generators of the wrong device and waits; not kernels, streams or memory.
Import it before torch.
"""

import collections
import contextlib
import ctypes
import hashlib
import importlib.util
import os
import sys
import threading
import traceback
from pathlib import Path
from unittest import mock

assert "torch" not in sys.modules, "the pretended device must be there before torch is"
_LIBRARIES = Path(importlib.util.find_spec("torch").origin).parent / "lib"
for _name in ("libtorch_global_deps.so", "libc10.so", "libtorch_cpu.so"):
    ctypes.CDLL(str(_LIBRARIES / _name), mode=ctypes.RTLD_GLOBAL)
ctypes.CDLL(os.environ["PRETENDED_GPU_GUARD"], mode=ctypes.RTLD_GLOBAL)

import torch  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._mode_utils import no_dispatch  # noqa: E402
from torch.utils._python_dispatch import (  # noqa: E402
    TorchDispatchMode,
    return_and_correct_aliasing,
)
from torch.utils._pytree import tree_flatten, tree_map  # noqa: E402

aten = torch.ops.aten
CUDA = torch.device("cuda", 0)
SCALARS = {aten._local_scalar_dense.default, aten.equal.default, aten.is_nonzero.default}
WAITS = SCALARS | {
    aten.nonzero.default,
    aten.masked_select.default,
    aten._unique2.default,
    aten.unique_consecutive.default,
    aten.unique_dim.default,
}
INDEXED = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default}
RESHAPED = {
    aten.squeeze_.default,
    aten.squeeze_.dim,
    aten.squeeze_.dims,
    aten.unsqueeze_.default,
    aten.transpose_.default,
    aten.t_.default,
}
LAZY = {aten._conj.default: torch.conj_physical, aten._neg_view.default: torch.neg}
MIXED = INDEXED | {aten.copy_.default, aten._to_copy.default, aten._index_put_impl_.default}

waits = collections.Counter()
_strict = [False]
_generators = []


class WaitedError(RuntimeError):
    """The processor waited for the device where it must not."""


def _wait(func):
    ours = [
        frame
        for frame in traceback.extract_stack()
        if "/divergences/" in frame.filename or "/wgan/" in frame.filename
    ]
    place = f"{ours[-1].filename}:{ours[-1].lineno} {func}" if ours else str(func)
    waits[place] += 1
    if _strict[0]:
        raise WaitedError(place)


class Cuda(torch.Tensor):
    """A tensor that says cuda:0."""

    @staticmethod
    def __new__(cls, data):
        assert not isinstance(data, Cuda)
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            data.size(),
            strides=data.stride(),
            storage_offset=data.storage_offset(),
            dtype=data.dtype,
            device=CUDA,
            layout=data.layout,
        )
        made.inner = data
        return made

    def tolist(self):
        _wait("tolist")
        return self.inner.detach().tolist()

    def is_pinned(self):
        return False

    def __reduce_ex__(self, protocol):
        raise RuntimeError("a tensor of the device is pickled")

    def __repr__(self, **_):
        return f"Cuda({self.inner!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class _Generator(torch.Generator):
    """One whose states have 16 bytes, as those of a device: here the names of real ones."""

    known = {}  # noqa: RUF012

    @property
    def device(self):
        return CUDA

    def get_state(self):
        state = super().get_state()
        name = hashlib.sha256(state.numpy().tobytes()).digest()[:16]
        self.known[name] = state
        return torch.tensor(list(name), dtype=torch.uint8)

    def set_state(self, state):
        if len(state) != 16:
            raise RuntimeError("RNG state is wrong size")
        return super().set_state(self.known[bytes(state.tolist())])


class _AnyGenerator(type):
    real = torch.Generator

    def __instancecheck__(cls, value):
        return isinstance(value, cls.real)

    def __call__(cls, device="cpu"):
        return _Generator() if _is_cuda(device) else cls.real(device)


def _is_cuda(device):
    return device is not None and torch.device(device).type == "cuda"


def _inner(value):
    return value.inner if isinstance(value, Cuda) else value


def _check_devices(func, tensors):
    if func in MIXED or not any(isinstance(t, Cuda) for t in tensors):
        return
    if any(t.dim() for t in tensors if not isinstance(t, Cuda)):
        raise RuntimeError(f"Expected all tensors to be on the same device: {func}")


def _check_indices(func, array, indices):
    indices = [index for index in indices if index is not None]
    there = isinstance(array, Cuda)
    away = [index for index in indices if isinstance(index, Cuda) != there and index.dim()]
    if away and not there:
        raise RuntimeError("indices should be on the same device as the indexed tensor (cpu)")
    if there and (away or any(index.dtype in {torch.bool, torch.uint8} for index in indices)):
        _wait(func)


def _check_generator(target):
    generator = _generators[-1] if _generators else None
    if generator is not None and isinstance(generator, _Generator) != target:
        raise RuntimeError("Expected a generator of the device of the result")


def _count(func, args, kwargs, target):
    if func in WAITS:
        if any(isinstance(t, Cuda) for t in args):
            _wait(func)
    elif func in INDEXED:
        _check_indices(func, args[0], args[1])
    elif func is aten.copy_.default:
        blocking = not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
        if blocking and isinstance(args[0], Cuda) != isinstance(args[1], Cuda):
            _wait(func)
    elif (
        func is aten._to_copy.default
        and isinstance(args[0], Cuda) != target
        and not kwargs.get("non_blocking", False)
    ):
        _wait(func)


def _run(func, args, kwargs):
    tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
    on = [t for t in tensors if isinstance(t, Cuda)]
    device = kwargs.get("device")
    target = bool(on) if device is None else _is_cuda(device)
    if func is aten._to_copy.default and device is None:
        target = isinstance(args[0], Cuda)
    _check_devices(func, tensors)
    _count(func, args, kwargs, target)
    _check_generator(target)
    if func in LAZY and on:  # the mark of a lazy view would be on the inner tensor alone
        return Cuda(LAZY[func](args[0].inner))
    moved = {name: value for name, value in kwargs.items() if name != "pin_memory"}
    if device is not None:
        moved["device"] = torch.device("cpu")
    out = func(*tree_map(_inner, args), **tree_map(_inner, moved))
    if func is aten.copy_.default:
        return args[0]
    if func in RESHAPED and on:
        with no_dispatch():  # the shape of the tensor that says cuda, too
            func(*args, **kwargs)
        return args[0]
    if not target or func in SCALARS:
        return out
    known = {id(t.inner): t for t in on}

    def wrap(value):
        if not isinstance(value, torch.Tensor):
            return value
        return known[id(value)] if id(value) in known else Cuda(value)

    out = tree_map(wrap, out)
    several = out if isinstance(out, tuple | list) else [out]
    if device is not None or not on or any(one is t for one in several for t in on):
        return out
    return return_and_correct_aliasing(func, args, kwargs, out)


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is aten._pin_memory.default:
            return args[0]
        if func is aten.is_pinned.default:
            return False
        return _run(func, args, kwargs or {})


def _fixed(value):
    """The device with its index, as torch fills it in for a real one."""
    if isinstance(value, torch.device) and value.type == "cuda" and value.index is None:
        return CUDA
    return CUDA if isinstance(value, str) and value == "cuda" else value


def _index(value):
    return torch.tensor(value).to(CUDA) if isinstance(value, list) else value


class _Function(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **kwargs)
        made = func in {torch.tensor, torch.as_tensor, torch.asarray}
        if made and _is_cuda(kwargs.get("device")) and not isinstance(args[0], torch.Tensor):
            kwargs.pop("device")
            wanted = kwargs.pop("requires_grad", False)
            return func(*args, **kwargs).to(CUDA).requires_grad_(wanted)
        if func is torch.Tensor.__getitem__ and isinstance(args[0], Cuda):
            where = args[1]
            args = (args[0], tuple(map(_index, where)) if type(where) is tuple else _index(where))
        if func is torch.Tensor.cuda:
            func, args = torch.Tensor.to, (args[0], CUDA)
        _generators.append(kwargs.get("generator"))
        try:
            return func(*map(_fixed, args), **{name: _fixed(v) for name, v in kwargs.items()})
        finally:
            _generators.pop()


def _sync_debug_mode(mode):
    _strict[0] = mode == "error"


def _run_thread(thread, run=threading.Thread.run):
    """Torch's modes belong to one thread: a new one enters them as well."""
    with _Function(), _Dispatch():
        run(thread)


@contextlib.contextmanager
def gpu():
    """One pretended device, for this thread and those that it starts."""
    answers = {
        "_lazy_init": None,
        "is_current_stream_capturing": False,
        "is_available": True,
        "is_bf16_supported": True,
        "device_count": 1,
        "current_device": 0,
        "synchronize": None,
        "get_device_name": "pretended",
        "mem_get_info": (10**10, 10**10),
        "manual_seed_all": None,
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch("torch.Generator", _AnyGenerator("Generator", (), {})))
        stack.enter_context(mock.patch("torch.cuda.set_sync_debug_mode", _sync_debug_mode))
        for name, answer in answers.items():
            patch = mock.patch(f"torch.cuda.{name}", lambda *_, answer=answer, **__: answer)
            stack.enter_context(patch)
        stack.enter_context(mock.patch("threading.Thread.run", _run_thread))
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.enter_context(_Function())
        stack.enter_context(_Dispatch())
        yield
