"""What an experiment trains: cases with their options, at the scale that was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..data import Data
from ..errors import ConfigError
from ..networks.dcgan import SIZES
from ..page import Section
from ..runlog import RunLog

ScaleName = Literal["reduced", "full"]
"""What ``--scale`` takes."""
FULL_STEPS = 200_000
"""Generator steps of each case at full scale, unless an option says how many."""
REDUCED_MINUTES = 60.0
"""Minutes of an experiment at reduced scale, unless an option says how many."""


@dataclass(frozen=True)
class Case:
    """One run of an experiment."""

    name: str
    """Its folder, and its name in the results."""
    options: dict[str, Any]
    """Options of the run that are not those of the whole experiment."""
    replica: int = 0
    """What is added to the seed of the experiment."""


@dataclass(frozen=True)
class Outcome:
    """How a case ended."""

    case: Case
    log: RunLog
    """What it wrote."""
    failure: str | None
    """Why it ended early, or None."""


@dataclass(frozen=True)
class Finding:
    """What the numbers of an experiment show."""

    figures: dict[str, Any]
    """The numbers, as JSON values."""
    conclusions: list[str]
    """Sentences that were made of them."""
    sections: list[Section]
    """Charts and tables for the page."""


@dataclass(frozen=True)
class Networks:
    """Networks for one data set at one scale."""

    convolutional: str | None
    """The paper's DCGAN, or for other images a small network; None for points."""
    plain: str | None
    """The DCGAN without batch normalisation and of one width; None where there is no DCGAN."""
    perceptron: str
    """The perceptron as generator."""
    critic: str
    """The critic of all generators."""
    perceptron_critic: str
    """A perceptron as critic."""

    def demand(self, kind: Literal["convolutional", "plain"]) -> str:
        """The network of a kind; ConfigError where the data have none."""
        network: str | None = getattr(self, kind)
        if network is None:
            sizes = ", ".join(map(str, SIZES))
            message = f"option data: this figure is for square images of {sizes} pixels"
            raise ConfigError(message + "; pad=2 makes 28x28 digits 32x32")
        return network


def networks(data: Data, scale: ScaleName) -> Networks:
    """The paper's networks at full scale, and with 16 filters at reduced scale.

    The perceptron has the paper's four layers of 512 units for images at either scale, and three
    layers of 128 for points. At full scale it ends without tanh, as in the authors' program; at
    reduced scale with it, since without it the first steps leave [-1, 1] by far.
    """
    shape = data.image_shape
    filters = 16 if scale == "reduced" else 64
    perceptron = "mlp" if scale == "reduced" else "mlp,tanh=no"
    if shape is None:
        small = "mlp,widths=128x128x128"
        return Networks(None, None, small, small, small)
    if shape[1] == shape[2] and shape[1] in SIZES:
        dcgan, plain = f"dcgan,filters={filters}", f"dcgan-plain,filters={filters}"
        return Networks(dcgan, plain, perceptron, dcgan, "mlp")
    if shape[1] % 4 == 0 and shape[2] % 4 == 0:
        small = f"digits,filters={filters}"
        return Networks(small, None, perceptron, small, "mlp")
    return Networks(None, None, perceptron, "mlp", "mlp")


@dataclass(frozen=True)
class Experiment:
    """One figure or claim of the paper."""

    title: str
    """What is looked at."""
    claim: str
    """What the paper says of it."""
    cases: Callable[[Data, ScaleName], list[Case]] | None
    """The runs; None for mathematics, which trains nothing."""
    analyse: Callable[[Sequence[Outcome]], Finding]
    """What the outcomes show."""
    evaluations: int = 60
    """Evaluations in a run."""
    method: str = ""
    """How the numbers were made, for the page."""


def wgan_of(data: Data) -> str:
    """The authors' program where the data have an end, Algorithm 1 where they are a law."""
    return (
        "wgan" if getattr(data, "count", None) is None or data.image_shape is None else "wgan-2017"
    )
