"""Laws on the line with incomplete gamma and beta functions."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import detach, is_tensor
from .._special import deviance, stirling_error
from .._typing import Array, ArrayLike, Float64Array, Namespace
from ._line import ContinuousLaw, Points

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
    def expectation(self) -> float:
        shape, rate = self._numbers()
        return shape / rate

    @property
    def turning_points(self) -> tuple[float, ...]:
        shape, rate = self._numbers()
        return ((shape - 1.0) / rate,) if shape > 1.0 else ()

    def _standard(self, x: ArrayLike) -> Float64Array:
        return np.maximum(np.asarray(x, dtype=np.float64) * self._numbers()[1], 0.0)

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammainc

        return np.asarray(gammainc(self._numbers()[0], self._standard(x)))

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammaincc

        return np.asarray(gammaincc(self._numbers()[0], self._standard(x)))

    def quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import gammaincinv

        shape, rate = self._numbers()
        return np.asarray(gammaincinv(shape, np.asarray(level, dtype=np.float64)) / rate)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import gammainccinv

        shape, rate = self._numbers()
        return np.asarray(gammainccinv(shape, np.asarray(level, dtype=np.float64)) / rate)

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        from scipy.special import gammainc

        shape, rate = self._numbers()
        return np.asarray(shape / rate * gammainc(shape + 1.0, self._standard(x)))

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (shape, rate) = self._scalars(points.x)
        logarithm = points.log_above(xp, 0.0)
        finite = xp.where(xp.isinf(logarithm), 0.0, logarithm)
        if xp is np and shape > LARGE:
            tail = stirling_error(shape) - 0.5 * np.log(shape / (2.0 * math.pi))
            value = -deviance(shape, rate * np.maximum(points.x, 0.0)) - tail - finite
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

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc

        inside = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
        return np.asarray(betainc(*self._exponents(), inside))

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc, betaincc

        alpha, beta = self._exponents()
        inside = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
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
        return np.asarray(alpha / (alpha + beta) * betainc(alpha + 1.0, beta, inside))

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (alpha, beta) = self._scalars(points.x)
        ends = (points.log_above(xp, 0.0), points.log_below(xp, 1.0))
        outside = (points.x < 0.0) | (points.x > 1.0)
        if points.high <= 0.0 or points.low >= 1.0:
            outside = xp.ones_like(points.x) > 0
        if xp is np and min(alpha, beta) > LARGE:
            return np.where(outside, -math.inf, _beta_log_density(float(alpha), float(beta), *ends))
        constant = log_gamma(alpha + beta) - log_gamma(alpha) - log_gamma(beta)
        value = constant + xp.zeros_like(points.x)
        for power, logarithm in zip((alpha - 1.0, beta - 1.0), ends, strict=True):
            at_end = xp.isinf(logarithm)
            value = value + power * xp.where(at_end, 0.0, logarithm)
            value = xp.where(at_end, _at_singular_end(float(detach(power)), value), value)
        return xp.where(outside, -math.inf, value)

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


def _beta_log_density(
    alpha: float, beta: float, log_x: Float64Array, log_rest: Float64Array
) -> Float64Array:
    """The log-density for large exponents, where gamma functions would cancel."""
    total = alpha + beta
    errors = stirling_error(np.array([total, alpha, beta]))
    constant = errors[0] - errors[1] - errors[2]
    constant += 0.5 * math.log(alpha / total * beta / (2.0 * math.pi))
    away = deviance(alpha, total * np.exp(log_x)) + deviance(beta, total * np.exp(log_rest))
    outside = np.isinf(log_x) | np.isinf(log_rest)
    ends = np.where(outside, 0.0, log_x + log_rest)
    return np.where(outside, -math.inf, constant - away - ends)
