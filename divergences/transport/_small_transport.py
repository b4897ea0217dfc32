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
_NONE, _MOST = _small_simplex.NONE, _small_simplex.MOST
_begin, _improve, _ = _small_simplex.compiled_parts()


def _with_mass(masses: IntArray, atoms: IntArray, left: IntArray) -> int:
    """List the atoms that have mass, and their masses; how many there are."""
    count = 0
    for atom in range(masses.size):
        if masses[atom] > 0:
            atoms[count], left[count] = atom, masses[atom]
            count += 1
    return count


with_mass = jit(_with_mass, inner=True)


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
    most, width = costs.shape[1], costs.shape[2]
    nodes = most + width
    integers, chosen = np.empty(most * width, np.int64), np.empty(most * width)
    least, reduced = np.empty(most), np.empty(width)
    row, supply = np.empty(most, np.int64), np.empty(most, np.int64)
    column, demand = np.empty(width, np.int64), np.empty(width, np.int64)
    source, target = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    mass, stack = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    first, other = np.empty(nodes, np.int64), np.empty(2 * nodes, np.int64)
    parent, following = np.empty(nodes + 1, np.int64), np.empty(nodes + 1, np.int64)
    previous, size = np.empty(nodes + 1, np.int64), np.empty(nodes + 1, np.int64)
    flow, height = np.empty(nodes + 1, np.int64), np.empty(nodes + 1, np.int64)
    for k in range(costs.shape[0]):
        cost = costs[k]
        n, m = with_mass(supplies[k], row, supply), with_mass(demands[k], column, demand)
        rows, columns = row[:n], column[:m]
        level(supply[:n], demand[:m])
        part = chosen[: n * m].reshape((n, m))
        gather(cost, rows, columns, part, least)
        unit = to_integers(part, least, variable(_COST_BITS), np.inf, reduced[:m], integers)
        for node in range(nodes):
            first[node], other[2 * node], other[2 * node + 1] = _NONE, _NONE, _NONE
        _begin(
            integers, n, m, supply, demand, source, target, mass, stack, first, other, parent,
            following, previous, size, flow, height,
        )  # fmt: skip
        _improve(
            integers, n, m, variable(0), variable(_MOST), parent, following, previous, size, flow,
            height,
        )  # fmt: skip
        for h in range(m):
            v[k, columns[h]] = reduced[h] - height[n + h] * unit
        facts[k, 2] = prices(cost, columns, u[k], v[k])
        list_plan(
            cost, u[k], v[k], rows, columns, parent, flow, sources[k], targets[k], masses[k],
            facts[k],
        )  # fmt: skip


transport_all = jit(_transport_all)
