"""Laws on the line with incomplete gamma and beta functions."""

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import detach, is_tensor
from .._summation import two_product
from .._typing import Array, ArrayLike, Float64Array, Namespace
from ._line import ContinuousLaw, Points
from ._log_concave_tails import (
    LEAST_EXPONENT,
    LEAST_SHAPE,
    beta_log_density,
    beta_tails,
    complement,
    gamma_log_density,
    gamma_quantile,
    gamma_tails,
)

MODERATE = 1000.0  # sum of exponents up to which the mirrored function is as good
LARGE = 16.0  # from here on densities are computed by Stirling's formula and its error


def log_gamma(value: Array) -> Array:
    """The logarithm of the gamma function at positive numbers."""
    if is_tensor(value):
        return value.lgamma()
    from scipy.special import gammaln

    return gammaln(value)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Gamma(ContinuousLaw):
    r"""The gamma law on (0, inf).

    .. math:: f(x) = \frac{r^a}{\Gamma(a)} x^{a - 1} e^{-r x}

    Parameters
    ----------
    shape : float or 0-d tensor
        The shape :math:`a` (also called concentration), positive and finite.
    rate : float or 0-d tensor
        The rate :math:`r` (not the scale, which is its inverse), positive and finite.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Examples
    --------
    >>> from divergences import Gamma, wasserstein1
    >>> round(float(wasserstein1(Gamma(2.0, 1.0), Gamma(3.0, 1.0))), 12)
    1.0
    """

    shape: Any
    rate: Any

    def __post_init__(self) -> None:
        self._demand_numbers("shape", "rate")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def singular_ends(self) -> tuple[float, ...]:
        return (0.0,)

    @property
    def least_place(self) -> float:
        return sys.float_info.min / min(self._numbers()[1], 1.0)

    @property
    def expectation(self) -> float:
        shape, rate = self._numbers()
        return shape / rate

    @property
    def turning_points(self) -> tuple[float, ...]:
        shape, rate = self._numbers()
        return ((shape - 1.0) / rate,) if shape > 1.0 else ()

    def _standard(self, x: ArrayLike) -> tuple[Float64Array, Float64Array]:
        """The place times the rate as a pair: beyond a shape of 10^4 its rounding would tell."""
        rate = np.float64(self._numbers()[1])
        x = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1e300 / max(rate, 1.0))
        high, low = two_product(x, rate)
        return high, np.where(np.isfinite(low), low, 0.0)

    def _tail(self, x: ArrayLike, more: float, incomplete: Any, number: int) -> Float64Array:
        """A tail of the law of shape ``more`` larger, by one of SciPy's functions if that is good.

        ``number`` is 0 for the lower tail, 1 for the upper one.
        """
        shape = self._numbers()[0] + more
        high, low = self._standard(x)
        if shape < LEAST_SHAPE:
            return np.asarray(incomplete(shape, high))
        return gamma_tails(shape, high, low)[number]

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammainc

        return self._tail(x, 0.0, gammainc, 0)

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammaincc

        return self._tail(x, 0.0, gammaincc, 1)

    def quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import gammaincinv

        shape, rate = self._numbers()
        if shape >= LEAST_SHAPE:
            return gamma_quantile(shape, level, upper=False) / rate
        return np.asarray(gammaincinv(shape, np.asarray(level, dtype=np.float64)) / rate)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import gammainccinv

        shape, rate = self._numbers()
        if shape >= LEAST_SHAPE:
            return gamma_quantile(shape, level, upper=True) / rate
        return np.asarray(gammainccinv(shape, np.asarray(level, dtype=np.float64)) / rate)

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammainc

        shape, rate = self._numbers()
        return np.asarray(shape / rate * self._tail(x, 1.0, gammainc, 0))

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (shape, rate) = self._scalars(points.x)
        logarithm = points.log_above(xp, 0.0)
        finite = xp.where(xp.isinf(logarithm), 0.0, logarithm)
        if xp is np and shape > LARGE:
            value = gamma_log_density(shape, *self._standard(points.x)) - finite
        else:
            power = shape * xp.log(rate) + (shape - 1.0) * finite
            value = power - rate * points.x - log_gamma(shape)
        at_end = _at_singular_end(float(self._numbers()[0]) - 1.0, value)
        value = xp.where(xp.isinf(logarithm), at_end, value)
        outside = (points.high <= 0.0) | (points.x < 0.0)
        return xp.where(outside, -math.inf, value)

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        shape, rate = self._numbers()
        if side < 0.0 or not x > 0.0:
            return -math.inf, 0.0, 0.0
        return float(self.log_density(x)), rate + max(1.0 - shape, 0.0) / x, 0.0

    def tail_rate(self, x: float, side: float) -> float:
        shape, rate = self._numbers()
        if side < 0.0 or not x > 0.0:
            return 0.0
        return rate - max(shape - 1.0, 0.0) / x  # the slope of a log-concave density

    def end_power(self, end: float) -> float:
        return self._numbers()[0] if end == 0.0 else 1.0

    def log_edges(self, tails: Float64Array, end: float) -> Float64Array:
        from scipy.special import gammaln

        shape, rate = self._numbers()
        if end != 0.0:
            return np.empty(0)
        return np.asarray((np.log(tails) + gammaln(shape + 1.0)) / shape - math.log(rate))


def _at_singular_end(power: float, value: Array) -> Array:
    """The log of c t**power at t = 0, ``value`` being log c."""
    if power == 0.0:
        return value
    return -math.inf if power > 0.0 else math.inf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Beta(ContinuousLaw):
    r"""The beta law on (0, 1).

    .. math:: f(x) = \frac{x^{a - 1} (1 - x)^{b - 1}}{B(a, b)}

    Parameters
    ----------
    alpha, beta : float or 0-d tensor
        The exponents :math:`a, b` at 0 and at 1, positive and finite.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Examples
    --------
    >>> from divergences import Beta, total_variation
    >>> round(float(total_variation(Beta(1.0, 1.0), Beta(2.0, 1.0))), 12)
    0.25
    """

    alpha: Any
    beta: Any

    def __post_init__(self) -> None:
        self._demand_numbers("alpha", "beta")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    @property
    def singular_ends(self) -> tuple[float, ...]:
        return 0.0, 1.0

    @property
    def expectation(self) -> float:
        alpha, beta = self._numbers()
        return alpha / (alpha + beta)

    @property
    def turning_points(self) -> tuple[float, ...]:
        alpha, beta = self._numbers()
        if alpha + beta == 2.0:
            return ()
        turn = (alpha - 1.0) / (alpha + beta - 2.0)
        return (turn,) if 0.0 < turn < 1.0 else ()

    def _exponents(self) -> tuple[float, float]:
        alpha, beta = self._numbers()
        return alpha, beta

    def _large(self) -> bool:
        return min(self._exponents()) >= LEAST_EXPONENT

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc

        alpha, beta = self._exponents()
        inside = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
        if self._large():
            return beta_tails(alpha, beta, inside, *complement(inside))[0]
        return np.asarray(betainc(alpha, beta, inside))

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc, betaincc

        alpha, beta = self._exponents()
        inside = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
        if self._large():
            return beta_tails(alpha, beta, inside, *complement(inside))[1]
        # scipy's betaincc takes ten times as long: only where nothing else keeps the digits.
        below, mirrored = betainc(alpha, beta, inside), inside >= 0.5  # there 1 - x is exact
        value = np.asarray(np.where(mirrored, betainc(beta, alpha, 1.0 - inside), 1.0 - below))
        rest = (below > 0.5) & (~mirrored | (alpha + beta > MODERATE))
        value[rest] = betaincc(alpha, beta, inside[rest])
        return value

    def quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import betaincinv

        return np.asarray(betaincinv(*self._exponents(), np.asarray(level, dtype=np.float64)))

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import betainccinv

        return np.asarray(betainccinv(*self._exponents(), np.asarray(level, dtype=np.float64)))

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc

        alpha, beta = self._numbers()
        inside = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
        if self._large():
            below = beta_tails(alpha + 1.0, beta, inside, *complement(inside))[0]
        else:
            below = betainc(alpha + 1.0, beta, inside)
        return np.asarray(alpha / (alpha + beta) * below)

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (alpha, beta) = self._scalars(points.x)
        ends = (points.log_above(xp, 0.0), points.log_below(xp, 1.0))
        outside = (points.x < 0.0) | (points.x > 1.0)
        if points.high <= 0.0 or points.low >= 1.0:
            outside = xp.ones_like(points.x) > 0
        if xp is np and min(alpha, beta) > LARGE:
            return self._large_log_density(points.x)
        constant = log_gamma(alpha + beta) - log_gamma(alpha) - log_gamma(beta)
        value = constant + xp.zeros_like(points.x)
        for power, logarithm in zip((alpha - 1.0, beta - 1.0), ends, strict=True):
            at_end = xp.isinf(logarithm)
            value = value + power * xp.where(at_end, 0.0, logarithm)
            value = xp.where(at_end, _at_singular_end(float(detach(power)), value), value)
        return xp.where(outside, -math.inf, value)

    def _large_log_density(self, x: Float64Array) -> Float64Array:
        """Where gamma functions would cancel; it falls to 0 at the ends."""
        rest, low = complement(x)
        inside = (x > 0.0) & (rest > 0.0)
        place, rest = np.where(inside, x, 0.5), np.where(inside, rest, 0.5)
        low = np.where(inside, low, 0.0)
        value = beta_log_density(*self._exponents(), place, rest, low)
        return np.where(inside, value - np.log(place) - np.log(rest), -math.inf)

    def end_power(self, end: float) -> float:
        alpha, beta = self._numbers()
        return {0.0: alpha, 1.0: beta}.get(end, 1.0)

    def log_edges(self, tails: Float64Array, end: float) -> Float64Array:
        from scipy.special import betaln

        alpha, beta = self._numbers()
        if end not in (0.0, 1.0):
            return np.empty(0)
        power = self.end_power(end)
        return np.asarray((np.log(tails) + math.log(power) + betaln(alpha, beta)) / power)
