"""The loop that trains critics for an estimate: ascent steps, a cosine rate, the best kept."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ._activations import works_in_place
from ._ascent import ascent_step
from ._cones import ConeCritic
from ._constraint import Constraint
from ._maxout import MaxoutCritic
from ._objective import dual_objective

Batch = Callable[[], tuple[Tensor, Tensor | None]]
_CHECKS = 20  # looks at the validation points in one training
_APART = 8  # steps between two looks, at least
_PATIENCE = 8  # of them without a better value, after which training on a finite sample ends
_COLLAPSED = 1e-6


class NonFiniteObjectiveError(ArithmeticError):
    """The dual objective of a critic in training became infinite or NaN."""


class CollapsedCriticError(ArithmeticError):
    """A trained critic is flat: the norm of its gradient is below 1e-6 everywhere."""


@dataclass(frozen=True)
class Progress:
    """One look at a critic in training.

    Attributes
    ----------
    stage : which critic
    step : ascent steps taken by it
    seconds : since the start of the estimate
    value : dual objective at the points that are kept to choose by, in the units of the data
    """

    stage: str
    step: int
    seconds: float
    value: float


@dataclass
class Log:
    """What has happened so far, and who is told."""

    bar: Any
    start: float  # of time.monotonic()
    scale: float = 1.0
    entries: list[Progress] = field(default_factory=list)

    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.start

    def look(self, stage: str, step: int, value: float) -> None:
        """Note a validation value; refuse one that is no number."""
        if not math.isfinite(value):
            message = (
                f"wasserstein1_dual: the objective of {stage} is {value} after {step} steps "
                "(a critic that is 1-Lipschitz by construction cannot diverge)"
            )
            raise NonFiniteObjectiveError(message)
        self.entries.append(Progress(stage, step, self.seconds(), value * self.scale))
        if self.bar is not None:
            self.bar.set_postfix_str(f"{stage}: {value * self.scale:.6g}")


@dataclass(frozen=True)
class Schedule:
    """How fast one critic is trained.

    Attributes
    ----------
    rate : first learning rate of Adam, in standardised units; it falls to 0 along a cosine
    temperatures : first and last temperature of a critic with a smooth maximum
    end : the part of the clock's time at which rate and temperature arrive
    betas : of Adam
    """

    rate: float
    temperatures: tuple[float, float] | None = None
    end: float = 1.0
    betas: tuple[float, float] = (0.9, 0.99)


class Clock:
    """How much of the steps and seconds that critics are trained together is used up."""

    def __init__(self, steps: int, seconds: float) -> None:
        self.steps, self.seconds = steps, max(seconds, 1e-3)
        self.taken = 0
        self.begin = time.monotonic()

    def done(self) -> float:
        """Between 0 and 1, and 1 at the end."""
        return max(self.taken / self.steps, (time.monotonic() - self.begin) / self.seconds)


Held = tuple[tuple[Tensor, Tensor | None], tuple[Tensor, Tensor | None]]


class Training:
    """One critic on its way: its optimiser and schedule, and the best that it was."""

    def __init__(
        self,
        critic: nn.Module,
        schedule: Schedule,
        held: Held,
        log: Log,
        stage: str,
        constraint: Callable[[nn.Module], Constraint | None] | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self.critic, self.schedule, self.held = critic, schedule, held
        self.log, self.stage, self.constraint = log, stage, constraint
        self.optimizer = _adam(critic, schedule)
        self.overwrites = works_in_place(critic)
        self.best, self.waited, self.limit = -math.inf, 0, math.inf if patient else _PATIENCE
        self.best_state: dict[str, Any] = {}
        self.active: Constraint | None = None
        self.steps, self.looked, self.due = 0, -_APART, 0.0

    def over(self, done: float) -> bool:
        """Whether its time is up, or training has ceased to help."""
        return done >= self.schedule.end or self.waited >= self.limit

    def look(self) -> None:
        """Value at the points kept to choose by; the best state is remembered."""
        value = self.value()
        self.log.look(self.stage, self.steps, value)
        self.looked = self.steps
        if value > self.best or not self.best_state:
            self.best, self.waited = value, 0
            self.best_state = {k: v.clone() for k, v in self.critic.state_dict().items()}
        else:
            self.waited += 1
        self.active = None if self.constraint is None else self.constraint(self.critic)

    def value(self) -> float:
        """At the points kept to choose by."""
        return evaluate(self.critic, self.held, exactly=False)

    def step(self, batches: list[tuple[Tensor, Tensor | None]], done: float) -> None:
        """One ascent step, after a look where one is due."""
        part = done / self.schedule.end
        if part >= self.due and self.steps - self.looked >= _APART:
            self.look()
            self.due = part + 1 / _CHECKS
        self._set(part)
        (x, x_weights), (y, y_weights) = batches
        if self.overwrites:
            x, y = x.clone(), y.clone()
        ascent_step(self.critic, self.optimizer, x, y, self.active, x_weights, y_weights)
        self.steps += 1

    def finish(self) -> float:
        """The critic as it was at its best look; its value then."""
        if self.looked != self.steps:
            self.look()
        self.critic.load_state_dict(self.best_state)
        return evaluate(self.critic, self.held)

    def _set(self, part: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate * 0.5 * (1 + math.cos(math.pi * part))
        if self.schedule.temperatures is not None and isinstance(
            self.critic, (ConeCritic, MaxoutCritic)
        ):
            first, last = self.schedule.temperatures
            self.critic.temperature = first * (last / first) ** part


def _adam(critic: nn.Module, schedule: Schedule) -> torch.optim.Adam:
    parameters = list(critic.parameters())
    plain = all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)
    return torch.optim.Adam(parameters, lr=schedule.rate, betas=schedule.betas, fused=plain or None)


def advance(
    trainings: Sequence[Training], batches: tuple[Batch, Batch], clock: Clock, until: float = 1.0
) -> None:
    """Train several critics on the same batches, each to its own end, at most to ``until``."""
    while (done := clock.done()) < until:
        active = [training for training in trainings if not training.over(done)]
        if not active:
            return
        drawn = [draw() for draw in batches]
        for training in active:
            training.step(drawn, done)
        clock.taken += 1
        if active[0].log.bar is not None:
            active[0].log.bar.update()


@torch.no_grad()
def evaluate(critic: nn.Module, held: Held, *, exactly: bool = True) -> float:
    """Dual objective at the points to choose by, in evaluation mode.

    Not ``exactly``, many cones are evaluated as in training, which takes a tenth of the time.
    """
    training = critic.training
    critic.train(training and isinstance(critic, ConeCritic) and not exactly)
    (x, x_weights), (y, y_weights) = held
    if works_in_place(critic):
        x, y = x.clone(), y.clone()
    value = float(dual_objective(critic, x, y, x_weights, y_weights))
    critic.train(training)
    return value


def demand_slope(critic: nn.Module, points: Tensor) -> None:
    """CollapsedCriticError for a critic whose gradient vanishes at all of the points."""
    at = points.detach().clone().requires_grad_()
    values = critic(at.clone())  # a first layer that works in place may not overwrite a leaf
    norm = 0.0
    if values.requires_grad:
        (gradient,) = torch.autograd.grad(values.sum(), at, allow_unused=True)
        if gradient is not None:
            norm = float(torch.linalg.vector_norm(gradient.flatten(1), dim=1).max())
    if not norm >= _COLLAPSED:
        message = (
            f"wasserstein1_dual: the trained critic is flat (its gradient has norm {norm:.1e} or "
            "less at the data, in standardised units), so its value says nothing"
        )
        raise CollapsedCriticError(message)
