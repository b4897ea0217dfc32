"""Checkpoints: one file each, without pickle, written so that a kill never leaves half of one.

A checkpoint is a safetensors file of all tensors of the training state. Its header holds the step,
the length of metrics.jsonl at that moment, and a SHA-256 over all of these.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from .errors import RunError
from .state import digest

FORMAT = "wgan-checkpoint-2"
BEST = "best-*.safetensors"
"""Names of the checkpoints of best evaluations."""


@dataclass(frozen=True)
class Checkpoint:
    """A state of a run, as it lies in a file."""

    step: int
    """Generator steps done."""
    metrics_bytes: int
    """Length of metrics.jsonl when the checkpoint was written."""
    tensors: dict[str, Tensor]
    """The training state by name, on the CPU."""

    def checksum(self) -> str:
        """SHA-256, hexadecimal, of everything the checkpoint holds."""
        header = torch.tensor([self.step, self.metrics_bytes], dtype=torch.int64)
        return digest({**self.tensors, "header": header})


def write_checkpoint(folder: Path, checkpoint: Checkpoint, keep: int = 2) -> Path:
    """Write a checkpoint into ``folder`` and remove all but the ``keep`` newest."""
    path = _write(checkpoint_path(folder, checkpoint.step), checkpoint)
    keep_newest(folder, checkpoint.step, keep)
    return path


def keep_newest(folder: Path, step: int, keep: int) -> None:
    """Remove all checkpoints but the ``keep`` newest up to that of ``step``."""
    steps = checkpoint_steps(folder)
    kept = [one for one in steps if one <= step][-keep:]
    for other in set(steps) - set(kept):
        checkpoint_path(folder, other).unlink(missing_ok=True)


def write_best(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write the checkpoint of the best evaluation; the one before it stays until ``keep_best``."""
    return _write(best_path(folder, checkpoint.step), checkpoint)


def keep_best(folder: Path, step: int) -> None:
    """Remove all checkpoints of best evaluations but that of ``step``.

    To be called once a checkpoint that knows of ``step`` is on the disk: a run that is killed
    before goes back to one that knows of another.
    """
    for path in folder.glob(BEST):
        if path != best_path(folder, step):
            path.unlink(missing_ok=True)


def _write(path: Path, checkpoint: Checkpoint) -> Path:
    import safetensors.torch

    header = {
        "format": FORMAT,
        "step": str(checkpoint.step),
        "metrics_bytes": str(checkpoint.metrics_bytes),
        "sha256": checkpoint.checksum(),
    }
    content = safetensors.torch.save(checkpoint.tensors, header)
    write_atomically(path, lambda file: file.write(content))
    return path


def read_best(folder: Path) -> Checkpoint:
    """The checkpoint of the best evaluation, verified; RunError if it is unusable or missing."""
    paths = sorted(folder.glob(BEST))
    if not paths:
        message = f"{folder}: no checkpoint of a best evaluation here"
        raise RunError(message)
    try:
        return _parse(paths[-1].read_bytes())
    except (_UnusableError, OSError) as error:
        message = f"{paths[-1]}: {error}; the newest checkpoint is another file"
        raise RunError(message) from None


def read_checkpoint(folder: Path, step: int | None = None) -> Checkpoint:
    """The checkpoint of ``step`` or the newest, verified; RunError if it is unusable."""
    steps = checkpoint_steps(folder)
    if not steps:
        message = f"{folder}: no checkpoint here"
        raise RunError(message)
    if step is not None and step not in steps:
        message = f"{folder}: no checkpoint of step {step}; there are those of {steps}"
        raise RunError(message)
    chosen = steps[-1] if step is None else step
    path = checkpoint_path(folder, chosen)
    try:
        return _parse(path.read_bytes())
    except _UnusableError as error:
        others = [other for other in steps if other != chosen]
        advice = (
            f"the checkpoint of step {others[-1]} is there: wgan train --resume-step {others[-1]} "
            "goes on from it"
            if others
            else "no other checkpoint is there"
        )
        message = f"{path}: {error}; nothing was changed; {advice}"
        raise RunError(message) from None
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise RunError(message) from None


def remove_newer(folder: Path, step: int) -> None:
    """Remove the checkpoints of later steps than ``step``, which are done again."""
    for later in checkpoint_steps(folder):
        if later > step:
            checkpoint_path(folder, later).unlink(missing_ok=True)
    for path in folder.glob(BEST):
        if path.name > best_path(folder, step).name:
            path.unlink(missing_ok=True)


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of ``step`` lies."""
    return folder / f"{step:08d}.safetensors"


def best_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of a best evaluation lies."""
    return folder / f"best-{step:08d}.safetensors"


def checkpoint_steps(folder: Path) -> list[int]:
    """The steps of the checkpoints in ``folder``, ascending; unfinished files do not count."""
    names = [path.stem for path in folder.glob("*.safetensors")]
    return sorted(int(name) for name in names if name.isdecimal())


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Make ``path`` hold what ``write`` writes, or leave it as it was, whenever the process dies.

    The bytes go to a temporary name in the same folder and to the disk, and only then take the
    name. A leftover of an earlier kill is overwritten.
    """
    path = path.resolve()  # what a link points to is written, not the link
    if path.exists() and not path.is_file():
        message = f"{path}: is no regular file, and will not be replaced by one"
        raise RunError(message)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = f"{path}: cannot be written ({error.strerror or error})"
        raise RunError(message) from None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _UnusableError(Exception):
    """Why a file is no usable checkpoint."""


def _parse(content: bytes) -> Checkpoint:
    import json

    import safetensors
    import safetensors.torch

    try:
        tensors = safetensors.torch.load(content)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])["__metadata__"]
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        message = f"damaged or cut off ({error})".replace("\n", " ")
        raise _UnusableError(message) from None
    if header.get("format") != FORMAT:
        message = f"not a checkpoint of this version of wgan ({header.get('format')!r})"
        raise _UnusableError(message)
    try:
        checkpoint = Checkpoint(int(header["step"]), int(header["metrics_bytes"]), tensors)
    except (ValueError, KeyError):
        message = "damaged (its header is unreadable)"
        raise _UnusableError(message) from None
    if checkpoint.checksum() != header.get("sha256"):
        message = "damaged (its checksum does not match)"
        raise _UnusableError(message)
    return checkpoint
