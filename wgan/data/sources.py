"""Where encoded images come from: a folder, or an lmdb as LSUN has it. Read once, in order."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import RunError

if TYPE_CHECKING:
    from types import TracebackType

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm",
     ".pgm", ".pbm", ".avif", ".jp2"}
)  # fmt: skip
"""Ends of names, in small letters, of the files that are taken for images."""

Entry = tuple[str, Callable[[], bytes]]
"""A name and what reads the bytes."""


class Source(Protocol):
    """Encoded images in a fixed order."""

    count: int
    """Entries."""
    fingerprint: str
    """SHA-256 of names, sizes and dates: it changes when the source does."""
    passed_over: int
    """Files that are not taken for images."""

    def entries(self, start: int) -> Iterator[Entry]:
        """The entries from number ``start`` on."""

    def close(self) -> None:
        """Close files."""


class FolderSource:
    """Image files below a folder, sorted by path within each folder; others are counted.

    Hidden files and folders are passed over. Links to files are followed, links to folders not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count, self.passed_over = 0, 0
        total = hashlib.sha256()
        for name, file in self._walk():
            status = file.stat()
            line = f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"
            total.update(line.encode(errors="surrogateescape"))
            self.count += 1
        self.fingerprint = total.hexdigest()
        if not self.count:
            suffixes = ", ".join(sorted(SUFFIXES))
            message = f"{path}: holds no images (no file whose name ends in one of {suffixes})"
            raise RunError(message)

    def entries(self, start: int) -> Iterator[Entry]:
        """Files from number ``start`` on."""
        for number, (name, file) in enumerate(self._walk(count=False)):
            if number >= start:
                yield name, file.read_bytes

    def close(self) -> None:
        """Nothing is open."""

    def _walk(self, *, count: bool = True) -> Iterator[tuple[str, Path]]:
        """Names and paths; only the names of one folder after the other are held."""
        pending = [self.path]
        while pending:
            folder = pending.pop()
            below = []
            for entry in sorted(_scan(folder), key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        below.append(folder / entry.name)
                elif _is_image(entry):
                    file = folder / entry.name
                    yield file.relative_to(self.path).as_posix(), file
                elif count:
                    self.passed_over += 1
            pending += reversed(below)


def _scan(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as error:
        message = f"{folder}: cannot be read ({error.strerror})"
        raise RunError(message) from None


def _is_image(entry: "os.DirEntry[str]") -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()
    try:
        return suffix in SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    except OSError:  # a link that leads to itself
        return False


class LmdbSource:
    """The values of an lmdb in the order of its keys: encoded images, as LSUN distributes them."""

    passed_over = 0

    def __init__(self, path: Path) -> None:
        lmdb = _lmdb()
        name = os.fsencode(path) if os.name == "posix" else str(path)  # bytes that are no text too
        try:
            self._database: Any = lmdb.open(
                name, subdir=path.is_dir(), readonly=True, lock=False, readahead=False,
                create=False, max_readers=1,
            )  # fmt: skip
            self.count = int(self._database.stat()["entries"])
        except lmdb.Error as error:
            message = f"{path}: cannot be read as an lmdb ({error})"
            raise RunError(message) from None
        self.path = path
        data = path / "data.mdb" if path.is_dir() else path
        self._demand_whole(data)
        line = f"lmdb\0{self.count}\0{data.stat().st_size}\0{data.stat().st_mtime_ns}"
        self.fingerprint = hashlib.sha256(line.encode()).hexdigest()
        if not self.count:
            self.close()
            message = f"{path}: this lmdb holds no entries"
            raise RunError(message)

    def _demand_whole(self, data: Path) -> None:
        """RunError for a file that was cut off: reading beyond its end kills the process."""
        pages = int(self._database.info()["last_pgno"]) + 1
        promised, found = pages * int(self._database.stat()["psize"]), data.stat().st_size
        if found < promised:
            self.close()
            message = f"{self.path}: cut off, {found} of {promised} bytes of the lmdb are there"
            raise RunError(message)

    def entries(self, start: int) -> Iterator[Entry]:
        """Entries from number ``start`` on."""
        try:
            with self._database.begin() as transaction, transaction.cursor() as cursor:
                for number, (key, value) in enumerate(cursor.iternext(values=True)):
                    if number >= start:
                        yield _readable(bytes(key)), bytes(value).__bytes__
        except _lmdb().Error as error:
            message = f"{self.path}: cannot be read as an lmdb ({error})"
            raise RunError(message) from None

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _readable(key: bytes) -> str:
    """A key as text; others as their hexadecimal digits."""
    try:
        text = key.decode("ascii")
    except UnicodeDecodeError:
        return key.hex()
    return text if text.isprintable() else key.hex()


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError:
        message = "an lmdb is read by the package lmdb, which is missing: pip install lmdb"
        raise RunError(message) from None
    return lmdb


def is_lmdb(path: Path) -> bool:
    """Whether ``path`` is a folder with an lmdb, or the file of one."""
    return (path / "data.mdb").is_file() or (path.is_file() and path.suffix == ".mdb")


class open_source:  # noqa: N801
    """``with open_source(path) as source``: a folder of images or an lmdb."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            message = f"{path}: no such folder or file"
            raise RunError(message)
        if not is_lmdb(path) and not path.is_dir():
            message = f"{path}: is neither a folder of images nor an lmdb"
            raise RunError(message)
        self._source: Source = LmdbSource(path) if is_lmdb(path) else FolderSource(path)

    def __enter__(self) -> Source:
        return self._source

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._source.close()
