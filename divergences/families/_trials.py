r"""Laws of repeated trials: Bernoulli, binomial, geometric.

The binomial mass is computed as Loader does (Fast and accurate computation of binomial
probabilities, 2000): through deviances and the error of Stirling's formula, so that large terms do
not cancel.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import detach, is_tensor
from .._special import deviance, stirling_error
from .._summation import two_product
from .._typing import Array, ArrayLike, Float64Array, Namespace
from .._validation import real_number, refuse
from ._gamma_beta import log_gamma
from ._integer import integer_quantile
from ._line import own
from ._log_concave_tails import LEAST_EXPONENT, beta_tails
from ._shares import TrialsLaw, log_share


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binomial(TrialsLaw):
    r"""The binomial law: the number of successes in n independent trials.

    .. math:: P(k) = \binom{n}{k} p^k (1 - p)^{n - k}

    Parameters
    ----------
    count : int
        The number :math:`n` of trials, at least 0.
    probability : float or 0-d tensor
        The probability :math:`p` of success, in [0, 1].
    complement : float or 0-d tensor, optional
        :math:`1 - p` where p leaves no digits of it, as of `Bernoulli`.

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
    complement: Any = None

    def __post_init__(self) -> None:
        real_number(self.count, "count", "Binomial")
        count = float(detach(self.count))
        if count < 0 or count != math.floor(count):
            refuse("Binomial", "count", "be an integer of at least 0", repr(count))
        object.__setattr__(self, "count", int(count))
        self._demand_probabilities()

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, float(self.count)

    @property
    def expectation(self) -> float:
        return float(self.count * self._two()[0])

    @property
    def deviation(self) -> float:
        p, rest = self._two()
        return math.sqrt(self.count * p * rest)

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betaincc

        return self._tail(x, betaincc, 1)

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import betainc

        return self._tail(x, betainc, 0)

    def _tail(self, x: ArrayLike, incomplete: Any, number: int) -> Float64Array:
        """P(X <= k) is the upper tail of the beta law of exponents k + 1, n - k at p.

        By SciPy's incomplete beta function (its binomial ones lose digits), or by ours.
        """
        count, (p, rest) = float(self.count), self._two()
        k = np.floor(np.asarray(x, dtype=np.float64))
        successes = np.clip(k, 0.0, max(count - 1.0, 0.0)) + 1.0
        failures = np.maximum(count - (successes - 1.0), 1.0)
        value = np.asarray(incomplete(successes, failures, p), dtype=np.float64)
        large = np.minimum(successes, failures) >= LEAST_EXPONENT
        if large.any() and min(p, rest) > 0.0:
            pair = successes[large], failures[large]
            low = 0.0 if self.complement is not None else ((1.0 - rest) - p)
            value[large] = beta_tails(*pair, p, rest, low)[number]
        return np.where(k < 0, 1.0 - number, np.where(k >= count, float(number), value))

    def quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=False)

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        return integer_quantile(self, level, upper=True)

    def tail_exponent(self, k: Float64Array) -> Float64Array:
        p, rest = self._two()
        return deviance(k, self.count * p) + deviance(self.count - k, self.count * rest)

    def log_mass_at(self, xp: Namespace, k: Array) -> Array:
        if not is_tensor(k):
            return binomial_log_mass(k, self.count, *self._two())
        p, complement = self.masses(k)
        rest = self.count - k
        choices = log_gamma(own(self.count + 1.0, k)) - log_gamma(k + 1.0) - log_gamma(rest + 1.0)
        logs = log_share(xp, p, complement), log_share(xp, complement, p)
        parts = (_times(xp, n, log) for n, log in zip((k, rest), logs, strict=True))
        return choices + sum(parts)


def _times(xp: Namespace, count: Array, logarithm: Array) -> Array:
    """Their product, 0 where the count is, whatever the logarithm."""
    some = count > 0
    return xp.where(some, count * xp.where(some, logarithm, 0.0), 0.0)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bernoulli(TrialsLaw):
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
        self._demand_probabilities()

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
        return xp.where(k > 0, log_share(xp, p, rest), log_share(xp, rest, p))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Geometric(TrialsLaw):
    r"""The geometric law on 0, 1, 2, ...: the failures before the first success.

    .. math:: P(k) = p (1 - p)^k

    Parameters
    ----------
    probability : float or 0-d tensor
        The probability :math:`p` of success, in (0, 1].
    complement : float or 0-d tensor, optional
        :math:`1 - p` where p leaves no digits of it, as of `Bernoulli`.

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
    complement: Any = None

    def __post_init__(self) -> None:
        self._demand_probabilities(positive=True)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf if self._two()[1] > 0.0 else 0.0

    @property
    def expectation(self) -> float:
        p, rest = self._two()
        return rest / p

    @property
    def deviation(self) -> float:
        p, rest = self._two()
        return math.sqrt(rest) / p

    def _log_survival(self, x: ArrayLike) -> Float64Array:
        k = np.maximum(np.floor(np.asarray(x, dtype=np.float64)) + 1.0, 0.0)
        p, rest = (np.float64(share) for share in self._two())
        rate = log_share(np, rest, p)
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
        p, rest = self.masses(k)
        return log_share(xp, p, rest) + _times(xp, k, log_share(xp, rest, p))


def binomial_log_mass(k: Array, count: int, p: float, complement: float) -> Float64Array:
    """The log-mass at integers from 0 to ``count``, to about an ulp of the mass."""
    k = np.asarray(k, dtype=np.float64)
    if 0.0 in (p, complement):
        return np.where(k == (0 if p == 0.0 else count), 0.0, -math.inf)
    rest = count - k
    inner = (k > 0) & (rest > 0)
    k_in, rest_in = np.where(inner, k, 1.0), np.where(inner, rest, 1.0)
    n = float(count)
    value = stirling_error(np.array(max(n, 1.0))) - stirling_error(k_in) - stirling_error(rest_in)
    away = trials_away(k_in, rest_in, n, p, complement)
    value = value - deviance(k_in, n * p, away) - deviance(rest_in, n * complement, -away)
    value = value - 0.5 * (
        np.log(2.0 * math.pi) + np.log(k_in) + np.log(rest_in) - np.log(max(n, 1.0))
    )
    ends = (n * float(log_share(np, np.float64(a), np.float64(b))) for a, b in
            ((p, complement), (complement, p)))  # fmt: skip
    all_of, none = ends
    return np.where(inner, value, np.where(k > 0, all_of, none))


def trials_away(k: Array, rest: Array, count: float, p: float, complement: float) -> Float64Array:
    """Return k - count p = count (1 - p) - rest, from the smaller probability."""
    share, number = (p, k) if p <= complement else (complement, rest)
    high, low = two_product(np.float64(count), np.float64(share))
    away = (number - high) - low
    return np.asarray(away if p <= complement else -away)
