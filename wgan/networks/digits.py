"""Small convolutional networks for images whose sides are multiples of 4: 8x8 and 28x28 digits."""

from dataclasses import dataclass

import torch
from torch import nn

from ..errors import ConfigError
from ..specification import demand
from .initialise import initialised, uniform_of_he


@dataclass(frozen=True)
class DigitsOptions:
    """Two convolutions of stride 2 and a dense layer, without normalisation."""

    filters: int = 32
    """Channels beside the image, at half its size; twice as many at a quarter."""

    def __post_init__(self) -> None:
        demand(self.filters >= 1, "filters", "be positive", self.filters)

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps (n, latent) to (n, d), the flattened images in (-1, 1)."""
        del bounded  # what has rows and columns has pixels in [-1, 1]
        quarter, few = self._quarter(shape), self.filters
        with torch.device("meta"):
            layers = [
                nn.Linear(latent, torch.Size(quarter).numel()), nn.ReLU(), nn.Unflatten(1, quarter),
                nn.ConvTranspose2d(2 * few, few, 4, 2, 1), nn.ReLU(),
                nn.ConvTranspose2d(few, shape[0], 4, 2, 1), nn.Tanh(), nn.Flatten(),
            ]  # fmt: skip
        return initialised(nn.Sequential(*layers), uniform_of_he, random)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d), the flattened images, to (n,)."""
        quarter, few = self._quarter(shape), self.filters
        with torch.device("meta"):
            layers = [
                nn.Unflatten(1, shape), nn.Conv2d(shape[0], few, 4, 2, 1), nn.LeakyReLU(0.2),
                nn.Conv2d(few, 2 * few, 4, 2, 1), nn.LeakyReLU(0.2),
                nn.Flatten(), nn.Linear(torch.Size(quarter).numel(), 1), nn.Flatten(0),
            ]  # fmt: skip
        return initialised(nn.Sequential(*layers), uniform_of_he, random)

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in the critic: none."""
        del role
        return frozenset()

    def is_chain(self) -> bool:
        """Whether the critic is layer after layer, without sums and without normalisation."""
        return True

    def _quarter(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        if len(shape) != 3 or shape[1] % 4 or shape[2] % 4:
            message = f"network digits is for images whose sides are multiples of 4; got {shape}"
            raise ConfigError(message)
        return 2 * self.filters, shape[1] // 4, shape[2] // 4
