"""Figures 3 and 4: the critic's estimate beside the quality of samples, along training."""

import math
from collections.abc import Sequence
from typing import Any

from ..charts import Curve, axis_label, overlay_chart
from ..comparison import NAMES, distance_charts, estimate_charts, sample_rows
from ..data import Data
from ..page import Section, table
from ..report import distance_of
from ..runlog import RunLog
from .cases import Case, Finding, Outcome, ScaleName, networks, wgan_of
from .dependence import RankCorrelation, rank_correlation, window_medians
from .pages import case_table

TOO_FAST = 5e-3
"""Learning rate of the paper's failed run, a hundred times that of the others; it names none."""
NEAR = 0.9
"""Part of log 2 from which on the JS estimate counts as saturated."""
GOAL = 0.9
"""Rank correlation that was aimed at."""


def figure_3_cases(data: Data, scale: ScaleName) -> list[Case]:
    """Wasserstein GANs: perceptron and DCGAN as generator, and perceptrons at too high a rate."""
    own, algorithm = networks(data, scale), wgan_of(data)
    cases = [
        Case("wgan-mlp", {"algorithm": algorithm, "generator": own.perceptron,
                          "critic": own.critic}),
        Case("wgan-mlp-too-fast", {"algorithm": algorithm, "generator": own.perceptron,
                                   "critic": own.perceptron_critic, "learning_rate": TOO_FAST}),
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


def _correlations(outcomes: Sequence[Outcome]) -> tuple[dict[str, Any], list[str]]:
    figures: dict[str, Any] = {}
    conclusions = []
    for one in outcomes:
        log = one.log
        steps, medians, distances = window_medians(log.records, log.distance_key)
        found = rank_correlation(medians, distances)
        floor = log.evaluations[0]["floor"] if log.evaluations else None
        figures[one.case.name] = {
            "quality": f"{NAMES[log.distance_key]} to held-out data on pixels or coordinates",
            "rank_correlation": found.to_json(),
            "floor": floor,
            "steps": steps,
            "estimate": medians,
            "distance": distances,
            "failure": one.failure,
        }
        conclusions.append(_sentence(one, medians, distances, found))
    return figures, conclusions


def _sentence(
    one: Outcome, medians: list[float], distances: list[float], found: RankCorrelation
) -> str:
    ended = f" It ended early: {one.failure}." if one.failure else ""
    if not distances:
        return f"{one.case.name}: nothing was measured.{ended}"
    first = distance_of(one.log.evaluations[0])
    name = NAMES[one.log.distance_key]
    return (
        f"{one.case.name}: {name} to held-out data went from {first:.4g} before training to "
        f"{distances[-1]:.4g} (floor {one.log.evaluations[0]['floor']:.4g}), the estimate from "
        f"{medians[0]:.4g} to {medians[-1]:.4g}; {found.sentence()}: {verdict(found)}.{ended}"
    )


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
        _, medians, distances = window_medians(one.log.records, one.log.distance_key)
        found = rank_correlation(medians, distances)
        ends = "none" if found.lower is None else f"[{found.lower:.3f}, {found.upper:.3f}]"
        rows.append((one.case.name, _number(found.estimate), ends, _number(found.given_time),
                     str(found.pairs), str(found.block)))  # fmt: skip
        if distances:
            curve = Curve(one.case.name, [], [], number, points=(medians, distances))
            label = axis_label(f"{NAMES[one.log.distance_key]} ≥ 0", "Euclidean, units of the data")
            charts += overlay_chart(
                [curve], label, f"Distance against estimate, {one.case.name}",
                abscissa="critic estimate, median since the evaluation before",
            )  # fmt: skip
    columns = ("run", "rank correlation", "95 % interval", "given time", "pairs", "block")
    return [
        Section("Distance to held-out data", distance_charts(logs)),
        Section("What the critics estimate", estimate_charts(logs)),
        Section("One against the other", table(columns, rows, " rrrrr") + charts),
        Section("Samples over time", sample_rows(logs)),
        Section("Runs", case_table(outcomes)),
    ]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
