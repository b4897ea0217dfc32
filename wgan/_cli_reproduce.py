"""The command ``wgan reproduce``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

Figure = Literal["fig1", "fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "modes", "momentum"]
"""What ``wgan reproduce`` takes: the names in ``experiments.EXPERIMENTS``."""


@dataclass(frozen=True)
class Reproduce:
    """Run one of the paper's figures on data of your own, or continue it; a page and JSON.

    The conclusions are computed from the numbers. Finished runs in OUT are kept.
    """

    figure: tyro.conf.Positional[Figure]
    """fig1 and fig2 are mathematics; fig3 and fig4 estimates beside quality; fig5 to fig7 runs over
    networks and rates, counted; modes counts mode collapse, momentum tries Adam's beta1."""
    out: Path
    """Folder of the experiment: new, empty, or that of the same one."""
    data: str | None = None
    """Data as wgan train takes them, such as train-images-idx3-ubyte.gz,pad=2; ring or
    stacked,folder=mnist for modes."""
    scale: Literal["reduced", "full"] = "reduced"
    """Networks of 16 filters and an hour in all, or the paper's networks and 200,000 steps."""
    minutes: float | None = None
    """Minutes for all runs together, about; steps follow from the speed of this machine."""
    steps: int | None = None
    """Generator steps of each run, instead of minutes."""
    cases: tuple[str, ...] = ()
    """Runs of the figure, by name, that alone are made, such as wgan-dcgan; all by default."""
    seed: int = 0
    """Seed of every run."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    threads: int = 1
    """CPU threads of torch."""

    def __call__(self) -> int:
        """Run the experiment; returns the exit status."""
        from .experiments import Settings, reproduce

        result = reproduce(Settings(**self.__dict__))
        print("\nwhat these numbers show:")
        for words in result["conclusions"]:
            print(f"- {words}")
        print(f"page: {self.out / 'report.html'}\nnumbers: {self.out / 'result.json'}")
        return 0
