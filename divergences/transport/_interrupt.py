"""Compiled code that never looks up, and a caller who may press Ctrl-C meanwhile.

Python delivers a signal to the main thread between two of its instructions; compiled code of
another library has none. So it runs in another thread, and the main thread waits: an interruption
is raised at once, and the work, if it cannot be stopped, ends unheard.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_GLANCE = 0.1  # seconds between two looks of the main thread at its surroundings


def within(seconds: float, work: Callable[[], _Result]) -> _Result | None:
    """What ``work`` returns or raises if it ends in time; None if not, and it ends unheard."""
    results: list[_Result] = []
    errors: list[BaseException] = []
    thread = _begin(work, results, errors)
    thread.join(min(max(0.0, seconds), threading.TIMEOUT_MAX))
    if errors:
        raise errors[0]
    return results[0] if results else None


def interruptible(work: Callable[[], _Result], meanwhile: Callable[[], Any]) -> _Result:
    """What ``work`` returns or raises; the main thread calls ``meanwhile`` while it waits."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[_Result] = []
    errors: list[BaseException] = []
    thread = _begin(work, results, errors)
    while thread.is_alive():
        thread.join(_GLANCE)
        meanwhile()
    if errors:
        raise errors[0]
    return results[0]


def _begin(
    work: Callable[[], _Result], results: list[_Result], errors: list[BaseException]
) -> threading.Thread:
    """Run ``work`` in a new thread, which never keeps the process from ending."""

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="divergences", daemon=True)
    thread.start()
    return thread
