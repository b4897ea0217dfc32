"""Ctrl-C while the command line starts; ``wgan`` imports this first, as torch takes seconds."""

import contextlib
import itertools
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType


def is_command(arguments: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether a process is the command ``wgan`` or ``python -m wgan``.

    ``arguments`` and ``whole`` are its ``sys.argv`` and ``sys.orig_argv``. Python has "-m" in
    place of the program while it looks for the module, which is when it loads the package.
    """
    program = arguments[0] if arguments else ""
    if program == "-m":
        return any(pair == ("-m", "wgan") for pair in itertools.pairwise(whole))
    return os.path.basename(program).removesuffix(".exe") == "wgan"


def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """End the process at once, with one line.

    Not by an exception: NumPy's and torch's imports take one for an error of their own. Every file
    is written so that the process may end at any moment; training has its own answer.
    """
    with contextlib.suppress(Exception):  # a flush within a flush is refused
        sys.stdout.flush()
    os.write(2, b"\nwgan: interrupted\n" if os.isatty(2) else b"wgan: interrupted\n")
    os._exit(128 + number)


if (
    is_command(sys.argv, sys.orig_argv)
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, end)
