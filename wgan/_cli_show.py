"""The commands ``wgan interpolate`` and ``wgan animate``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from .errors import RunError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .run import Run


@dataclass(frozen=True)
class Interpolate:
    """Samples on the way from one input of the generator to another, a path in each row."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    out: Path
    """File to write: .png, a moving .gif, or .npy for an array of shape (paths, count, d)."""
    paths: int = 8
    """How many paths."""
    count: int = 9
    """Samples on each, its ends among them."""
    seed: int = 0
    """Seed of the ends: in pairs, the samples that wgan sample draws with it."""
    path: Literal["spherical", "linear"] = "spherical"
    """Spherical keeps to lengths that normal inputs have; straight lines pass shorter ones."""
    averaged: bool = False
    """Take the averaged generator and not the last one."""
    best: bool = False
    """Take the checkpoint of the best evaluation and not the newest."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        from .folder import demand_foreign
        from .interpolation import interpolate
        from .run import load

        if self.out.suffix not in (".png", ".gif", ".npy"):
            message = f"option out must end in .png, .gif or .npy; got {self.out.name!r}"
            raise RunError(message)
        demand_foreign(self.out)
        run = load(self.run, best=self.best)
        try:
            samples = interpolate(
                run, self.paths, self.count, self.seed, path=self.path, averaged=self.averaged
            )
        except ValueError as error:
            raise RunError(str(error)) from None
        _write(self.out, samples, run)
        print(f"{self.out}: {self.paths} {self.path} paths of {self.count} samples")
        return 0


def _write(out: Path, samples: "NDArray[np.float32]", run: "Run") -> None:
    import numpy as np

    from .animation import opened, write_animation
    from .checkpoint import write_atomically
    from .pictures import picture

    real, shape = run.data.held_out.numpy(), run.data.image_shape
    if out.suffix == ".npy":
        write_atomically(out, lambda file: np.save(file, samples))
    elif out.suffix == ".png":
        content = picture(samples.reshape(-1, samples.shape[-1]), real, shape, samples.shape[1])
        write_atomically(out, lambda file: file.write(content))
    else:
        frames = [opened(picture(column, real, shape)) for column in samples.swapaxes(0, 1)]
        write_animation(out, [*frames, *frames[-2:0:-1]], rate=8.0)  # there and back


@dataclass(frozen=True)
class Animate:
    """The pictures of a run's evaluations, the same noise in all, as one moving picture."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    out: Path
    """File to write: .gif, or .png for an animated PNG with all colours."""
    frames: int = 120
    """Most pictures shown."""
    rate: float = 8.0
    """Pictures a second."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        from .animation import animate_run, animation_format
        from .folder import demand_foreign
        from .runlog import read_log

        animation_format(self.out)
        demand_foreign(self.out)
        if self.frames < 2 or not 0.1 <= self.rate <= 50:
            message = (
                "animate needs frames of at least 2 and a rate from 0.1 to 50; "
                f"got {self.frames} and {self.rate}"
            )
            raise RunError(message)
        count = animate_run(read_log(self.run), self.out, frames=self.frames, rate=self.rate)
        print(f"{self.out}: {count} pictures")
        return 0
