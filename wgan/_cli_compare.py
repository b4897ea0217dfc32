"""The command ``wgan compare``."""

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Compare:
    """Show runs beside each other in one HTML file: curves, samples, numbers, options that differ.

    Estimates of different units are never on one axis, nor distances to different data.
    """

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders, two or more."""
    out: Path
    """HTML file to write."""

    def __call__(self) -> int:
        """Write the file; returns the exit status."""
        from .comparison import write_comparison

        write_comparison(self.runs, self.out)
        print(f"comparison of {len(self.runs)} runs: {self.out}")
        return 0
