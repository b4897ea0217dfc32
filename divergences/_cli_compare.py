"""The command ``divergences compare A B``: two files of histograms or of samples."""

import argparse
import json
import math
import re
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ._compare import Comparison, compare
from ._typing import Float64Array
from ._wasserstein1 import wasserstein1

DESCRIPTION = (
    "Compare two files of numbers (.npy, .npz with one array, or .csv). With --histograms they "
    "hold counts or probabilities of the same bins, which are divided by their sum: total "
    "variation, KL both ways and Jensen-Shannon. With --samples they hold points, one a row: the "
    "exact Wasserstein-1 distance (Euclidean)."
)

_DAMAGED = (
    EOFError, UnicodeDecodeError, MemoryError, OverflowError, NotImplementedError, RuntimeError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise for damaged files, beside ValueError."""


def add_to(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "compare",
        help="compare two files of histograms or samples",
        description=DESCRIPTION,
        epilog="Exit status: 0 if all went well, 2 if a file or the pair cannot be used.",
    )
    parser.add_argument("first", metavar="A", help="a .npy, .npz or .csv file")
    parser.add_argument("second", metavar="B", help="another one")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--histograms", action="store_true", help="counts of the same bins")
    kind.add_argument("--samples", action="store_true", help="points, one a row")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Read both files, compare, print; a file that cannot be used ends with status 2."""
    try:
        first, second = _read(options.first), _read(options.second)
        if options.histograms:
            arrays = _histogram(options.first, first), _histogram(options.second, second)
            shapes = _shape(first, second), _shape(second, first)
            if shapes[0] != shapes[1]:
                _unusable(f"the histograms differ in shape: {first.shape} and {second.shape}")
            result = compare(*arrays)
            record, text = _record(result), str(result)
        else:
            points = _samples(options.first, first), _samples(options.second, second)
            value = float(wasserstein1(*points))
            sizes = [f"{p.shape[0]} points of dimension {p.shape[1]}" for p in points]
            record = {"wasserstein1": value}
            text = f"Wasserstein-1  {value!r}  (exact; {sizes[0]} against {sizes[1]})"
    except (OSError, ValueError, TypeError) as error:
        options.parser.error(" ".join(str(error).split()))
    print(json.dumps(record, indent=2, allow_nan=False) if options.json else text)
    return 0


def _shape(array: Float64Array, other: Float64Array) -> tuple[int, ...]:
    """The shape; beside an array of one axis a single row or column (of a .csv) has one, too."""
    one_line = array.ndim == 2 and 1 in array.shape and other.ndim == 1
    return (array.size,) if one_line else array.shape


def _unusable(message: str) -> NoReturn:
    raise ValueError(message)


def _record(result: Comparison) -> dict[str, Any]:
    return {
        name: {
            "value": _finite(entry.value),
            "lower": _finite(entry.enclosure.lower),
            "upper": _finite(entry.enclosure.upper),
            "method": entry.method,
        }
        for name, entry in result.entries().items()
    }


def _finite(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _read(name: str) -> Float64Array:
    """The one array of real numbers in a file."""
    path = Path(name)
    kind = path.suffix.lower()
    if kind not in (".npy", ".npz", ".csv"):
        _unusable(f"{name}: the name must end in .npy, .npz or .csv")
    if not path.is_file():
        _unusable(f"{name}: no such file")
    try:
        array = _csv(path) if kind == ".csv" else _numpy(path, name)
    except _DAMAGED as error:
        _unusable(f"{name}: not a readable {kind} file ({error or 'it ends too early'})")
    except ValueError as error:
        _unusable(str(error) if name in str(error) else f"{name}: {error}")
    if array.dtype.kind not in "fiub":
        _unusable(f"{name}: it must hold real numbers; its dtype is {array.dtype}")
    if array.size == 0:
        _unusable(f"{name}: it holds no numbers")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        _unusable(f"{name}: numbers must be finite; got {values[where]} at index {where}")
    return values


def _numpy(path: Path, name: str) -> Any:
    with path.open("rb") as file:
        loaded: Any = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            if file.read(1):
                _unusable(f"{name}: more follows than the one array of its header")
            return loaded
        with loaded:
            if len(loaded.files) != 1:
                _unusable(
                    f"{name}: it must hold one array; it holds {len(loaded.files)}: {loaded.files}"
                )
            array = loaded[loaded.files[0]]
            if not isinstance(array, np.ndarray):
                _unusable(f"{name}: it must hold an array; it holds the file {loaded.files[0]}")
            return array


def _csv(path: Path) -> Float64Array:
    """Numbers separated by commas, one row a line; a first line of names is passed over."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        _unusable(f"{path}: rows differ in length: {sorted(widths)}")
    if rows and any(rows[0]) and not any(_holds_number(cell) for cell in rows[0]):
        rows = rows[1:]
    for number, row in enumerate(rows, 1):
        bad = [cell for cell in row if not _is_number(cell)]
        if bad:
            _unusable(f"{path}: {bad[0]!r} in row {number} is not a number")
    return np.array([[float(cell) for cell in row] for row in rows])


def _holds_number(cell: str) -> bool:
    """Whether it is a number in quotes, or numbers with another separator: no column's name."""
    parts = [part for part in re.split(r"[\s;|\"']+", cell) if part]
    return bool(parts) and all(_is_number(part) for part in parts)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _histogram(name: str, array: Float64Array) -> Float64Array:
    if (array < 0).any():
        where = tuple(int(i) for i in np.argwhere(array < 0)[0])
        _unusable(f"{name}: counts must be non-negative; got {array[where]} at index {where}")
    largest = float(array.max())
    if largest == 0.0:
        _unusable(f"{name}: all counts are zero")
    scaled = np.ravel(array) / largest
    return np.asarray(scaled / scaled.sum())


def _samples(name: str, array: Float64Array) -> Float64Array:
    if array.ndim > 2 or array.ndim == 0:
        _unusable(f"{name}: samples must have shape (n,) or (n, d); got {array.shape}")
    if array.ndim == 1:
        return array[:, None]
    return array
