r"""Theorem 1: W1 is continuous in a generator's parameters, JS and KL are not."""

import math

import numpy as np

from .. import Discrete, js_divergence, kl_divergence
from .._typing import Float64Array
from ..problems import parallel_lines, random_measures, simplex_vector
from ._claim import ULP, Claim, Relation, at_most, equal
from ._distances import distance, norm
from ._networks import Network

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
        equal("Example 1: right derivative +1 at 0", right, 1.0, 8 * ULP),
        equal("Example 1: left derivative -1 at 0", left, -1.0, 8 * ULP),
    )


def check_discontinuity(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Statement 3: along theta_n -> 0 in Example 1, W vanishes while JS and KL stay away."""
    theta = 10.0 ** -float(index) * rng.uniform(0.5, 1.0)
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


CLAIMS = (
    Claim(
        id="theorem_1_1",
        title="W1 is continuous in the parameters",
        statement=r"g \text{ continuous in } \theta \implies "
        r"\theta \mapsto W(P_r, P_\theta) \text{ continuous}",
        summary="|W(t) - W(s)| <= W(P_t, P_s) <= E |g_t - g_s|",
        inequality=r"|W(P, P_t) - W(P, P_s)| \le W(P_t, P_s) \le E\lVert g_t(Z) - g_s(Z) \rVert",
        source="section 2, Theorem 1 (1)",
        hypotheses=("Z takes finitely many values", "g is a network with one hidden layer"),
        cases=100,
        check=check_continuity,
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
        hypotheses=("g is affine, so that L(Z) = norm((Z, 1)) for every theta",),
        cases=60,
        check=check_lipschitz,
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
        hypotheses=("theta runs through 1, 0.1, ..., times a random factor",),
        cases=40,
        check=check_discontinuity,
    ),
)
