r"""Bounds from potentials, and the independent check of a result.

Any u, v with :math:`u_i + v_j \le c_{ij}` bound the cost of every plan from below by
:math:`\sum a_i u_i + \sum b_j v_j`. One c-transform of any v,

.. math:: u_i = \min_j (c_{ij} - v_j),

gives such a pair; a second one, of u, can only raise the bound. For a metric cost both are the
values of one 1-Lipschitz function, :math:`u = f(x), v = -f(y)`.
"""

import math

import numpy as np

from .._metrics import Metric
from .._summation import total
from .._typing import Float64Array
from ._masses import Flow, Marginals, as_fractions
from ._result import CertificateError, Solution

RELATIVE_GAP = 1e-9
GAP_PER_DIAMETER = 1e-13
EPS = 2.0**-52
SUBNORMAL = 2.0**-1074
_BLOCK_ENTRIES = 1 << 16  # of a matrix, which stay in a cache

_least, _most = np.minimum.reduce, np.maximum.reduce  # without the wrappers


def conjugates(cost: Float64Array, v: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Feasible potentials (u, v) from any v, each the c-transform of the other; O(n m)."""
    v = v - (_most(v) / 2 + _least(v) / 2)
    u, raised = np.empty(cost.shape[0]), np.full(v.size, np.inf)
    step = max(1, _BLOCK_ENTRIES // v.size)
    for start in range(0, u.size, step):
        rows = slice(start, start + step)
        _least(cost[rows] - v, axis=1, out=u[rows])
        np.minimum(raised, _least(cost[rows] - u[rows, None], axis=0), out=raised)
    return u, raised


def dual_value(
    supply: Float64Array, demand: Float64Array, u: Float64Array, v: Float64Array
) -> float:
    """The lower bound sum a u + sum b v."""
    return total(np.concatenate([supply * u, demand * v]))


def tolerance(value: float, diameter: float) -> float:
    """The gap with which an answer is given; at least what rounding leaves of subnormal answers."""
    return RELATIVE_GAP * abs(value) + GAP_PER_DIAMETER * diameter + 4 * SUBNORMAL


def radius(metric: Metric, atoms: Float64Array) -> float:
    """Largest distance from one of the atoms: at least half the diameter; O(n d)."""
    middle = atoms.shape[0] // 2
    return float(metric.matrix(atoms[middle : middle + 1], atoms).max())


def rounding_of_distances(dimension: int, diameter: float) -> float:
    """By how much computed distances, and differences of potentials, may contradict each other."""
    return (4 + min(dimension, 32) / 4) * EPS * diameter


def require(value: float, dual: float, allowed: float) -> None:
    """Demand that the gap is within the tolerance; never below 0 by more than rounding."""
    gap = value - dual
    if not (math.isfinite(gap) and -allowed <= gap <= allowed):
        message = (
            f"the answer {value!r} is not certified: its duality gap {gap:.3g} is above the "
            f"tolerance {allowed:.3g}"
        )
        raise CertificateError(message)


def certified(
    flow: Flow, masses: Marginals, value: float, potential_x: Float64Array,
    potential_y: Float64Array, diameter: float, scale: float, anchors: Float64Array | None,
    heights: Float64Array,
) -> Solution:  # fmt: skip
    """The solution in the caller's units, from one in scaled units, if its gap allows."""
    supply, demand = (as_fractions(m, masses.total) for m in (masses.supply, masses.demand))
    dual = dual_value(supply, demand, potential_x, potential_y)
    require(value, dual, tolerance(value, diameter))
    with np.errstate(over="ignore"):  # the public function refuses what exceeds the largest float
        return Solution(
            value=value / scale,
            source=flow.source,
            target=flow.target,
            mass=as_fractions(flow.mass, masses.total),
            supply=supply,
            demand=demand,
            potential_x=potential_x / scale,
            potential_y=potential_y / scale,
            dual_value=dual / scale,
            tolerance=tolerance(value / scale, diameter / scale),
            scale=scale,
            anchors=anchors,
            heights=heights,
        )
