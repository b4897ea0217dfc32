"""One process's work on a run: the loop, with its log, evaluations and checkpoints."""

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import asdict

import torch
from torch import Tensor

from .board import Board
from .checkpoint import (
    Checkpoint,
    keep_best,
    keep_newest,
    read_checkpoint,
    remove_newer,
    write_best,
    write_checkpoint,
)
from .config import TrainingConfig
from .data import Data
from .doctor.live import Doctor
from .doctor.measure import Examiner, Health
from .doctor.origin import Origin, find_origin
from .errors import DivergedError, InterruptedRunError, RunError, WorkersError, out_of_memory
from .evaluate import UNITS, Evaluation, Evaluator
from .folder import MetricsLog, RunFolder
from .interruptions import Interruptions
from .parallel import Workers
from .pictures import SHOWN, picture, write_picture
from .procedure import Procedure
from .progress import Clock, Voice
from .state import TrainingState, random_stream
from .step import train_step


class Session:
    """A run in progress.

    Parameters
    ----------
    config : TrainingConfig
    folder : RunFolder
    data : Data
    state : TrainingState
    quiet : bool
    workers : Workers
        The processes that train together, of which this is the first one.
    """

    def __init__(
        self,
        config: TrainingConfig,
        folder: RunFolder,
        data: Data,
        state: TrainingState,
        quiet: bool,
        workers: Workers,
    ) -> None:
        self.config, self.folder, self.data, self.state = config, folder, data, state
        self.workers, share = workers, workers.share(config.batch_size)
        workers.join(state, share)
        self.procedure = Procedure.of(config, state.penalty_random, share)
        self.estimate = self.procedure.words
        self.voice, self.clock = Voice(quiet), Clock()
        self.saved_step = -1
        self.signal: int | None = None

    def begin(self) -> None:
        """A new run; it exists once run.json does, which is written last."""
        self.folder.demand_room()
        self.log = MetricsLog(self.folder.metrics, keep_bytes=0)
        self.doctor = Doctor(self.config)
        self.save()
        self.folder.write_description(self.config)

    def take(self, checkpoint: Checkpoint) -> None:
        """Take the state of a checkpoint; RunError if options or log do not fit it."""
        try:
            self.state.restore(checkpoint.tensors, checkpoint.step)
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            message = f"{self.folder.path}: the checkpoint does not fit the options ({error})"
            raise RunError(message.replace("\n", " ")) from None
        MetricsLog.demand_bytes(self.folder.metrics, checkpoint.metrics_bytes)
        self.records = self.folder.read_metrics(checkpoint.metrics_bytes)

    def continue_from(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; later lines of the log are done again."""
        self.take(checkpoint)
        self.folder.create()  # pictures that were removed leave no folder
        # in this order: a kill in between leaves a newest checkpoint that the log still covers
        remove_newer(self.folder.checkpoints, checkpoint.step)
        self.folder.update_config(self.config)
        self.log = MetricsLog(self.folder.metrics, keep_bytes=checkpoint.metrics_bytes)
        self.doctor = Doctor(self.config, self.records)
        # what a kill between a checkpoint and the removal of older ones has left
        keep_newest(self.folder.checkpoints, checkpoint.step, self.config.keep)
        keep_best(self.folder.checkpoints, self.state.best[1])
        self.saved_step = checkpoint.step
        self.voice.say(f"{self.folder.path}: continues at step {checkpoint.step}")

    def work(self, interruptions: Interruptions) -> None:
        """Steps until all are done or a signal arrives, and a last checkpoint in either case."""
        config, state, workers = self.config, self.state, self.workers
        try:
            with workers.agreement(), self.safe():
                self.prepare()
            with self.voice.bar(config.data, state.step, config.steps) as self.bar:
                while state.step < config.steps and not self.interrupted(interruptions):
                    self.advance()
            workers.demand_equal(state)
            with workers.agreement():
                self.finish()
        except WorkersError as error:
            message = (
                f"stopped at step {state.step}: {error}; {self.intact}, "
                f"continue with --resume --out {shlex.quote(str(config.out))}"
            )
            raise WorkersError(message) from None

    def prepare(self) -> None:
        """What the first step waits for, and the line of step 0."""
        config, state = self.config, self.state
        self.workers.measure(config, self.data, state.device)
        self.evaluator = Evaluator(self.data, self.procedure)
        self.examiner = Examiner(config, self.data, self.evaluator.held_out)
        self.noise = evaluation_noise(config, self.evaluator.wanted).to(state.device)
        self.board = Board(config, state.step)
        self.clock, self.logged_step = Clock(), state.step
        if state.step == 0 and self.log.sync() == 0:
            self.write({"step": 0, **self.evaluate().to_json()})

    def finish(self) -> None:
        """The last checkpoint; InterruptedRunError where a signal came before the last step."""
        step = self.state.step
        if self.saved_step != step:
            with self.safe():
                self.save()
        if self.signal is not None and step < self.config.steps:
            out = shlex.quote(str(self.config.out))
            message = f"stopped at step {step}; continue with --resume --out {out}"
            raise InterruptedRunError(message, self.signal)

    def interrupted(self, interruptions: Interruptions) -> bool:
        """Whether a signal has arrived, at any process."""
        with self.clock:
            self.signal = self.workers.signal(interruptions.signal)
        return self.signal is not None

    def advance(self) -> None:
        """One generator step, and what is due after it: log, evaluation, checkpoint."""
        config = self.config
        with self.clock:
            self.state.estimates.append(self.step())
        self.bar.update()
        saves = self.due(config.eval_every) or self.state.step % config.checkpoint_every == 0
        if saves:
            self.workers.demand_equal(self.state)
        if saves or self.due(config.log_every):
            with self.workers.agreement(), self.safe():
                self.record()

    def record(self) -> None:
        """What is due after this step: log, evaluation, checkpoint."""
        record: dict[str, object] = {}
        if self.due(self.config.log_every):
            record |= self.read_estimates()
        evaluation = None
        if self.due(self.config.eval_every):
            evaluation = self.evaluate()
            record |= evaluation.to_json()
        if record:
            self.write({"step": self.state.step, **record})
        if evaluation is not None and evaluation.score < self.state.best[0]:
            self.state.best = (evaluation.score, self.state.step)
            write_best(self.folder.checkpoints, self.checkpoint())
        if self.state.step % self.config.checkpoint_every == 0:
            self.save()

    @contextlib.contextmanager
    def safe(self) -> Iterator[None]:
        """Where a file cannot be written or memory does not suffice, say what is intact."""
        try:
            yield
        except (RunError, RuntimeError, MemoryError) as error:
            if type(error) is RunError:
                what = str(error)
            elif not isinstance(error, RunError) and out_of_memory(error):
                what = f"the memory of {self.state.device} does not suffice for these options"
            else:  # a divergence says so itself
                raise
            message = f"stopped at step {self.state.step}: {what}; {self.intact}"
            raise RunError(message) from None

    def step(self) -> Tensor:
        """One generator step."""
        with self.safe(), self.workers.stepping():
            return self.workers.sum(train_step(self.state, self.procedure))

    def due(self, every: int) -> bool:
        """Whether this step is one of every so many, or the last."""
        return self.state.step % every == 0 or self.state.step == self.config.steps

    def read_estimates(self) -> dict[str, object]:
        """The critic's estimates since the last line: the one moment that waits for the device."""
        values = torch.stack(self.state.estimates).tolist()
        self.state.estimates.clear()
        for value in values:
            if value - value != 0:  # NaN or infinite
                self.diverged(f"the critic estimate is {value}")
        shown = f"{values[-1]:.3g} ({self.estimate.short})"
        self.bar.set_postfix_str(f"{self.estimate.name} {shown}", refresh=False)
        return {"critic_estimate": values[-1], "critic_estimates": values}

    def diverged(self, what: str) -> None:
        """Stop: the numbers are no longer finite."""
        origin = self.origin()
        record = {"step": self.state.step, "diverged": what, "time": self.clock.lap(0)}
        self.log.write(record if origin is None else {**record, "origin": asdict(origin)})
        where = "" if origin is None else f", {origin.sentence()}"
        message = f"stopped at step {self.state.step}: {what}{where}; {self.intact}"
        raise DivergedError(message)

    @property
    def intact(self) -> str:
        """What a run that is stopped has left, in words."""
        if self.saved_step < 0:
            return "no checkpoint was written"
        return f"the checkpoint of step {self.saved_step} is intact"

    def origin(self) -> Origin | None:
        """Where the first number that is not finite comes from, if the steps can be repeated."""
        self.voice.say(f"not finite: looks for the first place, from step {self.saved_step} on")
        try:
            checkpoint = read_checkpoint(self.folder.checkpoints, self.saved_step)
            return find_origin(self.config, self.data, checkpoint, self.state.step)
        except RunError:
            return None
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):  # for a second state: the first one is what diverged
                raise
            return None

    @torch.no_grad()
    def evaluate(self) -> Evaluation:
        """Compare with held-out data, say so, and keep a picture."""
        step, generator = self.state.step, self.state.generator
        generator.eval()
        samples = generator(self.noise)
        generator.train()
        bad = self.state.not_finite()
        if bad is not None or not bool(samples.isfinite().all()):
            self.diverged(f"{bad or 'a generated sample'} is not finite")
        evaluation = self.evaluator(self.state.critic, samples)
        if (odd := evaluation.not_finite()) is not None:
            self.diverged(odd)
        self.voice.say(f"step {step}: {evaluation.sentence()}")
        self.health: Health = self.examiner(self.state, samples)
        pace = self.workers.pace()
        if pace is not None:
            self.voice.say(pace)
        shape = self.data.image_shape
        shown = samples.cpu() if shape is None else samples[:SHOWN].cpu()
        content = picture(shown.numpy(), self.evaluator.held_out.cpu().numpy(), shape)
        write_picture(self.folder.samples / f"{step:08d}.png", content)
        self.board.show(content, step)
        return evaluation

    def write(self, record: dict[str, object]) -> None:
        """A line of the log."""
        steps = self.state.step - self.logged_step
        times = self.clock.lap(steps)
        if "floor" in record:  # of an evaluation
            record["health"] = self.health
        found = self.doctor.see(record)
        if found:
            record["findings"] = [finding.to_json() for finding in found]
        for finding in found:
            self.voice.say(finding.sentence())
        self.log.write({**record, "time": times | self.workers.lap(steps, self.clock.lapped)})
        self.board.write(record, UNITS)
        self.logged_step = self.state.step

    def checkpoint(self) -> Checkpoint:
        """The state as it goes to a file; DivergedError if it is no longer finite."""
        bad = self.state.not_finite()
        if bad is not None:
            self.diverged(f"{bad} is not finite")
        return Checkpoint(self.state.step, self.log.sync(), self.state.tensors())

    def save(self) -> None:
        """Write a checkpoint, unless the state is no longer finite."""
        write_checkpoint(self.folder.checkpoints, self.checkpoint(), self.config.keep)
        keep_best(self.folder.checkpoints, self.state.best[1])
        self.saved_step = self.state.step

    def close(self) -> None:
        """Close log and board."""
        for file in ("log", "board"):
            if hasattr(self, file):
                getattr(self, file).close()


def evaluation_noise(config: TrainingConfig, count: int) -> Tensor:
    """The noise of all evaluations of a run, shape (count, latent), on the CPU."""
    return torch.randn(
        count,
        config.latent,
        generator=random_stream(config.seed, "evaluation"),
        dtype=torch.float32,
    )
