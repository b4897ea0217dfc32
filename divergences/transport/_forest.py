"""Exact flows on the support of a basic plan, which is a forest.

A solver in floating point finds *which* pairs carry mass; how much each carries then follows from
the marginals alone, in integers, by stripping leaves. So no rounding error of the solver is left
in a plan.
"""

from collections.abc import Callable, Sequence

import numpy as np

from .._typing import Float64Array, IntArray
from ._masses import Flow, Marginals

Costs = Callable[[int, IntArray], Float64Array]  # of source i and some targets


def flows_on_forest(source: IntArray, target: IntArray, masses: Marginals, cost: Costs) -> Flow:
    """The plan of ``masses`` carried by the pairs (source, target), all flows non-negative.

    Where the pairs cannot carry the masses (they were found for rounded masses, so the rest is of
    the size of that rounding), what is left over goes the cheapest way by ``cost``, greedily.
    O(n + m) steps.
    """
    n = masses.supply.size
    left = masses.supply.tolist() + masses.demand.tolist()
    ends = [(int(i), n + int(j)) for i, j in zip(source, target, strict=True)]
    mass = _strip_leaves(ends, left)
    rest = _cheapest_first(left[:n], left[n:], cost)
    flow: dict[tuple[int, int], int] = {}
    for (i, j), moved in [*zip(ends, mass, strict=True), *rest]:
        if moved:
            flow[i, j] = flow.get((i, j), 0) + moved
    pairs = np.array(list(flow), dtype=np.int64).reshape(-1, 2)
    carried = np.array(list(flow.values()), dtype=masses.supply.dtype)
    return Flow(pairs[:, 0], pairs[:, 1] - n, carried)


def _strip_leaves(ends: Sequence[tuple[int, int]], left: list[int]) -> list[int]:
    """Flow of each edge; ``left`` is reduced to the mass that no edge could take."""
    degree = [0] * len(left)
    edges_at = [0] * len(left)  # the sum of the numbers of the edges at a node: at a leaf, the edge
    for number, pair in enumerate(ends):
        for node in pair:
            degree[node] += 1
            edges_at[node] += number
    mass = [0] * len(ends)
    leaves = [node for node, count in enumerate(degree) if count == 1]
    while leaves:
        leaf = leaves.pop()
        if degree[leaf] == 0:  # the other end of an edge that is gone
            continue
        number = edges_at[leaf]
        other = sum(ends[number]) - leaf
        mass[number] = min(left[leaf], left[other])
        for node in (leaf, other):
            left[node] -= mass[number]
            degree[node] -= 1
            edges_at[node] -= number
        if degree[other] == 1:
            leaves.append(other)
    return mass


def _cheapest_first(
    supply: list[int], demand: list[int], cost: Costs
) -> list[tuple[tuple[int, int], int]]:
    """Moves ((i, n + j), mass) of all of ``supply`` to ``demand``, each to the cheapest left."""
    moves = []
    open_columns = np.array([j for j, wanted in enumerate(demand) if wanted], dtype=np.int64)
    for i, available in enumerate(supply):
        if not available:
            continue
        for j in open_columns[np.argsort(cost(i, open_columns), kind="stable")]:
            mass = min(available, demand[j])
            moves.append(((i, len(supply) + int(j)), mass))
            available -= mass  # noqa: PLW2901
            demand[j] -= mass
            if not available:
                break
        open_columns = open_columns[[demand[j] > 0 for j in open_columns]]
    return moves
