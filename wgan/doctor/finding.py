"""What a rule found: its numbers, what they mean, what is usually done about it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["warning", "error"]
"""``error``: the run does not do what it was made for; ``warning``: its curves mislead."""


@dataclass(frozen=True)
class Evidence:
    """One number behind a finding."""

    quantity: str
    """What was measured."""
    value: float | None
    """The number; None where it left the finite numbers."""
    unit: str
    """Its unit, in words."""
    step: int
    """Generator steps done when it was measured."""

    def sentence(self) -> str:
        """The number as a phrase for people."""
        value = "not finite" if self.value is None else f"{self.value:.4g}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.quantity} {value}{unit} at step {self.step}"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run."""

    rule: str
    """Name of the rule that found it."""
    severity: Severity
    """``error`` or ``warning``."""
    evidence: tuple[Evidence, ...]
    """The numbers, each with its unit and its step."""
    meaning: str
    """What follows from them, in a sentence."""
    remedy: str
    """What usually helps."""

    @property
    def step(self) -> int:
        """The step of the newest number."""
        return max(entry.step for entry in self.evidence)

    def sentence(self) -> str:
        """The finding in a line, as it is announced while a run trains."""
        numbers = "; ".join(entry.sentence() for entry in self.evidence)
        return f"{self.severity}: {self.rule}: {numbers}. {self.meaning}"

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values, as it stands in metrics.jsonl."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Finding":
        """The finding that :meth:`to_json` wrote."""
        evidence = tuple(Evidence(**entry) for entry in values["evidence"])
        return cls(**{**values, "evidence": evidence})


def errors_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, those that are errors before the warnings."""
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))
