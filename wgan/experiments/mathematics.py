"""Figures 1 and 2, which are mathematics: values that the library computes, and its claims."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from divergences import Discrete, js_divergence, total_variation, wasserstein1
from divergences.plots import figure_1, figure_2
from divergences.theorems import check_all

from ..charts import svg_image
from ..page import Section, table
from .cases import Finding, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THETA = 6.0
"""Distance of the means in figure 2."""
THINNED = 10
"""One in so many points of the curves of figure 2 is among the numbers."""


def parallel_lines(_: Sequence[Outcome]) -> Finding:
    """Figure 1: distances of two parallel lines against their displacement."""
    places = np.linspace(-1.0, 1.0, 41)
    heights = np.linspace(0.0, 1.0, 9)
    lines = [Discrete(np.column_stack([np.full(9, place), heights])) for place in places]
    origin = Discrete(np.column_stack([np.zeros(9), heights]))
    values = {
        "wasserstein1": [float(wasserstein1(origin, line)) for line in lines],
        "js": [float(js_divergence(origin, line)) for line in lines],
        "total_variation": [float(total_variation(origin, line)) for line in lines],
    }
    off = places != 0
    error = float(np.abs(np.asarray(values["wasserstein1"]) - np.abs(places)).max())
    words = [f"W1 is abs(theta) at all {len(places)} displacements theta, to within {error:.2g}."]
    named = (
        ("js", "JS (nats)", f" (log 2 is {math.log(2):.15g})"),
        ("total_variation", "TV", ""),
    )
    for name, short, unit in named:
        away = np.asarray(values[name])[off]
        at_0 = np.asarray(values[name])[~off]
        words.append(
            f"{short} is {at_0.max():g} at theta = 0, and between {away.min():.15g} and "
            f"{away.max():.15g} at the {off.sum()} others{unit}."
        )
    figures = {"theta": places.tolist(), **values}
    return _with_claim("figure_1", figure_1(places), figures, words)


def optimal_critic(_: Sequence[Outcome]) -> Finding:
    """Figure 2: the optimal discriminator and the exact critic of two normal laws."""
    figure = figure_2(THETA)
    curves = labelled_curves(figure)
    critic, discriminator = (
        next(curves[name] for name in curves if mark in name) for mark in ("|f'|", "log")
    )
    closed = THETA / (1 + math.exp(THETA**2 / 2))
    at_mean = math.exp(np.interp(THETA, discriminator[0], np.log(discriminator[1])))
    low, high = min(critic[1]), max(critic[1])
    flat = (
        f"The slope of log(1 - D*) is {at_mean:.3g} at the mean of the generated law, x = "
        f"{THETA:g} (the closed form: {closed:.3g}), and {max(discriminator[1]):.3g} at most."
    )
    words = [
        f"The critic's slope is between {low:.15g} and {high:.15g} where there are data.",
        flat,
    ]
    some = {name: (x[::THINNED], y[::THINNED]) for name, (x, y) in curves.items()}
    return _with_claim("figure_2", figure, {"theta": THETA, "curves": some}, words)


def labelled_curves(figure: "Figure") -> dict[str, tuple[list[float], list[float]]]:
    """Places and values of the curves that a legend names."""
    return {
        str(line.get_label()): (
            np.asarray(line.get_xdata(), dtype=np.float64).tolist(),
            np.asarray(line.get_ydata(), dtype=np.float64).tolist(),
        )
        for axes in figure.axes
        for line in axes.get_lines()
        if not str(line.get_label()).startswith("_")
    }


def _with_claim(claim: str, figure: "Figure", figures: dict[str, Any], words: list[str]) -> Finding:
    """The figure beside the claim of the same name, checked on seeded cases."""
    (checked,) = check_all([claim])
    numbers = {
        "id": checked.id, "statement": checked.statement, "cases": checked.cases,
        "worst_slack": checked.worst_slack, "verdict": checked.verdict, "seed": checked.seed,
    }  # fmt: skip
    verdict = (
        f"The claim {claim} of python -m divergences theorems: {checked.verdict} on "
        f"{checked.cases} seeded cases, worst slack {checked.worst_slack:.2g}."
    )
    row = [(checked.statement, str(checked.cases), f"{checked.worst_slack:.2g}", checked.verdict)]
    sections = [
        Section("The figure", svg_image(figure, claim)),
        Section("The claim", table(("statement", "cases", "worst slack", "verdict"), row, " rr")),
    ]
    return Finding({"claim": numbers, **figures}, [*words, verdict], sections)
