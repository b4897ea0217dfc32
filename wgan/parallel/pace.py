"""Whether several processes are faster than one would be: measured, and said."""

import dataclasses
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import TrainingConfig
from ..data import Data
from ..errors import out_of_memory
from ..procedure import Procedure
from ..state import TrainingState
from ..step import train_step

TRIAL = 0.5
"""Seconds for which steps of one process are tried; one step at least."""


@dataclass
class Pace:
    """Steps of several processes against those of one."""

    count: int
    """How many processes there are."""
    alone: float | None = None
    """Seconds that one process needs for a generator step; None where that is not known."""
    together: float | None = None
    """Seconds that all of them needed in the last lap."""
    waiting: float = 0.0
    """The part of these that went into communication, in [0, 1]."""

    def lap(self, steps: int, seconds: float, waits: float) -> dict[str, float]:
        """Take in a lap of ``steps``, and give the fields of the log."""
        if not steps or seconds <= 0:
            return {}
        self.together, self.waiting = seconds / steps, min(1.0, waits / seconds)
        fields = {"communication": round(self.waiting, 4)}
        if self.alone is not None:
            fields["one_process_steps_per_s"] = round(1 / self.alone, 3)
        return fields

    def sentence(self) -> str | None:
        """The last lap as a line for people."""
        if self.together is None:
            return None
        line = (
            f"{self.count} processes: {1 / self.together:.3g} generator steps a second, "
            f"{self.waiting:.0%} of the time in communication"
        )
        if self.alone is None:
            return line
        line += f"; one process, measured at the beginning: {1 / self.alone:.3g}"
        slower = "; communication makes several slower than one"
        return line + (slower if self.together > self.alone else "")


class _Same:
    """The same batch again and again: reading data is no part of the trial."""

    def __init__(self, batch: Tensor) -> None:
        self._batch = batch

    def next(self) -> Tensor:
        return self._batch


def seconds_of_one_process(
    config: TrainingConfig, data: Data, device: torch.device
) -> float | None:
    """Seconds of a generator step in this process alone, on a state of its own.

    The mean of the steps of ``TRIAL`` seconds, after one without a clock; long critic phases are
    left out. None where the memory of one process does not suffice.
    """
    try:
        state = TrainingState.fresh(config, data, device)
        procedure = Procedure.of(config, state.penalty_random)
        plain = dataclasses.replace(procedure.algorithm, long_critic=False, epochs=False)
        procedure = dataclasses.replace(procedure, algorithm=plain)
        batch = data.batch(config.batch_size, torch.Generator().manual_seed(0))
        state.batches = _Same(batch)  # type: ignore[assignment]
        _seconds(state, dataclasses.replace(procedure, critic_steps=1))
        steps, spent = 0, 0.0
        while spent < TRIAL:
            spent += _seconds(state, procedure)
            steps += 1
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            return None
        raise
    return spent / steps


def _seconds(state: TrainingState, procedure: Procedure) -> float:
    start = time.perf_counter()
    train_step(state, procedure)
    if state.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
