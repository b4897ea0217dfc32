"""Data sets: fresh batches for training, and two disjoint real samples for evaluation.

A data set is added by writing a class that has what ``Data`` asks for and entering it in
``DATA``.
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from .errors import ConfigError

SPLIT_SEED = 20170126
"""Seed of the fixed split and of the ring's evaluation samples; no option changes it."""


class Data(Protocol):
    """What training and evaluation ask of a data set; samples are float32 points (n, d)."""

    @property
    def dimension(self) -> int:
        """Coordinates d of a sample."""

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """Rows and columns if a sample is a picture."""

    @property
    def bounded(self) -> bool:
        """Whether every coordinate lies in [-1, 1]."""

    @property
    def held_out(self) -> Tensor:
        """Real samples (n, d) that no batch contains: generated samples are compared with them."""

    @property
    def reference(self) -> Tensor:
        """Other real samples (n, d), disjoint from those held out: their distance is the floor."""

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` independent samples, shape (count, d), drawn with ``random`` (on the CPU)."""


class Digits:
    """The 1,797 handwritten digits that come with scikit-learn, 8x8 grey values in [-1, 1].

    400 images, chosen once and for all, are held out; batches draw from the other 1,397 with
    replacement, so that every batch is a fresh sample of the same law.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998), its
    test part.
    """

    dimension = 64
    image_shape = (8, 8)
    bounded = True

    def __init__(self, device: torch.device) -> None:
        from sklearn.datasets import load_digits

        grey, _ = load_digits(return_X_y=True)  # 0 to 16
        images = torch.from_numpy(grey / 8 - 1).to(torch.float32)
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
        images = images[order].to(device)
        self.held_out, self.training = images[:400], images[400:]
        self.reference = self.training[:400]

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` training images, drawn with replacement."""
        rows = torch.randint(len(self.training), (count,), generator=random)
        return self.training[rows.to(self.training.device)]


class Ring:
    """Eight Gaussians of standard deviation 0.01 with means evenly spaced on the unit circle.

    Every batch is new. 500 points are held out and 500 more are the reference.
    """

    dimension = 2
    image_shape = None
    bounded = False
    modes = 8
    deviation = 0.01

    def __init__(self, device: torch.device) -> None:
        self.device = device
        random = torch.Generator().manual_seed(SPLIT_SEED)
        self.held_out, self.reference = self.batch(500, random), self.batch(500, random)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` new points."""
        mode = torch.randint(self.modes, (count,), generator=random)
        angle = mode.to(torch.float32) * (2 * math.pi / self.modes)
        centre = torch.stack([angle.cos(), angle.sin()], dim=1)
        noise = torch.randn(count, 2, generator=random, dtype=torch.float32)
        return (centre + self.deviation * noise).to(self.device)


DATA: dict[str, Callable[[torch.device], Data]] = {"digits": Digits, "ring": Ring}
"""Data sets by the name that ``--data`` takes."""


def make_data(name: str, device: torch.device) -> Data:
    """The data set ``name`` on ``device``; ConfigError for an unknown name."""
    if name not in DATA:
        message = f"option data must be one of {', '.join(DATA)}; got {name!r}"
        raise ConfigError(message)
    return DATA[name](device)
