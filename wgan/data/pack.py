"""One pass over a folder or an lmdb: encoded images become a mapped array of bytes."""

import contextlib
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..checkpoint import write_atomically
from ..errors import InterruptedRunError, RunError
from ..folder import Lock, RunFolder
from ..interruptions import Interruptions
from .decode import DecodeOptions, silent_decoders
from .decoded import Decoded, decoded
from .growing import GrowingArray, part, take_back, writing
from .packed import (
    ENTRIES,
    FORMAT,
    IMAGES,
    KEYS,
    MANIFEST,
    PROGRESS,
    is_packed,
    read_manifest,
    read_packed,
)
from .sources import Source, open_source
from .split import key

SAVE_SECONDS = 2.0
"""Seconds of work that a kill can cost."""
_ASCENDING = ("enlarged", "count", "entries", "entries_bytes")
"""Numbers in what is saved, none below 0 or below the one before it."""
_OWN = {IMAGES, KEYS, ENTRIES, PROGRESS, ".lock", f".{PROGRESS}.part", f".{MANIFEST}.part"}
_OWN |= {f"{name}.part" for name in (IMAGES, KEYS, ENTRIES)}


def pack(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: DecodeOptions,
    *,
    on_corrupt: Literal["skip", "fail"] = "skip",
    quiet: bool = False,
) -> dict[str, Any]:
    """Pack the images of a folder or lmdb; continues where an earlier call was stopped.

    Parameters
    ----------
    source : path
        Folder of image files, at any depth, or an lmdb.
    out : path
        Folder of the packed set: new, empty, or of a pass that was stopped.
    options : DecodeOptions
        Size, crop, channels, transparency.
    on_corrupt : {"skip", "fail"}
        Whether an unreadable image is listed in ``entries.jsonl`` and left out, or ends the pass.
    quiet : bool
        No progress bar.

    Returns
    -------
    dict
        The manifest; ``skipped`` and ``passed_over`` say what was left out.

    Raises
    ------
    RunError
        For a source without images, a folder that is not free, a full disk, changed options or a
        changed source, an unreadable image under ``fail``: one line, and what is packed stays.
    InterruptedRunError
        After Ctrl-C or SIGTERM; the same call continues.

    Notes
    -----
    The result depends on source and options alone: a pass that was killed and continued equals
    one that was not, to the bit. Memory does not grow with the number of images.
    """
    source, out = Path(source), Path(out)
    if out.resolve().is_relative_to(source.resolve()):
        message = f"{out}: the packed set needs a folder outside its source"
        raise RunError(message)
    with open_source(source) as images:
        identity = {"source_sha256": images.fingerprint, **dataclasses.asdict(options)}
        if is_packed(out):
            return _demand_same(out, read_manifest(out), identity)
        _demand_room(out, images, options)
        with Lock(RunFolder(out), "packing"), Interruptions() as interruptions:
            if is_packed(out):  # by another process, a moment ago
                return _demand_same(out, read_manifest(out), identity)
            with contextlib.closing(_Session(out, options, identity)) as session:
                session.take_up()
                session.work(images, on_corrupt, interruptions, quiet=quiet)
                return session.finish(images)


@dataclass
class _Session:
    """One process's work on a packed set."""

    out: Path
    options: DecodeOptions
    identity: dict[str, Any]

    def __post_init__(self) -> None:
        side, channels = self.options.size, self.options.channels
        self.entries = self.enlarged = self.count = 0
        self.first_reason = ""
        self.images = GrowingArray(self.out / IMAGES, np.dtype(np.uint8), (channels, side, side))
        self.keys = GrowingArray(self.out / KEYS, np.dtype("<u8"), ())
        take_back(self.out / ENTRIES)
        with writing(self.out / ENTRIES):
            self.log = part(self.out / ENTRIES).open("ab")

    def take_up(self) -> None:
        """Go back to what was last saved, if anything was."""
        saved: dict[str, Any] = {"entries": 0, "enlarged": 0, "count": 0, "entries_bytes": 0}
        if (self.out / PROGRESS).is_file():
            try:
                saved = json.loads((self.out / PROGRESS).read_text(encoding="utf-8"))
                _demand_same(self.out, saved, self.identity)
                self.first_reason = saved["first_reason"]
                numbers = [saved[name] for name in _ASCENDING]
                if any(type(number) is not int for number in numbers):
                    raise TypeError
                if [0, *numbers] != sorted([0, *numbers]) or not isinstance(self.first_reason, str):
                    raise ValueError
            except (ValueError, KeyError, TypeError, AttributeError):
                message = f"{self.out / PROGRESS}: damaged; remove the folder to begin again"
                raise RunError(message) from None
        self.entries, self.enlarged, self.count = (
            saved[name] for name in ("entries", "enlarged", "count")
        )
        self.images.cut(self.count)
        self.keys.cut(self.count)
        with writing(self.out / ENTRIES):
            if self.log.seek(0, os.SEEK_END) < saved["entries_bytes"]:
                message = f"{part(self.out / ENTRIES)}: is shorter than it was; remove the folder"
                raise RunError(message)
            self.log.truncate(saved["entries_bytes"])

    def work(
        self, source: Source, on_corrupt: str, interruptions: Interruptions, *, quiet: bool
    ) -> None:
        """Decode and append what is left of the source."""
        saved_at = time.monotonic()
        with (
            silent_decoders(),
            _bar(source, self.entries, quiet=quiet) as bar,
            contextlib.closing(decoded(source, self.options, start=self.entries)) as entries,
        ):
            for entry in entries:
                if entry.pixels is None and on_corrupt == "fail":
                    self.save()
                    message = (
                        f"{json.dumps(entry.name)}: {entry.reason}; "
                        "with --on-corrupt skip such entries are listed and left out"
                    )
                    raise RunError(message)
                self.append(entry)
                bar.update()
                if time.monotonic() - saved_at > SAVE_SECONDS:
                    self.save()
                    bar.set_postfix_str(f"{self.entries - self.count} skipped", refresh=False)
                    saved_at = time.monotonic()
                if interruptions.signal is not None:
                    self.save()
                    message = (
                        f"{self.out}: stopped at entry {self.entries} of {source.count}; "
                        "the same command continues"
                    )
                    raise InterruptedRunError(message, interruptions.signal)
        if self.entries != source.count:
            message = f"the source had {source.count} entries and now has {self.entries}"
            raise RunError(message)

    def append(self, entry: Decoded) -> None:
        """One entry more: its pixels and key, or its reason."""
        line: dict[str, Any] = {"name": entry.name}
        if entry.pixels is None:
            line["skipped"] = entry.reason
            self.first_reason = self.first_reason or f"{json.dumps(entry.name)}: {entry.reason}"
        else:
            row = entry.pixels.tobytes()
            self.images.append(row)
            self.keys.append(key(row).to_bytes(8, "little"))
            line["row"] = self.count
            self.count += 1
            self.enlarged += entry.enlarged
        with writing(self.out / ENTRIES):
            self.log.write(json.dumps(line).encode() + b"\n")
        self.entries += 1

    def save(self) -> None:
        """Bring everything to the disk, then say how far it is."""
        self.images.sync()
        self.keys.sync()
        with writing(self.out / ENTRIES):
            self.log.flush()
            os.fsync(self.log.fileno())
        progress = {
            **self.identity,
            "entries": self.entries,
            "count": self.count,
            "enlarged": self.enlarged,
            "entries_bytes": part(self.out / ENTRIES).stat().st_size,
            "first_reason": self.first_reason,
        }
        content = json.dumps(progress).encode()
        write_atomically(self.out / PROGRESS, lambda file: file.write(content))

    def finish(self, source: Source) -> dict[str, Any]:
        """Give all files their names, the manifest last."""
        self.save()
        if not self.count:
            self.close()
            for name in (f"{IMAGES}.part", f"{KEYS}.part", f"{ENTRIES}.part", PROGRESS):
                (self.out / name).unlink(missing_ok=True)
            message = f"none of {self.entries} entries is a usable image ({self.first_reason})"
            raise RunError(message)
        digest = self.images.finish(self.count)
        self.keys.finish(self.count)
        self.log.close()
        with writing(self.out / ENTRIES):
            part(self.out / ENTRIES).replace(self.out / ENTRIES)
        manifest = {
            "format": FORMAT,
            "count": self.count,
            "sha256": digest,
            "skipped": self.entries - self.count,
            "first_skipped": self.first_reason,
            "enlarged": self.enlarged,
            "passed_over": source.passed_over,
            **self.identity,
        }
        content = json.dumps(manifest, indent=2).encode() + b"\n"
        write_atomically(self.out / MANIFEST, lambda file: file.write(content))
        (self.out / PROGRESS).unlink(missing_ok=True)
        read_packed(self.out)
        return manifest

    def close(self) -> None:
        """Close the files; what was saved stays."""
        self.images.close()
        self.keys.close()
        with contextlib.suppress(OSError):
            self.log.close()


def _demand_same(out: Path, found: dict[str, Any], identity: dict[str, Any]) -> dict[str, Any]:
    """RunError unless a packed or begun set is of this source and these options."""
    if found.get("source_sha256") != identity["source_sha256"]:
        message = f"{out}: holds another source, or the source has changed since; use a new folder"
        raise RunError(message)
    differing = [
        f"{name}: {found.get(name)} -> {value}"
        for name, value in identity.items()
        if found.get(name) != value
    ]
    if differing:
        message = f"{out}: was packed with other options ({'; '.join(differing)}); use a new folder"
        raise RunError(message)
    return found


def _demand_room(out: Path, source: Source, options: DecodeOptions) -> None:
    """Make the folder; RunError where it holds other things or the disk is too small."""
    if out.exists() and not out.is_dir():
        message = f"{out}: is a file, not a folder"
        raise RunError(message)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        odd = sorted(entry.name for entry in out.iterdir() if entry.name not in _OWN)
        if odd:
            message = f"{out}: a packed set needs a new or empty folder; this one has {odd[0]!r}"
            raise RunError(message)
        begun = sum(file.stat().st_size for file in out.iterdir())
        needed = source.count * (options.channels * options.size**2 + 8) - begun
        free = shutil.disk_usage(out).free
    if needed > free:
        unit, name = (1e9, "GB") if needed >= 1e9 else (1e6, "MB")
        message = f"{out}: {needed / unit:.1f} {name} are needed and {free / unit:.1f} are free"
        raise RunError(message)


@contextlib.contextmanager
def _bar(source: Source, done: int, *, quiet: bool) -> Iterator[Any]:
    import sys

    from tqdm import tqdm

    with tqdm(
        total=source.count, initial=done, unit="image", desc="pack", dynamic_ncols=True,
        mininterval=0.5, disable=quiet or sys.stderr is None,
    ) as bar:  # fmt: skip
        yield bar
