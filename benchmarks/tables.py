"""Tables for the documentation from ``results/``: no figure in them is typed by hand.

``python -m benchmarks.tables`` rewrites the one in README.md, between its two comments.
"""

import json
from pathlib import Path
from typing import Any

from .record import RESULTS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- benchmarks.tables: wasserstein1 -->\n", "<!-- end -->"
SHORT = (1000, 5000, 10_000)


def results(name: str) -> dict[str, Any]:
    """What a benchmark recorded last."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return content


def origin(content: dict[str, Any]) -> str:
    """Where and when the figures were measured."""
    machine = content["machine"]
    return (
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}, numpy "
        f"{machine['numpy']}, POT {machine['pot']}, SciPy {machine['scipy']}; {content['date']}"
    )


def _machine(content: dict[str, Any]) -> str:
    machine = content["machine"]
    return (
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}, torch "
        f"{machine['torch']}; {content['date']}"
    )


def wasserstein1() -> str:
    """All sizes and kinds: seconds and memory of ours and of the best peer, and their ratio."""
    content = results("wasserstein1")
    lines = [
        "| problem | n | ours | memory | best peer | its memory | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in content["figures"]:
        ours = line["ours"]
        start = f"| {line['problem']} | {line['n']:,} | {_seconds(ours)} | {ours['MiB']:.0f} MiB |"
        if "peers" not in line:
            lines.append(f"{start} none takes it | | |")
            continue
        name, peer = min(line["peers"].items(), key=lambda item: item[1]["wall seconds"])
        ratio = line["best peer / ours, wall"]
        lines.append(f"{start} {_seconds(peer)} ({name}) | {peer['MiB']:.0f} MiB | {ratio:.1f} |")
    return "\n".join([*lines, "", f"Wall time, {origin(content)}.", ""])


def short_wasserstein1() -> str:
    """The ratios alone."""
    content = results("wasserstein1")
    kinds = list(dict.fromkeys(line["problem"] for line in content["figures"]))
    lines = ["| best exact peer's time / ours | " + " | ".join(f"n = {n:,}" for n in SHORT) + " |"]
    lines.append("|---|" + "---|" * len(SHORT))
    for kind in kinds:
        ratios = [_ratio(content["figures"], kind, n) for n in SHORT]
        lines.append(f"| {kind} | " + " | ".join(ratios) + " |")
    return "\n".join([*lines, "", f"Wall time, {origin(content)}.", ""])


WGAN_CASES = {
    ("plane 3x512", "early"): "3x512 in the plane, at the beginning of a run",
    ("plane 3x512", "late"): "the same, late in a run",
    ("mlp 4x512, 64x64x3", "early"): "perceptron of 4x512, 64 by 64 pixels",
    ("dcgan 64x64x3", "early"): "DCGAN, 64 by 64 pixels",
}
"""What the benchmark of training calls its cases, in words."""


def training_speed() -> str:
    """Generator steps of ``wgan`` as a multiple of a plain loop's, and the ceiling of products."""
    content = results("wgan")
    lines = ["| networks | steps, times the plain loop's | ceiling |", "|---|---|---|"]
    for (case, stage), words in WGAN_CASES.items():
        line = content["figures"][case][stage]
        bound = f"{line['bound']:.2f}" if "bound" in line else "not measured"
        lines.append(f"| {words} | {line['ratio']:.2f} | {bound} |")
    return "\n".join([*lines, "", f"{_machine(content)}.", ""])


def mutation() -> str:
    """Mutants killed in each file, of those that alter an answer."""
    lines = ["| file | killed | equivalent | tried |", "|---|---|---|---|"]
    for file, line in results("mutation")["figures"].items():
        altering = line["total"] - line["equivalent"]
        every = line.get("one mutant in", 1)
        share = "all" if every == 1 else f"1 in {every}"
        killed = f"{line['killed']}/{altering}"
        lines.append(f"| `{file}` | {killed} | {line['equivalent']} | {share} |")
    return "\n".join([*lines, ""])


def experiments() -> dict[str, str]:
    """What ``wgan reproduce`` concluded, by the name of its file: command, origin, sentences."""
    return {path.stem: _experiment(results(path.stem)) for path in RESULTS.glob("reproduce-*.json")}


def _experiment(content: dict[str, Any]) -> str:
    lines = ["```console", f"$ {content['command']}", "```", ""]
    if "data" in content:
        lines.append(
            f"Data `{content['data']}` (SHA-256 {content['data_sha256'][:12]}...), seed "
            f"{content['seed']}, {content['steps']:,} generator steps a run, on "
            f"{content['device']}, torch {content['versions']['torch']}, {content['date'][:10]}.\n"
        )
    return "\n".join([*lines, *(f"- {sentence}" for sentence in content["conclusions"]), ""])


def _ratio(figures: list[dict[str, Any]], kind: str, n: int) -> str:
    """Of the problem of this kind whose size is nearest to n: lattices have squares of points."""
    same = [line for line in figures if line["problem"] == kind and "peers" in line]
    nearest = min(same, key=lambda line: abs(line["n"] - n))
    if abs(nearest["n"] - n) > n / 10:
        return "not run"
    return f"{nearest['best peer / ours, wall']:.1f}"


def _seconds(run: dict[str, float]) -> str:
    wall = run["wall seconds"]
    return f"{1000 * wall:.3g} ms" if wall < 1 else f"{wall:.3g} s"


def in_readme(text: str) -> str:
    """The README with today's table between its comments."""
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    return before + BEGIN + short_wasserstein1() + END + after


if __name__ == "__main__":
    README.write_text(in_readme(README.read_text()))
