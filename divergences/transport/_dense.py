r"""Exact transport for dense costs: candidates, an auction, the network simplex, dense pricing.

1. Lower bounds of all costs in single precision (``_dense_problem.Guide``) propose for every
   source and sink the arcs of least cost, reduced by the potentials of a sample's problem: they
   say how far the mass of a whole cluster goes, and which few points are nearest to nearly all
   others. (Where the bounds do not fit in memory, mean costs over a sample stand in.)
2. A short auction on these arcs gives potentials; a second round of proposals under them replaces
   what the first could not know.
3. The cheapest arcs first, each with all the mass it can carry, make the first basis.
4. The network simplex over the candidates and pricing over all pairs take turns, until no pair has
   a negative reduced cost.

Masses and costs are integers: marginals hold exactly, and the basis is optimal for costs rounded
to some 1e-15 of the largest. O(n m) for each pass over the pairs, two to five of them.
"""

import numpy as np

from .._typing import Float64Array, IntArray
from ._auction import auction, greedy, leaves_first
from ._clock import Clock
from ._dense_pricing import least, price, proposals
from ._dense_problem import Costs, Guide
from ._masses import Flow, are_alike, north_west
from ._network_simplex import Candidates, add_all, no_candidates, optimise
from ._result import CertificateError
from ._small_matrix import optimum
from ._spanning_tree import UNITS, SpanningTree, flow_of, grow, in_preorder, in_units

_WIDTH = 48  # arcs of a source in the lists
_SAMPLE = 256  # sources and sinks whose problem gives the first potentials
_PROPOSED = 8  # arcs that a source and a sink propose
_VIOLATORS = 10  # arcs that a source adds in a round of pricing
_EPSILONS = (2.0**-4, 2.0**-6, 2.0**-8)  # of the auction, in spreads of the costs
_BIDS, _BIDS_ALIKE = 60, 20  # steps of the auction a source; of equal masses, few stay out for long
_PATIENCE = 8  # rounds after which bounds that do not tell violators apart are given up
_GUIDANCE = 8.0
_ROUNDING = 1e-14
_ROUNDS = 500
_SMALL_REST = 1 << 20
# Up to so many nodes pivots move all potentials: outdated ones cost up to half as many pivots
# again, and a renewal every few pivots where most subtrees are large (matrices, weights).
_FEW_NODES = 1 << 14


class OutOfTime(Exception):  # noqa: N818 (not an error: it carries what is known)
    """The time ended; ``flow`` is feasible, f_i - g_j is at most the costs."""

    def __init__(self, flow: Flow, f: Float64Array, g: Float64Array) -> None:
        super().__init__()
        self.flow, self.f, self.g = flow, f, g


def solve(
    costs: Costs, supply: IntArray, demand: IntArray, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:
    """Optimal flow and potentials, f_i - g_j at most the cost.

    Masses are positive int64 of equal sums, at most 2^62; costs are as small as
    ``_dense_problem.shrink`` says.

    Raises
    ------
    OutOfTime
        When the clock does not allow more.
    """
    guide = Guide(costs)
    clock.announce("lower bounds of all costs")
    f, g = _foreseen(costs, guide, supply, demand)
    lists = no_candidates(supply.size, min(_WIDTH, demand.size))
    _propose(costs, guide, lists, f, g, _PROPOSED)
    _check(clock, None, guide, supply, demand, g)
    clock.announce("auction")
    held = _bid(lists, supply, demand, g)
    _check(clock, None, guide, supply, demand, g)
    clock.announce("network simplex and pricing")
    tree = _start(costs, lists, supply, demand, g, held)
    return _alternate(costs, guide, tree, lists, supply, demand, clock)


def _foreseen(
    costs: Costs, guide: Guide, supply: IntArray, demand: IntArray
) -> tuple[Float64Array, Float64Array]:
    """Potentials from the problem where one source, and one sink, in several stands for these."""
    known = guide.known()
    if known is None:
        f, g = costs.means()
        return f - f.mean() / 2, g.mean() / 2 - g
    rows, columns = (np.arange(0, size, -(-size // _SAMPLE)) for size in known.shape)
    part = known[np.ix_(rows, columns)].astype(np.float64)
    masses = np.add.reduceat(supply, rows), np.add.reduceat(demand, columns)
    _, v = optimum(part, *masses)
    u = (part - v).min(axis=1).astype(np.float32)
    g = (u[:, None] - known[rows]).max(axis=0)
    f = (known[:, columns] + g[columns]).min(axis=1)
    return f.astype(np.float64), g.astype(np.float64)


def _check(
    clock: Clock, tree: SpanningTree | None, guide: Guide, supply: IntArray,
    demand: IntArray, g: Float64Array,
) -> None:  # fmt: skip
    """Stop if the time is over, with the best bound that one pass over the guide gives."""
    if not clock.limited or clock.allows(0.0):
        return
    flow = north_west(supply, demand) if tree is None else flow_of(tree, supply.size)
    raise OutOfTime(flow, least(guide, g), g)


def _propose(
    costs: Costs, guide: Guide, lists: Candidates, f: Float64Array, g: Float64Array, count: int
) -> None:
    """Add the arcs of least cost reduced by f and g of every source and sink."""
    n, m = costs.shape
    of_x, of_y = proposals(guide, costs.shape, f, g, min(count, n, m))
    width = of_x.shape[1]
    rows = np.concatenate([np.repeat(np.arange(n), width), of_y.ravel()])
    columns = np.concatenate([of_x.ravel(), np.repeat(np.arange(m), width)])
    potential = in_units(np.concatenate([f, g]))
    _add(costs, lists, potential, rows, columns)


def _add(
    costs: Costs, lists: Candidates, potential: IntArray, rows: IntArray, columns: IntArray
) -> None:
    kept = (rows >= 0) & (columns >= 0)
    rows, columns = rows[kept], columns[kept]
    add_all(*lists, potential, rows, columns, in_units(costs.pairs(rows, columns)))


def _bid(
    lists: Candidates, supply: IntArray, demand: IntArray, g: Float64Array
) -> tuple[IntArray, IntArray]:
    """Replace g by the prices of an auction; the pairs that hold something at its end, each before
    others could take what it holds.
    """
    lengths = lists.cost / UNITS
    reduced = lengths + g[lists.sink]
    there = np.arange(lists.sink.shape[1]) < lists.filled[:, None]
    spread = float(np.std(reduced[there])) or 1.0
    alike = are_alike(supply, demand)
    for epsilon in _EPSILONS:
        _, *held = auction(
            lists.sink, lengths, lists.filled, supply, demand, g, epsilon * spread,
            (_BIDS_ALIKE if alike else _BIDS) * supply.size,
        )  # fmt: skip
    source, target = np.divmod(np.unique(held[0] * demand.size + held[1]), demand.size)
    order = leaves_first(source, target, supply.size, demand.size)
    return source[order], target[order]


def _start(
    costs: Costs, lists: Candidates, supply: IntArray, demand: IntArray, g: Float64Array,
    held: tuple[IntArray, IntArray],
) -> SpanningTree:  # fmt: skip
    """A basis of what the auction ``held``, and arcs of small reduced cost for the rest."""
    n, m = costs.shape
    rows, places = np.nonzero(np.arange(lists.sink.shape[1]) < lists.filled[:, None])
    columns = lists.sink[rows, places].astype(np.int64)
    reduced = lists.cost[rows, places] / UNITS + g[columns]
    f = np.full(n, np.inf)
    np.minimum.at(f, rows, reduced)
    f = np.where(np.isfinite(f), f, 0.0)
    left, lack = supply.copy(), demand.copy()
    flows = [_carry(np.arange(held[0].size), *held, left, lack)]
    flows.append(_carry(np.argsort(reduced - f[rows], kind="stable"), rows, columns, left, lack))
    open_rows, open_columns = np.nonzero(left)[0], np.nonzero(lack)[0]
    if open_rows.size * open_columns.size <= _SMALL_REST:
        rows = np.repeat(open_rows, open_columns.size)
        columns = np.tile(open_columns, open_rows.size)
        reduced = costs.pairs(rows, columns) - f[rows] + g[columns]
        flows.append(_carry(np.argsort(reduced, kind="stable"), rows, columns, left, lack))
    else:
        rest = north_west(left[open_rows], lack[open_columns])
        flows.append(Flow(open_rows[rest.source], open_columns[rest.target], rest.mass))
    flow = Flow(*(np.concatenate(parts) for parts in zip(*flows, strict=True)))
    lengths = in_units(costs.pairs(flow.source, flow.target))
    largest = float(np.abs(lists.cost).max()) / UNITS
    f = np.clip(f - (f.max() + f.min()) / 2, -_GUIDANCE * largest, _GUIDANCE * largest)
    tree = in_preorder(grow(*flow, lengths, m, in_units(f)), n, n + m)
    add_all(*lists, tree.potential, flow.source, flow.target, lengths)
    return tree


def _carry(
    order: IntArray, rows: IntArray, columns: IntArray, left: IntArray, lack: IntArray
) -> Flow:
    """Arcs taken greedily in this order; what they carry is taken from ``left`` and ``lack``."""
    mass = np.empty(min(order.size, left.size + lack.size), dtype=np.int64)
    rows, columns = np.ascontiguousarray(rows), np.ascontiguousarray(columns)
    used = greedy(order, rows, columns, left, lack, mass)
    chosen = order[:used]
    return Flow(rows[chosen], columns[chosen], mass[:used])


def _alternate(
    costs: Costs, guide: Guide, start: SpanningTree, lists: Candidates, supply: IntArray,
    demand: IntArray, clock: Clock,
) -> tuple[Flow, Float64Array, Float64Array]:  # fmt: skip
    """Simplex and pricing in turns until no pair has a negative reduced cost."""
    n, m = costs.shape
    tree = start
    f, g = _potentials(tree, n, m)
    for number in range(_ROUNDS):
        for stage in optimise(tree, lists, 0, all_at_once=tree.label.size <= _FEW_NODES):
            tree = stage
            _check(clock, tree, guide, supply, demand, g)
        f, g = _potentials(tree, n, m)
        size = float(np.abs(f).max() + np.abs(g).max())
        rounding = _ROUNDING * size + 2 / UNITS
        reduced, columns = price(
            costs, guide, f, g, min(_VIOLATORS, m), rounding, number >= _PATIENCE
        )
        if reduced.min() >= -rounding:
            return flow_of(tree, n), f + reduced.min(axis=1), g
        rows = np.nonzero(columns >= 0)[0]
        _add(costs, lists, tree.potential, rows, columns[columns >= 0])
    message = f"the dense simplex did not converge in {_ROUNDS} rounds"
    raise CertificateError(message)


def _potentials(tree: SpanningTree, n: int, m: int) -> tuple[Float64Array, Float64Array]:
    middle = int(np.median(tree.potential[n : n + m]))
    return (tree.potential[:n] - middle) / UNITS, (tree.potential[n : n + m] - middle) / UNITS
