"""The doctor beside a run: speaks once about each thing that it finds."""

from collections.abc import Iterable

from ..config import TrainingConfig
from .finding import Finding
from .history import History, Record
from .rules import announced, findings

LINES = 400
"""Lines with estimates that are kept; older evaluations but the first are forgotten likewise."""


class Doctor:
    """Reads a run's lines as they are written.

    Parameters
    ----------
    config : TrainingConfig
    records : iterable
        Lines that the run has already, where it is continued.
    """

    def __init__(self, config: TrainingConfig, records: Iterable[Record] = ()) -> None:
        self.config = config
        self.first: Record | None = None
        self.evaluations: list[Record] = []
        self.others: list[Record] = []
        self.said: set[str] = set()
        for record in records:
            self.keep(record)
            self.said |= {finding.rule for finding in announced([record])}

    def keep(self, record: Record) -> None:
        """Remember a line."""
        if "floor" not in record:
            self.others = [*self.others[1 - LINES :], record]
            return
        if self.first is None:
            self.first = record
        else:
            self.evaluations = [*self.evaluations[1 - LINES :], record]

    def see(self, record: Record) -> tuple[Finding, ...]:
        """What is found for the first time with this line; at evaluations only."""
        self.keep(record)
        if "floor" not in record:
            return ()
        kept = [*([] if self.first is None else [self.first]), *self.evaluations, *self.others]
        history = History(self.config, tuple(sorted(kept, key=lambda line: int(line["step"]))))
        new = tuple(found for found in findings(history) if found.rule not in self.said)
        self.said |= {found.rule for found in new}
        return new
