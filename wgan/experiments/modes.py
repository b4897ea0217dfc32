"""Mode collapse: modes that a GAN and Wasserstein GANs of perceptrons capture."""

from collections.abc import Sequence
from typing import Any

from ..comparison import mode_charts
from ..data import Data
from ..data.stacked import Stacked
from ..errors import ConfigError
from ..page import Section, table
from ..specification import split
from .cases import Case, Finding, Outcome, ScaleName, networks
from .pages import sections_of_runs
from .stacked import stacked_cases, stacked_collapse

SEEDS = 3
"""Runs of each algorithm."""


def mode_cases(data: Data, scale: ScaleName) -> list[Case]:
    """The GAN, the clipped and the penalised Wasserstein GAN on perceptrons, with three seeds.

    On stacked digits those of ``stacked.stacked_cases``.
    """
    if isinstance(data, Stacked):
        return stacked_cases(data, scale)
    if getattr(data, "modes", None) is None:
        message = "option data: modes are counted on ring, grid and stacked"
        raise ConfigError(message)
    own = networks(data, scale)
    common: dict[str, Any] = {"generator": own.perceptron, "critic": own.perceptron_critic,
                              "batch_size": 256}  # fmt: skip
    algorithms = {
        "gan": {"algorithm": "gan", "learning_rate": 1e-3},
        "wgan": {"algorithm": "wgan", "learning_rate": 5e-5},
        "wgan-gp": {"algorithm": "wgan-gp", "learning_rate": 1e-3, "penalty": 1.0, "beta1": 0.5},
    }
    return [
        Case(f"{name}-seed-{seed}", {**common, **options}, seed)
        for name, options in algorithms.items()
        for seed in range(SEEDS)
    ]


def mode_collapse(outcomes: Sequence[Outcome]) -> Finding:
    """Modes and shares of high quality, or evenness, at the end of every run."""
    if all(split(one.log.config.data)[0] == "stacked" for one in outcomes):
        return stacked_collapse(outcomes)
    figures: dict[str, Any] = {}
    for one in outcomes:
        counted = [record for record in one.log.evaluations if "modes" in record]
        last = counted[-1] if counted else {}
        figures[one.case.name] = {
            "modes": last.get("modes"),
            "high_quality": last.get("high_quality"),
            "failure": one.failure,
        }
    conclusions = []
    for name in dict.fromkeys(one.case.name.partition("-seed-")[0] for one in outcomes):
        group = [
            numbers for key, numbers in figures.items()
            if key.partition("-seed-")[0] == name and numbers["modes"] is not None
        ]  # fmt: skip
        if group:
            modes = ", ".join(str(numbers["modes"]) for numbers in group)
            shares = ", ".join(f"{numbers['high_quality']:.1%}" for numbers in group)
            conclusions.append(f"{name}: modes captured {modes}; samples of high quality {shares}.")
    logs = [one.log for one in outcomes]
    rows = [
        (name, str(numbers["modes"]), f"{numbers['high_quality']:.1%}")
        for name, numbers in figures.items()
        if numbers["modes"] is not None
    ]
    sections = [
        Section("Counted at the end", table(("run", "modes", "high quality"), rows, " rr")),
        *mode_charts(logs),
        *sections_of_runs(outcomes),
    ]
    return Finding(figures, conclusions, sections)
