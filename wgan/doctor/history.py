"""What a run recorded, as the rules read it."""

from dataclasses import dataclass
from typing import Any

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
