"""The check of a finished result from its problem alone: no solver, no solver's distances."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._summation import total
from .._typing import Float64Array, IntArray
from ._certificate import EPS, SUBNORMAL
from ._result import CertificateError

_BLOCK_ENTRIES = 1 << 20
_MARGINAL_ERROR = 1e-14
_VALUE_ERROR = 1e-13
_ROUNDING = 16  # ulps by which two ways to compute a distance in R^d may differ


class Claims(NamedTuple):
    """What a result says, in NumPy: the plan as a list of pairs."""

    value: float
    source: IntArray
    target: IntArray
    mass: Float64Array
    potential_x: Float64Array
    potential_y: Float64Array
    dual_value: float
    tolerance: float


def verify(
    claims: Claims,
    supply: Float64Array,
    demand: Float64Array,
    costs: Callable[[IntArray, IntArray], Float64Array],
    scale: float,
    value_error: float,
) -> None:
    """Raise ``CertificateError`` on the first claim that does not hold.

    Parameters
    ----------
    claims : Claims
    supply, demand : weights as the caller gave them, shapes (n,) and (m,)
    costs : index arrays (i, j), broadcast against each other, to the scaled costs of these pairs
    scale : power of two that takes costs from the caller's units to scaled ones
    value_error : relative rounding of the value's dtype
    """
    claims = _scaled(claims, scale)
    supply, demand = supply / total(supply), demand / total(demand)
    subnormal = 8 * SUBNORMAL * scale
    _marginals(claims, supply, demand)
    carried = costs(claims.source, claims.target)
    primal = total(claims.mass * carried)
    size = total(np.abs(claims.mass * carried))
    if not abs(primal - claims.value) <= (_VALUE_ERROR + value_error) * size + subnormal:
        _fail(f"the plan costs {primal!r}, not the value {claims.value!r}")
    u, v = claims.potential_x, claims.potential_y
    dual = total(np.concatenate([supply * u, demand * v]))
    largest = float(np.abs(u).max() + np.abs(v).max())
    if not abs(dual - claims.dual_value) <= 8 * EPS * largest + subnormal:
        _fail(f"the potentials give {dual!r}, not dual_value {claims.dual_value!r}")
    _feasible(u, v, costs, subnormal)
    if not primal - dual <= claims.tolerance + subnormal:
        _fail(f"the gap {primal - dual:.3g} is above the tolerance {claims.tolerance:.3g}")


def _marginals(claims: Claims, supply: Float64Array, demand: Float64Array) -> None:
    if claims.mass.size and claims.mass.min() < 0:
        _fail(f"the plan has a negative mass, {claims.mass.min()!r}")
    for name, index, weights in (
        ("x", claims.source, supply),
        ("y", claims.target, demand),
    ):
        sums = np.bincount(index, weights=claims.mass, minlength=weights.size)
        if sums.max() < 2:  # as integers, a thousand parts of one atom add up without rounding
            units = np.zeros(weights.size, dtype=np.int64)
            np.add.at(units, index, np.rint(np.ldexp(claims.mass, 61)).astype(np.int64))
            sums = np.ldexp(units.astype(np.float64), -61)
        error = np.abs(sums - weights)
        worst = int(error.argmax())
        if not error[worst] <= _MARGINAL_ERROR:
            _fail(f"the plan gives {name}[{worst}] mass {sums[worst]!r}, not {weights[worst]!r}")


def _scaled(claims: Claims, scale: float) -> Claims:
    return claims._replace(
        value=claims.value * scale,
        potential_x=claims.potential_x * scale,
        potential_y=claims.potential_y * scale,
        dual_value=claims.dual_value * scale,
        tolerance=claims.tolerance * scale,
    )


def _feasible(
    u: Float64Array,
    v: Float64Array,
    costs: Callable[[IntArray, IntArray], Float64Array],
    subnormal: float,
) -> None:
    columns = np.arange(v.size)
    step = max(1, _BLOCK_ENTRIES // v.size)
    for start in range(0, u.size, step):
        rows = np.arange(start, min(start + step, u.size))[:, None]
        block = costs(rows, columns)
        allowed = _ROUNDING * EPS * np.abs(block) + subnormal
        excess = (u[rows] + v) - block - allowed
        worst = np.unravel_index(int(excess.argmax()), excess.shape)
        if not excess[worst] <= 0:
            i, j = start + int(worst[0]), int(worst[1])
            bound = float(block[worst])
            _fail(f"potential_x[{i}] + potential_y[{j}] = {u[i] + v[j]!r} exceeds cost {bound!r}")


def _fail(message: str) -> None:
    raise CertificateError(f"verify: {message}")  # noqa: EM102
