"""The images of a source, decoded by several threads, in the order of the source."""

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .decode import DecodeOptions, UnreadableImageError, decode
from .sources import Entry, Source

WINDOW = 8
"""Entries a thread that are read before the first of them is needed: memory stays constant."""


@dataclass(frozen=True)
class Decoded:
    """An entry of a source: its pixels, or the reason why there are none."""

    name: str
    pixels: NDArray[np.uint8] | None
    """(channels, size, size)."""
    enlarged: bool = False
    reason: str = ""


def decoded(
    source: Source, options: DecodeOptions, *, start: int = 0, threads: int | None = None
) -> Generator[Decoded]:
    """The entries from number ``start`` on; Pillow's decoders run side by side."""
    threads = threads or min(8, os.cpu_count() or 1)
    waiting: deque[Future[Decoded]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="wgan-decode")
    try:
        for entry in source.entries(start):
            waiting.append(pool.submit(_decode, entry, options))
            if len(waiting) >= WINDOW * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _decode(entry: Entry, options: DecodeOptions) -> Decoded:
    name, read = entry
    try:
        pixels, enlarged = decode(read(), options)
    except UnreadableImageError as error:
        return Decoded(name, None, reason=str(error))
    except OSError as error:
        return Decoded(name, None, reason=f"cannot be read ({error.strerror or error})")
    return Decoded(name, pixels, enlarged)
