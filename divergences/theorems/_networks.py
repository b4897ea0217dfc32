"""Feed-forward networks in NumPy: the generators and critics that the claims speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .._typing import Float64Array

Map = Callable[[Float64Array], Float64Array]

ACTIVATIONS: dict[str, tuple[Map, Map]] = {
    "tanh": (np.tanh, lambda u: 1.0 - np.tanh(u) ** 2),
    "relu": (lambda u: np.maximum(u, 0.0), lambda u: (u > 0).astype(float)),
    "softplus": (lambda u: np.logaddexp(u, 0.0), lambda u: 1.0 / (1.0 + np.exp(-u))),
    "identity": (lambda u: u, np.ones_like),
}
"""1-Lipschitz nonlinearities with their derivatives."""


@dataclass(frozen=True)
class Network:
    """``h_k = sigma(W_k h_{k-1} + b_k)``, the last layer affine; maps (n, width_0) to (n, width_L).

    ``weights[k]`` has shape (width_{k+1}, width_k), ``biases[k]`` shape (width_{k+1},).
    """

    weights: tuple[Float64Array, ...]
    biases: tuple[Float64Array, ...]
    activation: str = "tanh"

    @classmethod
    def draw(
        cls, rng: np.random.Generator, widths: tuple[int, ...], activation: str = "tanh"
    ) -> Network:
        """Normal weights of variance 1/fan-in and normal biases of variance 1/4."""
        pairs = list(pairwise(widths))
        return cls(
            tuple(rng.normal(size=(out, inward)) / np.sqrt(inward) for inward, out in pairs),
            tuple(rng.normal(size=out) * 0.5 for _, out in pairs),
            activation,
        )

    def hidden(self, z: Float64Array) -> list[Float64Array]:
        """``h_0 = z, h_1, ..., h_L``."""
        sigma, _ = ACTIVATIONS[self.activation]
        outputs = [z]
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            affine = outputs[-1] @ weight.T + bias
            outputs.append(affine if depth == len(self.weights) else sigma(affine))
        return outputs

    def __call__(self, z: Float64Array) -> Float64Array:
        """The images of the rows of ``z``."""
        return self.hidden(z)[-1]

    def pullback(self, z: Float64Array, cotangent: Float64Array) -> Network:
        """The gradient in all parameters of ``sum(cotangent * self(z))``, as a network."""
        _, slope = ACTIVATIONS[self.activation]
        outputs = self.hidden(z)
        weights, biases = [], []
        for depth in reversed(range(len(self.weights))):
            weights.append(cotangent.T @ outputs[depth])
            biases.append(cotangent.sum(axis=0))
            if depth:
                affine = outputs[depth - 1] @ self.weights[depth - 1].T + self.biases[depth - 1]
                cotangent = (cotangent @ self.weights[depth]) * slope(affine)
        return Network(tuple(reversed(weights)), tuple(reversed(biases)), self.activation)

    def moved(self, direction: Network, step: float) -> Network:
        """The network with parameters theta + step * direction."""
        return Network(
            tuple(w + step * v for w, v in zip(self.weights, direction.weights, strict=True)),
            tuple(b + step * c for b, c in zip(self.biases, direction.biases, strict=True)),
            self.activation,
        )

    def last_bias_only(self) -> Network:
        """The same parameters with all but the last layer's bias set to zero."""
        return Network(
            tuple(np.zeros_like(weight) for weight in self.weights),
            (*(np.zeros_like(bias) for bias in self.biases[:-1]), self.biases[-1]),
            self.activation,
        )

    def inner(self, other: Network) -> float:
        """The inner product of the two parameter vectors."""
        ours, theirs = self.weights + self.biases, other.weights + other.biases
        return float(sum((a * b).sum() for a, b in zip(ours, theirs, strict=True)))

    def spectral_norms(self) -> list[float]:
        """The largest singular value of each weight matrix."""
        return [float(np.linalg.norm(weight, 2)) for weight in self.weights]
