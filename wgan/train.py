"""Training: begin or continue a run, with every refusal before the first byte is written."""

import contextlib

import torch

from .board import Board
from .checkpoint import read_checkpoint
from .config import TrainingConfig
from .data import make_data
from .errors import ConfigError, RunError
from .folder import Lock, RunFolder
from .interruptions import Interruptions
from .progress import threads
from .run import Run, load
from .session import Session
from .state import TrainingState


def train(
    config: TrainingConfig,
    *,
    resume: bool = False,
    resume_step: int | None = None,
    quiet: bool = False,
) -> Run:
    """Train a Wasserstein GAN, or continue a run.

    Parameters
    ----------
    config : TrainingConfig
        All options; ``config.out`` is the run folder.
    resume : bool
        Continue from the newest checkpoint in the folder. Options that enter the algorithm must
        be those of the run; see ``config.FREE_ON_RESUME`` for the others.
    resume_step : int, optional
        Continue from the checkpoint of this step instead; implies ``resume``.
    quiet : bool
        No progress bar on standard error and no evaluations on standard output.

    Returns
    -------
    Run
        The finished run, as :func:`wgan.load` gives it.

    Raises
    ------
    RunError
        For a folder, option or checkpoint that cannot be used, with nothing changed; where memory
        or the disk is full, with the last checkpoint intact.
    DivergedError
        Where the loss or a parameter is no longer finite; the last checkpoint is intact.
    InterruptedRunError
        After SIGINT or SIGTERM: the step was finished and a checkpoint written.

    Notes
    -----
    On a CPU, with the same versions and number of threads, a run that was killed and resumed
    equals one that was not, to the bit.
    """
    folder = RunFolder(config.out)
    resume = resume or resume_step is not None
    device = choose_device(config.device)
    _demand_products(config, device)
    Board.demand(config)
    data = make_data(config.data, device)
    session = Session(config, folder, data, TrainingState.fresh(config, data, device), quiet)
    # whatever must be refused is refused here, before the lock writes the first byte
    if resume:
        _demand_same_options(folder, config)
        session.take(read_checkpoint(folder.checkpoints, resume_step))
    else:
        folder.demand_room()
        folder.create()
    with (
        Lock(folder),
        Interruptions() as interruptions,
        threads(config.threads),
        torch.enable_grad(),
    ):
        if resume:
            session.continue_from(read_checkpoint(folder.checkpoints, resume_step))
        else:
            folder.demand_room()
            session.begin()
        with contextlib.closing(session):
            session.work(interruptions)
    return load(config.out)


def choose_device(name: str) -> torch.device:
    """The torch device of an option: ``auto`` is a GPU if there is one, else the CPU."""
    if name == "cuda" and not torch.cuda.is_available():
        message = "option device is cuda, but torch finds no CUDA device"
        raise ConfigError(message)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _demand_products(config: TrainingConfig, device: torch.device) -> None:
    """ConfigError for bfloat16 on a processor without it: a step would take minutes."""
    if config.precision == "bfloat16" and device.type == "cpu":
        asked = [getattr(torch.cpu, name, None) for name in _PRODUCTS]
        if not any(ask is not None and ask() for ask in asked):
            message = "option precision: this processor has no bfloat16 products; use float32"
            raise ConfigError(message)


_PRODUCTS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
"""torch's questions to the processor."""


def _demand_same_options(folder: RunFolder, config: TrainingConfig) -> None:
    differences = folder.read_config().differences(config)
    if differences:
        message = (
            f"{folder.path}: a resumed run keeps its options; these differ (run -> now): "
            + "; ".join(differences)
        )
        raise RunError(message)
