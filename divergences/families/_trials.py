r"""Laws of repeated trials: Bernoulli, binomial, geometric.

The binomial mass is computed as Loader does (Fast and accurate computation of binomial
probabilities, 2000): through deviances and the error of Stirling's formula, so that large terms do
not cancel.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import detach, is_tensor, values_are_readable
from .._special import deviance, stirling_error
from .._summation import two_product
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import mass_tolerance, real_number, refuse, same_library
from ._gamma_beta import log_gamma
from ._integer import IntegerLaw, integer_quantile, log_positive, probability
from ._line import own


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binomial(IntegerLaw):
    r"""The binomial law: the number of successes in n independent trials.

    .. math:: P(k) = \binom{n}{k} p^k (1 - p)^{n - k}

    Parameters
    ----------
    count : int
        The number :math:`n` of trials, at least 0.
    probability : float or 0-d tensor
        The probability :math:`p` of success, in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Examples
    --------
    >>> from divergences import Binomial, wasserstein1
    >>> round(float(wasserstein1(Binomial(10, 0.25), Binomial(10, 0.5))), 12)
    2.5
    """

    count: Any
    probability: Any

    def __post_init__(self) -> None:
        real_number(self.count, "count", "Binomial")
        count = float(detach(self.count))
        if count < 0 or count != math.floor(count):
            refuse("Binomial", "count", "be an integer of at least 0", repr(count))
        object.__setattr__(self, "count", int(count))
        probability(self.probability, "Binomial")

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, float(self.count)

    @property
    def expectation(self) -> float:
        return float(self.count * self._numbers()[1])

    @property
    def deviation(self) -> float:
        count, probability = self._numbers()
        return math.sqrt(count * probability * (1.0 - probability))

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betaincc

        return self._tail(x, betaincc, 0.0)

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc

        return self._tail(x, betainc, 1.0)

    def _tail(self, x: ArrayLike, incomplete: Any, before: float) -> Float64Array:
        """By an incomplete beta function: scipy's own binomial ones lose digits for large n."""
        count, probability = self._numbers()
        k = np.floor(np.asarray(x, dtype=np.float64))
        place = np.clip(k, 0.0, max(count - 1.0, 0.0))
        inside = incomplete(place + 1.0, np.maximum(count - place, 1.0), probability)
        return np.where(k < 0, before, np.where(k >= count, 1.0 - before, inside))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=False)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=True)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        count, p = self._numbers()
        return deviance(k, count * p) + deviance(count - k, count * (1.0 - p))

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        p = own(self.probability, k)
        if not is_tensor(k):
            return binomial_log_mass(k, self.count, float(p))
        rest = self.count - k
        choices = log_gamma(own(self.count + 1.0, k)) - log_gamma(k + 1.0) - log_gamma(rest + 1.0)
        value = choices + k * log_positive(xp, p) + rest * xp.log1p(-xp.where(p < 1, p, 0.0))
        impossible = ((p == 0) & (k > 0)) | ((p == 1) & (rest > 0))
        return xp.where(impossible, -math.inf, value)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bernoulli(IntegerLaw):
    r"""The law of one trial: 1 with probability p, else 0.

    Parameters
    ----------
    probability : float or 0-d tensor
        The probability :math:`p` of 1, in [0, 1].
    complement : float or 0-d tensor, optional
        :math:`1 - p`, the probability of 0, where p is so near 1 that a float leaves no digits of
        it. Both must sum to 1 up to the rounding of single precision.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Examples
    --------
    >>> from divergences import Bernoulli, total_variation
    >>> float(total_variation(Bernoulli(0.25), Bernoulli(0.75)))
    0.5
    >>> f"{float(total_variation(Bernoulli(1.0, 3e-90), Bernoulli(1.0, 1e-90))):.3g}"
    '2e-90'
    """

    probability: Any
    complement: Any = None

    def __post_init__(self) -> None:
        probability(self.probability, "Bernoulli")
        if self.complement is not None:
            probability(self.complement, "Bernoulli", name="complement")
            values = self.probability, self.complement
            same_library(
                "Bernoulli", **{k: v for k, v in self.parameters().items() if is_tensor(v)}
            )
            if values_are_readable(*values):
                _sum_to_one(*values)

    def parameters(self) -> dict[str, Any]:
        given = {"probability": self.probability, "complement": self.complement}
        return {name: value for name, value in given.items() if value is not None}

    def masses(self, model: Any) -> tuple[Array, Array]:
        """The probabilities of 1 and of 0 in float64, in the library of ``model``."""
        p = own(self.probability, model)
        return p, 1.0 - p if self.complement is None else own(self.complement, model)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    @property
    def expectation(self) -> float:
        return self._numbers()[0]

    @property
    def deviation(self) -> float:
        p, rest = self._two()
        return math.sqrt(p * rest)

    def _two(self) -> tuple[float, float]:
        p, *rest = self._numbers()
        return p, rest[0] if rest else 1.0 - p

    def cdf(self, x: ArrayLike) -> Float64Array:
        x = np.asarray(x, dtype=np.float64)
        return np.where(x < 0.0, 0.0, np.where(x < 1.0, self._two()[1], 1.0))

    def survival(self, x: ArrayLike) -> Float64Array:
        x = np.asarray(x, dtype=np.float64)
        return np.where(x < 0.0, 1.0, np.where(x < 1.0, self._two()[0], 0.0))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=False)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=True)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        p, rest = self._two()
        return deviance(k, p) + deviance(1.0 - k, rest)

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        p, rest = self.masses(k)
        return xp.where(k > 0, _log_share(xp, p, rest), _log_share(xp, rest, p))


def _sum_to_one(first: Any, second: Any) -> None:
    total = float(detach(first)) + float(detach(second))
    if abs(total - 1.0) > mass_tolerance(
        np.dtype(np.float32), 2
    ):  # tensors may be in single precision
        refuse("Bernoulli", "probability and complement", "sum to 1", repr(total))


def _log_share(xp: Namespace, share: Array, rest: Array) -> Array:
    """The log of one of two probabilities that sum to 1, from the smaller."""
    small = rest < 0.5
    value = xp.where(small, xp.log1p(-xp.where(small, rest, 0.0)), log_positive(xp, share))
    return xp.where(share > 0, value, -math.inf)


def bernoulli_difference(xp: Namespace, p: tuple[Array, Array], q: tuple[Array, Array]) -> Array:
    """The difference of the probabilities of 1, from those of 0 where these are smaller."""
    return xp.where(p[0] + q[0] > 1.0, q[1] - p[1], p[0] - q[0])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Geometric(IntegerLaw):
    r"""The geometric law on 0, 1, 2, ...: the failures before the first success.

    .. math:: P(k) = p (1 - p)^k

    Parameters
    ----------
    probability : float or 0-d tensor
        The probability :math:`p` of success, in (0, 1].

    Raises
    ------
    TypeError, ValueError
        If the probability is not a number as said above.

    Notes
    -----
    Like `torch.distributions.Geometric`; `scipy.stats.geom` counts the success too and starts at 1.

    Examples
    --------
    >>> from divergences import Geometric, wasserstein1
    >>> float(wasserstein1(Geometric(0.5), Geometric(0.25)))
    2.0
    """

    probability: Any

    def __post_init__(self) -> None:
        probability(self.probability, "Geometric", positive=True)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf if self._numbers()[0] < 1.0 else 0.0

    @property
    def expectation(self) -> float:
        p = self._numbers()[0]
        return (1.0 - p) / p

    @property
    def deviation(self) -> float:
        p = self._numbers()[0]
        return math.sqrt(1.0 - p) / p

    def _log_survival(self, x: ArrayLike) -> Float64Array:
        p = self._numbers()[0]
        k = np.maximum(np.floor(np.asarray(x, dtype=np.float64)) + 1.0, 0.0)
        rate = math.log1p(-p) if p < 1.0 else -math.inf
        with np.errstate(invalid="ignore"):
            return np.where(k == 0.0, 0.0, k * rate)

    def cdf(self, x: ArrayLike) -> Float64Array:
        return np.asarray(-np.expm1(self._log_survival(x)))

    def survival(self, x: ArrayLike) -> Float64Array:
        return np.asarray(np.exp(self._log_survival(x)))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=False)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=True)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        below = np.asarray(k) < self.expectation
        return np.where(below, 0.0, -self._log_survival(np.maximum(k - 1.0, 0.0)))

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        p = own(self.probability, k)
        value = xp.log(p) + k * xp.log1p(-xp.where(p < 1, p, 0.0))
        return xp.where((p == 1) & (k > 0), -math.inf, value)


def binomial_log_mass(k: Array, count: int, p: float) -> Float64Array:
    """The log-mass at integers from 0 to ``count``, to about an ulp of the mass."""
    k = np.asarray(k, dtype=np.float64)
    if p in (0.0, 1.0):
        return np.where(k == (0 if p == 0.0 else count), 0.0, -math.inf)
    rest = count - k
    inner = (k > 0) & (rest > 0)
    k_in, rest_in = np.where(inner, k, 1.0), np.where(inner, rest, 1.0)
    n = float(count)
    value = stirling_error(np.array(max(n, 1.0))) - stirling_error(k_in) - stirling_error(rest_in)
    high, low = two_product(np.float64(n), np.float64(p))
    away = (k_in - high) - low  # k - n p, however large n is
    value = value - deviance(k_in, high, away) - deviance(rest_in, n * (1.0 - p), -away)
    value = value - 0.5 * (
        np.log(2.0 * math.pi) + np.log(k_in) + np.log(rest_in) - np.log(max(n, 1.0))
    )
    return np.where(inner, value, np.where(k > 0, n * math.log(p), n * math.log1p(-p)))
