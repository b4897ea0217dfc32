"""An array file that grows by rows, and that a kill leaves at a length that can be taken up."""

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError

_BLOCK = 1 << 22


class GrowingArray:
    """A ``.npy`` written row by row under the name ``NAME.part``, its header at the end.

    NumPy leaves room in the header for the number of rows, so its length is known before.
    """

    def __init__(self, path: Path, kind: "np.dtype[Any]", row_shape: tuple[int, ...]) -> None:
        self.path = path
        self._kind, self._row_shape = kind, row_shape
        self._offset = len(self._header(0))
        self.row_bytes = kind.itemsize * int(np.prod(row_shape, dtype=np.int64))
        self._hash = hashlib.sha256()
        take_back(path)
        with writing(path):
            self._file = part(path).open("r+b" if part(path).exists() else "w+b")

    def cut(self, rows: int) -> None:
        """Keep so many rows; RunError if there are fewer."""
        length = self._offset + rows * self.row_bytes
        with writing(self.path):
            found = self._file.seek(0, os.SEEK_END)
            if rows and found < length:
                message = f"{part(self.path)}: is shorter than it was; remove the folder"
                raise RunError(message)
            self._file.truncate(length)
            self._file.seek(self._offset)
            left = rows * self.row_bytes
            while left:
                block = self._file.read(min(left, _BLOCK))
                self._hash.update(block)
                left -= len(block)

    def append(self, row: bytes) -> None:
        """One row more."""
        with writing(self.path):
            self._file.write(row)
        self._hash.update(row)

    def sync(self) -> None:
        """Bring all rows to the disk."""
        with writing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self, rows: int) -> str:
        """Write the header and give the file its name; returns the SHA-256 of the rows."""
        with writing(self.path):
            self._file.seek(0)
            self._file.write(self._header(rows))
            self.sync()
            self._file.close()
            part(self.path).replace(self.path)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file as it is; what cannot be written any more was not promised."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _header(self, rows: int) -> bytes:
        stream = io.BytesIO()
        described = {
            "descr": np.lib.format.dtype_to_descr(self._kind),
            "fortran_order": False,
            "shape": (rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(stream, described)
        return stream.getvalue()


def part(path: Path) -> Path:
    """The name of a file that is not whole yet."""
    return path.with_name(path.name + ".part")


def take_back(path: Path) -> None:
    """Give a finished file its unfinished name again: the folder was not finished with it."""
    with writing(path):
        if path.exists() and not part(path).exists():
            path.replace(part(path))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """RunError for what the system refuses, a full disk above all."""
    try:
        yield
    except OSError as error:
        message = (
            f"{path}: cannot be written ({error.strerror or error}); "
            "what is packed so far stays, the same command continues"
        )
        raise RunError(message) from None
