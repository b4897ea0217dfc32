"""``wgan.evaluate``: the metrics that suit a run's data, as a table and as evaluation.json."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .data import Data
from .data.stacked import Stacked
from .errors import ConfigError, RunError
from .evaluate import EXACT_DIMENSIONS, Evaluation, Evaluator
from .features import make_extractor
from .folder import EVALUATION, write_json
from .material import Material
from .metrics import Measurement
from .metrics.measurement import confidence
from .procedure import Procedure
from .run import Run, load
from .specification import demand_count

PAIRS = 1000
"""Real and generated samples that are compared with each other, unless an option says how many."""


@dataclass(frozen=True)
class Metric:
    """What computes a metric, and for which data.

    Attributes
    ----------
    measure : callable
        Gives the measurement.
    unfit : callable
        Says why the metric has no meaning for data; empty where it has one.
    unasked : callable
        Whether it is computed for data without being asked for.
    """

    measure: Callable[[Material], Measurement]
    unfit: Callable[[Data], str] = lambda _: ""
    unasked: Callable[[Data], bool] = lambda _: True


def _no_mixture(data: Data) -> str:
    mixture = getattr(data, "modes", None) is not None
    return "" if mixture else "these data have no modes that are known"


def _no_modes(data: Data) -> str:
    return "" if isinstance(data, Stacked) else _no_mixture(data)


def _no_stack(data: Data) -> str:
    return "" if isinstance(data, Stacked) else "only stacked digits have classes"


METRICS: dict[str, Metric] = {
    "modes": Metric(lambda m: m.coverage[0], _no_modes),
    "high_quality": Metric(lambda m: m.coverage[1], _no_mixture),
    "kl_to_uniform": Metric(lambda m: m.coverage[1], _no_stack),
    "precision": Metric(lambda m: m.neighbourhoods.precision(m.level)),
    "recall": Metric(lambda m: m.neighbourhoods.recall(m.level)),
    "density": Metric(lambda m: m.neighbourhoods.density(m.level)),
    "coverage": Metric(lambda m: m.neighbourhoods.coverage(m.level)),
    "kid": Metric(Material.kid, unasked=lambda data: data.image_shape is not None),
    "sliced_wasserstein1": Metric(
        Material.sliced_wasserstein1, unasked=lambda data: data.dimension > EXACT_DIMENSIONS
    ),
    "wasserstein1": Metric(Material.wasserstein1),
    "wasserstein1_gap": Metric(Material.wasserstein1_gap),
    "critic_gap": Metric(Material.critic_gap),
    "fid": Metric(Material.fid, unasked=lambda _: False),
    "kid_subsets": Metric(Material.kid_subsets, unasked=lambda _: False),
}
"""Metrics by their names, in the order of the table."""
OF_SAMPLES = frozenset(
    {"modes", "high_quality", "kl_to_uniform", "sliced_wasserstein1", "critic_gap"}
)
"""Metrics of the samples themselves, whatever the features are."""


@dataclass(frozen=True)
class RunEvaluation:
    """What the metrics say of a run's generator.

    Attributes
    ----------
    step : int
        Generator steps of the checkpoint.
    generator : {"last", "averaged"}
        Which generator.
    seed : int
        Of the generated samples.
    features : str
        What precision, recall, density, coverage, kid, wasserstein1 and its gap look at.
    measurements : tuple of Measurement
        In the order of ``METRICS``.
    left_out : dict
        Metrics that suit the data and could not be computed, with the reason.
    critic : Evaluation
        The distance to held-out data beside the critic's estimate, as during training.
    labels : str
        How modes of stacked digits were recognised; empty for other data.
    """

    step: int
    generator: str
    seed: int
    features: str
    measurements: tuple[Measurement, ...]
    left_out: dict[str, str]
    critic: Evaluation
    labels: str = ""

    def __getitem__(self, name: str) -> Measurement:
        """The measurement of a metric; KeyError for one that was not computed."""
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values, as evaluation.json has it."""
        return {
            "step": self.step,
            "generator": self.generator,
            "seed": self.seed,
            "features": self.features,
            "labels": self.labels,
            "metrics": {one.name: one.to_json() for one in self.measurements},
            "left_out": self.left_out,
            "critic": self.critic.to_json(),
        }

    def text(self) -> str:
        """A table for people, and what its intervals mean."""
        rows = [("metric", "estimate", "interval", "real data", "unit")]
        rows += [
            (one.name, f"{one.estimate:.4g}", _interval(one), _real(one), one.unit)
            for one in self.measurements
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"{self.generator} generator at step {self.step}, samples of seed {self.seed}",
            f"features: {self.features}",
            *([f"modes: by {self.labels}"] if self.labels else []),
            "",
            *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
            "",
            "what the intervals enclose:",
        ]
        says: dict[str, list[str]] = {}
        for one in self.measurements:
            sizes = " and ".join(map(str, one.samples))
            level = f"{one.level:.4g}" if one.level is not None else "no level"
            says.setdefault(f"{one.encloses} (level {level}, {sizes} samples)", []).append(one.name)
        lines += [f"  {', '.join(names)}: {text}" for text, names in says.items()]
        without: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            without.setdefault(reason.partition(": ")[2] or reason, []).append(name)
        lines += [f"  {', '.join(names)}: left out, {why}" for why, names in without.items()]
        return "\n".join(lines)


def evaluate(
    run: "Run | str | os.PathLike[str]",
    metrics: Sequence[str] | None = None,
    *,
    samples: int | None = None,
    seed: int = 0,
    features: str | None = None,
    averaged: bool = False,
    level: float = 0.95,
) -> RunEvaluation:
    """Compare a run's generator with held-out data, by the metrics that suit the data.

    Parameters
    ----------
    run : Run or path
        A run, or its folder.
    metrics : sequence of str, optional
        Names in ``assessment.METRICS``; by default all that suit the data but ``fid`` and
        ``kid_subsets``, which need torchmetrics.
    samples : int, optional
        Samples of each kind. By default 2,500 where modes of a mixture are counted and 26,000
        where those of stacked digits are, as published, and 1,000 of each where real and generated
        samples are compared; of the real ones at most those that there are, and as many generated.
    seed : int
        Of the generated samples.
    features : str, optional
        What metrics of neighbours, kernels and transport look at: ``samples``, ``pca``,
        ``pca,components=32`` or ``module:callable``, see ``features.make_extractor``.
    averaged : bool
        Take the averaged generator and not the last one.
    level : float
        That of the intervals.

    Returns
    -------
    RunEvaluation

    Raises
    ------
    RunError
        For a folder without a run, unknown metrics, metrics that the data have no meaning for,
        and metrics that were asked for and cannot be computed.
    ValueError
        For a number of samples, a seed or a level that is none.
    """
    confidence(level, "evaluate")
    count = _count(samples)
    run = run if isinstance(run, Run) else load(run)
    chosen = _chosen(metrics, run.data)
    _demand_read(features, chosen)
    evaluator = Evaluator(run.data, Procedure.of(run.config))
    first = run.sample(evaluator.wanted, seed, averaged=averaged)
    real = run.data.real_samples(count)
    extractor = make_extractor(features, run.data, real.apart)
    material = Material(run, real, extractor, samples, seed, level, averaged=averaged)
    found: list[Measurement] = []
    left_out: dict[str, str] = {}
    for name in chosen:
        try:
            found.append(METRICS[name].measure(material))
        except (ValueError, ImportError) as error:
            if metrics is not None or isinstance(error, RunError):
                raise RunError(str(error)) from None
            left_out[name] = str(error)
    import torch

    critic = evaluator(run.critic, torch.from_numpy(first))
    if (odd := critic.not_finite()) is not None:
        message = f"{run.folder.path}: values of the critic leave the finite numbers, {odd}"
        raise RunError(message)
    return RunEvaluation(
        run.step, "averaged" if averaged else "last", seed, extractor.description, tuple(found),
        left_out, critic, material.labels,
    )  # fmt: skip


def write_evaluation(folder: Path, evaluation: RunEvaluation) -> Path:
    """Write ``evaluation.json`` into a run folder; returns its path."""
    path = folder / EVALUATION
    write_json(path, evaluation.to_json())
    return path


def _count(samples: int | None) -> int:
    if samples is None:
        return PAIRS
    demand_count("evaluate: samples", samples)
    return samples


def _chosen(metrics: Sequence[str] | None, data: Data) -> list[str]:
    """Names in the order of the table; ConfigError for those that have no meaning."""
    if metrics is None:
        return [
            name for name, metric in METRICS.items()
            if not metric.unfit(data) and metric.unasked(data)
        ]  # fmt: skip
    for name in metrics:
        if name not in METRICS:
            message = f"option metrics must be some of {', '.join(METRICS)}; got {name!r}"
            raise ConfigError(message)
        reason = METRICS[name].unfit(data)
        if reason:
            message = f"option metrics: {name} has no meaning here, {reason}"
            raise ConfigError(message)
    return [name for name in METRICS if name in metrics]


def _demand_read(features: str | None, chosen: Sequence[str]) -> None:
    """ConfigError for features that none of the metrics looks at."""
    if features is not None and chosen and OF_SAMPLES.issuperset(chosen):
        message = (
            f"option features does nothing with the metrics {', '.join(chosen)}, which are of the "
            f"samples themselves; leave it out; got {features!r}"
        )
        raise ConfigError(message)


def _interval(one: Measurement) -> str:
    ends = [f"{end:.4g}" if math.isfinite(end) else str(end) for end in (one.lower, one.upper)]
    return f"[{ends[0]}, {ends[1]}]"


def _real(one: Measurement) -> str:
    return "" if one.real is None else f"{one.real:.4g}"
