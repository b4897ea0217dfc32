"""Figures 3 and 4: the critic's estimate beside the quality of samples, along training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..charts import Curve, axis_label, overlay_chart
from ..comparison import NAMES, distance_charts, estimate_charts, floor_of, sample_rows
from ..data import Data
from ..page import Section, table
from ..runlog import RunLog
from ..units import estimate_of
from .cases import Case, Finding, Outcome, ScaleName, networks, wgan_of
from .dependence import RankCorrelation, rank_correlation, window_medians
from .pages import case_table

TOO_FAST = 5e-3
"""Learning rate of the paper's failed run, a hundred times that of the others; it names none."""
CRITIC_RATE = 5e-4
"""Learning rate of the perceptron's critic at reduced scale, ten times that of the generator."""
NEAR = 0.9
"""Part of log 2 from which on the JS estimate counts as saturated."""
GOAL = 0.9
"""Rank correlation that was aimed at."""
MEASURES = ("sliced_wasserstein1", "wasserstein1")
"""Distances by which samples are judged, the first that was measured foremost.

Exact distances of samples in many coordinates hardly tell varied samples from a blurred point, see
``evaluate.FEW_DIMENSIONS``.
"""


def figure_3_cases(data: Data, scale: ScaleName) -> list[Case]:
    """Wasserstein GANs: perceptron and DCGAN as generator, and perceptrons at too high a rate.

    At reduced scale the critic of the perceptron learns at ``CRITIC_RATE``. A wide perceptron's
    samples are nearly one point at first, which its bias moves as a whole, and at the paper's rate
    for both, five steps of a critic that takes 400 from -c to c never catch up with it: on the
    digits the point runs in circles, and the estimate is that of a critic far from its optimum.
    """
    own, algorithm = networks(data, scale), wgan_of(data)
    perceptron: dict[str, Any] = {"algorithm": algorithm, "generator": own.perceptron}
    slower = {"critic_learning_rate": CRITIC_RATE} if scale == "reduced" else {}
    cases = [
        Case("wgan-mlp", {**perceptron, "critic": own.critic, **slower}),
        Case("wgan-mlp-too-fast", {**perceptron, "critic": own.perceptron_critic,
                                   "learning_rate": TOO_FAST}),
    ]  # fmt: skip
    if own.convolutional is not None:
        options = {"algorithm": algorithm, "generator": own.convolutional, "critic": own.critic}
        cases.insert(1, Case("wgan-dcgan", options))
    return cases


def figure_4_cases(data: Data, scale: ScaleName) -> list[Case]:
    """Standard GANs on the networks of figure 3."""
    own = networks(data, scale)
    generators = {"gan-mlp": own.perceptron}
    if own.convolutional is not None:
        generators["gan-dcgan"] = own.convolutional
    return [
        Case(name, {"algorithm": "gan", "generator": generator, "critic": own.critic})
        for name, generator in generators.items()
    ]


def figure_3(outcomes: Sequence[Outcome]) -> Finding:
    """Whether the estimate falls as samples improve."""
    figures, conclusions = _correlations(outcomes)
    return Finding(figures, conclusions, _sections(outcomes))


def figure_4(outcomes: Sequence[Outcome]) -> Finding:
    """Whether the JS estimate nears log 2, and what it says of quality."""
    figures, conclusions = _correlations(outcomes)
    for one in outcomes:
        share = saturated_share(one.log)
        figures[one.case.name]["saturated_share"] = share
        if share is not None:
            conclusions.append(
                f"{one.case.name}: in {share:.0%} of the evaluations of its second half the JS "
                f"estimate is at least {NEAR:.0%} of log 2, its largest value."
            )
    return Finding(figures, conclusions, _sections(outcomes))


def saturated_share(log: RunLog) -> float | None:
    """Share of the second half's evaluations with an estimate near log 2."""
    _, medians, _ = window_medians(log.records, log.distance_key)
    late = medians[len(medians) // 2 :]
    return sum(value >= NEAR * math.log(2) for value in late) / len(late) if late else None


@dataclass(frozen=True)
class Related:
    """How the estimates of a run go with one measure of the quality of its samples."""

    key: str
    """The measure, as metrics.jsonl names it."""
    floor: float
    """What two real samples have."""
    first: float
    """The measure before training."""
    distances: list[float]
    """The measure at the evaluations of training."""
    correlation: RankCorrelation
    """Of these with the estimates."""

    @property
    def name(self) -> str:
        """The measure in words."""
        return NAMES[self.key]

    def sentence(self) -> str:
        """From where to where, and what it has to do with the estimate."""
        return (
            f"{self.name} to held-out data went from {self.first:.4g} before training to "
            f"{self.distances[-1]:.4g} (floor {self.floor:.4g}); "
            f"{self.correlation.sentence()}: {verdict(self.correlation)}"
        )

    def to_json(self) -> dict[str, Any]:
        """The numbers."""
        return {
            "quality": f"{self.name} to held-out data on pixels or coordinates",
            "rank_correlation": self.correlation.to_json(),
            "floor": self.floor,
            "before": self.first,
            "distance": self.distances,
        }


def related(log: RunLog) -> list[Related]:
    """The estimates of a run beside every measure that it has, the foremost first."""
    found = []
    for key in MEASURES:
        _, medians, distances = window_medians(log.records, key)
        if distances:
            first = next(record for record in log.evaluations if key in record)
            correlation = rank_correlation(medians, distances)
            found.append(Related(key, floor_of(first, key), first[key], distances, correlation))
    return found


def _correlations(outcomes: Sequence[Outcome]) -> tuple[dict[str, Any], list[str]]:
    figures: dict[str, Any] = {}
    conclusions = []
    for one in outcomes:
        steps, medians, _ = window_medians(one.log.records, one.log.distance_key)
        found = related(one.log)
        figures[one.case.name] = {
            "steps": steps,
            "estimate": medians,
            "measures": {each.key: each.to_json() for each in found},
            "failure": one.failure,
        }
        conclusions += _sentences(one, medians, found)
    return figures, conclusions


def _sentences(one: Outcome, medians: list[float], found: Sequence[Related]) -> list[str]:
    ended = f" It ended early: {one.failure}." if one.failure else ""
    if not found:
        return [f"{one.case.name}: nothing was measured.{ended}"]
    moved = f"the estimate went from {medians[0]:.4g} to {medians[-1]:.4g}"
    words = [f"{one.case.name}: {moved}; {found[0].sentence()}.{ended}"]
    return words + [f"{one.case.name}, judged otherwise: {each.sentence()}." for each in found[1:]]


def verdict(found: RankCorrelation) -> str:
    """What a rank correlation of estimate and distance shows."""
    if found.estimate is None or found.lower is None or found.upper is None:
        return "too little to say anything"
    if found.lower > 0:
        reached = "is reached" if found.estimate >= GOAL else "is not reached"
        return f"the estimate falls as samples get better; the {GOAL} aimed at {reached}"
    if found.upper < 0:
        return "the estimate rises as samples get better"
    return "these numbers show no relation, since the interval holds 0"


def _sections(outcomes: Sequence[Outcome]) -> list[Section]:
    logs = [one.log for one in outcomes]
    rows, charts = [], ""
    for number, one in enumerate(outcomes):
        _, medians, _ = window_medians(one.log.records, one.log.distance_key)
        for each in related(one.log):
            rows.append((one.case.name, each.name, *_cells(each.correlation)))
            charts += _scatter(one, medians, each, number)
    columns = ("run", "distance", "rank correlation", "95 % interval", "given time", "pairs",
               "block")  # fmt: skip
    return [
        Section("Distance to held-out data", distance_charts(logs)),
        Section("What the critics estimate", estimate_charts(logs)),
        Section("One against the other", table(columns, rows, "  rrrrr") + charts),
        Section("Samples over time", sample_rows(logs)),
        Section("Runs", case_table(outcomes)),
    ]


def _cells(found: RankCorrelation) -> tuple[str, ...]:
    ends = "none" if found.lower is None else f"[{found.lower:.3f}, {found.upper:.3f}]"
    numbers = _number(found.estimate), ends, _number(found.given_time)
    return (*numbers, str(found.pairs), str(found.block))


def _scatter(one: Outcome, medians: list[float], each: Related, style: int) -> str:
    name, unit = one.case.name, estimate_of(one.log.config).unit
    curve = Curve(name, [], [], style, points=(medians, each.distances))
    label = axis_label(f"{each.name} ≥ 0", "Euclidean, units of the data")
    return overlay_chart(
        [curve], label, f"{each.name} against estimate, {name}",
        abscissa=f"critic estimate, median since the evaluation before\n({unit})",
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
