"""What can stop a run. Every message is one line; the command line turns it into an exit status."""

import signal


class RunError(Exception):
    """Something the user can put right: a bad option, folder or checkpoint. Nothing was touched."""

    exit_status = 2


class ConfigError(RunError, ValueError):
    """A value that an option of a run does not admit."""


class DivergedError(RunError):
    """Training left the finite numbers; the last checkpoint is intact."""

    exit_status = 1


class WorkersError(RunError):
    """One of several processes is lost or has gone astray; the last checkpoint is intact."""

    exit_status = 1


class OtherProcessError(RunError):
    """What ended another of several processes, which reports it.

    Parameters
    ----------
    message : str
        The other process's.
    exit_status : int
        That of the other process.
    """

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class InterruptedRunError(RunError):
    """A signal ended training early, after a checkpoint was written.

    Parameters
    ----------
    message : str
        One line that says how to go on.
    number : int
        The signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = signal.Signals(number)
        self.exit_status = 128 + number


_NO_MEMORY = (
    "out of memory", "allocate memory", "not enough memory", "STATUS_ALLOC_FAILED",
    "Storage size calculation overflowed",
)  # fmt: skip
"""What processors, GPUs and their libraries say; an illegal memory access is none of this."""


def out_of_memory(error: Exception) -> bool:
    """Whether memory did not suffice; the CPU's allocator has no type of its own for this."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY)
