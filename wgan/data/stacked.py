"""Stacked digits: three random grey digits as the channels of one image, 1,000 modes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ConfigError
from ..specification import demand
from .augment import unit
from .idx import read_idx
from .plane import EVALUATED, SPLIT_SEED, LawStream
from .protocol import RealSamples, Stream
from .split import PART, fingerprint, keys
from .split import split as split_rows

CHANNELS = 3
"""Digits in a stack, as published."""
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
"""The files of MNIST and its family, each also with .gz behind it."""


@dataclass(frozen=True)
class StackedOptions:
    """Three random digits stacked as channels; the published test of mode coverage."""

    folder: str | None = None
    """Folder with the training images and labels of MNIST, or of a set like it, as IDX files;
    without one the digits of scikit-learn, 8x8."""
    pad: int = 0
    """Pixels of black added on all sides: 2 makes 28x28 digits 32x32."""

    def __post_init__(self) -> None:
        demand(0 <= self.pad <= 1024, "pad", "be from 0 to 1024", self.pad)

    def build(self, device: torch.device) -> "Stacked":
        """The law on ``device``."""
        name = "scikit-learn's digits" if self.folder is None else self.folder
        digits = _digits() if self.folder is None else _read(Path(self.folder))
        held_out, training = split_rows(keys(digits.images), len(digits.images) // PART, name)
        return Stacked(digits.part(training, self.pad), digits.part(held_out, self.pad), device)


@dataclass(frozen=True)
class Labelled:
    """Grey images with their classes.

    Attributes
    ----------
    images : array (n, rows, columns) of bytes
    labels : array (n,) of integers
    white : int
        The byte that becomes 1; 0 becomes -1.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    white: int = 255

    def part(self, rows: NDArray[np.int64], pad: int) -> "Labelled":
        """Some of the images, with black on all sides."""
        images = np.pad(self.images[rows], ((0, 0), (pad, pad), (pad, pad)))
        return Labelled(images, self.labels[rows], self.white)

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Images (n, 1, rows, columns) in [-1, 1], and labels."""
        images = unit(torch.from_numpy(self.images), 0.0, self.white)
        return images[:, None], torch.from_numpy(self.labels)


class Stacked:
    """The law of stacks of digits of training; stacks of held-out digits are held out.

    Attributes
    ----------
    training_digits, held_out_digits : Labelled
        What is stacked; each channel is drawn evenly from all of them.
    classes : int
        Classes of a digit; a stack has ``classes ** 3`` modes.
    held_out, reference : Tensor (500, d)
        Fixed samples, of held-out digits and of digits of training.
    """

    bounded = True

    def __init__(self, training: Labelled, held_out: Labelled, device: torch.device) -> None:
        self.training_digits, self.held_out_digits = training, held_out
        self.device = device
        self.classes = int(max(training.labels.max(), held_out.labels.max())) + 1
        rows, columns = training.images.shape[1:]
        self.image_shape = self.sample_shape = (CHANNELS, rows, columns)
        self.dimension = CHANNELS * rows * columns
        content = fingerprint(keys(training.images)) + fingerprint(keys(held_out.images))
        self.fingerprint = hashlib.sha256(f"stacked {content}".encode()).hexdigest()
        self._pixels = {
            name: unit(torch.from_numpy(part.images), 0.0, part.white).flatten(1).to(device)
            for name, part in (("training", training), ("held out", held_out))
        }
        self.held_out, self.reference, _ = self.real_samples(EVALUATED)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` stacks of digits of training, drawn where ``random`` is."""
        return self._stack("training", count, random)

    def stream(self, batch_size: int, seed: int) -> Stream:
        """Batches of new stacks."""
        return LawStream(self, batch_size, seed)

    def real_samples(self, count: int) -> RealSamples:
        """Fixed stacks of held-out digits, and two samples of those of training."""
        random = torch.Generator().manual_seed(SPLIT_SEED)
        return RealSamples(
            self._stack("held out", count, random),
            self._stack("training", count, random),
            self._stack("training", count, random),
        )

    def _stack(self, part: str, count: int, random: torch.Generator) -> Tensor:
        """Stacks (count, d): each channel an independent draw."""
        pixels = self._pixels[part]
        place = random.device
        rows = torch.randint(len(pixels), (count, CHANNELS), generator=random, device=place)
        return pixels[rows.to(self.device)].flatten(1)


def _read(folder: Path) -> Labelled:
    """The digits of a folder; ConfigError for one that holds no such set."""
    arrays = []
    for name in FILES:
        found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
        if not found:
            message = f"{folder}: stacked digits need the file {name}, or {name}.gz"
            raise ConfigError(message)
        arrays.append(read_idx(found[0]))
    images, labels = arrays
    fits = images.ndim == 3 and images.dtype == np.uint8 and labels.dtype.kind in "iu"
    if not fits or labels.shape != images.shape[:1]:
        message = (
            f"{folder}: stacked digits need grey images of bytes with a label each; "
            f"got shapes {images.shape} and {labels.shape}"
        )
        raise ConfigError(message)
    met = np.unique(labels)
    if len(met) < 2 or not np.array_equal(met, np.arange(len(met))):
        message = f"{folder}: the labels must be 0, 1, ..., each of them met; got {met[:12]}"
        raise ConfigError(message)
    return Labelled(images, labels.astype(np.int64))


def _digits() -> Labelled:
    """Scikit-learn's digits."""
    from sklearn.datasets import load_digits

    grey, labels = load_digits(return_X_y=True)
    return Labelled(grey.astype(np.uint8).reshape(-1, 8, 8), labels.astype(np.int64), 16)
