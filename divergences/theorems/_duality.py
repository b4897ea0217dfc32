r"""Equation (2): the Kantorovich-Rubinstein duality, on certified solutions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import optimal_transport
from .._typing import Float64Array
from ..problems import random_measures
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import norm
from ._variants import rewritten, times

METRICS: dict[str, Callable[[Float64Array], Float64Array]] = {
    "euclidean": norm,
    "cityblock": lambda vectors: np.abs(vectors).sum(axis=-1),
    "chebyshev": lambda vectors: np.abs(vectors).max(axis=-1),
}
"""Norms over the last axis, by the names of their metrics."""


def lipschitz_excess(
    f: Callable[[Float64Array], Float64Array],
    points: Float64Array,
    length: Callable[[Float64Array], Float64Array],
) -> float:
    """The largest |f(a) - f(b)| - d(a, b) over all pairs of ``points``."""
    values = np.asarray(f(points))
    rise = np.abs(values[:, None] - values[None, :])
    return float((rise - length(points[:, None, :] - points[None, :, :])).max())


def check_duality(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Primal against dual, feasibility, both extreme critics, the critic, other functions."""
    metric = tuple(METRICS)[index % len(METRICS)]
    length = METRICS[metric]
    p, q = random_measures(rng)
    x, y, a, b = p.points, q.points, p.weights, q.weights
    cost = length(x[:, None, :] - y[None, :, :])
    result: Any = optimal_transport(x, y, a, b, metric=metric)
    u, v = np.asarray(result.potential_x), np.asarray(result.potential_y)
    value, rounding = float(result.value), 4 * ULP * (len(p) + len(q)) * float(cost.max())
    attained = float(result.tolerance) + rounding

    def mean_gap(f: Callable[[Float64Array], Float64Array]) -> float:
        return math.fsum(np.concatenate([a * f(x), -b * f(y)]))

    def lower(z: Float64Array) -> Float64Array:
        return np.asarray((length(z[:, None, :] - y[None, :, :]) - v).min(axis=1))

    def upper(z: Float64Array) -> Float64Array:
        return np.asarray((u - length(z[:, None, :] - x[None, :, :])).max(axis=1))

    def other(z: Float64Array) -> Float64Array:
        return np.asarray(np.tensordot(length(z[:, None, :] - centres), heights, 1))

    centres = rng.normal(size=(3, p.dimension)) * 2.0
    heights = rng.dirichlet(np.ones(3)) * rng.choice([-1.0, 1.0], 3)
    probes = np.concatenate([x, y, rng.normal(size=(20, p.dimension)) * 3.0])
    twofold: Any = optimal_transport(cost=3.0 * cost, x_weights=a, y_weights=b)
    return (
        equal("primal = dual", value, result.dual_value, attained),
        at_most("u_i + v_j <= d(x_i, y_j)", float((u[:, None] + v - cost).max()), 0.0, rounding),
        equal("min_j d(., y_j) - v_j attains W", mean_gap(lower), value, attained),
        equal("max_i u_i - d(., x_i) attains W", mean_gap(upper), value, attained),
        equal("the critic attains W", mean_gap(result.critic), value, attained),
        at_most("the critic is 1-Lipschitz", lipschitz_excess(result.critic, probes, length), 0.0,
                16 * rounding),
        at_most("E_P f - E_Q f <= W, f 1-Lipschitz", abs(mean_gap(other)), value,
                attained + 16 * rounding),
        equal("sup over 3-Lipschitz f = 3 W", twofold.dual_value, 3.0 * value,
              3.0 * attained + float(twofold.tolerance)),
    )  # fmt: skip


def _steep_function(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Four times the optimal critic."""
    _ = index
    p, q = random_measures(rng)
    result: Any = optimal_transport(p, q)
    gap = math.fsum(np.concatenate([p.weights * result.critic(p.points),
                                    -q.weights * result.critic(q.points)]))  # fmt: skip
    return (at_most("E_P f - E_Q f <= W", 4.0 * gap, result.value, float(result.tolerance)),)


CLAIMS = (
    Claim(
        id="duality",
        title="Kantorovich-Rubinstein duality",
        statement=r"W(P, Q) = \sup_{\lVert f \rVert_L \le 1} E_P f - E_Q f",
        summary="W = max of E_P f - E_Q f over 1-Lipschitz f",
        inequality=r"\sum_{ij} \pi_{ij} d(x_i, y_j) = \sum_i a_i u_i + \sum_j b_j v_j, \quad "
        r"u_i + v_j \le d(x_i, y_j), \quad E_P f - E_Q f \le W",
        source="section 3, equation (2)",
        hypotheses=("f is 1-Lipschitz for the metric that defines W",),
        cases=60,
        check=check_duality,
        domain="laws of up to 10 atoms in R^1 to R^5; three distances in turn",
        false_variants=(
            rewritten("the dual is twice the primal", check_duality, "primal = dual", times(2.0)),
            rewritten("sup over 3-Lipschitz f = W", check_duality, "sup over 3", times(1.0 / 3.0)),
            FalseVariant("|E_P f - E_Q f| <= W for 4-Lipschitz f", _steep_function),
        ),
    ),
)
