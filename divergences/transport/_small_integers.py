r"""Costs as integers, of which sums and differences are exact.

Reduced by the least of their row and then of their column, costs are multiples of a power of two,
some :math:`2^{-53}` of the largest. That costs a plan at most one unit of a mass of 1; so do the
differences, which are rounded to 53 bits. Of costs that are not negative the differences in a plan
add up to no more than its value, and what rounding loses of these is a part of the value: so there
units are finer.
"""

import numpy as np

from .._typing import Float64Array, IntArray
from ._small_simplex import unit_of

_BITS, _BITS_OF_POSITIVE = 53, 55
# Two heights are apart by no more costs than twice the points of one side, and what an auction has
# put on either (``_small_start``).
_BITS_OF_DIFFERENCES, _MOST_BY_AUCTIONS = 63, 22
_BLOCK_ENTRIES = 1 << 16  # of a matrix, which stay in a cache

_least, _most = np.minimum.reduce, np.maximum.reduce  # without the wrappers


def bits_of(n: int, m: int, least: Float64Array | None) -> int:
    """Of integers in place of costs, whose ``least`` are those of the rows if they are not None."""
    positive = least is not None and _least(least) >= 0
    most = _BITS_OF_POSITIVE if positive else _BITS
    costs = 2 * min(n, m) + _MOST_BY_AUCTIONS
    return min(most, _BITS_OF_DIFFERENCES - costs.bit_length())


def in_bits(units: int, bits: int) -> int:
    """Units of 53 bits in those of so many."""
    return units << max(0, bits - _BITS)


def are_whole(cost: Float64Array, least: Float64Array, unit: float, bits: int = _BITS) -> bool:
    """Whether all are multiples of the unit that costs of so many bits would have with 53, and so
    few of them that their differences are exact.
    """
    unit *= in_bits(1, bits)
    low = float(min(_least(cost, axis=None), _least(least, axis=None)))
    high = float(max(_most(cost, axis=None), _most(least, axis=None)))
    if max(high - low, high, -low) >= 2.0**53 * unit:
        return False
    return is_whole(least, unit) and is_whole(cost, unit)


def is_whole(numbers: Float64Array, unit: float) -> bool:
    """Whether all are multiples of the unit."""
    with np.errstate(over="ignore"):
        for rows in blocks(numbers):
            units = numbers[rows] / unit
            if not (units == np.rint(units)).all():
                return False
    return True


def blocks(array: Float64Array | IntArray) -> list[slice]:
    """Some rows after others, of as many entries as stay in a cache."""
    rows = max(1, _BLOCK_ENTRIES // (array.size // array.shape[0]))
    return [slice(start, start + rows) for start in range(0, array.shape[0], rows)]


def reduced(
    cost: Float64Array, least: Float64Array, bits: int, most: float
) -> tuple[IntArray, Float64Array, float]:
    """Costs less ``least`` of their row and then the least in each column, at most ``most``, as
    integers of at most so many bits, row by row; what the columns were reduced by; and the unit of
    the integers.
    """
    rest = cost - least[:, None]
    v = _least(rest, axis=0)
    rest -= v
    np.minimum(rest, most, out=rest)
    unit = unit_of(float(_most(rest, axis=None)), bits)
    rest /= unit
    return np.rint(rest, out=rest).ravel().astype(np.int64), v, unit


def reduced_by_kernel(
    cost: Float64Array, least: Float64Array, bits: int, most: float
) -> tuple[IntArray, Float64Array, float]:
    """The same, with no array of this size but the integers."""
    from ._small_costs import to_integers

    integers, v = np.empty(cost.size, dtype=np.int64), np.empty(cost.shape[1])
    unit = to_integers(cost, least, bits, most, v, integers)
    return integers, v, unit
