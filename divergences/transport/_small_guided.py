r"""Few points in many coordinates: the small simplex on lower bounds of the distances.

A distance in d coordinates costs as much as d/4 comparisons, so what takes the time are distances
that no plan would use. The simplex gets lower bounds of them as costs (``_dense_bounds``). In
rounds, the pairs whose reduced cost is 0, or smaller than what bounds are usually off, get their
true distance, by coordinate differences, and the simplex goes on from its tree. It ends when every
pair that the tree uses has its true distance, and every other one a bound that is long enough: the
plan is optimal, whatever the bounds were.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from . import _small_simplex
from ._jit import jit
from ._masses import Flow, Marginals
from ._threads import over_blocks

_COST_BITS, _HEIGHT_BITS = 50, 61  # of costs, and of sums of as many as one side has points
_ROWS = 128  # of a block of bounds
_SAFE = 2.0**100  # sizes up to this and down to its inverse do not leave single precision
_SERIAL = 1 << 24  # products of coordinates that one thread forms before others are awake


class Guided(NamedTuple):
    """An optimal plan, potentials of rows and columns that prove it, and facts about them.

    ``lengths`` are the distances that the plan uses. ``error`` bounds the rounding of potentials,
    in a mass of 1 and as distances; ``largest`` is a lower bound of the largest distance.
    """

    flow: Flow
    lengths: Float64Array
    u: Float64Array
    v: Float64Array
    error: float
    largest: float


def _undecided(
    cost: IntArray, known: NDArray[np.bool_], n: int, m: int, height: IntArray, most: int,
    pairs: IntArray,
) -> int:  # fmt: skip
    """How many pairs are not known and of reduced cost at most ``most``; the first are listed."""
    count = 0
    for i in range(n):
        for j in range(m):
            pair = i * m + j
            if cost[pair] - height[i] + height[n + j] <= most and not known[pair]:
                if count < pairs.size:
                    pairs[count] = pair
                count += 1
    return count


@cache
def _kernels() -> tuple[Any, ...]:
    return *_small_simplex.compiled_parts(), jit(_undecided)


class _Problem:
    """Costs in integers, of which some are ``known`` and the others lower bounds."""

    def __init__(self, x: Float64Array, y: Float64Array) -> None:
        """Costs are distances over ``size``: a power of two above the diagonal of a box, or inf."""
        self.x, self.y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        self.n, self.m = x.shape[0], y.shape[0]
        high = np.maximum(x.max(axis=0), y.max(axis=0))
        sides = high - np.minimum(x.min(axis=0), y.min(axis=0))
        self.size = math.inf
        if 1 / _SAFE < sides.max() < _SAFE:
            self.size = math.ldexp(1.0, math.frexp(float(np.linalg.norm(sides)))[1])

    def bound(self) -> bool:
        """Write the lower bounds; whether all are positive, and not alike in single precision."""
        from ._dense_bounds import centred, lower_bounds
        from ._small_costs import to_integers

        n, m = self.n, self.m
        bounds = np.empty((n, m), dtype=np.float32)
        clouds = centred(self.x, self.y, self.size)

        def block(start: int) -> None:
            stop = min(start + rows, n)
            lower_bounds(*clouds, start, stop, bounds[start:stop])

        rows = _ROWS if n * m * self.x.shape[1] > _SERIAL else n
        over_blocks(block, range(0, n, rows))
        self.least = bounds.min(axis=1).astype(np.float64)
        self.largest = float(bounds.max())
        self.cost, self.v = np.empty(n * m, dtype=np.int64), np.empty(m)
        bits = min(_COST_BITS, _HEIGHT_BITS - min(n, m).bit_length())
        self.unit = to_integers(bounds, self.least, bits, np.inf, self.v, self.cost)
        self.known = np.zeros(n * m, dtype=bool)
        # of points that are all equal the reduced bounds are 0, and their unit is no measure
        told_apart = np.ldexp(self.unit, bits) > np.finfo(np.float32).eps
        return bool(self.least.min() > 0 and told_apart)

    def lengths(self, rows: IntArray, columns: IntArray) -> Float64Array:
        """True distances of pairs."""
        from ._distances import lengths

        found = np.empty(rows.size)
        lengths(self.x, rows, self.y, columns, 0, rows.size, found)
        return found

    def decide(self, pairs: IntArray) -> int:
        """Give pairs their true distance; by how much the largest of their bounds was too low."""
        rows, columns = np.divmod(pairs, self.m)
        found = self.lengths(rows, columns) / self.size
        exact = np.rint((found - self.least[rows] - self.v[columns]) / self.unit).astype(np.int64)
        rise = int((exact - self.cost[pairs]).max())
        self.cost[pairs], self.known[pairs] = exact, True
        return rise

    def undecided(self, height: IntArray, most: int) -> IntArray:
        """Pairs that only have a bound, and with it a reduced cost of at most ``most`` units."""
        pairs = np.empty(4 * (self.n + self.m), dtype=np.int64)
        while True:
            count = _kernels()[3](self.cost, self.known, self.n, self.m, height, most, pairs)
            if count <= pairs.size:
                return pairs[:count]
            pairs = np.empty(count, dtype=np.int64)


def solve(x: Float64Array, y: Float64Array, masses: Marginals) -> Guided | None:
    """Optimal transport between points x (n, d), y (m, d) with positive masses in int64.

    None where a distance is far below the size of the clouds, so that its bound says nothing, or
    bounds do not tell the points of one side apart, or squares may be lost.
    """
    problem = _Problem(x, y)
    if not (problem.size < math.inf and problem.bound()):
        return None
    n, m = problem.n, problem.m
    begin, improve, retune, _ = _kernels()
    space = [np.full(size, _small_simplex.NONE) for size in _small_simplex.workspace(n, m)]
    tree = space[-_small_simplex.COLUMNS :]
    parent, following, height = tree[_small_simplex.PARENT], tree[1], tree[_small_simplex.HEIGHT]
    begin(problem.cost, n, m, masses.supply.copy(), masses.demand.copy(), *space)
    slack = 0
    while True:
        improve(problem.cost, n, m, 0, _small_simplex.MOST, *tree)
        pairs = problem.undecided(height, 0)
        if not pairs.size:
            break
        slack = max(slack, 2 * problem.decide(pairs))
        pairs = problem.undecided(height, slack)
        if pairs.size:
            problem.decide(pairs)
        retune(problem.cost, n, m, parent, following, height)
    unit, size, flow = problem.unit, problem.size, Flow(*_small_simplex.plan_of(tree, n))
    return Guided(
        flow,
        problem.lengths(flow.source, flow.target),
        (problem.least + height[:n] * unit) * size,
        (problem.v - height[n : n + m] * unit) * size,
        4 * unit * size,
        problem.largest * size,
    )
