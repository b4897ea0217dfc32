"""From exact masses and a metric or matrix to the dense solver and back.

Its kernels want costs of a known size and masses in int64: both are arranged here, and undone. The
compiler is loaded by the first problem that comes here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array, IntArray
from ._clock import Clock
from ._common_mass import Residual
from ._forest import flows_on_forest
from ._masses import UNITS, Flow, Marginals, in_int64, north_west

if TYPE_CHECKING:
    from ._dense_problem import Costs

_BLOCK_ENTRIES = 1 << 20


class StoppedEarly(Exception):  # noqa: N818 (it carries what is known)
    """The time ended with this feasible flow, and f, g with f_i - g_j at most the costs."""

    def __init__(self, flow: Flow, f: Float64Array, g: Float64Array) -> None:
        super().__init__()
        self.flow, self.f, self.g = flow, f, g


def solve_points(
    residual: Residual, metric: Metric, radius: float, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:
    """Optimal flow between sources and sinks, and potentials, f_i - g_j at most the distance.

    No distance is above 2 ``radius``.

    Raises
    ------
    StoppedEarly
        When the clock does not allow more.
    """
    from ._dense_problem import PointCosts, shrink

    x, y = residual.atoms[residual.sources], residual.atoms[residual.sinks]
    unit = shrink(2 * radius, min(x.shape[0], y.shape[0]))

    def costs(rows: IntArray | slice, columns: IntArray | slice) -> "Costs":
        return PointCosts(x[rows], y[columns], metric, unit)

    return _solve(costs, unit, residual.marginals, clock)


def solve_matrix(
    cost: Float64Array, masses: Marginals, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:
    """Optimal flow and potentials, f_i - g_j at most the cost, for a matrix of any sign.

    Raises
    ------
    StoppedEarly
        When the clock does not allow more.
    """
    from ._dense_problem import MatrixCosts, shrink

    least, largest = float(cost.min()), float(cost.max())
    unit = shrink(largest - least, min(cost.shape))

    def costs(rows: IntArray | slice, columns: IntArray | slice) -> "Costs":
        return MatrixCosts(cost[rows][:, columns], least, unit)

    try:
        flow, f, g = _solve(costs, unit, masses, clock)
    except StoppedEarly as stopped:
        raise StoppedEarly(stopped.flow, stopped.f + least, stopped.g) from None
    return flow, f + least, g


def _solve(
    costs_of: Callable[[IntArray | slice, IntArray | slice], "Costs"], unit: float,
    masses: Marginals, clock: Clock,
) -> tuple[Flow, Float64Array, Float64Array]:  # fmt: skip
    """Solve for the masses in int64; then exact flows, and potentials also of the lightest."""
    from . import _dense

    everything = slice(None)
    supply, demand = in_int64(masses)
    used_x, used_y = np.nonzero(supply)[0], np.nonzero(demand)[0]
    whole = used_x.size == supply.size and used_y.size == demand.size
    costs = costs_of(everything, everything)
    part = costs if whole else costs_of(used_x, used_y)
    stopped = False
    try:
        if 1 in part.shape:
            flow, f, g = _only_plan(part, supply[used_x], demand[used_y])
        else:
            flow, f, g = _dense.solve(part, supply[used_x], demand[used_y], clock)
    except _dense.OutOfTime as out:
        stopped, flow, f, g = True, out.flow, out.f, out.g
    source, target = used_x[flow.source], used_y[flow.target]
    if masses.total <= UNITS:
        flow = Flow(source, target, flow.mass.astype(masses.supply.dtype))
    else:

        def of_row(i: int, columns: IntArray) -> Float64Array:
            return costs.pairs(np.full(columns.size, i), columns)

        flow = flows_on_forest(source, target, masses, of_row)
    if not whole:
        f, g = _extended(costs, used_x, used_y, f, g)
    if stopped:
        raise StoppedEarly(flow, f / unit, g / unit)
    return flow, f / unit, g / unit


def _only_plan(
    costs: "Costs", supply: IntArray, demand: IntArray
) -> tuple[Flow, Float64Array, Float64Array]:
    """The one plan there is where one side has one atom."""
    n, m = costs.shape
    rows, columns = np.indices((n, m)).reshape(2, -1)
    lengths = costs.pairs(rows, columns)
    flow = north_west(supply, demand)
    if n == 1:
        return flow, np.zeros(1), -lengths
    return flow, lengths, np.zeros(1)


def _extended(
    costs: "Costs", used_x: IntArray, used_y: IntArray, f: Float64Array, g: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Potentials of all sources and sinks from those of some."""
    n, m = costs.shape
    all_f, all_g = np.full(n, np.inf), np.full(m, -np.inf)
    all_f[used_x], all_g[used_y] = f, g
    step = max(1, _BLOCK_ENTRIES // m)
    unused = np.nonzero(np.isinf(all_f))[0]
    for start in range(0, unused.size, step):
        some = unused[start : start + step]
        all_f[some] = (costs.rows(some)[:, used_y] + g).min(axis=1)
    missing = np.nonzero(np.isinf(all_g))[0]
    for start in range(0, n if missing.size else 0, step):
        some = np.arange(start, min(start + step, n))
        highest = (all_f[some, None] - costs.rows(some)[:, missing]).max(axis=0)
        all_g[missing] = np.maximum(all_g[missing], highest)
    return all_f, all_g
