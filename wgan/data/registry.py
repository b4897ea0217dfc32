"""Data by name or path, with options: what a configuration's string selects."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ConfigError
from ..specification import demand, read_options, split
from . import arrays
from .augment import View
from .decode import DecodeOptions, silent_decoders
from .decoded import decoded
from .digits import Digits
from .finite import FiniteData
from .idx import read_idx
from .packed import is_begun, is_packed, read_packed, verify_packed
from .plane import GridOptions, LinesOptions, RingOptions, SwissRollOptions
from .protocol import Data
from .sources import is_lmdb, open_source
from .split import keys
from .split import split as split_rows
from .stacked import StackedOptions

IN_MEMORY = 20_000
"""Images of a folder that are decoded at every start; more are to be packed."""


@dataclass(frozen=True)
class DigitsOptions:
    """The 1,797 handwritten digits of scikit-learn, 8x8; no options."""

    def build(self, device: torch.device) -> Data:
        """The digits on ``device``."""
        return Digits(device)


@dataclass(frozen=True)
class FileOptions:
    """Images or points from files: packed sets, .npy and .npz, IDX, folders of images."""

    size: int | None = None
    """Pixels of the square that networks see, at most those stored; the whole image by default.
    For a folder of images: what they are resized to, and must be given."""
    crop: Literal["center", "random"] = "center"
    """Where the square is cut out of larger images; random is decided anew at every draw."""
    mirror: bool = False
    """Exchange left and right in half of the draws."""
    pad: int = 0
    """Pixels of the lowest value added on all sides: 2 makes 28x28 digits 32x32."""
    held_out: int | None = None
    """Samples held out; a tenth by default, at most 2,000."""
    range: str | None = None
    """Values that become -1 and 1, such as 0..1; bytes need none, points keep theirs without."""
    key: str | None = None
    """The array of a .npz that holds several."""
    layout: Literal["nhwc", "nchw"] | None = None
    """Where the channels of an array of images are, if its shape leaves that open."""
    channels: Literal["1", "3"] = "3"
    """Grey or RGB, for a folder of images."""
    on_corrupt: Literal["fail", "skip"] = "fail"
    """For a folder of images: whether an unreadable image is an error or left out (and named)."""
    place: Literal["auto", "device", "stream"] = "auto"
    """Where the samples lie while training: on the device, or read ahead from file or memory."""
    verify: bool = False
    """Compare a packed set with its SHA-256 first, which reads all of it."""

    def __post_init__(self) -> None:
        demand(self.size is None or self.size >= 1, "size", "be positive", self.size)
        demand(0 <= self.pad <= 1024, "pad", "be from 0 to 1024", self.pad)
        demand(self.held_out is None or self.held_out >= 1, "held_out", "be positive",
               self.held_out)  # fmt: skip


DATA: dict[str, Callable[..., Any]] = {
    "digits": DigitsOptions,
    "ring": RingOptions,
    "grid": GridOptions,
    "swiss-roll": SwissRollOptions,
    "lines": LinesOptions,
    "stacked": StackedOptions,
}
"""Data sets by the name that ``--data`` takes, with their options; other texts are paths."""


def make_data(text: str, device: torch.device) -> Data:
    """A data set by its name, or by the path of files, and its options.

    Parameters
    ----------
    text : str
        A name of ``DATA`` or a path, and options: ``ring,modes=12`` or
        ``photographs.npz,size=64,crop=random,mirror=yes``.
    device : torch.device
        Where batches are to be.

    Returns
    -------
    Data

    Raises
    ------
    ConfigError
        For a name that is none, and for options that do not fit the data.
    RunError
        For files that cannot be read.
    """
    name, pairs = split(text)
    if name in DATA:
        kind: Any = DATA[name]
        made: Data = read_options(kind, pairs, f"data {name}").build(device)
        return made
    path = Path(name)
    if not name or not _exists(path):
        message = f"option data must be one of {', '.join(DATA)}, or a path; got {name!r}"
        raise ConfigError(message)
    options = read_options(FileOptions, pairs, f"data {name}")
    return _from_path(path, options, device, _Given(path, set(pairs)))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        message = f"option data: {str(path)[:100]}: cannot be read ({error.strerror})"
        raise ConfigError(message) from None


class _Given:
    """The options that were given; those that would do nothing are refused."""

    def __init__(self, path: Path, names: set[str]) -> None:
        self._path, self._names = path, names

    def demand(self, what: str, meaningful: str) -> None:
        """ConfigError for an option that is not among the meaningful ones, or those of all data."""
        odd = sorted(self._names - set(meaningful.split()) - {"held_out", "place"})
        if odd:
            message = f"{self._path}: option {odd[0]} has no meaning for {what}"
            raise ConfigError(message)


def _from_path(path: Path, options: FileOptions, device: torch.device, given: _Given) -> Data:
    if path.is_dir():
        if is_packed(path) or is_begun(path):
            given.demand("a packed set", "size crop mirror pad verify")
            return _packed(path, options, device)
        if is_lmdb(path):
            message = f"{path}: an lmdb is packed first: wgan pack {path} OUT --size 64"
            raise ConfigError(message)
        given.demand("a folder of images", "size mirror pad channels on_corrupt")
        array: NDArray[Any] = _folder(path, options)
        options = dataclasses.replace(options, layout="nchw")
    elif path.suffix in (".npy", ".npz"):
        given.demand("an array", "size crop mirror pad range key layout")
        array = arrays.read_numpy(path, options.key)
    elif "idx" in path.name or "ubyte" in path.name:
        given.demand("an IDX file", "size crop mirror pad range")
        array = read_idx(path)
    else:
        message = f"{path}: is no .npy, .npz or IDX file, no packed set and no folder of images"
        raise ConfigError(message)
    if array.ndim == 2:
        given.demand("points", "range key")
    return _from_array(array, str(path), options, device)


def _packed(path: Path, options: FileOptions, device: torch.device) -> Data:
    if options.verify:
        verify_packed(path)
    images, sample_keys = read_packed(path)
    return _images(images, sample_keys, (0.0, 255.0), str(path), options, device)


def _folder(path: Path, options: FileOptions) -> NDArray[np.uint8]:
    if options.size is None:
        message = f"{path}: a folder of images needs the size that they are resized to: size=64"
        raise ConfigError(message)
    wanted = DecodeOptions(options.size, channels=3 if options.channels == "3" else 1)
    with open_source(path) as source, silent_decoders():
        if source.count > IN_MEMORY:
            message = f"{path}: {source.count} images are packed first: wgan pack {path} OUT"
            raise ConfigError(message)
        images = []
        for entry in decoded(source, wanted):
            if entry.pixels is not None:
                images.append(entry.pixels)
                continue
            if options.on_corrupt == "fail":
                advice = "on_corrupt=skip leaves such files out"
                message = f"{path / entry.name}: {entry.reason}; {advice}"
                raise ConfigError(message)
            import sys

            print(f"wgan: {path / entry.name}: left out: {entry.reason}", file=sys.stderr)
    if not images:
        message = f"{path}: none of {source.count} images can be read"
        raise ConfigError(message)
    return np.stack(images)


def _from_array(array: NDArray[Any], name: str, options: FileOptions, device: torch.device) -> Data:
    arrays.demand_numbers(array, name)
    if array.ndim in (3, 4):
        images = arrays.images_first(array, options.layout, name)
        ends = arrays.limits(images, options.range, name)
        if images.dtype.itemsize > 2 and images.dtype.newbyteorder("=") != np.float32:
            images, ends = arrays.unit_interval(images, *ends), (-1.0, 1.0)
        elif images.dtype != np.uint8:
            images = images.astype(np.float32)
        return _images(images, keys(images), ends, name, options, device)
    if array.ndim != 2:
        message = (
            f"{name}: points are an array (n, d), images one of 3 or 4 axes; "
            f"this one has the shape {array.shape}"
        )
        raise ConfigError(message)
    if array.dtype.kind != "f" and options.range is None:
        message = f"{name}: points of {array.dtype} need their range, as images of them do"
        raise ConfigError(message)
    arrays.demand_finite(array, name)
    if options.range is None:
        points = arrays.narrowed(array, name)
    else:
        points = arrays.unit_interval(array, *arrays.limits(array, options.range, name))
    sample_keys = keys(points)
    rows = split_rows(sample_keys, options.held_out, name)
    bounded = options.range is not None
    return FiniteData(points, sample_keys, rows, device, bounded=bounded, placement=options.place)


def _images(
    images: NDArray[Any],
    sample_keys: NDArray[np.uint64],
    ends: tuple[float, float],
    name: str,
    options: FileOptions,
    device: torch.device,
) -> Data:
    """Images (n, channels, rows, columns) as data."""
    low, high = ends
    if options.pad:
        margin = (options.pad, options.pad)
        images = np.pad(images, ((0, 0), (0, 0), margin, margin), constant_values=low)
    rows, columns = images.shape[2:]
    if options.size is not None:
        if options.size > min(rows, columns):
            message = (
                f"{name}: images of {rows}x{columns} pixels cannot be seen at size={options.size}"
            )
            raise ConfigError(message)
        rows = columns = options.size
    if options.crop == "random" and (rows, columns) == images.shape[2:]:
        message = (
            f"{name}: crop=random needs a size below the {rows}x{columns} pixels of the images"
        )
        raise ConfigError(message)
    view = View(rows, columns, options.crop == "random", options.mirror, low, high)
    parts = split_rows(sample_keys, options.held_out, name)
    return FiniteData(images, sample_keys, parts, device, view=view, placement=options.place)
