"""DCGAN (Radford, Metz, Chintala 2016) as the paper's authors wrote it: 16 to 128 pixels."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from ..specification import demand
from .images import demand_square
from .initialise import initialised, normal_of_dcgan

SIZES = (16, 32, 64, 128)
"""Pixels of a side."""


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.2)


@dataclass(frozen=True)
class DCGANOptions:
    """Convolutions of stride 2 from 4x4 to the image, or back; no biases.

    With the defaults, 64 pixels, 3 channels and a latent dimension of 100, the generator has
    3,576,704 parameters and the critic 2,765,568.
    """

    filters: int = 64
    """Channels beside the image; they double with every halving of its side."""
    batch_norm: bool = True
    """Batch normalisation after all convolutions but those beside image and value."""
    constant_width: bool = False
    """The same number of channels at all sizes; with batch_norm=no the paper's crippled DCGAN."""
    extra_layers: int = 0
    """Further convolutions 3x3 beside the image, of its number of channels."""

    def __post_init__(self) -> None:
        demand(self.filters >= 1, "filters", "be positive", self.filters)
        demand(self.extra_layers >= 0, "extra_layers", "be at least 0", self.extra_layers)

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps (n, latent) to (n, d), the flattened images in (-1, 1)."""
        del bounded  # what has rows and columns has pixels in [-1, 1]
        widths = self._widths(shape)[::-1]
        with torch.device("meta"):
            layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1))]
            layers += [nn.ConvTranspose2d(latent, widths[0], 4, 1, 0, bias=False)]
            layers += self._after(widths[0], nn.ReLU())
            for before, after in itertools.pairwise(widths):
                layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
                layers += self._after(after, nn.ReLU())
            layers += self._extra(nn.ReLU)
            layers += [nn.ConvTranspose2d(widths[-1], shape[0], 4, 2, 1, bias=False)]
            layers += [nn.Tanh(), nn.Flatten()]
        return initialised(nn.Sequential(*layers), normal_of_dcgan, random)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d), the flattened images, to (n,)."""
        widths = self._widths(shape)
        with torch.device("meta"):
            layers: list[nn.Module] = [nn.Unflatten(1, shape)]
            layers += [nn.Conv2d(shape[0], widths[0], 4, 2, 1, bias=False)]
            layers += [_leaky()]
            layers += self._extra(_leaky)
            for before, after in itertools.pairwise(widths):
                layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
                layers += self._after(after, _leaky())
            layers += [nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Flatten(0)]
        return initialised(nn.Sequential(*layers), normal_of_dcgan, random)

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in the critic: none."""
        del role
        return frozenset()

    def is_chain(self) -> bool:
        """Whether the critic is layer after layer, without sums and without normalisation."""
        return not self.batch_norm

    def _widths(self, shape: tuple[int, ...]) -> list[int]:
        """Channels from the image's half down to 4x4."""
        demand_square("dcgan", shape, SIZES)
        halvings = SIZES.index(shape[1]) + 2
        return [self.filters * (1 if self.constant_width else 2**k) for k in range(halvings)]

    def _after(self, channels: int, activation: nn.Module) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels), activation] if self.batch_norm else [activation]

    def _extra(self, activation: Callable[[], nn.Module]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for _ in range(self.extra_layers):
            layers += [nn.Conv2d(self.filters, self.filters, 3, 1, 1, bias=False)]
            layers += self._after(self.filters, activation())
        return layers


@dataclass(frozen=True)
class PlainDCGANOptions(DCGANOptions):
    """DCGAN without batch normalisation and with the same number of channels at all sizes.

    The paper's Figure 6: the standard GAN fails with it as generator.
    """

    batch_norm: bool = False
    """Batch normalisation after all convolutions but those beside image and value."""
    constant_width: bool = True
    """The same number of channels at all sizes."""
