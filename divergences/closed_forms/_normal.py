r"""Formulas for two normal laws N(m1, s1^2), N(m2, s2^2) on the line.

All are written in two small numbers that vanish when the laws agree, so that neighbouring laws
lose no digits:

.. math:: a = (m_1 - m_2)/s_2, \qquad r = (s_1 - s_2)/s_2 .

In the coordinate :math:`u = (x - m_1)/s_1` of the first law the log-ratio of the densities is

.. math:: \ell(u) = \log\frac{p}{q} = \tfrac12 (a + r u)\,((2 + r) u + a) - \log(1 + r).

Total variation and Jensen-Shannon are integrals :math:`\int (p + q)\, G(t)\, dx` of a bounded
function of :math:`t = \tanh(\ell/2) = (p - q)/(p + q)`: each half is integrated in its own law's
coordinate, by Gauss-Legendre panels whose edges follow both laws.
"""

import math
from typing import Any

import numpy as np

from .._array import as_scalar, attach, detach, erf, is_tensor, like, namespace
from .._typing import Array, Float64Array, Namespace
from .._vector_terms import ATANH_SERIES, LOG_2, Pair, js_terms, log_quotient, series
from ..families import Normal

REACH = 39.0  # standard deviations; the density underflows there
PANEL = 0.25  # of a standard deviation
NODES = 16


def parameters(p: Normal, q: Normal) -> tuple[Namespace, Array, Array, Array, Array]:
    """``xp, m1, s1, m2, s2`` in float64, all tensors if one is."""
    values: tuple[Any, ...] = (p.mean, p.std, q.mean, q.std)
    model = next((value for value in values if is_tensor(value)), None)
    m1, s1, m2, s2 = (as_scalar(value, model) for value in values)
    return namespace(m1), m1, s1, m2, s2


def kl_divergence(xp: Namespace, m1: Array, s1: Array, m2: Array, s2: Array) -> Array:
    r"""KL = (a^2 + r^2)/2 + (r - log(1 + r)), three non-negative parts."""
    a, r = (m1 - m2) / s2, (s1 - s2) / s2
    return 0.5 * a * a + 0.5 * r * r + log1p_parts(xp, r, s1, s2)[1]


def log1p_parts(xp: Namespace, r: Array, s1: Array, s2: Array) -> tuple[Array, Array]:
    r"""log(1 + r), and r - log(1 + r), each with all of its digits.

    With w = r/(2 + r): log(1 + r) = 2 atanh w and r - log(1 + r) = r w - 2 (atanh w - w).
    """
    near = xp.abs(r) < 0.5
    small = xp.where(near, r, xp.zeros_like(r))
    w = small / (2.0 + small)
    excess = small * w - 2.0 * w * series(xp, ATANH_SERIES, w * w)
    logarithm = log_quotient(xp, s1, s2)
    return xp.where(near, xp.log1p(small), logarithm), xp.where(near, excess, r - logarithm)


def total_variation(xp: Namespace, m1: Array, s1: Array, m2: Array, s2: Array) -> Array:
    """erf(|a| / sqrt 8) for equal deviations, else by quadrature."""
    if _apart(m1, s1, m2, s2):
        return 1.0 + 0.0 * m1 + 0.0 * s1 + 0.0 * m2 + 0.0 * s2
    value = _integral(xp, (m1, s1, m2, s2), lambda t: 0.5 * xp.abs(t))
    value = xp.clip(value, 0.0, 1.0)
    if _number(s1) == _number(s2):
        return attach(erf(detach(xp.abs(m1 - m2) / s1 / math.sqrt(8.0))), value)
    return value


def js_divergence(xp: Namespace, m1: Array, s1: Array, m2: Array, s2: Array) -> Array:
    """The halved Jensen-Shannon divergence by quadrature."""
    if _apart(m1, s1, m2, s2):
        return LOG_2 + 0.0 * m1 + 0.0 * s1 + 0.0 * m2 + 0.0 * s2

    def bracket(t: Array) -> Array:
        return js_terms(xp, Pair(0.5 * (1.0 + t), 0.5 * (1.0 - t), t, xp.ones_like(t)))

    return xp.clip(_integral(xp, (m1, s1, m2, s2), bracket), 0.0, LOG_2)


def js_distance(xp: Namespace, m1: Array, s1: Array, m2: Array, s2: Array) -> Array:
    """Square root of the halved Jensen-Shannon divergence."""
    value = js_divergence(xp, m1, s1, m2, s2)
    return xp.where(value > 0, xp.sqrt(xp.where(value > 0, value, 1.0)), 0.0)


def wasserstein1(xp: Namespace, m1: Array, s1: Array, m2: Array, s2: Array) -> Array:
    r"""E|dm + ds Z| = |ds| sqrt(2/pi) exp(-dm^2/(2 ds^2)) + |dm| erf(|dm| / (|ds| sqrt 2))."""
    shift, spread = xp.abs(m1 - m2), xp.abs(s1 - s2)
    # Far beyond the kink the formula is |dm| to the last digit, and the quotient may overflow.
    mixed = (spread > 0) & (shift < 40.0 * spread)
    safe = xp.where(mixed, spread, xp.ones_like(spread))
    quotient = xp.where(mixed, shift, xp.zeros_like(shift)) / safe
    around = safe * math.sqrt(2.0 / math.pi) * xp.exp(-0.5 * quotient * quotient)
    return xp.where(mixed, around + shift * erf(quotient / math.sqrt(2.0)), shift)


def _integral(xp: Namespace, laws: tuple[Array, Array, Array, Array], g: Any) -> Array:
    """The integral of (p + q) g(t) over the line."""
    m1, s1, m2, s2 = laws
    first = _half(xp, (m1 - m2) / s2, (s1 - s2) / s2, s1, s2, g)
    second = _half(xp, (m2 - m1) / s1, (s2 - s1) / s1, s2, s1, lambda t: g(-t))
    return first + second


def _half(xp: Namespace, a: Array, r: Array, s1: Array, s2: Array, g: Any) -> Array:
    """E g(t) under the first law; the nodes carry no gradient, the integrand does."""
    logarithm = log1p_parts(xp, r, s1, s2)[0]
    nodes, weights = _nodes(_number(a), _number(r), _number(logarithm))
    u, w = like(nodes, a), like(weights, a)
    ratio = 0.5 * (a + r * u) * ((2.0 + r) * u + a) - logarithm
    return xp.sum(w * g(xp.tanh(0.5 * ratio)))


def _apart(m1: Array, s1: Array, m2: Array, s2: Array) -> bool:
    """Whether the overlap of the laws is below the rounding of 1, in any coordinates.

    The overlap of deviations in the proportion R > 1 is at most about sqrt(2 log R + 1)/R, that
    of means at distance 100 (s1 + s2) below exp(-4000).
    """
    first, second = _number(s1), _number(s2)
    distance = abs(_number(m1) / 2 - _number(m2) / 2)
    return min(first, second) < 1e-18 * max(first, second) or distance > 50 * (first + second)


def _number(value: Array) -> float:
    return float(detach(value))


def _nodes(a: float, r: float, logarithm: float) -> tuple[Float64Array, Float64Array]:
    """Gauss-Legendre nodes u and weights times the normal density, for panels over both laws."""
    own = np.arange(-REACH, REACH + PANEL, PANEL)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = math.exp(logarithm)  # s1/s2; 1 + r would lose it where it is small
        other = (own - a) / ratio  # where the second law's coordinate a + ratio u is own
        crossings = _roots(0.5 * r * (2.0 + r), a * ratio, 0.5 * a * a - logarithm)
    edges = np.concatenate([own, other, crossings])
    edges = np.unique(edges[np.abs(edges) <= REACH])
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * np.diff(edges)[:, None]
    nodes = (edges[:-1, None] + half) + half * x
    weights = half * w * np.exp(-0.5 * nodes * nodes) / math.sqrt(2.0 * math.pi)
    return nodes.ravel(), weights.ravel()


def _roots(quadratic: float, linear: float, constant: float) -> Float64Array:
    """The real roots, by the formula without cancellation; not finite ones are left out."""
    discriminant = linear * linear - 4.0 * quadratic * constant
    if not discriminant >= 0.0:
        return np.empty(0)
    sum_ = -0.5 * (linear + math.copysign(math.sqrt(discriminant), linear))
    candidates = [sum_ / quadratic if quadratic else math.inf, constant / sum_ if sum_ else 0.0]
    return np.array([root for root in candidates if math.isfinite(root)])


def wasserstein1_of_atoms(
    atoms: Float64Array, weights: Float64Array, mean: float, std: float
) -> float:
    r"""W1 of atoms on the line and N(mean, std^2).

    The k-th atom z (sorted, standardised) takes the normal mass between the quantiles a, b of the
    cumulative weights before and after it, at the cost
    :math:`\int_a^b |z - w| \varphi(w)\, dw`, which is split at z.
    """
    from scipy.special import ndtr, ndtri

    order = np.argsort(atoms, kind="stable")
    shift, masses = atoms[order] - mean, weights[order]
    # Each quantile from the tail that is nearer: near 1 a cumulative weight has no digits left.
    below = np.concatenate([[0.0], np.cumsum(masses)])
    above = np.concatenate([np.cumsum(masses[::-1])[::-1], [0.0]])
    lower_half = below <= above
    tail = np.minimum(np.minimum(below, above) / (below + above), 0.5)
    quantiles = np.where(lower_half, ndtri(tail), -ndtri(tail))
    low, high = quantiles[:-1], quantiles[1:]
    middle = np.clip(shift / std, low, high)

    def cost(start: Float64Array, stop: Float64Array) -> Float64Array:
        mass = np.where(start > 0, ndtr(-start) - ndtr(-stop), ndtr(stop) - ndtr(start))
        moved = np.where(mass > 0, shift, 0.0) * mass
        return np.asarray(moved + std * (density(stop) - density(start)))

    def density(w: Float64Array) -> Float64Array:
        return np.asarray(np.exp(-0.5 * w * w) / math.sqrt(2.0 * math.pi))

    left, right = cost(low, middle), -cost(middle, high)
    return math.fsum(np.maximum(left, 0.0) + np.maximum(right, 0.0))
