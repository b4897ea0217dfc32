"""An experiment in a folder: its plan, its runs one after the other, its page and its numbers.

::

    plan.json      what is run, with how many steps: written once, so that what is done stays done
    runs/          a run folder for each case
    failures.json  cases that ended early, with the reason
    result.json    data, seed, steps, device, versions, numbers, conclusions
    report.html    the page
"""

import dataclasses
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..checkpoint import checkpoint_steps, write_atomically
from ..config import TrainingConfig
from ..data import make_data
from ..environment import describe_environment
from ..errors import ConfigError, DivergedError, InterruptedRunError, RunError
from ..folder import Lock, RunFolder, read_json, write_json
from ..runlog import displayed, read_log
from ..specification import demand, demand_count
from ..train import choose_device, train
from .budget import affordable_steps
from .cases import FULL_STEPS, REDUCED_MINUTES, Case, Experiment, Finding, Outcome, ScaleName
from .catalogue import EXPERIMENTS
from .pages import experiment_page

DAMAGED = "damaged; nothing was changed"

FIXED = ("figure", "data", "data_sha256", "scale", "seed", "steps", "device", "cases")
"""What a folder's experiment keeps."""


@dataclass(frozen=True)
class Settings:
    """What the user decides about an experiment."""

    figure: str
    """A name of ``EXPERIMENTS``."""
    out: Path
    """Folder of the experiment: new, empty, or that of the same experiment, which is continued."""
    data: str | None = None
    """Data as ``wgan train`` takes them; figures 1 and 2 have none."""
    scale: ScaleName = "reduced"
    """Networks of 16 filters and an hour, or the paper's and ``FULL_STEPS`` generator steps."""
    minutes: float | None = None
    """Minutes on the clock for all runs, about: the steps follow from the machine's speed."""
    steps: int | None = None
    """Generator steps of each run, instead of minutes: what repeats an experiment exactly."""
    cases: tuple[str, ...] = ()
    """Runs of the figure, by name, that alone are made; all of them by default."""
    seed: int = 0
    """Seed of every run."""
    device: str = "auto"
    """Where to compute."""
    threads: int = 1
    """CPU threads of torch."""


def reproduce(settings: Settings) -> dict[str, Any]:
    """Run an experiment, or continue it, and write its page and its numbers.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    dict
        What result.json holds.

    Raises
    ------
    RunError
        For settings, data or a folder that cannot be used; InterruptedRunError after a signal, and
        the same call goes on.
    """
    if settings.figure not in EXPERIMENTS:
        message = f"a figure must be one of {', '.join(EXPERIMENTS)}; got {settings.figure!r}"
        raise ConfigError(message)
    if settings.steps is not None:
        demand_count("option steps", settings.steps)
    demand_count("option seed", settings.seed, least=0, most=2**63 - 1)
    demand_count("option threads", settings.threads, least=0, most=1024)
    experiment = EXPERIMENTS[settings.figure]
    study = None if experiment.cases is None else _Study(settings, experiment)
    if study is None:
        _demand_no_training(settings)
    _demand_room(settings.out)
    _create(settings.out)
    with Lock(RunFolder(settings.out), "at work"):
        if study is not None:
            return study.work()
        return _write(settings, experiment, {}, experiment.analyse(()))


class _Study:
    """An experiment that trains."""

    def __init__(self, settings: Settings, experiment: Experiment) -> None:
        if settings.data is None:
            message = f"option data: {settings.figure} needs data, such as digits or a path"
            raise ConfigError(message)
        if settings.minutes is not None and not 0 < settings.minutes < 1e6:
            message = f"option minutes must be positive; got {settings.minutes!r}"
            raise ConfigError(message)
        if settings.minutes is not None and settings.steps is not None:
            message = "option minutes does nothing beside steps, which say how long runs are"
            raise ConfigError(message)
        self.device = choose_device(settings.device)
        self.settings, self.experiment = settings, experiment
        self.data = make_data(settings.data, self.device)
        assert experiment.cases is not None
        self.cases = _chosen(experiment.cases(self.data, settings.scale), settings.cases)
        for case in self.cases:  # what an option cannot be is refused here
            self.config(case, FULL_STEPS if settings.steps is None else settings.steps)
        self.failures_file = settings.out / "failures.json"
        self.failures: dict[str, str] = read_json(self.failures_file, DAMAGED) or {}

    def work(self) -> dict[str, Any]:
        """Plan, train, analyse."""
        plan = self.plan()
        outcomes = [self.outcome(case, plan["steps"]) for case in self.cases]
        return _write(self.settings, self.experiment, plan, self.experiment.analyse(outcomes))

    def plan(self) -> dict[str, Any]:
        """The plan in the folder, or a new one; RunError where that is another's."""
        settings = self.settings
        wanted: dict[str, Any] = {
            "figure": settings.figure,
            "data": settings.data,
            "data_sha256": self.data.fingerprint,
            "scale": settings.scale,
            "seed": settings.seed,
            "device": self.device.type,
        }
        if settings.cases:
            wanted["cases"] = [case.name for case in self.cases]
        path = settings.out / "plan.json"
        found = read_json(path, DAMAGED)
        if found is None:
            found = {**wanted, "steps": self.steps(), "threads": settings.threads}
            write_json(path, found)
        if settings.steps is not None:
            wanted["steps"] = settings.steps
        compared = [name for name in FIXED if name in wanted or name == "cases"]
        odd = [name for name in compared if wanted.get(name) != found.get(name)]
        if odd:
            was, now = found.get(odd[0]), wanted.get(odd[0])
            message = f"{settings.out}: holds an experiment with {odd[0]} {was!r}, not {now!r}"
            raise RunError(message)
        return found

    def steps(self) -> int:
        """Generator steps of each case."""
        settings = self.settings
        if settings.steps is not None:
            return settings.steps
        configs = [self.config(case, FULL_STEPS) for case in self.cases]
        minutes = settings.minutes
        if minutes is None and settings.scale == "full":
            return FULL_STEPS
        minutes = REDUCED_MINUTES if minutes is None else minutes
        count = self.experiment.evaluations
        return affordable_steps(configs, self.data, minutes, count, FULL_STEPS)

    def config(self, case: Case, steps: int) -> TrainingConfig:
        """The options of a case."""
        settings = self.settings
        every = max(1, steps // self.experiment.evaluations)
        common: dict[str, Any] = {
            "data": str(settings.data),
            "seed": settings.seed + case.replica,
            "device": settings.device,
            "threads": settings.threads,
            "steps": steps,
            "latent": 2 if self.data.image_shape is None else 100,
            "eval_every": every,
            "checkpoint_every": max(every, steps // 10),
            "log_every": min(50, every),
            "keep": 1,
        }
        return TrainingConfig(out=settings.out / "runs" / case.name, **{**common, **case.options})

    def outcome(self, case: Case, steps: int) -> Outcome:
        """The case as it was run, or is run now."""
        config = self.config(case, steps)
        folder = RunFolder(config.out)
        begun = folder.holds_run()
        done = begun and steps in checkpoint_steps(folder.checkpoints)
        if not done and case.name not in self.failures:
            print(f"{case.name}: {steps} generator steps", flush=True)
            try:
                train(config, resume=begun, quiet=False)
            except DivergedError as error:
                self.failures[case.name] = str(error)
                write_json(self.failures_file, self.failures)
            except InterruptedRunError as error:
                message = f"{case.name}: stopped; the same command goes on where this was"
                raise InterruptedRunError(message, error.signal) from None
        return Outcome(case, read_log(config.out), self.failures.get(case.name))


def _chosen(cases: list[Case], names: Sequence[str]) -> list[Case]:
    """The cases of these names, or all; ConfigError for a name that none has."""
    known = [case.name for case in cases]
    for name in names:
        demand(name in known, "cases", f"be some of {', '.join(known)}", name)
    return [case for case in cases if not names or case.name in names]


def _write(
    settings: Settings, experiment: Experiment, plan: dict[str, Any], finding: Finding
) -> dict[str, Any]:
    """Page and numbers; what is returned is in result.json."""
    shown = {name: value for name, value in plan.items() if name != "figure"}
    if "data" in shown:
        shown["data"] = displayed(shown["data"])
    environment = describe_environment()
    if shown.get("device") == "cuda":
        shown["device"] = f"cuda: {torch.cuda.get_device_name()}"
    result = {
        "figure": settings.figure,
        "title": experiment.title,
        "claim": experiment.claim,
        "command": command(settings, plan.get("steps")),
        **shown,
        **environment,
        "figures": finding.figures,
        "conclusions": finding.conclusions,
    }
    write_json(settings.out / "result.json", result)
    text = experiment_page(experiment, result, finding)
    write_atomically(settings.out / "report.html", lambda file: file.write(text.encode()))
    return result


def command(settings: Settings, steps: int | None) -> str:
    """What repeats the experiment with as many steps; paths are shown by their last parts."""
    words = ["python -m wgan reproduce", settings.figure]
    if settings.data is not None:
        words += ["--data", shlex.quote(displayed(settings.data))]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name in ("scale", "seed", "device", "threads") and value != field.default:
            words.append(f"--{field.name} {value}")
    if settings.cases:
        words.append(f"--cases {' '.join(settings.cases)}")
    if steps is not None:
        words.append(f"--steps {steps}")
    return " ".join([*words, f"--out runs/{settings.figure}"])


def _demand_no_training(settings: Settings) -> None:
    """ConfigError for what only training reads; that the CPU computes, on few threads, is true."""
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    for name in ("data", "scale", "minutes", "steps", "cases", "seed", "device"):
        value = getattr(settings, name)
        if value != defaults[name] and value != "cpu":
            message = f"option {name} has no meaning for {settings.figure}, which trains nothing"
            raise ConfigError(message)


def _demand_room(out: Path) -> None:
    if out.exists() and not out.is_dir():
        message = f"{out}: is a file, not a folder"
        raise RunError(message)
    known = {"plan.json", "result.json", ".lock"}
    if out.is_dir():
        names = {entry.name for entry in out.iterdir()}
        if names and not names & known:
            message = f"{out}: is neither empty nor the folder of an experiment"
            raise RunError(message)
        if RunFolder(out).holds_run():
            message = f"{out}: a run lies here, no experiment"
            raise RunError(message)


def _create(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{out}: cannot be created ({error.strerror})"
        raise RunError(message) from None
