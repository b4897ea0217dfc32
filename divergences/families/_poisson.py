r"""The Poisson law.

The mass is computed as Loader does (Fast and accurate computation of binomial probabilities, 2000),

.. math:: \log P(k) = -\bigl(k \log\tfrac{k}{\lambda} - k + \lambda\bigr)
    - \tfrac12 \log 2 \pi k - \delta(k),

with :math:`\delta` the error of Stirling's formula: large terms do not cancel.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import is_tensor
from .._special import deviance, stirling_error
from .._typing import Array, ArrayLike, Float64Array, Namespace
from ._gamma_beta import log_gamma
from ._integer import IntegerLaw, integer_quantile
from ._line import own
from ._log_concave_tails import LEAST_SHAPE, gamma_tails


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Poisson(IntegerLaw):
    r"""The Poisson law on 0, 1, 2, ...

    .. math:: P(k) = e^{-\lambda} \lambda^k / k!

    Parameters
    ----------
    rate : float or 0-d tensor
        The mean :math:`\lambda`, positive and finite.

    Raises
    ------
    TypeError, ValueError
        If the rate is not a number as said above.

    Examples
    --------
    >>> from divergences import Poisson, wasserstein1
    >>> float(wasserstein1(Poisson(2.0), Poisson(5.0)))
    3.0
    """

    rate: Any

    def __post_init__(self) -> None:
        self._demand_numbers("rate")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf

    @property
    def expectation(self) -> float:
        return self._numbers()[0]

    @property
    def deviation(self) -> float:
        return math.sqrt(self._numbers()[0])

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import pdtr

        return self._tail(x, pdtr, 1)

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import pdtrc

        return self._tail(x, pdtrc, 0)

    def _tail(self, x: ArrayLike, incomplete: Any, number: int) -> Float64Array:
        """P(X <= k) is the upper tail of the gamma law of shape k + 1 at the rate."""
        rate, k = self._numbers()[0], np.floor(np.asarray(x, dtype=np.float64))
        inside = np.maximum(k, 0.0)
        value = np.asarray(incomplete(inside, rate), dtype=np.float64)
        large = (inside + 1.0 >= LEAST_SHAPE) & (inside < math.inf)
        if large.any():
            value[large] = gamma_tails(inside[large] + 1.0, rate)[number]
        return np.where(k < 0, 1.0 - number, value)

    def quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=False)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=True)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        return deviance(k, self._numbers()[0])

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        rate = own(self.rate, k)
        if not is_tensor(k):
            return poisson_log_mass(k, float(rate))
        return k * xp.log(rate) - rate - log_gamma(k + 1.0)


def poisson_log_mass(k: Array, rate: float) -> Float64Array:
    """The log-mass at non-negative integers, to about an ulp of the mass."""
    positive = np.maximum(np.asarray(k, dtype=np.float64), 1.0)
    tail = stirling_error(positive) + 0.5 * np.log(2.0 * math.pi * positive)
    return np.where(np.asarray(k) == 0, -rate, -deviance(positive, rate) - tail)
