r"""Equal masses, as many sources as sinks: an optimal assignment, and potentials that prove it.

SciPy's ``linear_sum_assignment`` (Crouse, *On implementing 2D rectangular assignment algorithms*,
IEEE Trans. Aerosp. Electron. Syst. 52, 2016) gives the permutation s, not its potentials. With
source i at its sink s(i), these are the shortest paths of the residual graph,

.. math:: v_{s(j)} = \min_{\text{paths } i \to \dots \to j} \; \sum_{(k, l)}
    c_{k s(l)} - c_{k s(k)}, \qquad u_i = c_{i s(i)} - v_{s(i)} ,

found by Bellman's and Ford's rounds, each of which relaxes the rows that the last one changed. No
negative cycle exists beyond rounding, or the permutation were not optimal.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from .._typing import Float64Array, IntArray

_FEW = 16  # rows that are relaxed together sooner than the changed ones are found
_EPS = 2.0**-52
_least, _most = np.minimum.reduce, np.maximum.reduce


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
    end, since then the assignment is optimal only up to more than the rounding of its costs.
    """
    paired = cost[:, column]
    excess = paired - paired.diagonal()[:, None]
    found = _least(excess, axis=0)
    find = _all_rows if column.size <= _FEW else _changed_rows
    # Rounded costs make cycles of ties negative by less than this a pair; the rounds ignore it.
    ignored = _EPS * float(max(_most(cost, axis=None), -_least(cost, axis=None)))
    found, contradicted = find(excess, found, ignored)
    v = np.empty_like(found)
    v[column] = found
    return v, contradicted - 1.5 * _EPS * float(_least(found))


def _all_rows(
    excess: Float64Array, found: Float64Array, ignored: float
) -> tuple[Float64Array, float]:
    """Lengths of shortest paths, and how much shorter a pair would make one; inf for more yet."""
    ways = np.empty_like(excess)
    for _ in range(found.size + 1):
        shorter = _least(np.add(excess, found[:, None], out=ways), axis=0)
        contradicted = float(_most(found - shorter))
        if contradicted <= ignored:
            return found, contradicted
        found = shorter
    return found, math.inf


def _changed_rows(
    excess: Float64Array, found: Float64Array, ignored: float
) -> tuple[Float64Array, float]:
    changed = found.nonzero()[0]
    for _ in range(found.size):
        if not changed.size:
            shorter = _least(excess + found[:, None], axis=0)
            return found, float(_most(found - shorter))
        shorter = _least(excess[changed] + found[changed, None], axis=0)
        changed = (shorter < found - ignored).nonzero()[0]
        found = np.minimum(found, shorter)
    return found, math.inf
