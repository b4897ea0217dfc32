"""What a session asks of the processes that train with it; here of none but itself."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from torch import Tensor

from .share import Share

if TYPE_CHECKING:
    import torch

    from ..config import TrainingConfig
    from ..data import Data
    from ..state import TrainingState


class Workers:
    """One process that trains alone: nothing is to be agreed on, and nothing costs anything.

    ``several.SeveralWorkers`` has the same methods for one process among several. All of them
    are to be called by every process, in the same order.

    Attributes
    ----------
    rank, count : int
        Number of this process, from 0, and how many there are.
    """

    rank = 0
    count = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, batch_size: int) -> Share:
        """What this process does of every batch."""
        return Share(batch_size, self.rank, self.count)

    def join(self, state: TrainingState, share: Share) -> None:
        """Make the state that of a part of the work: data, batch statistics and gradients."""

    def begin(self, state: TrainingState) -> None:
        """Take over the first process's state."""

    def stepping(self) -> contextlib.AbstractContextManager[object]:
        """Where networks see the batches of all processes as one."""
        return contextlib.nullcontext()

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        return tensor

    def signal(self, number: int | None) -> int | None:
        """The signal that arrived at any process."""
        return number

    def agreement(self) -> contextlib.AbstractContextManager[object]:
        """What one process fails in, all fail in: nobody waits for one that has given up."""
        return contextlib.nullcontext()

    def demand_equal(self, state: TrainingState) -> None:
        """WorkersError unless all processes have the same state, to the bit."""

    def measure(self, config: TrainingConfig, data: Data, device: torch.device) -> None:
        """Find out what one process would need for a step."""

    def lap(self, steps: int, seconds: float) -> dict[str, float]:
        """What communication cost in so many steps, for the log."""
        del steps, seconds
        return {}

    def pace(self) -> str | None:
        """The same as a line for people."""
        return None
