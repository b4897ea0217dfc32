"""An algorithm made of torch: what the training step asks of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences.dual import Constraint, WeightClipping, ascent_step, dual_objective, model_term

from .algorithms import (
    LONG_CRITIC_EVERY,
    LONG_CRITIC_FIRST,
    LONG_CRITIC_STEPS,
    Algorithm,
    algorithm,
)
from .config import TrainingConfig
from .data import Stream


@dataclass(frozen=True)
class Procedure:
    """The parts in which the algorithms differ, for one run."""

    algorithm: Algorithm
    constraint: Constraint
    batch_size: int
    """The paper's m."""
    critic_steps: int
    """The paper's n_critic."""

    @classmethod
    def of(cls, config: TrainingConfig) -> "Procedure":
        """The procedure of a run's options."""
        return cls(
            algorithm=algorithm(config.algorithm),
            constraint=make_constraint(config),
            batch_size=config.batch_size,
            critic_steps=int(config.critic_steps or 1),
        )

    @property
    def estimate_unit(self) -> str:
        """The unit of the critic's estimate, in words."""
        return "units of an unknown Lipschitz constant"

    @property
    def quantity(self) -> str:
        """What the estimate is, with its sign."""
        return "critic estimate E f(data) − E f(samples)"

    @property
    def explanation(self) -> str:
        """What the estimate's height means, in sentences."""
        return (
            "The critic maximises E f(data) − E f(samples), so a positive estimate means that it "
            "tells the two apart. A clipped critic is K-Lipschitz for a K that nobody knows: its "
            "estimate has no unit and its height may not be compared with the distance above, nor "
            "with another run."
        )

    @property
    def short_unit(self) -> str:
        """The same for the progress bar."""
        return "unknown Lipschitz unit"

    @property
    def objective(self) -> Callable[..., Tensor]:
        """What the critic maximises, without penalties: positive if it tells data from samples."""
        return dual_objective

    def lipschitz_bound(self, critic: nn.Module) -> tuple[float | None, str]:
        """A certified Lipschitz constant of the critic, or None and the reason."""
        try:
            return self.constraint.lipschitz_bound(critic), ""
        except NotImplementedError as error:
            return None, str(error)

    def critic_steps_before(self, step: int) -> int:
        """How many critic steps precede the generator step after ``step`` generator steps."""
        long = step < LONG_CRITIC_FIRST or step % LONG_CRITIC_EVERY == 0
        return LONG_CRITIC_STEPS if self.algorithm.long_critic and long else self.critic_steps

    def phase_ends(self, batches: Stream) -> bool:
        """Whether the critic's loop ends early: in the authors' program it does with the epoch."""
        return self.algorithm.epochs and bool(getattr(batches, "ended", False))

    def critic_step(
        self, critic: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor
    ) -> Tensor:
        """Lines 5 to 7: ascend on the two batches; returns the estimate before the step."""
        constraint: Constraint | None = self.constraint
        if self.algorithm.projects_first:
            self.constraint.project(critic)
            constraint = None
        together = not getattr(critic, "mixes_samples", False)
        return ascent_step(
            critic, optimizer, x, y, constraint, objective=self.objective, together=together
        )

    def generator_loss(self, critic: nn.Module, y: Tensor) -> Tensor:
        """Line 10: what the generator minimises."""
        return model_term(critic, y)


def make_constraint(config: TrainingConfig) -> Constraint:
    """How the options keep the critic Lipschitz."""
    return WeightClipping(config.clip)
