r"""Pairs of discrete laws whose Wasserstein-1 distance is known by construction."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from .._typing import Float64Array
from ..measures import Discrete
from ._answers import SAME, SINGULAR, Answers
from ._vectors import simplex_vector

Generator = np.random.Generator


@dataclass(frozen=True)
class MeasurePair:
    """Two discrete laws in R^d with their distance.

    Attributes
    ----------
    name : str, the construction
    x, y : arrays, shapes (n, d) and (m, d), the atoms
    x_weights, y_weights : arrays, shapes (n,) and (m,), their masses
    wasserstein1 : float, the exact Euclidean distance, in the unit of the points
    answers : Answers or None, the exact divergences where the construction settles them
    """

    name: str
    x: Float64Array
    y: Float64Array
    x_weights: Float64Array
    y_weights: Float64Array
    wasserstein1: float
    answers: Answers | None = None

    @property
    def measures(self) -> tuple[Discrete, Discrete]:
        """The two laws as values."""
        return Discrete(self.x, self.x_weights), Discrete(self.y, self.y_weights)

    @property
    def diameter(self) -> float:
        """The largest coordinate range times sqrt(d): no less than the diameter of the atoms."""
        both = np.concatenate([self.x, self.y])
        return float(np.ptp(both, axis=0).max()) * math.sqrt(both.shape[1])


def parallel_lines(
    rng: Generator, theta: float | None = None, size: int | None = None
) -> MeasurePair:
    """Example 1 on atoms: (0, z_i) against (theta, z_i), with the same heights and weights.

    The heights are distinct multiples of 2^-20 in [0, 1]; theta, if not given, is log-uniform in
    magnitude from 1e-300 to 1e300, of either sign, and the number of atoms from 1 to 12.

    Parameters
    ----------
    rng : numpy.random.Generator
    theta : float, optional
        The displacement.
    size : int, optional
        How many atoms; 1 to 12, drawn, by default.

    Returns
    -------
    MeasurePair
    """
    size = size or int(rng.integers(1, 13))
    if theta is None:
        theta = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-300, 300))
    heights = rng.choice(2**20 + 1, size=size, replace=False) * 2.0**-20
    weights = np.full(size, 1.0 / size) if rng.random() < 0.5 else simplex_vector(rng, size)
    x = np.stack([np.zeros(size), heights], axis=1)
    y = np.stack([np.full(size, theta), heights], axis=1)
    order = rng.permutation(size)
    answers = SAME if theta == 0 else SINGULAR
    return MeasurePair("parallel lines", x, y[order], weights, weights[order], abs(theta), answers)


def translation(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    """A law against itself moved by a shift: the distance is the norm of the shift.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int, optional
        How many atoms; 1 to 12, drawn, by default.
    dimension : int, optional
        The dimension of the space; 1 to 5, drawn, by default.

    Returns
    -------
    MeasurePair
    """
    size, dimension = _shape(rng, size, dimension)
    x, shift = _lattice(rng, size, dimension), _lattice(rng, dimension)
    weights = simplex_vector(rng, size)
    order = rng.permutation(size)
    distance = math.hypot(*shift)
    return MeasurePair("translation", x, (x + shift)[order], weights, weights[order], distance)


def permutation(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    """The same atoms in another order: distance and divergences are zero.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int, optional
        How many atoms; 1 to 12, drawn, by default.
    dimension : int, optional
        The dimension of the space; 1 to 5, drawn, by default.

    Returns
    -------
    MeasurePair
    """
    size, dimension = _shape(rng, size, dimension)
    x, weights = rng.normal(size=(size, dimension)), simplex_vector(rng, size)
    order = rng.permutation(size)
    return MeasurePair("permutation", x, x[order], weights, weights[order], 0.0, SAME)


def diracs(rng: Generator, dimension: int | None = None) -> MeasurePair:
    """Two different point masses: the distance of the points; singular.

    Parameters
    ----------
    rng : numpy.random.Generator
    dimension : int, optional
        The dimension of the space; 1 to 5, drawn, by default.

    Returns
    -------
    MeasurePair
    """
    _, dimension = _shape(rng, 1, dimension)
    x, y = rng.normal(size=(2, 1, dimension)) * 10.0 ** rng.uniform(-3, 3)
    one = np.ones(1)
    return MeasurePair("point masses", x, y, one, one, math.dist(x[0], y[0]), SINGULAR)


def outward_rays(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    r"""Atoms against the same atoms moved away from the origin, each by its own factor 1 to 3.

    With the 1-Lipschitz :math:`f(z) = -\lVert z \rVert`,
    :math:`f(x_i) - f(y_i) = \lVert x_i - y_i \rVert`: moving
    along the rays is optimal and the distance is the mean displacement.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int, optional
        How many atoms; 1 to 12, drawn, by default.
    dimension : int, optional
        The dimension of the space; 1 to 5, drawn, by default.

    Returns
    -------
    MeasurePair
    """
    size, dimension = _shape(rng, size, dimension)
    x, weights = rng.normal(size=(size, dimension)), simplex_vector(rng, size)
    y = x * rng.uniform(1.05, 3.0, size=(size, 1))
    distance = math.fsum(w * math.dist(a, b) for w, a, b in zip(weights, x, y, strict=True))
    order = rng.permutation(size)
    mass = math.fsum(weights)
    return MeasurePair("outward rays", x, y[order], weights, weights[order], distance / mass, None)


def line(rng: Generator, size: int | None = None) -> MeasurePair:
    r"""Two laws on the line: :math:`\int |F(t) - G(t)| \, dt`, in rational arithmetic.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int, optional
        How many atoms the first law has; 1 to 12, as the second's, by default.

    Returns
    -------
    MeasurePair
    """
    size = size or int(rng.integers(1, 13))
    other = int(rng.integers(1, 13))
    x, y = rng.normal(size=size), rng.normal(size=other) * 2.0 + 0.5
    x_weights, y_weights = simplex_vector(rng, size), simplex_vector(rng, other)
    jumps = _normalised_jumps(x, x_weights, 1) + _normalised_jumps(y, y_weights, -1)
    jumps.sort()
    total = height = Fraction(0)
    for (here, jump), (there, _) in pairwise(jumps):
        height += jump
        total += abs(height) * (there - here)
    return MeasurePair("line", x[:, None], y[:, None], x_weights, y_weights, float(total))


def measure_pair(rng: Generator) -> MeasurePair:
    """One of the problems above with a known Wasserstein-1 distance.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    MeasurePair
    """
    makers = (parallel_lines, translation, permutation, diracs, outward_rays, line)
    return makers[int(rng.integers(len(makers)))](rng)


def _lattice(rng: Generator, *shape: int) -> Float64Array:
    """Points with multiples of 2^-10 in [-4, 4] for coordinates: their sums are exact."""
    return np.asarray(rng.integers(-(2**12), 2**12 + 1, size=shape) * 2.0**-10)


def _shape(rng: Generator, size: int | None, dimension: int | None) -> tuple[int, int]:
    return size or int(rng.integers(1, 13)), dimension or int(rng.integers(1, 6))


def _normalised_jumps(
    atoms: Float64Array, weights: Float64Array, sign: int
) -> list[tuple[Fraction, Fraction]]:
    masses = [Fraction(float(weight)) for weight in weights]
    total = sum(masses, Fraction(0))
    return [
        (Fraction(float(atom)), sign * mass / total)
        for atom, mass in zip(atoms, masses, strict=True)
    ]
