r"""Exact transport between points of low dimension, from coarse clusters to the points.

1. Both clouds are put in kd-tree order; the nodes of a level are clusters, with their mass at their
   centre of mass.
2. On each level the network simplex solves the problem over candidate arcs, pricing over the pair
   of trees adds the arcs that are still missing, and so on until none is.
3. The plan between clusters, split among their children, is a feasible basis of the next level;
   the potential, extended by :math:`f(z) = \min_J (d(z, y_J) + g_J)`, says which arcs to try there.

Merigot, *A multiscale approach to optimal transport* (2011) and Schmitzer, *A sparse multiscale
algorithm for dense optimal transport* (2016) have this plan of attack for other costs. Masses are
integers, so marginals hold exactly. O(n) memory. Measured
in the plane, n = 5000 to 20,000: time grows as about n^1.5 where mass moves little, n^1.8 where it
moves far.
"""

from typing import NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray
from ._clock import Clock
from ._kd_tree import Tree, below, build, sort
from ._masses import Flow, north_west
from ._network_simplex import (
    WIDTH,
    Candidates,
    add_all,
    in_preorder,
    no_candidates,
    optimise,
)
from ._norms import distances
from ._pricing import price, smallest
from ._result import CertificateError
from ._spanning_tree import SpanningTree, grow, refresh

_COARSEST = 6  # the first level has 2^6 clusters of each cloud
_REFINE = 2  # levels of the kd-tree between one level of the problem and the next
_NEIGHBOURS = 10  # arcs that a point adds to the lists at the start, and in a round
_LEAVES = 40  # leaves searched for such an arc: proposals need not be the best
_ROUNDING = 1e-14  # reduced costs above minus this count as 0, in diameters
_EXACT, _COARSE = 1e-13, 1e-7  # a level ends when its excess cost is below this share of its cost
_ROUNDS = 200


class Cloud(NamedTuple):
    """Points of one level, in tree order, with their masses."""

    tree: Tree
    mass: IntArray


class Potential(NamedTuple):
    """The function f(z) = min_j d(z, y_j) + height_j."""

    y: Tree
    heights: Float64Array

    def __call__(self, points: Float64Array, order: float, leaves: int = -1) -> Float64Array:
        """The values of f, or upper bounds of them from so many leaves of the tree."""
        values, _ = smallest(points, *below(self.y, self.heights), order, 1, leaves)
        return values[:, 0]


class OutOfTime(Exception):  # noqa: N818 (not an error: it carries what is known)
    """The time ended; ``flow`` is feasible and ``potential``, where not None, has slope 1."""

    def __init__(self, flow: Flow, potential: Potential | None) -> None:
        super().__init__()
        self.flow = flow
        self.potential = potential


def solve(
    x: Float64Array, y: Float64Array, supply: IntArray, demand: IntArray, order: float,
    clock: Clock,
) -> tuple[Flow, Potential]:  # fmt: skip
    """Optimal flow from points x (n, d) to y (m, d) under the norm of this order.

    Masses are positive int64 of equal sums, at most 2^62; points are scaled so that their diameter
    is about 1. The potential is optimal and has slope 1 everywhere.

    Raises
    ------
    OutOfTime
        When the clock does not allow more.
    """
    x, y = np.array(x, order="C"), np.array(y, order="C")
    x_order, y_order = sort(x), sort(y)
    supply, demand = supply[x_order], demand[y_order]
    flow, potential = None, None
    try:
        for level in _levels(max(x.shape[0], y.shape[0])):
            sources, sinks = _clusters(x, supply, level), _clusters(y, demand, level)
            clock.announce(f"{sources.mass.size} sources, {sinks.mass.size} sinks")
            flow = _split(flow, sources.mass, sinks.mass)
            share = _EXACT if level is None else _COARSE
            flow, potential = _solve_level(sources, sinks, flow, potential, order, share, clock)
    except OutOfTime as stopped:
        flow = _split(stopped.flow, supply, demand)
        flow = Flow(x_order[flow.source], y_order[flow.target], flow.mass)
        raise OutOfTime(flow, stopped.potential) from None
    assert flow is not None
    assert potential is not None
    return Flow(x_order[flow.source], y_order[flow.target], flow.mass), potential


def _levels(count: int) -> list[int | None]:
    """Levels of the kd-tree whose nodes are the clusters, then None for the points."""
    deepest = (count - 1).bit_length() - 1  # clusters of two points and more
    return [*range(_COARSEST, deepest, _REFINE), None]


def _clusters(points: Float64Array, mass: IntArray, level: int | None) -> Cloud:
    """The masses of the kd-tree's nodes of a level, each at its centre of mass."""
    n = points.shape[0]
    if level is None or n <= 1 << level:
        return Cloud(build(points), mass)
    starts = (np.arange(1 << level) * n) >> level
    sums = np.add.reduceat(mass, starts)
    weights = mass[:, None] / mass.max()
    centres = np.add.reduceat(points * weights, starts) / np.add.reduceat(weights, starts)
    return Cloud(build(centres), sums)


def _split(flow: Flow | None, supply: IntArray, demand: IntArray) -> Flow:
    """A plan between the children of clusters, from one between the clusters.

    Children follow each other as their parents do, so one north-west rule along the flow sorted by
    source, then one along it sorted by target, stay within each arc. The support is a forest again.
    """
    if flow is None:
        return north_west(supply, demand)
    lines = np.argsort(flow.source, kind="stable")
    halved = north_west(supply, flow.mass[lines])
    target = flow.target[lines][halved.target]
    lines = np.argsort(target, kind="stable")
    split = north_west(halved.mass[lines], demand)
    return Flow(halved.source[lines][split.source], split.target, split.mass)


def _solve_level(
    sources: Cloud, sinks: Cloud, flow: Flow, guide: Potential | None, order: float, share: float,
    clock: Clock,
) -> tuple[Flow, Potential]:  # fmt: skip
    """Optimal flow between two clouds, from a feasible flow and a guess of the potential."""
    x, y = sources.tree, sinks.tree
    n, m = x.points.shape[0], y.points.shape[0]
    f = np.zeros(n) if guide is None else guide(x.points, order, _LEAVES)
    g = np.zeros(m) if guide is None else guide(y.points, order, _LEAVES)
    tree = SpanningTree(*grow(*flow, (n, m), f))
    lists = no_candidates(n, min(WIDTH, m))
    tree, lists = in_preorder(tree, n + m, lists)
    refresh(tree.links, tree.potential, x.points, y.points, order)
    _propose(lists, tree, x, y, f, g, order)
    for _ in range(_ROUNDS):
        for stage in optimise(tree, lists, x.points, y.points, order, _ROUNDING):
            tree, lists = stage
            if not clock.allows(0.0):
                raise OutOfTime(_flow(tree, n), guide)
        f, g = _potentials(tree, n, m)
        excess = _improve(lists, tree, sources, sinks, f, g, order)
        if excess <= share * _cost(tree, x.points, y.points, order):
            return _flow(tree, n), Potential(y, g)
    message = f"the multiscale simplex did not converge in {_ROUNDS} rounds"
    raise CertificateError(message)


def _propose(
    lists: Candidates, tree: SpanningTree, x: Tree, y: Tree, f: Float64Array, g: Float64Array,
    order: float,
) -> None:  # fmt: skip
    """Arcs to begin with: the smallest d(x_i, y_j) + g_j of each i, d(x_i, y_j) - f_i of each j."""
    _, sinks = smallest(x.points, *below(y, g), order, _NEIGHBOURS, _LEAVES)
    _, sources = smallest(y.points, *below(x, -f), order, _NEIGHBOURS, _LEAVES)
    _add(lists, tree, sources, sinks, x, y, order)


def _improve(
    lists: Candidates, tree: SpanningTree, sources: Cloud, sinks: Cloud, f: Float64Array,
    g: Float64Array, order: float,
) -> float:  # fmt: skip
    """Price all pairs, add the worst of each point; by how much the flow may exceed the optimum."""
    x, y = sources.tree, sinks.tree
    reduced, of_x, of_y = price(*below(x, -f), *below(y, g), order, -_ROUNDING, _NEIGHBOURS)
    _add(lists, tree, of_y, of_x, x, y, order)
    return float(-(sources.mass * reduced[:, 0]).sum())


def _add(
    lists: Candidates, tree: SpanningTree, of_sinks: IntArray, of_sources: IntArray, x: Tree,
    y: Tree, order: float,
) -> None:  # fmt: skip
    """Add the sources listed for each sink, shape (m, k), and the sinks listed for each source."""
    for rows, columns in (
        (np.repeat(np.arange(of_sources.shape[0]), of_sources.shape[1]), of_sources.ravel()),
        (of_sinks.ravel(), np.repeat(np.arange(of_sinks.shape[0]), of_sinks.shape[1])),
    ):
        add_all(*lists[1:], tree.links, tree.potential, rows, columns, x.points, y.points, order)


def _potentials(tree: SpanningTree, n: int, m: int) -> tuple[Float64Array, Float64Array]:
    """Potentials of sources and of sinks."""
    potential = np.empty(n + m + 1)
    potential[tree.origin] = tree.potential
    return potential[:n], potential[n : n + m]


def _flow(tree: SpanningTree, n: int) -> Flow:
    """The arcs of the tree that carry mass."""
    used = np.nonzero(tree.flow)[0]
    child, parent = tree.origin[used], tree.origin[tree.parent[used]]
    return Flow(
        np.minimum(child, parent).astype(np.int64),
        np.maximum(child, parent).astype(np.int64) - n,
        tree.flow[used],
    )


def _cost(tree: SpanningTree, x: Float64Array, y: Float64Array, order: float) -> float:
    """Cost of the tree's flow, in units of mass."""
    flow = _flow(tree, x.shape[0])
    return float((flow.mass * distances(x, flow.source, y, flow.target, order)).sum())
