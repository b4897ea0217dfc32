"""Checks of what ``wasserstein1_grid`` takes, in the template of ``_validation``."""

from typing import Any

import numpy as np

from ._array import detach, is_tensor
from ._metrics import Metric
from ._typing import Array, ArrayLike
from ._validation import (
    describe,
    ground_metric,
    known_values,
    masses,
    non_negative,
    plainly_masses,
    real_array,
    real_number,
    refuse,
    same_library,
)


def histogram_pair(p: ArrayLike, q: ArrayLike, function: str) -> tuple[Array, Array]:
    """Two histograms of one shape on 1 to 3 axes: masses that sum to 1 over all cells."""
    p, q = real_array(p, "p", function), real_array(q, "q", function)
    same_library(function, p=p, q=q)
    known_values(function, p=p, q=q)
    for name, array in (("p", p), ("q", q)):
        if array.ndim not in (1, 2, 3):
            refuse(function, name, "be a histogram with 1, 2 or 3 axes", describe(array))
    if tuple(p.shape) != tuple(q.shape):
        refuse(function, "p and q", "have the same shape",
               f"shapes {tuple(p.shape)} and {tuple(q.shape)}")  # fmt: skip
    for name, array in (("p", p), ("q", q)):
        flat = array.reshape(-1)
        if not plainly_masses(flat):
            non_negative(array, name, function)  # first, so that the index is that of the cell
            masses(flat, name, function)
    return p, q


def grid_axes(
    spacing: Any, periodic: Any, dimension: int, function: str
) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Spacing and periodicity of each axis, from one for all or one an axis."""
    lengths = _one_an_axis(spacing, "spacing", dimension, function)
    wraps = _one_an_axis(periodic, "periodic", dimension, function)
    for length in lengths:
        real_number(length, "spacing", function, positive=True)
    for wrap in wraps:
        if not isinstance(wrap, (bool, np.bool_)):
            refuse(function, "periodic", "be a bool, or one an axis", describe(wrap), TypeError)
    return tuple(float(detach(length)) for length in lengths), tuple(bool(wrap) for wrap in wraps)


def _one_an_axis(value: Any, parameter: str, dimension: int, function: str) -> list[Any]:
    is_array = is_tensor(value) or isinstance(value, np.ndarray)
    if not isinstance(value, (list, tuple)) and not (is_array and value.ndim == 1):
        return [value] * dimension
    if len(value) != dimension:
        refuse(function, parameter, f"have one entry for each of the {dimension} axes",
               f"{len(value)} entries")  # fmt: skip
    return list(value)


def grid_norm(metric: Any, periodic: tuple[bool, ...], shape: Any, function: str) -> Metric:
    """The metric of a grid: a norm, and cityblock where one of several axes is periodic."""
    ground = ground_metric(metric, function)
    if not ground.is_norm:
        refuse(function, "metric", "be a norm ('euclidean', 'cityblock', 'chebyshev' or "
               "('minkowski', order))", describe(metric))  # fmt: skip
    if ground.order != 1 and any(periodic) and sum(size > 1 for size in shape) > 1:
        refuse(function, "metric", "be 'cityblock' where an axis of a grid with several is "
               "periodic", describe(metric), NotImplementedError)  # fmt: skip
    return ground
