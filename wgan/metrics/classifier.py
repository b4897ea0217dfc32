"""A small classifier of grey digits, trained here, and the labels of stacked digits."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..networks.initialise import initialised, uniform_of_he
from .measurement import refuse
from .spread import proportion

STEPS = 1000
"""Training steps of the classifier."""
BATCH = 128
"""Images in a batch."""
RATE = 2e-3
"""Adam's first learning rate; it falls linearly to 0."""
AT_ONCE = 2048
"""Images that are classified at once."""


@dataclass(frozen=True)
class Classifier:
    """A classifier of images of one channel, and how good it is.

    Parameters
    ----------
    network : Module
        Maps (n, 1, rows, columns) to logits (n, classes).
    classes : int
    accuracy : float
        Share of held-out images that it recognises.
    lower, upper : float
        The 95 % interval of Clopper and Pearson for that share.
    tested : int
        Held-out images.
    """

    network: nn.Module
    classes: int
    accuracy: float
    lower: float
    upper: float
    tested: int

    def __str__(self) -> str:
        """How good it is, in words."""
        return (
            f"a classifier trained here, right on {self.accuracy:.2%} of {self.tested} held-out "
            f"images (95 %: {self.lower:.2%} to {self.upper:.2%})"
        )

    def labels(self, images: Tensor) -> NDArray[np.intp]:
        """The classes of images (n, 1, rows, columns) in [-1, 1]."""
        return _labels(self.network, images)

    def stacked_labels(self, images: Tensor) -> NDArray[np.intp]:
        """The classes of stacked images (n, channels, rows, columns): a number in base ``classes``.

        The first channel is the highest digit.
        """
        total = np.zeros(len(images), dtype=np.intp)
        for channel in range(images.shape[1]):
            total = self.classes * total + self.labels(images[:, channel : channel + 1])
        return total


def train_classifier(
    images: Tensor,
    labels: Tensor,
    held_out_images: Tensor,
    held_out_labels: Tensor,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Classifier:
    """Train a convolutional classifier and test it.

    Parameters
    ----------
    images : Tensor, shape (n, 1, rows, columns)
        Grey images in [-1, 1], of at least 4 pixels a side.
    labels : Tensor of integers, shape (n,)
        Their classes, 0, 1, ..., each of which occurs.
    held_out_images, held_out_labels : Tensor
        Likewise, images that are not among those of training.
    steps : int
        Steps of Adam on batches of 128.
    seed : int
        Of first values and batches: equal seeds give equal classifiers on one machine.

    Returns
    -------
    Classifier

    Raises
    ------
    ValueError
        For images and labels that are not as above.
    """
    random = torch.Generator().manual_seed(seed)
    network = untrained(images, labels, held_out_images, held_out_labels, random)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        rows = torch.randint(len(images), (BATCH,), generator=random)
        loss = nn.functional.cross_entropy(network(images[rows]), labels[rows].long())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return assessed(network, held_out_images, held_out_labels)


def untrained(
    images: Tensor,
    labels: Tensor,
    held_out_images: Tensor,
    held_out_labels: Tensor,
    random: torch.Generator,
) -> nn.Sequential:
    """The network for such digits with its first weights; ValueError as `train_classifier`."""
    classes = _demand(images, labels, held_out_images, held_out_labels)
    return _network(classes, tuple(images.shape[2:]), random)


def assessed(network: nn.Sequential, images: Tensor, labels: Tensor) -> Classifier:
    """A trained network with its accuracy on held-out images."""
    right = int((_labels(network, images) == labels.numpy()).sum())
    tested = len(labels)
    classes = len(network[-1].bias)  # type: ignore[arg-type]
    return Classifier(network, classes, right / tested, *proportion(right, tested, 0.95), tested)


def _network(classes: int, side: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
    """Two convolutions of stride 2 and a dense layer."""
    quarter = [-(-length // 4) for length in side]
    with torch.device("meta"):
        layers = [
            nn.Conv2d(1, 24, 5, stride=2, padding=2), nn.ReLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(48 * quarter[0] * quarter[1], classes),
        ]  # fmt: skip
    return initialised(nn.Sequential(*layers), uniform_of_he, random)


@torch.no_grad()
def _labels(network: nn.Module, images: Tensor) -> NDArray[np.intp]:
    parts = [network(part).argmax(dim=1).numpy() for part in torch.split(images, AT_ONCE)]
    return np.concatenate(parts).astype(np.intp)


def _demand(images: Tensor, labels: Tensor, others: Tensor, other_labels: Tensor) -> int:
    """The number of classes; ValueError for images and labels that do not fit."""
    function = "train_classifier"
    for name, given, classes in (
        ("images", images, labels), ("held_out_images", others, other_labels)
    ):  # fmt: skip
        if given.ndim != 4 or given.shape[1] != 1 or min(given.shape[2:]) < 4 or not len(given):
            requirement = "have the shape (n, 1, rows, columns), of at least 4 pixels a side"
            refuse(function, name, requirement, str(tuple(given.shape)))
        if classes.shape != given.shape[:1]:
            arrived = f"{len(given)} images and labels of shape {tuple(classes.shape)}"
            refuse(function, name, "have a label each", arrived)
    met = np.unique(labels.numpy()).tolist()
    if met != list(range(len(met))) or len(met) < 2:
        refuse(function, "labels", "be 0, 1, ..., each of them met", f"{met[:12]}")
    if not 0 <= int(other_labels.min()) <= int(other_labels.max()) < len(met):
        requirement = f"be from 0 to {len(met) - 1}"
        refuse(function, "held_out_labels", requirement, f"up to {int(other_labels.max())}")
    return len(met)
