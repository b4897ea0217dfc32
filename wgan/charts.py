"""Charts of a run's log for its report: SVG pictures, sign and unit in every label."""

import base64
import io
from typing import TYPE_CHECKING, Any

from .evaluate import ESTIMATE_UNIT

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

Records = list[dict[str, Any]]


def distance_chart(records: Records, distance_unit: str) -> str:
    """The exact W1 over the generator steps, its floor, and the excess between them."""
    from matplotlib.ticker import MaxNLocator

    evaluations = [record for record in records if "wasserstein1" in record]
    steps = [record["step"] for record in evaluations]
    exact = [record["wasserstein1"] for record in evaluations]
    floor = [record["floor"] for record in evaluations]
    figure, axes = _panel(3.4)
    axes.fill_between(steps, floor, exact, color=BLUE, alpha=0.13, linewidth=0, label="excess")
    axes.plot(
        steps, exact, color=BLUE, marker="o", markersize=3.5, label="exact W1 to held-out data"
    )
    axes.plot(steps, floor, color=ORANGE, linestyle="--", label="floor: two real samples")
    axes.set(xlabel="generator steps", ylabel=f"Wasserstein-1 distance ≥ 0\n({distance_unit})")
    axes.set_ylim(0, 1.08 * max(exact))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_above(axes)
    return _image(figure, "Exact Wasserstein-1 distance against generator steps")


def estimate_chart(records: Records) -> str:
    """The critic's estimate on training batches and on the held-out sample."""
    training = [record for record in records if "critic_estimate" in record]
    held_out = [record for record in records if "critic_estimate_held_out" in record]
    held_out = [record for record in held_out if record["step"] > 0]  # an untrained critic
    figure, axes = _panel(3.6)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.plot(
        [record["step"] for record in training],
        [record["critic_estimate"] for record in training],
        color=GREY, linewidth=0.8, label="on the last training batch",
    )  # fmt: skip
    axes.plot(
        [record["step"] for record in held_out],
        [record["critic_estimate_held_out"] for record in held_out],
        color=BLUE, marker="o", markersize=3.5, label="on held-out data",
    )  # fmt: skip
    label = f"critic estimate E f(data) − E f(samples)\n({ESTIMATE_UNIT})"
    axes.set(xlabel="generator steps", ylabel=label)
    _legend_above(axes)
    return _image(figure, "Critic estimate against generator steps")


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
    return f'<img class="chart" alt="{description}" src="data:image/svg+xml;base64,{code}">'
