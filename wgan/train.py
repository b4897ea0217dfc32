"""Training: begin or continue a run, with every refusal before the first byte is written."""

import contextlib

import torch

from .board import Board
from .checkpoint import read_checkpoint
from .config import TrainingConfig
from .data import make_data
from .errors import ConfigError, RunError
from .folder import Lock, RunFolder
from .follower import Follower
from .interruptions import Interruptions
from .parallel import Workers
from .parallel.launch import PATIENCE, launcher, working_together
from .progress import same_bits, threads
from .run import Run, load
from .session import Session
from .state import TrainingState, demand_certified
from .unused import demand_convolutions, demand_read


def train(
    config: TrainingConfig,
    *,
    resume: bool = False,
    resume_step: int | None = None,
    quiet: bool = False,
    patience: float = PATIENCE,
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
    patience : float
        Seconds to wait for another process of the same run before it counts as lost; not to be
        given where there is no other.

    Returns
    -------
    Run
        The finished run, as :func:`wgan.load` gives it; in every process.

    Raises
    ------
    RunError
        For a folder, option or checkpoint that cannot be used, or an option that a new run would
        not read, with nothing changed; where memory or the disk is full, with the last checkpoint
        intact.
    DivergedError
        Where the loss or a parameter is no longer finite; the last checkpoint is intact.
    InterruptedRunError
        After SIGINT or SIGTERM: the step was finished and a checkpoint written.
    WorkersError
        Where another process was lost, or its state is another; the last checkpoint is intact.

    Notes
    -----
    With the same versions and numbers of threads and processes, a run that was killed and resumed
    equals one that was not, to the bit: on a CPU, and on a GPU with ``config.deterministic``.

    Started by torchrun, or with torch's default process group initialised, it trains with all
    processes together: the same run, up to rounding, as one process.
    """
    resume = resume or resume_step is not None
    torchrun = launcher()
    on_gpu = config.device != "cpu" and torch.cuda.is_available()
    with (
        working_together(config.device, patience) as workers,
        threads(config.threads),
        same_bits() if on_gpu and config.deterministic else contextlib.nullcontext(),
    ):
        with workers.agreement():
            session = _refused_or_ready(config, resume, resume_step, quiet, workers)
        folder = session.folder
        with (
            Lock(folder) if workers.first else contextlib.nullcontext(),
            Interruptions(patient=workers.count > 1, launcher=torchrun) as interruptions,
            torch.enable_grad(),
            contextlib.closing(session),
        ):
            with workers.agreement():
                if resume:
                    session.continue_from(read_checkpoint(folder.checkpoints, resume_step))
                else:
                    session.begin()
            workers.begin(session.state)
            session.work(interruptions)
        return load(config.out)


def _refused_or_ready(
    config: TrainingConfig, resume: bool, resume_step: int | None, quiet: bool, workers: Workers
) -> Session:
    """The session; whatever must be refused is refused here, before the first byte is written."""
    folder = RunFolder(config.out)
    if not resume:
        demand_read(config)
        demand_certified(config)
    device = choose_device(config.device)
    _demand_products(config, device)
    Board.demand(config)
    data = make_data(config.data, device)
    state = TrainingState.fresh(config, data, device)
    kind = Session if workers.first else Follower
    session = kind(config, folder, data, state, quiet, workers)
    if resume:
        _demand_same_options(folder, config)
        session.take(read_checkpoint(folder.checkpoints, resume_step))
        return session
    demand_convolutions(config, state.generator, state.critic)
    if workers.first:
        folder.demand_room()
        folder.create()
    return session


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
