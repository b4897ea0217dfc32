"""Training: Algorithm 1 with a log, evaluations and checkpoints around it."""

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from divergences.dual import Constraint, WeightClipping

from .checkpoint import Checkpoint, read_checkpoint, remove_newer, write_checkpoint
from .config import TrainingConfig
from .data import Data, make_data
from .errors import ConfigError, DivergedError, InterruptedRunError, RunError
from .evaluate import Evaluator
from .folder import Lock, MetricsLog, RunFolder
from .interruptions import Interruptions
from .pictures import SHOWN, picture, write_picture
from .run import Run, load
from .state import TrainingState, random_stream
from .step import train_step


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
        For a folder, option or checkpoint that cannot be used, with nothing changed.
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
    data = make_data(config.data, device)
    session = _Session(config, folder, data, TrainingState.fresh(config, data, device), quiet)
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
        _threads(config.threads),
        torch.enable_grad(),
    ):
        if resume:
            session.continue_from(read_checkpoint(folder.checkpoints, resume_step))
        else:
            folder.demand_room()
            session.begin()
        with contextlib.closing(session.log):
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


@dataclass
class _Session:
    """One process's work on a run."""

    config: TrainingConfig
    folder: RunFolder
    data: Data
    state: TrainingState
    quiet: bool

    def __post_init__(self) -> None:
        self.constraint: Constraint = WeightClipping(self.config.clip)
        self.saved_step = -1

    def begin(self) -> None:
        """A new run; it exists once run.json does, which is written last."""
        self.log = MetricsLog(self.folder.metrics, keep_bytes=0)
        self.save()
        self.folder.write_description(self.config)

    def take(self, checkpoint: Checkpoint) -> None:
        """Take the state of a checkpoint; RunError if options or log do not fit it."""
        try:
            self.state.restore(checkpoint.tensors, checkpoint.step)
        except (KeyError, RuntimeError, ValueError) as error:
            message = f"{self.folder.path}: the checkpoint does not fit the options ({error})"
            raise RunError(message.replace("\n", " ")) from None
        MetricsLog.demand_bytes(self.folder.metrics, checkpoint.metrics_bytes)

    def continue_from(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; later lines of the log are done again."""
        self.take(checkpoint)
        # in this order: a kill in between leaves a newest checkpoint that the log still covers
        remove_newer(self.folder.checkpoints, checkpoint.step)
        self.folder.update_config(self.config)
        self.log = MetricsLog(self.folder.metrics, keep_bytes=checkpoint.metrics_bytes)
        self.saved_step = checkpoint.step
        self.say(f"{self.folder.path}: continues at step {checkpoint.step}")

    def work(self, interruptions: Interruptions) -> None:
        """Steps until all are done or a signal arrives, and a last checkpoint in either case."""
        config, state = self.config, self.state
        evaluator = Evaluator(self.data, self.constraint)
        noise = evaluation_noise(config, len(evaluator.held_out)).to(state.device)
        clock, logged_step = _Clock(), state.step
        with self.progress_bar() as bar:
            if state.step == 0 and self.log.sync() == 0:
                record = {"step": 0, **self.evaluate(evaluator, noise)}
                self.log.write({**record, "time": clock.lap(steps=0)})
            while state.step < config.steps and interruptions.signal is None:
                with clock:
                    estimate = train_step(
                        state, self.data, self.constraint, config.batch_size, config.critic_steps
                    )
                bar.update()
                record = {}
                if self.due(config.log_every):
                    record["critic_estimate"] = self.checked(estimate)
                    shown = f"{record['critic_estimate']:.3g} (unknown Lipschitz unit)"
                    bar.set_postfix_str(f"critic estimate {shown}", refresh=False)
                if self.due(config.eval_every):
                    self.checked(estimate)
                    record |= self.evaluate(evaluator, noise)
                if record:
                    times = clock.lap(state.step - logged_step)
                    self.log.write({"step": state.step, **record, "time": times})
                    logged_step = state.step
                if state.step % config.checkpoint_every == 0:
                    self.save()
        if self.saved_step != state.step:
            self.save()
        if interruptions.signal is not None and state.step < config.steps:
            message = f"stopped at step {state.step}; continue with --resume --out {config.out}"
            raise InterruptedRunError(message, interruptions.signal)

    def due(self, every: int) -> bool:
        """Whether this step is one of every so many, or the last."""
        return self.state.step % every == 0 or self.state.step == self.config.steps

    def checked(self, estimate: Tensor) -> float:
        """The critic's estimate as a number; DivergedError if it is none."""
        value = float(estimate)
        if value - value != 0:  # NaN or infinite
            self.diverged(f"the critic estimate is {value}")
        return value

    def diverged(self, what: str) -> None:
        message = (
            f"stopped at step {self.state.step}: {what}; "
            f"the checkpoint of step {self.saved_step} is intact"
        )
        raise DivergedError(message)

    def evaluate(self, evaluator: Evaluator, noise: Tensor) -> dict[str, float]:
        """Compare with held-out data, say so, and keep a picture."""
        with torch.no_grad():
            samples = self.state.generator(noise).cpu()
        bad = self.state.not_finite()
        if bad is not None or not bool(samples.isfinite().all()):
            self.diverged(f"{bad or 'a generated sample'} is not finite")
        evaluation = evaluator(self.state.critic, samples)
        self.say(f"step {self.state.step}: {evaluation.sentence()}")
        shape = self.data.image_shape
        shown = samples if shape is None else samples[:SHOWN]
        content = picture(shown.numpy(), evaluator.held_out.numpy(), shape)
        write_picture(self.folder.samples / f"{self.state.step:08d}.png", content)
        return evaluation.to_json()

    def save(self) -> None:
        """Write a checkpoint, unless the state is no longer finite."""
        bad = self.state.not_finite()
        if bad is not None:
            self.diverged(f"{bad} is not finite")
        checkpoint = Checkpoint(self.state.step, self.log.sync(), self.state.tensors())
        write_checkpoint(self.folder.checkpoints, checkpoint)
        self.saved_step = self.state.step

    def say(self, line: str) -> None:
        if self.quiet or sys.stdout is None:
            return
        from tqdm import tqdm

        try:
            tqdm.write(line, file=sys.stdout)
            sys.stdout.flush()
        except OSError:  # nobody listens any more: that is no reason to stop training
            self.quiet = True

    def progress_bar(self) -> Any:
        from tqdm import tqdm

        return tqdm(
            total=self.config.steps,
            initial=self.state.step,
            unit="generator step",
            desc=self.config.data,
            disable=self.quiet or sys.stderr is None,
            dynamic_ncols=True,
            mininterval=0.5,
        )


class _Clock:
    """Seconds since training began in this process, and steps a second without evaluations."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._in_steps = 0.0

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._in_steps += time.perf_counter() - self._entered

    def lap(self, steps: int) -> dict[str, float]:
        """The time fields of a line of the log; a new lap begins."""
        spent, self._in_steps = self._in_steps, 0.0
        return {
            "elapsed_s": round(time.perf_counter() - self._start, 3),
            "steps_per_s": round(steps / spent, 3) if spent > 0 else 0.0,
        }


class _threads:  # noqa: N801
    """Set torch's number of CPU threads for a while; 0 leaves it."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> None:
        self._former = torch.get_num_threads()
        if self._count:
            torch.set_num_threads(self._count)

    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(self._former)


def evaluation_noise(config: TrainingConfig, count: int) -> Tensor:
    """The noise of all evaluations of a run, shape (count, latent), on the CPU."""
    return torch.randn(
        count,
        config.latent,
        generator=random_stream(config.seed, "evaluation"),
        dtype=torch.float32,
    )


def _demand_same_options(folder: RunFolder, config: TrainingConfig) -> None:
    differences = folder.read_config().differences(config)
    if differences:
        message = (
            f"{folder.path}: a resumed run keeps its options; these differ (run -> now): "
            + "; ".join(differences)
        )
        raise RunError(message)
