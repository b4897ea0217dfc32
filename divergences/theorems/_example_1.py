r"""Example 1: the uniform law on a segment against the same segment moved sideways by theta."""

import math

import numpy as np

from .. import (
    Discrete,
    js_divergence,
    kl_divergence,
    optimal_transport,
    total_variation,
    wasserstein1,
)
from ..problems import MeasurePair, parallel_lines
from ._claim import ULP, Claim, FalseVariant, Relation, equal
from ._variants import rewritten, times, value

LOG_2 = math.log(2.0)

EXTREMES = (0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e300, -1e300, 1e-8, -1e8)
"""The displacements that the first cases visit, before random ones."""


def displacement(rng: np.random.Generator, index: int) -> float:
    """Theta of case ``index``: an extreme value, then log-uniform in magnitude, of either sign."""
    if index < len(EXTREMES):
        return EXTREMES[index]
    return float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-300, 300))


def four_values(p: Discrete, q: Discrete, theta: float) -> tuple[Relation, ...]:
    """What Example 1 says of all four quantities at ``theta``."""
    apart = theta != 0
    ulps = 4 * np.spacing(abs(theta)) * apart
    return (
        equal("W1 = |theta|", wasserstein1(p, q), abs(theta), ulps),
        equal("TV = 1 off 0", total_variation(p, q), float(apart)),
        equal("JS = log 2 off 0", js_divergence(p, q), LOG_2 * apart, np.spacing(LOG_2) * apart),
        equal("KL(P_0, P_theta) = inf off 0", kl_divergence(p, q), math.inf if apart else 0.0),
        equal("KL(P_theta, P_0) = inf off 0", kl_divergence(q, p), math.inf if apart else 0.0),
    )


def plan_derivative(pair: MeasurePair) -> float:
    r"""dW/dtheta: the mean over the plan of (y - x)_1 / norm(y - x), since dy/dtheta = e_1."""
    plan = optimal_transport(*pair.measures).plan.toarray()
    step = pair.y[None, :, :] - pair.x[:, None, :]
    distance = np.hypot(step[..., 0], step[..., 1])
    slope = np.divide(step[..., 0], distance, out=np.zeros_like(distance), where=plan > 0)
    return math.fsum((plan * slope).ravel())


def check_example_1(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Four values at one theta, and the derivatives of three of them off zero."""
    theta = displacement(rng, index)
    pair = parallel_lines(rng, theta)
    p, q = pair.measures
    relations = four_values(p, q, theta)
    if theta == 0:
        return relations
    further = np.array([[theta * 0.001, 0.0]])
    moved = Discrete(pair.y + further, pair.y_weights)
    return (
        *relations,
        equal("dW1/dtheta = sign theta", plan_derivative(pair), math.copysign(1, theta), 8 * ULP),
        equal("dTV/dtheta = 0", total_variation(p, moved), total_variation(p, q)),
        equal("dJS/dtheta = 0", js_divergence(p, moved), js_divergence(p, q)),
    )


def _independent(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Heights drawn anew on the second line: mass must move vertically too."""
    _ = index
    pair = parallel_lines(rng, 1.0, size=5)
    other = np.column_stack([np.ones(5), rng.uniform(size=5)])
    value = wasserstein1(Discrete(pair.x, pair.x_weights), Discrete(other, pair.y_weights))
    return (equal("W1 = |theta|", value, 1.0, 8 * ULP),)


CLAIMS = (
    Claim(
        id="example_1",
        title="Parallel lines",
        statement=r"W(P_0, P_\theta) = |\theta|; \quad JS(P_0, P_\theta) = \log 2,\ "
        r"KL(P_0, P_\theta) = KL(P_\theta, P_0) = \infty,\ \delta(P_0, P_\theta) = 1 "
        r"\text{ for } \theta \ne 0,\ 0 \text{ for } \theta = 0",
        summary="parallel lines: W1 = |theta|; TV, JS, KL are steps",
        inequality=r"|W - |\theta|| \le 4\,\mathrm{ulp}, \quad |JS - \log 2| \le 1\,\mathrm{ulp}, "
        r"\quad TV = 1, \quad KL = \infty, \quad W' = \operatorname{sign} \theta, "
        r"\quad TV' = JS' = 0",
        source="section 2, Example 1",
        hypotheses=("the same heights with the same masses on both lines",),
        cases=1000,
        check=check_example_1,
        domain="up to 8 atoms a line; theta = 0 and from 1e-300 to 1e300 in magnitude",
        false_variants=(
            rewritten("JS = 2 log 2 off 0", check_example_1, "JS = log 2", times(2.0)),
            rewritten("KL is finite off 0", check_example_1, "KL(P_0, P_theta)", value(LOG_2)),
            FalseVariant("W = |theta| for independent heights on the two lines", _independent),
        ),
    ),
)
