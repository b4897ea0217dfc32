"""A data set of finitely many samples: held-out split, independent draws, epochs."""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import RunError
from .augment import View
from .order import Order, mix
from .plane import EVALUATED
from .protocol import RealSamples, State
from .split import fingerprint
from .storage import Storage, choose_storage

FITTED = 2000
"""Training samples at most on which features are fitted."""


class FiniteData:
    """Samples in an array, of which some are held out.

    Parameters
    ----------
    samples : array (n, d) or (n, channels, rows, columns)
        Points, or images of bytes or floats; may be a mapped file, which is not read as a whole.
    sample_keys : array (n,) of uint64
        Keys of the samples, see ``split``.
    rows : pair of arrays
        Rows held out and rows of training.
    device : torch.device
    view : View, optional
        How images are seen; points have none and are taken as they are.
    bounded : bool
        Whether points lie in [-1, 1]; what has a view does.
    placement : {"auto", "device", "stream"}
        Where the samples lie, see ``storage``.

    Attributes
    ----------
    count : int
        Samples of training.
    held_out, reference : Tensor (k, d), float32
        At most 500 samples held out and as many of training, without random crop or mirror.
    """

    def __init__(
        self,
        samples: NDArray[Any],
        sample_keys: NDArray[np.uint64],
        rows: tuple[NDArray[np.int64], NDArray[np.int64]],
        device: torch.device,
        *,
        view: View | None = None,
        bounded: bool = False,
        placement: str = "auto",
    ) -> None:
        self.fingerprint = fingerprint(sample_keys)
        self.bounded = bounded or view is not None
        self.view = view
        self.sample_shape: tuple[int, ...] = samples.shape[1:]
        self.image_shape: tuple[int, int, int] | None = None
        if view is not None:
            self.image_shape = (samples.shape[1], view.rows, view.columns)
            self.sample_shape = self.image_shape
        self.dimension = torch.Size(self.sample_shape).numel()
        self.device = device
        self.storage: Storage = choose_storage(samples, device, placement)
        held, training = (torch.from_numpy(part) for part in rows)
        self.count = len(training)
        self.training_rows = training.to(self.storage.rows_device)
        self.held_out_rows = held.to(self.storage.rows_device)
        shown = min(EVALUATED, len(held), len(training))
        self.held_out = self.see(self._stored(held[:shown]))
        self.reference = self.see(self._stored(training[:shown]))

    def see(self, stored: Tensor, draws: Tensor | None = None) -> Tensor:
        """Stored samples as flat float32; ``draws`` decide about crop and mirror."""
        if self.view is None:
            return stored.to(torch.float32)
        return self.view(stored, draws)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` training samples, drawn with replacement: independent, of one law."""
        numbers = torch.randint(self.count, (count,), generator=random, device=random.device)
        draws = None
        if self.view is not None and self.view.varies:
            draws = torch.randint(
                1 << 62, (count,), generator=random, device=random.device
            ).to(self.device)  # fmt: skip
        rows = self.training_rows[numbers.to(self.storage.rows_device)]
        return self.see(self.storage.take(rows), draws)

    def real_samples(self, count: int) -> RealSamples:
        """Samples without random crop or mirror; those apart are at most ``FITTED``."""
        shown = min(count, len(self.held_out_rows), max(1, self.count // 2))
        parts = (
            self.held_out_rows[:shown],
            self.training_rows[:shown],
            self.training_rows[shown : shown + FITTED],
        )
        return RealSamples(*(self.see(self.storage.take(rows)).cpu() for rows in parts))

    def stream(self, batch_size: int, seed: int, *, short_last: bool = False) -> "Epochs":
        """Every training sample once an epoch, in an order of ``seed``, read ahead.

        With ``short_last`` a batch ends where the epoch ends, smaller if need be.
        """
        return Epochs(self, batch_size, seed, short_last=short_last)

    @property
    def training(self) -> Tensor:
        """All training samples (count, d), without random crop or mirror; for small sets only."""
        return self.see(self.storage.take(self.training_rows))

    def some_training(self, most: int) -> Tensor:
        """At most so many training samples (k, d), evenly spaced, without random crop or mirror."""
        count = min(most, self.count)
        places = torch.arange(count, device=self.training_rows.device) * self.count // count
        return self.see(self.storage.take(self.training_rows[places]))

    def _stored(self, rows: Tensor) -> Tensor:
        return self.storage.take(rows.to(self.storage.rows_device))


class Epochs:
    """Batches without replacement; what comes next is a function of (seed, epoch, cursor).

    Attributes
    ----------
    epoch, cursor : int
        Epochs done, and samples of the epoch drawn.
    ended : bool
        Whether the batch given last reached the end of an epoch.
    size : int
        Samples in that batch, those of other processes included.
    part : callable, optional
        The places in a batch of so many samples that are read and given; all by default. To be
        set before the first batch.
    """

    def __init__(
        self, data: FiniteData, batch_size: int, seed: int, *, short_last: bool = False
    ) -> None:
        if batch_size < 1:
            message = f"a batch has at least 1 sample; got {batch_size}"
            raise ValueError(message)
        self._data, self._batch_size, self._seed = data, batch_size, seed
        self._short_last = short_last
        self._order = Order(data.count, seed, data.storage.rows_device)
        self._numbers = torch.arange(batch_size, device=data.device)
        self._first_draw = mix(seed, 1) >> 2  # far from where adding draws would overflow
        self._coming: deque[tuple[Tensor, Tensor, int, tuple[int, int]]] = deque()
        self.epoch, self.cursor, self.ended = 0, 0, False
        self.size = batch_size
        self.part: Callable[[int], slice] = slice

    @property
    def draws_left(self) -> int:
        """Samples before the epoch ends."""
        return self._data.count - self.cursor

    def next(self) -> Tensor:
        """The next batch (batch size, d), or its part."""
        while len(self._coming) <= self._data.storage.ahead:
            draw, size = self._order.draw, self._batch_size
            if self._short_last:
                size = min(size, self._data.count - self._order.cursor)
            part = self.part(size)
            rows = self._data.training_rows[self._order.take(size)[part]]
            draws = self._numbers[part] + (self._first_draw + draw)
            place = self._order.epoch, self._order.cursor
            self._coming.append((rows, draws, size, place))
            self._data.storage.announce(rows)
        former = self.epoch
        rows, draws, self.size, (self.epoch, self.cursor) = self._coming.popleft()
        self.ended = self.epoch > former
        return self._data.see(self._data.storage.take(rows), draws)

    def state_dict(self) -> State:
        """Integers only; ``data`` is the beginning of the data's fingerprint."""
        return {
            "seed": self._seed,
            "data": self._identity(),
            "epoch": self.epoch,
            "cursor": self.cursor,
        }

    def load_state_dict(self, state: State) -> None:
        """Continue where that state was, with this or another batch size."""
        if set(state) != {"seed", "data", "epoch", "cursor"}:
            message = "the state is not that of a stream of images or points"
            raise RunError(message)
        found = {name: int(value) for name, value in state.items()}
        if found["data"] != self._identity():
            message = "the data are not those of the run: their contents differ"
            raise RunError(message)
        if found["seed"] != self._seed:
            message = f"the data order is that of seed {found['seed']}, not of {self._seed}"
            raise RunError(message)
        if found["epoch"] < 0 or not 0 <= found["cursor"] < self._data.count:
            message = "the state of the data order is damaged"
            raise RunError(message)
        self._data.storage.forget()
        self._coming.clear()
        self.epoch, self.cursor = found["epoch"], found["cursor"]
        self.ended = self._short_last and self.epoch > 0 and self.cursor == 0
        self._order.go_to(self.epoch, self.cursor)

    def _identity(self) -> int:
        return int(self._data.fingerprint[:15], 16)
