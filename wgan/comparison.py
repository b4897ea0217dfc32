"""Several runs side by side in one page: curves with units, samples, numbers, options."""

import html
import shlex
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from .charts import (
    MEDIAN,
    Curve,
    axis_label,
    estimates_of,
    overlay_chart,
    running_median,
)
from .errors import RunError
from .folder import demand_foreign
from .metrics_table import metrics_rows
from .page import Section, page, picture, table
from .report import command, distance_of, spread, write_page
from .runlog import RunLog, read_logs
from .units import Estimate, estimate_of, rounded

GRIDS = 4
"""Pictures of samples of each run."""
NAMES = {"wasserstein1": "exact W1", "sliced_wasserstein1": "sliced W1"}
FLOORS = {"wasserstein1": "floor", "sliced_wasserstein1": "sliced_floor"}
"""Where the floor of a distance stands in a line of metrics.jsonl."""


def write_comparison(runs: Sequence[Path], out: Path) -> None:
    """Write a page that shows the runs in the folders ``runs`` beside each other.

    Raises
    ------
    RunError
        For fewer than two runs, a folder without one, a run named twice, or a file that cannot be
        written or is one of a run's own.
    """
    if len(runs) < 2:
        message = f"compare takes two runs or more; got {len(runs)}"
        raise RunError(message)
    demand_foreign(out)
    logs = read_logs(runs)
    sections = [
        Section("Distance to held-out data", distance_charts(logs)),
        Section("What the critics estimate", estimate_charts(logs)),
        *mode_charts(logs),
        Section("Samples over time", sample_rows(logs)),
        Section("Numbers", _numbers(logs)),
        *_metrics(logs),
        Section("Options that differ", _options(logs)),
        Section("How to repeat it", _repeat(runs, logs)),
    ]
    title = f"Wasserstein GAN: {len(logs)} runs side by side"
    write_page(out, page(title, _lead(logs), sections))


def grouped(logs: Sequence[RunLog], key: Callable[[RunLog], Hashable]) -> list[list[int]]:
    """Numbers of the runs with equal keys, in the order of their first run."""
    groups: dict[Hashable, list[int]] = {}
    for number, log in enumerate(logs):
        groups.setdefault(key(log), []).append(number)
    return list(groups.values())


def comparable_distances(log: RunLog) -> Hashable:
    """Equal for runs whose distances may stand on one axis."""
    return (log.data_identity, log.distance_key)


def comparable_estimates(log: RunLog) -> Hashable:
    """Equal for runs whose critics' estimates may stand on one axis.

    Nats are nats whatever the data are; units of the data are those of the same data; and without
    a known Lipschitz constant a critic's height may not be compared with that of another run.
    """
    estimate = _estimate(log)
    if estimate.unit.startswith("nats"):
        return estimate.unit
    if "unknown" in estimate.unit:
        return (estimate.unit, log.path.resolve())
    return (estimate.unit, log.data_identity)


def _estimate(log: RunLog) -> Estimate:
    return estimate_of(log.config)


def _evaluated(logs: Sequence[RunLog], numbers: Sequence[int]) -> list[int]:
    return [number for number in numbers if logs[number].evaluations]


def _lead(logs: Sequence[RunLog]) -> str:
    """Last distances, group by group: what may be compared, and what it is."""
    sentences = []
    for numbers in grouped(logs, comparable_distances):
        shown = _evaluated(logs, numbers)
        if not shown:
            continue
        first = logs[shown[0]]
        ends = ", ".join(
            f"{distance_of(logs[k].evaluations[-1]):.4g} for {logs[k].name} "
            f"(step {logs[k].evaluations[-1]['step']})"
            for k in sorted(shown, key=lambda k: distance_of(logs[k].evaluations[-1]))
        )
        sentences.append(
            f"On {first.data_name} the last {NAMES[first.distance_key]} to held-out data is "
            f"{ends}; two real samples are {first.evaluations[-1]['floor']:.4g} apart."
        )
    sentences += [f"{log.name} has not been evaluated." for log in logs if not log.evaluations]
    text = " ".join(sentences)
    return f'<p class="verdict">{html.escape(text)}</p>'


def distance_charts(logs: Sequence[RunLog]) -> str:
    """A chart for each kind of distance and each set of data."""
    text = (
        "<p>Only distances of one kind to the same data are on one axis. The floor is the distance "
        "of two real samples: no generator can be expected to come below it. Equal generator steps "
        "are not equal work: a Wasserstein critic takes several steps before each of them.</p>"
    )
    parts = [text]
    for numbers in grouped(logs, comparable_distances):
        shown = _evaluated(logs, numbers)
        for key in FLOORS:
            measured = [k for k in shown if key in logs[k].evaluations[-1]]
            if measured:
                parts.append(_distance_chart([logs[k] for k in measured], measured, key))
    return "".join(parts)


def _distance_chart(logs: Sequence[RunLog], styles: Sequence[int], key: str) -> str:
    """One kind of distance to one set of data."""
    curves, floors = [], set()
    for log, style in zip(logs, styles, strict=True):
        records = [record for record in log.evaluations if key in record]
        steps, values = [r["step"] for r in records], [r[key] for r in records]
        curves.append(Curve(log.name, steps, values, style))
        floors.add(floor_of(records[0], key))
    levels = [(floor, "floor: two real samples") for floor in sorted(floors)]
    name = NAMES[key]
    label = axis_label(f"{name} ≥ 0 on {logs[0].data_name}", "Euclidean, units of the data")
    return overlay_chart(curves, label, f"{name} of the runs", levels=levels, dots=True)


def floor_of(record: dict[str, Any], key: str) -> float:
    """What two real samples have of a distance; of a sliced one alone it is called the floor."""
    return float(record.get(FLOORS[key], record["floor"]))


def estimate_charts(logs: Sequence[RunLog]) -> str:
    """A chart for each unit, with what its height means."""
    parts = []
    for numbers in grouped(logs, comparable_estimates):
        estimate = _estimate(logs[numbers[0]])
        curves = [curve for k in numbers if (curve := _estimate_curve(logs[k], k)) is not None]
        names = ", ".join(logs[k].name for k in numbers)
        parts.append(
            f"<p><b>{html.escape(names)}</b>: {html.escape(estimate.explanation)} The line is the "
            f"median of {MEDIAN} steps where there are so many, dots are on held-out data.</p>"
        )
        if curves:
            label = axis_label(estimate.quantity, estimate.unit)
            parts.append(overlay_chart(curves, label, f"Critic estimate of {names}"))
    return "".join(parts)


def _estimate_curve(log: RunLog, style: int) -> Curve | None:
    steps, values = estimates_of(log.records)
    held_out = [record for record in log.evaluations if record["step"] > 0]  # before: untrained
    if not values and not held_out:
        return None
    if len(values) >= MEDIAN:
        half = MEDIAN // 2
        steps, values = steps[half:-half], running_median(values)
    points = (
        [record["step"] for record in held_out],
        [record["critic_estimate_held_out"] for record in held_out],
    )
    return Curve(log.name, steps, values, style, points)


def mode_charts(logs: Sequence[RunLog]) -> list[Section]:
    """Shares of high quality and captured modes, where the law has modes."""
    body = ""
    for key, label in (("modes", "captured modes"), ("high_quality", "share of high quality")):
        for numbers in grouped(logs, lambda log: log.data_identity):
            counted = {
                k: [record for record in logs[k].evaluations if key in record] for k in numbers
            }
            curves = [
                Curve(logs[k].name, [r["step"] for r in found], [r[key] for r in found], k)
                for k, found in counted.items()
                if found
            ]
            if curves:
                text = axis_label(label, f"on {logs[numbers[0]].data_name}")
                body += overlay_chart(curves, text, label, dots=True)
    return [Section("Modes", body)] if body else []


def sample_rows(logs: Sequence[RunLog]) -> str:
    """Pictures over time, a row for each run."""
    parts = ["<p>In each row the same noise at every time; rows have noise of their own.</p>"]
    for log in logs:
        pictures = [
            picture(file.read_bytes(), f"{log.name}, step {step}")
            for step, file in spread(log.pictures, GRIDS)
        ]
        parts.append(f"<div class='grids'>{''.join(pictures)}</div>")
    return "".join(parts)


def _numbers(logs: Sequence[RunLog]) -> str:
    columns = ("run", "data", "algorithm", "steps", "distance", "kind", "floor", "least", "at step",
               "estimate, held-out", "its unit", "gap to training", "certified: W1 ≥")  # fmt: skip
    rows = [_number_row(log) for log in logs]
    return (
        "<p>Of the last evaluation, and the least distance of all. Estimates are compared only "
        "where their unit is the same and known.</p>" + table(columns, rows, "   rr rrrr rr")
    )


def _number_row(log: RunLog) -> tuple[str, ...]:
    start = (log.name, log.data_name, log.config.algorithm, str(log.step))
    if not log.evaluations:
        return (*start, *["not evaluated"] + [""] * 8)
    last = log.evaluations[-1]
    best = min(log.evaluations, key=distance_of)
    return (
        *start,
        f"{distance_of(last):.4f}",
        NAMES[log.distance_key],
        f"{last['floor']:.4f}",
        f"{distance_of(best):.4f}",
        str(best["step"]),
        f"{last['critic_estimate_held_out']:.4g}",
        _estimate(log).short,
        f"{last['generalisation_gap']:.3g}",
        rounded(last["lower_bound"], 4, up=False) if "lower_bound" in last else "nothing",
    )


def _metrics(logs: Sequence[RunLog]) -> list[Section]:
    """What ``wgan evaluate`` measured, where it did."""
    columns, rows = metrics_rows(logs)
    if not rows:
        return []
    missing = [log.name for log in logs if log.metrics is None]
    text = f" Not evaluated so: {', '.join(missing)}." if missing else ""
    body = f"<p>Measured by <code>wgan evaluate</code>.{html.escape(text)}</p>"
    return [Section("Metrics", body + table(columns, rows, " " + "r" * len(logs)))]


def _options(logs: Sequence[RunLog]) -> str:
    options = [log.config.to_json() for log in logs]
    versions: list[dict[str, Any]] = [log.description.get("versions", {}) for log in logs]
    rows = _differing(options) + _differing(versions)
    if not rows:
        return "<p>None: the runs have the same options and versions.</p>"
    return table(("option or version", *(log.name for log in logs)), rows)


def _differing(mappings: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The entries that are not the same everywhere, as rows."""
    names = list(dict.fromkeys(name for mapping in mappings for name in mapping))
    shown = [[str(mapping.get(name, "not there")) for mapping in mappings] for name in names]
    return [
        (name, *values) for name, values in zip(names, shown, strict=True) if len(set(values)) > 1
    ]


def _repeat(runs: Sequence[Path], logs: Sequence[RunLog]) -> str:
    lines = [command(log.config) for log in logs]
    words = ["python", "-m", "wgan", "compare", *(f"runs/{path.name}" for path in runs)]
    lines.append(shlex.join([*words, "--out", "comparison.html"]))
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
