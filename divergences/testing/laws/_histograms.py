r"""Laws on [0, 1] with piecewise constant densities: sampled, with all four exact answers.

Their total variation, KL and Jensen-Shannon are those of the cell masses; Wasserstein-1 is
:math:`\int_0^1 |F - G|`, whose integrand is the modulus of a linear function on each cell.
"""

from dataclasses import dataclass

import numpy as np

from ... import js_distance, js_divergence, kl_divergence, total_variation
from ..._typing import Float64Array

VECTOR_ANSWERS = {
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
    "js_distance": js_distance,
    "total_variation": total_variation,
}


@dataclass(frozen=True)
class HistogramPair:
    """Two laws by their masses on equal cells of [0, 1]."""

    name: str
    p: Float64Array
    q: Float64Array

    def samples(self, rng: np.random.Generator, size: int) -> tuple[Float64Array, Float64Array]:
        """Independent samples of both laws, each of shape (size,)."""
        return _draw(rng, self.p, size), _draw(rng, self.q, size)

    def answer(self, name: str) -> float:
        """The exact value of a quantity of the library."""
        if name == "wasserstein1":
            return _wasserstein1(self.p - self.q)
        return float(VECTOR_ANSWERS[name](self.p, self.q))


EQUAL = HistogramPair("equal", np.full(4, 0.25), np.full(4, 0.25))
NEAR = HistogramPair("near", np.full(4, 0.25), np.array([0.3, 0.25, 0.25, 0.2]))
APART = HistogramPair("apart", np.array([0.85, 0.1, 0.03, 0.02]), np.array([0.02, 0.03, 0.1, 0.85]))
SPREAD = HistogramPair("spread", np.array([0.03, 0.47, 0.47, 0.03]),
                       np.array([0.18, 0.32, 0.32, 0.18]))  # fmt: skip
"""Two laws of one mean."""
SKEW = HistogramPair("skew", np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.97, 0.01, 0.01, 0.01]))
"""KL(Q, P) is half of KL(P, Q), and both are within reach of histograms, kernels and neighbours."""
FAR = HistogramPair("far", np.array([0.69, 0.01, 0.01, 0.29]), np.array([0.96, 0.01, 0.01, 0.02]))
"""Little mass far away: Wasserstein-2 is twice Wasserstein-1. Kernels blur it."""
PAIRS = (EQUAL, NEAR, APART, SPREAD, SKEW, FAR)


def _draw(rng: np.random.Generator, masses: Float64Array, size: int) -> Float64Array:
    cells = rng.choice(masses.size, size=size, p=masses)
    return np.asarray((cells + rng.random(size)) / masses.size)


def _wasserstein1(difference: Float64Array) -> float:
    """The integral of the modulus of a piecewise linear function with these increments."""
    ends = np.concatenate([[0.0], np.cumsum(difference)])
    left, right = np.abs(ends[:-1]), np.abs(ends[1:])
    same = ends[:-1] * ends[1:] >= 0
    total = left + right
    crossing = (left**2 + right**2) / np.where(total > 0, total, 1.0)
    return float(np.where(same, total, crossing).sum() / 2 / difference.size)
