r"""What fails where a hypothesis is dropped: problems that obey all of a claim's others.

Each function is the check of a false variant: it states the claim's conclusion on a problem that
one hypothesis excludes.
"""

import math
from typing import Any

import numpy as np

from .. import Discrete, optimal_transport, total_variation, wasserstein1
from .._typing import Float64Array
from ..problems import random_measures, vector_pair
from ._binomial import count_range
from ._claim import ULP, Relation, at_most, equal
from ._distances import distance, norm

STEP = 1e-6
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def jumping_generator(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """g_t(z) = z + 1(t > 0) is not continuous at t = 0, and neither is W."""
    _ = index
    law, _other = random_measures(rng)
    t = 10.0 ** rng.uniform(-9, -3)
    jumped = Discrete(law.points + 1.0, law.weights)
    w = distance(law, jumped)
    name = "|W(P_0, P_t) - W(P_0, P_0)| <= sqrt(t), t -> 0"
    return (at_most(name, w.value, math.sqrt(t), w.error),)


def heavy_tails(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Z = n^2 with mass 1/n, g_t(z) = t z: Z -> 0 in law, and W(t) - W(0) = t n."""
    _ = index
    n, t = float(rng.integers(2, 10**4)), 10.0 ** rng.uniform(-3, 0)
    masses = np.array([1.0 - 1.0 / n, 1.0 / n])
    w = float(wasserstein1(Discrete([0.0, t * n * n], masses), Discrete([0.0])))
    name = "|W(t) - W(s)| <= |t - s| E min(|Z|, 1)"
    return (at_most(name, w, t / n, 16 * ULP * w),)


def far_mass(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """C5: mass 1/n at n^2 has TV = 1/n -> 0 and W = n."""
    _ = index
    n = float(rng.integers(2, 10**6))
    p, q = Discrete([0.0, n * n], np.array([1.0 - 1.0 / n, 1.0 / n])), Discrete([0.0])
    tv, w = float(total_variation(p, q)), float(wasserstein1(p, q))
    return (at_most("W <= 2 sqrt(TV)", w, 2.0 * math.sqrt(tv), 16 * ULP * w),)


def _square(rng: np.random.Generator) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Two opposite corners of a square against the others, and an edge: both plans are optimal."""
    angle = rng.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    side = rng.uniform(0.5, 2.0)
    x = np.array([[0.0, 0.0], [side, side]]) @ turn.T
    y = np.array([[side, 0.0], [0.0, side]]) @ turn.T
    return x, y, turn[:, 0]


def tied_plans(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A corner moves along an edge: one plan's cost rises with slope 1/2, the other's stays."""
    _ = index
    x, y, edge = _square(rng)
    result: Any = optimal_transport(x, y)
    steps = y[None, :, :] - x[:, None, :]
    units = steps / norm(steps)[..., None]
    slope = float(np.einsum("ij,ijd->jd", result.plan.toarray(), units)[0] @ edge)
    return _one_sided(x, y, edge, slope)


def tied_plans_autograd(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The same, with the slope that ``backward()`` gives."""
    import torch

    _ = index
    x, y, edge = _square(rng)
    points = torch.tensor(y, requires_grad=True)
    value: Any = wasserstein1(torch.tensor(x), points)
    (gradient,) = torch.autograd.grad(value, points)
    return _one_sided(x, y, edge, float(gradient.numpy()[0] @ edge))


def shared_point(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """y_1 starts at x_1: W grows on either side, so no number is its derivative."""
    _ = index
    x = rng.normal(size=(int(rng.integers(1, 6)), 2)) * 10.0
    direction = rng.normal(size=2)
    return _one_sided(x, x.copy(), direction / norm(direction), 0.0)


def _one_sided(
    x: Float64Array, y: Float64Array, direction: Float64Array, slope: float
) -> tuple[Relation, ...]:
    """Left and right slope of W as y_1 moves along ``direction``, against one number."""

    def along(h: float) -> float:
        moved = y.copy()
        moved[0] += h * direction
        return float(wasserstein1(x, moved))

    middle = along(0.0)
    right, left = (along(STEP) - middle) / STEP, (middle - along(-STEP)) / STEP
    budget = 10.0 * STEP + 64 * ULP * (1.0 + middle) / STEP
    return (
        equal("grad W . v = dW(theta + h v)/dh from the right", slope, right, budget),
        equal("grad W . v = dW(theta + h v)/dh from the left", slope, left, budget),
    )


def _selu(u: Float64Array) -> Float64Array:
    return SELU_SCALE * np.where(u > 0, u, SELU_ALPHA * np.expm1(np.minimum(u, 0.0)))


def steep_critic(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A critic c selu(c x): the slope left of 0 is 1.76 c^2."""
    _ = index
    c = 10.0 ** rng.uniform(-2, 0)
    x, y = -rng.uniform(0, 0.1, size=2)
    first, second = c * _selu(np.array([c * x, c * y]))
    return (
        at_most("|f(x) - f(y)| <= prod c sqrt(n_l n_l-1) |x - y|", abs(first - second),
                c * c * abs(x - y), 64 * ULP * c),
    )  # fmt: skip


def steep_generator(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A SELU of torch between two layers, and a change of the first one's bias."""
    import torch
    from torch import nn

    _ = index
    first = nn.Linear(1, 1)
    network = nn.Sequential(first, nn.SELU(), nn.Linear(1, 1)).double()
    change = -(10.0 ** rng.uniform(-4, -2))
    z, laws = torch.tensor(rng.uniform(-1e-3, 0.0, size=(3, 1))), []
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1.0)
        for bias in (-1e-3, -1e-3 + change):
            first.bias.fill_(bias)
            laws.append(Discrete(network(z).numpy()))
    w = distance(*laws)
    return (at_most("W(P_t, P_s) <= bound", w.value, abs(change), w.error),)


def open_units(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Biases so large that all units are open: no half of the gradient is lost in a layer."""
    _ = index
    depth, width, inputs, networks = 6, 64, 4, 40
    c = 10.0 ** rng.uniform(-2, 0)
    moment = inputs * c * c * (width * c * c / 2.0) ** (depth - 1)
    shapes = [(width, inputs), *[(width, width)] * (depth - 2), (1, width)]
    many = 0
    for _network in range(networks):
        back = np.ones((1, 1))
        for shape in reversed(shapes):
            back = back @ (c * rng.choice([-1.0, 1.0], size=shape))
        many += bool((back**2).sum() >= 2.0 * moment)
    most = count_range(networks, 0.5)[1]
    return (at_most("#(|grad f|^2 >= 2 n_0 c^2 (n c^2/2)^(L-1)) by Markov", many, most),)


def _steps_until_saturation(rng: np.random.Generator, *, warm: bool, steady: bool) -> int:
    """RMSProp steps of a linear critic with clipping to 20 rates; warm after large gradients."""
    import torch

    from ..dual import WeightClipping, ascent_step
    from ._clipping_steps import linear_critic

    rate, c = 1e-3, 20e-3
    y = torch.tensor(rng.normal(size=(5, 2)))
    x, critic = y + 0.1, linear_critic(2)
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=rate, alpha=0.9)
    if warm:
        ascent_step(critic, optimizer, y + 100.0, y, WeightClipping(c))
        with torch.no_grad():
            critic.weight.zero_()
    for step in range(1, 61):
        pair = (x, y) if steady or step % 2 else (y, x)
        ascent_step(critic, optimizer, *pair, WeightClipping(c))
        if bool((critic.weight.detach().abs() == c).all()):
            return step
    return 61


def warm_start(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A large gradient is remembered: the steps after it are small."""
    _ = index
    counted = _steps_until_saturation(rng, warm=True, steady=True)
    return (at_most("steps until saturation <= c/rate + 1", counted, 21.0),)


def restless_gradient(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A gradient whose sign alternates moves the weights to and fro."""
    _ = index
    counted = _steps_until_saturation(rng, warm=False, steady=False)
    return (at_most("steps until saturation <= c/rate + 1", counted, 21.0),)


def point_mass_data(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Data in one point: the collapsed generator is right."""
    _ = index
    other, _unused = random_measures(rng)
    data = Discrete(other.points[:1] + 10.0)
    result: Any = optimal_transport(data, other)
    candidates = np.concatenate([data.points, other.points])
    collapsed = candidates[int(np.asarray(result.critic(candidates)).argmax())]
    w = distance(data, Discrete(collapsed[None, :]))
    return (at_most("the collapsed law has W > 0", 1e-9, w.value),)


def collapsed_at_the_median(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The generator sits at the median of three points on a line, the best point mass."""
    _ = index
    line = np.sort(rng.normal(size=3))[:, None]
    h = 1e-3 * float(np.diff(line[:, 0]).min())
    data, at_median = Discrete(line), distance(Discrete(line), Discrete(line[1:2]))
    moved = [distance(data, Discrete(line[1:2] + s * h)).value for s in (-1.0, 1.0)]
    name = "re-optimised critic: a step h lowers W by h/10 or more"
    return (at_most(name, 0.1 * h, at_median.value - min(moved), 4 * at_median.error),)


def not_convex(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """f(1 + u) = u^4 - u^2, whose conjugate at f'(1) = 0 is 1/4: for P = Q the dual stays below."""
    _ = index
    p = vector_pair(rng).p
    conjugate = 0.25  # the largest value of u^2 - u^4
    dual = math.fsum(-p * conjugate)
    return (equal("T = f'(p/q) attains D_f", dual, 0.0, 64 * ULP),)


def not_zero_at_one(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """f(t) = t log t + 1: equal laws have D_f = 1."""
    _ = index
    p = vector_pair(rng).p
    ratio = np.ones_like(p)
    value = math.fsum(p * (ratio * np.log(ratio) + 1.0))
    return (equal("D_f(P, P) = 0", value, 0.0, 64 * ULP),)


def any_discriminator(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A random f in [0, m] instead of the best."""
    _ = index
    pair, m = vector_pair(rng, "generic"), 10.0 ** rng.uniform(-2, 2)
    f = rng.uniform(0, m, size=pair.p.size)
    gap = math.fsum((pair.p - pair.q) * f)
    bound = m * float(total_variation(pair.p, pair.q))
    return (equal("E_P f - E_Q f = m TV", gap, bound, 64 * ULP * m),)
