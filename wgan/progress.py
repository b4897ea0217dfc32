"""Clock, progress bar and threads of a run: what is around the steps and not in them."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.utils.deterministic

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
_memory: Any = torch.utils.deterministic  # its attribute is made when the module is loaded


class Clock:
    """Seconds since training began in this process, and steps a second without evaluations."""

    lapped = 0.0
    """Seconds of the last lap that were spent in steps."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._in_steps = 0.0

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._in_steps += time.perf_counter() - self._entered

    def lap(self, steps: int) -> dict[str, float]:
        """The time fields of a line of the log; a new lap begins."""
        self.lapped, self._in_steps = self._in_steps, 0.0
        spent = self.lapped
        return {
            "elapsed_s": round(time.perf_counter() - self._start, 3),
            "steps_per_s": round(steps / spent, 3) if spent > 0 else 0.0,
        }


class Voice:
    """The bar on standard error and the lines on standard output, unless a run is quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._quiet or sys.stdout is None:
            return
        from tqdm import tqdm

        try:
            tqdm.write(line, file=sys.stdout)
            sys.stdout.flush()
        except OSError:  # nobody listens any more: that is no reason to stop training
            self._quiet = True

    def bar(self, name: str, done: int, steps: int) -> Any:
        """A bar that counts generator steps."""
        from tqdm import tqdm

        return tqdm(
            total=steps,
            initial=done,
            unit="generator step",
            desc=name,
            disable=self._quiet or sys.stderr is None,
            dynamic_ncols=True,
            mininterval=0.5,
        )


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Set torch's number of CPU threads for a while; 0 leaves it."""
    former = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(former)


@contextlib.contextmanager
def same_bits() -> Iterator[None]:
    """Let a GPU compute the same bits in every run, for a while.

    torch warns where an operation has no such algorithm; none of this package is known to.
    """
    former = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    tried, filled = torch.backends.cudnn.benchmark, _memory.fill_uninitialized_memory
    workspace = os.environ.get(_WORKSPACE)
    os.environ.setdefault(_WORKSPACE, ":4096:8")  # what cuBLAS asks for
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False  # the fastest of several would be another one each time
    _memory.fill_uninitialized_memory = False  # nothing reads it
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(former, warn_only=only_warned)
        torch.backends.cudnn.benchmark = tried
        _memory.fill_uninitialized_memory = filled
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)
