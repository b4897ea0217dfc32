"""Multilayer perceptrons with ReLU: the paper's of four layers of 512, and smaller ones."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..specification import demand
from .initialise import initialised, uniform_by_inputs


def perceptron(
    inputs: int, widths: Sequence[int], outputs: int, random: torch.Generator
) -> nn.Sequential:
    r"""A multilayer perceptron with ReLU between its dense layers.

    Weights and biases are uniform in :math:`\pm 1/\sqrt{n_{l-1}}`, which is torch's own choice
    for dense layers, but drawn from ``random`` and not from the global state.

    Parameters
    ----------
    inputs, outputs : int
    widths : sequence of int
        Units of the hidden layers; empty for an affine map.
    random : torch.Generator
        On the CPU.

    Returns
    -------
    Sequential
        Maps (n, inputs) to (n, outputs); float32, on the CPU.
    """
    with torch.device("meta"):
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([inputs, *widths, outputs]):
            layers += [nn.Linear(before, after), nn.ReLU()]
    return initialised(nn.Sequential(*layers[:-1]), uniform_by_inputs, random)


def make_generator(
    latent: int, widths: Sequence[int], outputs: int, bounded: bool, random: torch.Generator
) -> nn.Sequential:
    """A generator from noise (n, latent) to samples (n, outputs).

    For bounded data (pixels in [-1, 1]) it ends in tanh, so that its samples are images whatever
    the parameters are. On the digits, 2,000 steps end at an exact W1 of 3.3 with it and of 3.8
    without (floor 2.8).
    """
    network = perceptron(latent, widths, outputs, random)
    return network.append(nn.Tanh()) if bounded else network


def make_critic(inputs: int, widths: Sequence[int], random: torch.Generator) -> nn.Sequential:
    """A critic from samples (n, inputs) to values (n,): no sigmoid, values are unbounded."""
    return perceptron(inputs, widths, 1, random).append(nn.Flatten(0))


@dataclass(frozen=True)
class PerceptronOptions:
    """A multilayer perceptron; as generator and critic, for points and flattened images."""

    widths: tuple[int, ...] = (512, 512, 512, 512)
    """Units of each hidden ReLU layer, written 512x512x512x512."""
    tanh: bool | None = None
    """Whether a generator ends in tanh; by default it does for images (data in [-1, 1]). The
    authors' program of 2017 has none in its perceptron. Of no meaning for a critic."""

    def __post_init__(self) -> None:
        demand(all(width >= 1 for width in self.widths), "widths", "be positive", self.widths)

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps (n, latent) to (n, d)."""
        tanh = bounded if self.tanh is None else self.tanh
        return make_generator(latent, self.widths, torch.Size(shape).numel(), tanh, random)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d) to (n,)."""
        return make_critic(torch.Size(shape).numel(), self.widths, random)


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
