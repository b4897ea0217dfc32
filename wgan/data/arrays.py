"""NumPy's files, and what the entries of an array of images or points mean."""

import os
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, RunError

_BLOCK = 1 << 20
_END_BYTES = 22  # of the record that ends a zip file, its comment apart
DAMAGED = (
    ValueError, EOFError, LookupError, OverflowError, MemoryError, NotImplementedError,
    RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise for damaged files."""


def read_numpy(path: Path, key: str | None) -> NDArray[Any]:
    """The array of a ``.npy``, mapped into memory, or that of ``key`` in a ``.npz``.

    A ``.npz`` of one array needs no key. Nothing is unpickled. RunError for a damaged file, for a
    ``.npy`` of another length than its header says, and for a ``.npz`` that is not all of its file.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == b"PK":  # a .npz is a zip file
                file.seek(0)
                with np.load(file, allow_pickle=False) as content:
                    _demand_all(path, content.zip)
                    return _member(path, content, _chosen(path, content.files, key))
        if key is not None:
            message = f"{path}: holds one array, it has no key {key!r}"
            raise ConfigError(message)
        array = np.load(path, mmap_mode="c", allow_pickle=False)
        demand_length(array, path)
        return np.asarray(array)
    except OSError as error:
        reason = error.strerror or "damaged or cut off"
        message = f"{path}: cannot be read ({reason})"
        raise RunError(message) from None
    except (ConfigError, RunError):
        raise
    except DAMAGED as error:
        message = f"{path}: cannot be read as an array ({_reason(error)})"
        raise RunError(message) from None


def _demand_all(path: Path, archive: zipfile.ZipFile) -> None:
    """RunError for bytes before or after a zip file, such as another one: zipfile skips them."""
    first = min((member.header_offset for member in archive.infolist()), default=0)
    end = _END_BYTES + len(archive.comment)
    with path.open("rb") as file:
        file.seek(-end, os.SEEK_END)
        last = file.read(4) == b"PK\5\6"
    if first or not last:
        message = f"{path}: damaged, it holds bytes {'before' if first else 'after'} the zip file"
        raise RunError(message)


def _member(path: Path, content: Any, name: str) -> NDArray[Any]:
    """An array of a ``.npz``; RunError where more bytes follow its header than it promises.

    Its checksum covers what follows too, which NumPy does not read.
    """
    member = next(one for one in (f"{name}.npy", name) if one in content.zip.namelist())
    with content.zip.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        if file.read(1):
            message = (
                f"{path}: the array {name} is damaged, more than the {array.nbytes} bytes of "
                f"shape {array.shape} follow its header"
            )
            raise RunError(message)
    return array


def demand_length(array: NDArray[Any], path: Path) -> None:
    """RunError where more bytes follow a header than it promises; fewer cannot be mapped."""
    if not isinstance(array, np.memmap):
        return
    follow = path.stat().st_size - array.offset
    if follow != array.nbytes:
        message = (
            f"{path}: damaged, its header promises {array.nbytes} bytes of shape {array.shape} "
            f"and {follow} follow"
        )
        raise RunError(message)


def _reason(error: Exception) -> str:
    """What is wrong, without NumPy's advice to unpickle the file: a text gets it as well."""
    reason = str(error).splitlines()[0]
    return "no numbers in NumPy's format" if "pickle" in reason else reason


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    listed = ", ".join(names) or "none"
    if key is None and len(names) == 1:
        return names[0]
    if key not in names:
        what = "choose one by key=" if key is None else f"there is no {key!r} among them"
        message = f"{path}: holds the arrays {listed}; {what}"
        raise ConfigError(message)
    return key


def images_first(array: NDArray[Any], layout: str | None, name: str) -> NDArray[Any]:
    """Images as (n, channels, rows, columns), a view; ConfigError where the layout is in doubt."""
    if array.ndim == 3:
        if layout is not None:
            message = f"{name}: option layout has no meaning for images without an axis of channels"
            raise ConfigError(message)
        return array[:, None]
    last, first = array.shape[3] in (1, 3), array.shape[1] in (1, 3)
    if not last and not first:
        message = (
            f"{name}: images have 1 or 3 channels, on the last or the second axis; this array has "
            f"the shape {array.shape}"
        )
        raise ConfigError(message)
    if layout is None and last and first:
        message = (
            f"{name}: an array of shape {array.shape} may have its channels on the last or the "
            "second axis; say layout=nhwc or layout=nchw"
        )
        raise ConfigError(message)
    images = np.moveaxis(array, 3, 1) if layout == "nhwc" or (layout is None and last) else array
    if images.shape[1] not in (1, 3):
        message = f"{name}: images have 1 or 3 channels; these have {images.shape[1]}"
        raise ConfigError(message)
    return images


def limits(array: NDArray[Any], stated: str | None, name: str) -> tuple[float, float]:
    """The values that become -1 and 1: those stated, or 0 and 255 for bytes.

    ConfigError where a range must be stated and is not, or is exceeded by an entry: what the
    numbers mean is never guessed from them.
    """
    if stated is None:
        if array.dtype == np.uint8:
            return 0.0, 255.0
        message = (
            f"{name}: images of {array.dtype} need their range, that of black and white: "
            "range=0..1, range=-1..1 or range=0..65535"
        )
        raise ConfigError(message)
    try:
        low, high = (float(end) for end in stated.split(".."))
        if not -1e9 <= low < high <= 1e9:
            raise ValueError
    except ValueError:
        message = f"{name}: a range is two ascending numbers such as 0..1; got {stated!r}"
        raise ConfigError(message) from None
    if array.dtype != np.uint8 or (low, high) != (0.0, 255.0):
        least, most = float(array.min()), float(array.max())
        if not low <= least <= most <= high:  # a NaN fails too
            message = f"{name}: entries from {least:g} to {most:g} are not in the range {stated}"
            raise ConfigError(message)
    return low, high


def demand_numbers(array: NDArray[Any], name: str) -> None:
    """ConfigError unless the entries are real numbers; RunError where there are none."""
    if array.dtype.kind not in "uif":
        message = f"{name}: entries must be integers or floats; they are {array.dtype}"
        raise ConfigError(message)
    if not array.size:
        message = f"{name}: holds no entries, its shape is {array.shape}"
        raise RunError(message)


def demand_finite(array: NDArray[Any], name: str) -> None:
    """RunError for NaN and infinities."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        message = f"{name}: holds entries that are NaN or infinite"
        raise RunError(message)


def narrowed(points: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Points as float32, in their units; RunError where these leave the numbers of float32."""
    with np.errstate(over="ignore", under="ignore"):
        narrow = points.astype(np.float32)
    largest, limit = float(np.abs(points).max()), np.finfo(np.float32)
    if not np.isfinite(narrow).all() or 0 < largest < limit.tiny:
        message = (
            f"{name}: the largest entry is {largest:g}, and training computes with numbers from "
            f"{limit.tiny:.1e} to {limit.max:.1e} (float32); change the unit"
        )
        raise RunError(message)
    return narrow


def unit_interval(array: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """Values from [low, high] in [-1, 1], computed in float64: low and high may be near together.

    In blocks of samples: the array may be larger than the memory that is free.
    """
    values = np.empty(array.shape, np.float32)
    step = max(1, _BLOCK // array[:1].size)
    for start in range(0, len(array), step):
        block = array[start : start + step].astype(np.float64)
        values[start : start + step] = (block - low) / ((high - low) / 2) - 1
    return values
