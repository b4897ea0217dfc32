r"""Exact transport between points of low dimension, from coarse clusters to the points.

1. Both clouds are put in kd-tree order; the nodes of a level are clusters, with their mass at their
   centre of mass.
2. On each level the plan is improved part by part (see ``_decomposition``), which leaves a third of
   the pivots to the whole.
3. Then the network simplex solves the problem over candidate arcs, pricing over the pair
   of trees adds the arcs that are still missing, and so on until none is.
4. The plan between clusters, split among their children, is a feasible basis of the next level;
   the potential, extended by :math:`f(z) = \min_J (d(z, y_J) + g_J)`, says which arcs to try there.

Merigot, *A multiscale approach to optimal transport* (2011) and Schmitzer, *A sparse multiscale
algorithm for dense optimal transport* (2016) have this plan of attack for other costs. Masses are
integers, so marginals hold exactly. O(n) memory. Measured in the plane, n = 10,000 to 100,000: time
grows as about n^1.2 where mass moves little, n^1.6 where it moves far.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._acyclic import acyclic
from ._clock import Clock
from ._decomposition import sweep
from ._kd_tree import Tree, below, build, sort
from ._masses import Flow, north_west
from ._network_simplex import WIDTH, Candidates, add_all, no_candidates, optimise
from ._norms import distances
from ._pricing import price, smallest
from ._refinement import list_all, predicted, proposed, reach, shortest, transposed
from ._result import CertificateError
from ._spanning_tree import UNITS, SpanningTree, flow_of, grow, in_preorder, in_units
from ._threads import over_blocks

_COARSEST = 6  # the first level has 2^6 clusters of each cloud
_REFINE = 2  # levels of the kd-tree between one level of the problem and the next
_NEIGHBOURS = 10  # arcs that a point adds to the lists at the start, and in a round
_PARENTS = 20  # clusters whose children are asked for them
_ROUNDING = 4e-15  # reduced costs above minus this count as 0, in diameters
_LIFT = 1e-14  # more than that: a potential lifted so far contradicts a pair of every point
_NEAR, _NEAREST = 2.0**-15, 5  # arcs listed before they contradict: so near, and so many
_EXACT, _COARSE = 1e-13, 1e-4  # a level ends when its excess cost is below this share of its cost
_TOLD = 6  # a listener is told bounds when so many times the seconds that it has taken are over
_ROUNDS = 2000  # far beyond any problem met: the guard against an endless loop
# Sweeps over parts: so many points at most, so many rounds over lists and pricing, of which further
# ones cost more there than they save the whole, and so many sweeps.
_PART, _ROUNDS_OF_PART, _SWEEPS = 300, 3, 3
# Then over larger and larger ones, over lists alone: where the whole leaves the caches, and where
# mass goes far, as in space. At 100,000 points they take a third off the time of weighted clouds.
_GROWTH, _UNCACHED, _SPACE = 4, 20_000, 3
_LARGEST_PART = 20_000  # takes some tenths of a second, in which nothing stops it
_BLOCKS = 16
_SAMPLE = 2000


class Cloud(NamedTuple):
    """Points of one level, in tree order, with their masses; ``level`` None: the points given."""

    tree: Tree
    mass: IntArray
    level: int | None


class Potential(NamedTuple):
    """The function f(z) = min_j d(z, y_j) + height_j; y is in the order of its tree."""

    y: Tree
    heights: Float64Array

    def __call__(self, points: Float64Array, order: float) -> Float64Array:
        """The values of f."""
        bounded, count = below(self.y, self.heights), points.shape[0]
        blocks = bounded.blocks

        def block(k: int) -> Float64Array:
            part = points[k * count // _BLOCKS : (k + 1) * count // _BLOCKS]
            return smallest(part, *bounded, blocks, order, 1, -1)[0][:, 0]

        return np.concatenate(over_blocks(block, range(_BLOCKS)))

    def seconds(self, points: Float64Array, order: float) -> float:
        """About how long the values at these points take: a sample of them shows."""
        sample = np.ascontiguousarray(points[:: -(-points.shape[0] // _SAMPLE)])
        began = time.perf_counter()
        self(sample, order)
        return (time.perf_counter() - began) * float(points.shape[0] / sample.shape[0])


class Level(NamedTuple):
    """An optimal flow between two clouds, its potentials, and the arcs that came near."""

    sources: Cloud
    sinks: Cloud
    flow: Flow
    f: Float64Array
    g: Float64Array
    lists: Candidates
    exact: bool  # no pair contradicts g and the f of the tree; else f was lowered, of light sources


class Optimum(NamedTuple):
    """An optimal flow, the potential that proves it, and its values at the sources and sinks."""

    flow: Flow
    potential: Potential
    at_x: Float64Array
    at_y: Float64Array


class OutOfTime(Exception):  # noqa: N818 (not an error: it carries what is known)
    """The time ended; ``flow`` is feasible, and ``potentials``, the finest last, have slope 1."""

    def __init__(self, flow: Flow, potentials: list[Potential]) -> None:
        super().__init__()
        self.flow = flow
        self.potentials = potentials


class _Unfinished(Exception):  # noqa: N818
    """The time ended in a level, with this feasible flow."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow


def solve(
    x: Float64Array, y: Float64Array, supply: IntArray, demand: IntArray, order: float,
    clock: Clock, *, shared: bool, tell: Callable[[Flow, Potential], None],
) -> Optimum:  # fmt: skip
    """Optimal flow from points x (n, d) to y (m, d) under the norm of this order; its potential.

    Masses are positive int64 of equal sums, at most 2^62; points are scaled so that their diameter
    is about 1. The potential has slope 1, and f(x_i) - f(y_j) = d(x_i, y_j) where mass flows. Where
    atoms are ``shared`` by the laws its values at the sinks bound others from above too, and are
    found to the last digits; else they agree with it to 4e-15. If the clock has a listener, it is
    told, by ``tell``, plans and potentials of coarser levels while that takes little of the time.

    Raises
    ------
    OutOfTime
        When the clock does not allow more.
    """
    x, y = np.array(x, order="C"), np.array(y, order="C")
    x_order, y_order = sort(x), sort(y)
    supply, demand = supply[x_order], demand[y_order]
    found: Level | None = None
    potentials: list[Potential] = []
    spent = 0.0

    def given(flow: Flow | None) -> Flow:
        flow = _split(flow, supply, demand)
        return Flow(x_order[flow.source], y_order[flow.target], flow.mass)

    try:
        for level in _levels(max(x.shape[0], y.shape[0])):
            sources, sinks = _clusters(x, supply, level), _clusters(y, demand, level)
            clock.announce(f"{sources.mass.size} sources, {sinks.mass.size} sinks")
            found = _solve_level(sources, sinks, found, order, clock)
            potentials.append(Potential(found.sinks.tree, found.g))
            if clock.limited and level is not None:
                clock.reserve = sum(potentials[-1].seconds(points, order) for points in (x, y))
            heard = clock.listener is not None and level is not None
            if heard and clock.elapsed() >= _TOLD * spent:
                began = clock.elapsed()
                tell(given(found.flow), potentials[-1])
                spent += clock.elapsed() - began
    except _Unfinished as stopped:
        raise OutOfTime(given(stopped.flow), potentials) from None
    assert found is not None
    flow = found.flow
    flow = Flow(x_order[flow.source], y_order[flow.target], flow.mass)
    at_x, at_y = np.empty(x.shape[0]), np.empty(y.shape[0])
    at_x[x_order] = found.f  # the least of all pairs: the last round has looked at them
    at_y[y_order] = found.g if found.exact and not shared else _at_sinks(found, order)
    return Optimum(flow, potentials[-1], at_x, at_y)


def _at_sinks(found: Level, order: float) -> Float64Array:
    """The potential at the sinks, to the last digits, from nearly the same values.

    Pricing finds it sooner than ``Potential`` does, since whole nodes of points are known to lie
    close to what they have.
    """
    tree, lifted = found.sinks.tree, found.g + _LIFT
    return lifted + price(below(tree, -lifted), below(tree, found.g), order, 0.0, 1)[0][:, 0]


def _levels(count: int) -> list[int | None]:
    """Levels of the kd-tree whose nodes are the clusters, then None for the points."""
    deepest = (count - 1).bit_length() - 1  # clusters of two points and more
    return [*range(_COARSEST, deepest, _REFINE), None]


def _starts(count: int, level: int) -> IntArray:
    """Where the points of the nodes of a level begin, and the end: shape (2^level + 1,)."""
    return (np.arange((1 << level) + 1) * count) >> level


def _clusters(points: Float64Array, mass: IntArray, level: int | None) -> Cloud:
    """The masses of the kd-tree's nodes of a level, each at its centre of mass."""
    n = points.shape[0]
    if level is None or n <= 1 << level:
        return Cloud(build(points), mass, None)
    starts = _starts(n, level)[:-1]
    sums = np.add.reduceat(mass, starts)
    weights = mass[:, None] / mass.max()
    centres = np.add.reduceat(points * weights, starts) / np.add.reduceat(weights, starts)
    return Cloud(build(centres), sums, level)


def _children(coarse: Cloud, fine: Cloud) -> IntArray:
    """Where the children of each coarse cluster begin among the fine ones, and the end."""
    if coarse.level is None:
        return np.arange(fine.mass.size + 1)
    return _starts(fine.mass.size, coarse.level)


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
    sources: Cloud, sinks: Cloud, coarse: Level | None, order: float, clock: Clock
) -> Level:
    """Optimal flow between two clouds, from that between their parents."""
    x, y = sources.tree, sinks.tree
    n, m = sources.mass.size, sinks.mass.size
    exact = sources.level is None and sinks.level is None
    tree, lists = _first_tree(sources, sinks, coarse, order, clock)
    for _ in range(_ROUNDS):
        for stage in optimise(tree, lists):
            tree = stage
            if not clock.allows(0.0):
                raise _Unfinished(flow_of(tree, n))
        f, g = tree.potential[:n] / UNITS, tree.potential[n : n + m] / UNITS
        flow = flow_of(tree, n)
        lengths = distances(x.points, flow.source, y.points, flow.target, order)
        room = reach(*lists, tree.potential, _NEAREST, _LIFT, _NEAR)
        reduced, of_x = price(below(x, -f - room), below(y, g), order, 0.0, _NEIGHBOURS)
        least = reduced[:, 0] + room
        contradicted = least < -_ROUNDING
        excess = float((sources.mass * np.where(contradicted, -least, 0.0)).sum())
        if excess <= (_EXACT if exact else _COARSE) * float((flow.mass * lengths).sum()):
            return Level(sources, sinks, flow, f + least, g, lists, not contradicted.any())
        list_all(lists, tree.potential, np.arange(n), of_x, x.points, y.points, order)
    message = f"the multiscale simplex did not converge in {_ROUNDS} rounds"
    raise CertificateError(message)


def _first_tree(
    sources: Cloud, sinks: Cloud, coarse: Level | None, order: float, clock: Clock
) -> tuple[SpanningTree, Candidates]:
    """A basis to begin with, and the lists of candidates."""
    x, y = sources.tree.points, sinks.tree.points
    n, m = x.shape[0], y.shape[0]
    lists = no_candidates(n, min(WIDTH, m))
    guide = _propose(lists, sources, sinks, coarse, order)
    flow = _split(None if coarse is None else coarse.flow, sources.mass, sinks.mass)
    flow = _improved(flow, sources, sinks, lists, guide, order, clock)
    lengths = in_units(distances(x, flow.source, y, flow.target, order))
    add_all(*lists, guide, flow.source, flow.target, lengths)
    return in_preorder(grow(*flow, lengths, m, guide[:n]), n, n + m), lists


def _improved(
    flow: Flow, sources: Cloud, sinks: Cloud, lists: Candidates, guide: IntArray, order: float,
    clock: Clock,
) -> Flow:  # fmt: skip
    """The flow, optimal in parts by source and by sink; candidates found there join the lists.

    Without parts where there are few points.
    """
    x, y = sources.tree.points, sinks.tree.points
    n, m = x.shape[0], y.shape[0]
    sweeps = _sweeps(min(n, m), x.shape[1])
    for k, (size, rounds) in enumerate(sweeps):
        if not clock.allows(0.0):
            break
        count, ends = ((n, flow.source), (m, flow.target))[k % 2]
        level = (count // size).bit_length()
        part = np.searchsorted(_starts(count, level)[1:], ends, side="right")
        cost = in_units(distances(x, flow.source, y, flow.target, order))
        flow, near = sweep(
            x, y, order, flow, cost, part, 1 << level, guide[:n], lists, rounds,
            lambda: clock.allows(0.0),
        )  # fmt: skip
        list_all(lists, guide, near[:, 0].astype(np.int64), near[:, 1:].copy(), x, y, order)
    if not sweeps:
        return flow
    cost = in_units(distances(x, flow.source, y, flow.target, order))
    return Flow(*acyclic(*flow, cost, n, m)[:3])


def _sweeps(count: int, dimension: int) -> list[tuple[int, int]]:
    """Points of the parts, at most, and rounds, of each sweep over a cloud of so many points."""
    if count // 2 < _PART:
        return []
    largest = min(count // 2, _LARGEST_PART)
    sweeps = [(_PART, _ROUNDS_OF_PART)] * _SWEEPS
    size = _GROWTH * _PART
    while size <= largest and (count > _UNCACHED or dimension >= _SPACE):
        sweeps.append((size, 1))
        size *= _GROWTH
    return sweeps


def _propose(
    lists: Candidates, sources: Cloud, sinks: Cloud, coarse: Level | None, order: float
) -> IntArray:
    """Fill the lists with what the parents' suggest; the potentials that it rests on."""
    x, y = sources.tree.points, sinks.tree.points
    n, m = x.shape[0], y.shape[0]
    if coarse is None:
        guide = np.zeros(n + m, dtype=np.int64)
        everything = np.tile(np.arange(m, dtype=np.int32), (n, 1))
        list_all(lists, guide, np.arange(n), everything, x, y, order)
        return guide
    x_begin, y_begin = _children(coarse.sources, sources), _children(coarse.sinks, sinks)
    parents_x, parents_y = coarse.sources.tree.points, coarse.sinks.tree.points
    reduced = coarse.lists.cost / UNITS + coarse.g[coarse.lists.sink]
    near = shortest(coarse.lists.sink, reduced, coarse.lists.filled, _PARENTS)
    near_y = transposed(near, parents_y.shape[0], _PARENTS)
    f = predicted(x, x_begin, parents_y, coarse.g, near, order, coarse.f)
    g = -predicted(y, y_begin, parents_x, -coarse.f, near_y, order, -coarse.g)
    guide = in_units(np.concatenate([f, g]))
    for found in _nearest(x, x_begin, y, y_begin, g, near, order):
        list_all(lists, guide, np.arange(n), found, x, y, order)
    for found in _nearest(y, y_begin, x, x_begin, -f, near_y, order):
        list_all(lists, guide, np.arange(m), found, x, y, order, reverse=True)
    return guide


def _nearest(
    children: Float64Array, begin: IntArray, others: Float64Array, others_begin: IntArray,
    heights: Float64Array, lists: IntArray, order: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:  # fmt: skip
    """The arcs that each child proposes, the nearest and one an entry of its parent's list.

    See ``_refinement.proposed``.
    """
    shape = (children.shape[0], _NEIGHBOURS)
    values, indices = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int32)
    each = np.full((children.shape[0], lists.shape[1]), -1, dtype=np.int32)
    parents = begin.size - 1

    def block(k: int) -> None:
        first, last = k * parents // _BLOCKS, (k + 1) * parents // _BLOCKS
        proposed(
            children, begin, others, others_begin, heights, lists, order, first, last, values,
            indices, each,
        )  # fmt: skip

    over_blocks(block, range(_BLOCKS))
    return indices, each
