"""The command line: ``wgan train | options | sample | report | pack | demo``, and what lies in the
files beside this one: ``evaluate | doctor | compare | interpolate | animate | export | reproduce``.

Whatever the user can put right is one line on standard error: exit status 2 where nothing was
done, 1 where training diverged, a demo's claim failed or the doctor found an error, 128 plus the
signal where one arrived.
"""

import contextlib
import dataclasses
import io
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import tyro

from ._cli_compare import Compare
from ._cli_doctor import Doctor
from ._cli_evaluate import Evaluate
from ._cli_export import Export
from ._cli_pack import Pack
from ._cli_reproduce import Reproduce
from ._cli_show import Animate, Interpolate
from .config import TrainingConfig
from .errors import (
    InterruptedRunError,
    OtherProcessError,
    RunError,
    WorkersError,
    out_of_memory,
)
from .options import over, read_options
from .presets import PRESETS

Preset = Literal[
    "digits", "ring-gp", "ring-orthogonal", "ring-gan", "grid-gp", "grid-orthogonal", "grid-gan",
    "paper-dcgan", "paper-plain", "paper-mlp",
]  # fmt: skip
"""What ``--preset`` takes: the names in ``presets.PRESETS``."""


@dataclass(frozen=True)
class Train:
    """Train a Wasserstein GAN by Algorithm 1 of the paper, or continue a run.

    Prints the exact W1 between held-out data and samples beside the critic's estimate.
    """

    config: Annotated[TrainingConfig, tyro.conf.arg(name="")]  # its options without a prefix
    preset: Preset | None = None
    """Begin with the options of this preset; those given beside it go before them."""
    options_file: Annotated[Path | None, tyro.conf.arg(name="config")] = None
    """Begin with the options in this YAML or JSON file (or run.json), over those of the preset."""
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Continue the run in OUT from its newest checkpoint; options not given keep their values."""
    resume_step: int | None = None
    """Continue from the checkpoint of this step instead (implies --resume)."""
    patience: float = 600.0
    """Several processes (torchrun): seconds to wait for another before it counts as lost."""

    def __call__(self) -> int:
        """Train; returns the exit status."""
        from .parallel.launch import is_first
        from .train import train

        run = train(
            self.config,
            resume=self.resume,
            resume_step=self.resume_step,
            patience=self.patience,
        )
        if is_first():
            print(f"{self.config.out}: {run.step} generator steps done")
        return 0


@dataclass(frozen=True)
class Options:
    """Write the options of a run to a YAML or JSON file, which train --config takes."""

    file: tyro.conf.Positional[Path]
    """File to write; JSON where its name ends in .json, else YAML."""
    preset: Preset | None = None
    """Preset whose options are written."""
    run: Path | None = None
    """Run folder whose options are written instead."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        from .folder import RunFolder

        if self.run is not None and self.preset is not None:
            message = "options takes a preset or a run, not both"
            raise RunError(message)
        if self.run is not None:
            config = RunFolder(self.run).read_config()
        else:
            config = TrainingConfig(Path("unused"), **PRESETS[self.preset or "digits"])
        config.write(self.file)
        print(f"{self.file}: options of {self.run or self.preset or 'the defaults'}")
        return 0


@dataclass(frozen=True)
class Sample:
    """Draw samples from a trained generator."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    out: Path
    """File to write: .png for a picture, .npy for an array of shape (n, d)."""
    n: int = 64
    """How many samples."""
    seed: int = 0
    """Seed of the samples."""
    averaged: bool = False
    """Take the averaged generator and not the last one."""
    best: bool = False
    """Take the checkpoint of the best evaluation and not the newest."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        import numpy as np

        from .checkpoint import write_atomically
        from .folder import demand_foreign
        from .pictures import picture
        from .run import load

        if self.out.suffix not in (".png", ".npy"):
            message = f"option out must end in .png or .npy; got {self.out.name!r}"
            raise RunError(message)
        demand_foreign(self.out)
        run = load(self.run, best=self.best)
        try:
            samples = run.sample(self.n, self.seed, averaged=self.averaged)
        except ValueError as error:
            raise RunError(str(error)) from None
        if self.out.suffix == ".npy":
            write_atomically(self.out, lambda file: np.save(file, samples))
        else:
            held_out = run.data.held_out.numpy()
            content = picture(samples, held_out, run.data.image_shape)
            write_atomically(self.out, lambda file: file.write(content))
        print(f"{self.out}: {self.n} samples of the generator at step {run.step}")
        return 0


@dataclass(frozen=True)
class Report:
    """Write a run's report: one self-contained HTML file."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    out: Path | None = None
    """File to write; report.html in the run folder by default."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        from .report import write_report

        out = self.run / "report.html" if self.out is None else self.out
        write_report(self.run, out)
        print(f"report: {out}")
        return 0


@dataclass(frozen=True)
class Demo:
    """The paper's claims, its two figures and a WGAN on real digits, in one report."""

    out: Path = Path("runs/demo")
    """Folder of the demo; what an earlier demo wrote there is replaced."""
    steps: int | None = None
    """Short mode: so many generator steps, and no claim about the digits."""

    def __call__(self) -> int:
        """Run the demo; returns the exit status."""
        from .demo import demo

        return demo(self.out, self.steps)


Command: TypeAlias = (
    Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Options, tyro.conf.subcommand("options")]
    | Annotated[Sample, tyro.conf.subcommand("sample")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Report, tyro.conf.subcommand("report")]
    | Annotated[Doctor, tyro.conf.subcommand("doctor")]
    | Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Interpolate, tyro.conf.subcommand("interpolate")]
    | Annotated[Animate, tyro.conf.subcommand("animate")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Reproduce, tyro.conf.subcommand("reproduce")]
    | Annotated[Pack, tyro.conf.subcommand("pack")]
    | Annotated[Demo, tyro.conf.subcommand("demo")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may have any letter
    said = False
    try:
        try:
            command = parse(arguments)
        except RunError:
            said = _another_says_it()
            raise
        return command()
    except RunError as error:
        if not said and not isinstance(error, OtherProcessError):  # which that process says
            print(f"wgan: {error}", file=sys.stderr)
        _tell_launcher(error)
        return error.exit_status
    except KeyboardInterrupt:
        print("wgan: interrupted", file=sys.stderr)
        return 130
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        words = str(error).partition("\n")[0]
        print(f"wgan: not enough memory for these options ({words})", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has gone; its closing may not fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"wgan: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2


def _another_says_it() -> bool:
    """Whether torchrun's first process refuses the same; torchrun itself gets our message."""
    return os.environ.get("RANK", "0") != "0" and "TORCHELASTIC_ERROR_FILE" in os.environ


def _tell_launcher(error: RunError) -> None:
    """Give torchrun the message for the report that it prints last.

    In the file that it names for this, in its simple form. Not that another process was lost,
    since which one it was torchrun knows better.
    """
    file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if file and not isinstance(error, WorkersError | OtherProcessError | InterruptedRunError):
        content = {"message": f"wgan: {error}", "timestamp": str(int(time.time()))}
        with contextlib.suppress(OSError):
            Path(file).write_text(json.dumps(content), encoding="utf-8")


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments ask for; RunError for arguments that make none."""
    command = _parse(arguments)
    if not isinstance(command, Train):
        return command
    base: dict[str, Any] = {}
    if command.resume or command.resume_step is not None:
        # options not given keep the values of the run, and not the defaults
        from .folder import RunFolder

        base = RunFolder(command.config.out).read_config().to_json()
    if command.preset is not None:
        base = over(base, PRESETS[command.preset])
    if command.options_file is not None:
        base = over(base, read_options(command.options_file))
    if not base:
        return command
    default = TrainingConfig.of(base, command.config.out, str(command.options_file))
    again = _parse(arguments, Train(default))
    assert isinstance(again, Train)
    # what an algorithm chose itself follows the algorithm, not the numbers of the base
    given = {
        name: value
        for name, value in again.config.to_json().items()
        if name in _given(arguments) or value != getattr(default, name)
    }
    config = TrainingConfig(command.config.out, **over(base, given))
    return dataclasses.replace(again, config=config)


def _given(arguments: Sequence[str]) -> set[str]:
    """The options that are written among the arguments, at their defaults too."""
    words = (argument.partition("=")[0] for argument in arguments if argument.startswith("--"))
    names = {word.removeprefix("--").replace("-", "_") for word in words}
    return names | {name.removeprefix("no_") for name in names}


def _parse(arguments: Sequence[str], default: Train | None = None) -> Command:
    given: dict[str, Any] = {} if default is None else {"default": default}
    complaint = io.StringIO()
    # both --tensorboard and --no-tensorboard: a run, preset or file may have either
    train = next(iter(arguments), None) == "train"
    try:
        with contextlib.redirect_stderr(complaint):
            parsed: Command = tyro.cli(
                Command,
                prog="wgan",
                args=arguments,
                config=() if train else (tyro.conf.FlagCreatePairsOff,),
                **given,
            )
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise RunError(_one_line(complaint.getvalue())) from None
    return parsed


def _one_line(complaint: str) -> str:
    """The complaint as one line: tyro's box, or where the terminal has ASCII alone its rules."""
    lines = [line.strip("│ \t") for line in complaint.splitlines()]
    if len(lines) > 1 and _is_rule(lines[1]):
        lines = lines[2:]  # a heading of what follows
    text: list[str] = []
    for line in lines:
        if line.startswith(("╭", "╰")):
            continue
        if _is_rule(line):
            break
        text.append(line)
    return _sorted_choices(" ".join(text)) or "the arguments are not understood; see wgan --help"


def _is_rule(line: str) -> bool:
    return set(line) <= {"─", "-"}


def _sorted_choices(text: str) -> str:
    """The names that tyro has in a set, in one order, and without the None that stands for none."""

    def listed(found: re.Match[str]) -> str:
        return "Expected one of " + ", ".join(sorted(set(found[1].split("'")[1::2]) - {"None"}))

    return re.sub(r"Expected one of \(([^)]*)\)", listed, text)
