"""What training and evaluation ask of a data set, and of its order."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

State = dict[str, int | Tensor]
"""The state of a stream: plain integers and tensors on the CPU."""


class Stream(Protocol):
    """Batches in an order that a seed defines, and that can be taken up where it was left."""

    @property
    def draws_left(self) -> int | None:
        """Samples before every one of the data has been drawn again; None for laws."""

    def next(self) -> Tensor:
        """The next batch, shape (batch size, d), on the data's device; always of full size."""

    def state_dict(self) -> State:
        """Where the stream is."""

    def load_state_dict(self, state: State) -> None:
        """Go where :meth:`state_dict` was; RunError if it is that of another seed or of other data.

        The next batch is then, to the bit, the one that came next there.
        """


class RealSamples(NamedTuple):
    """Disjoint real samples (n, d) for metrics; fewer than asked for where there are fewer."""

    held_out: Tensor
    """No batch of training contains them."""
    reference: Tensor
    """As many of training: what a perfect generator would give."""
    apart: Tensor
    """Others of training, on which features may be fitted; may be few, or none."""


class Data(Protocol):
    """A data set; samples are float32 points (n, d), images are flattened.

    A data set is added by writing a class that has this and entering it in ``registry.DATA``.
    """

    @property
    def dimension(self) -> int:
        """Coordinates d of a sample."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape that a sample has before it is flattened: (d,) or (channels, rows, columns)."""

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, rows and columns if a sample is a picture."""

    @property
    def bounded(self) -> bool:
        """Whether every coordinate lies in [-1, 1]."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the data are, hexadecimal: equal data have equal ones."""

    @property
    def held_out(self) -> Tensor:
        """Real samples (n, d) that no batch contains: generated samples are compared with them."""

    @property
    def reference(self) -> Tensor:
        """Other real samples (n, d), disjoint from those held out: their distance is the floor."""

    def real_samples(self, count: int) -> RealSamples:
        """At most ``count`` samples of each kind, always the same ones, on the CPU."""

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` independent samples, shape (count, d), drawn with ``random``."""

    def stream(self, batch_size: int, seed: int) -> Stream:
        """Batches in the order of ``seed``; for images each once an epoch."""
