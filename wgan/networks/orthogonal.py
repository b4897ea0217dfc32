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
    """Units of each hidden layer, multiples of the group, written 128x128x128."""
    group: int = 2
    """Units that are sorted together. Larger groups give a critic of the same width more kinks,
    of which narrow modes want many."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.group >= 2, "group", "be at least 2", self.group)
        fits = all(width % self.group == 0 for width in self.widths)
        requirement = "be even" if self.group == 2 else f"be multiples of the group, {self.group}"
        demand(fits, "widths", requirement, self.widths)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d) to (n,)."""
        inputs = torch.Size(shape).numel()
        network = orthogonal_mlp(
            inputs, self.widths, group_size=self.group, generator=random, dtype=torch.float32
        )
        return network.append(nn.Flatten(0))
