"""How long a computation may take, and what it says while it runs."""

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from ._result import Bracket

_BETWEEN_DRAWINGS = 0.1  # seconds


class Clock:
    """Seconds since it was made, against a limit; shows phases on a bar of tqdm's if asked.

    ``stop`` ends the time at once, from any thread: the computation notices where it would notice
    the limit. A ``listener`` is told bounds of the value while they are found, where a solver has
    some on its way. ``reserve`` is what the answer takes once the time is over: some seconds that
    are kept for it.
    """

    def __init__(
        self,
        limit: float | None = None,
        *,
        progress: bool = False,
        listener: Callable[[Bracket], None] | None = None,
    ) -> None:
        self.start = time.monotonic()
        self.limit = math.inf if limit is None else limit
        self.reserve = 0.0
        self.listener = listener
        self._bar = _bar() if progress else None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self.limit < math.inf

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start

    def allows(self, seconds: float) -> bool:
        """Whether something that takes ``seconds`` would end within the limit, and the answer."""
        self.glance()
        return self.elapsed() + seconds + self.reserve <= self.limit

    def tell(self, bracket: Bracket) -> None:
        """Let the listener hear bounds, if there is one."""
        if self.listener is not None:
            self.listener(bracket)

    def stop(self) -> None:
        """Allow no more."""
        self.limit = -math.inf

    def announce(self, phase: str) -> None:
        """Say what begins now."""
        if self._bar is not None:
            self._bar.update()
            self._bar.set_description_str(f"optimal_transport: {phase}")

    def glance(self) -> None:
        """Let the bar show the time, ten times a second at most."""
        if self._bar is not None and self.elapsed() >= self._drawn + _BETWEEN_DRAWINGS:
            self._drawn = self.elapsed()
            self._bar.refresh()


def _bar() -> Any:
    from tqdm import tqdm

    return tqdm(bar_format="{desc} [{elapsed}, phase {n_fmt}]")
