"""Do the ring and grid presets resolve their modes? ``python -m benchmarks.ring``.

Each run is one of ``wgan train --preset NAME --seed S``, nothing else, on one thread. Figures are
of the last generator and of the averaged one: modes and share of high quality in 2,500 samples
(published protocol), and the exact W1 of 2,500 samples to as many fresh ones of the law, beside the
mean of the same distance between two samples of the law; and of 50,000 samples, what those that are
not of high quality are. A seed that is recorded is not run again, unless its preset has changed
since; a run that was stopped continues where it was. ``--again`` takes the figures of recorded runs
anew from their folders.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from divergences.dual import ConeCritic
from wgan import TrainingConfig, load, train
from wgan.evaluate import MODE_SAMPLES, count_modes, exact_distance
from wgan.presets import PRESETS

from .record import RESULTS, alone, record

NAME = "wgan_ring"
PAIRS = 8
"""Pairs of real samples whose mean distance is the floor."""
MANY = 50_000
"""Samples that are asked where they lie."""
HALO, OWN = 5, 12
"""Deviations from a mode: up to the first a sample is in its halo, up to the second it counts for
the mode's place."""


def floor(data: Any) -> dict[str, float]:
    """Mean and deviation of the exact W1 of two samples of the law."""
    random = torch.Generator().manual_seed(1)
    values = [
        exact_distance(data.batch(MODE_SAMPLES, random), data.batch(MODE_SAMPLES, random))
        for _ in range(PAIRS)
    ]
    return {"mean": statistics.mean(values), "deviation": statistics.stdev(values)}


def losses(samples: torch.Tensor, modes: torch.Tensor, deviation: float) -> dict[str, float]:
    """Where samples are lost, and how far modes are off their places, in deviations.

    ``halo`` is the share between 3 and 5 deviations from the nearest mode, ``bridges`` that beyond;
    a mode's place is the median of the samples within 12 deviations, in each coordinate.
    """
    distance, nearest = torch.cdist(samples, modes).min(dim=1)
    distance = distance / deviation
    off = [
        torch.linalg.vector_norm(own.median(dim=0).values - mode).item() / deviation
        for index, mode in enumerate(modes)
        if len(own := samples[(nearest == index) & (distance <= OWN)])
    ]
    shares = {
        "halo": ((distance > 3) & (distance <= HALO)).float().mean().item(),
        "bridges": (distance > HALO).float().mean().item(),
    }
    places = (
        {"off place, median": statistics.median(off), "off place, most": max(off)} if off else {}
    )
    return shares | places


def nearest_cone(critic: torch.nn.Module, modes: torch.Tensor, deviation: float) -> float | None:
    """Median over the modes of the distance to the nearest cone, in deviations.

    Both are taken where the cones live: in the critic's last hidden units. None without cones.
    """
    *hidden, last = critic.eval().children()
    if not isinstance(last, ConeCritic):
        return None
    with torch.no_grad():
        apart = torch.cdist(torch.nn.Sequential(*hidden)(modes), last.anchors)
    return apart.min(dim=1).values.median().item() / deviation


def figures_of(out: Path) -> dict[str, Any]:
    """What the benchmark asks of a finished run, of its last and of its averaged generator."""
    run = load(out)
    truth = run.data.batch(MODE_SAMPLES, torch.Generator().manual_seed(2))
    figures: dict[str, Any] = {"steps": run.step}
    for which, averaged in (("last", False), ("averaged", True)):
        samples = torch.from_numpy(run.sample(MODE_SAMPLES, seed=1, averaged=averaged))
        modes, quality = count_modes(samples, run.data.modes, run.data.deviation)  # type: ignore
        many = torch.from_numpy(run.sample(MANY, seed=1, averaged=averaged))
        lost = losses(many, run.data.modes, run.data.deviation)  # type: ignore[arg-type]
        figures[which] = {
            "modes": modes,
            "high quality": round(quality, 4),
            "exact W1": round(exact_distance(truth, samples), 4),
            **{name: round(value, 4) for name, value in lost.items()},
        }
    cone = nearest_cone(run.critic, run.data.modes, run.data.deviation)  # type: ignore[arg-type]
    if cone is not None:
        figures["nearest cone"] = round(cone, 2)
    return figures


def finish(preset: str, seed: int, out: Path) -> int | None:
    """Train the preset to its end; processor seconds, or None where a run was continued."""
    config = TrainingConfig(out, **PRESETS[preset], seed=seed)
    begun = (out / "run.json").is_file()
    start = time.process_time()
    train(config, resume=begun, quiet=True)
    return None if begun else round(time.process_time() - start)


def recorded() -> dict[str, Any]:
    """What earlier calls measured, of presets that are still the same."""
    path = RESULTS / f"{NAME}.json"
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text())["figures"]
    return {
        name: entry
        for name, entry in found.items()
        if name in PRESETS and entry["options"] == json.loads(json.dumps(PRESETS[name]))
    }


def measure(preset: str, seeds: range, folder: Path, again: bool = False) -> None:
    """Run what is not recorded yet, and record each run when it is done."""
    for seed in seeds:
        before = recorded().get(preset, {"seeds": {}})["seeds"].get(str(seed))
        out = folder / f"{preset}-{seed}"
        if before is not None and not (again and out.is_dir()):
            continue
        seconds = before["processor seconds"] if before else finish(preset, seed, out)
        figures = {**figures_of(out), "processor seconds": seconds}
        lengths = {name: round(v, 4) for name, v in floor(load(out).data).items()}
        with alone():
            found = recorded()  # again: another process may have recorded something
            entry = found.setdefault(preset, {"options": PRESETS[preset], "seeds": {}})
            entry.setdefault("floor", lengths)
            entry["seeds"][str(seed)] = figures
            record(NAME, found)
        print(preset, seed, figures, "floor", lengths, flush=True)


def table(names: tuple[str, ...] | None = None) -> str:
    """The recorded runs as a table, two lines a preset; no seconds where all were continued."""
    lines = [
        "| preset | generator | seeds | all modes | high quality: least, median | W1 | floor | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    found = recorded()
    for name in PRESETS:
        if name in found and (names is None or name in names):
            entry = found[name]
            lines += [_line(name, which, entry) for which in ("last", "averaged")]
    return "\n".join(lines) + "\n"


def _line(name: str, which: str, entry: dict[str, Any]) -> str:
    runs = list(entry["seeds"].values())
    count = {"ring": 8, "grid": 25}[name.partition("-")[0]]
    whole = sum(run[which]["modes"] == count for run in runs)
    quality = [run[which]["high quality"] for run in runs]
    distance = max(run[which]["exact W1"] for run in runs)
    times = [run["processor seconds"] for run in runs if run["processor seconds"] is not None]
    return (
        f"| `{name}` | {which} | {len(runs)} | {whole} of {len(runs)} | {min(quality):.1%}, "
        f"{statistics.median(quality):.1%} | at most {distance:.3f} | "
        f"{entry['floor']['mean']:.3f} | {f'{statistics.median(times):.0f}' if times else '-'} |"
    )


def losses_table() -> str:
    """Where the samples of the averaged generators of the grid are lost, a line a preset."""
    lines = [
        "| preset | seeds | halo: 3 to 5 deviations | bridges: further | modes off their place |",
        "|---|---|---|---|---|",
    ]
    found = recorded()
    for name in PRESETS:
        if name in found and name.startswith("grid"):
            runs = [run["averaged"] for run in found[name]["seeds"].values()]
            halo, bridges, off = (
                statistics.median(run[key] for run in runs)
                for key in ("halo", "bridges", "off place, median")
            )
            most = max(run["off place, most"] for run in runs)
            lines.append(
                f"| `{name}` | {len(runs)} | {halo:.1%} | {bridges:.1%} | {off:.2f}, {most:.2f} |"
            )
    return "\n".join([*lines, "| the data | | 1.1% | 0.0% | 0.03, 0.10 |"]) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [name for name in PRESETS if name.startswith(("ring", "grid"))]
    parser.add_argument("--presets", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 10), metavar=("FIRST", "END"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ring-benchmark"))
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    for preset in given.presets:
        measure(preset, range(*given.seeds), given.runs, given.again)
    print(table())


if __name__ == "__main__":
    main()
