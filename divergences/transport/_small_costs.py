"""The costs of a small problem as integers, in passes that the compiler turns into vectors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit
from ._small_simplex import unit_of


def _to_integers(
    cost: NDArray[np.floating[Any]],
    least: Float64Array,
    bits: int,
    most: float,
    v: Float64Array,
    integers: IntArray,
) -> float:
    """Write costs less ``least`` of their row and then ``v`` of their column; the unit they are in.

    ``v`` is written too: the least of each column after the rows are reduced. What is larger than
    ``most`` becomes that. The largest integer has at most so many ``bits``; the unit is a power of
    two.
    """
    n, m = cost.shape
    for j in range(m):
        v[j] = np.inf
    for i in range(n):
        for j in range(m):
            reduced = cost[i, j] - least[i]
            v[j] = reduced if reduced < v[j] else v[j]
    top = np.zeros(m)
    for i in range(n):
        for j in range(m):
            reduced = cost[i, j] - least[i] - v[j]
            top[j] = reduced if reduced > top[j] else top[j]
    largest = 0.0
    for j in range(m):
        largest = top[j] if top[j] > largest else largest
    unit = unit_of(min(largest, most), bits)
    for i in range(n):
        row = integers[i * m : i * m + m]
        for j in range(m):
            reduced = cost[i, j] - least[i] - v[j]
            reduced = reduced if reduced < most else most
            row[j] = np.int64(np.rint(reduced / unit))
    return unit


to_integers = jit(_to_integers, helpers=(unit_of,))
