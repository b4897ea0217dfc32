"""What a run recorded, as the rules read it."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from ..algorithms import Algorithm, algorithm
from ..config import TrainingConfig

Record = dict[str, Any]
"""A line of metrics.jsonl."""
EPSILON = 1e-8
"""What RMSProp and Adam add to the root of their squared averages, here and by torch's default."""


@dataclass(frozen=True)
class History:
    """A run's options and the lines of its log, oldest first."""

    config: TrainingConfig
    records: tuple[Record, ...]

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of the run."""
        return algorithm(self.config.algorithm)

    @property
    def is_gan(self) -> bool:
        """Whether the critic is the discriminator of a standard GAN."""
        return self.algorithm.objective == "jensen-shannon"

    @property
    def evaluations(self) -> list[Record]:
        """The lines with an evaluation."""
        return [record for record in self.records if "floor" in record]

    @property
    def trained(self) -> list[Record]:
        """The evaluations after the first step, with what was measured of the networks."""
        return [record for record in self.evaluations if record["step"] > 0 and "health" in record]

    @property
    def ended(self) -> bool:
        """Whether all steps of the run are done."""
        return bool(self.records) and self.records[-1]["step"] >= self.config.steps

    def trained_from(self, part: Literal["critic", "generator"]) -> float:
        """The generator step from which a network can be anything but its first values.

        RMSProp and Adam move a parameter by about the learning rate a step, so this is the step at
        which they can have moved by their own size, the root mean square of the network's
        parameters. Before it a network is untrained, which is no illness.
        """
        if not self.trained:
            return math.inf
        size = self.trained[-1]["health"][f"{part}_size"]
        if size is None:
            return math.inf
        pace, critic = self.config.learning_rates
        if part == "critic":
            pace = int(self.config.critic_steps or 1) * critic
        return float(size / pace)

    def settled_estimates(self, count: int | None = None) -> list[tuple[int, float]]:
        """The newest ``count`` estimates, or all, of a critic that has had time to be trained."""
        start = self.trained_from("critic")
        return [entry for entry in self.estimates(count) if entry[0] > start]

    def estimates(self, count: int | None = None) -> list[tuple[int, float]]:
        """(step, critic's estimate) of the newest ``count`` generator steps, or of all."""
        found: list[tuple[int, float]] = []
        for record in reversed(self.records):
            values = record.get("critic_estimates", [])
            found += [(record["step"] - back, value) for back, value in enumerate(values[::-1])]
            if count is not None and len(found) >= count:
                break
        return found[:count][::-1]


def distance(record: Record) -> float:
    """The distance of an evaluation to the held-out data: exact, or in many coordinates sliced."""
    return float(record["wasserstein1" if "wasserstein1" in record else "sliced_wasserstein1"])
