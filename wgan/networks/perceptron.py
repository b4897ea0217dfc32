"""Multilayer perceptrons, of ReLU or leaky: the paper's of four layers of 512, smaller ones."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from ..specification import demand
from .initialise import initialised, uniform_by_inputs
from .start import starts_at_data


def perceptron(
    inputs: int,
    widths: Sequence[int],
    outputs: int,
    random: torch.Generator,
    gain: float = 1.0,
    negative_slope: float = 0.0,
) -> nn.Sequential:
    r"""A multilayer perceptron with ReLU, or leaky ReLU, between its dense layers.

    Biases are uniform in :math:`\pm 1/\sqrt{n_{l-1}}` and weights in ``gain`` times that. With a
    gain of 1 it is torch's own choice for dense layers, but drawn from ``random`` and not from the
    global state; with :math:`\sqrt 6` the weights have the variance :math:`2/n_{l-1}` of He et al.
    (2015), under which signals keep their size from layer to layer.

    Parameters
    ----------
    inputs, outputs : int
    widths : sequence of int
        Units of the hidden layers; empty for an affine map.
    random : torch.Generator
        On the CPU.
    gain : float
        Positive.
    negative_slope : float
        Of a leaky ReLU; 0 for ReLU.

    Returns
    -------
    Sequential
        Maps (n, inputs) to (n, outputs); float32, on the CPU.
    """
    with torch.device("meta"):
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([inputs, *widths, outputs]):
            layers += [
                nn.Linear(before, after),
                nn.LeakyReLU(negative_slope) if negative_slope else nn.ReLU(),
            ]
    network = initialised(nn.Sequential(*layers[:-1]), uniform_by_inputs, random)
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Linear):
                layer.weight.mul_(gain)
    return network


class Residual(nn.Sequential):
    r"""Layers around a skip connection: maps z to :math:`N(z) + \sigma z`, of the same shape.

    Parameters
    ----------
    network : Sequential
        Its layers become this module's.
    factor : float
        :math:`\sigma`.
    """

    def __init__(self, network: nn.Sequential, factor: float) -> None:
        super().__init__(*network)
        self.factor = factor

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Maps (n, d) to (n, d)."""
        move: torch.Tensor = super().forward(z)  # type: ignore[no-untyped-call]
        return torch.add(move, z, alpha=self.factor)

    def extra_repr(self) -> str:
        """The factor, for ``repr``."""
        return f"factor={self.factor}"


def make_generator(
    latent: int,
    widths: Sequence[int],
    outputs: int,
    bounded: bool,
    random: torch.Generator,
    gain: float = 1.0,
    skip: float = 0.0,
    negative_slope: float = 0.0,
) -> nn.Sequential:
    """A generator from noise (n, latent) to samples (n, outputs).

    For bounded data (pixels in [-1, 1]) it ends in tanh, so that its samples are images whatever
    the parameters are. On the digits, 2,000 steps end at an exact W1 of 3.3 with it and of 3.8
    without (floor 2.8).
    """
    network = perceptron(latent, widths, outputs, random, gain, negative_slope)
    if skip:
        requirement = f"be 0 unless the latent dimension is that of the data, {outputs}"
        demand(latent == outputs, "skip", requirement, f"{skip} with a latent of {latent}")
        network = nn.Sequential(Residual(network, skip))
    return network.append(nn.Tanh()) if bounded else network


def make_critic(
    inputs: int,
    widths: Sequence[int],
    random: torch.Generator,
    gain: float = 1.0,
    negative_slope: float = 0.0,
) -> nn.Sequential:
    """A critic from samples (n, inputs) to values (n,): no sigmoid, values are unbounded."""
    network = perceptron(inputs, widths, 1, random, gain, negative_slope)
    return network.append(nn.Flatten(0))


@dataclass(frozen=True)
class PerceptronOptions:
    """A multilayer perceptron; as generator and critic, for points and flattened images."""

    widths: tuple[int, ...] = (512, 512, 512, 512)
    """Units of each hidden ReLU layer, written 512x512x512x512."""
    tanh: bool | None = None
    """Whether a generator ends in tanh; by default it does for images (data in [-1, 1]). The
    authors' program of 2017 has none in its perceptron. A critic has none, and refuses it."""
    gain: float = 1.0
    """Factor of the first weights, over torch's. With 2.449, the root of 6, signals keep their size
    through the layers (He et al. 2015), and a generator starts as wide as its input."""
    negative_slope: float = 0.0
    """Slope of the units that are off (leaky ReLU); 0 for ReLU, of which a unit that is off for all
    points learns no more. With a high rate that takes one unit of a critic after the other."""
    skip: float = 0.0
    """Adds so many times the noise to the samples of a generator, whose latent dimension is then
    that of the data. It starts near a multiple of the noise and learns how samples move from there:
    neighbours in the noise stay together, and few samples lie between modes. A critic has none, and
    refuses it."""
    kinks: Literal["origin", "data"] = "origin"
    """Where the units of a critic's first hidden layer turn on: at hyperplanes near the origin, as
    torch's biases have it, or through samples of the data, one a unit. A critic is affine between
    its kinks, and the law of the data has narrow parts far from the origin. A generator has no data
    to start at, and refuses it."""

    def __post_init__(self) -> None:
        demand(all(width >= 1 for width in self.widths), "widths", "be positive", self.widths)
        demand(0 < self.gain < 1000, "gain", "be positive and below 1000", self.gain)
        slope = self.negative_slope
        demand(0 <= slope < 1, "negative_slope", "be at least 0 and below 1", slope)
        demand(0 <= self.skip < 1000, "skip", "be at least 0 and below 1000", self.skip)

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps (n, latent) to (n, d)."""
        tanh = bounded if self.tanh is None else self.tanh
        outputs = torch.Size(shape).numel()
        return make_generator(
            latent, self.widths, outputs, tanh, random, self.gain, self.skip, self.negative_slope
        )

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d) to (n,)."""
        inputs = torch.Size(shape).numel()
        critic = make_critic(inputs, self.widths, random, self.gain, self.negative_slope)
        if self.kinks == "data" and self.widths:
            starts_at_data(critic, "kinks")
        return critic

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in the critic."""
        of_units = set() if self.widths else {"negative_slope", "kinks"}
        return frozenset(of_units | ({"kinks"} if role == "generator" else {"tanh", "skip"}))

    def is_chain(self) -> bool:
        """Whether the critic is layer after layer, without sums and without normalisation."""
        return True


@dataclass(frozen=True)
class SmallOptions(PerceptronOptions):
    """A perceptron of two layers of 256: for scikit-learn's digits."""

    widths: tuple[int, ...] = (256, 256)
    """Units of each hidden ReLU layer, written 256x256."""


@dataclass(frozen=True)
class PlaneOptions(PerceptronOptions):
    """A perceptron of three layers of 512: for laws in the plane (Gulrajani et al. 2017)."""

    widths: tuple[int, ...] = (512, 512, 512)
    """Units of each hidden ReLU layer, written 512x512x512."""
