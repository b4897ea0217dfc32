r"""Corollary 1: feed-forward generators satisfy the hypotheses of Theorem 1, with a constant."""

import math

import numpy as np

from .. import Discrete, wasserstein1
from .._typing import Float64Array
from ..problems import random_measures
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most
from ._distances import distance, norm
from ._networks import ACTIVATIONS, Network
from ._theorem_1 import latent
from ._variants import rewritten, times


def parameter_bound(s: Network, t: Network, z: Float64Array, masses: Float64Array) -> float:
    r"""E norm(g_t - g_s) at most sum_k (prod_{l>k} |W_l^s|) (|dW_k| E|h_{k-1}^t| + |db_k|)."""
    outputs, norms = t.hidden(z), s.spectral_norms()
    total = 0.0
    for k, (weight, bias) in enumerate(zip(t.weights, t.biases, strict=True)):
        mean = math.fsum(masses * norm(outputs[k]))
        change = np.linalg.norm(weight - s.weights[k], 2) * mean + norm(bias - s.biases[k])
        total += math.prod(norms[k + 1 :]) * float(change)
    return total


def moment_relations(
    network: Network, z: Float64Array, masses: Float64Array
) -> tuple[Relation, ...]:
    """E norm(h_k) <= norm(W_k) E norm(h_{k-1}) + norm(b_k) + norm(sigma(0)), layer by layer."""
    sigma, _ = ACTIVATIONS[network.activation]
    means = [math.fsum(masses * norm(output)) for output in network.hidden(z)]
    relations = []
    for k, size in enumerate(network.spectral_norms()):
        last = k + 1 == len(network.weights)
        origin = 0.0 if last else norm(sigma(np.zeros(network.biases[k].size)))
        bound = size * means[k] + float(norm(network.biases[k]) + origin)
        relations.append(
            at_most(
                "E|h_k| <= |W_k| E|h_k-1| + |b_k| + |sigma(0)|",
                means[k + 1],
                bound,
                32 * ULP * bound,
            )
        )
    return tuple(relations)


def check_corollary_1(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Two networks of 1 to 3 layers, near or far from each other."""
    z, masses = latent(rng)
    widths = (2, *(int(width) for width in rng.integers(2, 6, size=int(rng.integers(0, 3)))), 3)
    activation = str(rng.choice(["tanh", "relu", "softplus"]))
    s, direction = (Network.draw(rng, widths, activation) for _ in range(2))
    target, _ = random_measures(rng, dimension=3)
    if index % 4 == 0:  # only the last bias moves: seen from P_s, this reaches the bound
        direction, target = direction.last_bias_only(), Discrete(s(z), masses)
    t = s.moved(direction, 10.0 ** rng.uniform(-6, 0))
    first = distance(target, Discrete(s(z), masses))
    second = distance(target, Discrete(t(z), masses))
    bound = parameter_bound(s, t, z, masses)
    mean_change = math.fsum(masses * norm(t(z) - s(z)))
    rounding = 64 * ULP * (bound + float(norm(t(z)).max()))
    return (
        at_most("|W(t) - W(s)| <= bound", abs(first.value - second.value), bound,
                first.error + second.error + rounding),
        at_most("E|g_t - g_s| <= bound", mean_change, bound, rounding),
        *moment_relations(t, z, masses),
    )  # fmt: skip


def _forgets_origin(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Softplus of nearly nothing is log 2, not nearly nothing."""
    _ = index
    z, masses = latent(rng)
    network = Network.draw(rng, (2, 3, 3), "softplus")
    small = network.moved(network, -0.99)
    mean = math.fsum(masses * norm(small.hidden(z)[1]))
    inward = small.spectral_norms()[0] * math.fsum(masses * norm(z))
    bound = inward + float(norm(small.biases[0]))
    return (at_most("E|h_k| <= |W_k| E|h_k-1| + |b_k|", mean, bound, 32 * ULP * bound),)


def _steep(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """One SELU unit, whose slope left of 0 reaches 1.76, and a change of its bias."""
    _ = index
    bias, change = -(10.0 ** rng.uniform(-4, -2)), -(10.0 ** rng.uniform(-4, -2))
    units = 1.0507009873554805 * 1.6732632423543772 * np.expm1([[bias], [bias + change]])
    value = wasserstein1(Discrete(units[:1]), Discrete(units[1:]))
    return (at_most("|W(t) - W(s)| <= bound", value, abs(change), 64 * ULP),)


CLAIMS = (
    Claim(
        id="corollary_1",
        title="Feed-forward generators",
        statement=r"g_\theta \text{ feed-forward},\ E\lVert Z \rVert < \infty \implies "
        r"W(P_r, P_\theta) \text{ continuous everywhere, differentiable a.e.}",
        summary="networks: W changes by at most a parameter norm",
        inequality=r"|W(t) - W(s)| \le \sum_k \Bigl(\prod_{l>k} \lVert W_l^s \rVert_2\Bigr) "
        r"\bigl(\lVert W_k^t - W_k^s \rVert_2\, E\lVert h_{k-1}^t \rVert + "
        r"\lVert b_k^t - b_k^s \rVert\bigr)",
        source="section 2, Corollary 1, with its constant worked out",
        hypotheses=(
            "affine maps and 1-Lipschitz nonlinearities (tanh, ReLU, softplus)",
            "E norm(Z) finite",
        ),
        cases=100,
        check=check_corollary_1,
        domain="networks of 1 to 3 layers, widths 2 to 5, Z of up to 8 atoms; steps from 1e-6 to 1",
        false_variants=(
            rewritten("half of the bound holds", check_corollary_1, "|W(t) - W(s)|", times(0.5)),
            FalseVariant("sigma(0) may be forgotten in E norm(h_k)", _forgets_origin),
            FalseVariant("nonlinearities steeper than 1 may be counted as 1 (SELU)", _steep),
            FalseVariant("E min(norm(Z), 1) does instead of E norm(Z)", _necessity.heavy_tails),
        ),
    ),
)
