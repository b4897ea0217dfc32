"""Signals that ask a run to end: noted, so that the step in progress can be finished."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruptions:
    """Notes the first SIGINT (Ctrl-C) or SIGTERM; a second one acts at once, as usual.

    Only the main thread can receive signals: elsewhere nothing is noted.

    Parameters
    ----------
    patient : bool
        Note further ones too, and after an exception whatever still comes. A terminal sends Ctrl-C
        to every process and torchrun sends it to them again, as it sends SIGTERM to those that are
        left when one is lost; what ended the run is still to be said then. Those that take longer
        than half a minute it kills.
    launcher : int, optional
        The process that started this one and sends it SIGTERM when all is to end. If it is gone
        (it can't send anything when it is killed), SIGTERM counts as sent.
    """

    def __init__(self, patient: bool = False, launcher: int | None = None) -> None:
        self._patient = patient
        self._launcher = launcher
        self._noted: int | None = None
        self._former: dict[int, Any] = {}

    @property
    def signal(self) -> int | None:
        """The signal that arrived."""
        if self._noted is None and self._launcher not in (None, os.getppid()):
            self._noted = signal.SIGTERM
        return self._noted

    def __enter__(self) -> "Interruptions":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._former[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._noted = number
        if not self._patient:
            self._give_back()

    def _give_back(self) -> None:
        while self._former:
            number, handler = self._former.popitem()
            signal.signal(number, handler)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not (self._patient and kind is not None):
            self._give_back()
