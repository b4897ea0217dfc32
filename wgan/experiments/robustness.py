"""Figures 5 to 7, and momentum: runs counted by whether they trained."""

import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..charts import estimates_of
from ..comparison import NAMES
from ..data import Data
from ..page import Section, table
from ..report import distance_of
from ..runlog import RunLog
from .cases import Case, Finding, Outcome, ScaleName, networks, wgan_of
from .pages import sections_of_runs

RATES = (5e-5, 2e-4, 1e-3)
"""Learning rates of the grid: the paper's for WGAN, the usual one for DCGAN, and a high one."""
TRAINED = 0.5
"""Part of the excess over the floor that a run has to lose in order to count as trained."""
Kind = Literal["convolutional", "plain", "perceptron"]


def grid_cases(kind: Kind) -> "functools.partial[list[Case]]":
    """WGAN and GAN at all rates, with one kind of generator."""
    return functools.partial(_grid, kind)


def _grid(kind: Kind, data: Data, scale: ScaleName) -> list[Case]:
    own = networks(data, scale)
    wgan = wgan_of(data) if scale == "full" else "wgan"
    generator = own.perceptron if kind == "perceptron" else own.demand(kind)
    return [
        Case(f"{name}-{rate:g}", {"algorithm": algorithm, "generator": generator,
                                  "critic": own.critic, "learning_rate": rate})
        for name, algorithm in (("wgan", wgan), ("gan", "gan"))
        for rate in RATES
    ]  # fmt: skip


def momentum_cases(data: Data, scale: ScaleName) -> list[Case]:
    """The clipped critic under RMSProp, and under Adam with more and more momentum."""
    own = networks(data, scale)
    base = {"algorithm": "wgan", "generator": own.convolutional or own.perceptron,
            "critic": own.critic}  # fmt: skip
    adam = {"optimizer": "adam", "beta2": 0.99}
    cases = []
    for rate in (5e-5, 1e-3):
        cases.append(Case(f"rmsprop-{rate:g}", {**base, "learning_rate": rate}))
        cases += [
            Case(f"adam-{beta}-{rate:g}", {**base, **adam, "beta1": beta, "learning_rate": rate})
            for beta in (0.0, 0.5, 0.9)
        ]
    return cases


def robustness(outcomes: Sequence[Outcome]) -> Finding:
    """Counts of runs that trained, for each algorithm."""
    figures = {one.case.name: measured(one) for one in outcomes}
    conclusions = []
    for name in ("wgan", "gan"):
        group = [one for one in outcomes if one.case.name.startswith(f"{name}-")]
        if not group:
            continue  # the caller asked for other cases alone
        trained = [one.case.name for one in group if figures[one.case.name]["trained"]]
        listed = f" ({', '.join(trained)})" if trained else ""
        conclusions.append(
            f"{name}: {len(trained)} of {len(group)} runs lost at least {TRAINED:.0%} of their "
            f"excess over the floor by their last evaluation{listed}."
        )
    conclusions += _ends(outcomes, figures)
    return Finding(figures, conclusions, _sections(outcomes, figures))


def momentum(outcomes: Sequence[Outcome]) -> Finding:
    """How far runs came, and how rough their estimates are, against the momentum."""
    figures = {one.case.name: measured(one) for one in outcomes}
    conclusions = []
    for rate in dict.fromkeys(one.log.config.learning_rate for one in outcomes):
        group = [one.case.name for one in outcomes if one.log.config.learning_rate == rate]
        known = [name for name in group if figures[name]["excess_lost"] is not None]
        order = sorted(known, key=lambda name: -figures[name]["excess_lost"])
        if order:
            ends = ", ".join(f"{name} {figures[name]['excess_lost']:.0%}" for name in order)
            conclusions.append(f"At rate {rate:g} the excess lost at the end is: {ends}.")
        rough = sorted((n for n in group if figures[n]["roughness"] is not None),
                       key=lambda name: figures[name]["roughness"])  # fmt: skip
        if rough:
            ends = ", ".join(f"{name} {figures[name]['roughness']:.2f}" for name in rough)
            conclusions.append(f"At rate {rate:g} the roughness of the estimate is: {ends}.")
    conclusions += _ends(outcomes, figures)
    return Finding(figures, conclusions, _sections(outcomes, figures))


def measured(one: Outcome) -> dict[str, Any]:
    """The numbers of a run: distances, the excess lost, and how rough its estimates are."""
    records = one.log.evaluations
    numbers: dict[str, Any] = {"failure": one.failure, "steps": one.log.step}
    if not records:
        return {**numbers, "trained": False, "excess_lost": None, "roughness": None}
    first, last = records[0], records[-1]
    lost = 1 - last["excess"] / first["excess"] if first["excess"] > 0 else None
    return {
        **numbers,
        "kind": NAMES[one.log.distance_key],
        "floor": last["floor"],
        "first": distance_of(first),
        "last": distance_of(last),
        "least": min(distance_of(record) for record in records),
        "excess_lost": lost,
        "trained": one.failure is None and lost is not None and lost >= TRAINED,
        "roughness": roughness(one.log),
        "seconds": records[-1]["time"]["elapsed_s"],
    }


def roughness(log: RunLog) -> float | None:
    """Median change of the estimate from one generator step to the next, over its median size.

    Of the second half of the run, where the critic has caught up.
    """
    _, values = estimates_of(log.records)
    late = np.asarray(values[len(values) // 2 :])
    if len(late) < 3:
        return None
    size = float(np.median(np.abs(late)))
    return float(np.median(np.abs(np.diff(late)))) / size if size > 0 else None


def _ends(outcomes: Sequence[Outcome], figures: dict[str, Any]) -> list[str]:
    """Failures, and the best end of all."""
    words = [f"{one.case.name} ended early: {one.failure}." for one in outcomes if one.failure]
    known = [name for name, numbers in figures.items() if "last" in numbers]
    if known:
        best = min(known, key=lambda name: figures[name]["last"])
        words.append(
            f"The least {figures[best]['kind']} at the end is {figures[best]['last']:.4g}, of "
            f"{best}; two real samples are {figures[best]['floor']:.4g} apart."
        )
    return words


def _sections(outcomes: Sequence[Outcome], figures: dict[str, Any]) -> list[Section]:
    rows = []
    for name, numbers in figures.items():
        if "last" not in numbers:
            continue
        lost, rough = numbers["excess_lost"], numbers["roughness"]
        rows.append((
            name, f"{numbers['first']:.4f}", f"{numbers['last']:.4f}", f"{numbers['least']:.4f}",
            f"{numbers['floor']:.4f}", "none to lose" if lost is None else f"{lost:.0%}",
            "yes" if numbers["trained"] else "no", "none" if rough is None else f"{rough:.2f}",
        ))  # fmt: skip
    columns = ("run", "distance before", "at the end", "least", "floor", "excess lost",
               f"trained: ≥ {TRAINED:.0%}", "roughness")  # fmt: skip
    return [
        Section("Counted", table(columns, rows, " rrrrr r")),
        *sections_of_runs(outcomes),
    ]
