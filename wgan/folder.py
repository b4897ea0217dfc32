"""A run folder: what lies where, who may write to it, and its log.

::

    run.json              options, versions, machine, date
    metrics.jsonl         one JSON object a line, see MetricsLog
    checkpoints/          the newest checkpoints and that of the best evaluation, one file each
    samples/              a picture of fixed noise at every evaluation
    tensorboard/          curves for TensorBoard, if asked for
    evaluation.json       what wgan evaluate found last
    .lock                 held by the process that trains
"""

import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from .checkpoint import write_atomically
from .config import TrainingConfig
from .environment import describe_environment
from .errors import ConfigError, RunError

EVALUATION = "evaluation.json"
"""What ``wgan evaluate`` writes into a run folder."""


class RunFolder:
    """Paths of a run and its description."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self.board = path / "tensorboard"

    def holds_run(self) -> bool:
        """Whether a run lies here."""
        return self.description.is_file()

    def owns(self, path: Path) -> bool:
        """Whether a path is that of a file that training or evaluation writes here."""
        files = self.description, self.metrics, self.path / ".lock", self.path / EVALUATION
        return path in files or path.parent in (self.checkpoints, self.samples, self.board)

    def demand_run(self) -> None:
        """RunError unless a run lies here."""
        if not self.path.is_dir():
            message = f"{self.path}: no such folder"
            raise RunError(message)
        if not self.holds_run():
            message = f"{self.path}: no run lies in this folder (it has no run.json)"
            raise RunError(message)

    def demand_room(self) -> None:
        """RunError unless a new run may begin here: the folder is new, empty or a leftover."""
        if self.holds_run():
            message = f"{self.path}: a run lies here already; continue it with --resume"
            raise RunError(message)
        if self.path.exists() and not self.path.is_dir():
            message = f"{self.path}: is a file, not a folder"
            raise RunError(message)
        if self.path.is_dir():
            odd = sorted(entry.name for entry in self.path.iterdir() if not _is_leftover(entry))
            if odd:
                message = f"{self.path}: a run needs a new or empty folder; this one has {odd[0]!r}"
                raise RunError(message)

    def create(self) -> None:
        """Make the folders; RunError where that is not possible."""
        try:
            for folder in (self.path, self.checkpoints, self.samples):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{self.path}: cannot be created ({error.strerror})"
            raise RunError(message) from None

    def remove(self) -> None:
        """Remove a run whole; RunError, with nothing removed, where other things lie beside it."""
        files = [self.description, self.metrics, self.path / ".lock", self.path / ".run.json.part"]
        files += [*self.checkpoints.glob("*.safetensors"), *self.samples.glob("*.png")]
        files += [*self.checkpoints.glob(".*.part"), *self.samples.glob(".*.part")]
        # where wgan report and wgan evaluate write
        files += [self.path / name for name in ("report.html", EVALUATION)]
        files += self.board.glob("events.out.tfevents.*")
        known = {*files, self.checkpoints, self.samples, self.board}
        odd = sorted(str(path) for path in self.path.rglob("*") if path not in known)
        if odd:
            message = f"{odd[0]}: is no part of a run; nothing was removed"
            raise RunError(message)
        if (self.path / ".lock").exists():
            with Lock(self):  # refused while a process trains here
                pass
        try:
            for file in files:
                file.unlink(missing_ok=True)
            for folder in (self.checkpoints, self.samples, self.board, self.path):
                if folder.is_dir():
                    folder.rmdir()
        except OSError as error:
            message = f"{self.path}: cannot be removed ({error.strerror})"
            raise RunError(message) from None

    def write_description(self, config: TrainingConfig) -> None:
        """Record options and environment in run.json: from here on the folder holds a run."""
        write_json(self.description, {"config": config.to_json(), **describe_environment()})

    def update_config(self, config: TrainingConfig) -> None:
        """Record options that a resume changed; the environment stays that of the beginning."""
        write_json(self.description, {**self.read_description(), "config": config.to_json()})

    def read_description(self) -> dict[str, Any]:
        """What run.json holds."""
        self.demand_run()
        try:
            content = json.loads(self.description.read_text(encoding="utf-8"))
            if not isinstance(content["config"], dict):
                raise TypeError
        except (OSError, ValueError, KeyError, TypeError):
            message = f"{self.description}: damaged, it does not describe a run"
            raise RunError(message) from None
        return dict(content)

    def read_config(self) -> TrainingConfig:
        """The options of the run."""
        values = self.read_description()["config"]
        try:
            return TrainingConfig.from_json(values, self.path)
        except ConfigError as error:
            message = f"{self.description}: {error}"
            raise ConfigError(message) from None

    def read_metrics(self, count: int | None = None) -> list[dict[str, Any]]:
        """The lines in the first ``count`` bytes of metrics.jsonl, or all of them.

        One that is still being written is left out; ``count`` bytes are whole lines.
        """
        if not self.metrics.is_file():
            return []
        whole, _, rest = self.metrics.read_bytes()[:count].rpartition(b"\n")
        try:
            if rest and count is not None:
                raise ValueError
            records = [json.loads(line) for line in whole.splitlines()]
            if not all(isinstance(record["step"], int) for record in records):
                raise TypeError
            return records
        except (ValueError, TypeError, KeyError):
            message = f"{self.metrics}: damaged, a line of it is no record of a step"
            raise RunError(message) from None


def demand_foreign(out: Path) -> None:
    """RunError for a file to be written that is one of a run's own: it would be lost."""
    for path in (Path(os.path.abspath(out)), out.resolve()):  # named there, or by a link to it
        for place in path.parents[:2]:
            folder = RunFolder(place)
            if folder.holds_run() and folder.owns(path):
                message = f"{out}: belongs to the run in {place}; name another file to write"
                raise RunError(message)


def _is_leftover(entry: Path) -> bool:
    """Whether a run that died before it had a run.json can have left this in its folder."""
    if entry.is_dir():
        names = {path.name for path in entry.iterdir()}
        return entry.name in ("checkpoints", "samples") and all(
            "00000000." in name for name in names
        )
    return entry.name in (".lock", ".run.json.part") or (
        entry.name == "metrics.jsonl" and entry.stat().st_size == 0
    )


class Lock:
    """The right to work in a folder; the system takes it back when its holder dies.

    The file stays, and its content (a process id) only names the holder: a dead process cannot
    keep the lock, nor can a new process with the same number be mistaken for it.
    """

    def __init__(self, folder: RunFolder, activity: str = "training") -> None:
        self._path, self._activity = folder.path / ".lock", activity
        self._file: BinaryIO | None = None

    def __enter__(self) -> "Lock":
        try:
            self._file = self._path.open("a+b", buffering=0)
        except OSError as error:
            raise self._refused(error) from None
        if not _try_lock(self._file):
            name = _named(self._file)
            self._file.close()
            message = f"{self._path.parent}: process {name} is {self._activity} here"
            raise RunError(message)
        try:
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode())
        except OSError as error:
            self._file.close()
            raise self._refused(error) from None
        return self

    def _refused(self, error: OSError) -> RunError:
        return RunError(f"{self._path.parent}: cannot be written to ({error.strerror})")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()  # releases the lock


def holder(folder: RunFolder) -> str | None:
    """The process that works in a folder, "unknown" where it does not say, or None."""
    try:
        file = (folder.path / ".lock").open("rb")
    except OSError:
        return None
    with file:  # whose closing gives the lock back
        return None if _try_lock(file) else _named(file)


def _named(file: BinaryIO) -> str:
    """What the holder of a lock wrote into it."""
    file.seek(0)
    return file.read().decode(errors="replace").strip() or "unknown"


def _try_lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 30)  # a byte far behind the content, which others may read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class MetricsLog:
    """The log of a run, metrics.jsonl: one JSON object a line.

    Every line has ``step`` (generator steps done) and ``time``, which alone differs between two
    equal runs: ``elapsed_s`` (seconds since this process began to train) and ``steps_per_s``
    (generator steps per second since the line before, evaluations not counted).

    Every ``log_every`` steps it has ``critic_estimate``, the critic's objective on its last batch
    before its last step, and ``critic_estimates``, those of every generator step since the line
    before, in ``units.Estimate.unit``. At evaluations it has the numbers of
    ``evaluate.Evaluation``, those that there are; ``health``, what ``doctor.measure`` measured of
    networks and samples; and ``findings``, what the doctor found for the first time. Where training
    left the finite numbers, the last line has ``diverged``, and ``origin`` if it could be found.
    """

    def __init__(self, path: Path, keep_bytes: int) -> None:
        """Open ``path`` and cut it off after ``keep_bytes``: what came later is done again."""
        self.demand_bytes(path, keep_bytes)
        self._path = path
        try:
            # unbuffered: a line is in the file or refused, and closing has nothing left to write
            self._file = path.open("ab", buffering=0)
            self._file.truncate(keep_bytes)
        except OSError as error:
            message = f"{path}: cannot be written ({error.strerror})"
            raise RunError(message) from None

    @staticmethod
    def demand_bytes(path: Path, count: int) -> None:
        """RunError if the log is shorter than ``count`` bytes."""
        length = path.stat().st_size if path.exists() else 0
        if length < count:
            message = f"{path}: lines are missing ({length} of {count} bytes are left)"
            raise RunError(message)

    def write(self, record: dict[str, Any]) -> None:
        """Append one line."""
        line = memoryview(json.dumps(record, allow_nan=False).encode() + b"\n")
        try:
            while line:  # a disk that is nearly full takes a part, and says no at the next one
                line = line[self._file.write(line) :]
        except OSError as error:
            message = f"{self._path}: cannot be written ({error.strerror})"
            raise RunError(message) from None

    def sync(self) -> int:
        """Bring all lines to the disk; returns the length of the file in bytes."""
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Make a file hold an object of JSON, or leave it as it was; ValueError for NaN or infinity."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def read_json(path: Path, complaint: str) -> dict[str, Any] | None:
    """The object in a file, None where there is no file; RunError with the complaint otherwise."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError
    except (OSError, ValueError, TypeError):
        message = f"{path}: {complaint}"
        raise RunError(message) from None
    return content
