"""Figures 1 and 2, which are mathematics: values that the library computes, and its claims."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from divergences.plots import figure_1, figure_2
from divergences.theorems import check_all

from ..charts import svg_image
from ..page import Section, table
from .cases import Finding, Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def parallel_lines(_: Sequence[Outcome]) -> Finding:
    """Figure 1: distances of two parallel lines against their displacement."""
    return _finding("figure_1", figure_1, _lines)


def optimal_critic(_: Sequence[Outcome]) -> Finding:
    """Figure 2: the optimal discriminator and the exact critic of two normal laws."""
    return _finding("figure_2", figure_2, _slopes)


def _finding(
    claim: str,
    draw: "Callable[[], Figure]",
    words: Callable[[dict[str, list[list[float | None]]]], list[str]],
) -> Finding:
    figure = draw()
    curves = curves_of(figure)
    (checked,) = check_all([claim])
    numbers = {
        "claim": checked.id, "statement": checked.statement, "cases": checked.cases,
        "worst_slack": checked.worst_slack, "verdict": checked.verdict, "seed": checked.seed,
    }  # fmt: skip
    verdict = (
        f"The claim {claim} of python -m divergences theorems: {checked.verdict} on "
        f"{checked.cases} seeded cases, worst slack {checked.worst_slack:.2g}."
    )
    conclusions = [*words(curves), verdict]
    row = [(checked.statement, str(checked.cases), f"{checked.worst_slack:.2g}", checked.verdict)]
    sections = [
        Section("The figure", svg_image(figure, claim)),
        Section("The claim", table(("statement", "cases", "worst slack", "verdict"), row, " rr")),
    ]
    return Finding({"claim": numbers, "curves": curves}, conclusions, sections)


def curves_of(figure: "Figure") -> dict[str, list[list[float | None]]]:
    """Places and values of every labelled curve of a figure, or by its panel's title."""
    curves: dict[str, list[list[float | None]]] = {}
    for axes in figure.axes:
        for line in axes.get_lines():
            label = str(line.get_label())
            x, y = (np.asarray(part, dtype=np.float64) for part in line.get_data())
            name = axes.get_title() if label.startswith("_") else label
            if len(x) > 2 and name not in curves:
                curves[name] = [x.tolist(), [v if np.isfinite(v) else None for v in y.tolist()]]
    return curves


def _lines(curves: dict[str, Any]) -> list[str]:
    words = []
    for name, (x, y) in curves.items():
        places = np.asarray(x)
        values = np.asarray([np.nan if v is None else v for v in y])
        off = (places != 0) & np.isfinite(values)
        if name.startswith("Wasserstein"):
            error = float(np.abs(values[off] - np.abs(places[off])).max())
            words.append(f"W1 equals the displacement at {off.sum()} places, up to {error:.2g}.")
        else:
            low, high = float(values[off].min()), float(values[off].max())
            words.append(f"{name}: from {low:.15g} to {high:.15g} at all places but 0.")
    return words


def _slopes(curves: dict[str, Any]) -> list[str]:
    words = []
    for name, (_, y) in curves.items():
        values = np.asarray([v for v in y if v is not None])
        if "'" in name:  # a derivative
            words.append(
                f"{name.replace('$', '')}: from {values.min():.3g} to {values.max():.3g} over x."
            )
    return words
