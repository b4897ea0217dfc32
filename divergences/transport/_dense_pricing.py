r"""Candidate arcs and reduced costs over all pairs, from lower bounds in single precision.

The bounds choose, exact costs decide: a pair whose bound has a reduced cost
:math:`L_{ij} - f_i + g_j \ge 0` is feasible, and of the others, few, the costs are taken exactly.
"""

from collections.abc import Iterator

import numpy as np

from .._typing import Float64Array, IntArray
from ._dense_bounds import Float32Array
from ._dense_problem import Costs, Guide
from ._jit import jit
from ._pricing import keep
from ._threads import over_blocks

_CHUNK = 64
_GROUPS = 8  # of rows, which collect the best of the columns side by side
_SINGLE = 2.0**-23
_EXACT_ENTRIES = 1 << 18


def _nearest(
    block: Float32Array, first: int, f: Float32Array, g: Float32Array, values: Float32Array,
    indices: IntArray, limits: Float32Array, column_values: Float32Array, column_indices: IntArray,
) -> None:  # fmt: skip
    """The smallest L + g of each row, and the smallest L - f of each column, with their indices.

    Each row begins elsewhere: of ties the first are kept, and not by all rows the same.
    ``limits`` is the last column of ``column_values``, contiguous.
    """
    m, last = block.shape[1], values.shape[1] - 1
    last_column, chunks = column_values.shape[1] - 1, -(-m // _CHUNK)
    for row in range(block.shape[0]):
        i = first + row
        height = f[i]
        for number in range(chunks):
            start = (i + number) % chunks * _CHUNK
            stop = min(start + _CHUNK, m)
            limit = values[i, last]
            near = False
            for j in range(start, stop):
                length = block[row, j]
                near |= (length + g[j] < limit) | (length - height < limits[j])
            if not near:
                continue
            for j in range(start, stop):
                length = block[row, j]
                if length + g[j] < values[i, last]:
                    keep(length + g[j], j, values, indices, i)
                if length - height < limits[j]:
                    keep(length - height, i, column_values, column_indices, j)
                    limits[j] = column_values[j, last_column]


nearest = jit(_nearest)


def _lowest(
    block: Float32Array, first: int, f: Float32Array, g: Float32Array, values: Float32Array,
    indices: IntArray, counts: IntArray,
) -> None:  # fmt: skip
    """The smallest L + g below f of each row, with their indices, and how many there are.

    Of ties each row keeps others, as in ``_nearest``.
    """
    m = block.shape[1]
    chunks = -(-m // _CHUNK)
    for row in range(block.shape[0]):
        i = first + row
        height = f[i]
        for number in range(chunks):
            start = (i + number) % chunks * _CHUNK
            stop = min(start + _CHUNK, m)
            near = False
            for j in range(start, stop):
                near |= block[row, j] + g[j] < height
            if not near:
                continue
            for j in range(start, stop):
                if block[row, j] + g[j] < height:
                    counts[i] += 1
                    keep(block[row, j] + g[j], j, values, indices, i)


lowest = jit(_lowest)


def _merge(values: Float32Array, indices: IntArray, others: Float32Array, more: IntArray) -> None:
    """Put the entries of a second table of lists into the first."""
    for row in range(values.shape[0]):
        for k in range(others.shape[1]):
            if more[row, k] >= 0:
                keep(others[row, k], more[row, k], values, indices, row)


merge = jit(_merge)


def _empty(rows: int, count: int) -> tuple[Float32Array, IntArray]:
    return np.full((rows, count), np.inf, dtype=np.float32), np.full((rows, count), -1)


def proposals(
    guide: Guide, shape: tuple[int, int], f: Float64Array, g: Float64Array, count: int
) -> tuple[IntArray, IntArray]:
    """Sinks of the least L + g of each source, and sources of the least L - f of each sink."""
    n, m = shape
    values, indices = _empty(n, count)
    single_f, single_g = f.astype(np.float32), g.astype(np.float32)

    def group(blocks: Iterator[tuple[int, Float32Array]]) -> tuple[Float32Array, IntArray]:
        column_values, column_indices = _empty(m, count)
        limits = column_values[:, -1].copy()
        for start, block in blocks:
            nearest(
                block, start, single_f, single_g, values, indices, limits, column_values,
                column_indices,
            )  # fmt: skip
        return column_values, column_indices

    tables = guide.over_groups(group, _GROUPS)
    for table in tables[1:]:
        merge(*tables[0], *table)
    return indices, tables[0][1]


def price(
    costs: Costs,
    guide: Guide,
    f: Float64Array,
    g: Float64Array,
    count: int,
    rounding: float,
    exact: bool,
) -> tuple[Float64Array, IntArray]:
    """Up to ``count`` negative reduced costs of each source, and the sinks (else 0 and -1).

    Those below ``-rounding`` are complete where none is returned, and the least of each row is
    then the least there is. Rows with more pairs in doubt than ``count`` are computed exactly where
    the bounds found nothing and there are many of them, or all of them if ``exact``.
    """
    n = costs.shape[0]
    values, indices = _empty(n, count)
    counts = np.zeros(n, dtype=np.int64)
    doubt = 8 * _SINGLE * (float(np.abs(f).max()) + float(np.abs(g).max()))
    raised, single_g = (f + doubt).astype(np.float32), g.astype(np.float32)
    guide.over_blocks(
        lambda start, block: lowest(block, start, raised, single_g, values, indices, counts)
    )
    rows, places = np.nonzero(indices >= 0)
    columns = indices[rows, places]
    reduced = np.zeros((n, count))
    reduced[rows, places] = np.minimum(costs.pairs(rows, columns) - f[rows] + g[columns], 0.0)
    violated = reduced.min(axis=1) < -rounding
    unsure = np.nonzero((counts > count) & (exact | ~violated))[0]
    if not exact and violated.sum() > unsure.size:
        return reduced, indices
    # Bounds do not tell these rows' pairs apart (ties, or clusters far from each other).
    step = max(1, _EXACT_ENTRIES // costs.shape[1])

    def exactly(start: int) -> None:
        some = unsure[start : start + step]
        block = costs.rows(some) - f[some, None] + g
        columns = np.argpartition(block, count - 1, axis=1)[:, :count]
        least = np.take_along_axis(block, columns, axis=1)
        indices[some] = np.where(least < 0, columns, -1)
        reduced[some] = np.minimum(least, 0.0)

    over_blocks(exactly, range(0, unsure.size, step))
    return reduced, indices


def least(guide: Guide, g: Float64Array) -> Float64Array:
    """A lower bound of min_j cost_ij + g_j for each source."""
    single = g.astype(np.float32)
    doubt = 8 * _SINGLE * (1 + float(np.abs(g).max()))
    rows = guide.over_blocks(lambda _, block: (block + single).min(axis=1).astype(np.float64))
    return np.asarray(np.concatenate(rows) - doubt)
