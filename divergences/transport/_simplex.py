r"""The transportation problem of a dense cost matrix, by POT's network simplex.

.. math:: \min_{\pi \ge 0} \sum_{ij} c_{ij} \pi_{ij}, \qquad
    \sum_j \pi_{ij} = s_i, \quad \sum_i \pi_{ij} = t_j .

Bonneel, van de Panne, Paris, Heidrich, *Displacement interpolation using Lagrangian mass
transport*, ACM Trans. Graph. 30 (2011). About O((n + m)^3) in practice, O(n m) memory.
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .._summation import subtract_pair
from .._typing import Float64Array, IntArray
from . import _small_matrix
from ._clock import Clock
from ._forest import Costs, flows_on_forest
from ._interrupt import interruptible
from ._masses import Flow, Marginals, in_units, north_west
from ._result import CertificateError

_UNLIMITED_PIVOTS = 2_000_000_000
_FIRST_PIVOTS = 20  # pivots a node in the first of the bounded attempts; each later one doubles
_MASS_UNITS = 2**52  # masses given to the solver are integers of at most this sum: exact floats
_CAP = 2.0**10  # refined costs reach this far beyond the largest error they repair
_BLOCK_ENTRIES = 1 << 14
_OPTIMAL, _STOPPED_EARLY = 1, 3


class Candidate(NamedTuple):
    """A feasible plan and potentials of the columns (up to a constant).

    ``slack`` (n, m) are costs reduced by feasible potentials, so the plan is optimal to within the
    sum of its flows times the slack: None where the solver was stopped or the costs were capped.
    """

    flow: Flow
    v: Float64Array
    slack: Float64Array | None


class _Answer(NamedTuple):
    source: IntArray
    target: IntArray
    u: Float64Array
    v: Float64Array
    optimal: bool


def solve(cost: Float64Array, masses: Marginals, clock: Clock) -> Iterator[Candidate]:
    """Plans and potentials, better and better: the caller stops when one is good enough.

    All masses are positive. Without a time limit the first candidate is the simplex's answer; each
    later one solves again with the costs reduced by the potentials of the one before (iterative
    refinement), so that the small differences that decide stand alone in the mantissa. With a
    limit, a cheap candidate comes first and the solver's pivots are bounded, the bound doubling.
    """
    reduced, v = _subtract_minima(cost)
    if 1 in cost.shape or not reduced.any():
        yield Candidate(north_west(masses.supply, masses.demand), v, reduced)
        return
    pivots = _UNLIMITED_PIVOTS
    if clock.limited:
        yield Candidate(north_west(masses.supply, masses.demand), v, None)
        pivots = _FIRST_PIVOTS * sum(cost.shape)
    rows, columns = in_units(masses, _MASS_UNITS)
    cap = float(reduced.max())
    while True:
        unit = float(np.ldexp(1.0, np.frexp(cap)[1]))
        answer = _optimum(np.minimum(reduced, cap) / unit, rows, columns, pivots, clock)
        costs = _rows_of(reduced)
        flow = flows_on_forest(answer.source, answer.target, masses, costs)
        if not answer.optimal:
            yield Candidate(flow, v + answer.v * unit, None)
            pivots *= 2
            continue
        v = v + answer.v * unit
        previous = _reduce(reduced, answer.u * unit, answer.v * unit)
        reduced, change = _subtract_minima(previous)
        v = v + change
        yield Candidate(flow, v, reduced)
        error = max(-float(previous.min()), float(reduced[flow.source, flow.target].max()))
        cap = min(_CAP * error, float(reduced.max()))


def _subtract_minima(cost: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Costs made non-negative by row minima, then column minima; the latter beside."""
    reduced = cost - cost.min(axis=1, keepdims=True)
    v = reduced.min(axis=0)
    return reduced - v, v


def _reduce(cost: Float64Array, u: Float64Array, v: Float64Array) -> Float64Array:
    """``cost - u - v`` with one rounding, a few rows at a time: what fits a cache is fast."""
    reduced = np.empty_like(cost)
    step = max(1, _BLOCK_ENTRIES // v.size)
    for start in range(0, u.size, step):
        rows = slice(start, start + step)
        reduced[rows] = subtract_pair(cost[rows], u[rows, None], v)
    return reduced


def _rows_of(cost: Float64Array) -> Costs:
    """The matrix as a function of row and columns."""
    return lambda i, columns: cost[i, columns]


def _optimum(
    cost: Float64Array, rows: IntArray, columns: IntArray, pivots: int, clock: Clock
) -> _Answer:
    """The support of an optimal plan and its potentials; the small solver's, or POT's."""
    used_rows, used_columns = np.nonzero(rows > 0)[0], np.nonzero(columns > 0)[0]
    every = used_rows.size == rows.size and used_columns.size == columns.size
    part = np.ascontiguousarray(cost if every else cost[np.ix_(used_rows, used_columns)])
    if _small_matrix.fits(*part.shape):
        found, v = _small_matrix.optimum(part, rows[used_rows], columns[used_columns])
        source, target, u = found.source, found.target, (part - v).min(axis=1)
        code: Any = _OPTIMAL
    else:
        source, target, u, v, code = interruptible(
            lambda: _pot(part, rows[used_rows], columns[used_columns], pivots), clock.glance
        )
    if not every:  # atoms too light for one unit take the potentials that the others leave them
        all_v = (cost[used_rows] - u[:, None]).min(axis=0)
        all_v[used_columns] = v
        u, v = (cost[:, used_columns] - v).min(axis=1), all_v
    return _Answer(used_rows[source], used_columns[target], u, v, code == _OPTIMAL)


def _pot(
    cost: Float64Array, rows: IntArray, columns: IntArray, pivots: int
) -> tuple[IntArray, IntArray, Float64Array, Float64Array, int]:
    """One run of POT, of positive masses; the support of its plan, its potentials, its code."""
    import ot

    # POT's absolute tolerances want a sum of about 1: a power of two keeps the masses exact.
    share = float(np.ldexp(1.0, -int(rows.sum()).bit_length()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the result code says what the warnings would
        plan, log = ot.emd(
            rows * share, columns * share, cost, numItermax=pivots,
            log=True, center_dual=False,
        )  # fmt: skip
    code = log.get("result_code")
    if code not in (_OPTIMAL, _STOPPED_EARLY):
        message = f"the network simplex ended with code {code}: {log.get('warning')}"
        raise CertificateError(message)
    source, target = np.nonzero(plan)
    carries = np.rint(plan[source, target] / share) > 0
    u, v = log["u"] + log["v"][0], log["v"] - log["v"][0]
    return source[carries], target[carries], u, v, int(code)
