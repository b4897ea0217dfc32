r"""The introduction: what maximum likelihood minimises, and what adding noise buys and costs."""

import math
from statistics import NormalDist

import numpy as np

from .. import Discrete, Normal, kl_divergence, total_variation, wasserstein1
from .._typing import Float64Array
from ..problems import random_measures, vector_pair
from ._binomial import count_range
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import cross_distances, distance, norm
from ._variants import reversed_, rewritten, times, value

DATA_SETS = 64


def check_maximum_likelihood(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The mean log-likelihood of a model, its slope on data, and a model without a density."""
    _ = index
    pair = vector_pair(rng, "generic")
    p, q = pair.p, pair.q
    likelihood = math.fsum(p * np.log(q))
    entropy = -math.fsum(p[p > 0] * np.log(p[p > 0]))
    scale = abs(likelihood) + entropy + 1.0
    degenerate = Discrete([[0.0, 0.0], [0.0, 1.0]])
    beside = Discrete([[rng.uniform(0.1, 1.0), 0.0]])
    size, mean = int(rng.integers(1, 50)), rng.normal()
    # The slope in theta of the mean log-likelihood of N(theta, 1) is mean(x) - theta, that of
    # -KL(N(mean, 1), N(theta, 1)) is mean - theta: they differ by a N(0, 1/n) variable.
    off = rng.normal(mean, 1.0, size=(DATA_SETS, size)).mean(axis=1) - mean
    quartile = NormalDist().inv_cdf(0.75)
    within = float((np.abs(off) * math.sqrt(size) <= quartile).sum())
    fewest, most = count_range(DATA_SETS, 0.5)
    return (
        equal("E log q = -H(P) - KL(P, Q)", likelihood, -entropy - float(kl_divergence(p, q)),
              16 * ULP * scale),
        equal("degenerate model: KL(P_r, P_theta) = inf", kl_divergence(beside, degenerate),
              math.inf),
        at_most("gradients within .674/sqrt(n): at most by chance 1/2", within, float(most)),
        at_most("gradients within .674/sqrt(n): at least by chance 1/2", float(fewest), within),
    )  # fmt: skip


def _rate_one_over_n(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    size = int(rng.integers(30, 100))
    off = rng.normal(size=(DATA_SETS, size)).mean(axis=1)
    within = float((np.abs(off) * size <= NormalDist().inv_cdf(0.75)).sum())
    return (at_most("gradients within .674/n", float(count_range(DATA_SETS, 0.5)[0]), within),)


def check_noise(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Parallel lines convolved with noise; what the noise does to a law by itself."""
    _ = index
    # N(0, s^2 I) convolved with the two lines: equal along the lines, N(0, s^2) and N(theta, s^2)
    # across, so that divergences are those across.
    theta, s = rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-3, 1), 10.0 ** rng.uniform(-2, 1)
    p, q = Normal(0.0, s), Normal(theta, s)
    expected = theta**2 / (2 * s**2)
    tv = math.erf(abs(theta) / (2 * s) / math.sqrt(2.0))
    spread = rng.uniform(0.1, 3.0)
    blurred = float(wasserstein1(Normal(0.0, spread), Normal(0.0, math.hypot(spread, s))))
    cost = s * math.sqrt(2.0 / math.pi)
    law, noise = random_measures(rng, size=5)
    sums = (law.points[:, None, :] + s * noise.points[None, :, :]).reshape(-1, law.dimension)
    masses = np.outer(law.weights, noise.weights).ravel()
    moved = distance(law, Discrete(sums, masses / masses.sum()))
    mean = s * math.fsum(noise.weights * norm(noise.points))
    return (
        equal("KL = theta^2/(2 s^2)", kl_divergence(p, q), expected, 16 * ULP * expected),
        equal("TV = 2 Phi(|theta|/(2 s)) - 1", total_variation(p, q), tv, 16 * ULP * tv),
        equal("a point: W(P, P * N_s) = s E|xi|", wasserstein1(Discrete([0.0]), Normal(0.0, s)),
              cost, 64 * ULP * cost),
        at_most("a normal law: W(P, P * N_s) <= s E|xi|", blurred, cost,
                16 * ULP * (cost + spread)),
        at_most("atoms: W(P, P * noise) <= s E|noise|", moved.value, mean,
                moved.error + 64 * ULP * mean),
    )  # fmt: skip


def _noise_on_one(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Noise on the model alone: the data's line still has no mass under it, nor it under noise."""
    _ = index
    point, s = Discrete([rng.normal()]), 10.0 ** rng.uniform(-2, 1)
    return (at_most("KL < inf", float(kl_divergence(point, Normal(0.0, s))), 1e300),)


def mixture_log_likelihood(x: Float64Array, centres: Float64Array, s: float) -> float:
    """The mean over x of log of the mean over centres of the density N(x; centre, s^2 I)."""
    exponents = -(cross_distances(x, centres) ** 2) / (2 * s * s)
    top = exponents.max(axis=1)
    logs = top + np.log(np.exp(exponents - top[:, None]).mean(axis=1))
    return float(logs.mean()) - int(x.shape[1]) * math.log(s * math.sqrt(2 * math.pi))


SCALES = 10.0 ** np.linspace(-4, 3, 57)


def check_noise_likelihood(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Held-out likelihood against the noise: -inf at both ends, the best inside."""
    _ = index
    dimension = int(rng.integers(1, 9))
    centres = rng.normal(size=(int(rng.integers(5, 60)), dimension))
    return _likelihood_curve(rng.normal(size=(20, dimension)), centres)


def _likelihood_curve(held_out: Float64Array, centres: Float64Array) -> tuple[Relation, ...]:
    dimension = centres.shape[1]
    curve = np.array([mixture_log_likelihood(held_out, centres, float(s)) for s in SCALES])
    nearest = cross_distances(held_out, centres).min(axis=1)
    squared = float((nearest**2).mean())
    bounds = -squared / (2 * SCALES**2) - dimension * np.log(SCALES * math.sqrt(2 * math.pi))
    excess = (curve - bounds) / (1.0 + np.abs(bounds))
    best = float(curve.max())
    return (
        at_most("L(s) <= -E dist^2/(2 s^2) - d log(s sqrt(2 pi))", float(excess.max()), 0.0, 1e-12),
        at_most("L(1e-4) < max L - 100", curve[0], best - 100.0),
        at_most("L(1000) < max L - d log 10", curve[-1], best - dimension * math.log(10.0)),
    )


def _seen(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Points that are centres: the likelihood has no interior maximum, it explodes as s -> 0."""
    _ = index
    centres = rng.normal(size=(20, 3))
    return _likelihood_curve(centres, centres)


CLAIMS = (
    Claim(
        id="maximum_likelihood",
        title="Maximum likelihood minimises KL, and needs a density",
        statement=r"\max_\theta \frac{1}{m} \sum_i \log P_\theta(x_i) \text{ amounts to } "
        r"\min_\theta KL(P_r, P_\theta)",
        summary="E log q = -H(P) - KL(P, Q); slopes to 1/sqrt(n)",
        inequality=r"E_P \log q = -H(P) - KL(P, Q); \quad "
        r"\nabla \hat L - \nabla(-KL) \sim N(0, \frac{1}{n}) \text{ for } N(\theta, 1); \quad "
        r"KL = \infty \text{ for a degenerate model}",
        source="section 1",
        hypotheses=(
            "counts over 64 data sets are within an exact binomial bound of level 1e-9 a side",
        ),
        cases=1000,
        check=check_maximum_likelihood,
        domain="vectors of 2 to 12 entries; data sets of 1 to 49 numbers",
        false_variants=(
            rewritten("without the entropy", check_maximum_likelihood, "E log q", times(0.5)),
            rewritten("a degenerate model has a finite KL", check_maximum_likelihood,
                      "degenerate", value(1e300)),
            FalseVariant("the gradients agree at the rate 1/n", _rate_one_over_n),
        ),
    ),
    Claim(
        id="noise_and_blur",
        title="Noise makes KL finite at the price of blur",
        statement=r"\text{noise makes } KL \text{ finite, and the samples blurry}",
        summary="lines + noise: KL = theta^2/(2 s^2); W <= s E|xi|",
        inequality=r"KL = \frac{\theta^2}{2 s^2}, \quad TV = 2 \Phi(\frac{|\theta|}{2 s}) - 1, "
        r"\quad W(P, P * N_s) \le s E \Vert \xi \Vert",
        source="section 1",
        hypotheses=("noise is added to both laws",),
        cases=200,
        check=check_noise,
        domain="theta from 1e-3 to 10, s from 0.01 to 10; points, normal laws, five atoms",
        false_variants=(
            FalseVariant("noise on one of the two laws makes KL finite", _noise_on_one),
            rewritten("KL = theta^2/s^2", check_noise, "KL =", times(2.0)),
            rewritten("the noise costs a point half of s E|xi|", check_noise, "a point",
                      times(0.5)),
        ),
    ),
    Claim(
        id="noise_likelihood",
        title="The noise that likelihood likes best",
        statement=r"\text{the noise that maximises held-out likelihood is neither } 0 "
        r"\text{ nor large}",
        summary="held-out log-likelihood peaks inside (0, inf)",
        inequality=r"L(s) \le -\frac{E\, dist^2}{2 s^2} - d \log(s \sqrt{2 \pi}) "
        r"\to -\infty \text{ as } s \to 0",
        source="section 1, on the noise added to models for maximum likelihood",
        hypotheses=("no held-out point is a centre",),
        cases=50,
        check=check_noise_likelihood,
        domain="5 to 59 centres and 20 points in R^1 to R^8; s from 1e-4 to 1000",
        false_variants=(
            FalseVariant("centres may be among the points", _seen),
            rewritten("the maximum is at s = 1000", check_noise_likelihood, "L(1000)", reversed_),
        ),
    ),
)  # fmt: skip
