"""The one caller of numba: how the kernels of the exact engine are compiled and cached.

Numba's own disk cache compares the file that holds a kernel, not the files of the kernels that it
calls, so an edited helper would go unseen. Here the cache's folder is named by a hash of every
kernel source and of the versions involved: another hash is another folder. Where no folder can be
written, kernels are compiled in every process.
"""

import hashlib
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])

_LOGGER = logging.getLogger("divergences")


def jit(formula: _Kernel, *, inline: bool = False, fused: bool = False) -> _Kernel:
    """Compile at the first call with each combination of types; the GIL is released.

    A small kernel called from inner loops is ``inline``: passing arrays to a function counts
    references, which costs more than a distance. ``fused`` lets a product and the sum that takes
    it be one instruction with one rounding.
    """
    folder = cache_folder()
    # Numba reads its folder once, when a kernel is declared; other users of numba keep theirs.
    config: Any = numba.config
    theirs, config.CACHE_DIR = config.CACHE_DIR, folder or ""
    try:
        compiled: Any = numba.njit(
            cache=folder is not None, nogil=True, error_model="numpy", forceinline=inline,
            fastmath={"contract"} if fused else False,
        )(formula)  # fmt: skip
    finally:
        config.CACHE_DIR = theirs
    return cast("_Kernel", compiled)


@cache
def cache_folder() -> str | None:
    """The folder of this version of the kernels, or None where nothing is writable."""
    folder = _cache_root() / f"kernels-{fingerprint(Path(__file__).parent)}"
    fresh = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        _LOGGER.info("no writable cache: transport kernels are compiled in this process (seconds)")
        return None
    if fresh:
        _LOGGER.info("compiling the transport kernels into %s, once (seconds)", folder)
    return str(folder)


def fingerprint(folder: Path) -> str:
    """Hash of the kernels' sources in ``folder`` and of what compiles them."""
    digest = hashlib.sha256()
    versions = (sys.version, platform.machine(), numba.__version__, np.__version__)
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
