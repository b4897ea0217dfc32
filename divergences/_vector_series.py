"""Sums of the terms of near vectors, in place, with no more terms of the series than they need."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._typing import Float64Array
from ._vector_terms import ATANH_SERIES, JS, JS_SERIES, KL, SERIES_RADIUS

SQUARES = np.array([5e-7, 3.5e-4, 9e-3])  # of t, up to which so many terms of the series do:
TERMS = (2, 4, 7, 14)  # what they leave out is less than 2**-55 of the sum
_sum = np.add.reduce


def series_ways(largest: Any) -> Any:
    """How many terms of the series rows need, by their largest square (NaN: not only series)."""
    return np.where(largest < SERIES_RADIUS**2, np.searchsorted(SQUARES, largest), len(TERMS))[()]


def _kl_near(
    difference: Float64Array, _: Float64Array, t: Float64Array, square: Float64Array, terms: int
) -> Any:
    value = _series(ATANH_SERIES[:terms], square)
    value += t * value
    value += t
    value *= difference
    return _sum(value, axis=-1)


def _js_near(
    _: Float64Array, total: Float64Array, _t: Float64Array, square: Float64Array, terms: int
) -> Any:
    value = _series(JS_SERIES[:terms], square)
    value *= square
    value += square
    value *= total
    return 0.25 * _sum(value, axis=-1)


def _series(coefficients: tuple[float, ...], square: Float64Array) -> Float64Array:
    value = square * coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value += coefficient
        value *= square
    return value


NEAR_SUMS: dict[str, Callable[..., Any]] = {KL: _kl_near, JS: _js_near}
