r"""Equal masses, as many sources as sinks: an optimal assignment, and potentials that prove it.

SciPy's ``linear_sum_assignment`` (Crouse, *On implementing 2D rectangular assignment algorithms*,
IEEE Trans. Aerosp. Electron. Syst. 52, 2016) gives the permutation s, not its potentials. With
source i at its sink s(i), these are the shortest paths of the residual graph,

.. math:: v_{s(j)} = \min_{\text{paths } i \to \dots \to j} \; \sum_{(k, l)}
    c_{k s(l)} - c_{k s(k)}, \qquad u_i = c_{i s(i)} - v_{s(i)} ,

found by Bellman's and Ford's rounds, each of which relaxes the rows that the last one changed. No
negative cycle exists, or the permutation were not optimal.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from .._typing import Float64Array, IntArray

_FEW = 16  # rows that are relaxed together sooner than the changed ones are found
_EPS = 2.0**-52
_least = np.minimum.reduce


def assign(cost: Float64Array) -> IntArray:
    """The sink of each source, in an optimal assignment of a square matrix; O(n^3)."""
    return np.asarray(load()(cost)[1])


@cache
def load() -> Any:
    """SciPy's solver, imported at first need."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


def potentials(cost: Float64Array, column: IntArray) -> tuple[Float64Array, float]:
    """Potentials v of the columns for an optimal assignment; about O(n^2), at most O(n^3).

    Beside them, by how much rounding may have let a pair contradict them: inf if the rounds do not
    end, since then the assignment is optimal only up to the rounding of its costs.
    """
    paired = cost[:, column]
    excess = paired - paired.diagonal()[:, None]
    found = _least(excess, axis=0)
    find = _all_rows if column.size <= _FEW else _changed_rows
    found, settled = find(excess, found)
    v = np.empty_like(found)
    v[column] = found
    return v, -1.5 * _EPS * float(_least(found)) if settled else math.inf


def _all_rows(excess: Float64Array, found: Float64Array) -> tuple[Float64Array, bool]:
    before, starts, ways = b"", found[:, None], np.empty_like(excess)
    for _ in range(found.size):
        np.add(excess, starts, out=ways)
        _least(ways, axis=0, out=found)
        after = found.tobytes()
        if after == before:
            return found, True
        before = after
    return found, bool((_least(excess + starts, axis=0) == found).all())


def _changed_rows(excess: Float64Array, found: Float64Array) -> tuple[Float64Array, bool]:
    changed = found.nonzero()[0]
    for _ in range(found.size):
        if not changed.size:
            return found, True
        shorter = _least(excess[changed] + found[changed, None], axis=0)
        changed = (shorter < found).nonzero()[0]
        found = np.minimum(found, shorter)
    return found, False
