"""Curves and pictures for TensorBoard, for those who ask for them."""

import importlib.util
import io
from typing import Any

from .config import TrainingConfig
from .errors import ConfigError
from .folder import RunFolder


class Board:
    """Writes into the folder ``tensorboard`` of a run; does nothing where that was not asked for.

    Parameters
    ----------
    config : TrainingConfig
    step : int
        Of the checkpoint that is continued: what was written for later steps is hidden.
    """

    def __init__(self, config: TrainingConfig, step: int) -> None:
        self._writer: Any = None
        if config.tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            folder = RunFolder(config.out).board
            self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    @staticmethod
    def demand(config: TrainingConfig) -> None:
        """ConfigError where TensorBoard is asked for and missing."""
        if config.tensorboard and importlib.util.find_spec("tensorboard") is None:
            message = "option tensorboard needs the package tensorboard: pip install tensorboard"
            raise ConfigError(message)

    def write(self, record: dict[str, Any], units: dict[str, str]) -> None:
        """The numbers of a line of the log, each under its name with its unit."""
        if self._writer is None:
            return
        for name, value in record.items():
            if name != "step" and isinstance(value, float):
                label = f"{name} ({units[name]})" if name in units else name
                self._writer.add_scalar(label, value, record["step"])

    def show(self, png: bytes, step: int) -> None:
        """A picture of samples."""
        if self._writer is None:
            return
        import numpy as np
        from PIL import Image

        with Image.open(io.BytesIO(png)) as image:
            pixels = np.asarray(image.convert("RGB"))
        self._writer.add_image("samples of the same noise", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Bring everything to the disk."""
        if self._writer is not None:
            self._writer.close()
