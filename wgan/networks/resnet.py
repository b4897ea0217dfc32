"""Residual networks of Gulrajani et al. (2017): their programs for 64 and for 32 pixels."""

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..specification import demand
from .images import demand_square
from .initialise import initialised, uniform_of_he

SIZES = (32, 64)
"""Pixels of a side."""
Resampling = Literal["up", "down", "none"]


def _convolution(
    before: int, after: int, window: int, *, relu: bool = True, bias: bool = True
) -> nn.Conv2d:
    """A convolution that keeps the size; ``relu`` says whether a ReLU's gain is allowed for."""
    layer = nn.Conv2d(before, after, window, padding=window // 2, bias=bias)
    layer.gain_of_relu = relu  # type: ignore[assignment]  # read by uniform_of_he
    return layer


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "layer":
        return nn.GroupNorm(1, channels)  # over all of a sample, scale and shift per channel
    return nn.Identity()


class ResidualBlock(nn.Module):
    """Two convolutions 3x3 with norm and ReLU before each, beside a shortcut.

    Upsampling comes before the first of them, means after the second.
    """

    def __init__(
        self, before: int, after: int, resampling: Resampling, norm: str, *, bias: bool
    ) -> None:
        super().__init__()
        up = [nn.Upsample(scale_factor=2, mode="nearest")] if resampling == "up" else []
        down = [nn.AvgPool2d(2)] if resampling == "down" else []
        between = before if down else after
        self.main = nn.Sequential(
            _norm(norm, before), nn.ReLU(), *up, _convolution(before, between, 3, bias=bias),
            _norm(norm, between), nn.ReLU(), _convolution(between, after, 3), *down,
        )  # fmt: skip
        same = before == after and resampling == "none"
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(*up, _convolution(before, after, 1, relu=False), *down)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, s, s) to (n, after, s', s')."""
        sum_: Tensor = self.main(x) + self.shortcut(x)
        return sum_


class FirstBlock(nn.Module):
    """The critic's first block for 32 pixels: no ReLU before the image, means on both paths."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _convolution(channels, filters, 3), nn.ReLU(), _convolution(filters, filters, 3),
            nn.AvgPool2d(2),
        )  # fmt: skip
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2), _convolution(channels, filters, 1, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, s, s) to (n, filters, s/2, s/2)."""
        sum_: Tensor = self.main(x) + self.shortcut(x)
        return sum_


@dataclass(frozen=True)
class ResNetOptions:
    """Residual blocks: upsampling by nearest neighbours, downsampling by means.

    For 64 pixels the channels double with every halving and the critic has layer norm, for 32 they
    are constant and it has none: each as its authors' program has it.
    """

    filters: int | None = None
    """Channels beside the image; 64 for 64 pixels and 128 for 32 by default."""
    critic_norm: Literal["layer", "none"] | None = None
    """Normalisation in the critic, of each sample by itself; see above for the default."""

    def __post_init__(self) -> None:
        demand(self.filters is None or self.filters >= 1, "filters", "be positive", self.filters)

    def generator(
        self, latent: int, shape: tuple[int, ...], random: torch.Generator, *, bounded: bool
    ) -> nn.Sequential:
        """Maps (n, latent) to (n, d), the flattened images in (-1, 1); with batch norm."""
        del bounded  # what has rows and columns has pixels in [-1, 1]
        widths, small = self._generator_widths(shape), shape[1] == 32
        with torch.device("meta"):
            layers: list[nn.Module] = [nn.Linear(latent, 16 * widths[0])]
            layers += [nn.Unflatten(1, (widths[0], 4, 4))]
            for before, after in itertools.pairwise(widths):
                layers += [ResidualBlock(before, after, "up", "batch", bias=small)]
            layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU()]
            layers += [_convolution(widths[-1], shape[0], 3, relu=not small), nn.Tanh()]
            layers += [nn.Flatten()]
        return initialised(nn.Sequential(*layers), uniform_of_he, random)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d), the flattened images, to (n,); no sample sees another."""
        demand_square("resnet", shape, SIZES)
        with torch.device("meta"):
            layers = [nn.Unflatten(1, shape), *self._body(shape), nn.Flatten(0)]
        return initialised(nn.Sequential(*layers), uniform_of_he, random)

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in the critic."""
        return frozenset({"critic_norm"} if role == "generator" else ())

    def is_chain(self) -> bool:
        """Whether the critic is layer after layer, without sums and without normalisation."""
        return False

    def _generator_widths(self, shape: tuple[int, ...]) -> list[int]:
        demand_square("resnet", shape, SIZES)
        if shape[1] == 32:
            return [self.filters or 128] * 4
        return [(self.filters or 64) * k for k in (8, 8, 4, 2, 1)]

    def _body(self, shape: tuple[int, ...]) -> list[nn.Module]:
        """The critic without its shapes."""
        if shape[1] == 32:
            filters, norm = self.filters or 128, self.critic_norm or "none"
            return [
                FirstBlock(shape[0], filters),
                ResidualBlock(filters, filters, "down", norm, bias=True),
                ResidualBlock(filters, filters, "none", norm, bias=True),
                ResidualBlock(filters, filters, "none", norm, bias=True),
                nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(filters, 1),
            ]  # fmt: skip
        filters, norm = self.filters or 64, self.critic_norm or "layer"
        widths = [filters * k for k in (1, 2, 4, 8, 8)]
        blocks = [
            ResidualBlock(before, after, "down", norm, bias=False)
            for before, after in itertools.pairwise(widths)
        ]
        first = _convolution(shape[0], filters, 3, relu=False)
        return [first, *blocks, nn.Flatten(), nn.Linear(16 * widths[-1], 1)]
