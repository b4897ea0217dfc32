r"""The network simplex over lists of candidate arcs.

Each source has a short list of sinks that the optimal plan may use. Pivots bring in the arc of the
most negative reduced cost :math:`d_{ij} - f_i + f_j` of a block of sources, block after block, until
no candidate has one. Who may be a candidate is not decided here: pricing all pairs adds what the
lists lack.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._jit import jit
from ._norms import distance
from ._result import CertificateError
from ._spanning_tree import Labels, SpanningTree, pivot, preorder, refresh, renumber

WIDTH = 40
_BLOCK = 20  # sources priced for a pivot
_STAGES = 20_000  # far beyond any problem met: the guard against a cycle
_RENUMBER = 0.3  # pivots, in nodes, after which labels are put in preorder again


class Candidates(NamedTuple):
    """Arcs of source i: the first ``count[i]`` of ``sink[i]`` (labels) and of their ``cost[i]``."""

    source: Labels
    sink: NDArray[np.int32]
    cost: Float64Array
    count: NDArray[np.int32]


def _add(
    lists: Candidates, tree: SpanningTree, row: int, sink: int, cost: float
) -> bool:
    """Add an arc if it is new; in a full list it replaces the arc of largest reduced cost."""
    largest, place = -np.inf, -1
    count = lists.count[row]
    for k in range(count):
        if lists.sink[row, k] == sink:
            return False
        reduced = lists.cost[row, k] + tree.potential[lists.sink[row, k]]
        if reduced > largest:
            largest, place = reduced, k
    if count < lists.sink.shape[1]:
        place = count
        lists.count[row] = count + 1
    elif cost + tree.potential[sink] >= largest:
        return False
    lists.sink[row, place], lists.cost[row, place] = sink, cost
    return True


add = jit(_add, inline=True)


def _add_all(
    lists: Candidates, tree: SpanningTree, rows: IntArray, columns: IntArray, x: Float64Array,
    y: Float64Array, order: float,
) -> int:  # fmt: skip
    """Add the arcs (i, j) of equally shaped index arrays (-1: none); how many were new."""
    n = x.shape[0]
    label = np.empty(tree.origin.size, dtype=np.int32)
    for u in range(tree.origin.size):
        label[tree.origin[u]] = u
    added = 0
    for k in range(rows.size):
        i, j = rows[k], columns[k]
        if i >= 0 and j >= 0:
            added += add(lists, tree, i, label[n + j], distance(x, i, y, j, x.shape[1], order))
    return added


add_all = jit(_add_all)


def _no_candidates(tree: SpanningTree, n: int, width: int) -> Candidates:
    source = np.empty(n, dtype=np.int32)
    for u in range(tree.origin.size):
        if tree.is_source[u]:
            source[tree.origin[u]] = u
    return Candidates(
        source,
        np.empty((n, width), dtype=np.int32),
        np.empty((n, width)),
        np.zeros(n, dtype=np.int32),
    )


no_candidates = jit(_no_candidates)


def _cheapest(
    lists: Candidates, tree: SpanningTree, start: int, stop: int, tolerance: float
) -> tuple[int, int, float]:
    """Row, place and reduced cost of the most negative arc of some rows; place -1 if none."""
    least, row, place = -tolerance, -1, -1
    for i in range(start, stop):
        height = tree.potential[lists.source[i]]
        for k in range(lists.count[i]):
            reduced = lists.cost[i, k] - height + tree.potential[lists.sink[i, k]]
            if reduced < least:
                least, row, place = reduced, i, k
    return row, place, least


cheapest = jit(_cheapest, inline=True)


def _run(
    lists: Candidates, tree: SpanningTree, root: int, first: int, tolerance: float, pivots: int
) -> tuple[int, int]:
    """Pivot until a round over all blocks finds nothing, or ``pivots`` times.

    Returns the pivots made and the first row of the block to go on with.
    """
    n = lists.count.size
    made, quiet, start = 0, 0, first
    while quiet < n and made < pivots:
        stop = min(start + _BLOCK, n)
        row, place, reduced = cheapest(lists, tree, start, stop, tolerance)
        if place >= 0:
            pivot(tree, root, lists.source[row], lists.sink[row, place], reduced)
            made += 1
            quiet = 0
        else:
            quiet += stop - start
        start = stop if stop < n else 0
    return made, start


run = jit(_run)


def _in_preorder(
    tree: SpanningTree, root: int, lists: Candidates
) -> tuple[SpanningTree, Candidates]:
    """Tree and lists with labels in preorder; the root becomes 0."""
    tree, label = renumber(tree, preorder(tree, root))
    sink = lists.sink
    for i in range(lists.count.size):
        for k in range(lists.count[i]):
            sink[i, k] = label[sink[i, k]]
    return tree, Candidates(label[lists.source], sink, lists.cost, lists.count)


in_preorder = jit(_in_preorder)


def optimise(
    tree: SpanningTree, lists: Candidates, x: Float64Array, y: Float64Array, order: float,
    tolerance: float,
) -> Iterator[tuple[SpanningTree, Candidates]]:  # fmt: skip
    """Pivot to optimality over the lists, of a tree whose root is labelled 0, before and after.

    Between the stages (milliseconds each) the caller may stop.
    """
    between = max(1000, int(_RENUMBER * tree.parent.size))
    first, made = 0, between
    for _ in range(_STAGES):
        made, first = run(lists, tree, 0, first, tolerance, between)
        tree, lists = in_preorder(tree, 0, lists)
        refresh(tree, x, y, order)
        yield tree, lists
        if made < between:
            return
    message = f"the network simplex did not end in {_STAGES * between} pivots"
    raise CertificateError(message)
