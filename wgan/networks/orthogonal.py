"""Critics that are 1-Lipschitz by construction, for ``--algorithm wgan-orthogonal``."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from divergences.dual import ConeCritic, orthogonal_mlp

from ..optimizers import set_rate_factor
from ..specification import demand
from .perceptron import PerceptronOptions
from .start import starts_at_data


@dataclass(frozen=True)
class OrthogonalOptions(PerceptronOptions):
    """Orthogonal dense layers with sorting between them; as generator, a plain perceptron.

    Gain and negative slope are the perceptron's alone, groups and cones the critic's.
    """

    widths: tuple[int, ...] = (128, 128, 128)
    """Units of each hidden layer, multiples of the group, written 128x128x128."""
    group: int = 2
    """Units that are sorted together. Larger groups give a critic of the same width more kinks,
    of which narrow modes want many."""
    cones: int = 0
    """Cones in the place of the last layer, max_k (b_k - |h - a_k|) of the units h before it; 0 for
    a linear one. The best critics of Wasserstein-1 are maxima of cones, and a narrow mode gets a
    peak that pulls samples to its middle, where sorted layers alone stay affine."""
    temperature: float = 0.02
    """Width of the cones' smooth maximum, in the units of the data: every cone near it learns."""
    spread: float = 1.0
    """Standard deviation of the points at whose units the cones start, in the units of the data."""
    start: Literal["normal", "data"] = "normal"
    """At the units of which points the cones start: normal ones, or samples of the data, where an
    optimal critic has its cones: then every mode has some from the beginning."""
    anchor_rate: float = 1.0
    """Learning rate of the cones' places over that of their heights. Adam moves a place by its rate
    at every step, however small the gradient: at 1 cones that start well wander off."""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.group >= 2, "group", "be at least 2", self.group)
        fits = all(width % self.group == 0 for width in self.widths)
        requirement = "be even" if self.group == 2 else f"be multiples of the group, {self.group}"
        demand(fits, "widths", requirement, self.widths)
        demand(self.cones >= 0, "cones", "be at least 0", self.cones)
        for name in ("temperature", "spread"):
            value = getattr(self, name)
            demand(0 < value < 1e6, name, "be positive and below a million", value)
        rate = self.anchor_rate
        demand(0 <= rate < 1e6, "anchor_rate", "be at least 0 and below a million", rate)

    def critic(self, shape: tuple[int, ...], random: torch.Generator) -> nn.Sequential:
        """Maps (n, d) to (n,)."""
        inputs = torch.Size(shape).numel()
        network = orthogonal_mlp(
            inputs, self.widths, group_size=self.group, generator=random, dtype=torch.float32
        )
        if self.cones:
            return self._with_cones(nn.Sequential(*list(network)[:-1]), inputs, random)
        return network.append(nn.Flatten(0))

    def unread(self, role: str) -> frozenset[str]:
        """Options that do nothing in the generator, or in this critic."""
        of_cones = {"temperature", "spread", "start", "anchor_rate"}
        if role == "generator":
            return frozenset({"group", "cones", "kinks"} | of_cones)
        unread = {"tanh", "skip", "gain", "kinks", "negative_slope"}
        if not self.widths:
            unread.add("group")
        if not self.cones:
            return frozenset(unread | of_cones)
        return frozenset(unread | ({"spread"} if self.start == "data" else set()))

    def _with_cones(
        self, hidden: nn.Sequential, inputs: int, random: torch.Generator
    ) -> nn.Sequential:
        points = self.spread * torch.randn(self.cones, inputs, generator=random)
        with torch.no_grad():
            anchors = hidden(points)
        cones = ConeCritic(anchors, temperature=self.temperature)
        set_rate_factor(cones.anchors, self.anchor_rate)
        critic = hidden.append(cones)
        if self.start == "data":
            starts_at_data(critic, "cones")
        return critic
