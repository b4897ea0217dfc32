"""From exact masses and a metric or matrix to the dense solver and back.

Its kernels want costs of a known size, masses in int64, and no fewer sources than sinks (a source
lists a few arcs): all are arranged here, and undone. The compiler is loaded by the first problem
that comes here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array, IntArray
from ._clock import Clock
from ._common_mass import Residual
from ._forest import flows_on_forest
from ._masses import UNITS, Flow, Marginals, as_fractions, in_int64, north_west

if TYPE_CHECKING:
    from ._dense_problem import Costs

_BLOCK_ENTRIES = 1 << 20
_ROUNDED = 1e-12  # an excess above it, relative to the value, is one of rounded costs
_CUT, _MOST_CUTS = 128.0, 4  # costs so many values above the least are cut, and how often


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

    masses = residual.marginals
    x, y = residual.atoms[residual.sources], residual.atoms[residual.sinks]
    unit = shrink(2 * radius, min(x.shape[0], y.shape[0]))
    turned = x.shape[0] < y.shape[0]
    if turned:
        x, y = y, x

    def costs(rows: IntArray | slice, columns: IntArray | slice) -> "Costs":
        return PointCosts(x[rows], y[columns], metric, unit)

    return _either_way(costs, unit, masses, clock, turned)


def solve_matrix(
    cost: Float64Array, masses: Marginals, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:
    """Optimal flow and potentials, f_i - g_j at most the cost, for a matrix of any sign.

    The solver rounds to a part of the largest cost. Where that shows in a far smaller value, costs
    far above it are cut: a plan that is optimal then, and uses none of them, is optimal. The
    potentials found bound the lower costs, hence the true ones.

    Raises
    ------
    StoppedEarly
        When the clock does not allow more.
    """
    flow, f, g = _solve_rounded(cost, masses, clock)
    for _ in range(_MOST_CUTS):
        most = _cut(cost, flow, f, g)
        if most is None:
            break
        lower = np.minimum(cost, most)
        clock.announce("refining")
        found = _solve_rounded(lower, masses, clock)
        if lower[found[0].source, found[0].target].max() >= most:
            break
        cost, (flow, f, g) = lower, found
    return flow, f, g


def _cut(cost: Float64Array, flow: Flow, f: Float64Array, g: Float64Array) -> float | None:
    """Above which cost the others may be cut; None where that would not help."""
    used, mass = cost[flow.source, flow.target], as_fractions(flow.mass, int(flow.mass.sum()))
    excess = float(mass @ (used - f[flow.source] + g[flow.target]))
    value, least = float(mass @ used), float(cost.min())
    if excess <= _ROUNDED * abs(value):
        return None
    room = max(2 * (float(used.max()) - least), _CUT * (value - least))
    return least + room if 0 < room < (float(cost.max()) - least) / 4 else None


def _solve_rounded(
    cost: Float64Array, masses: Marginals, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:
    """``solve_matrix`` up to the rounding of the largest cost."""
    from ._dense_problem import MatrixCosts, shrink

    least, largest = float(cost.min()), float(cost.max())
    unit = shrink(largest - least, min(cost.shape))
    turned = cost.shape[0] < cost.shape[1]
    if turned:
        cost = cost.T

    def costs(rows: IntArray | slice, columns: IntArray | slice) -> "Costs":
        return MatrixCosts(cost[rows][:, columns], least, unit)

    try:
        flow, f, g = _either_way(costs, unit, masses, clock, turned)
    except StoppedEarly as stopped:
        raise StoppedEarly(stopped.flow, stopped.f + least, stopped.g) from None
    return flow, f + least, g


def _either_way(
    costs_of: Callable[[IntArray | slice, IntArray | slice], "Costs"], unit: float,
    masses: Marginals, clock: Clock, turned: bool,
) -> tuple[Flow, Float64Array, Float64Array]:  # fmt: skip
    """``_solve``; where ``turned`` the costs are from sinks to sources, the rest is not."""
    if not turned:
        return _solve(costs_of, unit, masses, clock)
    try:
        flow, f, g = _solve(costs_of, unit, _turned(masses), clock)
    except StoppedEarly as stopped:
        raise StoppedEarly(_backwards(stopped.flow), -stopped.g, -stopped.f) from None
    return _backwards(flow), -g, -f


def _turned(masses: Marginals) -> Marginals:
    return Marginals(masses.demand, masses.supply, masses.total)


def _backwards(flow: Flow) -> Flow:
    return Flow(flow.target, flow.source, flow.mass)


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
        if part.shape[1] == 1:
            zeros = np.zeros(part.shape[0], dtype=np.int64)
            flow = north_west(supply[used_x], demand[used_y])
            f, g = part.pairs(np.arange(zeros.size), zeros), np.zeros(1)
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
