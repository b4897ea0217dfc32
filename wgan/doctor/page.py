"""The findings as a part of a run's report."""

import html

from ..page import table
from .diagnosis import Diagnosis
from .finding import Finding


def findings_body(diagnosis: Diagnosis) -> str:
    """HTML: every finding with evidence, meaning and remedy; or that there is none."""
    parts = [_finding(finding) for finding in diagnosis.findings]
    if not parts:
        parts = ["<p>The doctor's rules find nothing wrong with this run.</p>"]
    if diagnosis.passed:
        listed = "; ".join(f"{found.rule} (step {found.step})" for found in diagnosis.passed)
        parts.append(f"<p>Announced during training, and no longer so: {html.escape(listed)}.</p>")
    return "\n".join(parts)


def _finding(finding: Finding) -> str:
    rows = [
        (entry.quantity, "not finite" if entry.value is None else f"{entry.value:.4g}", entry.unit,
         str(entry.step))
        for entry in finding.evidence
    ]  # fmt: skip
    return (
        f"<p><strong>{html.escape(finding.rule)}</strong> ({finding.severity}). "
        f"{html.escape(finding.meaning)}</p>"
        f"{table(('evidence', 'value', 'unit', 'step'), rows, ' r r')}"
        f"<p>What usually helps: {html.escape(finding.remedy)}</p>"
    )
