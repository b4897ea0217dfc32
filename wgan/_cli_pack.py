"""The command ``wgan pack``."""

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import tyro

from .errors import ConfigError


@dataclass(frozen=True)
class Pack:
    """Turn a folder of images or an lmdb into a packed set, which --data then takes.

    One pass, of constant memory; the same command continues one that was stopped.
    """

    source: tyro.conf.Positional[Path]
    """Folder of images, at any depth, or an lmdb; with --verify the packed set to check."""
    out: tyro.conf.Positional[Path | None] = None
    """Folder of the packed set: new, empty, or that of a pass that was stopped."""
    size: int | None = None
    """Pixels of a side of the packed images."""
    crop: Literal["center", "squash", "exact"] = "center"
    """center: the largest central square, resized; squash: the whole image, whatever its
    proportions; exact: only images that have the size already."""
    channels: Literal[1, 3] = 3
    """3 for RGB, 1 for grey."""
    alpha: Literal["white", "black", "refuse"] = "white"
    """What stands behind transparent images, or that they count as unreadable."""
    on_corrupt: Literal["skip", "fail"] = "skip"
    """Unreadable images are listed in entries.jsonl and left out, or end the pass."""
    verify: bool = False
    """Compare the images of a packed set with the SHA-256 in its manifest, and do nothing else."""

    def __call__(self) -> int:
        """Pack; returns the exit status."""
        from .data.decode import DecodeOptions
        from .data.pack import pack
        from .data.packed import verify_packed

        if self.verify:
            apart = ("source", "verify")
            others = [field for field in fields(self) if field.name not in apart]
            if any(getattr(self, field.name) != field.default for field in others):
                message = "pack --verify takes a packed set and nothing else"
                raise ConfigError(message)
            print(f"{self.source}: intact, SHA-256 {verify_packed(self.source)}")
            return 0
        if self.out is None or self.size is None:
            message = "pack needs a source, a folder for the packed set, and --size"
            raise ConfigError(message)
        options = DecodeOptions(self.size, self.crop, self.channels, self.alpha)
        print(summary(self.out, pack(self.source, self.out, options, on_corrupt=self.on_corrupt)))
        return 0


def summary(out: Path, manifest: dict[str, Any]) -> str:
    """What a pass did, and all that it left out or changed, as lines for people."""
    size = manifest["size"]
    kind = "RGB" if manifest["channels"] == 3 else "grey"
    lines = [
        f"{out}: {manifest['count']} {kind} images of {size}x{size}, SHA-256 {manifest['sha256']}"
    ]
    if manifest["skipped"]:
        lines.append(
            f"unusable and left out: {manifest['skipped']}, listed in {out / 'entries.jsonl'}; "
            f"the first: {manifest['first_skipped']}"
        )
    if manifest["passed_over"]:
        lines.append(f"{manifest['passed_over']} other files are no images by their names")
    if manifest["enlarged"]:
        lines.append(f"{manifest['enlarged']} images are smaller than {size} pixels: enlarged")
    lines.append(f"train on it: wgan train --data {shlex.quote(str(out))}")
    return "\n".join(lines)
