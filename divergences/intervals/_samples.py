"""Samples, levels and random splits as the intervals take them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from .._array import as_numpy, detach
from .._typing import ArrayLike, Float64Array, IntArray
from .._validation import describe, points, real_number, refuse, same_dimension, same_library

INDEPENDENT = "all draws are independent, those of each sample from one law"


def finite_support(size: int) -> str:
    """The assumption that a support was declared."""
    return f"both laws live on the {size} declared values"


class Halves(NamedTuple):
    """Each sample cut in two at random: one half to choose on, one to test on."""

    chosen_x: Any
    chosen_y: Any
    tested_x: Any
    tested_y: Any


def two_samples(x: ArrayLike, y: ArrayLike, function: str) -> tuple[Float64Array, Float64Array]:
    """Both samples as float64 NumPy arrays (n, d) and (m, d)."""
    first, second = points(x, "x", function), points(y, "y", function)
    same_library(function, x=first, y=second)
    same_dimension(first, second, function)
    return as_numpy(first), as_numpy(second)


def confidence(level: Any, function: str) -> float:
    """A level strictly between 0 and 1."""
    real_number(level, "level", function)
    value = float(detach(level))
    if not 0.0 < value < 1.0:
        refuse(function, "level", "lie strictly between 0 and 1", repr(value))
    return value


def seed_of(rng: Any, function: str) -> int:
    """One number drawn from the generator; a fixed one for None, the integer itself for a seed."""
    if rng is None:
        return 0
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**62))
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0:
        refuse(function, "rng", "be a numpy.random.Generator, a non-negative integer or None",
               describe(rng), TypeError)  # fmt: skip
    return int(rng)


def order(count: int, seed: int) -> IntArray:
    """A permutation that depends on the seed and the count only: samples may change roles."""
    return np.random.default_rng([seed, count]).permutation(count).astype(np.int64)


def halved(x: Any, y: Any, seed: int) -> Halves:
    """Both samples in two halves; of an odd number the test gets one more."""
    parts = []
    for sample in (x, y):
        shuffled = sample[order(len(sample), seed)]
        parts.append((shuffled[: len(sample) // 2], shuffled[len(sample) // 2 :]))
    return Halves(parts[0][0], parts[1][0], parts[0][1], parts[1][1])


def in_fixed_roles(halves: Halves) -> Halves:
    """The halves in an order of the samples that the chosen halves alone decide.

    Answers about symmetric divergences then do not depend on which sample was called x.
    """
    first, second = (
        (len(half), np.ascontiguousarray(half).tobytes())
        for half in (halves.chosen_x, halves.chosen_y)
    )
    if first <= second:
        return halves
    return Halves(halves.chosen_y, halves.chosen_x, halves.tested_y, halves.tested_x)


def labels(
    x: ArrayLike, y: ArrayLike, support: Any, function: str
) -> tuple[IntArray, IntArray, int]:
    """The place of every observation in the declared support, and how many places there are."""
    atoms = listed(support, "support", function)
    place: dict[Any, int] = {}
    for atom in atoms:
        place.setdefault(_key(atom, "support", function), len(place))
    if not place:
        refuse(function, "support", "hold at least one value", "none")
    if len(place) < len(atoms):
        refuse(function, "support", "hold every value once", f"{len(atoms)} values, some repeated")
    found = []
    for name, sample in (("x", x), ("y", y)):
        values = listed(sample, name, function)
        if not values:
            refuse(function, name, "hold at least one observation", "none")
        keys = [_key(value, name, function) for value in values]
        strange = next((value for value in keys if value not in place), None)
        if strange is not None:
            refuse(function, name, "hold values of the declared support only", repr(strange))
        found.append(np.array([place[key] for key in keys], dtype=np.int64))
    return found[0], found[1], len(place)


def listed(values: Any, name: str, function: str) -> list[Any]:
    """The labels of a list, a vector or another iterable, as Python objects."""
    if hasattr(values, "detach"):
        values = as_numpy(values)
    if hasattr(values, "tolist"):
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        values = values.tolist()
    iterable = isinstance(values, Iterable) and not isinstance(values, (str, bytes, dict))
    listed = list(values) if iterable else None
    if listed is None or any(isinstance(value, (list, tuple)) for value in listed):
        refuse(function, name, "be a list or vector of labels where support is given",
               describe(values), TypeError)  # fmt: skip
    return listed


def _key(value: Any, name: str, function: str) -> Any:
    if hasattr(value, "detach"):  # two equal tensors are two keys
        refuse(function, name, "be one tensor, or hold numbers or strings", "a list of tensors",
               TypeError)  # fmt: skip
    try:
        hash(value)
    except TypeError:
        refuse(function, name, "hold labels that can be hashed", describe(value), TypeError)
    if value != value:  # noqa: PLR0124
        refuse(function, name, "hold no NaN", "NaN")
    return value
