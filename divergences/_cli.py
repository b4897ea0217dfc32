"""The command line: ``divergences theorems``, ``compare``, ``compile``; also ``python -m``."""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import _cli_compare, _cli_compile
from .theorems import ALL, ClaimResult, check_all

PASSED, FAILED, UNUSABLE, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141
"""Exit statuses; 2 also where a claim was skipped and ``--allow-skips`` was not given."""


class _Parser(argparse.ArgumentParser):
    """A parser that reports a bad option in one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(UNUSABLE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on ``arguments`` (the process's own by default); return the status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name.

    Returns
    -------
    int
        0 if all went well, 1 if a claim failed, 2 if a claim was skipped because a library is
        missing (0 with ``--allow-skips``) or if a file or the output cannot be written, 130 if
        interrupted, 141 if the reader of the output has gone. Unusable arguments end the process
        with status 2.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return PASSED
    if sys.stdout is None:  # it was closed before the start
        print("divergences: the output: closed", file=sys.stderr)
        return UNUSABLE
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("divergences: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        _discard_output()
        if isinstance(error, BrokenPipeError):
            return UNREAD
        where = error.filename or "the output"
        print(f"divergences: {where}: {error.strerror or error}", file=sys.stderr)
        return UNUSABLE
    return status


def _discard_output() -> None:
    """What standard output still holds goes nowhere: Python's own end would fail once more."""
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="divergences",
        description="Total variation, KL, Jensen-Shannon and exact, certified Wasserstein-1.",
        epilog="Try: divergences theorems, or divergences compare --help",
    )
    parser.add_argument("--version", action=_Version, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    theorems = commands.add_parser(
        "theorems",
        help="check the claims of the Wasserstein GAN paper on seeded problems",
        description="Check the claims of the Wasserstein GAN paper (arXiv:1701.07875) on seeded "
        "problems, and print the worst slack of each: what is left of the room an inequality has, "
        "as a part of its larger side, or of the rounding that an equality is allowed. A negative "
        "slack is a failure.",
        epilog="Exit status: 0 if all claims hold, 1 if one fails, 2 if one was skipped for want "
        "of an optional library. Claims: " + ", ".join(claim.id for claim in ALL) + ".",
    )
    theorems.add_argument("ids", nargs="*", metavar="ID", help="claims to check (default: all)")
    theorems.add_argument(
        "--cases", type=_positive, metavar="N", help="cases a claim (default: each claim's own)"
    )
    theorems.add_argument(
        "--seed", type=_natural, default=0, metavar="S", help="seed of the problems (default: 0)"
    )
    theorems.add_argument("--json", action="store_true", help="print a JSON list, not a table")
    theorems.add_argument(
        "--allow-skips", action="store_true", help="do not count a skipped claim as a problem"
    )
    theorems.add_argument(
        "--report",
        type=_new_file,
        metavar="FILE.html",
        help="also write a page with every statement, the evidence and the worst cases; it needs "
        "matplotlib and no network",
    )
    theorems.set_defaults(run=_theorems, parser=theorems)
    _cli_compare.add_to(commands)
    _cli_compile.add_to(commands, _positive)
    return parser


class _Version(argparse.Action):
    """Prints the installed version: read only when asked for, since metadata are slow to open."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(nargs=0, **keywords)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("divergences")
        except PackageNotFoundError:
            number = "(not installed)"
        print("divergences", number)
        parser.exit()


def _integer(text: str, least: int, requirement: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        message = f"must be a {requirement} integer; got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _positive(text: str) -> int:
    return _integer(text, 1, "positive")


def _natural(text: str) -> int:
    return _integer(text, 0, "non-negative")


def _new_file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        message = f"must be a file in a folder that exists; got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return path


def _theorems(options: argparse.Namespace) -> int:
    known = [claim.id for claim in ALL]
    unknown = [name for name in options.ids if name not in known]
    if unknown:
        options.parser.error(f"no claim {', '.join(map(repr, unknown))}; known: {', '.join(known)}")
    if options.report is not None and importlib.util.find_spec("matplotlib") is None:
        options.parser.error('--report needs matplotlib: pip install "divergences[plot]"')
    progress = sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    results = check_all(
        options.ids or None, cases=options.cases, seed=options.seed, progress=progress
    )
    if options.report is not None:
        from ._theorem_report import page

        options.report.write_text(page(results), encoding="utf-8")
    if options.json:
        print(json.dumps([as_record(result) for result in results], indent=2, allow_nan=False))
    else:
        print(table(results))
    verdicts = {result.verdict for result in results}
    if "fail" in verdicts:
        return FAILED
    return UNUSABLE if "skip" in verdicts and not options.allow_skips else PASSED


def as_record(result: ClaimResult) -> dict[str, Any]:
    """A result in JSON's types: infinities are the strings "inf" and "-inf", NaN is null."""
    worst = result.worst_case
    return {
        "id": result.id,
        "statement": result.statement,
        "cases": result.cases,
        "worst_slack": _number(result.worst_slack),
        "verdict": result.verdict,
        "seed": result.seed,
        "worst_case": None
        if worst is None
        else {
            "index": worst.index,
            "relation": worst.relation.name,
            "kind": worst.relation.kind,
            "lhs": _number(worst.relation.lhs),
            "rhs": _number(worst.relation.rhs),
            "budget": _number(worst.relation.budget),
            "reproduce": reproduction(result),
        },
    }


def reproduction(result: ClaimResult) -> str:
    """The call that draws the worst case again."""
    if result.worst_case is None:
        return ""
    call = f"{result.id!r}, {result.worst_case.index}, seed={result.seed}"
    return f"divergences.theorems.check_case({call})"


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


COLUMNS = ("claim", "statement", "cases", "worst slack", "verdict")
"""Of the table; below it stands how the tightest case of all is drawn again."""


def table(results: Sequence[ClaimResult]) -> str:
    """The results as aligned text of at most 100 columns, and below it what failed and why."""
    rows = [
        (
            result.id,
            result.statement,
            str(result.cases),
            f"{result.worst_slack:.2g}",
            result.verdict,
        )
        for result in results
    ]
    widths = [max(len(row[k]) for row in (COLUMNS, *rows)) for k in range(len(COLUMNS))]
    align = ("<", "<", ">", ">", "<")

    def line(cells: Sequence[str]) -> str:
        parts = [f"{cell:{side}{w}}" for cell, side, w in zip(cells, align, widths, strict=True)]
        return "  ".join(parts).rstrip()

    lines = [line(COLUMNS), line(["-" * width for width in widths]), *map(line, rows), ""]
    lines += [_failure(result) for result in results if result.verdict == "fail"]
    counts = [sum(result.verdict == verdict for result in results) for verdict in _VERDICTS]
    tightest = [result for result in results if result.verdict == "pass"]
    if tightest:
        least = min(tightest, key=lambda result: result.worst_slack)
        lines.append(f"tightest: {reproduction(least)}")
    lines.append(", ".join(f"{n} {word}" for n, word in zip(counts, _WORDS, strict=True) if n))
    return "\n".join(lines)


_VERDICTS = ("pass", "fail", "skip")
_WORDS = ("passed", "failed", "skipped (an optional library is not installed)")


def _failure(result: ClaimResult) -> str:
    worst = result.worst_case
    if worst is None:
        return f"{result.id}: nothing was compared"
    found = worst.relation
    where = f"{result.id}, case {worst.index} of seed {result.seed}: {found.name}"
    again = f"\n  again: {reproduction(result)}"
    if math.isnan(found.lhs) and math.isnan(found.rhs):
        return where + again
    return f"{where}: not {found.lhs!r} {found.kind} {found.rhs!r} within {found.budget:.2g}{again}"
