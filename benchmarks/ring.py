"""Do the ring and grid presets resolve their modes? ``python -m benchmarks.ring``.

Each run is one of ``wgan train --preset NAME --seed S``, nothing else, on one thread. Figures are
of the last generator and of the averaged one: modes and share of high quality in 2,500 samples
(published protocol), and the exact W1 of 2,500 samples to as many fresh ones of the law, beside the
mean of the same distance between two samples of the law. A seed that is recorded is not run again,
unless its preset has changed since; a run that was stopped continues where it was.
"""

import argparse
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from wgan import TrainingConfig, load, train
from wgan.evaluate import MODE_SAMPLES, count_modes, exact_distance
from wgan.presets import PRESETS

from .record import RESULTS, record

NAME = "wgan_ring"
PAIRS = 8
"""Pairs of real samples whose mean distance is the floor."""


def floor(data: Any) -> dict[str, float]:
    """Mean and deviation of the exact W1 of two samples of the law."""
    random = torch.Generator().manual_seed(1)
    values = [
        exact_distance(data.batch(MODE_SAMPLES, random), data.batch(MODE_SAMPLES, random))
        for _ in range(PAIRS)
    ]
    return {"mean": statistics.mean(values), "deviation": statistics.stdev(values)}


def figures_of(out: Path) -> dict[str, Any]:
    """What the benchmark asks of a finished run, of its last and of its averaged generator."""
    run = load(out)
    truth = run.data.batch(MODE_SAMPLES, torch.Generator().manual_seed(2))
    figures: dict[str, Any] = {"steps": run.step}
    for which, averaged in (("last", False), ("averaged", True)):
        samples = torch.from_numpy(run.sample(MODE_SAMPLES, seed=1, averaged=averaged))
        modes, quality = count_modes(samples, run.data.modes, run.data.deviation)  # type: ignore
        figures[which] = {
            "modes": modes,
            "high quality": round(quality, 4),
            "exact W1": round(exact_distance(truth, samples), 4),
        }
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


def measure(preset: str, seeds: range, folder: Path) -> None:
    """Run what is not recorded yet, and record each run when it is done."""
    for seed in seeds:
        if str(seed) in recorded().get(preset, {"seeds": {}})["seeds"]:
            continue
        out = folder / f"{preset}-{seed}"
        seconds = finish(preset, seed, out)
        figures = {**figures_of(out), "processor seconds": seconds}
        found = recorded()  # again: another preset may have been recorded by another process
        entry = found.setdefault(preset, {"options": PRESETS[preset], "seeds": {}})
        if "floor" not in entry:
            entry["floor"] = {name: round(v, 4) for name, v in floor(load(out).data).items()}
        entry["seeds"][str(seed)] = figures
        record(NAME, found)
        print(preset, seed, figures, "floor", entry["floor"], flush=True)


def table(names: tuple[str, ...] | None = None) -> str:
    """The recorded runs as a table, two lines a preset."""
    lines = [
        "| preset | generator | seeds | all modes | high quality: least, median | W1 | floor | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, entry in recorded().items():
        if names is None or name in names:
            lines += [_line(name, which, entry) for which in ("last", "averaged")]
    return "\n".join(lines) + "\n"


def _line(name: str, which: str, entry: dict[str, Any]) -> str:
    runs = list(entry["seeds"].values())
    count = {"ring": 8, "grid": 25}[name.partition("-")[0]]
    whole = sum(run[which]["modes"] == count for run in runs)
    quality = [run[which]["high quality"] for run in runs]
    distance = max(run[which]["exact W1"] for run in runs)
    times = [run["processor seconds"] for run in runs if run["processor seconds"]] or [math.nan]
    return (
        f"| `{name}` | {which} | {len(runs)} | {whole} of {len(runs)} | {min(quality):.1%}, "
        f"{statistics.median(quality):.1%} | at most {distance:.3f} | "
        f"{entry['floor']['mean']:.3f} | {statistics.median(times):.0f} |"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [name for name in PRESETS if name.startswith(("ring", "grid"))]
    parser.add_argument("--presets", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 10), metavar=("FIRST", "END"))
    parser.add_argument("--runs", type=Path, default=Path("runs/ring-benchmark"))
    given = parser.parse_args()
    for preset in given.presets:
        measure(preset, range(*given.seeds), given.runs)
    print(table())


if __name__ == "__main__":
    main()
