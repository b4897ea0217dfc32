"""The command ``wgan export``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class Export:
    """Write a run's generator as one file, checked, with a model card beside it."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    out: Path
    """File to write; the card is called as it is, and .md."""
    to: Literal["safetensors", "onnx"] = "safetensors"
    """Parameters that load into a torch module, or a program for onnxruntime (any batch size)."""
    averaged: bool = False
    """Take the averaged generator and not the last one."""
    best: bool = False
    """Take the checkpoint of the best evaluation and not the newest."""

    def __call__(self) -> int:
        """Write file and card; returns the exit status."""
        from .export import export
        from .model_card import card_path
        from .run import load

        run = load(self.run, best=self.best)
        check = export(run, self.to, self.out, averaged=self.averaged)
        print(
            f"{self.out}: the {'averaged' if self.averaged else 'last'} generator at step "
            f"{run.step}; {check.program} differs from it by {check.deviation:.2g} of the range "
            f"of its values"
        )
        print(f"model card: {card_path(self.out)}")
        return 0
