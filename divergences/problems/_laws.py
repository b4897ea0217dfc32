"""Laws on a common finite space, unrelated laws in R^d, normal laws on the line."""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property

import numpy as np

from .._typing import Float64Array
from ..families import Normal
from ..measures import Discrete
from ._answers import digits
from ._vectors import VectorPair, simplex_vector, vector_pair

Generator = np.random.Generator


@dataclass(frozen=True)
class FiniteSpace:
    """Two laws p and q on the same n distinct points of R^d."""

    points: Float64Array
    pair: VectorPair

    @cached_property
    def distances(self) -> Float64Array:
        """The (n, n) matrix of Euclidean distances."""
        difference = self.points[:, None, :] - self.points[None, :, :]
        return np.asarray(np.sqrt((difference**2).sum(axis=-1)))

    @property
    def diameter(self) -> float:
        """The largest distance of two points."""
        return float(self.distances.max())

    @property
    def separation(self) -> float:
        """The smallest distance of two different points."""
        apart = ~np.eye(len(self.points), dtype=bool)
        return float(self.distances[apart].min())


@dataclass(frozen=True)
class NormalPair:
    """Two normal laws on the line."""

    p: Normal
    q: Normal

    @property
    def kl(self) -> float:
        """KL(P, Q) in nats, from 80-digit arithmetic."""
        mean, std = Decimal(float(self.p.mean)), Decimal(float(self.p.std))
        mean_q, std_q = Decimal(float(self.q.mean)), Decimal(float(self.q.std))
        with localcontext(digits()):
            quadratic = (std**2 + (mean - mean_q) ** 2) / (2 * std_q**2)
            return float((std_q / std).ln() + quadratic - Decimal("0.5"))

    @property
    def wasserstein1(self) -> float:
        """E abs(dmu + ds Z), Z standard normal: a sum of two non-negative terms."""
        shift = abs(float(self.p.mean) - float(self.q.mean))
        stretch = abs(float(self.p.std) - float(self.q.std))
        if stretch == 0.0:
            return shift
        ratio = shift / stretch / math.sqrt(2.0)
        spread = stretch * math.sqrt(2.0 / math.pi) * math.exp(-(ratio**2))
        return spread + shift * math.erf(ratio)


def finite_space(rng: Generator, relation: str | None = None) -> FiniteSpace:
    """Two laws on a finite metric space of 2 to 12 distinct points in R^d, d from 1 to 4.

    Parameters
    ----------
    rng : numpy.random.Generator
    relation : str, optional
        How the two laws lie to each other: one of `RELATIONS`.

    Returns
    -------
    FiniteSpace
    """
    pair = vector_pair(rng, relation)
    points = rng.normal(size=(pair.p.size, int(rng.integers(1, 5))))
    return FiniteSpace(points, pair)


def random_measures(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> tuple[Discrete, Discrete]:
    """Two unrelated laws of 2 to 10 (or ``size``) atoms each in R^d, d from 1 to 5; no answer.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int, optional
        How many atoms each law has.
    dimension : int, optional
        The dimension of the space; 1 to 5, drawn, by default.

    Returns
    -------
    tuple of two Discrete
    """
    dimension = dimension or int(rng.integers(1, 6))
    sizes = (size, size) if size else (int(rng.integers(2, 11)), int(rng.integers(2, 11)))
    scale = rng.uniform(0.5, 2.0)
    x = rng.normal(size=(sizes[0], dimension))
    y = rng.normal(size=(sizes[1], dimension)) * scale + rng.normal(size=dimension)
    return (
        Discrete(x, simplex_vector(rng, sizes[0])),
        Discrete(y, simplex_vector(rng, sizes[1])),
    )


def normal_pair(rng: Generator, *, same_std: bool = False) -> NormalPair:
    """Two normal laws with means of order 1 and standard deviations from 0.1 to 10.

    Parameters
    ----------
    rng : numpy.random.Generator
    same_std : bool, default False
        Whether the two share their standard deviation.

    Returns
    -------
    NormalPair
    """
    means = rng.normal(size=2)
    stds = 10.0 ** rng.uniform(-1, 1, size=2)
    if same_std:
        stds[1] = stds[0]
    return NormalPair(
        Normal(float(means[0]), float(stds[0])), Normal(float(means[1]), float(stds[1]))
    )
