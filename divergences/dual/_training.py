"""The loop that trains a critic for an estimate: ascent steps, a cosine rate, the best kept."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ._activations import works_in_place
from ._ascent import ascent_step
from ._cones import ConeCritic
from ._constraint import Constraint
from ._objective import dual_objective

Batch = Callable[[], tuple[Tensor, Tensor | None]]
_CHECKS = 20  # looks at the validation points in one training
_APART = 8  # steps between two looks, at least
_PATIENCE = 8  # of them without a better value, after which training ends
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

    scale: float
    bar: Any = None
    start: float = field(default_factory=time.monotonic)
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
    """How long and how fast one critic is trained.

    Attributes
    ----------
    steps : ascent steps, at most
    seconds : time, at most
    rate : first learning rate of Adam, in standardised units; it falls to 0 along a cosine
    temperatures : first and last temperature of a cone critic
    """

    steps: int
    seconds: float
    rate: float
    temperatures: tuple[float, float] | None = None


Held = tuple[tuple[Tensor, Tensor | None], tuple[Tensor, Tensor | None]]


def train(
    critic: nn.Module,
    batches: tuple[Batch, Batch],
    held: Held,
    schedule: Schedule,
    log: Log,
    stage: str,
    constraint: Callable[[nn.Module], Constraint | None] | None = None,
) -> float:
    """Train in place; the critic is left as it was at its best look, whose value is returned."""
    optimizer = torch.optim.Adam(critic.parameters(), lr=schedule.rate, betas=(0.9, 0.99))
    every = max(_APART, schedule.steps // _CHECKS)
    begin = time.monotonic()
    best, waited, due = -math.inf, 0, 0.0
    best_state: dict[str, Any] = {}
    active = None
    overwrites = works_in_place(critic)
    step = 0
    while True:
        elapsed = (time.monotonic() - begin) / schedule.seconds
        done = max(step / schedule.steps, elapsed)
        if step % every == 0 or done >= min(due, 1.0):
            due = done + 1 / _CHECKS
            value = evaluate(critic, held)
            log.look(stage, step, value)
            better = value > best
            waited = 0 if better else waited + 1
            if better or not best_state:
                best = value
                best_state = {k: v.clone() for k, v in critic.state_dict().items()}
            active = None if constraint is None else constraint(critic)
        if done >= 1 or waited >= _PATIENCE:
            break
        _set(optimizer, critic, schedule, done)
        (x, x_weights), (y, y_weights) = batches[0](), batches[1]()
        if overwrites:
            x, y = x.clone(), y.clone()
        ascent_step(critic, optimizer, x, y, active, x_weights, y_weights)
        step += 1
        if log.bar is not None:
            log.bar.update()
    critic.load_state_dict(best_state)
    return best


def _set(optimizer: torch.optim.Optimizer, critic: nn.Module, plan: Schedule, done: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = plan.rate * 0.5 * (1 + math.cos(math.pi * done))
    if plan.temperatures is not None and isinstance(critic, ConeCritic):
        first, last = plan.temperatures
        critic.temperature = first * (last / first) ** done


@torch.no_grad()
def evaluate(critic: nn.Module, held: Held) -> float:
    """Dual objective at the points to choose by, in evaluation mode."""
    training = critic.training
    critic.eval()
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
