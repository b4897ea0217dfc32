r"""Theorem 1: W1 is continuous in a generator's parameters, JS and KL are not."""

import math
from collections.abc import Callable

import numpy as np

from .. import Discrete, js_divergence, kl_divergence, wasserstein1
from .._typing import Float64Array
from ..problems import parallel_lines, random_measures, simplex_vector
from . import _necessity
from ._bumps import flat_bump, tall_bump
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import distance, norm
from ._networks import Network
from ._variants import reversed_, rewritten, times, value

LOG_2 = math.log(2.0)


def latent(rng: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """Atoms and masses of a discrete law of Z in R^2."""
    size = int(rng.integers(2, 9))
    return rng.normal(size=(size, 2)), simplex_vector(rng, size)


def check_continuity(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The modulus of continuity of statement 1 between two parameters of a small network."""
    _ = index
    z, masses = latent(rng)
    target, _ = random_measures(rng, dimension=3)
    activation = str(rng.choice(["tanh", "relu", "softplus"]))
    here = Network.draw(rng, (2, 4, 3), activation)
    direction = Network.draw(rng, (2, 4, 3), activation)
    there = here.moved(direction, 10.0 ** rng.uniform(-6, 0))
    law_here, law_there = Discrete(here(z), masses), Discrete(there(z), masses)
    first, second = distance(target, law_here), distance(target, law_there)
    between = distance(law_here, law_there)
    moved = math.fsum(masses * norm(here(z) - there(z)))
    return (
        at_most(
            "|W(P,P_t) - W(P,P_s)| <= W(P_t,P_s)",
            abs(first.value - second.value),
            between.value,
            first.error + second.error + between.error,
        ),
        at_most("W(P_t,P_s) <= E|g_t - g_s|", between.value, moved, between.error),
    )


def slope_gap(function: Callable[[float], float]) -> float:
    """The least |D+(h) - D-(h)| of one-sided difference quotients at 0, h from 1e-3 to 1e-8.

    Near a point of differentiability it falls with h, down to the rounding of the quotients; at a
    kink it stays what the kink is.
    """
    middle = function(0.0)
    steps = [10.0**-k for k in range(3, 9)]
    return min(abs(function(h) + function(-h) - 2.0 * middle) / h for h in steps)


def check_lipschitz(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Statement 2 for affine generators, and the kink of Example 1 at theta = 0."""
    _ = index
    z, masses = latent(rng)
    target, _ = random_measures(rng, dimension=3)
    here = Network.draw(rng, (2, 3), "identity")
    direction = Network.draw(rng, (2, 3), "identity")
    step = 10.0 ** rng.uniform(-6, 1)
    there = here.moved(direction, step)
    first = distance(target, Discrete(here(z), masses))
    second = distance(target, Discrete(there(z), masses))
    # g_theta(z) = A z + b: the norm of (A, b) -> A z + b is norm((z, 1)), for every theta.
    constant = math.fsum(masses * norm(np.column_stack([z, np.ones(len(z))])))
    length = step * math.sqrt(direction.inner(direction))
    gap = slope_gap(lambda h: distance(target, Discrete(here.moved(direction, h)(z), masses)).value)
    line = parallel_lines(rng, 10.0 ** rng.uniform(-6, 3))
    mirror = Discrete(line.y * [-1.0, 1.0], line.y_weights)
    p, q = line.measures
    theta = line.wasserstein1
    right, left = distance(p, q).value / theta, -distance(p, mirror).value / theta
    return (
        at_most(
            "|W(t) - W(s)| <= E L(Z) |t - s|",
            abs(first.value - second.value),
            constant * length,
            first.error + second.error + 16 * ULP * constant * length,
        ),
        at_most(
            "left and right slope agree at a random theta", gap, 1e-4 * constant * length / step
        ),
        equal("Example 1: right derivative +1 at 0", right, 1.0, 8 * ULP),
        equal("Example 1: left derivative -1 at 0", left, -1.0, 8 * ULP),
    )


def check_discontinuity(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Statement 3: along theta_n -> 0 in Example 1, W vanishes while JS and KL stay away."""
    theta = 10.0 ** -float(index % 300) * rng.uniform(0.5, 1.0)
    pair, still = parallel_lines(rng, theta), parallel_lines(rng, 0.0)
    p, q = pair.measures
    start = still.measures
    jump = js_divergence(p, q) - js_divergence(*start)
    return (
        equal("W(theta) = theta -> 0", distance(p, q).value, theta, 4 * np.spacing(theta)),
        equal("W(0) = 0", distance(*start).value, 0.0),
        at_most("JS(theta) - JS(0) >= log 2", LOG_2, float(jump), float(np.spacing(LOG_2))),
        equal("KL(P_0, P_theta) = inf", kl_divergence(p, q), math.inf),
        equal("KL(P_theta, P_0) = inf", kl_divergence(q, p), math.inf),
        equal("KL(P_0, P_0) = 0", kl_divergence(*start), 0.0),
    )


def _no_jump(relation: Relation) -> Relation:
    return at_most(relation.name, relation.rhs, 0.0, relation.budget)


def _unbounded_generator(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """E4: g_t -> g_0 = 0 at every z as t -> 0, so W(P_t, P_0) would have to vanish."""
    _ = index
    t = 10.0 ** rng.uniform(-6, -1)
    value = float(wasserstein1(tall_bump(t), Discrete([0.0])))
    return (at_most("W(P_t, P_0) <= sqrt(t), t -> 0", value, math.sqrt(t)),)


def _kink(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Example 1 at theta = 0, where "almost everywhere" is needed."""
    _ = index
    y = parallel_lines(rng, 0.0).y
    gap = slope_gap(lambda h: float(wasserstein1(y, y + np.array([h, 0.0]))))
    return (at_most("left and right slope agree at 0", gap, 1e-4),)


def _pointwise_constant(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """E6: L(0, z) = 0 for every z, so W would have to be flat at 0."""
    _ = index
    t = 10.0 ** rng.uniform(-6, -1)
    law, error = flat_bump(t)
    value = float(wasserstein1(law, Discrete([0.0])))
    return (at_most("|W(t) - W(0)| <= E L(0, Z) t", value, 0.0, error),)


CLAIMS = (
    Claim(
        id="theorem_1_1",
        title="W1 is continuous in the parameters",
        statement=r"g \text{ continuous in } \theta \implies "
        r"\theta \mapsto W(P_r, P_\theta) \text{ continuous}",
        summary="|W(t) - W(s)| <= W(P_t, P_s) <= E |g_t - g_s|",
        inequality=r"|W(P, P_t) - W(P, P_s)| \le W(P_t, P_s) \le E\lVert g_t(Z) - g_s(Z) \rVert",
        source="section 2, Theorem 1 (1)",
        hypotheses=(
            "g continuous in theta",
            "X compact, or the g_theta(Z) uniformly integrable: see erratum_4",
        ),
        cases=100,
        check=check_continuity,
        domain="networks of one hidden layer, Z of up to 8 atoms in R^2; steps from 1e-6 to 1",
        false_variants=(
            rewritten(
                "W(P_t, P_s) is at most half the mean displacement",
                check_continuity,
                "W(P_t,P_s) <=",
                times(0.5),
            ),
            rewritten(
                "|W(P, P_t) - W(P, P_s)| is at least W(P_t, P_s)",
                check_continuity,
                "|W(P,P_t)",
                reversed_,
            ),
            FalseVariant("g continuous in theta suffices on the whole line", _unbounded_generator),
            FalseVariant("g may jump", _necessity.jumping_generator),
        ),
    ),
    Claim(
        id="theorem_1_2",
        title="W1 is Lipschitz in the parameters",
        statement=r"g \text{ locally Lipschitz with } E\,L(\theta, Z) < \infty \implies "
        r"W(P_r, P_\theta) \text{ continuous everywhere, differentiable a.e.}",
        summary="|W(t) - W(s)| <= E L(Z) |t - s|; kinks exist",
        inequality=r"|W(t) - W(s)| \le E\,L(Z)\, \lVert t - s \rVert; \quad "
        r"W'(0^\pm) = \pm 1 \text{ in Example 1}",
        source="section 2, Theorem 1 (2) (with one L(Z) for the whole segment from s to t)",
        hypotheses=("one L(Z) of finite mean for the whole segment from s to t: see erratum_6",),
        cases=100,
        check=check_lipschitz,
        domain="affine generators, for which L(Z) = norm((Z, 1)) at every theta",
        false_variants=(
            rewritten(
                "W is differentiable everywhere: one slope at 0 in Example 1",
                check_lipschitz,
                "Example 1: left",
                value(1.0),
            ),
            rewritten("L(Z)/4 suffices", check_lipschitz, "|W(t) - W(s)|", times(0.25)),
            FalseVariant("left and right slope agree at every theta", _kink),
            FalseVariant("a pointwise L(theta, Z) suffices", _pointwise_constant),
        ),
    ),
    Claim(
        id="theorem_1_3",
        title="JS and KL are not continuous",
        statement=r"\text{(1) and (2) are false for } JS(P_r, P_\theta) "
        r"\text{ and both } KL",
        summary="parallel lines, theta -> 0: JS and KL do not fall",
        inequality=r"W(P_0, P_\theta) \to 0, \quad JS(P_0, P_\theta) - JS(P_0, P_0) \ge \log 2, "
        r"\quad KL = \infty",
        source="section 2, Theorem 1 (3)",
        hypotheses=(),
        cases=1000,
        check=check_discontinuity,
        domain="parallel lines; theta = 1, 0.1, ..., 1e-299, times a random factor",
        false_variants=(
            rewritten("JS is continuous at 0", check_discontinuity, "JS(theta) - JS(0)", _no_jump),
            rewritten("KL is continuous at 0", check_discontinuity, "KL(P_0, P_theta)", value(0.0)),
        ),
    ),
)
