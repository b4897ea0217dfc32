"""A trained run, read back from its folder."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .checkpoint import read_best, read_checkpoint
from .config import TrainingConfig
from .data import Data, make_data
from .errors import ConfigError, RunError
from .evaluate import Evaluation, Evaluator
from .folder import RunFolder
from .procedure import Procedure
from .specification import demand_count
from .state import TrainingState, digest, random_stream

SAMPLED = 1024
"""Samples that go through the generator at once."""


class Run:
    """A run folder with its newest checkpoint; made by :func:`load`.

    Attributes
    ----------
    config : TrainingConfig
    step : int
        Generator steps done.
    generator, critic : Module
        On the CPU. The generator maps noise (n, latent) to samples (n, d).
    averaged : Module or None
        The averaged generator, if the run keeps one.
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
        self.generator = state.generator.eval()
        self.averaged = None if state.averaged is None else state.averaged.eval()
        self.critic = state.critic

    def sample(self, n: int, seed: int = 0, *, averaged: bool = False) -> NDArray[np.float32]:
        """``n`` generated samples, shape (n, d), in the units of the data.

        The same seed gives the same samples; an image is a row, of shape ``data.image_shape``.
        With ``averaged`` they come from the averaged generator.
        """
        demand_count("sample: n", n)
        return self.generate(self.noise(n, seed), averaged=averaged)

    def noise(self, n: int, seed: int = 0) -> Tensor:
        """The standard normal input (n, latent) of the samples of ``seed``."""
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            message = f"sample: seed must be an integer of at least 0; got {seed!r}"
            raise ValueError(message)
        random = random_stream(seed, "sample")
        return torch.randn(n, self.config.latent, generator=random, dtype=torch.float32)

    def chosen(self, *, averaged: bool) -> nn.Module:
        """The averaged generator or the last one; ValueError where the run keeps no average."""
        generator = self.averaged if averaged else self.generator
        if generator is None:
            message = "sample: averaged asks for an average, and this run keeps none"
            raise ValueError(message)
        return generator

    def generate(self, noise: Tensor, *, averaged: bool = False) -> NDArray[np.float32]:
        """The samples (n, d) of given noise (n, latent)."""
        generator = self.chosen(averaged=averaged)
        with torch.no_grad():
            return np.concatenate([generator(part).numpy() for part in torch.split(noise, SAMPLED)])

    def evaluate(self, seed: int = 0, *, averaged: bool = False) -> Evaluation:
        """Compare fresh samples with the held-out data."""
        evaluator = Evaluator(self.data, Procedure.of(self.config))
        samples = torch.from_numpy(self.sample(evaluator.wanted, seed, averaged=averaged))
        return evaluator(self.critic, samples)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl; ``folder.MetricsLog`` explains them."""
        return self.folder.read_metrics()


def load(run: str | os.PathLike[str], *, best: bool = False) -> Run:
    """Read a run back.

    Parameters
    ----------
    run : path
        The folder that ``train`` wrote, finished or not.
    best : bool
        Read the checkpoint of the best evaluation, and not the newest.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        In one line, for a folder that holds no run or whose checkpoint is damaged.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    read = read_best if best else read_checkpoint
    checkpoint = read(folder.checkpoints)
    device = torch.device("cpu")
    try:
        data = make_data(config.data, device)
    except ConfigError as error:
        message = f"{folder.path}: its data cannot be read again: {error}"
        raise ConfigError(message) from None
    state = TrainingState.fresh(config, data, device)
    try:
        state.restore_networks(checkpoint.tensors, checkpoint.step)
    except (KeyError, RuntimeError, ValueError):
        message = f"{folder.path}: the checkpoint does not fit the options in run.json"
        raise RunError(message) from None
    return Run(folder, config, data, state)


def state_hash(run: "Run | str | os.PathLike[str]") -> str:
    """The identity of a run at its newest checkpoint: two equal runs have one hash.

    SHA-256, hexadecimal, over the sorted (name, dtype, shape, bytes) of all state (networks,
    moments, averaged generator, random streams, data order, pending estimates, best evaluation),
    the step, and the lines of metrics.jsonl up to it without their field ``time``.

    Parameters
    ----------
    run : Run or path

    Returns
    -------
    str

    Raises
    ------
    RunError
        As :func:`load`.
    """
    folder = run.folder if isinstance(run, Run) else RunFolder(Path(run))
    folder.demand_run()
    checkpoint = read_checkpoint(folder.checkpoints)
    total = hashlib.sha256(digest(checkpoint.tensors).encode())
    total.update(f"\nstep {checkpoint.step}\n".encode())
    for record in folder.read_metrics(checkpoint.metrics_bytes):
        record.pop("time", None)
        total.update(json.dumps(record, sort_keys=True).encode() + b"\n")
    return total.hexdigest()
