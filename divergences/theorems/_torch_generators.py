r"""Corollary 1 on generators as they are trained: multilayer perceptrons and convolutions in torch.

A layer that is affine, dense or convolutional, is one matrix and one vector: its images of the
unit vectors. So a torch generator becomes the `Network` that the bound is stated for.
"""

import math
from typing import Any

import numpy as np

from .. import Discrete, wasserstein1
from .._typing import Float64Array
from ..problems import random_measures
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._corollary_1 import moment_relations, parameter_bound
from ._distances import distance, norm
from ._networks import Network
from ._theorem_1 import latent
from ._variants import rewritten, times

LAYERS = {"tanh": "Tanh", "relu": "ReLU", "softplus": "Softplus"}
SIDE, CHANNELS = 2, 2


def build(rng: np.random.Generator, kind: str, activation: str) -> Any:
    """A generator from R^2: to R^3 by dense layers, to images of 4 x 4 by convolutions."""
    from torch import nn

    def sigma() -> Any:
        return getattr(nn, LAYERS[activation])()

    if kind == "dense":
        width = int(rng.integers(3, 9))
        layers = [nn.Linear(2, width), sigma(), nn.Linear(width, width), sigma(),
                  nn.Linear(width, 3)]  # fmt: skip
    else:
        layers = [
            nn.Linear(2, CHANNELS * SIDE**2), sigma(), nn.Unflatten(1, (CHANNELS, SIDE, SIDE)),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), sigma(),
            nn.ConvTranspose2d(CHANNELS, 1, 4, stride=2, padding=1), nn.Flatten(),
        ]  # fmt: skip
    generator = nn.Sequential(*layers).double()
    set_parameters(generator, draw_parameters(rng, generator))
    return generator


def draw_parameters(rng: np.random.Generator, generator: Any) -> list[Float64Array]:
    """Normal parameters of a size that keeps the outputs of order 1; torch's own state is left."""
    shapes = [tuple(parameter.shape) for parameter in generator.parameters()]
    return [
        rng.normal(size=shape) / math.sqrt(max(1.0, math.prod(shape) / shape[0]))
        for shape in shapes
    ]


def set_parameters(generator: Any, values: list[Float64Array]) -> None:
    """Copy ``values`` into the generator."""
    import torch

    with torch.no_grad():
        for parameter, array in zip(generator.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(np.asarray(array)))


def image(generator: Any, z: Float64Array) -> Float64Array:
    """The generator's values on the rows of ``z``."""
    import torch

    with torch.no_grad():
        return np.asarray(generator(torch.tensor(z)).numpy())


def as_network(generator: Any, activation: str) -> Network:
    """The same map as matrices and vectors, by the images of the unit vectors and of 0."""
    import torch
    from torch import nn

    weights, biases, shape = [], [], (2,)
    with torch.no_grad():
        for layer in generator:
            size = math.prod(shape)
            basis = torch.cat([torch.zeros(1, size), torch.eye(size)]).double()
            images = layer(basis.reshape(size + 1, *shape))
            shape = tuple(images.shape[1:])
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                rows = images.reshape(size + 1, -1).numpy()
                weights.append((rows[1:] - rows[0]).T)
                biases.append(rows[0])
    return Network(tuple(weights), tuple(biases), activation)


def check_generators(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The bound, the moments and the two-sided slopes of a dense or convolutional generator."""
    kind, activation = ("dense", "convolutional")[index % 2], list(LAYERS)[index % 3]
    z, masses = latent(rng)
    generator = build(rng, kind, activation)
    here = [parameter.detach().numpy().copy() for parameter in generator.parameters()]
    direction = draw_parameters(rng, generator)
    dimension = image(generator, z).shape[1]
    target, _ = random_measures(rng, dimension=dimension)
    if index % 4 == 0:  # only the output's bias moves, seen from P_s: the bound is reached
        direction = [*(np.zeros_like(part) for part in direction[:-1]), direction[-1]]
        target = Discrete(image(generator, z), masses)
    step = 10.0 ** rng.uniform(-4, 0)
    s, first = as_network(generator, activation), image(generator, z)
    set_parameters(generator, [a + step * d for a, d in zip(here, direction, strict=True)])
    t, second = as_network(generator, activation), image(generator, z)
    bound = parameter_bound(s, t, z, masses)
    w = [distance(target, Discrete(points, masses)) for points in (first, second)]
    size = float(norm(np.concatenate([first, second])).max()) + 1.0
    rounding = 256 * ULP * (bound + size)
    set_parameters(generator, here)
    data, _ = random_measures(rng, dimension=dimension)
    return (
        equal("generator = its matrices", float(np.abs(t(z) - second).max()), 0.0,
              256 * ULP * size),
        at_most("|W(t) - W(s)| <= bound", abs(w[0].value - w[1].value), bound,
                w[0].error + w[1].error + rounding),
        at_most("E|g_t - g_s| <= bound", math.fsum(masses * norm(first - second)), bound, rounding),
        slope_relation(generator, activation, z, masses, data, draw_parameters(rng, generator)),
        *moment_relations(t, z, masses),
    )  # fmt: skip


def slope_relation(
    generator: Any,
    activation: str,
    z: Float64Array,
    masses: Float64Array,
    data: Discrete,
    v: list[Float64Array],
) -> Relation:
    """Left and right slope of W along ``v`` against backward() through wasserstein1.

    At a point of differentiability both differ from it by a multiple of h, until rounding; at a
    kink one of them never comes close. The best h from 1e-3 to 1e-8 counts.
    """
    import torch

    value: Any = wasserstein1(torch.tensor(data.points), generator(torch.tensor(z)),
                              torch.tensor(data.weights), torch.tensor(masses))  # fmt: skip
    gradients = torch.autograd.grad(value, list(generator.parameters()))
    slope = math.fsum(float((g.numpy() * d).sum()) for g, d in zip(gradients, v, strict=True))

    here = as_network(generator, activation)  # linear in the parameters, as is the direction
    set_parameters(generator, v)
    direction = as_network(generator, activation)

    def along(h: float) -> float:
        return float(wasserstein1(data, Discrete(here.moved(direction, h)(z), masses)))

    middle, worst = along(0.0), math.inf
    for h in (10.0**-k for k in range(3, 9)):
        right, left = (along(h) - middle) / h, (middle - along(-h)) / h
        worst = min(worst, max(abs(right - slope), abs(left - slope)))
    length = math.sqrt(math.fsum(float((d**2).sum()) for d in v))
    return at_most("left and right slope = backward()", worst, 1e-4 * length)


def _kink(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A ReLU unit whose input is 0 for every z: W has slope 0 on one side only."""
    from torch import nn

    _ = index
    z, masses = latent(rng)
    generator = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    set_parameters(generator, [np.zeros((1, 2)), np.zeros(1), np.ones((1, 1)), np.zeros(1)])
    data = Discrete(rng.uniform(-2, -1, size=(3, 1)))
    return (
        slope_relation(
            generator,
            "relu",
            z,
            masses,
            data,
            [np.zeros((1, 2)), np.ones(1), np.zeros((1, 1)), np.zeros(1)],
        ),
    )


def _reshaped_kernel(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A convolution of ones, measured by the norm of its kernel as a 1 x 9 matrix."""
    import torch
    from torch import nn

    _ = index
    layer = nn.Conv2d(1, 1, 3, padding=1).double()
    set_parameters(layer, [np.ones((1, 1, 3, 3)), np.zeros(1)])
    s = torch.tensor(rng.uniform(1.0, 2.0, size=(1, 1, 4, 4)))
    with torch.no_grad():
        first, second = (layer(x).numpy().reshape(1, -1) for x in (s, s + 0.1))
    w = distance(Discrete(first), Discrete(second))
    return (at_most("|W(t) - W(s)| <= |kernel|_2 |h_t - h_s|", w.value, 3.0 * 0.4, w.error),)


CLAIMS = (
    Claim(
        id="corollary_1_torch",
        title="Dense and convolutional generators in torch",
        statement=r"g_\theta \text{ feed-forward}, \ E \Vert Z \Vert < \infty \implies "
        r"W(P_r, P_\theta) \text{ continuous everywhere, differentiable a.e.}",
        summary="torch nets: parameter bound; slopes = backward()",
        inequality=r"|W(t) - W(s)| \le \sum_k (\prod_{l>k} \Vert W_l^s \Vert_2) "
        r"(\Vert W_k^t - W_k^s \Vert_2\, E \Vert h_{k-1}^t \Vert + \Vert b_k^t - b_k^s \Vert), "
        r"\quad \lim_{h \to 0^\pm} \frac{W(\theta + h v) - W(\theta)}{h} = \nabla W \cdot v",
        source="section 2, Corollary 1, with its constant worked out",
        hypotheses=(
            "affine layers (dense, convolutions, transposed convolutions), 1-Lipschitz activations",
            "E norm(Z) finite",
        ),
        cases=50,
        check=check_generators,
        domain="perceptrons R^2 -> R^3, convolutional R^2 -> 4 x 4; tanh, ReLU, softplus",
        false_variants=(
            rewritten("half of the bound holds", check_generators, "|W(t) - W(s)|", times(0.5)),
            FalseVariant("W is differentiable at every theta", _kink),
            FalseVariant("a convolution's norm is that of its reshaped kernel", _reshaped_kernel),
            FalseVariant(
                "activations steeper than 1 may be counted as 1 (SELU)", _necessity.steep_generator
            ),
            FalseVariant("E min(norm(Z), 1) does instead of E norm(Z)", _necessity.heavy_tails),
        ),
        requires=("torch",),
    ),
)
