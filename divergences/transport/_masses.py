r"""Masses as integers, so that marginals balance exactly and equal masses cancel to 0.

A float is an integer times a power of two, hence normalised weights :math:`a_i / \sum a` and
:math:`b_j / \sum b` have the common denominator :math:`T = \sum a \sum b`. Where T is at most
:math:`2^{53}` (uniform weights and other small ratios) the masses are its numerators in int64, and
nothing is rounded. Other weights are rounded to multiples of :math:`2^{-62}`, int64 again: the
integer parts, and one unit more for the largest remainders until the sum is :math:`2^{62}`. That
moves a distance by at most :math:`(n + m) 2^{-63}` diameters, which a small problem would notice in
its last digits and nearly equal laws in their first. For these there are the numerators
themselves, Python integers in an object array (a microsecond each).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._summation import divide, exact_sum
from .._summation import total as sum_of
from .._typing import Float64Array, IntArray

EXACT_IN_FLOAT = 2**53
UNITS = 2**62  # int64 holds sums and differences of masses of this sum
SUBNORMAL = 2.0**-1074
FEW_ATOMS = 256  # up to so many in both laws, numerators take less time than the rest

Masses = NDArray[Any]  # int64, or object holding Python integers


class Marginals(NamedTuple):
    """Integer masses of two laws: ``supply`` (n,), ``demand`` (m,), both of sum ``total``."""

    supply: Masses
    demand: Masses
    total: int


class Flow(NamedTuple):
    """A plan as lists: ``mass[k] / total`` goes from atom ``source[k]`` to atom ``target[k]``."""

    source: IntArray
    target: IntArray
    mass: Masses


def marginals(
    a: Float64Array | None, n: int, b: Float64Array | None, m: int, *, exact: bool = False
) -> Marginals:
    """Integer masses in the proportions of the weights (None: uniform); O(n + m).

    They are the exact proportions where that costs little, or if asked for; otherwise multiples of
    1 / ``UNITS``.
    """
    a, b = unless_equal(a), unless_equal(b)
    if not exact and n + m > FEW_ATOMS and (a is not None or b is not None):
        supply, demand = (
            units(np.ones(count) if weights is None else weights)
            for weights, count in ((a, n), (b, m))
        )
        return Marginals(supply, demand, UNITS)
    supply, demand = _numerators(a, n), _numerators(b, m)
    supply_sum, demand_sum = int(supply.sum()), int(demand.sum())
    common = math.gcd(supply_sum, demand_sum)
    total = supply_sum * (demand_sum // common)
    kind: Any = np.int64 if total <= EXACT_IN_FLOAT else object
    return Marginals(
        supply.astype(kind) * (demand_sum // common),
        demand.astype(kind) * (supply_sum // common),
        total,
    )


def rounding_of_masses(count: int, total: int, diameter: float) -> float:
    """What rounding of ``count`` masses of this total changes a distance by at most.

    Those of ``UNITS`` are rounded to one; others are where they are taken as floats, below these.
    """
    unit = 1 / UNITS if total == UNITS else SUBNORMAL
    return count * (unit * diameter + SUBNORMAL)


def unless_equal(weights: Float64Array | None) -> Float64Array | None:
    """The weights, or None where all are equal: then they are uniform."""
    if weights is None or bool((weights == weights[..., :1]).all()):
        return None
    return weights


def units(weights: Float64Array) -> IntArray:
    """Weights as shares of ``UNITS``, each rounded down or up, of exactly that sum; O(n)."""
    result, remainder = _whole_units(weights)
    missing = UNITS - int(result.sum())
    if missing > 0:
        remainder = np.where(weights > 0, remainder, -1.0)
        first = min(missing, weights.size) - 1
        result[np.argpartition(-remainder, first)[: first + 1]] += 1
    if missing < 0:  # the quotients were rounded up by a unit in all
        result[np.argmax(result)] += missing
    return result


def nearest_units(weights: Float64Array) -> IntArray:
    """Rows of weights as shares of ``UNITS``, each rounded to nearest: sums differ by some units.

    Equal weights have equal shares, in whatever order they come.
    """
    result, remainder = _whole_units(weights)
    return result + (remainder >= 0.5)


def _whole_units(weights: Float64Array) -> tuple[IntArray, Float64Array]:
    """Shares of ``UNITS`` rounded down, and what is left of each."""
    high, low = exact_sum(np, weights)
    sums = high[..., None], low[..., None]
    share, rest = divide((weights, np.zeros_like(weights)), sums)
    scaled = np.ldexp(share, 62)
    whole = np.floor(scaled)
    rest = (scaled - whole) + np.ldexp(rest, 62)
    carry = np.floor(rest)
    return whole.astype(np.int64) + carry.astype(np.int64), rest - carry


def _numerators(weights: Float64Array | None, count: int) -> Masses:
    """Integers without common divisor, in the proportions of ``weights``."""
    if weights is None:
        return np.ones(count, dtype=np.int64)
    mantissas, exponents = np.frexp(weights)
    integers = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
    exponents = np.where(weights > 0, exponents, exponents.max())
    integers = np.left_shift(integers, (exponents - exponents.min()).astype(object))
    reduced: Masses = integers // np.gcd.reduce(integers)
    return reduced


def as_fractions(mass: Masses, total: int) -> Float64Array:
    """``mass / total``, to 1.5 ulps."""
    if total.bit_length() < 1000:
        return mass.astype(np.float64) / float(total)
    return np.asarray(mass / total, dtype=np.float64)  # Python's quotient of long integers


def north_west(supply: Masses, demand: Masses) -> Flow:
    """The monotone plan of two lists of masses of equal sum: at most n + m - 1 pairs.

    Both lists cut the interval from 0 to their sum; pair (i, j) receives what piece i and piece j
    share. O((n + m) log(n + m)).
    """
    ends = np.concatenate([np.cumsum(supply), np.cumsum(demand)])
    order = np.argsort(ends, kind="stable")
    ends = ends[order]
    mass = ends.copy()
    mass[1:] -= ends[:-1]
    closes_source = order < supply.size
    source: IntArray = np.cumsum(closes_source) - closes_source
    target = np.arange(ends.size) - source
    kept = np.nonzero(mass)[0]
    return Flow(source[kept], target[kept], mass[kept])


def only_plan(lengths: Float64Array, masses: Marginals) -> tuple[Flow, Float64Array, Float64Array]:
    """The one plan there is where one side has one atom; potentials f_i - g_j = length.

    All masses are positive.
    """
    many, one = np.arange(lengths.size), np.zeros(lengths.size, dtype=np.int64)
    if masses.demand.size == 1:
        return Flow(many, one, masses.supply), lengths, np.zeros(1)
    return Flow(one, many, masses.demand), np.zeros(1), -lengths


def in_int64(masses: Marginals) -> tuple[IntArray, IntArray]:
    """Masses as they are where they fit, else rounded: the lightest may become 0."""
    if masses.total <= UNITS:
        return masses.supply.astype(np.int64), masses.demand.astype(np.int64)
    return in_units(masses, UNITS)


def in_units(masses: Marginals, units: int) -> tuple[IntArray, IntArray]:
    """Masses rounded down to multiples of total / units, as integers of exactly equal sums."""
    unit = -(-masses.total // units)
    rows = (masses.supply // unit).astype(np.int64)
    columns = (masses.demand // unit).astype(np.int64)
    difference = int(rows.sum() - columns.sum())
    larger = rows if difference > 0 else columns
    # The sums differ by less than one unit an atom: the heaviest atoms give one each.
    heaviest_first = np.argsort(-larger, kind="stable")
    givers = min(abs(difference), int(np.count_nonzero(larger)))
    larger[heaviest_first[:givers]] -= 1
    larger[heaviest_first[0]] -= abs(difference) - givers
    return rows, columns


def cost_of(flow: Flow, costs: Float64Array, total: int) -> float:
    """Cost of a plan whose pairs cost ``costs``, to about 2 ulps where these are positive."""
    if total <= EXACT_IN_FLOAT:
        return sum_of(flow.mass * costs) / total
    return sum_of(as_fractions(flow.mass, total) * costs)


def are_alike(supply: Masses, demand: Masses) -> bool:
    """Whether there are as many of either, and all masses are equal."""
    first = supply[:1]
    alike = supply.size == demand.size and (supply == first).all() and (demand == first).all()
    return bool(alike)


def rounded_marginals(
    a: Float64Array | None, n: int, b: Float64Array | None, m: int
) -> tuple[Marginals, float]:
    """``marginals`` made sooner, each mass within one unit, and what that may change a value by.

    In diameters.
    """
    if a is not None or b is not None:
        return Marginals(_in_units(a, n), _in_units(b, m), UNITS), (n + m) / (2 * UNITS)
    if n == m:
        one_each = np.ones(n, dtype=np.int64)
        return Marginals(one_each, one_each, n), 0.0
    common = math.gcd(n, m)
    return Marginals(np.full(n, m // common), np.full(m, n // common), n * m // common), 0.0


def _in_units(weights: Float64Array | None, count: int) -> IntArray:
    """Normalised weights in units of 2^-62, each within one of the exact; their sum is exact.

    Those far below a unit become 0.
    """
    if weights is None:
        weights = np.full(count, 1.0 / count)
    units = np.rint(weights * float(UNITS)).astype(np.int64)
    units += np.rint(weights * float(UNITS - int(np.add.reduce(units)))).astype(np.int64)
    units[units.argmax()] += UNITS - int(np.add.reduce(units))
    return units
