"""A trained run, read back from its folder."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from divergences.dual import WeightClipping

from .checkpoint import read_checkpoint
from .config import TrainingConfig
from .data import Data, make_data
from .errors import RunError
from .evaluate import Evaluation, Evaluator
from .folder import RunFolder
from .state import TrainingState, random_stream


class Run:
    """A run folder with its newest checkpoint; made by :func:`load`.

    Attributes
    ----------
    config : TrainingConfig
    step : int
        Generator steps done.
    generator, critic : Sequential
        On the CPU. The generator maps noise (n, latent) to samples (n, d).
    data : Data
        The data set it was trained on.
    """

    def __init__(
        self, folder: RunFolder, config: TrainingConfig, data: Data, state: TrainingState
    ) -> None:
        self.folder = folder
        self.config = config
        self.data = data
        self.step = state.step
        self.generator = state.generator
        self.critic = state.critic

    def sample(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """``n`` generated samples, shape (n, d), in the units of the data.

        The same seed gives the same samples; an image is a row, of shape ``data.image_shape``.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            message = f"sample: n must be a positive integer; got {n!r}"
            raise ValueError(message)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            message = f"sample: seed must be an integer of at least 0; got {seed!r}"
            raise ValueError(message)
        noise = torch.randn(
            n, self.config.latent, generator=random_stream(seed, "sample"), dtype=torch.float32
        )
        with torch.no_grad():
            return np.asarray(self.generator(noise).numpy())

    def evaluate(self, seed: int = 0) -> Evaluation:
        """Compare fresh samples, as many as data are held out, with the held-out data."""
        samples = torch.from_numpy(self.sample(len(self.data.held_out), seed))
        return Evaluator(self.data, WeightClipping(self.config.clip))(self.critic, samples)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl; ``folder.MetricsLog`` explains them."""
        return self.folder.read_metrics()


def load(run: str | os.PathLike[str]) -> Run:
    """Read a run back.

    Parameters
    ----------
    run : path
        The folder that ``train`` wrote, finished or not.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        In one line, for a folder that holds no run or whose newest checkpoint is damaged.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    checkpoint = read_checkpoint(folder.checkpoints)
    device = torch.device("cpu")
    data = make_data(config.data, device)
    state = TrainingState.fresh(config, data, device)
    try:
        state.restore(checkpoint.tensors, checkpoint.step)
    except (KeyError, RuntimeError, ValueError):
        message = f"{folder.path}: the checkpoint does not fit the options in run.json"
        raise RunError(message) from None
    return Run(folder, config, data, state)
