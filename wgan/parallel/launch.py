"""The processes of a run: what torchrun, or a program that calls train, has started."""

import contextlib
import datetime
import os
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist

from ..errors import ConfigError, OtherProcessError, RunError
from .several import SeveralWorkers
from .workers import Workers

if dist.is_available():
    # torch's optimizers import this at their first step, and it keeps the default group of that
    # moment for good (as the default of arguments): a group whose threads still run when Python
    # ends can abort the process. Imported before there is a group, it keeps none
    import torch.distributed.nn

PATIENCE = 600.0
"""Seconds without an answer after which another process counts as lost: an evaluation and a
checkpoint of the first one come between two answers."""
LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells a process by its environment."""


@contextlib.contextmanager
def working_together(device: str, patience: float) -> Iterator[Workers]:
    """The processes that train together, from their meeting to their end.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        The option; on GPUs each process of a machine takes its own.
    patience : float
        Seconds to wait for another process before it counts as lost.

    Yields
    ------
    Workers
        One that is alone, unless torchrun started several or torch's default group exists.

    Raises
    ------
    ConfigError
        For a patience that is not positive, or given where this process is alone, and for more
        processes than GPUs.
    OtherProcessError
        Instead of an error that another process reports.
    """
    number = isinstance(patience, (int, float)) and not isinstance(patience, bool)
    if not number or not 0 < patience < 1e9:
        message = (
            f"option patience must be a positive number of seconds below 1e9; got {patience!r}"
        )
        raise ConfigError(message)
    if dist.is_available() and dist.is_initialized():
        yield SeveralWorkers(patience) if dist.get_world_size() > 1 else Workers()
    elif _launched():
        with _group(device, patience) as store:
            try:
                yield SeveralWorkers(patience)
            except RunError as error:
                if isinstance(error, OtherProcessError) or _first_to_say(store):
                    raise
                raise OtherProcessError(str(error), error.exit_status) from None
    else:
        if patience != PATIENCE and launcher() is None:
            message = (
                "option patience does nothing in one process, only in several that torchrun "
                f"started; leave it out; got {patience!r}"
            )
            raise ConfigError(message)
        yield Workers()


def launcher() -> int | None:
    """The process of torchrun, if it started this one: others may end before what they start."""
    return os.getppid() if "TORCHELASTIC_RUN_ID" in os.environ else None


def is_first() -> bool:
    """Whether this process is torchrun's first one, or alone."""
    return not _launched() or os.environ["RANK"] == "0"


def _launched() -> bool:
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    return several and all(name in os.environ for name in LAUNCHED)


@contextlib.contextmanager
def _group(device: str, patience: float) -> Iterator[Any]:
    """The default group of torch, made and removed."""
    if not dist.is_available():
        message = "this build of torch has no torch.distributed: start one process"
        raise ConfigError(message)
    from torch.distributed import PrefixStore, rendezvous  # type: ignore[attr-defined]

    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        _take_gpu()
    wait = datetime.timedelta(seconds=patience)
    try:
        store, rank, count = next(rendezvous("env://", timeout=wait))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
            store=PrefixStore("wgan", store), rank=rank, world_size=count, timeout=wait,
        )  # fmt: skip
    except (RuntimeError, ValueError) as error:
        wanted, place = os.environ["WORLD_SIZE"], os.environ["MASTER_ADDR"]
        reason = str(error).partition("\n")[0]
        message = f"the {wanted} processes did not meet at {place} ({reason})"
        raise ConfigError(message) from None
    try:
        yield store
    finally:
        dist.destroy_process_group()


def _take_gpu() -> None:
    """Make the GPU of this process torch's current one."""
    own, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if own >= count:
        message = (
            f"option device: process {own} of this machine finds {count} GPUs and has none of its "
            "own; start fewer processes or take --device cpu"
        )
        raise ConfigError(message)
    torch.cuda.set_device(own)


def _first_to_say(store: Any) -> bool:
    """Whether no other process has reported an error yet."""
    try:
        return bool(store.add("wgan/said", 1) == 1)
    except RuntimeError:  # the store went with a lost process
        return True
