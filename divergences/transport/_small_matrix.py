r"""The transportation problem of a small dense cost matrix, without a compiler where that pays.

Equal masses are assigned by SciPy up to 128 points, above 20 if no other plan is as cheap. All else
goes to the simplex of ``_small_simplex``: the interpreter runs it until it has spent as long in
this process as loading the compiled kernel would take, then the kernel does, with the same pivots
and so the same bits. By then a kernel of shortest augmenting paths also takes over assignments (of
up to 128 points, 300 in many coordinates); where its plan is not the only optimal one, that of
SciPy or of the simplex stays the answer. Beyond 40,000 pairs the kernels solve everything; beyond
four million in stages, between which a clock is asked.

Costs are integers in all of this (``_small_integers``).
"""

import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .._typing import Float64Array, IntArray
from . import _linear_assignment, _small_integers, _small_simplex
from ._clock import Clock
from ._linear_assignment import Proof
from ._masses import Flow, Marginals, are_alike, only_plan

MOST_PAIRS = 40_000  # without a compiler
MOST_PAIRS_COMPILED = 4_000_000
_MOST_PAIRS_IN_STAGES = 1 << 27  # whose integers take a gigabyte

_MOST_POINTS, _MOST_POINTS_INTERPRETED = 4_000, 600  # a pivot may touch them all

FEW_FOR_PATHS = 128  # points that shortest paths assign sooner than the simplex, wherever they lie
# Points that SciPy assigns before the simplex were loaded; if many plans are optimal, the simplex
# is soon the quicker way to one.
_FEW_FOR_SCIPY, _SOME_FOR_SCIPY = 20, 128
_TIES = 2.0**-46  # of the largest cost: closer ones are ties, lest rounding decide
_UNITS_OF_TIES = 2**7  # the same in units of costs
# Of reduced costs, in values of a plan: they are then rounded to 2^-44 of it, or less.
_CUT, _CUT_OF_SHORT = 2.0**7, 2.0**5
_LOPSIDED, _MANY_COLUMNS, _MOST_PAIRS_LOPSIDED, _TOGETHER = 8, 256, 300_000, 8
_STAGE = 100  # pivots, of 10 to 40 microseconds each, and of milliseconds near the end
_LOADING, _COMPILING = 0.02, 0.5  # seconds spent without the kernel after which it is loaded

_least = np.minimum.reduce  # without the wrapper


class _Basis(NamedTuple):
    """An optimal plan and potentials of the columns, with the tree and the costs it is of.

    ``error`` bounds by how much the plan may exceed the optimum of total mass 1, unless the costs
    are whole units (``is_whole``).
    """

    flow: Flow
    v: Float64Array
    error: float
    tree: list[IntArray]
    integers: IntArray
    bits: int
    is_whole: Callable[[], bool]

    def is_exact(self, units: int) -> bool:
        """Whether rounding has cost the plan nothing; ``units`` as for ``is_apart``."""
        return self.is_whole() or self.is_apart(units)

    def is_apart(self, units: int) -> bool:
        """Whether all pairs outside the tree have a reduced cost of more than so many units.

        Units are those of 53 bits. Of 0: another optimal plan would use one. Of as many as there
        are points: the sums of rounded costs along the tree are off by less, so the plan is optimal
        for the true costs.
        """
        height, parent = self.tree[_small_simplex.HEIGHT], self.tree[_small_simplex.PARENT]
        root = height.size - 1
        n = self.integers.size // self.v.size
        costs, left = self.integers.reshape(n, root - n), root - np.count_nonzero(parent == root)
        for rows in _small_integers.blocks(costs):
            reduced = costs[rows] - height[:n][rows, None] + height[n:root]
            left -= np.count_nonzero(reduced <= _small_integers.in_bits(units, self.bits))
        return bool(left >= 0)


class _Assignment(NamedTuple):
    """The sinks of the sources; potentials and their error; if no other plan is as cheap, and
    ``is_exact`` as of a plan.
    """

    column: IntArray
    known: tuple[Float64Array, float]
    is_alone: Callable[[], bool]
    is_exact: Callable[[], bool]


class Plan(NamedTuple):
    """An optimal plan, potentials of the columns, and by how much rounding may have cost it.

    ``error`` is a bound in a mass of 1; ``is_exact`` says whether the plan is optimal all the same,
    ``is_alone`` that no other plan comes so close that costs rounded otherwise might prefer it.
    """

    flow: Flow
    v: Float64Array
    error: float
    is_exact: Callable[[], bool]
    is_alone: Callable[[], bool]


class _Spent:
    """Seconds that this process has spent without the kernel, and how many are enough."""

    seconds = 0.0
    enough: float | None = None


class OutOfTime(Exception):  # noqa: N818 (it carries what is known)
    """The clock allows no more; the flow is feasible, v are potentials of the columns."""

    def __init__(self, flow: Flow, v: Float64Array) -> None:
        super().__init__()
        self.flow, self.v = flow, v


def fits_in_stages(n: int, m: int) -> bool:
    """Whether the simplex on all pairs is the quickest for a matrix of any size like this.

    A few atoms that face a great many are better served by the bounds of the dense solver.
    """
    return n * m <= _MOST_PAIRS_IN_STAGES and not is_lopsided(n, m)


def fits(n: int, m: int) -> bool:
    """Whether a problem of so many points is one for the small simplex."""
    if n + m <= _MOST_POINTS:
        return n * m <= MOST_PAIRS_COMPILED
    return n * m <= _MOST_PAIRS_LOPSIDED and is_lopsided(n, m)


def optimum(cost: Float64Array, supply: IntArray, demand: IntArray) -> tuple[Flow, Float64Array]:
    """An optimal plan of positive integer masses, and potentials of the columns."""
    if are_alike(supply, demand):
        plan = assigned(cost, supply)
    else:
        plan = transported(cost, Marginals(supply, demand, int(supply.sum())))
    return plan.flow, plan.v


def cut_at(
    cost: Float64Array, masses: Marginals, value: float, flow: Flow, clock: Clock | None = None
) -> Plan | None:
    """An optimal plan, its costs rounded to a small part of the ``value`` that the ``flow`` has.

    Reduced costs of many times the value count as fewer; a plan that uses none of them is optimal
    all the same. None where it would, or where that is no news.
    """
    longest = float(cost[flow.source, flow.target].max() - cost.min())
    most = min(max(_CUT_OF_SHORT * value, 2 * longest), _CUT * value)
    if 1 in cost.shape or not 0 < most < cost.max() - cost.min():
        return None
    basis = _by_simplex(cost, masses.supply, masses.demand, most, clock)
    used = basis.integers[basis.flow.source * cost.shape[1] + basis.flow.target]
    if used.max() == basis.integers.max():
        return None
    return _plan_of(basis)


def _plan_of(basis: _Basis) -> Plan:
    count = basis.tree[_small_simplex.HEIGHT].size - 1
    return Plan(
        basis.flow, basis.v, basis.error, lambda: basis.is_exact(count),
        lambda: basis.is_apart(_UNITS_OF_TIES),
    )  # fmt: skip


def transported(cost: Float64Array, masses: Marginals, clock: Clock | None = None) -> Plan:
    """An optimal plan of positive integer masses; with a clock, in stages."""
    if 1 in cost.shape:
        flow, _, g = only_plan(cost.ravel(), masses)
        return Plan(flow, -g, 0.0, lambda: True, lambda: True)
    if cost.shape[0] > cost.shape[1] and is_lopsided(*cost.shape):
        plan = transported(
            np.ascontiguousarray(cost.T), Marginals(masses.demand, masses.supply, masses.total)
        )
        v = (cost - plan.v[:, None]).min(axis=0)
        return plan._replace(flow=Flow(plan.flow.target, plan.flow.source, plan.flow.mass), v=v)
    return _plan_of(_by_simplex(cost, masses.supply, masses.demand, clock=clock))


def assigned(
    cost: Float64Array, mass: IntArray, *, value_only: bool = False, paths: bool = False,
    alone: bool = False, clock: Clock | None = None,
) -> Plan:  # fmt: skip
    """An optimal permutation, each source sending its ``mass``.

    By a kernel of shortest ``paths`` where one pays and its plan is the only one, or none but an
    only one will do (``alone``); else by SciPy if its plan is the only one, or of very few points;
    else by the simplex, in stages if there is a clock.
    """
    n = mass.size
    compiled, most = cost.size > MOST_PAIRS, _SOME_FOR_SCIPY
    found = None
    if paths and (compiled or (value_only and kernel_pays(*cost.shape))):
        found = _assigned_by_paths(cost)
        if not (compiled or alone or found.is_alone()):
            found, most = None, _FEW_FOR_SCIPY
    if found is None and n <= most:
        found = _assigned_with_proof(cost)
    if found is None:
        found = _assigned_by_simplex(cost, mass, clock)
    return Plan(
        Flow(np.arange(n), found.column, mass), *found.known, found.is_exact, found.is_alone
    )


def _assigned_by_simplex(cost: Float64Array, mass: IntArray, clock: Clock | None) -> _Assignment:
    basis = _by_simplex(cost, mass, mass, clock=clock)
    column = basis.flow.target[np.argsort(basis.flow.source)]
    return _Assignment(
        column, (basis.v, basis.error), lambda: basis.is_apart(_UNITS_OF_TIES),
        lambda: basis.is_exact(2 * mass.size),
    )  # fmt: skip


def _assigned_by_paths(cost: Float64Array) -> _Assignment:
    from ._assignment import assign_one

    n = cost.shape[0]
    column, u, v = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n)
    excess, alone = assign_one(cost, _TIES, column, u, v)
    return _Assignment(column, (v, excess / n), lambda: bool(alone), lambda: False)


def _assigned_with_proof(cost: Float64Array) -> _Assignment | None:
    """SciPy's assignment of few points; of more than very few that of any solver, if it is the only
    one. None too where it is not optimal to the last digit.

    Potentials are whole numbers, so they are the same whoever computes them.
    """
    n = cost.shape[0]
    few, pays = n <= _FEW_FOR_SCIPY, kernel_pays(n, n)
    _linear_assignment.load()
    began = time.perf_counter()
    least = _least(cost, axis=1)
    bits = _small_integers.bits_of(n, n, least)
    integers, v, unit = _small_integers.reduced(cost, least, bits, math.inf)
    by_paths = pays and not few
    column = _assigned_by_paths(cost).column if by_paths else _linear_assignment.assign(cost)
    prove = _proved_by_kernel if pays else _linear_assignment.prove
    tolerance = _small_integers.in_bits(max(2 * n, _UNITS_OF_TIES), bits)
    proof = prove(integers.reshape(n, n), column, tolerance)
    if not pays:
        _Spent.seconds += time.perf_counter() - began
    if proof is None or not (few or proof.alone):
        return None
    v += proof.v * unit
    return _Assignment(
        column, (v, unit), lambda: proof.alone,
        lambda: proof.alone or _small_integers.are_whole(cost, least, unit, bits),
    )  # fmt: skip


def _proved_by_kernel(cost: IntArray, column: IntArray, tolerance: int) -> Proof | None:
    from ._assignment import prove

    n = column.size
    v, room = np.empty(n, dtype=np.int64), np.empty(3 * n, dtype=np.int64)
    optimal, alone = prove(cost, column, tolerance, v, room[:n], room[n:])
    return Proof(v, alone) if optimal else None


def _by_simplex(
    cost: Float64Array, supply: IntArray, demand: IntArray, most: float = math.inf,
    clock: Clock | None = None,
) -> _Basis:  # fmt: skip
    """An optimal basis; reduced costs above ``most`` count as that."""
    n, m = cost.shape
    few_rows = n < m and is_lopsided(n, m)
    least = _foreseen(cost, supply, demand) if few_rows else _least(cost, axis=1)
    bits = _small_integers.bits_of(n, m, None if few_rows else least)
    few = cost.size <= MOST_PAIRS
    reduced = _small_integers.reduced if few else _small_integers.reduced_by_kernel
    integers, v, unit = reduced(cost, least, bits, most)
    if clock is not None:
        tree, optimal = _in_stages(integers, supply, demand, clock)
    elif kernel_pays(*cost.shape):
        tree, optimal = _compiled(integers, supply, demand), True
    else:
        tree, optimal = _interpreted(integers, supply, demand), True
    v -= tree[_small_simplex.HEIGHT][n : n + m] * unit
    flow = Flow(*_small_simplex.plan_of(tree, n))
    if not optimal:
        raise OutOfTime(flow, v)
    return _Basis(
        flow, v, unit, tree, integers, bits,
        lambda: _small_integers.are_whole(cost, least, unit, bits),
    )  # fmt: skip


def is_lopsided(n: int, m: int) -> bool:
    """Whether a few atoms face so many that most of these exchange mass with one only."""
    few, many = min(n, m), max(n, m)
    return many >= _MANY_COLUMNS and many >= _LOPSIDED * few


def _foreseen(cost: Float64Array, supply: IntArray, demand: IntArray) -> Float64Array:
    """Potentials of a few rows, from the problem where one column in eight stands for all.

    Reduced by them, the least of each column is nearly always where the column gets its mass: a
    tenth of the pivots are left.
    """
    first = np.arange(0, demand.size, _TOGETHER)
    part = np.ascontiguousarray(cost[:, first])
    v = _by_simplex(part, supply, np.add.reduceat(demand, first)).v
    return np.asarray(_least(part - v, axis=1))


def _interpreted(cost: IntArray, supply: IntArray, demand: IntArray) -> list[IntArray]:
    n, m = supply.size, demand.size
    began = time.perf_counter()
    space = [[_small_simplex.NONE] * size for size in _small_simplex.workspace(n, m)]
    _small_simplex.optimise(cost.tolist(), n, m, supply.tolist(), demand.tolist(), *space)
    _Spent.seconds += time.perf_counter() - began
    return [np.array(column) for column in space[-_small_simplex.COLUMNS :]]


def _compiled(cost: IntArray, supply: IntArray, demand: IntArray) -> list[IntArray]:
    n, m = supply.size, demand.size
    space = _space(n, m)
    _kernel()(cost, n, m, supply.copy(), demand.copy(), *space)
    return space[-_small_simplex.COLUMNS :]


def _in_stages(
    cost: IntArray, supply: IntArray, demand: IntArray, clock: Clock
) -> tuple[list[IntArray], bool]:
    """The tree, and whether it is optimal: not if the clock allows no more."""
    n, m = supply.size, demand.size
    space, (begin, improve, _) = _space(n, m), _parts()
    tree = space[-_small_simplex.COLUMNS :]
    begin(cost, n, m, supply.copy(), demand.copy(), *space)
    made, row = _STAGE, 0
    while made == _STAGE:
        if not clock.allows(0.0):
            return tree, False
        made, row = improve(cost, n, m, row, _STAGE, *tree)
    return tree, True


def _space(n: int, m: int) -> list[IntArray]:
    """What the kernels work in, in one piece."""
    sizes = _small_simplex.workspace(n, m)
    block = np.full(sum(sizes), _small_simplex.NONE)
    space, start = [], 0
    for size in sizes:
        space.append(block[start : start + size])
        start += size
    return space


def kernel_pays(n: int, m: int) -> bool:
    """Whether the problem is large, or enough time has been spent without the kernel."""
    if n * m > MOST_PAIRS or n + m > _MOST_POINTS_INTERPRETED:
        return True
    if _Spent.seconds < _LOADING:
        return False
    if _Spent.enough is None:
        _Spent.enough = _LOADING if _small_simplex.is_cached() else _COMPILING
    return _Spent.seconds >= _Spent.enough


@cache
def _kernel() -> Any:
    return _small_simplex.compiled()


@cache
def _parts() -> Any:
    return _small_simplex.compiled_parts()
