"""Wasserstein GANs, trained on the estimators of ``divergences.dual``.

>>> from wgan import TrainingConfig, load, train
>>> run = train(TrainingConfig(out="runs/digits", data="digits"))  # doctest: +SKIP
>>> load("runs/digits").sample(64, seed=1).shape  # doctest: +SKIP
(64, 64)
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from .config import TrainingConfig
    from .data.decode import DecodeOptions
    from .data.pack import pack
    from .errors import ConfigError, DivergedError, InterruptedRunError, RunError
    from .evaluate import Evaluation
    from .run import Run, load, state_hash
    from .training import train

__all__ = [
    "ConfigError",
    "DecodeOptions",
    "DivergedError",
    "Evaluation",
    "InterruptedRunError",
    "Run",
    "RunError",
    "TrainingConfig",
    "load",
    "pack",
    "state_hash",
    "train",
]

_HOMES = {
    "TrainingConfig": "config",
    "DecodeOptions": "data.decode",
    "pack": "data.pack",
    "ConfigError": "errors",
    "DivergedError": "errors",
    "InterruptedRunError": "errors",
    "RunError": "errors",
    "Evaluation": "evaluate",
    "Run": "run",
    "load": "run",
    "state_hash": "run",
    "train": "training",
}


def __getattr__(name: str) -> typing.Any:
    """A public name, from its module: torch is loaded when one needs it, and not before."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
