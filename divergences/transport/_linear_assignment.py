r"""Equal masses, as many sources as sinks: an optimal assignment, and potentials that prove it.

SciPy's ``linear_sum_assignment`` (Crouse, *On implementing 2D rectangular assignment algorithms*,
IEEE Trans. Aerosp. Electron. Syst. 52, 2016) gives the permutation s, not its potentials. With
source i at its sink s(i), these are the shortest paths of the residual graph,

.. math:: v_{s(j)} = \min_{\text{paths } i \to \dots \to j} \; \sum_{(k, l)}
    c_{k s(l)} - c_{k s(k)}, \qquad u_i = c_{i s(i)} - v_{s(i)} .

Costs are integers here, so there is one answer, whichever way it is found: by Bellman's and Ford's
rounds, each of which relaxes the rows that the last one changed, or by a kernel.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray

_least = np.minimum.reduce


class Proof(NamedTuple):
    """Potentials v of the columns that prove an assignment optimal, and whether it is ``alone``:
    the pairs whose reduced cost is within a tolerance form no cycle.
    """

    v: IntArray
    alone: bool


def assign(cost: Float64Array) -> IntArray:
    """The sink of each source, in an optimal assignment of a square matrix; O(n^3)."""
    return np.asarray(load()(cost)[1])


@cache
def load() -> Any:
    """SciPy's solver, imported at first need."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


def prove(cost: IntArray, column: IntArray, tolerance: int) -> Proof | None:
    """The proof for costs (n, n), at least 0, whose sums are in int64; None if there is none.

    About O(n^2), at most O(n^3).
    """
    paired = cost[:, column]
    excess = paired - paired.diagonal()[:, None]
    found = _least(excess, axis=0)
    changed = found.nonzero()[0]
    for _ in range(column.size):
        if not changed.size:
            v = np.empty_like(found)
            v[column] = found
            return Proof(v, _is_forest((excess + found[:, None]) - found <= tolerance))
        shorter = _least(excess[changed] + found[changed, None], axis=0)
        changed = (shorter < found).nonzero()[0]
        found = np.minimum(found, shorter)
    return None  # a cycle is negative


def _is_forest(pairs: NDArray[np.bool_]) -> bool:
    """Whether the pairs of rows and columns that are true form no cycle."""
    rows, columns = pairs.nonzero()
    n = pairs.shape[0]
    if rows.size >= 2 * n:
        return False
    above = list(range(2 * n))
    for row, column in zip(rows.tolist(), (columns + n).tolist(), strict=True):
        first, second = row, column
        while above[first] != first:
            above[first] = above[above[first]]
            first = above[first]
        while above[second] != second:
            above[second] = above[above[second]]
            second = above[second]
        if first == second:
            return False
        above[first] = second
    return True
