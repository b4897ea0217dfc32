r"""Values of the divergences of large arrays of vectors, by compiled kernels on several threads.

KL takes one pass, over the vectors as they are: with :math:`x = (S_q - S_p) / S_p`

.. math:: \mathrm{KL}(p/S_p, q/S_q) = \frac{1}{S_p} \sum_i \Bigl(p_i \log \frac{p_i}{q_i}
          - (p_i - q_i)\Bigr) - (x - \log(1 + x)),

terms of one sign and a correction of second order in the masses' defect. Total variation and JS
take a second pass, over the normalised pair (see ``_vector_blocks``). What a correction would spoil
goes to ``_vector_terms.accurate`` row by row. Blocks and their order depend on the shape alone: no
bit depends on the number of threads.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._array import as_float64
from ._typing import Array, Float64Array
from ._vector_blocks import CAPS, LEAST_VALUE, NEAR_ONE, Values, as_rows, capped, sum_up
from ._vector_blocks import evaluate as evaluate_blocks
from ._vector_terms import KL, SCALE, TOTAL_VARIATION, accurate
from .transport._threads import over_blocks

LARGE = 1 << 20  # entries of p or q from which it is worth loading the kernels
BLOCK = 1 << 16  # entries of one piece of work

Sums = Callable[..., tuple[Float64Array, bool]]


def evaluate(divergence: str, p: Array, q: Array) -> Values:
    """The divergence of the rows of p and q, as ``_vector_blocks.evaluate``, however many."""
    if p.size < LARGE and q.size < LARGE:
        return evaluate_blocks(divergence, p, q)
    shape = np.broadcast_shapes(p.shape, q.shape)
    first, second = (as_rows(_floating(vector), shape) for vector in (p, q))
    with np.errstate(all="ignore"):
        parts = _parts(divergence, first, second, math.prod(shape[:-1]))
    columns = [np.concatenate(column) for column in zip(*(part[:3] for part in parts), strict=True)]
    least = min(part.least for part in parts)
    value, p_mass, q_mass = (column.reshape(shape[:-1])[()] for column in columns)
    return Values(value, p_mass, q_mass, least)


def _floating(vector: Array) -> Array:
    return vector if vector.dtype in (np.float32, np.float64) else as_float64(vector)


def _parts(divergence: str, p: Array, q: Array, rows: int) -> list[Values]:
    count = p.shape[-1]
    if count > BLOCK:
        return [
            _of_rows(
                divergence, _by_pieces, *(vector[row % len(vector)][None] for vector in (p, q))
            )
            for row in range(rows)
        ]
    step = max(1, BLOCK // count)

    def work(number: int) -> Values:
        part = slice(number * step, (number + 1) * step)
        some = (v if len(v) == 1 else v[part] for v in (p, q))
        return _of_rows(divergence, _whole, *map(_locked, some))

    return over_blocks(work, range(-(-rows // step)))


def _locked(rows: Array) -> Array:
    """A block, read-only, contiguous: of one layout, so that kernels are compiled once a dtype."""
    block = np.ascontiguousarray(rows).view()
    block.flags.writeable = False
    return block


def _whole(kernel: Callable[..., Any], width: int, p: Array, q: Array, *moves: Any) -> Any:
    """The sums that a kernel takes over rows, as columns, and whether it saw a negative sign."""
    sums = np.empty((max(len(p), len(q)), width))
    signs = kernel(p, q, *moves, sums)
    return sums.T, signs is not None and bool(signs < 0)


def _by_pieces(kernel: Callable[..., Any], width: int, p: Array, q: Array, *moves: Any) -> Any:
    """The same for one row that is long, in pieces that are then summed without error."""

    def work(number: int) -> Any:
        part = slice(number * BLOCK, (number + 1) * BLOCK)
        return _whole(kernel, width, _locked(p[:, part]), _locked(q[:, part]), *moves)

    found = over_blocks(work, range(-(-p.shape[-1] // BLOCK)))
    sums = [sum_up([float(part[column, 0]) for part, _ in found]) for column in range(width)]
    return np.array(sums)[:, None], any(negative for _, negative in found)


def _of_rows(divergence: str, sums: Sums, p: Array, q: Array) -> Values:
    found, lost = (_kl if divergence == KL else _of_normalised)(divergence, sums, p, q)
    for row in np.flatnonzero(lost):
        found.value[row] = accurate(np, divergence, *_pair(row, p, q))
    if divergence != KL:
        for row in np.flatnonzero(found.value >= CAPS[divergence] * NEAR_ONE):
            alone = found._replace(value=found.value[row])
            first, second = _pair(row, p, q)
            found.value[row] = capped(divergence, first, second, alone).value
    return found


def _pair(row: Any, p: Array, q: Array) -> Any:
    return (as_float64(vector[row % len(vector)]) for vector in (p, q))


def _kl(_: str, sums: Sums, p: Array, q: Array) -> tuple[Values, Any]:
    from ._vector_kernels import kl_of_rows

    (mass, q_mass, excess, total), negative = sums(kl_of_rows, 4, p, q)
    unnormalised = total / (SCALE * mass)
    correction = _excess_of_logarithm(excess / mass)
    value = unnormalised - correction
    kept = (correction <= 0.5 * unnormalised) & (value >= LEAST_VALUE)
    lost = ~kept & ((total > 0) | (excess != 0))
    return Values(value, mass, q_mass, -1.0 if negative else 0.0), lost


def _excess_of_logarithm(x: Float64Array) -> Float64Array:
    """``x - log(1 + x)`` for the small x that masses leave."""
    series = 1 / 2 - x * (1 / 3 - x * (1 / 4 - x * (1 / 5 - x * (1 / 6 - x / 7))))
    return x * x * series


def _of_normalised(divergence: str, sums: Sums, p: Array, q: Array) -> tuple[Values, Any]:
    from ._vector_kernels import js_of_rows, masses_of_rows, sizes_of_rows

    (mass, q_mass, excess), negative = sums(masses_of_rows, 3, p, q)
    half = 0.5 * excess
    moves = half / mass, half / q_mass
    if divergence == TOTAL_VARIATION:
        ((moved,), _) = sums(sizes_of_rows, 1, p, q, *moves)
        total = 0.5 * moved
    else:
        ((moved, total), _) = sums(js_of_rows, 2, p, q, *moves)
    unequal = moved + abs(excess) > 0
    value = np.where(unequal, total / (SCALE * (0.5 * (mass + q_mass))), 0.0)
    lost = unequal & ((moved < SCALE * abs(excess)) | ~(value >= LEAST_VALUE))
    return Values(value, mass, q_mass, -1.0 if negative else 0.0), lost
