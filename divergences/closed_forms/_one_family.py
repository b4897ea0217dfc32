r"""Closed forms for two laws of one family, each a sum of parts of one sign.

.. math::
    \mathrm{KL}(\text{Laplace}) &= (\rho - 1 - \log \rho) + \rho\,(e^{-u} - 1 + u), \quad
        \rho = b_1/b_2,\ u = |m_1 - m_2|/b_1, \\
    \mathrm{KL}(\text{Exp}) &= r - \log(1 + r), \quad r = (\lambda_2 - \lambda_1)/\lambda_1, \\
    \mathrm{KL}(\Gamma) &= d\Bigl(a_2, \frac{a_1 r_2}{r_1}\Bigr) + C(a_1, a_2), \\
    \mathrm{KL}(\mathrm{B}) &= s_2\,\mathrm{kl}\Bigl(\frac{a_2}{s_2}, \frac{a_1}{s_1}\Bigr)
        + C(a_1, a_2) + C(b_1, b_2) - C(s_1, s_2), \quad s = a + b,

with the deviance :math:`d(x, y) = x \log(x/y) - x + y`, kl the divergence of two Bernoulli laws,
and :math:`C(x, y) = \int_x^y (y - s)(\psi'(s) - 1/s)\,ds`.
"""

import math
from typing import Any

import numpy as np

from .._array import detach, is_tensor, namespace, tracks_derivatives, with_graph
from .._special import bernoulli_kl, curvature_remainder, deviance, product_difference
from .._typing import Array, Namespace
from .._vector_terms import Pair, kl_terms, series
from .._vectors import VECTOR_FORMULAS
from ..families._elementary import Exponential, Laplace, Uniform
from ..families._gamma_beta import Beta, Gamma, log_gamma
from ..families._line import own
from ..families._shares import TrialsLaw, bernoulli_difference
from ._normal import log1p_parts

EXCESS_SERIES = tuple((-1.0) ** k / math.factorial(k) for k in range(2, 22))


def parameters(p: Any, q: Any) -> tuple[Any, ...]:
    """``xp`` and the parameters of p, then q, in float64, all tensors if one is."""
    values = (*p.parameters().values(), *q.parameters().values())
    model = next((value for value in values if is_tensor(value)), None)
    if model is None:
        return (np, *(np.float64(value) for value in values))
    return (namespace(model), *(own(value, model) for value in values))


def exponential_excess(xp: Namespace, u: Array) -> Array:
    """exp(-u) - 1 + u for u >= 0."""
    near = u < 0.5
    small = xp.where(near, u, 0.0)
    far = xp.where(near, 1.0, u)
    return xp.where(near, small * series(xp, EXCESS_SERIES, small), xp.expm1(-far) + far)


def laplace_kl(p: Laplace, q: Laplace) -> Array:
    """KL of Laplace laws."""
    xp, m1, b1, m2, b2 = parameters(p, q)
    r, u = (b1 - b2) / b2, xp.abs(m1 - m2) / b1
    return log1p_parts(xp, r, b1, b2)[1] + b1 / b2 * exponential_excess(xp, u)


def laplace_wasserstein1(p: Laplace, q: Laplace) -> Array:
    """|dm| + |db| exp(-|dm|/|db|)."""
    xp, m1, b1, m2, b2 = parameters(p, q)
    shift, spread = xp.abs(m1 - m2), xp.abs(b1 - b2)
    mixed = (spread > 0) & (shift < 800.0 * spread)
    safe = xp.where(mixed, spread, 1.0)
    quotient = xp.where(mixed, shift, 0.0) / safe
    return shift + xp.where(mixed, safe * xp.exp(-quotient), 0.0)


def exponential_kl(p: Exponential, q: Exponential) -> Array:
    """KL of exponential laws."""
    xp, first, second = parameters(p, q)
    return log1p_parts(xp, (second - first) / first, second, first)[1]


def exponential_wasserstein1(p: Exponential, q: Exponential) -> Array:
    """|1/l1 - 1/l2|: the laws are ordered."""
    xp, first, second = parameters(p, q)
    return xp.abs(second - first) / first / second


def exponential_total_variation(p: Exponential, q: Exponential) -> float:
    """exp(-l2 x) (1 - l2/l1) at the crossing x, for l1 > l2."""
    small, large = sorted((p._numbers()[0], q._numbers()[0]))
    if small == large:
        return 0.0
    r = (large - small) / small
    crossing = math.log1p(r) / r if r < 1e300 else 0.0  # l2 times the crossing
    return math.exp(-crossing) * ((large - small) / large)


def exponential_total_variation_of(p: Exponential, q: Exponential) -> Array:
    """The same elementwise, where the values of tensors cannot be looked at."""
    xp, first, second = parameters(p, q)
    small, large = xp.minimum(first, second), xp.maximum(first, second)
    apart = large > small
    r = xp.where(apart, large - small, small) / small
    value = xp.exp(-xp.log1p(r) / r) * (large - small) / large
    return xp.where(apart, value, 0.0)


def gamma_kl(p: Any, q: Any) -> Array:
    """KL of gamma laws; an exponential law is one of shape 1."""
    p, q = (Gamma(1.0, law.rate) if isinstance(law, Exponential) else law for law in (p, q))
    (a1, r1), (a2, r2) = p._numbers(), q._numbers()
    scaled = a1 * (r2 / r1)
    gap = product_difference(a2, r1, a1, r2) / r1
    value = float(deviance(a2, scaled, gap)) + curvature_remainder(a1, a2)
    xp, a, r, b, s = parameters(p, q)
    if xp is np:
        return np.float64(value)
    plain = (a - b) * digamma(a) - log_gamma(a) + log_gamma(b)
    plain = plain + b * (xp.log(r) - xp.log(s)) + a * (s / r - 1.0)
    return with_graph(value, plain)


def beta_kl(p: Beta, q: Beta) -> Array:
    """KL of beta laws."""
    (a1, b1), (a2, b2) = p._numbers(), q._numbers()
    s1, s2 = a1 + b1, a2 + b2
    gap = product_difference(a2, b1, a1, b2) / s1 / s2
    value = s2 * bernoulli_kl(a2 / s2, a1 / s1, gap)
    value += curvature_remainder(a1, a2) + curvature_remainder(b1, b2)
    value = max(value - curvature_remainder(s1, s2, (a2 - a1) + (b2 - b1)), 0.0)
    xp, a, b, c, d = parameters(p, q)
    if xp is np:
        return np.float64(value)
    plain = log_gamma(a + b) - log_gamma(a) - log_gamma(b)
    plain = plain - log_gamma(c + d) + log_gamma(c) + log_gamma(d)
    plain = plain + (a - c) * digamma(a) + (b - d) * digamma(b)
    plain = plain - (a + b - c - d) * digamma(a + b)
    return with_graph(value, plain)


def gamma_wasserstein1(p: Any, q: Any) -> Array | None:
    """The difference a1/r1 - a2/r2 of the means of ordered gamma laws; None for others.

    Their log-ratio (a1 - a2) log x - (r1 - r2) x + c is monotone if its parts are.
    """
    p, q = (Gamma(1.0, law.rate) if isinstance(law, Exponential) else law for law in (p, q))
    (a1, r1), (a2, r2) = p._numbers(), q._numbers()
    if (a1 > a2 and r1 > r2) or (a1 < a2 and r1 < r2):
        return None
    value = abs(product_difference(a1, r2, a2, r1)) / r1 / r2
    xp, a, r, b, s = parameters(p, q)
    return np.float64(value) if xp is np else with_graph(value, xp.abs(a / r - b / s))


def beta_wasserstein1(p: Beta, q: Beta) -> Array | None:
    """The same for beta laws, whose means differ by (a1 b2 - a2 b1)/(s1 s2)."""
    (a1, b1), (a2, b2) = p._numbers(), q._numbers()
    if (a1 > a2 and b1 > b2) or (a1 < a2 and b1 < b2):
        return None
    value = abs(product_difference(a1, b2, a2, b1)) / (a1 + b1) / (a2 + b2)
    xp, a, b, c, d = parameters(p, q)
    return np.float64(value) if xp is np else with_graph(value, xp.abs(a / (a + b) - c / (c + d)))


def digamma(value: Array) -> Array:
    if is_tensor(value):
        return value.digamma()
    from scipy.special import psi

    return psi(value)


def uniform_parts(divergence: str, p: Uniform, q: Uniform) -> Array:
    """The divergence of the masses outside the other's support, and inside."""
    xp, a, b, c, d = parameters(p, q)
    zero = 0.0 * a
    first = _outside(xp, a, b, c, d) / (b - a)
    second = _outside(xp, c, d, a, b) / (d - c)
    masses = xp.stack([first, zero, 1.0 - first]), xp.stack([zero, second, 1.0 - second])
    if divergence == "total_variation":
        return xp.maximum(first, second)
    if divergence == "kl_divergence":
        if float(detach(first)) > 0:
            return np.float64(math.inf)
        grow = ((d - b) + (a - c)) / (b - a)
        return xp.log1p(grow)
    return VECTOR_FORMULAS[divergence](xp, *masses)


def _outside(xp: Namespace, a: Array, b: Array, c: Array, d: Array) -> Array:
    """The length of [a, b] outside [c, d]."""
    below = xp.minimum(b, c) - a
    above = b - xp.maximum(a, d)
    return xp.where(below > 0, below, 0.0 * below) + xp.where(above > 0, above, 0.0 * above)


def uniform_wasserstein1(p: Uniform, q: Uniform) -> Array:
    """The mean of |(1 - t) l0 + t l1| over t in [0, 1], l0, l1 the moves of the ends."""
    xp, a, b, c, d = parameters(p, q)
    low, high = c - a, d - b
    same = ((low >= 0) & (high >= 0)) | ((low <= 0) & (high <= 0))
    size = xp.abs(low) + xp.abs(high)
    safe = xp.where(size > 0, size, 1.0)
    share = xp.where(same, 0.0 * low, low / safe), xp.where(same, 0.0 * low, high / safe)
    return xp.where(same, 0.5 * xp.abs(low + high), 0.5 * (share[0] * low + share[1] * high))


Shares = tuple[Array, Array]  # the probabilities of 1 and of 0


def _bernoulli_terms(xp: Namespace, p: Shares, q: Shares) -> Array:
    """KL of Bernoulli laws, infinite where it is."""
    one, difference = xp.ones_like(p[0]), bernoulli_difference(xp, p, q)
    first = kl_terms(xp, Pair(p[0], q[0], difference, one))
    second = kl_terms(xp, Pair(p[1], q[1], -difference, one))
    singular = ((q[0] == 0) & (p[0] > 0)) | ((q[1] == 0) & (p[1] > 0))
    return xp.where(singular, math.inf, first + second)


def trial_shares(p: TrialsLaw, q: TrialsLaw) -> tuple[Namespace, Shares, Shares]:
    """``xp`` and the probabilities of 1 and of 0 under p and under q, tensors if one is."""
    model = next(iter([*p.tensors(), *q.tensors()]), np.float64(0.0))
    return namespace(model), p.masses(model), q.masses(model)


def poisson_kl(p: Any, q: Any) -> Array:
    """The deviance of the rates."""
    xp, first, second = parameters(p, q)
    return kl_terms(xp, Pair(first, second, first - second, xp.ones_like(first)))


def bernoulli_law_kl(p: Any, q: Any) -> Array:
    """KL of two Bernoulli laws."""
    return _bernoulli_terms(*trial_shares(p, q))


def bernoulli_total_variation(p: Any, q: Any) -> Array:
    """The difference of the probabilities of 1, which is W1 too."""
    xp, first, second = trial_shares(p, q)
    return xp.abs(bernoulli_difference(xp, first, second))


def geometric_kl(p: Any, q: Any) -> Array:
    """KL of the trials, times the mean number of trials."""
    xp, first, second = trial_shares(p, q)
    return _bernoulli_terms(xp, first, second) / first[0]


def ordered_wasserstein1(p: Any, q: Any) -> Array:
    """The difference of the means of two Poisson laws, which are ordered."""
    xp, first, second = parameters(p, q)
    return xp.abs(first - second)


def binomial_kl(p: Any, q: Any) -> Array:
    """KL of the trials, as many as of both laws."""
    return p.count * bernoulli_law_kl(p, q)


def binomial_wasserstein1(p: Any, q: Any) -> Array:
    """The difference n1 p1 - n2 p2 of the means of two binomial laws that are ordered."""
    if p.count == q.count:
        return p.count * bernoulli_total_variation(p, q)
    (n, a, *_), (m, b, *_) = p._numbers(), q._numbers()
    value = abs(product_difference(n, a, m, b))
    xp, (first, _), (second, _) = trial_shares(p, q)
    if xp is np:
        return np.float64(value)
    return with_graph(value, xp.abs(n * first - m * second))


def geometric_wasserstein1(p: Any, q: Any) -> Array:
    """The difference of the means of two geometric laws, which are ordered."""
    xp, first, second = trial_shares(p, q)
    return xp.abs(bernoulli_difference(xp, first, second)) / first[0] / second[0]


def tracks(*laws: Any) -> bool:
    """Whether derivatives with respect to a parameter of the laws are asked for."""
    return tracks_derivatives(*(tensor for law in laws for tensor in law.tensors()))
