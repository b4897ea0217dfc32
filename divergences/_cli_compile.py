"""The command ``divergences compile``: all kernels, ahead of their first use."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from ._compile import FAMILIES, compile_all
from .transport._jit import cache_folder
from .transport._threads import processors

DESCRIPTION = (
    "Compile all kernels now and keep them on disk, so that no call waits for them: when an image "
    "of a container is built, or before many jobs start. They are kept per version of the library, "
    "Python, NumPy and numba, in the folder that NUMBA_CACHE_DIR names, else XDG_CACHE_HOME, else "
    "in ~/.cache."
)


def add_to(commands: Any, positive: Callable[[str], int]) -> None:
    """Add the command to the parser's commands; ``positive`` reads a number."""
    parser = commands.add_parser(
        "compile",
        help="compile all kernels ahead of their first use",
        description=DESCRIPTION,
        epilog="Exit status: 0 if all are kept on disk, 2 if not.",
    )
    parser.add_argument(
        "--processes", type=positive, metavar="N", help="at a time (default: one a processor)"
    )
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Compile, say what took how long, and where it lies."""
    folder = cache_folder()
    if folder is None:
        options.parser.error(
            "no folder for the kernels can be written: set NUMBA_CACHE_DIR to one that can"
        )
    failed = 0
    for family, seconds, trouble in compile_all(options.processes or processors()):
        if trouble:
            failed += 1
            print(f"divergences: {family}: {trouble}", file=sys.stderr)
        else:
            print(f"{family:<{max(map(len, FAMILIES))}} {seconds:6.1f} s", flush=True)
    if not failed:
        print(f"kept in {folder}")
    return 2 if failed else 0
