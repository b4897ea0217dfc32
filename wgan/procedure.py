"""An algorithm made of torch: what the training step asks of it."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences.dual import (
    ActiveCones,
    Constraint,
    GradientPenalty,
    OneSidedGradientPenalty,
    SpectralNormalization,
    SphereProjection,
    WeightClipping,
    ascent_step,
    dual_objective,
    js_lower_estimate,
    lipschitz_bound,
    model_term,
    nonsaturating_generator_loss,
    saturating_generator_loss,
)

from .algorithms import (
    LONG_CRITIC_EVERY,
    LONG_CRITIC_FIRST,
    LONG_CRITIC_STEPS,
    Algorithm,
    algorithm,
)
from .config import TrainingConfig
from .data import Stream
from .networks import has_cones_of_the_data, mixes_samples
from .parallel import Share
from .units import Estimate, estimate_of

Objective = Callable[..., Tensor]
"""A function of critic, real and generated samples."""
ROWS_AT_ONCE = 512
"""Samples that a generator makes in one call for critic steps to come; a batch may be larger."""


@dataclass(frozen=True)
class Procedure:
    """The parts in which the algorithms differ, for one run."""

    algorithm: Algorithm
    constraint: Constraint | None
    batch_size: int
    """The paper's m."""
    critic_steps: int
    """The paper's n_critic."""
    saturating: bool
    """Whether a standard GAN's generator minimises log(1 - D)."""
    bfloat16: bool
    """Whether the networks multiply in bfloat16."""
    words: Estimate
    """What the critic's estimate is, and its unit."""
    share: Share
    """The part of every batch that this process works on."""

    @classmethod
    def of(
        cls,
        config: TrainingConfig,
        random: torch.Generator | None = None,
        share: Share | None = None,
    ) -> "Procedure":
        """The procedure of a run's options; ``random`` says where a penalty looks."""
        share = Share(config.batch_size) if share is None else share
        return cls(
            algorithm=algorithm(config.algorithm),
            constraint=share.constraint(make_constraint(config, random), random),
            share=share,
            batch_size=config.batch_size,
            critic_steps=int(config.critic_steps or 1),
            saturating=config.saturating,
            bfloat16=config.precision == "bfloat16",
            words=estimate_of(config),
        )

    @property
    def objective(self) -> Objective:
        """What the critic maximises, without penalties: positive if it tells data from samples."""
        is_gan = self.algorithm.objective == "jensen-shannon"
        return js_lower_estimate if is_gan else dual_objective

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
        constraint = self.constraint
        if self.algorithm.projects_first and constraint is not None:
            constraint.project(critic)
            constraint = None
        together = not getattr(critic, "mixes_samples", False)
        whole = self.share.count == 1 and not self.bfloat16
        objective = self.objective if whole else self.raised
        with self.lowered(x.device):
            return ascent_step(
                critic, optimizer, x, y, constraint, objective=objective, together=together
            )

    def generator_loss(self, critic: nn.Module, y: Tensor) -> Tensor:
        """Line 10: what the generator minimises."""
        loss: Callable[..., Tensor] = nonsaturating_generator_loss
        if self.algorithm.objective == "wasserstein":
            loss = model_term
        elif self.saturating:
            loss = saturating_generator_loss
        with self.lowered(y.device):
            return self.share.scaled(loss(self.in_float32(critic), y))

    def generate(self, generator: nn.Module, z: Tensor) -> Tensor:
        """Line 9: samples of the generator, in float32; of this process's part of z."""
        with self.lowered(z.device):
            return self.in_float32(generator)(self.share.part(z))

    def generate_for_critic(
        self, generator: nn.Module, noise: Callable[[int], Tensor], steps: int
    ) -> Iterator[Tensor]:
        """Line 4 for so many critic steps: the batches that one after another would give.

        The generator stands still while the critic moves, so it is called for several batches at
        once where it treats samples one by one, which takes less time. Where the critic's loop may
        end early a batch is generated when it is asked for, and no noise is drawn in vain.
        """
        singly = mixes_samples(generator) or self.algorithm.epochs
        at_once = 1 if singly else max(1, ROWS_AT_ONCE // self.batch_size)
        while steps > 0:
            parts = [self.share.part(noise(self.batch_size)) for _ in range(min(at_once, steps))]
            with torch.no_grad(), self.lowered(parts[0].device):
                samples = self.in_float32(generator)(torch.cat(parts))
            yield from torch.split(samples, [len(part) for part in parts])
            steps -= len(parts)

    def raised(
        self, critic: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, *weights: Tensor | None
    ) -> Tensor:
        """The objective with means in float32, whatever the critic multiplies in."""
        return self.share.objective(self.objective, self.in_float32(critic), x, y, *weights)

    def in_float32(self, network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """The network with its half-precision values in float32."""
        if not self.bfloat16:
            return network

        def evaluate(points: Tensor) -> Tensor:
            values = network(points)
            return values.float() if values.dtype == torch.bfloat16 else values

        return evaluate

    def lowered(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        """Where products are taken in the run's precision."""
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16)

    def lipschitz_bound(self, critic: nn.Module) -> tuple[float | None, str]:
        """A certified Lipschitz constant of a critic as it is, or None and the reason."""
        if self.algorithm.objective != "wasserstein":
            return None, "a standard GAN's objective says nothing of distances"
        try:
            return lipschitz_bound(critic), ""
        except NotImplementedError as error:
            return None, str(error)
        except ValueError as error:
            return None, f"a parameter is not finite ({error})"


def make_constraint(
    config: TrainingConfig, random: torch.Generator | None = None
) -> Constraint | None:
    """How the options keep the critic Lipschitz."""
    kind = algorithm(config.algorithm).constraint
    if kind == "clipping":
        return WeightClipping(config.clip)
    if kind == "sphere":
        return SphereProjection(config.radius)
    if kind == "penalty":
        return GradientPenalty(config.penalty, random)
    if kind == "one-sided penalty":
        return OneSidedGradientPenalty(config.penalty, random)
    if kind == "spectral":
        return SpectralNormalization()
    cones = kind == "orthogonal" and has_cones_of_the_data(str(config.critic))
    return ActiveCones() if cones else None
