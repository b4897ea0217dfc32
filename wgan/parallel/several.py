"""One process among several that train a run together: what they say to each other."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ..config import TrainingConfig
from ..data import Data
from ..errors import OtherProcessError, RunError, WorkersError
from ..state import TrainingState, digest
from .batch_norm import share_statistics
from .gradients import sum_gradients
from .pace import Pace, seconds_of_one_process
from .share import Share, SharedStream
from .workers import Workers


class SeveralWorkers(Workers):
    """One process of torch's default group.

    Parameters
    ----------
    patience : float
        Seconds after which the group gives up waiting; for messages.
    """

    def __init__(self, patience: float) -> None:
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.in_step = False
        self._patience = patience
        self._waits = Waits()
        self._pace = Pace(self.count)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SeveralWorkers":
        return self  # a copy of a network belongs to the same process

    def join(self, state: TrainingState, share: Share) -> None:
        """Make the state that of a part of the work: data, batch statistics and gradients."""
        if share.batch_size < self.count:
            message = (
                f"option batch_size must be at least the number of processes, {self.count}; "
                f"got {share.batch_size}"
            )
            raise RunError(message)
        state.batches = SharedStream(state.batches, share)
        for network in (state.generator, state.critic):
            share_statistics(network, self)
        for optimizer in (state.generator_optimizer, state.critic_optimizer):
            sum_gradients(optimizer, self.sum)

    def begin(self, state: TrainingState) -> None:
        """Take over the first process's state: other processors may round first values else."""
        named = state.tensors()
        for name in sorted(named):
            with self._speaking():
                dist.broadcast(named[name], 0)
        if not self.first:
            state.restore(named, state.step)

    @contextlib.contextmanager
    def stepping(self) -> Iterator[None]:
        """Where networks see the batches of all processes as one."""
        self.in_step = True
        try:
            yield
        finally:
            self.in_step = False

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place; the same bits everywhere."""
        with self._waits.on(tensor.device), self._speaking():
            dist.all_reduce(tensor)
        return tensor

    def signal(self, number: int | None) -> int | None:
        """The largest of the signals that arrived, at any process; None if there was none."""
        largest = torch.tensor(number or 0)
        with self._waits.on(largest.device), self._speaking():
            dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest) or None

    @contextlib.contextmanager
    def agreement(self) -> Iterator[None]:
        """What one process fails in, all fail in: nobody waits for one that has given up."""
        caught: Exception | None = None
        try:
            yield
        except Exception as error:
            if isinstance(error, WorkersError):  # nobody is there to be told
                raise
            caught = error
        outcomes = self._gather(_described(caught))
        failed = [rank for rank, outcome in enumerate(outcomes) if outcome is not None]
        if not failed:
            return
        if failed[0] == self.rank and caught is not None:
            raise caught
        raise OtherProcessError(*outcomes[failed[0]])

    def demand_equal(self, state: TrainingState) -> None:
        """WorkersError unless all processes have the same state, to the bit."""
        named = state.tensors()
        del named["best"]  # only the first process evaluates
        named["step"] = torch.tensor(state.step)
        whole = self._gather(digest(named))
        if len(set(whole)) == 1:
            return
        each = self._gather({name: digest({name: tensor}) for name, tensor in named.items()})
        rank = next(rank for rank, found in enumerate(whole) if found != whole[0])
        name = next(name for name in each[0] if each[rank].get(name) != each[0][name])
        message = f"the processes have parted: {name} of process {rank} is not that of process 0"
        raise WorkersError(message)

    def measure(self, config: TrainingConfig, data: Data, device: torch.device) -> None:
        """Find out what one process would need for a step, while the others wait."""
        self._pace.alone = seconds_of_one_process(config, data, device)

    def lap(self, steps: int, seconds: float) -> dict[str, float]:
        """What communication cost in so many steps, for the log."""
        return self._pace.lap(steps, seconds, self._waits.lap())

    def pace(self) -> str | None:
        """The same as a line for people, once there is something to say."""
        return self._pace.sentence()

    def _gather(self, mine: Any) -> list[Any]:
        everybody: list[Any] = [None] * self.count
        with self._speaking():
            dist.all_gather_object(everybody, mine)
        return everybody

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        """WorkersError for a process that cannot be reached."""
        try:
            yield
        except RuntimeError as error:
            raise WorkersError(self._loss(str(error))) from error

    def _loss(self, reason: str) -> str:
        """What torch's complaint means."""
        if "timed out" in reason.lower() or "timeout" in reason.lower():
            return f"another process did not answer within {self._patience:g} s"
        if "peer" in reason or "connection" in reason.lower() or "pipe" in reason:
            return "another process was lost"
        first = reason.partition("\n")[0]
        return f"the processes cannot speak to each other ({first})"


class Waits:
    """Seconds between the beginning and the end of collectives, waiting for others included."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextlib.contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Around a collective on a device; a GPU is not waited for."""
        if device.type == "cuda":
            ends = _event(), _event()
            ends[0].record()
            yield
            ends[1].record()
            self._events.append(ends)
            return
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds += time.perf_counter() - start

    def lap(self) -> float:
        """Seconds since the last call; waits for the GPU."""
        seconds, self._seconds = self._seconds, 0.0
        for start, end in self._events:
            end.synchronize()
            seconds += start.elapsed_time(end) / 1000
        self._events.clear()
        return seconds


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


def _described(error: Exception | None) -> tuple[str, int] | None:
    if error is None:
        return None
    if isinstance(error, RunError):
        return str(error), error.exit_status
    return f"{type(error).__name__}: {error}".partition("\n")[0], 1
