"""The report of a run: outcome, curves, samples over time, numbers, options, how to repeat it."""

import dataclasses
import html
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .algorithms import algorithm
from .charts import distance_chart, estimate_chart, speed_chart
from .checkpoint import write_atomically
from .config import TrainingConfig
from .data import Data
from .doctor import diagnose
from .doctor.page import findings_body
from .errors import RunError
from .evaluate import EVALUATED
from .folder import demand_foreign
from .page import Section, page, picture, table
from .pictures import SHOWN
from .pictures import picture as draw
from .run import Run, load
from .units import estimate_of, rounded

ROWS = 24
"""Evaluations in the table; of more, evenly spaced ones are shown."""
SLIGHT = 0.01
"""Relative change of the excess that is none to speak of."""
GRIDS = 5
"""Pictures of samples over time."""


def write_report(run: Path, out: Path) -> None:
    """Write the report of the run in folder ``run`` to the HTML file ``out``.

    Raises
    ------
    RunError
        For a folder without a run, or without an evaluation yet, or a file that cannot be written
        or is one of a run's own.
    """
    demand_foreign(out)
    loaded = load(run)
    title = f"Wasserstein GAN on {loaded.config.data}, {loaded.step} generator steps"
    write_page(out, page(title, lead(loaded), sections(loaded)))


def write_page(out: Path, text: str) -> None:
    """Write an HTML file whole or not at all."""
    write_atomically(out, lambda file: file.write(text.encode()))


def records_of(run: Run) -> list[dict[str, Any]]:
    """The lines of the log up to the checkpoint that the run was read from."""
    return [record for record in run.metrics() if record["step"] <= run.step]


def evaluations(run: Run) -> list[dict[str, Any]]:
    """The lines of the log that hold an evaluation; RunError if there is none."""
    found = [record for record in records_of(run) if "floor" in record]
    if not found:
        message = f"{run.folder.path}: this run has not been evaluated yet"
        raise RunError(message)
    return found


def excess_fall(run: Run) -> float:
    """By which part the excess over the floor fell from the first evaluation to the last.

    1 means down to the floor; negative that it rose; NaN that it began at the floor or below.
    """
    records = evaluations(run)
    first, last = records[0]["excess"], records[-1]["excess"]
    return float(1 - last / first) if first > 0 else math.nan


def verdict(run: Run) -> str:
    """The outcome in a sentence."""
    subject = f"the excess of the {distance_name(run)} over the floor"
    fall = excess_fall(run)
    if math.isnan(fall):
        return f"{subject} was none to begin with"
    if abs(fall) < SLIGHT:
        return f"{subject} changed by less than {SLIGHT:.0%}"
    return f"{subject} {'fell' if fall > 0 else 'rose'} by {abs(fall):.0%}"


def distance_of(record: dict[str, Any]) -> float:
    """The distance of an evaluation: the exact one, or in many coordinates the sliced one."""
    return float(record["wasserstein1" if "wasserstein1" in record else "sliced_wasserstein1"])


def distance_name(run: Run) -> str:
    """What the distance of the run's evaluations is."""
    return "exact W1" if "wasserstein1" in evaluations(run)[0] else "sliced W1"


def lead(run: Run) -> str:
    """The first paragraph: the outcome in numbers."""
    records = evaluations(run)
    first, last = records[0], records[-1]
    apart = f"where two real samples of the same size are {last['floor']:.3f} apart.</p>"
    if first is last:
        return (
            f'<p class="verdict">At step {last["step"]} the {distance_name(run)} to held-out data '
            f"is {distance_of(last):.3f}, {apart}"
        )
    return (
        f'<p class="verdict">From step {first["step"]} to step {last["step"]} {verdict(run)}: the '
        f"distance to held-out data went from {distance_of(first):.3f} to "
        f"{distance_of(last):.3f}, {apart}"
    )


def sections(run: Run) -> list[Section]:
    """All sections of a run's report."""
    return [
        Section("Curves", _curves(run)),
        Section("Findings", findings_body(diagnose(run.folder.path))),
        Section("Samples over time", _samples(run)),
        Section("Exact numbers", _numbers(run)),
        Section("What was run", _configuration(run)),
        Section("How to repeat it", _repeat(run)),
    ]


def distance_unit(data: Data) -> str:
    """The unit of distances between samples, in words."""
    return "Euclidean, pixels in [-1, 1]" if data.image_shape else "Euclidean, units of the data"


def _curves(run: Run) -> str:
    records = records_of(run)
    estimate = estimate_of(run.config)
    count = min(len(run.data.held_out), EVALUATED)
    name = "exact Wasserstein-1" if distance_name(run) == "exact W1" else "sliced Wasserstein-1"
    return (
        f"<p>The {name} distance between {count} held-out real samples and {count} "
        f"generated ones. The dashed floor is the same distance between the held-out samples and "
        f"other real ones: no generator can be expected to come below it. It is an "
        f"empirical distance of finite samples, larger than that of the laws.</p>"
        f"{distance_chart(records, distance_unit(run.data))}"
        f"<p>{html.escape(estimate.explanation)}</p>"
        f"{estimate_chart(records, estimate.quantity, estimate.unit)}"
        f"{speed_chart(records)}"
    )


def _samples(run: Run) -> str:
    files = sorted(run.folder.samples.glob("*.png"))
    files = [path for path in files if path.stem.isdecimal() and int(path.stem) <= run.step]
    shape = run.data.image_shape
    real = run.data.held_out.numpy()
    pictures = [
        picture(path.read_bytes(), f"samples at step {int(path.stem)}")
        for path in spread(files, GRIDS)
    ]
    if shape:
        pictures.append(picture(draw(real[:SHOWN], real, shape), "held-out real data"))
    return (
        "<p>The same noise at every time, so that a picture in one place is the same input seen "
        f"by a later generator.</p>\n<div class='grids'>{''.join(pictures)}</div>"
    )


def _numbers(run: Run) -> str:
    records = evaluations(run)
    shown = spread(records, ROWS)
    start = records[0]["excess"]
    unit = estimate_of(run.config).unit
    columns = ["step", distance_name(run), "floor", "excess", "excess left", "estimate, held-out",
               "its gap to training", "Lipschitz bound", "certified: W1 ≥"]  # fmt: skip
    rows: list[tuple[str, ...]] = [
        (
            str(record["step"]),
            f"{distance_of(record):.4f}",
            f"{record['floor']:.4f}",
            f"{record['excess']:.4f}",
            f"{record['excess'] / start:.0%}" if start > 0 else "none to lose",
            f"{record['critic_estimate_held_out']:.4g}",
            f"{record['generalisation_gap']:.3g}",
            rounded(record["lipschitz_bound"], 3, up=True)
            if "lipschitz_bound" in record
            else "none known",
            rounded(record["lower_bound"], 4, up=False) if "lower_bound" in record else "nothing",
        )
        for record in shown
    ]
    if "wasserstein1" in records[0] and all("sliced_wasserstein1" in record for record in shown):
        columns += ["sliced W1", "its floor"]
        sliced = [
            (f"{record['sliced_wasserstein1']:.4f}", f"{record['sliced_floor']:.4f}")
            for record in shown
        ]
        rows = [row + numbers for row, numbers in zip(rows, sliced, strict=True)]
    if "modes" in records[0]:  # a law in the plane with modes
        columns += ["modes", "high quality"]
        counted = [(str(record["modes"]), f"{record['high_quality']:.1%}") for record in shown]
        rows = [row + counts for row, counts in zip(rows, counted, strict=True)]
    left_out = "" if len(shown) == len(records) else f" {len(shown)} of {len(records)} are shown."
    return (
        f"<p>Distances are {distance_unit(run.data)}; the critic's estimate is in "
        f"{unit}. Where a Lipschitz constant of the critic is certified, the estimate over it is a "
        f"lower bound of W1 of the held-out and the generated sample: true, and often far below "
        f"it.{left_out}</p>{table(columns, rows, 'r' * len(columns))}"
    )


def _configuration(run: Run) -> str:
    description = run.folder.read_description()
    documented = {field.name: field for field in dataclasses.fields(TrainingConfig)}
    options = [
        (name, " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
        for name, value in run.config.to_json().items()
        if name in documented
    ]
    machine = description.get("machine", {})
    facts = [
        ("begun", description.get("date", "unknown")),
        ("processor", f"{machine.get('processor', 'unknown')}, {machine.get('cores', '?')} cores"),
        ("system", machine.get("system", "unknown")),
        *description.get("versions", {}).items(),
    ]
    return (
        f"<p>{html.escape(algorithm(run.config.algorithm).summary)} (Arjovsky, Chintala and "
        f"Bottou, <i>Wasserstein GAN</i>, 2017). {_parameters(run)}</p>"
        f"{table(('option', 'value'), options)}{table(('environment', ''), facts)}"
    )


def _parameters(run: Run) -> str:
    counts = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in (("generator", run.generator), ("critic", run.critic))
    }
    return f"The generator has {counts['generator']:,} parameters, the critic {counts['critic']:,}."


def command(config: TrainingConfig) -> str:
    """The command line of a run, with the options that are not the defaults."""
    words = ["python", "-m", "wgan", "train", "--data", config.data]
    words += ["--out", f"runs/{config.out.name}"]
    if config.algorithm != "wgan":
        words += ["--algorithm", config.algorithm]
    default = TrainingConfig(out=config.out, algorithm=config.algorithm).to_json()
    for name, value in config.to_json().items():
        if isinstance(value, bool):
            if value != default[name]:
                words.append(("--" if value else "--no-") + name.replace("_", "-"))
        elif name in ("steps", "seed") or (value != default[name] and name != "data"):
            entries = value if isinstance(value, tuple) else (value,)
            words += ["--" + name.replace("_", "-"), *map(str, entries)]
    return shlex.join(words)


def _repeat(run: Run) -> str:
    config = dataclasses.replace(run.config, steps=run.step)
    return (
        f"<pre>{html.escape(command(config))}</pre>"
        "<p>On a CPU, with the same versions and number of threads, every number but the times "
        "comes out the same.</p>"
    )


def spread(items: Sequence[Any], count: int) -> Sequence[Any]:
    """At most ``count`` of the items, evenly spaced, the first and the last among them."""
    if len(items) <= count:
        return items
    return [items[round(k * (len(items) - 1) / (count - 1))] for k in range(count)]
