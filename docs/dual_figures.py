"""Tables and figure of ``dual.md``, from the results that ``benchmarks/test_dual.py`` left."""

import json
from pathlib import Path
from typing import Any

from divergences.plots import BLUE, GREEN, GREY, ORANGE, VERMILION, new_figure

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
COLOURS = {"default": BLUE, "orthogonal, sorting": GREEN, "one-sided penalty": VERMILION,
           "maxout, one-sided penalty": ORANGE}  # fmt: skip
PUBLISHED = "best published"


def table(name: str, columns: dict[str, str]) -> str:
    """A Markdown table of one file of results; ``columns`` maps headings to keys."""
    content = _read(name)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(_cell(row.get(key)) for key in columns.values()) + " |"
        for row in sorted(content["figures"], key=lambda row: (row.get("D", 0), row.get("N", 0)))
    ]
    machine = content["machine"]
    source = (
        f"Measured up to {content['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"torch {machine['torch']}."
    )
    return "\n".join(lines) + f"\n\n{source}\n"


def tables() -> dict[str, str]:
    """Names of the files that ``dual.md`` includes, and their text."""
    return {
        "dual_pairs.md": table("dual-pairs", {
            "D": "D", "N": "N", "critic": "critic", "cosine": "cosine",
            "best published": "its cosine", "by": PUBLISHED, "W1 / truth": "W1 / truth",
            "bound / truth": "certified bound / truth", "seconds": "seconds", "steps": "steps",
        }),
        "dual_fresh_pairs.md": table("dual-fresh-pairs", {
            "D": "D", "N": "N", "seed": "seed", "critic": "critic", "cosine": "cosine",
            "W1 / truth": "W1 / truth", "bound / truth": "certified bound / truth",
            "seconds": "seconds", "steps": "steps",
        }),
        "dual_laws.md": table("dual-laws", {
            "laws": "laws", "d": "d", "critic kept": "critic", "held out / truth":
            "held-out / truth", "confidence bound / truth": "confidence / truth",
            "seconds": "seconds",
        }),
        "critic_step.md": table("critic-step", {
            "critic (hidden layers)": "critic", "batch": "batch", "d": "d", "after steps": "after",
            "plain loop (ms)": "plain (ms)",
            "`ascent_step` (ms)": "ours (ms)", "both passes (ms)": "passes (ms)",
            "products (ms)": "products (ms)", "Gflop": "Gflop",
            "Gflop/s": "Gflop/s of the products", "torch's RMSprop (ms)": "optimiser (ms)",
            "our RMSprop (ms)": "our optimiser (ms)", "clipping (ms)": "projection (ms)",
            "plain / ours": "plain / ours", "ceiling": "ceiling",
        }),
        "constraint_step.md": table("constraint-step", {
            "constraint": "constraint", "plain loop (ms)": "plain (ms)",
            "`ascent_step` (ms)": "ours (ms)", "plain / ours": "plain / ours",
        }),
        "orthogonality.md": table("orthogonality", {
            "method": "method", "numbers": "dtype", "steps": "steps", "defect": "defect",
            "worst seen": "worst of every hundredth step", "wanted": "limit",
            "certified norm - 1": "certified norm - 1", "ms per step": "ms per step",
        }),
        "dual_digits.md": table("dual-digits", {
            "classes": "classes", "points": "points", "exact": "exact",
            "value / exact": "value / exact", "held out / exact": "held-out / exact",
            "critic kept": "critic", "seconds": "seconds",
        }),
    }  # fmt: skip


def cosines() -> Any:
    """Cosine with the true gradient against the dimension, a panel for each number of funnels."""
    rows = _read("dual-pairs")["figures"]
    counts = sorted({row["N"] for row in rows})
    figure = new_figure(3.4 * len(counts), 3.4)
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, count in zip(panels, counts, strict=True):
        chosen = sorted((row for row in rows if row["N"] == count), key=lambda row: row["D"])
        published = {row["D"]: row["published"] for row in chosen if "published" in row}
        for solver in sorted({name for solvers in published.values() for name in solvers}):
            at = [(d, solvers[solver]) for d, solvers in published.items() if solver in solvers]
            axes.plot(*zip(*at, strict=True), color=GREY, lw=0.8, marker=".", ms=3,
                      label="published solvers")  # fmt: skip
        for name in dict.fromkeys(row["critic"] for row in chosen):
            at = [(row["D"], row["cosine"]) for row in chosen if row["critic"] == name]
            axes.plot(*zip(*at, strict=True), "o-", color=COLOURS[name], label=name)
        axes.set(title=f"N = {count} cones", xlabel="coordinates D", xscale="log", ylim=(-1, 1.05))
        ticks = sorted({row["D"] for row in chosen})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    panels[0].set_ylabel("cosine with the true gradient")
    handles = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
    panels[-1].legend(handles.values(), handles.keys(), fontsize=8, loc="lower left")
    return figure


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(f"{number:,}" for number in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value if value is not None else "")


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return content
