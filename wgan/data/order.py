"""The order of the data: a function of seed, epoch and cursor; and streams taken up again."""

import hashlib

import torch
from torch import Tensor

_MASK = (1 << 64) - 1


class Order:
    """Which samples come next: in every epoch each of ``count`` once, in a permutation of its own.

    A batch that an epoch cannot fill goes on in the next one, so batches are always full and no
    sample is left out, whatever the batch size; it may exceed ``count``.

    Attributes
    ----------
    epoch : int
        Epochs done.
    cursor : int
        Samples of the epoch drawn, from 0 to count - 1.
    """

    def __init__(self, count: int, seed: int, device: torch.device) -> None:
        self.count, self.seed = count, seed
        self.epoch, self.cursor = 0, 0
        self._device = device
        self._permutation, self._of_epoch = torch.empty(0, dtype=torch.int64), -1

    @property
    def draw(self) -> int:
        """Samples drawn since the beginning."""
        return self.epoch * self.count + self.cursor

    def take(self, size: int) -> Tensor:
        """Numbers (size,) of the next samples, int64, on the device."""
        pieces, missing = [], size
        while missing:
            piece = self._permuted()[self.cursor : self.cursor + missing]
            pieces.append(piece)
            missing -= len(piece)
            self.cursor += len(piece)
            if self.cursor == self.count:
                self.epoch, self.cursor = self.epoch + 1, 0
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def go_to(self, epoch: int, cursor: int) -> None:
        """Continue from there."""
        self.epoch, self.cursor = epoch, cursor

    def _permuted(self) -> Tensor:
        """The permutation of the epoch, made once and always on the CPU."""
        if self._of_epoch != self.epoch:
            random = torch.Generator().manual_seed(mix(self.seed, self.epoch) >> 1)
            permutation = torch.randperm(self.count, generator=random)
            # the processor does not wait: the driver takes what it has not yet copied aside
            self._permutation = permutation.to(self._device, non_blocking=True)
            self._of_epoch = self.epoch
        return self._permutation


def take_up(random: torch.Generator, state: Tensor) -> None:
    """Let ``random`` go on where a generator had that state, to the bit.

    One of another kind of device has states of another size, which this one cannot go on from: it
    then begins a stream of its own, with a seed that is a function of the state.
    """
    if state.shape == random.get_state().shape or state.dtype != torch.uint8:
        random.set_state(state)
        return
    seed = hashlib.sha256(state.numpy().tobytes()).digest()[:8]
    random.manual_seed(int.from_bytes(seed, "little") >> 1)


def mix(*numbers: int) -> int:
    """A number from 0 to 2^64 - 1 from several: splitmix64's finaliser, folded over them."""
    total = 0
    for number in numbers:
        z = (total + number + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        total = z ^ (z >> 31)
    return total


def scrambled(numbers: Tensor) -> Tensor:
    """The same finaliser on a tensor of int64, on its device: 64 random bits for each number."""
    z = numbers + _signed(0x9E3779B97F4A7C15)
    z = (z ^ _shifted(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ _shifted(z, 27)) * _signed(0x94D049BB133111EB)
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """A logical shift to the right: torch's fills with the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
