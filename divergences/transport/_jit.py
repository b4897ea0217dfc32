"""The caller of numba: how the kernels of the exact engine are compiled and cached.

Numba's own disk cache compares the file that holds a kernel, not the files of the kernels that it
calls, so an edited helper would go unseen. Here the cache's folder is named by a hash of every
kernel source and of the versions involved: another hash is another folder. Where no folder can be
written, kernels are compiled in every process.

The logger "divergences" says at level INFO when compiling begins, once a process. Numba itself is
loaded by the first kernel declared.
"""

import hashlib
import importlib.metadata
import logging
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])

# A constant of the type that variables have: for a literal numba compiles the callee once more.
variable = cast("Callable[[int], int]", np.int64)

_LOGGER = logging.getLogger("divergences")
_DECLARING = threading.Lock()


def jit(
    formula: _Kernel,
    *,
    inner: bool = False,
    inline: bool = False,
    once: bool = False,
    fused: bool = False,
    reordered: bool = False,
    helpers: tuple[Callable[..., object], ...] = (),
) -> _Kernel:
    """Compile at the first call with each combination of types; the GIL is released.

    A kernel that other kernels alone call is ``inner``: numba need not make the function by which
    Python calls it, which takes a tenth of a second for ten arrays, and Python interprets it.
    A small kernel called from inner loops is ``inline``: passing arrays to a function counts
    references, which costs more than a distance. One that a single kernel calls is ``once``: numba
    makes it part of the caller before types are inferred, with the options of the caller, which
    saves optimisation and machine code of its own. Functions that the formula calls are kernels, or
    plain functions named as ``helpers``, which the interpreter can run as they are; where compiled
    code calls one, it is an ``inner`` kernel, the same for all callers. ``fused`` lets
    a product and the sum that takes it be one instruction with one rounding; ``reordered`` lets a
    sum be taken in any order, which the processor then does by several numbers at a time.
    """
    for helper in helpers:
        _call_compiled(helper)
    return cast("_Kernel", _declared(formula, inner or inline, inline, once, fused, reordered))


@cache
def _declared(
    formula: _Kernel, inner: bool, inline: bool, once: bool, fused: bool, reordered: bool
) -> Any:
    import numba

    folder = cache_folder()
    # No C calls a kernel: 7 % of the time.
    without: Any = {"no_cfunc_wrapper": True, "no_cpython_wrapper": inner}
    _announce_compiling()
    # Numba reads its folder once, when a kernel is declared; other users of numba keep theirs.
    config: Any = numba.config
    with _DECLARING:
        theirs, config.CACHE_DIR = config.CACHE_DIR, folder or ""
        try:
            compiled: Any = numba.njit(
                cache=folder is not None and not inline, nogil=True, error_model="numpy",
                forceinline=inline, inline="always" if once else "never", **without,
                fastmath={*["contract"] * fused, *["reassoc"] * reordered} or False,
            )(formula)  # fmt: skip
        finally:
            config.CACHE_DIR = theirs
    if inner:
        compiled.__class__ = _interpreted()
    return compiled


@cache
def _interpreted() -> Any:
    """The class of an ``inner`` kernel; of numba's own a call from Python would end the process."""
    from numba.core.registry import CPUDispatcher

    def call(kernel: Any, *arguments: object) -> Any:
        return kernel.py_func(*arguments)

    return type("Inner", (CPUDispatcher,), {"__call__": call})


@cache
def _call_compiled(helper: Callable[..., object]) -> None:
    """Have compiled code that calls a plain function call the kernel of it instead."""
    from numba import types
    from numba.core.typing.templates import infer_global

    register: Any = infer_global
    type_of: Any = types.Dispatcher
    kernel: Any = jit(helper, inner=True)
    register(helper, type_of(kernel))


@cache
def _announce_compiling() -> None:
    """Have numba tell when it begins to compile one of our kernels (not when it loads one)."""
    from numba.core import event

    class Announcer(event.Listener):
        told = False

        def on_start(self, event: Any) -> None:
            module = getattr(event.data["dispatcher"].py_func, "__module__", None)
            if not self.told and str(module).startswith(__package__.split(".")[0]):
                self.told = True
                place = cache_folder()
                kept = f"kept in {place}" if place else "again in each process: no writable cache"
                _LOGGER.info("compiling kernels (seconds), %s", kept)

        def on_end(self, event: Any) -> None:
            pass

    register: Any = event.register
    register("numba:compile", Announcer())


@cache
def cache_folder() -> str | None:
    """The folder of this version of the kernels, or None where nothing is writable."""
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return None
    return str(folder)


def cached(formula: Callable[..., object]) -> bool:
    """Whether a compiled form of the formula lies on disk; does not load numba."""
    name = f"{Path(formula.__code__.co_filename).stem}.{formula.__qualname__}-*.nbi"
    return any(_folder().glob(f"**/{name}"))


@cache
def _folder() -> Path:
    return _cache_root() / f"kernels-{fingerprint(Path(__file__).parent)}"


def fingerprint(folder: Path) -> str:
    """Hash of the kernels' sources in ``folder`` and of what compiles them."""
    digest = hashlib.sha256()
    numba = importlib.metadata.version("numba")
    versions = (sys.version, platform.machine(), numba, np.__version__)
    digest.update(repr(versions).encode())
    for path in sorted(folder.glob("*.py")):
        source = path.read_bytes()
        if b" jit(" in source:
            digest.update(path.name.encode() + source)
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    if chosen:
        return Path(chosen) / "divergences"
    try:
        return Path.home() / ".cache" / "divergences"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "divergences"
