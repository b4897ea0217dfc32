"""The order in which a run sees its data: independent draws, or one permutation after another."""

from typing import Protocol

import torch
from torch import Tensor

from .data import Data
from .errors import ConfigError


class Batches(Protocol):
    """A source of batches with a state that can be saved."""

    ended: bool
    """Whether the batch given last was the last of an epoch."""

    def next(self) -> Tensor:
        """The next batch, shape (m, d)."""

    def tensors(self) -> dict[str, Tensor]:
        """All of the state, by name."""

    def restore(self, named: dict[str, Tensor]) -> None:
        """Take over what :meth:`tensors` gave."""


class IndependentBatches:
    """Every batch a fresh sample of the data's law, as Algorithm 1 has it.

    Parameters
    ----------
    data : Data
    size : int
    random : torch.Generator
    """

    ended = False

    def __init__(self, data: Data, size: int, random: torch.Generator) -> None:
        self._data, self._size, self._random = data, size, random

    def next(self) -> Tensor:
        """``size`` independent samples."""
        return self._data.batch(self._size, self._random)

    def tensors(self) -> dict[str, Tensor]:
        """The random stream."""
        return {"random": self._random.get_state()}

    def restore(self, named: dict[str, Tensor]) -> None:
        """Take over what :meth:`tensors` gave."""
        self._random.set_state(named["random"])


class EpochBatches:
    """Every training sample once in an epoch, in an order drawn anew for each.

    The last batch of an epoch is smaller where the size does not divide the data, as it was in
    the authors' program.

    Parameters
    ----------
    data : Data
        With ``training``, all of its training samples; ConfigError for a law without an end.
    size : int
    random : torch.Generator
    """

    def __init__(self, data: Data, size: int, random: torch.Generator) -> None:
        samples = getattr(data, "training", None)
        if not isinstance(samples, Tensor):
            message = (
                "option algorithm: wgan-2017 goes through its data in epochs, "
                "and these data are drawn without end"
            )
            raise ConfigError(message)
        self._samples, self._size, self._random = samples, size, random
        self._order = torch.empty(0, dtype=torch.int64)
        self._cursor = 0
        self.ended = False

    def next(self) -> Tensor:
        """The next ``size`` samples of the epoch, or as many as are left of it."""
        if self._cursor >= len(self._order):
            self._order = torch.randperm(len(self._samples), generator=self._random)
            self._cursor = 0
        rows = self._order[self._cursor : self._cursor + self._size]
        self._cursor += self._size
        self.ended = self._cursor >= len(self._order)
        return self._samples[rows.to(self._samples.device)]

    def tensors(self) -> dict[str, Tensor]:
        """The random stream, the permutation and the place in it."""
        return {
            "random": self._random.get_state(),
            "order": self._order,
            "cursor": torch.tensor(self._cursor),
        }

    def restore(self, named: dict[str, Tensor]) -> None:
        """Take over what :meth:`tensors` gave."""
        self._random.set_state(named["random"])
        self._order, self._cursor = named["order"].clone(), int(named["cursor"])
        self.ended = 0 < len(self._order) <= self._cursor
