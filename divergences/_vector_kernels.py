r"""One pass over many long vectors, compiled: sums from which the divergences of rows follow.

Every logarithm is taken of a quotient that a power of two has brought near 1, so that difference
and sum of the two numbers are exact or nearly so (Sterbenz),

.. math:: \log x = k \log 2 + 2 \operatorname{atanh} t, \qquad t = \frac{m - 1}{m + 1}, \quad
          x = 2^k m, \quad \tfrac34 \le m < \tfrac32,

with :math:`k` read from the bits. There is no branch, so that the compiler may take several entries
at a time. The terms are those of ``_vector_terms``, non-negative one by one; the formulas are plain
functions that the interpreter runs as well.
"""

import math
from typing import Any

import numpy as np

from ._typing import Array, Float64Array
from ._vector_terms import ATANH_SERIES, JS_SERIES, SCALE
from .transport._jit import jit

PIECE = 512  # entries whose terms wait in cache to be summed
_ONE = np.int64(1 << 52)  # an exponent's unit in the bits of a double
_HALF = np.int64(1 << 51)
_EXPONENT = np.int64(-(1 << 52))  # all bits but the mantissa's
_BITS_OF_1 = np.int64(1023 << 52)
_SHIFT = np.int64(52)
_ROUNDER = 6755399441055744.0  # 1.5 * 2**52, whose last bits hold an integer
_BITS_OF_ROUNDER = np.int64(0x4338000000000000)
_LOG_2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # times an exponent without rounding
_LOG_2_LOW = 1.9082149292705877e-10
_ATANH = ATANH_SERIES[::-1]
_JS = JS_SERIES[::-1]


def _atanh_excess(square: Any) -> Any:
    """Atanh(t)/t - 1 for t of this square, at most 1/4."""
    value = 0.0
    for coefficient in _ATANH:
        value = value * square + coefficient
    return value * square


atanh_excess = jit(_atanh_excess, inline=True, fused=True)


def _js_excess(square: Any) -> Any:
    """The same for (log(1 - t^2) + 2 t atanh t) / t^2 - 1."""
    value = 0.0
    for coefficient in _JS:
        value = value * square + coefficient
    return value * square


js_excess = jit(_js_excess, inline=True, fused=True)


def _as_float(k: Any) -> Any:
    """The exponent in the upper bits of k, as a float."""
    return np.int64((k >> _SHIFT) + _BITS_OF_ROUNDER).view(np.float64) - _ROUNDER


as_float = jit(_as_float, inline=True)


def _logarithm(x: Any) -> Any:
    """Log x for a positive double that is not subnormal; some finite number for any other."""
    bits = np.float64(x).view(np.int64)
    k = bits - _BITS_OF_1 + _HALF
    m = np.int64(bits - (k & _EXPONENT)).view(np.float64)
    t = (m - 1.0) / (m + 1.0)
    exponent = as_float(k)
    low = exponent * _LOG_2_LOW + 2.0 * (t + t * atanh_excess(t * t))
    return exponent * _LOG_2_HIGH + low


logarithm = jit(_logarithm, inline=True, fused=True)


def _kl_term(p: Any, q: Any) -> Any:
    """The term p log(p/q) - (p - q): within a factor 2 by the series in t, else by logarithms."""
    p_bits, q_bits = np.float64(p).view(np.int64), np.float64(q).view(np.int64)
    apart = p_bits - q_bits
    near = (apart < _ONE) & (apart > -_ONE)
    k = np.int64(0) if near else apart + _HALF
    moved = np.int64(q_bits + (k & _EXPONENT)).view(np.float64)
    gap = p - moved
    t = gap / (p + moved)
    excess = atanh_excess(t * t)
    exponent = as_float(k)
    low = exponent * _LOG_2_LOW + 2.0 * (t + t * excess)
    far = p * (exponent * _LOG_2_HIGH + low) - (p - q)
    value = gap * (t + (1.0 + t) * excess) if near else far
    value = value if p > 0 else q
    alone = math.inf if p > 0 else 0.0
    return value if q > 0 else alone


kl_term = jit(_kl_term, inline=True, fused=True)


def _js_term(difference: Any, total: Any, least: Any) -> Any:
    """The term of JS from abs(p - q), p + q and min(p, q)."""
    t = difference / total
    square = t * t
    near = square + square * js_excess(square)
    rest = 2.0 * (least / total)
    of_rest = rest * logarithm(rest)
    far = (1.0 + t) * logarithm(1.0 + t) + (of_rest if rest > 0 else 0.0)
    value = 0.25 * total * (near if t < 0.5 else far)
    return value if total > 0 else 0.0


js_term = jit(_js_term, inline=True, fused=True)


def _sum(values: Float64Array, count: int) -> Any:
    """The sum of the first numbers, in the order that suits the processor."""
    result = 0.0
    for index in range(count):
        result += values[index]
    return result


sum_of = jit(_sum, inner=True, reordered=True)


def _add(high: Any, low: Any, value: Any) -> Any:
    """``high + low + value`` as a pair."""
    result = high + value
    shadow = result - high
    return result, low + ((high - (result - shadow)) + (value - shadow))


add = jit(_add, inline=True)


def _joined(high: Any, low: Any) -> Any:
    """The sum of a pair; beyond infinity the second part says nothing."""
    return high + low if abs(high) < math.inf else high


joined = jit(_joined, inline=True)


def _load(
    p: Array, q: Array, start: int, count: int,
    first: Float64Array, second: Float64Array, change: Float64Array,
) -> Any:  # fmt: skip
    """Entries of p, q and q - p; a number whose sign is negative if that of an entry is."""
    signs = np.int64(0)
    for index in range(count):
        a, b = np.float64(p[start + index]), np.float64(q[start + index])
        signs |= a.view(np.int64) | b.view(np.int64)
        first[index], second[index], change[index] = a, b, b - a
    return signs


load = jit(_load, inner=True)


def _masses(
    p: Array, q: Array, first: Float64Array, second: Float64Array, change: Float64Array,
    sums: Float64Array,
) -> Any:  # fmt: skip
    """Sums of p, q and q - p; the sign as in ``load``."""
    signs = np.int64(0)
    p_mass, p_low, q_mass, q_low, excess, low = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for start in range(0, p.size, PIECE):
        count = min(PIECE, p.size - start)
        signs |= load(p, q, start, count, first, second, change)
        p_mass, p_low = add(p_mass, p_low, sum_of(first, count))
        q_mass, q_low = add(q_mass, q_low, sum_of(second, count))
        excess, low = add(excess, low, sum_of(change, count))
    sums[0], sums[1] = joined(p_mass, p_low), joined(q_mass, q_low)
    sums[2] = joined(excess, low)
    return signs


masses = jit(_masses, inner=True)


def _kl_terms(p: Array, q: Array, start: int, count: int, terms: Float64Array) -> None:
    for index in range(count):
        terms[index] = kl_term(
            np.float64(p[start + index]) * SCALE, np.float64(q[start + index]) * SCALE
        )


kl_terms = jit(_kl_terms, inner=True)


def _moved(p: Any, q: Any, p_move: Any, q_move: Any) -> Any:
    """``abs(p' - q')``, ``p' + q'``, ``min(p', q')`` for p' = p (1 + p_move), q' = q (1 - q_move).

    Swapping p and q, and the signs of the moves with them, changes no bit.
    """
    move, stretch = 0.5 * (p_move + q_move), 0.5 * (p_move - q_move)
    gap, both = p - q, p + q
    difference = gap + (gap * stretch + both * move)
    total = both + (both * stretch + gap * move)
    return abs(difference), total, min(p + p * p_move, q - q * q_move)


moved = jit(_moved, inline=True)


def _js_terms(
    p: Array, q: Array, start: int, count: int, p_move: float, q_move: float,
    terms: Float64Array, sizes: Float64Array,
) -> None:  # fmt: skip
    for index in range(count):
        a, b = np.float64(p[start + index]) * SCALE, np.float64(q[start + index]) * SCALE
        difference, total, least = moved(a, b, p_move, q_move)
        terms[index], sizes[index] = js_term(difference, total, least), difference


js_terms = jit(_js_terms, inner=True)


def _sizes(
    p: Array, q: Array, start: int, count: int, p_move: float, q_move: float, sizes: Float64Array
) -> None:
    for index in range(count):
        a, b = np.float64(p[start + index]) * SCALE, np.float64(q[start + index]) * SCALE
        sizes[index] = moved(a, b, p_move, q_move)[0]


sizes_of = jit(_sizes, inner=True)


def _masses_of_rows(p: Array, q: Array, sums: Float64Array) -> Any:
    """Sums of p, q and q - p into the columns of ``sums``; the sign as in ``load``."""
    first, second, change = np.empty(PIECE), np.empty(PIECE), np.empty(PIECE)
    signs = np.int64(0)
    for row in range(sums.shape[0]):
        signs |= masses(p[row % len(p)], q[row % len(q)], first, second, change, sums[row])
    return signs


masses_of_rows = jit(_masses_of_rows)


def _kl_of_rows(p: Array, q: Array, sums: Float64Array) -> Any:
    """The same, and sums of the terms of KL, times SCALE."""
    first, second, change, terms = (
        np.empty(PIECE), np.empty(PIECE), np.empty(PIECE), np.empty(PIECE),
    )  # fmt: skip
    signs = np.int64(0)
    for row in range(sums.shape[0]):
        a, b = p[row % len(p)], q[row % len(q)]
        value, low = 0.0, 0.0
        for start in range(0, a.size, PIECE):
            count = min(PIECE, a.size - start)
            kl_terms(a, b, start, count, terms)
            value, low = add(value, low, sum_of(terms, count))
        signs |= masses(a, b, first, second, change, sums[row])
        sums[row, 3] = joined(value, low)
    return signs


kl_of_rows = jit(_kl_of_rows)


def _js_of_rows(
    p: Array, q: Array, p_move: Float64Array, q_move: Float64Array, sums: Float64Array
) -> None:
    """Sums of abs(p' - q') and of the terms of JS, times SCALE: see ``moved``."""
    terms, sizes = np.empty(PIECE), np.empty(PIECE)
    for row in range(sums.shape[0]):
        a, b = p[row % len(p)], q[row % len(q)]
        size, size_low, value, value_low = 0.0, 0.0, 0.0, 0.0
        for start in range(0, a.size, PIECE):
            count = min(PIECE, a.size - start)
            js_terms(a, b, start, count, p_move[row], q_move[row], terms, sizes)
            size, size_low = add(size, size_low, sum_of(sizes, count))
            value, value_low = add(value, value_low, sum_of(terms, count))
        sums[row, 0], sums[row, 1] = joined(size, size_low), joined(value, value_low)


js_of_rows = jit(_js_of_rows)


def _sizes_of_rows(
    p: Array, q: Array, p_move: Float64Array, q_move: Float64Array, sums: Float64Array
) -> None:
    """Sums of abs(p' - q'), times SCALE."""
    sizes = np.empty(PIECE)
    for row in range(sums.shape[0]):
        a, b = p[row % len(p)], q[row % len(q)]
        size, size_low = 0.0, 0.0
        for start in range(0, a.size, PIECE):
            count = min(PIECE, a.size - start)
            sizes_of(a, b, start, count, p_move[row], q_move[row], sizes)
            size, size_low = add(size, size_low, sum_of(sizes, count))
        sums[row, 0] = joined(size, size_low)


sizes_of_rows = jit(_sizes_of_rows)
