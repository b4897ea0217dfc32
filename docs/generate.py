"""A Sphinx extension that writes the page of theorems from the registry, before the build."""

from pathlib import Path
from typing import Any

from divergences.theorems import ALL

TARGET = Path(__file__).parent / "_generated" / "theorems.md"


def _entry(claim: Any) -> str:
    lines = [
        f"### `{claim.id}`: {claim.title}",
        "",
        "$$",
        claim.statement,
        "$$",
        "",
        claim.summary,
        "",
        f"*Source:* {claim.source}. *Hypotheses:* {claim.hypotheses}. "
        f"*Checked:* {claim.inequality}, on {claim.cases} cases by default.",
        "",
    ]
    return "\n".join(lines)


def write(_app: Any) -> None:
    """Write ``_generated/theorems.md``, which ``theorems.md`` includes."""
    TARGET.parent.mkdir(exist_ok=True)
    text = "\n".join(_entry(claim) for claim in ALL)
    if not TARGET.exists() or TARGET.read_text() != text:
        TARGET.write_text(text)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
