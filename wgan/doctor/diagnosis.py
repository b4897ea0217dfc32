"""A run in its folder, diagnosed after the fact."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoint import checkpoint_steps
from ..errors import RunError
from ..folder import RunFolder, holder
from .files import file_findings
from .finding import Finding, errors_first
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
    process: str | None = None
    """The process that trains the run now: then its files were not checked."""

    @property
    def ok(self) -> bool:
        """Whether nothing of severity ``error`` is found."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The diagnosis as JSON values."""
        return {
            "step": self.step,
            "ok": self.ok,
            "process": self.process,
            "findings": [finding.to_json() for finding in self.findings],
            "passed": [finding.to_json() for finding in self.passed],
        }


def diagnose(run: str | os.PathLike[str]) -> Diagnosis:
    """Apply all rules to what a run recorded, finished or not, and read its files back.

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
        For a folder without a run, with a damaged log or one of another version, or without an
        evaluation yet and nothing wrong with its files.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    process = holder(folder)
    of_files = file_findings(folder) if process is None else ()
    records = tuple(folder.read_metrics())
    history = History(config, records)
    if not history.evaluations and not of_files:
        message = f"{folder.path}: this run has not been evaluated yet"
        raise RunError(message)
    try:
        of_numbers = findings(history) if history.evaluations else ()
    except KeyError as absent:
        message = f"{folder.metrics}: no {absent} in a line: another version wrote this run"
        raise RunError(message) from None
    found = errors_first((*of_files, *of_numbers))
    lasting = {finding.rule for finding in found}
    passed = [finding for finding in announced(records) if finding.rule not in lasting]
    step = records[-1]["step"] if records else max(checkpoint_steps(folder.checkpoints), default=0)
    return Diagnosis(step, found, tuple(passed), process)
