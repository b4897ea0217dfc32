r"""Two theorems on the standard GAN: Arjovsky and Bottou 2017, arXiv:1701.04862."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from .. import Normal, js_divergence, kl_divergence
from .._typing import Float64Array
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import norm
from ._networks import Network
from ._theorem_1 import latent
from ._variants import rewritten, times

STEP = 2.0**-8
"""Of the differences: their rounding, some eps/STEP, stays below 1e-12, and so does their
truncation, some (8 STEP)^8/16, so that nothing hangs on its estimate, which may vanish by chance.
"""


def extrapolated_slope(function: Callable[[float], float]) -> tuple[float, float]:
    """The derivative at 0 by central differences extrapolated three times, and its error."""
    steps = [STEP, 2 * STEP, 4 * STEP, 8 * STEP]
    row = [(function(h) - function(-h)) / (2 * h) for h in steps]
    last = row
    for power in (4.0, 16.0, 64.0):
        last = row
        row = [(power * fine - coarse) / (power - 1) for fine, coarse in pairwise(row)]
    return row[0], abs(row[0] - last[0])


def log_d_slope(real: Normal, model: Normal, direction: tuple[float, float]) -> float:
    r"""E[-d log D*(g_t(Z))/dt], D* frozen, g = mean + std Z, along ``direction`` of (mean, std).

    -(log D*)' = s(l) l' with l = log p_g - log p_r and s the logistic function. The trapezoidal
    rule over (-12, 12) standard deviations converges faster than any power of its step.
    """
    z = np.linspace(-12.0, 12.0, 4001)
    weights = np.exp(-0.5 * z**2)
    mean, std = float(model.mean), float(model.std)
    x = mean + std * z
    standard = (x - float(real.mean)) / float(real.std)
    log_ratio = 0.5 * standard**2 - 0.5 * z**2 + math.log(float(real.std) / std)
    slope = standard / float(real.std) - z / std
    logistic = 0.5 * (1.0 + np.tanh(0.5 * log_ratio))
    moved = direction[0] + direction[1] * z
    return float((weights * logistic * slope * moved).sum() / weights.sum())


def check_log_d(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Both sides for two normal laws, the derivative of the library's KL and JS by differences."""
    real = Normal(0.0, 1.0) if index == 0 else Normal(rng.normal(), 10.0 ** rng.uniform(-0.2, 0.2))
    model = Normal(1.3, 1.0) if index == 0 else Normal(rng.normal(), 10.0 ** rng.uniform(-0.2, 0.2))
    angle = 0.0 if index == 0 else rng.uniform(0, 2 * math.pi)
    direction = (math.cos(angle), math.sin(angle))

    def right(h: float) -> float:
        moved = Normal(float(model.mean) + h * direction[0], float(model.std) + h * direction[1])
        return float(kl_divergence(moved, real)) - 2.0 * float(js_divergence(moved, real))

    left, (slope, error) = log_d_slope(real, model, direction), extrapolated_slope(right)
    budget = 4.0 * error + 1e-10 * (1.0 + abs(slope))
    return (
        equal("E[-grad log D*(g)] = grad(KL - 2 JS)", left, slope, budget),
        at_most("the finite difference resolves 1e-5", budget, 1e-5 * (1.0 + abs(slope))),
    )


def check_no_gradient(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A discriminator within e of the optimal one, at a network whose support is apart."""
    z, masses = latent(rng)
    generator = Network.draw(rng, (2, 4, 3))
    if index % 2:  # a translation, along which the bound is nearly reached
        generator = Network((np.zeros((3, 2)),), (rng.normal(size=3),), "identity")
    y = generator(z)
    # Near the support of P_g the optimal discriminator is 0, with gradient 0. This one is
    # small + steep sin(k u.x + phase)/k: values in [0, 2 small], slope at most steep.
    e = 10.0 ** rng.uniform(-6, -0.5)
    small, steep = 1e-3 * e, e * (1 - 2e-3)
    frequency = steep / small
    unit = rng.normal(size=3)
    unit /= norm(unit)
    phase = frequency * (y @ unit)
    phase -= phase[0] if index % 2 else rng.uniform(0, 2 * math.pi)
    value = small * (1.0 + np.sin(phase))
    slope = steep * np.cos(phase)
    cotangent = -(masses * slope / (1.0 - value))[:, None] * unit
    gradient = generator.pullback(z, cotangent)
    size = math.sqrt(gradient.inner(gradient))
    moment = math.sqrt(math.fsum(masses * jacobian_norms(generator, z) ** 2))
    bound = moment * e / (1.0 - e)
    distance = float((np.abs(value) + np.abs(slope)).max())
    return (
        at_most("sup(|D - D*| + |grad D - grad D*|) <= e", distance, e, 4 * ULP * e),
        at_most("|grad E log(1 - D(g))| <= M e/(1 - e)", size, bound, 64 * ULP * bound),
    )


def jacobian_norms(generator: Network, z: Float64Array) -> Float64Array:
    """The operator norm of the derivative in all parameters of g(z), for each row of ``z``."""
    norms = []
    for row in z:
        point = row[None, :]
        rows = [
            np.concatenate([part.ravel() for part in (*back.weights, *back.biases)])
            for back in (generator.pullback(point, axis[None, :]) for axis in np.eye(3))
        ]
        norms.append(float(np.linalg.norm(np.stack(rows), 2)))
    return np.array(norms)


def _overlapping(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """D = D*, so e = 0, between two normal laws: supports meet, and the gradient is not 0."""
    _ = index
    theta = rng.uniform(0.5, 2.0)
    slope = theta - log_d_slope(Normal(0.0, 1.0), Normal(theta, 1.0), (1.0, 0.0))
    # grad log(1 - D*) = grad log D* - l', and E l' = theta
    return (at_most("|grad E log(1 - D(g))| <= M e/(1 - e)", abs(slope), 0.0, 1e-9),)


def _whole_js(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """With JS as the paper defines it, without 1/2: grad(KL - 4 JS) in our convention."""
    relation, guard = check_log_d(rng, index)
    real, model = Normal(0.0, 1.0), Normal(1.3, 1.0)

    def right(h: float) -> float:
        moved = Normal(1.3 + h, 1.0)
        return float(kl_divergence(moved, real)) - 4.0 * float(js_divergence(moved, real))

    slope, error = extrapolated_slope(right)
    left = log_d_slope(real, model, (1.0, 0.0))
    return (replace(relation, lhs=left, rhs=slope, budget=4 * error + 1e-9), guard)


def _not_frozen(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """E_model log D* differentiated through D* too: D* is not optimal for this loss."""
    relation, guard = check_log_d(rng, index)
    real, model = Normal(0.0, 1.0), Normal(1.3, 1.0)
    z = np.linspace(-12.0, 12.0, 4001)
    weights = np.exp(-0.5 * z**2)

    def loss(h: float) -> float:
        x = 1.3 + h + z
        log_ratio = 0.5 * x**2 - 0.5 * z**2  # log of p_model/p_real at x
        return float((weights * np.logaddexp(0.0, log_ratio)).sum() / weights.sum())

    slope, error = extrapolated_slope(loss)
    frozen = log_d_slope(real, model, (1.0, 0.0))
    return (replace(relation, lhs=slope, rhs=frozen, budget=4 * error + 1e-9), guard)


CLAIMS = (
    Claim(
        id="arjovsky_bottou_2_4",
        title="A good discriminator gives no gradient",
        statement=r"\Vert D - D^* \Vert < e \implies "
        r"\Vert \nabla_\theta E \log(1 - D(g_\theta(Z))) \Vert < M \frac{e}{1 - e}",
        summary="disjoint supports: |grad E log(1-D)| < M e/(1-e)",
        inequality=r"\sup(|D - D^*| + \Vert \nabla D - \nabla D^* \Vert) \le e, \quad "
        r"M^2 = E \Vert J_\theta g \Vert^2, \quad "
        r"\Vert \nabla_\theta E \log(1 - D(g_\theta(Z))) \Vert \le M \frac{e}{1 - e}",
        source="Arjovsky and Bottou 2017, arXiv:1701.04862, Theorem 2.4",
        hypotheses=("disjoint closed supports, so that D* = 0 around that of P_theta",),
        cases=100,
        check=check_no_gradient,
        domain="tanh networks and translations with values in R^3; e from 1e-6 to 0.3",
        false_variants=(
            rewritten("half of the bound holds", check_no_gradient, "|grad E", times(0.5)),
            FalseVariant("the supports may overlap", _overlapping),
        ),
    ),
    Claim(
        id="arjovsky_bottou_2_5",
        title="What the -log D loss descends",
        statement=r"E[-\nabla_\theta \log D^*(g_\theta(Z))] = "
        r"\nabla_\theta [KL(P_\theta, P_r) - 2 JS(P_\theta, P_r)]",
        summary="E[-grad log D*(g)] = grad(KL - 2 JS), D* frozen",
        inequality=r"E[-\nabla_\theta \log D^*(g_\theta(Z))] = "
        r"\nabla_\theta [KL(P_\theta, P_r) - 2 JS(P_\theta, P_r)] \text{ within } 10^{-5}",
        source="Arjovsky and Bottou 2017, arXiv:1701.04862, Theorem 2.5",
        hypotheses=("D* is frozen at the current theta", "the halved JS: see erratum_1"),
        cases=50,
        check=check_log_d,
        domain="normal laws of means of order 1, deviations from 0.63 to 1.6",
        false_variants=(
            rewritten("the loss climbs", check_log_d, "E[-grad", times(-1.0)),
            FalseVariant("with JS not halved", _whole_js),
            FalseVariant("D* may move with theta", _not_frozen),
        ),
    ),
)
