r"""Section 3's critics: the slope of an optimal one, the Lipschitz constant of a clipped one."""

import math
from typing import Any

import numpy as np

from .. import Discrete, optimal_transport
from ..problems import random_measures
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import cross_distances, distance, norm
from ._networks import Network
from ._variants import rewritten, times


def check_slope(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A critic falls with slope 1 along the segments between coupled points."""
    _ = index
    p, q = random_measures(rng)
    result: Any = optimal_transport(p, q)
    plan = result.plan.toarray()
    lengths = cross_distances(p.points, q.points)
    # A pair of mass m may miss tightness by gap/m: take pairs that carry a part of the mass.
    rows, columns = np.nonzero(plan > 1e-3)
    s, t = np.sort(rng.uniform(size=(2, len(rows), 1)), axis=0)
    x, y = p.points[rows], q.points[columns]
    first, second = result.critic((1 - s) * x + s * y), result.critic((1 - t) * x + t * y)
    expected = (t - s)[:, 0] * lengths[rows, columns]
    rounding = 64 * ULP * float(lengths.max() + np.abs(first).max())
    budget = 2e3 * max(float(result.gap), 0.0) + rounding
    return tuple(
        equal("f(x_s) - f(x_t) = (t - s) |x - y|", fall, rise, budget)
        for fall, rise in zip(first - second, expected, strict=True)
    )


def check_clipping(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The Lipschitz constant of a network whose entries are clipped, and W1 from below."""
    _ = index
    p, q = random_measures(rng)
    width, depth = int(rng.integers(1, 17)), int(rng.integers(1, 4))
    widths = (p.dimension, *(width,) * depth, 1)
    critic = Network.draw(rng, widths, str(rng.choice(["relu", "tanh"])))
    c = 10.0 ** rng.uniform(-2, 0)
    clipped = Network(
        tuple(np.clip(w * 10, -c, c) for w in critic.weights),
        tuple(np.clip(b * 10, -c, c) for b in critic.biases),
        critic.activation,
    )
    points = np.concatenate([p.points, q.points])
    values = clipped(points)[:, 0]
    product = math.prod(clipped.spectral_norms())
    frobenius = math.prod(c * math.sqrt(w.size) for w in clipped.weights)
    apart = cross_distances(points, points) + np.eye(len(points))
    steepest = float((np.abs(values[:, None] - values) / apart).max())
    gap = abs(math.fsum(np.concatenate([p.weights, -q.weights]) * values))
    value = distance(p, q)
    rounding = 64 * ULP * (float(np.abs(values).max()) + product)
    nearest = float((cross_distances(points, points) + 1e9 * np.eye(len(points))).min())
    return (
        at_most("|f(x) - f(y)| <= prod |W_l| |x - y|", steepest, product, rounding / nearest),
        at_most("prod |W_l| <= prod c sqrt(n_l n_l-1)", product, frobenius, 32 * ULP * frobenius),
        at_most("critic gap <= prod |W_l| W", gap, product * value.value,
                product * value.error + rounding),
        *_linear_critic(p, c),
    )  # fmt: skip


def _linear_critic(p: Discrete, c: float) -> tuple[Relation, ...]:
    """One layer with all entries c reaches both bounds on a translation along (1, ..., 1)."""
    critic = Network((np.full((1, p.dimension), c),), (np.zeros(1),), "identity")
    shifted = p.points - 0.5
    gap = math.fsum(p.weights * (critic(p.points) - critic(shifted))[:, 0])
    value = distance(p, Discrete(shifted, p.weights))
    bound = c * math.sqrt(p.dimension)
    rounding = bound * value.error + 64 * ULP * bound * (1.0 + float(norm(p.points).max()))
    return (equal("one layer of entries c: gap = c sqrt(d) W", gap, bound * value.value, rounding),)


def _uncoupled(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Slope 1 between every x and every y."""
    _ = index
    p, q = random_measures(rng, size=5)
    result: Any = optimal_transport(p, q)
    falls = result.critic(p.points)[:, None] - result.critic(q.points)
    off = float(np.abs(falls - cross_distances(p.points, q.points)).max())
    return (equal("f(x) - f(y) = |x - y| for all x, y", off, 0.0, 1e-6),)


def _bare_limit(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """One layer of d inputs with all entries c has the constant c sqrt(d)."""
    _ = index
    c, dimension = 10.0 ** rng.uniform(-2, 0), int(rng.integers(2, 6))
    return (at_most("Lip f <= c", float(norm(np.full(dimension, c))), c, ULP),)


def _reshaped_kernel(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A kernel (c, c, c) turns the constant signal 1 into 3 c: its norm sqrt(3) c is no bound."""
    _ = index
    c, size = 10.0 ** rng.uniform(-2, 0), int(rng.integers(8, 33))
    signal, kernel = np.ones(size), np.full(3, c)
    image = np.convolve(np.concatenate([signal, signal[:2]]), kernel, mode="valid")
    bound = float(norm(kernel) * norm(signal))
    return (at_most("|k * x| <= |k| |x|", float(norm(image)), bound, 64 * ULP * bound),)


def _batch_norm(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Maps x to gamma (x - mean)/sqrt(var + eps), gamma = c, fitted to narrow data."""
    _ = index
    c, spread = 10.0 ** rng.uniform(-2, 0), 10.0 ** rng.uniform(-2, -1)
    x, y = rng.normal(size=2) * spread
    rise = c * abs(x - y) / math.sqrt(spread**2 + 1e-5)
    return (at_most("|f(x) - f(y)| <= c |x - y|", rise, c * abs(x - y), ULP),)


CLAIMS = (
    Claim(
        id="optimal_critic",
        title="The optimal critic's slope",
        statement=r"\lVert \nabla f(x_t) \rVert = 1 \text{ at } x_t = (1 - t) x + t y, "
        r"\ (x, y) \sim \pi",
        summary="an optimal critic falls with slope 1 from x to y",
        inequality=r"f(x_s) - f(x_t) = (t - s) \lVert x - y \rVert \text{ where } \pi(x, y) > 0",
        source="Gulrajani et al. 2017, arXiv:1704.00028, Proposition 1",
        hypotheses=("x and y are coupled by the optimal plan",),
        cases=60,
        check=check_slope,
        domain="laws of up to 10 atoms in R^1 to R^5; pairs that carry more than 1e-3",
        false_variants=(
            rewritten("the slope is 1/2", check_slope, "f(x_s)", times(0.5)),
            FalseVariant("the slope is 1 between points that are not coupled", _uncoupled),
        ),
    ),
    Claim(
        id="weight_clipping",
        title="Weight clipping bounds the Lipschitz constant",
        statement=r"w \in [-c, c]^l \implies f_w \text{ is } K\text{-Lipschitz}, "
        r"\ K \text{ depending on the architecture and } c \text{ only}",
        summary="clipped: Lip f <= prod |W_l| <= prod c sqrt(n n')",
        inequality=r"\operatorname{Lip} f \le \prod_l \lVert W_l \rVert_2 \le "
        r"\prod_l c \sqrt{n_l n_{l-1}}, \quad E_P f - E_Q f \le W \prod_l \lVert W_l \rVert_2",
        source="section 3, the paragraph on clipping",
        hypotheses=(
            "dense layers (for convolutions the norm is that of the operator)",
            "1-Lipschitz activations, no batch normalisation",
        ),
        cases=100,
        check=check_clipping,
        domain="networks of 1 to 3 hidden layers, widths to 16, ReLU or tanh; c from 0.01 to 1",
        false_variants=(
            rewritten("one layer: gap = c sqrt(d) W / 2", check_clipping, "one layer", times(0.5)),
            FalseVariant("Lip f <= c for every architecture", _bare_limit),
            FalseVariant(
                "a convolution's constant is the norm of its reshaped kernel", _reshaped_kernel
            ),
            FalseVariant("clipping bounds a batch normalisation in evaluation mode", _batch_norm),
            FalseVariant(
                "activations steeper than 1 may be counted as 1 (SELU)", _necessity.steep_critic
            ),
        ),
    ),
)
