"""Critics that are 1-Lipschitz by construction, for ``--algorithm wgan-orthogonal``."""

from dataclasses import dataclass

import torch
from torch import nn

from divergences.dual import orthogonal_mlp

from ..specification import demand
from .perceptron import PerceptronOptions


@dataclass(frozen=True)
class OrthogonalOptions(PerceptronOptions):
    """Orthogonal dense layers with sorting between them; as generator, a plain perceptron."""

    widths: tuple[int, ...] = (128, 128, 128)
    """Units of each hidden layer, even numbers, written 128x128x128."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(all(width % 2 == 0 for width in self.widths), "widths", "be even", self.widths)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d) to (n,)."""
        inputs = torch.Size(shape).numel()
        network = orthogonal_mlp(inputs, self.widths, generator=random, dtype=torch.float32)
        return network.append(nn.Flatten(0))
