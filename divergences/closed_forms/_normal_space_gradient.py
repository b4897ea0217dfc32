r"""Derivatives of total variation and Jensen-Shannon of two normal laws in any dimension.

The integrals of ``_normal_space`` once more, at fixed nodes, as functions of means and covariances:
with :math:`s = \tfrac12 + iu,\ r = \tfrac12 - iu,\ X = \Sigma_2^{-1} (\Sigma_1 - \Sigma_2)` and
:math:`\Delta = \mu_1 - \mu_2`,

.. math:: \log M(u) = \tfrac12 \bigl(r \log|1 + X| - \log|1 + r X|
          - s r\, \Delta^T (1 + r X)^{-1} \Sigma_2^{-1} \Delta\bigr) ,

which keeps the digits of laws that are near, however large u.

For total variation the derivative's integrand no longer falls like :math:`u^{-2}`, and :math:`M`
oscillates like :math:`e^{-i \kappa u}` while it falls like a power. It is analytic beside the
imaginary axis, so the path is turned by an angle to the side on which the oscillation is a decay.
"""

import cmath
import math
from typing import Any

import numpy as np

from .._array import detach, like, namespace
from .._special import legendre
from .._typing import Array, Float64Array
from ._normal_space import FIRST, GROWTH, LAST_OF_JS, _log_overlap

ANGLE = math.pi / 8.0
NEGLIGIBLE = 1e-15
FARTHEST = 1e14  # of u, which the digits of the covariances' difference still resolve
AGREEMENT = 1e-12
MOST_ROUNDS = 12
Places = tuple[Any, Any]


def places(divergence: str, shift: Float64Array, excess: Float64Array) -> Places | None:
    """Nodes u and weights of -Re M in the divergence; None where they would reach too far."""
    if divergence == "js_divergence":
        nodes, weights = _resolved(1.0, LAST_OF_JS, shift, excess)
        return nodes, 0.5 * weights / ((nodes * nodes + 0.25) * np.cosh(math.pi * nodes))
    t = 2.0 ** np.arange(-2.0, math.log2(FARTHEST), 0.25)
    turned = [t * cmath.exp(1j * side * ANGLE) for side in (-1.0, 1.0)]
    with np.errstate(all="ignore"):
        sizes = [np.exp(_log_overlap(u, shift, excess).real) * (1.0 + t) for u in turned]
    ends = [_end(t, size) for size in sizes]
    side = int(ends[1] < ends[0])
    if math.isinf(ends[side]):
        return None
    direction = cmath.exp(1j * (2 * side - 1) * ANGLE)
    nodes, weights = _resolved(direction, ends[side], shift, excess)
    return nodes, weights / (math.pi * (nodes * nodes + 0.25))


def _end(t: Float64Array, size: Float64Array) -> float:
    """Where what is left of the path is negligible; inf if nowhere, or if it first grows."""
    if not np.all(size / (1.0 + t) < 2.0):
        return math.inf
    small = np.flatnonzero(size > NEGLIGIBLE)
    last = int(small[-1]) + 1 if small.size else 0
    return float(t[last]) if last < t.size else math.inf


def _resolved(direction: complex, last: float, shift: Any, excess: Any) -> Places:
    """Gauss-Legendre nodes along a ray, on panels that M and its oscillation need."""
    count = max(math.ceil(math.log(last / FIRST, GROWTH)), 1)
    edges = np.concatenate([[0.0], FIRST * (last / FIRST) ** (np.arange(count + 1) / count)])
    low, high = edges[:-1], edges[1:]

    def of(first: Float64Array, second: Float64Array) -> Any:
        nodes, weights = _nodes(first, second)
        values = np.exp(_log_overlap(direction * nodes, shift, excess))
        return np.sum(weights * values, axis=1)

    done = []
    for _ in range(MOST_ROUNDS):
        middle = 0.5 * (low + high)
        split = np.abs(of(low, middle) + of(middle, high) - of(low, high)) > AGREEMENT
        done.append((low[~split], high[~split]))
        low, high = (
            np.concatenate([low[split], middle[split]]),
            np.concatenate([middle[split], high[split]]),
        )
    low, high = (np.concatenate([pair[k] for pair in [*done, (low, high)]]) for k in (0, 1))
    nodes, weights = _nodes(low, high)
    return direction * nodes.ravel(), direction * weights.ravel()


def _nodes(low: Float64Array, high: Float64Array) -> tuple[Float64Array, Float64Array]:
    x, w = legendre()
    half = 0.5 * (high - low)[:, None]
    return (low[:, None] + half) + half * x, half * w


def surrogate(
    at: Places, here: tuple[Float64Array, Float64Array], move: Array, gap: Array, second: Array
) -> Array:
    """A number with the divergence's derivatives in the tensors (k,), (k, k), (k, k).

    ``here`` are shift and excess, from which M itself is known on the right branch; the tensors are
    the differences of the means and of the covariances, and the second covariance.
    """
    xp = namespace(move)
    u, weights, overlap = (_complex(a, move) for a in (*at, np.exp(_log_overlap(at[0], *here))))
    unit = xp.eye(gap.shape[0], dtype=gap.dtype, device=gap.device)
    ratio = xp.linalg.solve(second, gap)
    plain = xp.linalg.slogdet(unit + ratio)[1]
    s, r = 0.5 + 1j * u, 0.5 - 1j * u
    matrix = (unit + 0j) + r[:, None, None] * (ratio + 0j)
    columns = xp.broadcast_to(xp.linalg.solve(second, move) + 0j, (u.shape[0], move.shape[0]))
    squares = (xp.linalg.solve(matrix, columns[:, :, None])[:, :, 0] * (move + 0j)).sum(-1)
    sign, size = xp.linalg.slogdet(matrix)
    exponent = r * plain - (xp.log(sign) + size) - s * r * squares
    change = 0.5 * (exponent - detach(exponent))
    return -xp.real(weights * overlap * xp.exp(change)).sum()


def _complex(values: Any, model: Array) -> Array:
    real, imaginary = (np.ascontiguousarray(part) for part in (values.real, values.imag))
    return like(real, model) + 1j * like(imaginary, model)
