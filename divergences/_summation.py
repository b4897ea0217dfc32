r"""Sums in which rounding errors are kept: a pair (high, low) of arrays.

The tree of error-free additions is Ogita, Rump and Oishi's cascade (Accurate sum and dot product,
SIAM J. Sci. Comput. 26, 2005, algorithm 4.4) carried out pairwise: the result has the accuracy of
a sum in twice the working precision, at the cost of a few vectorised passes.
"""

import math

import numpy as np

from ._typing import Array, Namespace

_FEW = 1024  # entries that Python adds sooner than vectorised passes


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Knuth's error-free sum: ``high + low == a + b`` exactly, ``high`` the rounded sum."""
    high = a + b
    shadow = high - a
    return high, (a - (high - shadow)) + (b - shadow)


def exact_sum(xp: Namespace, values: Array, low: Array | None = None) -> tuple[Array, Array]:
    """Sum of ``values`` (plus ``low``) over the last axis, as a pair (high, low).

    Parameters
    ----------
    xp : namespace of ``values``
    values : floating array, shape (..., n), n at least 1
    low : array of the same shape, optional
        Second parts of values that are themselves pairs.

    Returns
    -------
    high, low : arrays of shape (...)
        ``high + low`` is the sum with relative error eps**2 times the condition number.
    """
    rest = xp.zeros_like(values) if low is None else low
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        odd, odd_rest = values[..., 2 * half :], rest[..., 2 * half :]
        values, error = two_sum(values[..., :half], values[..., half : 2 * half])
        rest = rest[..., :half] + rest[..., half : 2 * half] + error
        if odd.shape[-1]:
            values = xp.concat([values, odd], axis=-1)
            rest = xp.concat([rest, odd_rest], axis=-1)
    return two_sum(values[..., 0], rest[..., 0])


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Dekker's error-free product: ``high + low == a * b`` exactly, for |a|, |b| below 2**995."""
    high = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low
    return high, low


def _split(a: Array) -> tuple[Array, Array]:
    """Veltkamp's splitting of a double into two halves of at most 26 bits."""
    shifted = a * 134217729.0  # 2**27 + 1
    high = shifted - (shifted - a)
    return high, a - high


def divide(numerator: tuple[Array, Array], denominator: tuple[Array, Array]) -> tuple[Array, Array]:
    """Quotient of two pairs, as a pair with relative error of order eps**2."""
    first = numerator[0] / denominator[0]
    product, product_error = two_product(first, denominator[0])
    remainder = (numerator[0] - product) - product_error + numerator[1] - first * denominator[1]
    return two_sum(first, remainder / denominator[0])


def total(values: Array) -> float:
    """The sum of a NumPy vector, correctly rounded but in rare cases; 0.0 if it is empty."""
    if values.size <= _FEW:
        try:
            return math.fsum(values.tolist())
        except (OverflowError, ValueError):  # partial sums overflow, or infinities meet
            pass
    high, low = exact_sum(np, values)
    return float(high + low)


def sum_of_sizes(xp: Namespace, values: Array) -> Array:
    """Sum of non-negative ``values`` over the last axis, with one rounding in all but rare cases.

    The leading digits of each value, those above an ulp of a bound of the sum, add up exactly
    (Rump, Ogita and Oishi, *Accurate floating-point summation*, SIAM J. Sci. Comput. 31, 2008);
    what they leave adds up with an error far below the last digit. A few passes, O(n).
    """
    bound = 2.0 * values.shape[-1] * xp.max(values, axis=-1, keepdims=True)
    leading = (values + bound) - bound
    return xp.sum(leading, axis=-1) + xp.sum(values - leading, axis=-1)


def plainly_sums_to_one(values: Array, tolerance: float) -> bool:
    """Whether few numbers, a NumPy vector, lie in [0, 1] and sum to 1 well within a tolerance.

    A quick look, in two passes: False does not say that they do not.
    """
    if values.ndim != 1 or not 0 < values.size <= _FEW:
        return False
    inside = np.minimum.reduce(values) >= 0 and np.maximum.reduce(values) <= 1
    return bool(inside) and abs(math.fsum(values.tolist()) - 1) <= 0.5 * tolerance


def subtract_pair(values: Array, u: Array, v: Array) -> Array:
    """``values - u - v`` with one rounding: relatively accurate where the three nearly cancel."""
    high, low = two_sum(values, -u)
    high, rest = two_sum(high, -v)
    return high + (low + rest)
