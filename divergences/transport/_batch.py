"""Many small problems of one shape: their costs, plans, values and certificates, block by block.

Equal numbers of equal masses are assigned (``_assignment``); other masses are transported
(``_small_transport``), as integers: in multiples of the least common share where they are uniform,
of 2**-62 otherwise. Costs of the kernels serve to choose; the value of a plan is computed from
distances without loss, like a single problem's. Blocks of problems run on all processors.

An answer is trusted if the potentials prove it optimal to 2**-42 of its value plus 2**-48 of the
diameter, and if it is not so small beside the diameter that rounded masses or costs might show.
The others, which are rare, are to be solved one by one.
"""

import math
from typing import NamedTuple

import numpy as np

from .._metrics import Metric
from .._summation import sum_of_sizes
from .._typing import Float64Array, IntArray
from ._masses import UNITS, nearest_units, unless_equal
from ._threads import over_blocks

MANY_PAIRS = 1 << 16  # problems with more pairs are solved one by one
_BLOCK_PAIRS = 1 << 16
_LARGE_ENTRIES = 1 << 21  # of temporary arrays
_EXCESS, _EXCESS_OF_DIAMETER = 2.0**-42, 2.0**-48
_SMALL = 2.0**-30  # of the diameter
_SMALL_FOR_UNITS = 2.0**-22  # of the diameter, times the number of atoms
_LEAST_EXPONENT, _GREATEST_EXPONENT = -500, 950


class Plans(NamedTuple):
    """The answers to k problems, each with at most p pairs that carry mass.

    ``values`` (k,) are those of ``trusted`` ones; ``source``, ``target`` and ``mass`` (k, p) list
    the plans; ``u`` (k, n) and ``v`` (k, m) are feasible potentials; ``scale`` (k,) took the points
    to where distances lose nothing.
    """

    values: Float64Array
    trusted: IntArray
    source: IntArray
    target: IntArray
    mass: Float64Array
    u: Float64Array
    v: Float64Array
    scale: Float64Array


class _Answer(NamedTuple):
    source: IntArray
    target: IntArray
    mass: IntArray
    total: int
    u: Float64Array
    v: Float64Array
    facts: Float64Array


def solve_batch(
    x: Float64Array,
    y: Float64Array,
    a: Float64Array | None,
    b: Float64Array | None,
    metric: Metric,
) -> Plans:
    """The problems x (k, n, d), y (k, m, d) with weights (k, n), (k, m) or None (uniform)."""
    a, b = unless_equal(a), unless_equal(b)
    step = max(1, _BLOCK_PAIRS // (x.shape[1] * y.shape[1]))

    def part(start: int) -> Plans:
        block = slice(start, start + step)
        first, second = (None if w is None else w[block] for w in (a, b))
        return _solve_block(x[block], y[block], first, second, metric)

    parts = over_blocks(part, range(0, x.shape[0], step))
    return Plans(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _solve_block(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None, metric: Metric
) -> Plans:
    scale, unit = np.ones(x.shape[0]), np.ones(x.shape[0])
    if metric.is_norm:
        largest = np.maximum(np.abs(x).max(axis=(1, 2)), np.abs(y).max(axis=(1, 2)))
        exponent = np.frexp(largest)[1]
        kept = np.clip(exponent, _LEAST_EXPONENT, _GREATEST_EXPONENT)
        scale, unit = np.ldexp(1.0, kept - exponent), np.ldexp(1.0, kept)
    x, y = (metric.prepare(cloud, scale[:, None, None]) for cloud in (x, y))
    costs = _costs(x, y, unit[:, None, None], metric)
    weighted = a is not None or b is not None
    assigned = costs.shape[1] == costs.shape[2] and not weighted
    answer = _assigned(costs) if assigned else _transported(costs, a, b)
    rows = np.arange(costs.shape[0])[:, None]
    sources = x if assigned else x[rows, answer.source]
    lengths = metric.pairs(sources, y[rows, answer.target])
    mass = answer.mass / answer.total
    if weighted:
        values = sum_of_sizes(np, mass * lengths)
    else:
        values = sum_of_sizes(np, answer.mass * lengths) / answer.total
    trusted = _trusted(answer, values, weighted)
    back = (unit / scale)[:, None]
    return Plans(
        values / scale, trusted, answer.source, answer.target, mass,
        answer.u * back, answer.v * back, scale,
    )  # fmt: skip


def _trusted(answer: _Answer, values: Float64Array, weighted: bool) -> IntArray:
    """Which values need not be computed again, one by one."""
    cost, excess = answer.facts[:, 0] / answer.total, answer.facts[:, 1] / answer.total
    largest, atoms = answer.facts[:, 2], answer.u.shape[1] + answer.v.shape[1]
    least = _SMALL_FOR_UNITS * atoms if weighted else _SMALL
    proved = excess <= _EXCESS * cost + _EXCESS_OF_DIAMETER * largest
    if weighted:
        return np.asarray(proved & (cost >= least * largest))
    return np.asarray(proved & ((cost >= least * largest) | (values == 0)))


def _costs(x: Float64Array, y: Float64Array, unit: Float64Array, metric: Metric) -> Float64Array:
    """Distances of all pairs of prepared points, in units that make them about 1: (k, n, m)."""
    x, y = x / unit, y / unit
    if not metric.is_norm or metric.order not in (1.0, 2.0, math.inf):
        if x.shape[1] * y.size > _LARGE_ENTRIES:
            return np.stack([metric.matrix(*pair) for pair in zip(x, y, strict=True)])
        return metric.pairs(x[:, :, None, :], y[:, None, :, :])
    from ._dense_costs import fill_costs

    costs = np.empty((x.shape[0], x.shape[1], y.shape[1]))
    by_coordinate = np.ascontiguousarray(y.transpose(0, 2, 1))
    fill_costs(np.ascontiguousarray(x), by_coordinate, metric.order, costs)
    return costs


def _assigned(costs: Float64Array) -> _Answer:
    from ._assignment import assign_all

    count, n, _ = costs.shape
    target, facts = np.empty((count, n), dtype=np.int64), np.empty((count, 3))
    u, v = np.empty((count, n)), np.empty((count, n))
    assign_all(costs, target, u, v, facts)
    source = np.broadcast_to(np.arange(n), (count, n))
    return _Answer(source, target, np.ones((count, n), dtype=np.int64), n, u, v, facts)


def _transported(costs: Float64Array, a: Float64Array | None, b: Float64Array | None) -> _Answer:
    from ._small_transport import transport_all

    count, n, m = costs.shape
    if a is None and b is None:
        total = math.lcm(n, m)
        supply, demand = np.full((count, n), total // n), np.full((count, m), total // m)
    else:
        total = UNITS
        supply, demand = (
            np.ascontiguousarray(nearest_units(np.ones((count, size)) if given is None else given))
            for given, size in ((a, n), (b, m))
        )
    places = n + m  # more than a tree has arcs
    source, target, mass = (np.zeros((count, places), dtype=np.int64) for _ in range(3))
    u, v, facts = np.empty((count, n)), np.empty((count, m)), np.empty((count, 3))
    transport_all(costs, supply, demand, source, target, mass, u, v, facts)
    return _Answer(source, target, mass, total, u, v, facts)
