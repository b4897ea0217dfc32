"""How long a computation may take, and what it says while it runs."""

import math
import sys
import time


class Clock:
    """Seconds since it was made, against a limit; announces phases on standard error if asked."""

    def __init__(self, limit: float | None = None, *, progress: bool = False) -> None:
        self.start = time.monotonic()
        self.limit = math.inf if limit is None else limit
        self.progress = progress

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self.limit < math.inf

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.start

    def allows(self, seconds: float) -> bool:
        """Whether something that takes ``seconds`` would end within the limit."""
        return self.elapsed() + seconds <= self.limit

    def announce(self, phase: str) -> None:
        """Say what begins now."""
        if self.progress:
            print(f"optimal_transport: {self.elapsed():8.2f} s  {phase}", file=sys.stderr)
