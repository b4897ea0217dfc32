"""Wasserstein GANs, trained on the estimators of ``divergences.dual``.

`train` writes a run folder, `load` reads it back, `evaluate` measures its generator against
held-out data; ``python -m wgan --help`` lists the commands.

>>> from wgan import TrainingConfig, load, train
>>> run = train(TrainingConfig(out="runs/digits", data="digits"))  # doctest: +SKIP
>>> load("runs/digits").sample(64, seed=1).shape  # doctest: +SKIP
(64, 64)
"""

from . import _command  # noqa: F401 (first: the others take time)
from .assessment import RunEvaluation, evaluate
from .config import TrainingConfig
from .data.decode import DecodeOptions
from .data.pack import pack
from .errors import ConfigError, DivergedError, InterruptedRunError, RunError, WorkersError
from .evaluate import Evaluation
from .export import load_generator
from .run import Run, load, state_hash
from .train import train

__all__ = [
    "ConfigError",
    "DecodeOptions",
    "DivergedError",
    "Evaluation",
    "InterruptedRunError",
    "Run",
    "RunError",
    "RunEvaluation",
    "TrainingConfig",
    "WorkersError",
    "evaluate",
    "load",
    "load_generator",
    "pack",
    "state_hash",
    "train",
]
