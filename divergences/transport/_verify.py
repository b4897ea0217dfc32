"""The check of a finished result from its problem alone: no solver, no solver's distances."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from .._summation import total
from .._typing import Float64Array, IntArray
from . import _certificate
from ._certificate import EPS, SUBNORMAL
from ._result import CertificateError

_BLOCK_ENTRIES = 1 << 18  # numbers that a block of pairs has, all coordinates counted
_MARGINAL_ERROR = 1e-14
_VALUE_ERROR = 1e-13
_ROUNDING = 16  # ulps by which two ways to compute a distance in R^d may differ


class Costs(Protocol):
    """The costs of a problem, scaled; ``width`` numbers are read for one of them."""

    @property
    def width(self) -> int:
        """Coordinates of a point, or 1."""

    def __call__(self, i: IntArray, j: IntArray) -> Float64Array:
        """Of pairs, index arrays being broadcast against each other."""

    def largest(self) -> float:
        """At least the diameter of the points, or the largest absolute cost."""

    def near(self, u: Float64Array, v: Float64Array) -> Iterator[tuple[IntArray, IntArray]] | None:
        """Pairs outside of which no potentials u, v can exceed costs; None for all pairs."""


class Claims(NamedTuple):
    """What a result says, in NumPy: the plan as a list of pairs."""

    value: float
    source: IntArray
    target: IntArray
    mass: Float64Array
    potential_x: Float64Array
    potential_y: Float64Array
    dual_value: float
    gap: float
    tolerance: float


def verify(
    claims: Claims,
    supply: Float64Array,
    demand: Float64Array,
    costs: Costs,
    scale: float,
    value_error: float,
    critic: tuple[tuple[IntArray, Float64Array, float], ...] | None = None,
) -> None:
    """Raise ``CertificateError`` on the first claim that does not hold.

    Parameters
    ----------
    claims : Claims
    supply, demand : weights as the caller gave them, shapes (n,) and (m,)
    costs : scaled
    scale : power of two that takes costs from the caller's units to scaled ones
    value_error : relative rounding of the value's dtype
    critic : indices of some x, its values there and the relative rounding of these; then of some y;
        None where there is none
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
    _gap(
        claims,
        primal,
        dual,
        64 * EPS * (largest + size) + value_error * size + subnormal,
        subnormal,
    )
    diameter = costs.largest()
    most = _certificate.tolerance(size, diameter) * (1 + 2.0**-20) + subnormal
    if not claims.tolerance <= most:
        _fail(f"the tolerance {claims.tolerance:.3g} is above the promised {most:.3g}")
    if critic is not None:
        for name, (index, values, error), heights in zip("xy", critic, (u, -v), strict=True):
            allowed = (64 * EPS + error) * (largest + diameter) + subnormal
            _critic(name, index, values * scale - heights[index], allowed)


def _gap(claims: Claims, primal: float, dual: float, rounding: float, subnormal: float) -> None:
    if not abs(primal - dual - claims.gap) <= rounding:
        _fail(f"the gap is {primal - dual:.3g}, not {claims.gap:.3g}")
    if not primal - dual <= claims.tolerance + subnormal:
        _fail(f"the gap {primal - dual:.3g} is above the tolerance {claims.tolerance:.3g}")


def _critic(name: str, index: IntArray, error: Float64Array, allowed: float) -> None:
    worst = int(np.abs(error).argmax())
    if not abs(error[worst]) <= allowed:
        _fail(f"the critic at {name}[{index[worst]}] is {error[worst]:.3g} off its potential")


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
        gap=claims.gap * scale,
        tolerance=claims.tolerance * scale,
    )


def _feasible(u: Float64Array, v: Float64Array, costs: Costs, subnormal: float) -> None:
    pairs = costs.near(u, v)
    worst, message = 0.0, ""
    for i, j in _all_pairs(u.size, v.size, costs.width) if pairs is None else pairs:
        block = costs(i, j)
        excess = (u[i] + v[j]) - block - (_ROUNDING * EPS * np.abs(block) + subnormal)
        if not excess.size or excess.max() <= worst:
            continue
        place = np.unravel_index(int(excess.argmax()), excess.shape)
        worst = float(excess[place])
        row, column = (int(np.broadcast_to(index, excess.shape)[place]) for index in (i, j))
        both, bound = float(u[row] + v[column]), float(block[place])
        message = f"potential_x[{row}] + potential_y[{column}] = {both!r} exceeds cost {bound!r}"
    if message or not (np.isfinite(u).all() and np.isfinite(v).all()):
        _fail(message or "a potential is not finite")


def _all_pairs(n: int, m: int, width: int) -> Iterator[tuple[IntArray, IntArray]]:
    """All pairs, a few rows at a time and not too many columns."""
    across = max(1, min(m, _BLOCK_ENTRIES // width))
    step = max(1, _BLOCK_ENTRIES // (across * width))
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))[:, None]
        for first in range(0, m, across):
            yield rows, np.arange(first, min(first + across, m))


def _fail(message: str) -> None:
    raise CertificateError(f"verify: {message}")  # noqa: EM102
