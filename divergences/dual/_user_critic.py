"""A critic that the caller brings: kept Lipschitz in training if it is not so by construction."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences._validation import refuse

from ._certificate import lipschitz_bound
from ._constraint import Constraint
from ._gradient_penalty import OneSidedGradientPenalty
from ._maxout import MaxoutCritic
from ._training import Schedule

_ENOUGH = 1.001
_SOME = 4
_MAXOUT_RATE = 0.02, 5e-3  # over the root of the dimension, by which a step turns a slope; at most
_SMOOTH = 0.22, 0.037  # temperatures of a maximum, in deviations of the points
_PENALISED = 256  # points of a batch at which the slope is looked at


@dataclass(frozen=True)
class _PenaltyOnSome(OneSidedGradientPenalty):
    """At some pairs of a batch: a derivative of second order costs as much as the rest of a step,
    and the objective, which is noisier, needs the whole batch.
    """

    def penalty(
        self, critic: nn.Module, x: Tensor, y: Tensor, places: Tensor | None = None
    ) -> Tensor:
        if places is not None:  # they belong to the batch as it is
            return super().penalty(critic, x, y, places)
        return super().penalty(critic, self._some(x), self._some(y))

    def _some(self, points: Tensor) -> Tensor:
        if points.shape[0] <= _PENALISED:
            return points
        index = torch.randint(points.shape[0], (_PENALISED,), generator=self.generator)
        return points[index.to(points.device)]


def bound_or_infinity(critic: nn.Module) -> float:
    """The certified constant, infinite where none is known: never a guess."""
    try:
        return lipschitz_bound(critic)
    except NotImplementedError:
        return math.inf


def constraint_for(critic: nn.Module, generator: torch.Generator) -> Constraint | None:
    """None for a critic whose bound is 1 now, else the one-sided gradient penalty."""
    if bound_or_infinity(critic) <= _ENOUGH:
        return None
    return _PenaltyOnSome(generator=generator)


def pace(critic: nn.Module, constraint: Constraint | None, points: Tensor) -> Schedule:
    """How fast a critic is trained; ``points`` give the deviation, to which a maximum is smooth."""
    betas = (0.9, 0.99) if constraint is None else (0.5, 0.9)
    if not isinstance(critic, MaxoutCritic):
        return Schedule(1e-3, betas=betas)
    deviation = float((points - points.mean(dim=0)).square().mean().sqrt()) or 1.0
    first, last = (part * deviation for part in _SMOOTH)
    steep, most = _MAXOUT_RATE
    rate = min(most, steep / math.sqrt(points.shape[1]))
    return Schedule(rate, (first, last), betas=betas)


@torch.no_grad()
def demand_pointwise(critic: nn.Module, points: Tensor, function: str) -> None:
    """ValueError for a critic that does not map (n, d) to (n,), each point by itself.

    A convolution of as many channels as there are points, or a padding of the first axis, mixes
    them: such a critic is no function on the space, whatever the bound of its layers.
    """
    try:
        probe = copy.deepcopy(critic).double().eval()
    except RuntimeError:  # hooks of old have weights that cannot be copied, and no bound either
        return
    rows = points[:_SOME].detach().double()
    count, requirement = len(rows), "map points (n, d) to (n,) or (n, 1), each by itself"
    try:
        together = probe(rows.clone())
        alone = [probe(row[None].clone()) for row in rows]
    except (RuntimeError, IndexError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        message = f"an error for points of shape {tuple(rows.shape)}: {reason}"
        refuse(function, "critic", requirement, message)
    shape = tuple(together.shape) if isinstance(together, Tensor) else type(together).__name__
    if shape not in ((count,), (count, 1)) or any(value.numel() != 1 for value in alone):
        refuse(function, "critic", requirement, f"{shape} from {tuple(rows.shape)}")
    one_by_one = torch.stack([value.reshape(()) for value in alone])
    apart = float((together.reshape(count) - one_by_one).abs().max())
    if apart > 1e-6 * (1 + float(one_by_one.abs().max())):
        refuse(function, "critic", requirement,
               f"values that depend on the other points: {apart:.3g} apart")  # fmt: skip
