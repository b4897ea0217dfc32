"""Networks by name, with options: what a configuration's string selects."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn

from ..errors import ConfigError
from ..specification import read_options, split
from .dcgan import DCGANOptions, PlainDCGANOptions
from .digits import DigitsOptions
from .orthogonal import OrthogonalOptions
from .perceptron import PerceptronOptions, PlaneOptions, SmallOptions
from .resnet import ResNetOptions
from .start import start_at_data


class Architecture(Protocol):
    """Options of a pair of networks, which makes either of them."""

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps noise (n, latent) to samples (n, d), d the product of ``shape``."""

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps samples (n, d) to values (n,)."""

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in the critic."""

    def is_chain(self) -> bool:
        """Whether the critic is layer after layer, without sums and without normalisation."""


NETWORKS: dict[str, Callable[..., Architecture]] = {
    "mlp": PerceptronOptions,
    "small": SmallOptions,
    "plane": PlaneOptions,
    "digits": DigitsOptions,
    "dcgan": DCGANOptions,
    "dcgan-plain": PlainDCGANOptions,
    "resnet": ResNetOptions,
    "orthogonal": OrthogonalOptions,
}
"""The options of each network by its name."""


def architecture(text: str) -> Architecture:
    """The architecture of a string such as ``dcgan,filters=32``; ConfigError if there is none."""
    name, pairs = split(text)
    if name not in NETWORKS:
        message = f"a network must be one of {', '.join(NETWORKS)}; got {name!r}"
        raise ConfigError(message)
    kind = NETWORKS[name]
    assert isinstance(kind, type)
    made: Architecture = read_options(kind, pairs, f"network {name}")
    return made


def unread_options(text: str, role: str) -> list[str]:
    """The options in the string of a network that do nothing where it is generator or critic.

    Those that are written there, whatever their value; ConfigError as :func:`architecture`.
    """
    unread = architecture(text).unread(role)
    return [option for option in split(text)[1] if option in unread]


def build_generator(
    text: str,
    latent: int,
    shape: tuple[int, ...],
    random: torch.Generator,
    *,
    bounded: bool = True,
) -> nn.Sequential:
    """A generator by the name and options of its network.

    Parameters
    ----------
    text : str
        A name of ``NETWORKS`` with options, such as ``dcgan,batch_norm=no``.
    latent : int
        Dimension of the noise.
    shape : tuple of int
        Shape of a sample: (d,) for points, (channels, rows, columns) for images.
    random : torch.Generator
        On the CPU; the only source of the first parameters.
    bounded : bool
        Whether the data lie in [-1, 1]: a perceptron then ends in tanh.

    Returns
    -------
    Sequential
        Maps (n, latent) to (n, d), flat; float32, on the CPU, in training mode.

    Raises
    ------
    ConfigError
        For an unknown name or option, or a shape that the network is not for.
    """
    return architecture(text).generator(latent, shape, random, bounded=bounded)


def build_critic(
    text: str,
    shape: tuple[int, ...],
    random: torch.Generator,
    draw: Callable[[int], torch.Tensor] | None = None,
) -> nn.Sequential:
    """A critic by the name and options of its network; parameters and errors as above.

    Parameters
    ----------
    draw : callable, optional
        ``draw(count)`` gives samples of the data (count, d), for critics that start at them
        (``orthogonal,cones=256,start=data``, ``mlp,kinks=data``); without it they start elsewhere.

    Returns
    -------
    Sequential
        Maps (n, d), flat, to (n,); no sigmoid. Its attribute ``mixes_samples`` says whether a
        value depends on the other samples of the batch.
    """
    critic = architecture(text).critic(shape, random)
    if draw is not None:
        start_at_data(critic, draw)
    critic.mixes_samples = mixes_samples(critic)  # type: ignore[assignment]
    return critic


def is_certified(text: str) -> bool:
    """Whether a critic is 1-Lipschitz whatever its parameters are.

    A bound measured on a new critic does not say so: the small first weights of a DCGAN have one
    below 1, which training leaves.
    """
    return isinstance(architecture(text), OrthogonalOptions)


def is_chain(text: str) -> bool:
    """Whether layers of norm 1 make a critic 1-Lipschitz.

    Not beside a skip connection, whose slope adds to theirs, nor with batch or layer normalisation,
    which divides by a deviation however small.
    """
    return architecture(text).is_chain()


def has_cones_of_the_data(text: str) -> bool:
    """Whether a critic is a maximum of cones in the space of the data, with no layer before them.

    There a cone that others hide is lost for all data. In the units of a layer the data are a thin
    surface: raising what is hidden in the whole space does not help the cones that touch it, and
    left a mode of ``ring-orthogonal`` off its place in one seed of six.
    """
    options = architecture(text)
    return isinstance(options, OrthogonalOptions) and bool(options.cones) and not options.widths


def mixes_samples(network: nn.Module) -> bool:
    """Whether a network's value of a sample depends on the others of its batch (batch norm).

    A penalty on the gradient at single samples has no meaning for such a critic in training.
    """
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules())
