r"""A coupling improved part by part, and a potential from a sample: bounds long before the optimum.

A part of a coupling, some hundred of its pairs, is a transport problem of its own: its marginals
are what the part moves. Its optimum, put in the part's place, improves the whole (Benamou, *A
domain decomposition method for the polar factorization of vector-valued mappings*, 1994). Parts are
pairs whose sources follow each other along a 1-Lipschitz function; functions take turns, so that
what one order keeps apart meets in the next.

From below, the potential v of the optimal plan between samples of both laws, extended to

.. math:: f(z) = \min_j \bigl( d(z, y_j) - v_j \bigr) ,

which is 1-Lipschitz whatever v is.
"""

from collections.abc import Iterator

import numpy as np

from .._summation import total
from .._typing import Float64Array, IntArray
from . import _small
from ._bounds import Coupled, rounded_outwards
from ._clock import Clock
from ._masses import Flow, as_fractions, rounding_of_masses
from ._result import Bracket

_PART = 200  # pairs of a part: a problem that needs no compiler
_ENOUGH = 0.999  # a round over all functions that leaves more than this of the cost is the last
_MOST_SAMPLED, _FEWEST_SAMPLED = 400, 50
_SECONDS_A_DISTANCE = 2e-8  # about
_BLOCK_ENTRIES = 1 << 20
_ROUNDING = 2.0**-45  # a round over the parts moves sums of their masses by less, in the whole


def narrowed(coupled: Coupled, clock: Clock, share: float) -> Iterator[Bracket]:
    """Better bounds in the caller's units, until so much of the time is over."""
    known = coupled.bracket
    lower = max(known.lower, by_sample(coupled, clock, share / 2))
    yield Bracket(min(lower, known.upper), known.upper)
    for upper in improvements(coupled, clock, share):
        yield Bracket(min(lower, upper), upper)


def improvements(coupled: Coupled, clock: Clock, share: float) -> Iterator[float]:
    """Costs of better and better couplings, rounded up, in the caller's units."""
    x, y, metric = coupled.x, coupled.y, coupled.metric
    flow = Flow(*coupled.flow[:2], as_fractions(coupled.flow.mass, coupled.masses.total))
    before = cost = np.inf
    slack = rounding_of_masses(x.shape[0] + y.shape[0], coupled.masses.total, coupled.reach)
    turn = 0
    while clock.allows(0.0) and clock.elapsed() < share * clock.limit:
        slope = coupled.slopes[turn % len(coupled.slopes)]
        flow = _round(coupled, flow, slope.at_x, clock, share)
        cost = total(flow.mass * metric.listed(x, flow.source, y, flow.target))
        turn += 1
        slack += _ROUNDING * coupled.reach
        yield rounded_outwards(0.0, cost + slack, 0.0, coupled.scale).upper
        if turn % len(coupled.slopes) == 0:
            if not cost < _ENOUGH * before:
                break
            before = cost


def _round(coupled: Coupled, flow: Flow, heights: Float64Array, clock: Clock, share: float) -> Flow:
    """The flow, optimal in each of its parts along a function; what time leaves out stays."""
    order = np.argsort(heights[flow.source], kind="stable")
    found: list[Flow] = []
    for start in range(0, order.size, _PART):
        part = order[start : start + _PART]
        piece = Flow(flow.source[part], flow.target[part], flow.mass[part])
        if clock.allows(0.0) and clock.elapsed() < share * clock.limit:
            piece = _solved(coupled, piece)
        found.append(piece)
    return Flow(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _solved(coupled: Coupled, piece: Flow) -> Flow:
    """The cheapest flow of the marginals of this one."""
    rows, at_row = np.unique(piece.source, return_inverse=True)
    columns, at_column = np.unique(piece.target, return_inverse=True)
    cost = coupled.metric.matrix(coupled.x[rows], coupled.y[columns])
    supply, demand = (_weights(at, piece.mass) for at in (at_row, at_column))
    whole = float(piece.mass.sum())
    found = _small.solve_matrix(cost, supply, demand) if whole > 0 else None
    if found is None:
        return piece
    plan, masses, _ = found
    moved = whole * as_fractions(plan.mass, masses.total)
    return Flow(rows[plan.source], columns[plan.target], moved)


def _weights(at: IntArray, mass: Float64Array) -> Float64Array | None:
    """What each point moves, as weights of sum 1; None where all are equal."""
    masses = np.bincount(at, weights=mass)
    return None if (masses == masses[0]).all() else masses / masses.sum()


def by_sample(coupled: Coupled, clock: Clock, share: float) -> float:
    """A lower bound in the caller's units; 0 where the time does not allow a sample of any use."""
    x, y, masses, metric = coupled.x, coupled.y, coupled.masses, coupled.metric
    seconds = share * clock.limit - clock.elapsed()
    points = (x.shape[0] + y.shape[0]) * max(1, x.shape[1] // 4)
    count = min(int(seconds / (_SECONDS_A_DISTANCE * points)), _MOST_SAMPLED) if seconds > 0 else 0
    if count < _FEWEST_SAMPLED:
        return 0.0
    slope = coupled.slopes[0]
    supply, demand = (as_fractions(part, masses.total) for part in masses[:2])
    rows, columns = _sample(supply, slope.at_x, count), _sample(demand, slope.at_y, count)
    anchors = y[columns]
    found = _small.solve_matrix(metric.matrix(x[rows], anchors), None, None)
    if found is None:
        return 0.0
    heights = -found[2]
    at_x, at_y = _extended(coupled, x, anchors, heights), _extended(coupled, y, anchors, heights)
    size = float(max(np.abs(at_x).max(), np.abs(at_y).max(), np.abs(heights).max()))
    gain = abs(total(supply * at_x) - total(demand * at_y))
    return rounded_outwards(gain, np.inf, 4 * size, coupled.scale).lower


def _sample(weights: Float64Array, heights: Float64Array, count: int) -> IntArray:
    """Indices at ``count`` equally spaced shares of the mass, along a function."""
    order = np.argsort(heights, kind="stable")
    shares = np.cumsum(weights[order])
    places = np.searchsorted(shares, (np.arange(count) + 0.5) / count * shares[-1])
    return np.asarray(order[np.minimum(places, order.size - 1)])


def _extended(
    coupled: Coupled, points: Float64Array, anchors: Float64Array, heights: Float64Array
) -> Float64Array:
    """F at the points, in blocks."""
    step = max(1, _BLOCK_ENTRIES // anchors.shape[0])
    return np.concatenate([
        (coupled.metric.matrix(points[start : start + step], anchors) + heights).min(axis=1)
        for start in range(0, points.shape[0], step)
    ])  # fmt: skip
