r"""Theorem 3: the gradient of W1 in a generator's parameters.

The optimal critics of samples have kinks exactly at the data, so the gradient is read off the plan:

.. math:: \frac{\partial W}{\partial y_j}
          = \sum_i \pi_{ij} \frac{y_j - x_i}{\lVert y_j - x_i \rVert}, \qquad
          \nabla_\theta W = \sum_j J_\theta g(z_j)^\top \frac{\partial W}{\partial y_j},

valid where the optimal plan is unique and no x_i = y_j carries mass.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import Discrete, js_divergence, optimal_transport, total_variation, wasserstein1
from .._typing import Float64Array
from ..problems import parallel_lines, simplex_vector
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import cross_distances, norm
from ._networks import Network
from ._variants import rewritten, times, value

STEP = 1e-3
"""Of the finite differences: their truncation is STEP^4, their rounding eps/STEP, both 1e-13."""


@dataclass(frozen=True)
class Scene:
    """Data, a generator on latent atoms, and a direction in which its parameters move."""

    data: Discrete
    z: Float64Array
    masses: Float64Array
    network: Network
    direction: Network

    def law(self, step: float) -> Discrete:
        """The generator's law at theta + step * direction."""
        return Discrete(self.network.moved(self.direction, step)(self.z), self.masses)

    def plan(self, step: float) -> Float64Array:
        """The optimal plan there."""
        return np.asarray(optimal_transport(self.data, self.law(step)).plan.toarray())

    def wasserstein1(self, step: float) -> float:
        """W(data, generator) there."""
        return float(wasserstein1(self.data, self.law(step)))


def draw(rng: np.random.Generator) -> Scene:
    """A scene whose optimal plan keeps its support while theta moves by four steps either way."""
    for _ in range(200):
        dimension, size = int(rng.integers(1, 5)), int(rng.integers(2, 8))
        z = rng.normal(size=(size, 2))
        balanced = rng.random() < 0.5
        count = size if balanced else int(rng.integers(2, 8))
        weights = [
            np.full(k, 1.0 / k) if balanced else simplex_vector(rng, k) for k in (count, size)
        ]
        data = Discrete(rng.normal(size=(count, dimension)) * 1.5, weights[0])
        widths = (2, 4, dimension)
        network, towards = Network.draw(rng, widths), Network.draw(rng, widths)
        unit = towards.moved(towards, 1.0 / math.sqrt(towards.inner(towards)) - 1.0)
        scene = Scene(data, z, weights[1], network, unit)
        if _is_generic(scene):
            return scene
    message = "no generic problem in 200 draws"
    raise RuntimeError(message)


def _is_generic(scene: Scene) -> bool:
    """Whether the plan is the same at both ends, and all that moves together is well apart."""
    used = scene.plan(0.0) > 0
    same = all(((scene.plan(s * STEP) > 0) == used).all() for s in (-4.0, 4.0))
    return (
        same and float(cross_distances(scene.data.points, scene.law(0.0).points)[used].min()) > 0.1
    )


def point_gradient(scene: Scene) -> Float64Array:
    """dW/dy, shape (m, d), from the plan."""
    steps = scene.law(0.0).points[None, :, :] - scene.data.points[:, None, :]
    return np.asarray(np.einsum("ij,ijd->jd", scene.plan(0.0), steps / norm(steps)[..., None]))


def cone_gradient(scene: Scene) -> Float64Array:
    """dW/dy if f(z) = min_j |z - y_j| - v_j is differentiated at the data, as autograd does."""
    y = scene.law(0.0).points
    potentials = np.asarray(optimal_transport(scene.data, scene.law(0.0)).potential_y)
    nearest = (cross_distances(y, y) - potentials).argmin(axis=1)
    return -scene.masses[:, None] * _unit(y - y[nearest])


def maximum_gradient(scene: Scene) -> Float64Array:
    """dW/dy if f(z) = max_i u_i - |z - x_i| is differentiated at the data, as autograd does."""
    x, y = scene.data.points, scene.law(0.0).points
    potentials = np.asarray(optimal_transport(scene.data, scene.law(0.0)).potential_x)
    best = (potentials - cross_distances(y, x)).argmax(axis=1)
    return scene.masses[:, None] * _unit(y - x[best])


def _unit(vectors: Float64Array) -> Float64Array:
    """Directions, 0 where there is none."""
    lengths = norm(vectors)[:, None]
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))


def check_gradient(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The formula against central differences of the exact distance, extrapolated twice."""
    _ = index
    scene = draw(rng)
    return gradient_relations(scene, point_gradient(scene))


def gradient_relations(scene: Scene, dy: Float64Array) -> tuple[Relation, ...]:
    """What follows for the parameters if ``dy`` is dW/dy."""
    gradient = scene.network.pullback(scene.z, dy)
    slope = gradient.inner(scene.direction)

    def quotient(scale: float) -> float:
        h = scale * STEP
        return (scene.wasserstein1(h) - scene.wasserstein1(-h)) / (2 * h)

    fine, middle, coarse = quotient(1.0), quotient(2.0), quotient(4.0)
    better, worse = (4 * fine - middle) / 3, (4 * middle - coarse) / 3
    value = scene.wasserstein1(0.0)
    # 'worse' has 16 times the truncation error of 'better': their distance bounds it.
    budget = abs(better - worse) + 16 * ULP * (value + 1.0) / STEP
    return (
        equal("grad W . v = dW(theta + h v)/dh", slope, better, budget),
        at_most("the finite difference resolves 1e-6", budget, 1e-6),
        *_supergradient(scene, slope, value),
    )


def _supergradient(scene: Scene, slope: float, value: float) -> tuple[Relation, ...]:
    """The plan at theta is feasible at every theta + h v: its cost there is never below W."""
    plan, relations = scene.plan(0.0), []
    for h in (-1.0, -0.1, 0.1, 1.0):
        moved = scene.law(h)
        cost = math.fsum((plan * cross_distances(scene.data.points, moved.points)).ravel())
        rounding = 64 * ULP * (cost + value + abs(slope))
        name = "W(theta + h v) <= <plan(theta), cost(theta + h v)>"
        relations.append(at_most(name, scene.wasserstein1(h), cost, rounding))
    return tuple(relations)


def check_autograd(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """``backward()`` through wasserstein1 and a torch generator against the formula."""
    _ = index
    scene = draw(rng)
    expected = scene.network.pullback(scene.z, point_gradient(scene))
    found, value = _backward(scene)
    difference = found.moved(expected, -1.0)
    size = math.sqrt(expected.inner(expected))
    error = math.sqrt(difference.inner(difference))
    return (
        equal("torch value = NumPy value", value, scene.wasserstein1(0.0), 64 * ULP * value),
        equal("|grad by backward() - grad by formula| = 0", error, 0.0, 512 * ULP * (1.0 + size)),
        *_example_1_by_autograd(rng),
    )


def _backward(scene: Scene) -> tuple[Network, float]:
    """The gradient in all parameters by torch, as a network, and the value."""
    import torch

    weights = [torch.tensor(w, requires_grad=True) for w in scene.network.weights]
    biases = [torch.tensor(b, requires_grad=True) for b in scene.network.biases]
    output = torch.tensor(scene.z)
    for depth, (weight, bias) in enumerate(zip(weights, biases, strict=True), 1):
        output = output @ weight.T + bias
        if depth < len(weights):
            output = torch.tanh(output)
    data, masses = torch.tensor(scene.data.points), torch.tensor(scene.masses)
    value: Any = wasserstein1(data, output, torch.tensor(scene.data.weights), masses)
    value.backward()
    gradient = Network(
        tuple(_gradient_of(w) for w in weights), tuple(_gradient_of(b) for b in biases)
    )
    return gradient, float(value.detach())


def _gradient_of(tensor: Any) -> Float64Array:
    return np.asarray(tensor.grad.numpy())


def _example_1_by_autograd(rng: np.random.Generator) -> tuple[Relation, ...]:
    """dW/dtheta = sign theta while TV and JS have derivative 0, by torch."""
    import torch

    theta = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-3, 3))
    pair = parallel_lines(rng, theta)
    weights = torch.tensor(pair.x_weights), torch.tensor(pair.y_weights)
    relations = []
    for name, function, slope in (
        ("Example 1: dW/dtheta = sign theta", wasserstein1, math.copysign(1.0, theta)),
        ("Example 1: dTV/dtheta = 0", total_variation, 0.0),
        ("Example 1: dJS/dtheta = 0", js_divergence, 0.0),
    ):
        parameter = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        height = torch.tensor(pair.y[:, 1])
        y = torch.stack([parameter.expand(len(height)), height], dim=1)
        value: Any = function(Discrete(torch.tensor(pair.x), weights[0]), Discrete(y, weights[1]))
        found = 0.0
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value, parameter, allow_unused=True)
            found = 0.0 if gradient is None else float(gradient)
        relations.append(equal(name, found, slope, 16 * ULP * abs(slope)))
    return tuple(relations)


def _by_cones(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    scene = draw(rng)
    return gradient_relations(scene, cone_gradient(scene))


def _by_maximum(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    scene = draw(rng)
    return gradient_relations(scene, maximum_gradient(scene))


def _descending(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    scene = draw(rng)
    found, _ = _backward(scene)
    sum_ = found.moved(scene.network.pullback(scene.z, point_gradient(scene)), 1.0)
    return (equal("|grad by backward() + grad| = 0", math.sqrt(sum_.inner(sum_)), 0.0, 1e-9),)


CLAIMS = (
    Claim(
        id="theorem_3",
        title="The gradient of W1",
        statement=r"\nabla_\theta W(P_r, P_\theta) = -E\, \nabla_\theta f(g_\theta(Z)), "
        r"\quad f \text{ an optimal critic}",
        summary="grad W by the plan = finite differences of W",
        inequality=r"\nabla_\theta W \cdot v = \frac{d}{dh} W(P_r, P_{\theta + h v}), \quad "
        r"\nabla_\theta W = \sum_{ij} \pi_{ij} J_\theta g(z_j)^\top "
        r"\frac{y_j - x_i}{\lVert y_j - x_i \rVert}",
        source="section 3, Theorem 3 (the gradient taken from the plan)",
        hypotheses=(
            "both sides are defined: the optimal plan is unique near theta",
            "no x_i = y_j carries mass: see erratum_5",
        ),
        cases=50,
        check=check_gradient,
        domain="networks with values in R^1 to R^4, up to 7 atoms either side",
        false_variants=(
            rewritten("grad W has the opposite sign", check_gradient, "grad W . v", times(-1.0)),
            FalseVariant(
                "the gradient of min_j |z - y_j| - v_j at the data gives grad W", _by_cones
            ),
            FalseVariant(
                "the gradient of max_i u_i - |z - x_i| at the data gives grad W", _by_maximum
            ),
            FalseVariant("the optimal plan need not be unique", _necessity.tied_plans),
            FalseVariant("an x_i = y_j may carry mass", _necessity.shared_point),
        ),
    ),
    Claim(
        id="theorem_3_autograd",
        title="The gradient of W1 by torch",
        statement=r"\nabla_\theta W(P_r, P_\theta) = -E\, \nabla_\theta f(g_\theta(Z))",
        summary="backward() through wasserstein1 gives grad W",
        inequality=r"\lVert \nabla_\theta^{\text{torch}} W - \nabla_\theta W \rVert = 0",
        source="section 3, Theorem 3; section 2, Example 1",
        hypotheses=("the optimal plan is unique near theta",),
        cases=50,
        check=check_autograd,
        domain="the scenes of theorem_3; parallel lines",
        false_variants=(
            rewritten("TV has the derivative of W", check_autograd, "Example 1: dTV", value(1.0)),
            FalseVariant("backward() gives minus grad W", _descending),
            FalseVariant("the optimal plan need not be unique", _necessity.tied_plans_autograd),
        ),
        requires=("torch",),
    ),
)
