"""The costs of a small problem as integers, in passes that the compiler turns into vectors."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit


def _to_integers(
    cost: NDArray[np.floating[Any]],
    least: Float64Array,
    bits: int,
    v: Float64Array,
    integers: IntArray,
) -> float:
    """Write costs less ``least`` of their row and then ``v`` of their column; the unit they are in.

    ``v`` is written too: the least of each column after the rows are reduced. The largest integer
    has so many ``bits``.
    """
    n, m = cost.shape
    v[:] = np.inf
    for i in range(n):
        for j in range(m):
            reduced = cost[i, j] - least[i]
            v[j] = reduced if reduced < v[j] else v[j]
    top = np.zeros(m)
    for i in range(n):
        for j in range(m):
            reduced = cost[i, j] - least[i] - v[j]
            top[j] = reduced if reduced > top[j] else top[j]
    unit = math.ldexp(top.max(), -bits)
    unit = unit if unit > 0.0 else 2.0**-1000
    for i in range(n):
        row = integers[i * m : i * m + m]
        for j in range(m):
            row[j] = np.int64(np.rint((cost[i, j] - least[i] - v[j]) / unit))
    return unit


to_integers = jit(_to_integers)
