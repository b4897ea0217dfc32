"""A Sphinx extension: before a build, theorems, scoreboard and figures are made anew."""

from pathlib import Path
from typing import Any

from divergences import plots
from divergences.testing import scoreboard
from divergences.theorems import ALL

TARGET = Path(__file__).parent / "_generated"


def _entry(claim: Any) -> str:
    lines = [
        f"## `{claim.id}`: {claim.title}",
        "",
        "$$",
        claim.statement,
        "$$",
        "",
        f"In one line: `{claim.summary}`.",
        "",
        f"*Source:* {claim.source}. *Hypotheses:* {'; '.join(claim.hypotheses) or 'none'}.",
        "",
        f"*Checked*, on {claim.cases} cases by default:",
        "",
        "$$",
        claim.inequality,
        "$$",
        "",
    ]
    return "\n".join(lines)


def write(_app: Any) -> None:
    """Write what ``theorems.md`` and ``scoreboard.md`` include, and the figures."""
    TARGET.mkdir(exist_ok=True)
    (TARGET / "theorems.md").write_text("\n".join(_entry(claim) for claim in ALL))
    (TARGET / "scoreboard.md").write_text(scoreboard.markdown(scoreboard.run(max_examples=100)))
    plots.figure_1().savefig(TARGET / "figure_1.svg")
    plots.figure_2().savefig(TARGET / "figure_2.svg")


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
