"""A packed set of images: its files, its manifest, reading and verifying it.

::

    images.npy      uint8 (n, channels, size, size), an ordinary file of NumPy
    keys.npy        uint64 (n,), the keys of the held-out split
    entries.jsonl   a line for each entry of the source: its row, or why it was skipped
    manifest.json   written last, whole or not at all: without it the folder is no packed set
    .lock, .progress.json, *.part    while it is being packed
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError
from .arrays import DAMAGED, demand_length

FORMAT = "wgan-packed-1"
IMAGES, KEYS, ENTRIES, MANIFEST = "images.npy", "keys.npy", "entries.jsonl", "manifest.json"
PROGRESS = ".progress.json"
_BLOCK = 1 << 22
_NUMBERS = {"count": 1, "channels": 1, "size": 1, "skipped": 0, "enlarged": 0, "passed_over": 0}
"""Numbers of a manifest, and what they are at least."""


def is_packed(path: Path) -> bool:
    """Whether a packed set lies in the folder, whole."""
    return (path / MANIFEST).is_file()


def is_begun(path: Path) -> bool:
    """Whether packing has begun in the folder and not come to its end."""
    return not is_packed(path) and (path / PROGRESS).is_file()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a packed set; RunError where there is none or it is damaged."""
    if not is_packed(path):
        what = "packing has not come to its end; the same command continues it" if is_begun(
            path
        ) else "no packed set lies here (it has no manifest.json)"  # fmt: skip
        message = f"{path}: {what}"
        raise RunError(message)
    try:
        content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            message = f"{path}: was packed by another version of wgan ({content['format']!r})"
            raise RunError(message)
        if not all(isinstance(content[name], int) and content[name] >= least
                   for name, least in _NUMBERS.items()):  # fmt: skip
            raise TypeError
        if not all(isinstance(content[name], str) for name in ("sha256", "first_skipped")):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        message = f"{path / MANIFEST}: damaged, it does not describe a packed set"
        raise RunError(message) from None
    return dict(content)


def read_packed(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Images and keys, the images mapped into memory: takes no time whatever their number.

    RunError where the files are not those of the manifest by their length.
    """
    manifest = read_manifest(path)
    shape = (manifest["count"], manifest["channels"], manifest["size"], manifest["size"])
    images = _array(path / IMAGES, np.dtype(np.uint8), shape)
    keys = _array(path / KEYS, np.dtype(np.uint64), shape[:1])
    return images, np.array(keys)


def _array(path: Path, kind: "np.dtype[Any]", shape: tuple[int, ...]) -> NDArray[Any]:
    try:  # copy-on-write: torch wants memory that it may write to, and the file stays
        array: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, *DAMAGED) as error:
        reason = getattr(error, "strerror", None) or "damaged or cut off"
        message = f"{path}: cannot be read ({reason})"
        raise RunError(message) from None
    if array.dtype != kind or array.shape != shape:
        message = f"{path}: holds {array.dtype} {array.shape}, its manifest says {kind} {shape}"
        raise RunError(message)
    demand_length(array, path)
    return array


def verify_packed(path: Path) -> str:
    """Read all images and compare their SHA-256 with the manifest's; returns it.

    RunError where they differ. The hash is over the pixels, without the file's header.
    """
    expected = read_manifest(path)["sha256"]
    images, _ = read_packed(path)
    total = hashlib.sha256()
    step = max(1, _BLOCK // images[0].nbytes)
    for start in range(0, len(images), step):
        total.update(np.ascontiguousarray(images[start : start + step]).data)
    if total.hexdigest() != expected:
        message = f"{path / IMAGES}: damaged, its SHA-256 is not that of the manifest"
        raise RunError(message)
    return total.hexdigest()
