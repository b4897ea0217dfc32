r"""The network simplex over lists of candidate arcs.

Each source has a short list of sinks that the optimal plan may use. Pivots bring in the arc of
the most negative reduced cost :math:`d_{ij} - f_i + f_j` of a block of sources, block after block,
until no candidate has one. Who may be a candidate is not decided here: pricing all pairs adds what
the lists lack.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray
from ._jit import jit
from ._norms import distance
from ._result import CertificateError
from ._spanning_tree import (
    ORIGIN,
    Labels,
    Links,
    SpanningTree,
    pivot,
    preorder,
    refresh,
    renumber,
)

WIDTH = 40
_BLOCK = 20  # sources priced for a pivot
_STAGES = 20_000  # far beyond any problem met: the guard against a cycle
_RENUMBER = 0.3  # pivots, in nodes, after which labels are put in preorder again


class Candidates(NamedTuple):
    """Arcs of source i: the first ``filled[i]`` entries of ``sink[i]`` (labels), ``cost[i]``."""

    source: Labels
    sink: Labels
    cost: Float64Array
    filled: Labels


def no_candidates(n: int, width: int) -> Candidates:
    """Empty lists of a tree whose labels are the nodes."""
    return Candidates(
        np.arange(n, dtype=np.int32),
        np.zeros((n, width), dtype=np.int32),
        np.zeros((n, width)),
        np.zeros(n, dtype=np.int32),
    )


def _add(
    sinks: Labels, costs: Float64Array, filled: Labels, potential: Float64Array, row: int,
    sink: int, cost: float,
) -> None:  # fmt: skip
    """Add an arc if it is new; in a full list it replaces the arc of largest reduced cost."""
    largest, place = -np.inf, -1
    for k in range(filled[row]):
        if sinks[row, k] == sink:
            return
        reduced = costs[row, k] + potential[sinks[row, k]]
        if reduced > largest:
            largest, place = reduced, k
    if filled[row] < sinks.shape[1]:
        place = filled[row]
        filled[row] += 1
    elif cost + potential[sink] >= largest:
        return
    sinks[row, place], costs[row, place] = sink, cost


add = jit(_add, inline=True)


def _add_all(
    sinks: Labels, costs: Float64Array, filled: Labels, links: Links, potential: Float64Array,
    rows: IntArray, columns: IntArray, x: Float64Array, y: Float64Array, order: float,
) -> None:  # fmt: skip
    """Add the arcs (i, j) of equally long index arrays (-1: none)."""
    n, dimension = x.shape
    label = np.empty(links.shape[0], dtype=np.int32)
    for u in range(links.shape[0]):
        label[links[u, ORIGIN]] = u
    for k in range(rows.size):
        i, j = rows[k], columns[k]
        if i >= 0 and j >= 0:
            cost = distance(x, i, y, j, dimension, order)
            add(sinks, costs, filled, potential, i, label[n + j], cost)


add_all = jit(_add_all)


def _cheapest(
    sources: Labels, sinks: Labels, costs: Float64Array, filled: Labels, potential: Float64Array,
    start: int, stop: int, tolerance: float,
) -> tuple[int, int, float]:  # fmt: skip
    """Row, place and reduced cost of the most negative arc of some rows; place -1 if none."""
    least, row, place = -tolerance, -1, -1
    for i in range(start, stop):
        height = potential[sources[i]]
        for k in range(filled[i]):
            reduced = costs[i, k] - height + potential[sinks[i, k]]
            if reduced < least:
                least, row, place = reduced, i, k
    return row, place, least


cheapest = jit(_cheapest, inline=True)


def _run(
    sources: Labels, sinks: Labels, costs: Float64Array, filled: Labels, links: Links,
    flow: IntArray, potential: Float64Array, root: int, first: int, tolerance: float, pivots: int,
) -> tuple[int, int]:  # fmt: skip
    """Pivot until a round over all blocks finds nothing, or ``pivots`` times.

    Returns the pivots made and the first row of the block to go on with.
    """
    n = filled.size
    made, quiet, start = 0, 0, first
    while quiet < n and made < pivots:
        stop = min(start + _BLOCK, n)
        row, place, reduced = cheapest(
            sources, sinks, costs, filled, potential, start, stop, tolerance
        )  # fmt: skip
        if place >= 0:
            pivot(links, flow, potential, root, sources[row], sinks[row, place], reduced)
            made += 1
            quiet = 0
        else:
            quiet += stop - start
        start = stop if stop < n else 0
    return made, start


run = jit(_run)


def in_preorder(
    tree: SpanningTree, root: int, lists: Candidates
) -> tuple[SpanningTree, Candidates]:
    """Tree and lists with labels in preorder; the root becomes 0."""
    tree, label = renumber(tree, preorder(tree.links, root))
    return tree, lists._replace(source=label[lists.source], sink=label[lists.sink])


def optimise(
    tree: SpanningTree, lists: Candidates, x: Float64Array, y: Float64Array, order: float,
    tolerance: float,
) -> Iterator[tuple[SpanningTree, Candidates]]:  # fmt: skip
    """Pivot to optimality over the lists, of a tree whose root is labelled 0, before and after.

    Between the stages (milliseconds each) the caller may stop.
    """
    between = max(1000, int(_RENUMBER * tree.flow.size))
    first, made = 0, between
    for _ in range(_STAGES):
        made, first = run(*lists, *tree, 0, first, tolerance, between)
        tree, lists = in_preorder(tree, 0, lists)
        refresh(tree.links, tree.potential, x, y, order)
        yield tree, lists
        if made < between:
            return
    message = f"the network simplex did not end in {_STAGES * between} pivots"
    raise CertificateError(message)
