"""Where the samples lie while training: on the device, or in a file that is read ahead."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FREE_PART = 0.5
"""Samples go on a GPU if they take at most this part of its free memory."""
AHEAD = 2
"""Batches that are read ahead from a file."""
CHUNK = 1 << 28
"""Bytes that go to a GPU at once."""


class Storage(Protocol):
    """Samples by their row."""

    device: torch.device
    """Where :meth:`take` leaves samples."""
    rows_device: torch.device
    """Where :meth:`take` expects the numbers of rows."""

    def take(self, rows: Tensor) -> Tensor:
        """The samples of ``rows``."""

    def announce(self, rows: Tensor) -> None:
        """Rows that will be asked for next, in this order."""

    def forget(self) -> None:
        """What was announced will not be asked for."""

    @property
    def ahead(self) -> int:
        """How many batches it wants announced."""


class OnDevice:
    """All samples in one tensor on the device; on the CPU it may be a mapped file."""

    ahead = 0

    def __init__(self, samples: NDArray[Any], device: torch.device) -> None:
        whole = torch.from_numpy(samples)
        if device.type == "cpu":
            self._samples = whole
        else:
            self._samples = torch.empty(whole.shape, dtype=whole.dtype, device=device)
            step = max(1, CHUNK // max(1, samples[:1].nbytes))
            for start in range(0, len(whole), step):
                self._samples[start : start + step].copy_(whole[start : start + step])
        self.device = self.rows_device = device

    def take(self, rows: Tensor) -> Tensor:
        """The samples of ``rows``."""
        return self._samples.index_select(0, rows)

    def announce(self, rows: Tensor) -> None:
        """Nothing to do."""

    def forget(self) -> None:
        """Nothing to do."""


class ReadAhead:
    """Samples in memory or a mapped file, of which a thread brings the next ones to the device."""

    rows_device = torch.device("cpu")
    ahead = AHEAD

    def __init__(self, samples: NDArray[Any], device: torch.device) -> None:
        self._samples, self.device = samples, device
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="wgan-data")
        self._coming: deque[tuple[Tensor, Future[Tensor]]] = deque()

    def take(self, rows: Tensor) -> Tensor:
        """The samples of ``rows``, read ahead if they were announced."""
        if self._coming and torch.equal(self._coming[0][0], rows):
            content = self._coming.popleft()[1].result()
        else:
            content = self._read(rows)
        return content.to(self.device, non_blocking=True)

    def announce(self, rows: Tensor) -> None:
        """Read these samples in the background."""
        self._coming.append((rows, self._reader.submit(self._read, rows)))

    def forget(self) -> None:
        """Drop what was announced."""
        while self._coming:
            self._coming.popleft()[1].cancel()

    def _read(self, rows: Tensor) -> Tensor:
        content = torch.from_numpy(np.ascontiguousarray(self._samples[rows.numpy()]))
        return content.pin_memory() if self.device.type == "cuda" else content


def choose_storage(samples: NDArray[Any], device: torch.device, placement: str) -> Storage:
    """Storage as an option asks: ``device``, ``stream``, or ``auto``, which is what fits."""
    if placement == "auto":
        fits = device.type != "cuda" or (
            samples.nbytes <= FREE_PART * torch.cuda.mem_get_info(device)[0]
        )
        placement = "device" if fits else "stream"
    return OnDevice(samples, device) if placement == "device" else ReadAhead(samples, device)
