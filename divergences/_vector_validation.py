"""The checks of vectors and logits, in the template of ``_validation``."""

from typing import Any

import numpy as np

from ._array import as_numpy, is_tensor, result_dtype, values_are_readable
from ._typing import Array, ArrayLike
from ._validation import describe, real_array, refuse, same_library


def aligned_pair(
    p: ArrayLike, q: ArrayLike, axis: int, function: str, names: tuple[str, str] = ("p", "q")
) -> tuple[Array, Array, Any]:
    """Two (batches of) vectors that fit each other, support on the last axis; values unchecked.

    Returns
    -------
    p, q : real arrays of the caller's dtypes with the support moved to the last axis
    dtype : the dtype of the answer
    """
    pair = dict(zip(names, (p, q), strict=True))
    pair = {name: real_array(array, name, function) for name, array in pair.items()}
    same_library(function, **pair)
    number = _axis(pair, axis, function)
    moved = {name: _support_last(array, number) for name, array in pair.items()}
    for name, array in moved.items():
        if array.shape[-1] == 0:
            refuse(function, name, "have at least one entry", describe(array))
    first, second = moved.values()
    both = " and ".join(names)
    if first.shape[-1] != second.shape[-1]:
        refuse(function, both, f"have the same length along axis {number}",
               f"{first.shape[-1]} and {second.shape[-1]}")  # fmt: skip
    broadcastable(function, both, first, second)
    return first, second, result_dtype(*pair.values())


def log_weights(array: Array, parameter: str, function: str) -> None:
    """Demand logits along the last axis: no NaN, no inf, and not -inf throughout."""
    if not values_are_readable(array):
        return
    values = as_numpy(array)
    bad = np.isnan(values) | (values == np.inf)
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        refuse(function, parameter, "hold numbers or -inf (probability 0)",
               f"{values[where]} at index {where} ({int(bad.sum())} such entries)")  # fmt: skip
    empty = (values == -np.inf).all(axis=-1)
    if empty.any():
        where = tuple(int(index) for index in np.argwhere(empty)[0]) if values.ndim > 1 else ()
        place = f" at batch index {where}" if where else ""
        refuse(function, parameter, "hold at least one finite logit", f"-inf throughout{place}")


def logit_numbers(
    p: ArrayLike, q: ArrayLike, function: str, names: tuple[str, str]
) -> tuple[Array, Array, Any]:
    """Two arrays (or numbers) without NaN whose shapes broadcast, and the dtype of the answer."""
    pair = [real_array(array, name, function) for name, array in zip(names, (p, q), strict=True)]
    same_library(function, **dict(zip(names, pair, strict=True)))
    broadcastable(function, " and ".join(names), *pair)
    for name, array in zip(names, pair, strict=True):
        if values_are_readable(array) and np.isnan(as_numpy(array)).any():
            refuse(function, name, "hold log-odds without NaN", describe(array))
    return pair[0], pair[1], result_dtype(*pair)


def broadcastable(function: str, names: str, first: Array, second: Array) -> None:
    """Demand shapes that broadcast."""
    if first.shape == second.shape:
        return
    try:
        np.broadcast_shapes(tuple(first.shape), tuple(second.shape))
    except ValueError:
        refuse(function, names, "have batch axes that broadcast",
               f"shapes {tuple(first.shape)} and {tuple(second.shape)}")  # fmt: skip


def _support_last(array: Array, axis: int) -> Array:
    if axis in (-1, array.ndim - 1):
        return array
    return array.movedim(axis, -1) if is_tensor(array) else np.moveaxis(array, axis, -1)


def _axis(pair: dict[str, Array], axis: Any, function: str) -> int:
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        refuse(function, "axis", "be an integer", describe(axis), TypeError)
    number = int(axis)
    for name, array in pair.items():
        if array.ndim == 0:
            refuse(function, name, "be a probability vector (one axis or more)", "a scalar")
        if not -array.ndim <= number < array.ndim:
            refuse(
                function,
                "axis",
                f"be an axis of {name}",
                f"{number} for shape {tuple(array.shape)}",
            )
    (first_name, p), (second_name, q) = pair.items()
    if p.ndim != q.ndim and number >= 0:
        requirement = (
            f"be negative where {first_name} and {second_name} differ in their number of axes"
        )
        refuse(function, "axis", requirement,
               f"{number} for shapes {tuple(p.shape)} and {tuple(q.shape)}")  # fmt: skip
    return number
