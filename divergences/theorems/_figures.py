r"""What Figures 1 and 2 show, as relations between computed numbers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .. import Normal, js_divergence, optimal_transport, wasserstein1
from .._typing import Array
from ..problems import parallel_lines
from ._claim import ULP, Claim, Relation, at_most, equal
from ._variants import rewritten, value

LOG_2 = math.log(2.0)


def check_figure_1(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The two curves on a random grid of displacements, symmetric about 0."""
    _ = index
    half = np.sort(10.0 ** rng.uniform(-8, 0, size=3))
    grid = np.concatenate([-half[::-1], [0.0], half])
    pairs = [parallel_lines(rng, float(theta), size=5).measures for theta in grid]
    w = np.array([float(wasserstein1(p, q)) for p, q in pairs])
    js = np.array([float(js_divergence(p, q)) for p, q in pairs])
    slopes = np.diff(w) / np.diff(grid)
    error = 8 * ULP * float((np.abs(grid[:-1]) + np.abs(grid[1:])).max() / np.diff(grid).min())
    steepest = float(np.abs(np.abs(slopes) - 1.0).max())
    return (
        equal("W has slope -1, then +1", float(np.sign(slopes).sum()), 0.0),
        equal("every slope of W is 1 in magnitude", steepest, 0.0, error),
        equal("W(0) = 0", w[3], 0.0),
        equal("W(-theta) = W(theta)", float(np.abs(w - w[::-1]).max()), 0.0, 8 * ULP * w.max()),
        equal("JS(0) = 0", js[3], 0.0),
        equal("the step of JS is log 2", float(np.ptp(js)), LOG_2, float(np.spacing(LOG_2))),
        equal("JS is flat off 0", float(np.ptp(np.delete(js, 3))), 0.0),
    )


def log_generator_loss(x: Array, theta: float) -> Array:
    """log(1 - D*) at ``x`` for N(0,1) against N(theta,1): minus log(1 + p_r/p_theta)."""
    log_ratio = 0.5 * (x - theta) ** 2 - 0.5 * x**2
    return -np.log1p(np.exp(log_ratio))


def saturation(theta: float) -> float:
    """The gradient of `log_generator_loss` at x = theta: theta / (1 + exp(theta^2/2))."""
    return theta * math.exp(-(theta**2) / 2) / (1.0 + math.exp(-(theta**2) / 2))


def check_figure_2(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Two unit normals theta apart: the discriminator's gradient dies, the critic's does not."""
    theta = float(index) if 0 < index <= 10 else float(rng.uniform(0.5, 12.0))
    imaginary = 1e-20  # differentiation by a complex step: no cancellation
    gradient = float(np.imag(log_generator_loss(complex(theta, imaginary), theta))) / imaginary
    real, generated = Normal(0.0, 1.0), Normal(theta, 1.0)
    w, further = wasserstein1(real, generated), wasserstein1(real, Normal(theta + 0.25, 1.0))
    js = float(js_divergence(real, generated))
    samples = rng.normal(size=(12, 1))
    critic: Any = optimal_transport(samples, samples + theta).critic
    s, t = np.sort(rng.uniform(samples.min(), samples.max() + theta, size=2))
    fall = float(critic(np.array([[s]]))[0] - critic(np.array([[t]]))[0])
    size = float(np.abs(samples).max()) + theta
    return (
        equal("|grad log(1-D*)| = theta/(1+exp(theta^2/2))", gradient, saturation(theta),
              8 * ULP * (1 + theta**2) * saturation(theta)),
        at_most("log 2 - JS <= log 2 exp(-theta^2/8)", LOG_2 - js,
                LOG_2 * math.exp(-(theta**2) / 8), 4 * ULP),
        equal("W = theta", w, theta, 4 * np.spacing(theta)),
        equal("dW/dtheta = 1", (further - w) / 0.25, 1.0, 32 * ULP * (theta + 1)),
        *_steady_slope(fall, float(t - s), theta, samples, size),
    )  # fmt: skip


def _steady_slope(
    fall: float, length: float, theta: float, samples: Array, size: float
) -> tuple[Relation, ...]:
    """The critic of samples falls at slope 1 where the segments from x_i to x_i + theta reach."""
    rounding = 1e-12 * size
    relations = [at_most("the critic of samples is 1-Lipschitz", abs(fall), length, rounding)]
    if float(np.diff(np.sort(samples[:, 0])).max()) < theta:
        relations.append(equal("the critic of samples has slope 1", fall, length, rounding))
    return tuple(relations)


def _twice_the_rate(relation: Relation) -> Relation:
    return replace(relation, rhs=relation.rhs**2 / LOG_2)


def _bounded(relation: Relation) -> Relation:
    return replace(relation, rhs=min(relation.rhs, 5.0))


CLAIMS = (
    Claim(
        id="figure_1",
        title="W and JS against theta",
        statement=r"\theta \mapsto W(P_0, P_\theta) \text{ is a V},\ "
        r"\theta \mapsto JS(P_0, P_\theta) \text{ is a step of height } \log 2",
        summary="W is a V of slopes -1 and 1, JS a step of log 2",
        inequality=r"W(\theta) = |\theta|, \quad JS(\theta) = \log 2 \cdot 1_{\theta \ne 0}",
        source="section 2, Figure 1",
        hypotheses=("the parallel lines of Example 1",),
        cases=200,
        check=check_figure_1,
        domain="five atoms a line; six displacements from 1e-8 to 1, and 0",
        false_variants=(
            rewritten(
                "W is a smooth bowl: its slopes are not 1",
                check_figure_1,
                "every slope",
                value(0.5),
            ),
            rewritten("the step has height 1", check_figure_1, "the step of JS", value(1.0)),
        ),
    ),
    Claim(
        id="figure_2",
        title="The discriminator saturates, the critic does not",
        statement=r"|\nabla \log(1 - D^*)| \to 0 \text{ between two normal laws},\ "
        r"|\nabla f| = 1",
        summary="normals: grad log(1-D*) dies with theta, dW = 1",
        inequality=r"|\nabla_x \log(1 - D^*)(\theta)| = \frac{\theta}{1 + e^{\theta^2/2}}, \quad "
        r"\frac{dW}{d\theta} = 1, \quad \log 2 - JS \le \log 2 \cdot e^{-\theta^2/8}",
        source="section 3, Figure 2",
        hypotheses=("P_r = N(0, 1), P_theta = N(theta, 1)",),
        cases=50,
        check=check_figure_2,
        domain="theta from 0.5 to 12; critics of 12 samples",
        false_variants=(
            rewritten(
                "the discriminator's gradient does not vanish",
                check_figure_2,
                "|grad log(1-D*)|",
                value(1.0),
            ),
            rewritten(
                "JS -> log 2 at the rate exp(-theta^2/4)",
                check_figure_2,
                "log 2 - JS",
                _twice_the_rate,
            ),
            rewritten("W saturates at 5", check_figure_2, "W = theta", _bounded),
        ),
    ),
)
