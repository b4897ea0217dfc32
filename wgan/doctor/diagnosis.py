"""A run in its folder, diagnosed after the fact."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..folder import RunFolder
from .finding import Finding
from .history import History
from .rules import announced, findings


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a run, and what was."""

    step: int
    """Generator steps done at the last line of the log."""
    findings: tuple[Finding, ...]
    """What the rules find at the end of the log, errors first."""
    passed: tuple[Finding, ...]
    """What was announced during training and is no longer found."""

    @property
    def ok(self) -> bool:
        """Whether nothing of severity ``error`` is found."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as JSON values."""
        return {
            "step": self.step,
            "ok": self.ok,
            "findings": [finding.to_json() for finding in self.findings],
            "passed": [finding.to_json() for finding in self.passed],
        }


def diagnose(run: str | os.PathLike[str]) -> Diagnosis:
    """Apply all rules to what a run recorded, finished or not.

    Parameters
    ----------
    run : path
        The folder that ``train`` wrote.

    Returns
    -------
    Diagnosis

    Raises
    ------
    RunError
        For a folder without a run, with a damaged log, or without an evaluation yet.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    records = tuple(folder.read_metrics())
    history = History(config, records)
    if not history.evaluations:
        message = f"{folder.path}: this run has not been evaluated yet"
        raise RunError(message)
    found = findings(history)
    lasting = {finding.rule for finding in found}
    passed = [finding for finding in announced(records) if finding.rule not in lasting]
    return Diagnosis(records[-1]["step"], found, tuple(passed))
