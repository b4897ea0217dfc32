"""The command ``wgan doctor``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

if TYPE_CHECKING:
    from .doctor import Finding


@dataclass(frozen=True)
class Doctor:
    """Say what is wrong with a run and its files: evidence, meaning, usual remedy.

    Exit status 0 where nothing is, or warnings alone; 1 where a finding is an error; 2 where
    there is no run to be read.
    """

    run: tyro.conf.Positional[Path]
    """Run folder, of a run that is finished, stopped or still training."""
    json: bool = False
    """Print JSON: step, ok, process (that trains now), findings, and passed, those that no longer
    hold."""

    def __call__(self) -> int:
        """Print the findings; returns the exit status."""
        from .doctor import diagnose

        diagnosis = diagnose(self.run)
        if self.json:
            print(json.dumps(diagnosis.to_json(), indent=2))
        else:
            print(f"step {diagnosis.step}: {_count(len(diagnosis.findings))}")
            if diagnosis.process is not None:
                print(f"process {diagnosis.process} is training here: files are not checked")
            for finding in diagnosis.findings:
                print(_paragraph(finding))
            if diagnosis.passed:
                print("\nannounced during training, and no longer so:")
            for finding in diagnosis.passed:
                print(f"  {finding.rule}, at step {finding.step}")
        return 0 if diagnosis.ok else 1


def _count(number: int) -> str:
    return "nothing found" if number == 0 else f"{number} finding{'s' if number > 1 else ''}"


def _paragraph(finding: "Finding") -> str:
    lines = [f"\n{finding.severity}: {finding.rule}"]
    lines += [f"  {entry.sentence()}" for entry in finding.evidence]
    return "\n".join([*lines, f"  meaning: {finding.meaning}", f"  remedy: {finding.remedy}"])
