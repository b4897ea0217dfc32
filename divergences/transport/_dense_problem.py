"""Where the dense solver's costs come from: a matrix, or points under a metric.

Both give exact costs of what is asked for, and a guide: lower bounds of all costs in single
precision, in blocks of rows. The guide is kept where it fits, otherwise made again at each use, so
that memory stays bounded.
"""

import math
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array, IntArray
from ._dense_bounds import Float32Array, centred, lower_bounds
from ._distances import lengths
from ._threads import over_blocks

_Result = TypeVar("_Result")

_ROWS = 256  # of a block, a multiple of 4
_BLOCK_ENTRIES = 1 << 20
_KEPT_ENTRIES = 130_000_000  # of the guide: .5 GB
_PAIRS_A_BLOCK = 2048
_SAMPLE = 64  # sources and sinks whose mean costs are taken
_LOWERED = 1 - 2.0**-22  # by more than single precision rounds and float64 distances are in error


class Costs(Protocol):
    """Costs of n sources and m sinks, in the solver's units."""

    shape: tuple[int, int]

    def pairs(self, rows: IntArray, columns: IntArray) -> Float64Array:
        """Costs of listed pairs."""
        ...

    def rows(self, rows: IntArray) -> Float64Array:
        """All costs of some sources."""
        ...

    def lower(self, start: int, stop: int, out: Float32Array) -> None:
        """Lower bounds of the costs of sources ``start`` to ``stop``."""
        ...

    def means(self) -> tuple[Float64Array, Float64Array]:
        """About the mean costs of every source and of every sink, from a sample."""
        ...


class MatrixCosts:
    """A matrix of costs less the ``least`` of them, times ``unit``."""

    def __init__(self, cost: Float64Array, least: float, unit: float) -> None:
        self.cost, self.least, self.unit = cost, least, unit
        self.shape = (cost.shape[0], cost.shape[1])

    def pairs(self, rows: IntArray, columns: IntArray) -> Float64Array:
        """Costs of listed pairs."""
        return np.asarray((self.cost[rows, columns] - self.least) * self.unit)

    def rows(self, rows: IntArray) -> Float64Array:
        """All costs of some sources."""
        return np.asarray((self.cost[rows] - self.least) * self.unit)

    def lower(self, start: int, stop: int, out: Float32Array) -> None:
        """Lower bounds of the costs of sources ``start`` to ``stop``."""
        _lowered((self.cost[start:stop] - self.least) * self.unit, out)

    def means(self) -> tuple[Float64Array, Float64Array]:
        """Mean costs of every source and of every sink over a sample."""
        n, m = self.shape
        rows, columns = np.arange(0, n, -(-n // _SAMPLE)), np.arange(0, m, -(-m // _SAMPLE))
        return (
            (self.cost[:, columns] - self.least).mean(axis=1) * self.unit,
            (self.cost[rows] - self.least).mean(axis=0) * self.unit,
        )


class PointCosts:
    """Distances of prepared points under a metric, times ``unit``."""

    def __init__(self, x: Float64Array, y: Float64Array, metric: Metric, unit: float) -> None:
        # A norm's points are scaled instead: to digits far below the units of the solver, plain
        # squares of their coordinates neither over- nor underflow.
        scale, self._unit = (unit, 1.0) if metric.is_norm else (1.0, unit)
        self.x, self.y = np.ascontiguousarray(x * scale), np.ascontiguousarray(y * scale)
        self.metric = metric
        self.shape = (x.shape[0], y.shape[0])
        euclidean = metric.is_norm and metric.order == 2.0
        self._centred = centred(self.x, self.y) if euclidean else None

    def pairs(self, rows: IntArray, columns: IntArray) -> Float64Array:
        """Distances of listed pairs, by coordinate differences."""
        found = np.empty(rows.size)
        rows, columns = np.ascontiguousarray(rows), np.ascontiguousarray(columns)

        def block(k: int) -> None:
            part = slice(k, min(k + _PAIRS_A_BLOCK, rows.size))
            if self._centred is not None:
                lengths(self.x, rows, self.y, columns, part.start, part.stop, found)
            else:
                found[part] = self.metric.listed(self.x, rows[part], self.y, columns[part])

        over_blocks(block, range(0, rows.size, _PAIRS_A_BLOCK))
        return found * self._unit

    def rows(self, rows: IntArray) -> Float64Array:
        """Distances of some sources from all sinks."""
        return self.metric.matrix(self.x[rows], self.y) * self._unit

    def lower(self, start: int, stop: int, out: Float32Array) -> None:
        """Lower bounds of the distances of sources ``start`` to ``stop``."""
        if self._centred is not None:
            lower_bounds(*self._centred, start, stop, out)
        else:
            _lowered(self.metric.matrix(self.x[start:stop], self.y) * self._unit, out)

    def means(self) -> tuple[Float64Array, Float64Array]:
        """Mean distances of every source and of every sink from the first points."""
        x, y = self.x[:_SAMPLE], self.y[:_SAMPLE]
        if self._centred is None:
            return (
                self.metric.matrix(self.x, y).mean(axis=1) * self._unit,
                self.metric.matrix(x, self.y).mean(axis=0) * self._unit,
            )
        to_x = np.empty((x.shape[0], self.shape[1]), dtype=np.float32)
        to_y = np.empty((self.shape[0], y.shape[0]), dtype=np.float32)
        lower_bounds(*self._centred, 0, x.shape[0], to_x)
        lower_bounds(*self._centred, 0, self.shape[0], to_y)
        return to_y.mean(axis=1, dtype=np.float64), to_x.mean(axis=0, dtype=np.float64)


def _lowered(costs: Float64Array, out: Float32Array) -> None:
    lower = costs - np.abs(costs) * (1 - _LOWERED)
    lower -= 2.0**-100
    out[:] = lower


class Guide:
    """The lower bounds of all costs, block by block."""

    def __init__(self, costs: Costs) -> None:
        n, m = costs.shape
        self._costs = costs
        rows = max(4, min(_ROWS, _BLOCK_ENTRIES // m // 4 * 4))
        self.starts = range(0, n, rows)
        self._rows = rows
        self._known: Float32Array | None = None
        if n * m <= _KEPT_ENTRIES:
            self._known = np.empty((n, m), dtype=np.float32)
        self._filled = False

    def over_blocks(self, work: Callable[[int, Float32Array], _Result]) -> list[_Result]:
        """``work(first row, block)`` of all blocks, on threads; results in the order of rows."""
        results = over_blocks(lambda start: work(start, self._block(start)), self.starts)
        self._filled = self._known is not None
        return results

    def known(self) -> Float32Array | None:
        """The matrix of all bounds, if it is kept."""
        if self._known is not None and not self._filled:
            self.over_blocks(lambda *_: None)
        return self._known

    def over_groups(self, work: Callable[[Iterator[tuple[int, Float32Array]]], _Result],
                    groups: int) -> list[_Result]:  # fmt: skip
        """``work`` of an iterator over the blocks (first row, block) of each of several groups."""
        count = len(self.starts)

        def group(k: int) -> _Result:
            mine = self.starts[k * count // groups : (k + 1) * count // groups]
            return work((start, self._block(start)) for start in mine)

        results = over_blocks(group, range(groups))
        self._filled = self._known is not None
        return results

    def _block(self, start: int) -> Float32Array:
        n, m = self._costs.shape
        stop = min(start + self._rows, n)
        if self._known is None:
            part = np.empty((stop - start, m), dtype=np.float32)
        else:
            part = self._known[start:stop]
        if not self._filled:
            self._costs.lower(start, stop, part)
        return part


def shrink(largest: float, smaller: int) -> float:
    """The power of two that makes costs so small that no potential overflows.

    A path of a basis alternates between sources and sinks, at most ``smaller`` of either, and
    potentials are sums of its costs with alternating signs: integers of 62 bits hold them if the
    costs, in ``_spanning_tree.UNITS``, are at most 64 / (smaller + 10).
    """
    wanted = 64.0 / (smaller + 10)
    return math.ldexp(1.0, math.frexp(wanted)[1] - 1 - math.frexp(largest)[1])
