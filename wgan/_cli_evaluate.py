"""The command ``wgan evaluate``."""

import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from .errors import RunError


@dataclass(frozen=True)
class Evaluate:
    """Compare a run's generator with held-out data: metrics with their intervals, as a table.

    Also prints the exact or sliced W1 beside the critic's estimate, and writes evaluation.json into
    the run folder.
    """

    run: tyro.conf.Positional[Path]
    """Run folder."""
    metrics: tuple[str, ...] = ()
    """Metrics by name (modes, kid, precision, ...); all that suit the data by default."""
    samples: int | None = None
    """Samples of each kind; by default 2,500 or 26,000 where modes are counted, else 1,000."""
    seed: int = 0
    """Seed of the samples."""
    features: str | None = None
    """What metrics look at: samples, pca, pca,components=32, or module:callable of your own."""
    averaged: bool = False
    """Take the averaged generator and not the last one."""
    best: bool = False
    """Take the checkpoint of the best evaluation and not the newest."""
    level: float = 0.95
    """Level of the intervals."""
    json: bool = False
    """Print JSON, what evaluation.json holds, and no table."""

    def __call__(self) -> int:
        """Print the comparison; returns the exit status."""
        from .assessment import evaluate, write_evaluation
        from .run import load

        run = load(self.run, best=self.best)
        try:
            evaluation = evaluate(
                run, self.metrics or None, samples=self.samples, seed=self.seed,
                features=self.features, averaged=self.averaged, level=self.level,
            )  # fmt: skip
        except ValueError as error:
            raise RunError(str(error)) from None
        if self.json:
            print(json.dumps(evaluation.to_json(), indent=2, allow_nan=False))
            write_evaluation(self.run, evaluation)
            return 0
        print(f"step {run.step}: {evaluation.critic.sentence()}")
        print(evaluation.critic.certificate())
        print(f"\n{evaluation.text()}")
        print(f"written: {write_evaluation(self.run, evaluation)}")
        return 0
