r"""Total variation and Jensen-Shannon of two normal laws in any dimension, by one integral.

With :math:`\ell = \log(p/q)`, what the two laws have in common is a function of :math:`\ell` times
:math:`\sqrt{pq}`, whose Fourier transform is known:

.. math::
    1 - \delta(P, Q) = \int \sqrt{pq}\, e^{-|\ell|/2}
        = \frac1\pi \int_0^\infty \frac{\operatorname{Re} M(u)}{u^2 + \frac14}\,du, \\
    \log 2 - \mathrm{JS}(P, Q) = \frac12 \int_0^\infty
        \frac{\operatorname{Re} M(u)}{(u^2 + \frac14) \cosh \pi u}\,du, \qquad
    M(u) = \int p^{\frac12 + iu} q^{\frac12 - iu},

the second because the Mellin transform of :math:`\log(1 + y)` is :math:`\pi / (z \sin \pi z)`. At
:math:`M = 1` the right-hand sides are 1 and log 2, so the divergences are the same integrals of
:math:`1 - \operatorname{Re} M`, which keep their digits however near the laws are. For normal laws
with independent coordinates, the second standard, the first with shifts :math:`\delta_j` and
variances :math:`1 + e_j`, with :math:`r = \tfrac12 - iu`,

.. math:: \log M(u) = \frac12 \sum_j \Bigl(r \log(1 + e_j) - \log(1 + r e_j)
          - \frac{(u^2 + \frac14)\,\delta_j^2}{1 + r e_j}\Bigr) .

:math:`|M|` falls in u, which bounds what is left out beyond the last node.
"""

import math
from typing import Any

import numpy as np

from .._special import legendre, log1p_excess
from .._typing import Float64Array
from .._vector_terms import LOG_2

TOLERANCE = 1e-12  # of the divergence: its parts beyond the last node, and between two rules
SMALL_EXCESS = 0.5
SMALL = 0.25  # of r e, below which the series for z - log(1 + z) is summed
SERIES = tuple((-1.0) ** k / k for k in range(2, 30))
FIRST, GROWTH = 0.125, 1.3  # of the panels
LAST_OF_JS = 14.0  # 1 / cosh(pi u) is below 1e-18 there
MOST_PANELS = 1 << 17
MOST_ROUNDS = 40


def of_normals(divergence: str, shift: Float64Array, excess: Float64Array) -> float | None:
    """TV or JS of N(shift, diag(1 + excess)) and the standard law; None where it takes too long."""
    last = LAST_OF_JS
    if divergence == "total_variation":
        last = _last(shift, excess)
        if math.isinf(last):
            return None
    total = _integral(divergence, shift, excess, _edges(last))
    if total is None:
        return None
    if divergence == "js_divergence":
        return min(max(total, 0.0), LOG_2)
    rest = 2.0 / math.pi * math.atan(0.5 / last)  # of the 1 in 1 - Re M
    return min(max(total + rest, 0.0), 1.0)


def _log_overlap(u: Any, shift: Float64Array, excess: Float64Array) -> Any:
    """Log M(u)."""
    size = u * u + 0.25
    r = 0.5 - 1j * u
    value = np.zeros(u.shape, dtype=complex)
    for d, e in zip(shift, excess, strict=True):
        z = r * e
        if abs(e) < SMALL_EXCESS:
            value += _excess(z) - r * log1p_excess(float(e))
        else:
            value += r * math.log1p(e) - np.log(1.0 + z)
        if d:
            value -= size * (d * d) / (1.0 + z)
    return 0.5 * value


def _excess(z: Any) -> Any:
    """``z - log(1 + z)`` for complex z of real part above -1/2."""
    small = np.abs(z) < SMALL
    inner = np.where(small, z, 0.0)
    near = np.zeros_like(inner)
    for coefficient in reversed(SERIES):
        near = near * inner + coefficient
    return np.where(small, near * inner * inner, z - np.log(1.0 + np.where(small, 0.0, z)))


def _integrand(divergence: str, u: Float64Array, shift: Float64Array, excess: Float64Array) -> Any:
    exponent = _log_overlap(u, shift, excess)
    turn = exponent.imag
    lost = 2.0 * np.sin(0.5 * turn) ** 2 - np.expm1(exponent.real) * np.cos(turn)  # 1 - Re M
    if divergence == "total_variation":
        return lost / (math.pi * (u * u + 0.25))
    return 0.5 * lost / ((u * u + 0.25) * np.cosh(math.pi * u))


def _last(shift: Float64Array, excess: Float64Array) -> float:
    """Where the rest of the integral of M is below the tolerance."""
    u = 2.0 ** np.arange(-1.0, 120.0, 0.25)
    log_size = _log_overlap(u, shift, excess).real
    rest = np.exp(log_size) / (math.pi * u)
    least = -0.5 * math.expm1(log_size[0])  # the part of TV from 1/2 on, where M is less than there
    enough = np.flatnonzero(rest <= TOLERANCE * least)
    return float(u[enough[0]]) if enough.size else math.inf


def _edges(last: float) -> Float64Array:
    count = math.ceil(math.log(last / FIRST, GROWTH))
    return np.concatenate([[0.0], FIRST * (last / FIRST) ** (np.arange(count + 1) / count)])


def _integral(
    divergence: str, shift: Float64Array, excess: Float64Array, edges: Float64Array
) -> float | None:
    """Gauss-Legendre panels, halved until both halves agree with the whole."""
    low, high = edges[:-1], edges[1:]
    whole = _of_panels(divergence, low, high, shift, excess)
    scale, done = float(whole.sum()), []
    for _ in range(MOST_ROUNDS):
        middle = 0.5 * (low + high)
        left = _of_panels(divergence, low, middle, shift, excess)
        right = _of_panels(divergence, middle, high, shift, excess)
        error = np.abs(left + right - whole)
        split = error > np.maximum(1e-4 * TOLERANCE * abs(scale), 4e-16 * np.abs(whole))
        done.append((left + right)[~split])
        if not split.any():
            return math.fsum(np.concatenate(done))
        if 2 * int(split.sum()) > MOST_PANELS:
            return None
        low = np.concatenate([low[split], middle[split]])
        high = np.concatenate([middle[split], high[split]])
        whole = np.concatenate([left[split], right[split]])
    return None


def _of_panels(
    divergence: str, low: Float64Array, high: Float64Array, shift: Float64Array,
    excess: Float64Array,
) -> Any:  # fmt: skip
    x, w = legendre()
    half = 0.5 * (high - low)[:, None]
    nodes = (low[:, None] + half) + half * x
    return (half * w * _integrand(divergence, nodes, shift, excess)).sum(axis=1)
