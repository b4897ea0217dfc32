"""What a run folder says without its data and its networks: options, log, pictures, metrics.

A run can be read so on a machine that lacks its data, and when it ended in NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .checkpoint import checkpoint_path, checkpoint_steps
from .config import TrainingConfig
from .errors import RunError
from .folder import EVALUATION, RunFolder, read_json
from .specification import split

NO_METRICS = "damaged, it holds no metrics; wgan evaluate writes it anew"
"""Where ``wgan evaluate`` leaves its numbers in a run folder."""


@dataclass(frozen=True)
class RunLog:
    """A run folder, read."""

    path: Path
    """The folder."""
    name: str
    """What tells the run from the others it is shown with."""
    config: TrainingConfig
    """Its options."""
    description: dict[str, Any]
    """Its run.json."""
    records: list[dict[str, Any]]
    """All lines of its metrics.jsonl, those after the newest checkpoint too."""
    metrics: dict[str, Any] | None
    """What ``wgan evaluate`` measured, or None."""

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """The lines that hold an evaluation."""
        return [record for record in self.records if "floor" in record]

    @property
    def step(self) -> int:
        """Generator steps of the last line; 0 without one."""
        return int(self.records[-1]["step"]) if self.records else 0

    @property
    def distance_key(self) -> str:
        """Name of the distance in its evaluations: the exact one, else the sliced one."""
        exact = any("wasserstein1" in record for record in self.evaluations)
        return "wasserstein1" if exact else "sliced_wasserstein1"

    @property
    def pictures(self) -> list[tuple[int, Path]]:
        """Steps and files of the pictures of fixed noise, in order."""
        files = RunFolder(self.path).samples.glob("*.png")
        return sorted((int(file.stem), file) for file in files if file.stem.isdecimal())

    @property
    def data_name(self) -> str:
        """The data and their options, without the folders they lie in."""
        return displayed(self.config.data)

    @cached_property
    def data_identity(self) -> tuple[object, ...]:
        """Equal for runs on the same samples, seen alike: their distances are comparable."""
        name, options = split(self.config.data)
        contents = _contents(RunFolder(self.path))
        return (name if contents is None else contents, *sorted(options.items()))


def displayed(data: str) -> str:
    """The option ``data`` without the folders of a path.

    >>> displayed("/home/someone/rooms.npz,size=32")
    'rooms.npz,size=32'
    >>> displayed("stacked,folder=/home/someone/mnist,pad=2")
    'stacked,folder=mnist,pad=2'
    """
    name, options = split(data)
    pairs = (f"{key}={Path(value).name or value}" for key, value in options.items())
    return ",".join([Path(name).name, *pairs])


def read_logs(paths: Sequence[Path]) -> list[RunLog]:
    """Several runs with names that tell them apart; RunError for what is no run, or is twice."""
    resolved = [path.resolve() for path in paths]
    twice = [path for index, path in enumerate(paths) if resolved[index] in resolved[:index]]
    if twice:
        message = f"{twice[0]}: this run is named twice"
        raise RunError(message)
    return [_read(path, name) for path, name in zip(paths, _names(resolved), strict=True)]


def read_log(path: Path) -> RunLog:
    """One run."""
    return read_logs([path])[0]


def _read(path: Path, name: str) -> RunLog:
    folder = RunFolder(path)
    return RunLog(
        path=path,
        name=name,
        config=folder.read_config(),
        description=folder.read_description(),
        records=folder.read_metrics(),
        metrics=read_json(path / EVALUATION, NO_METRICS),
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ."""
    for length in range(1, max((len(path.parts) for path in paths), default=1) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _contents(folder: RunFolder) -> int | None:
    """The number that a checkpoint keeps of finite data's contents; None for laws."""
    import safetensors

    steps = checkpoint_steps(folder.checkpoints)
    if not steps:
        return None
    try:
        path = checkpoint_path(folder.checkpoints, steps[-1])
        with safetensors.safe_open(path, "pt") as file:
            return int(file.get_tensor("batches.data")) if "batches.data" in file.keys() else None  # noqa: SIM118
    except (OSError, safetensors.SafetensorError, ValueError):
        return None  # a damaged checkpoint: the text of the option stands for the data
