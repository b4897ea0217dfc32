"""``python -m wgan`` and the command ``wgan``; imports nothing heavy."""

import contextlib
import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Run the command line; returns its exit status.

    Ctrl-C ends the process at once, but in training, which finishes its step. An exception would
    come in the midst of imports that take it for another; and every file is written so that a
    process may end at any moment.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from ._cli import main as run

    return run()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    with contextlib.suppress(Exception):  # a flush within a flush is refused
        sys.stdout.flush()
    os.write(2, b"\nwgan: interrupted\n" if os.isatty(2) else b"wgan: interrupted\n")
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
