"""IDX files, the format of MNIST and its family, plain or gzipped."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Types of entries by the third byte of the file; all are big-endian."""


def read_idx(path: Path) -> NDArray[Any]:
    """The array of an IDX file, in the byte order of this machine.

    Two zero bytes, a byte for the type, a byte for the number of axes, their lengths as big-endian
    integers of four bytes, then the entries. A ``.gz`` is recognised by its content. RunError for a
    header that is none, and for a length that the header does not say.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES or not content[3]:
        message = (
            f"{path}: is no IDX file (its first bytes are {content[:4].hex(' ') or 'missing'})"
        )
        raise RunError(message)
    start = 4 + 4 * content[3]
    if len(content) < start:
        message = f"{path}: ends within its header"
        raise RunError(message)
    shape = tuple(int(length) for length in np.frombuffer(content, ">u4", content[3], offset=4))
    kind = np.dtype(TYPES[content[2]])
    expected = math.prod(shape) * kind.itemsize
    if len(content) - start != expected:
        message = (
            f"{path}: damaged, its header promises {expected} bytes of shape {shape} "
            f"and {len(content) - start} follow"
        )
        raise RunError(message)
    entries = np.frombuffer(content, kind, offset=start).reshape(shape)
    return entries.astype(kind.newbyteorder("="))


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"{path}: damaged, it cannot be decompressed ({error})"
        raise RunError(message) from None
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise RunError(message) from None
