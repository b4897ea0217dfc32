"""The held-out split: a function of what the samples are, and of nothing else.

Every sample has a key, the first eight bytes of a salted BLAKE2 hash of its bytes. Held out are
those with the smallest keys. So the split depends neither on the order of the samples nor on a
seed, equal samples always fall on one side, and a sample that is added moves at most one other.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError

MOST = 2000
"""Samples held out at most, unless an option says how many."""
PART = 10
"""One in so many samples is held out, unless an option says how many."""


def key(sample: bytes) -> int:
    """Key of one sample, from 0 to 2^64 - 1."""
    digest = hashlib.blake2b(sample, digest_size=8, person=b"wgan-split").digest()
    return int.from_bytes(digest, "little")


def keys(samples: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Keys of samples along the first axis; -0.0 equals 0.0."""
    floating = samples.dtype.kind == "f"
    rows = (
        np.ascontiguousarray(sample + 0.0 if floating else sample).tobytes() for sample in samples
    )
    return np.fromiter(map(key, rows), np.uint64, len(samples))


def fingerprint(sample_keys: NDArray[np.uint64]) -> str:
    """SHA-256 of all keys in their order: it changes with every sample."""
    return hashlib.sha256(sample_keys.astype("<u8").tobytes()).hexdigest()


def split(
    sample_keys: NDArray[np.uint64], count: int | None, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows held out and rows of training, each by ascending key: an order without meaning.

    ``count`` are held out, by default a tenth and at most 2,000; more or fewer only to keep equal
    samples together. RunError where that leaves one side empty.
    """
    n = len(sample_keys)
    if n < 2:
        message = f"{name}: holds {n} of the 2 samples that are needed at least, one to be held out"
        raise RunError(message)
    wanted = min(max(1, n // PART), MOST) if count is None else count
    if not 1 <= wanted < n:
        message = f"{name}: of {n} samples 1 to {n - 1} can be held out; got {wanted}"
        raise RunError(message)
    order = np.argsort(sample_keys, kind="stable").astype(np.int64)
    ranked = sample_keys[order]
    last = ranked[wanted - 1]
    end = int(np.searchsorted(ranked, last, side="right"))
    if end == n:  # all others equal the last one held out: these go to training together
        end = int(np.searchsorted(ranked, last, side="left"))
    if end == 0:
        message = f"{name}: all {n} samples are equal; none can be held out"
        raise RunError(message)
    return order[:end], order[end:]
