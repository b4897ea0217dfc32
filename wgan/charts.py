"""Charts of a run's log for its report: SVG pictures, sign and unit in every label."""

import base64
import html
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0b5fa5", "#c8550a", "#6b6b6b"
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "svg.hashsalt": "wgan",
}

COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444")
DASHES: Any = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
"""With the colours, 28 curves that differ."""

Records = list[dict[str, Any]]


MEDIAN = 101
"""Generator steps of the median filter on the curve of the estimates: the authors' number."""

WIDE = 50
"""Ratio of the largest to the least value from which on an axis is logarithmic."""

_LABEL = 40  # characters that fit beside a chart


def distance_chart(records: Records, distance_unit: str) -> str:
    """The distance over the generator steps, its floor, and the excess between them."""
    from matplotlib.ticker import MaxNLocator

    evaluations = [record for record in records if "floor" in record]
    steps = [record["step"] for record in evaluations]
    kind = "exact W1" if "wasserstein1" in evaluations[0] else "sliced W1"
    key = "wasserstein1" if kind == "exact W1" else "sliced_wasserstein1"
    exact = [record[key] for record in evaluations]
    floor = [record["floor"] for record in evaluations]
    figure, axes = _panel(3.4)
    axes.fill_between(steps, floor, exact, color=BLUE, alpha=0.13, linewidth=0, label="excess")
    axes.plot(
        steps, exact, color=BLUE, marker="o", markersize=3.5, label=f"{kind} to held-out data"
    )
    axes.plot(steps, floor, color=ORANGE, linestyle="--", label="floor: two real samples")
    axes.set(xlabel="generator steps", ylabel=f"{kind} ≥ 0\n({distance_unit})")
    axes.set_ylim(0, 1.08 * max(exact))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_above(axes)
    return _image(figure, f"{kind} against generator steps")


def estimate_chart(records: Records, quantity: str, unit: str) -> str:
    """The critic's estimate at every generator step, its running median, and on held-out data."""
    steps, estimates = estimates_of(records)
    held_out = [record for record in records if "critic_estimate_held_out" in record]
    held_out = [record for record in held_out if record["step"] > 0]  # an untrained critic
    figure, axes = _panel(3.6)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.plot(steps, estimates, color=GREY, linewidth=0.5, alpha=0.5,
              label="on the last training batch")  # fmt: skip
    if len(estimates) >= MEDIAN:
        half = MEDIAN // 2
        axes.plot(steps[half:-half], running_median(estimates), color=ORANGE, linewidth=1.2,
                  label=f"the same, median of {MEDIAN} steps")  # fmt: skip
    axes.plot(
        [record["step"] for record in held_out],
        [record["critic_estimate_held_out"] for record in held_out],
        color=BLUE, marker="o", markersize=3.5, label="on held-out data",
    )  # fmt: skip
    axes.set(xlabel="generator steps", ylabel=axis_label(quantity, unit))
    _legend_above(axes)
    return _image(figure, "Critic estimate against generator steps")


def axis_label(quantity: str, unit: str) -> str:
    """A quantity and its unit in lines that are no longer than a chart is high."""
    return "\n".join(textwrap.fill(part, _LABEL) for part in (quantity, f"({unit})"))


def estimates_of(records: Records) -> tuple[list[int], list[float]]:
    """The critic's estimate at every generator step."""
    steps: list[int] = []
    estimates: list[float] = []
    for record in records:
        values = record.get("critic_estimates", [])
        steps += range(record["step"] - len(values) + 1, record["step"] + 1)
        estimates += values
    return steps, estimates


def running_median(values: list[float], count: int = MEDIAN) -> list[float]:
    """Medians of all runs of ``count`` values; the authors smoothed their curves so."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(values), count)
    return [float(median) for median in np.median(windows, axis=1)]


def speed_chart(records: Records) -> str:
    """Generator steps a second, evaluations not counted."""
    timed = [record for record in records if record["time"]["steps_per_s"] > 0]
    figure, axes = _panel(2.2)
    axes.plot(
        [record["step"] for record in timed],
        [record["time"]["steps_per_s"] for record in timed],
        color=BLUE, linewidth=1,
    )  # fmt: skip
    axes.set(xlabel="generator steps", ylabel="generator steps\nper second")
    axes.set_ylim(bottom=0)
    return _image(figure, "Speed against generator steps")


@dataclass(frozen=True)
class Curve:
    """Numbers over generator steps, and what they are called."""

    label: str
    """For the legend."""
    steps: Sequence[float]
    """Places."""
    values: Sequence[float]
    """As many numbers."""
    style: int = 0
    """Which colour and dashes: equal for all curves of a run."""
    points: tuple[Sequence[float], Sequence[float]] | None = None
    """Steps and values that stand beside the line as dots of its colour."""


def overlay_chart(
    curves: Sequence[Curve],
    label: str,
    description: str,
    *,
    levels: Sequence[tuple[float, str]] = (),
    abscissa: str = "generator steps",
    dots: bool = False,
) -> str:
    """Curves of one unit on one pair of axes; ``levels`` are heights with their names."""
    figure, axes = _panel(3.5 + 0.2 * ((len(curves) + len(levels)) // 3))
    for curve in curves:
        colour = COLOURS[curve.style % len(COLOURS)]
        dash = DASHES[curve.style // len(COLOURS) % len(DASHES)]
        label_of_line, label_of_points = (curve.label, "") if curve.steps else ("", curve.label)
        axes.plot(curve.steps, curve.values, color=colour, linestyle=dash, linewidth=1.3,
                  marker="o" if dots else None, markersize=3, label=label_of_line)  # fmt: skip
        if curve.points is not None:
            axes.plot(*curve.points, "o", color=colour, markersize=3.5, label=label_of_points)
    for number, (height, name) in enumerate(levels):
        axes.axhline(height, color=GREY, linewidth=1, linestyle=DASHES[1 + number % 3], label=name)
    axes.set(xlabel=abscissa, ylabel=label)
    values = [value for curve in curves for value in curve.values]
    if values and min(values) > 0 and max(values) > WIDE * min(values):
        axes.set_yscale("log")
    _legend_above(axes)
    return _image(figure, description)


def svg_image(figure: "Figure", description: str) -> str:
    """A figure as an HTML image that needs nothing outside it."""
    return _image(figure, description)


def _panel(height: float) -> "tuple[Figure, Axes]":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, height), layout="constrained")
        return figure, figure.add_subplot()


def _legend_above(axes: "Axes") -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.2)


def _image(figure: "Figure", description: str) -> str:
    import matplotlib as mpl

    stream = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    code = base64.b64encode(stream.getvalue()).decode()
    text = html.escape(description)
    return f'<img class="chart" alt="{text}" src="data:image/svg+xml;base64,{code}">'
