"""The part of every batch that one of several processes works on.

All processes draw the numbers of the whole batch, which makes the run's random streams and the
order of its data those of one process, and keep their slice. A mean over the batch is the sum over
the processes of their means, each times the part of the batch that it is of.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from divergences.dual import Constraint, GradientPenalty

from ..data import Stream


@dataclass
class Share:
    """Which samples of a batch are this process's."""

    batch_size: int
    """Samples in a batch of all processes together."""
    rank: int = 0
    """Number of this process, from 0."""
    count: int = 1
    """How many processes there are."""
    real: int = field(default=0, init=False)
    """Real samples in the batch in hand, of all processes together: fewer where an epoch ends."""

    @property
    def fraction(self) -> float:
        """Part of a full batch that is this process's."""
        return len(range(self.batch_size)[self.slice(self.batch_size)]) / self.batch_size

    def slice(self, size: int) -> slice:
        """The places of this process in a batch of ``size``; none where there are too few."""
        return slice(self.rank * size // self.count, (self.rank + 1) * size // self.count)

    def part(self, batch: Tensor) -> Tensor:
        """The samples of a batch that are for this process."""
        return batch if self.count == 1 else batch[self.slice(len(batch))]

    def scaled(self, mean: Tensor) -> Tensor:
        """What this process adds to the mean over the batch, from its own mean."""
        return mean if self.count == 1 else self.fraction * mean

    def objective(
        self,
        objective: Callable[..., Tensor],
        critic: Callable[[Tensor], Tensor],
        x: Tensor,
        y: Tensor,
        x_weights: Tensor | None = None,
        y_weights: Tensor | None = None,
    ) -> Tensor:
        """What this process adds to an objective that is affine in the weights of the samples.

        Real batches may be smaller than generated ones where an epoch ends. Their samples then
        weigh more, and a process may have none of them.
        """
        if self.count == 1:
            return objective(critic, x, y, x_weights, y_weights)
        if self.real != self.batch_size:
            x_weights = x.new_full((len(x),), 1 / (self.real * self.fraction))
        if len(x) == 0:
            stand_in = y[:1]
            critic, x, x_weights = _without(critic, x, stand_in), stand_in, y.new_zeros(1)
        return self.scaled(objective(critic, x, y, x_weights, y_weights))

    def constraint(
        self, constraint: Constraint | None, random: torch.Generator | None
    ) -> Constraint | None:
        """A constraint whose penalty is this process's part of that over the batch."""
        if self.count == 1 or not isinstance(constraint, GradientPenalty):
            return constraint
        return SharedPenalty(constraint, self, random)


def _without(
    critic: Callable[[Tensor], Tensor], none: Tensor, stand_in: Tensor
) -> Callable[[Tensor], Tensor]:
    """The critic at a stand-in for no samples: its value is 0, and its layers see none.

    They have to be called, because layers with batch statistics wait for each other.
    """

    def evaluate(points: Tensor) -> Tensor:
        return critic(none).sum().reshape(1) if points is stand_in else critic(points)

    return evaluate


@dataclass(frozen=True)
class SharedPenalty:
    """A gradient penalty at this process's places, which are drawn with those of the others."""

    whole: GradientPenalty
    share: Share
    random: torch.Generator | None

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """What this process adds to the penalty over the batch."""
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        device = x.device if self.random is None else self.random.device
        places = torch.rand(self.share.batch_size, generator=self.random, dtype=wide, device=device)
        return self.share.scaled(self.whole.penalty(critic, x, y, self.share.part(places)))

    def project(self, critic: nn.Module) -> None:
        """Nothing, as for every penalty."""
        self.whole.project(critic)

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """That of the critic as it is."""
        return self.whole.lipschitz_bound(critic)


class SharedStream:
    """A stream of which this process gets its part of every batch.

    Attributes that a stream has beside the protocol are those of the whole.
    """

    def __init__(self, stream: Stream, share: Share) -> None:
        self._stream, self._share = stream, share
        self._narrows = hasattr(stream, "part")
        if self._narrows:
            stream.part = share.slice  # type: ignore[attr-defined]

    def next(self) -> Tensor:
        """The part of the next batch; may be empty where the batch is small."""
        batch = self._stream.next()
        if self._narrows:  # it read no more than this
            self._share.real = self._stream.size  # type: ignore[attr-defined]
            return batch
        self._share.real = len(batch)
        return self._share.part(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
