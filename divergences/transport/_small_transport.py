r"""Small transportation problems, one after another: the simplex of ``_small_simplex``, compiled.

Atoms without mass are left out, and get the potentials that the others leave room for. Costs are
reduced by their least in each row and column, and rounded to multiples of 2^-53 of the largest that
is left; the potentials found are then made feasible for the costs as they are. O(n m) memory.
"""

import numpy as np

from .._typing import Float64Array, IntArray
from . import _small_simplex
from ._jit import jit, variable
from ._small_costs import to_integers

_COST_BITS = 53
_PARENT, _FLOW, _HEIGHT, _NONE = (
    _small_simplex.PARENT, _small_simplex.FLOW, _small_simplex.HEIGHT, _small_simplex.NONE
)  # fmt: skip
_optimise = _small_simplex.compiled()


def _with_mass(masses: IntArray, atoms: IntArray, left: IntArray) -> int:
    """List the atoms that have mass, and their masses; how many there are."""
    count = 0
    for atom in range(masses.size):
        if masses[atom] > 0:
            atoms[count], left[count] = atom, masses[atom]
            count += 1
    return count


with_mass = jit(_with_mass)


def _level(supply: IntArray, demand: IntArray) -> None:
    """Give the largest demand the few units by which the sums differ."""
    missing, largest = 0, 0
    for mass in supply:
        missing += mass
    for j in range(demand.size):
        missing -= demand[j]
        largest = j if demand[j] > demand[largest] else largest
    demand[largest] += missing


level = jit(_level, once=True)


def _gather(
    cost: Float64Array, rows: IntArray, columns: IntArray, part: Float64Array, least: Float64Array
) -> None:
    """Copy the costs of the rows and columns listed, and note the least of each row."""
    for k in range(rows.size):
        least[k] = np.inf
        for h in range(columns.size):
            part[k, h] = cost[rows[k], columns[h]]
            least[k] = min(least[k], part[k, h])


gather = jit(_gather, once=True)


def _prices(cost: Float64Array, columns: IntArray, u: Float64Array, v: Float64Array) -> float:
    """Feasible u beside the ``columns`` of v, then the other columns; the largest cost."""
    n, m = cost.shape
    rest, largest = np.full(m, True), 0.0
    for j in columns:
        rest[j] = False
    for i in range(n):
        u[i] = np.inf
        for j in columns:
            u[i] = min(u[i], cost[i, j] - v[j])
    for j in range(m):
        if rest[j]:
            v[j] = np.inf
        for i in range(n):
            largest = max(largest, cost[i, j])
            if rest[j]:
                v[j] = min(v[j], cost[i, j] - u[i])
    return largest


prices = jit(_prices, once=True)


def _list_plan(
    cost: Float64Array, u: Float64Array, v: Float64Array, rows: IntArray, columns: IntArray,
    parent: IntArray, flow: IntArray,
    source: IntArray, target: IntArray, mass: IntArray, facts: Float64Array,
) -> None:  # fmt: skip
    """List the arcs of the tree that carry flow; the cost of the plan, and its excess."""
    n, place, value, excess = rows.size, 0, 0.0, 0.0
    for node in range(n + columns.size):
        if flow[node] > 0:
            above = parent[node]
            i, j = rows[min(node, above)], columns[max(node, above) - n]
            source[place], target[place], mass[place] = i, j, flow[node]
            value += flow[node] * cost[i, j]
            excess += flow[node] * ((cost[i, j] - v[j]) - u[i])
            place += 1
    facts[0], facts[1] = value, excess


list_plan = jit(_list_plan, once=True)


def _transport_all(
    costs: Float64Array, supplies: IntArray, demands: IntArray,
    sources: IntArray, targets: IntArray, masses: IntArray,
    u: Float64Array, v: Float64Array, facts: Float64Array,
) -> None:  # fmt: skip
    """The problems (k, n, m) one by one: the lists (k, n + m), ``u`` and ``v`` are filled.

    ``supplies`` and ``demands`` are non-negative, of sums that differ by a few units below 2^63;
    the lists end with the zeros they came with. ``facts`` (k, 3) as in ``assign_all``.
    """
    count, most, width = costs.shape
    nodes = most + width
    integers, chosen = np.empty(most * width, np.int64), np.empty(most * width)
    least, reduced = np.empty(most), np.empty(width)
    work, other = np.empty((9, nodes), np.int64), np.empty(2 * nodes, np.int64)
    tree = np.empty((_small_simplex.COLUMNS, nodes + 1), np.int64)
    for k in range(count):
        n = with_mass(supplies[k], work[0], work[1])
        m = with_mass(demands[k], work[2], work[3])
        rows, supply, columns, demand = work[0, :n], work[1, :n], work[2, :m], work[3, :m]
        level(supply, demand)
        part = chosen[: n * m].reshape((n, m))
        gather(costs[k], rows, columns, part, least)
        unit = to_integers(part, least, variable(_COST_BITS), np.inf, reduced[:m], integers)
        for place in range(nodes):
            work[8, place], other[2 * place], other[2 * place + 1] = _NONE, _NONE, _NONE
        _optimise(
            integers, n, m, supply, demand, work[4], work[5], work[6], work[7], work[8], other,
            tree[0], tree[1], tree[2], tree[3], tree[4], tree[5],
        )  # fmt: skip
        for h in range(m):
            v[k, columns[h]] = reduced[h] - tree[_HEIGHT, n + h] * unit
        facts[k, 2] = prices(costs[k], columns, u[k], v[k])
        list_plan(
            costs[k], u[k], v[k], rows, columns, tree[_PARENT], tree[_FLOW],
            sources[k], targets[k], masses[k], facts[k],
        )  # fmt: skip


transport_all = jit(_transport_all)
