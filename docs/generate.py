"""A Sphinx extension: before a build, theorems, scoreboard and figures are made anew."""

import sys
from pathlib import Path
from typing import Any

import dual_figures
import transport_pictures

from divergences import plots
from divergences._theorem_figures import clipping, counterexamples, joint_range, noise, pinsker
from divergences.testing import scoreboard
from divergences.theorems import ALL, Claim

ROOT = Path(__file__).parents[1]
TARGET = Path(__file__).parent / "_generated"


GROUPS = {"Claims": "", "Errata": "erratum_", "Counterexamples": "counterexample_"}
"""Headings and the prefixes of the ids below them."""


def _group(claim: Claim) -> str:
    return next((p for p in ("erratum_", "counterexample_") if claim.id.startswith(p)), "")


def _entry(claim: Claim) -> str:
    missing = f" Skipped without {', '.join(claim.requires)}." if claim.requires else ""
    false = "\n".join(f"- {variant.statement}" for variant in claim.false_variants)
    supposed = _plain("; ".join(claim.hypotheses)) or "none"
    lines = [
        f"({claim.id})=",
        f"### `{claim.id}`: {claim.title}",
        claim.explanation,
        f"$$\n{claim.statement}\n$$",
        f"In one line: `{claim.summary}`.",
        f"*Source:* {_plain(claim.source)}. *Hypotheses:* {supposed}.",
        f"*Checked* on {claim.cases:,} cases by default: {_plain(claim.domain)}.{missing}",
        f"$$\n{claim.inequality}\n$$",
        f"*False variants*, refuted by the same check:\n\n{_plain(false)}",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _plain(text: str) -> str:
    """``text`` with what Markdown would take for markup escaped."""
    for sign in ("_", "*", "|", "<", ">", "$"):
        text = text.replace(sign, "\\" + sign)
    return text


def _claims() -> str:
    parts = []
    for heading, prefix in GROUPS.items():
        parts.append(f"## {heading}\n")
        parts += [_entry(claim) for claim in ALL if _group(claim) == prefix]
    return "\n".join(parts)


def write(_app: Any) -> None:
    """Write what pages include (theorems, scoreboard, critics), and the figures."""
    TARGET.mkdir(exist_ok=True)
    (TARGET / "theorems.md").write_text(_claims())
    (TARGET / "scoreboard.md").write_text(scoreboard.markdown(scoreboard.run(max_examples=100)))
    for name, text in dual_figures.tables().items():
        (TARGET / name).write_text(text)
    dual_figures.cosines().savefig(TARGET / "dual_cosines.svg")
    plots.figure_1().savefig(TARGET / "figure_1.svg")
    plots.figure_2().savefig(TARGET / "figure_2.svg")
    sys.path.insert(0, str(ROOT))
    from benchmarks import ring, tables

    for table in (tables.wasserstein1, tables.dense, tables.mutation, tables.training_speed):
        (TARGET / f"{table.__name__}.md").write_text(table())
    (TARGET / "ring.md").write_text(ring.table())
    (TARGET / "ring_losses.md").write_text(ring.losses_table())
    for name, text in tables.experiments().items():
        (TARGET / f"{name}.md").write_text(text)
    for draw in (transport_pictures.plan_and_critic, transport_pictures.levels,
                 transport_pictures.line):  # fmt: skip
        draw().savefig(TARGET / f"{draw.__name__}.svg")
    for draw in (joint_range, pinsker, counterexamples, clipping, noise):
        draw().savefig(TARGET / f"{draw.__name__}.svg")


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
