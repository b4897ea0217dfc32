"""Wasserstein GANs, trained on the estimators of ``divergences.dual``.

>>> from wgan import TrainingConfig, load, train
>>> run = train(TrainingConfig(out="runs/digits", data="digits"))  # doctest: +SKIP
>>> load("runs/digits").sample(64, seed=1).shape  # doctest: +SKIP
(64, 64)
"""

from .config import TrainingConfig
from .errors import ConfigError, DivergedError, InterruptedRunError, RunError
from .evaluate import Evaluation
from .export import load_generator
from .run import Run, load, state_hash
from .train import train

__all__ = [
    "ConfigError",
    "DivergedError",
    "Evaluation",
    "InterruptedRunError",
    "Run",
    "RunError",
    "TrainingConfig",
    "load",
    "load_generator",
    "state_hash",
    "train",
]
