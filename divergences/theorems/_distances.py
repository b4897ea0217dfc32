"""Computed distances with the error that their certificates leave open."""

from dataclasses import dataclass

import numpy as np

from .. import Discrete, optimal_transport
from .._typing import Float64Array
from ._claim import ULP


@dataclass(frozen=True)
class Distance:
    """A Wasserstein-1 distance: the truth lies within ``error`` of ``value``."""

    value: float
    error: float


def distance(p: Discrete, q: Discrete) -> Distance:
    """W1 of two laws, with the gap of its certificate and the rounding of sums as error."""
    result = optimal_transport(p, q)
    largest = float(cross_distances(p.points, q.points).max())
    rounding = 4 * ULP * (len(p) + len(q)) * largest
    return Distance(float(result.value), max(float(result.gap), 0.0) + rounding)


def cross_distances(x: Float64Array, y: Float64Array) -> Float64Array:
    """The (n, m) Euclidean distances of the rows of x and y, by direct differences."""
    return norm(x[:, None, :] - y[None, :, :])


def norm(vectors: Float64Array) -> Float64Array:
    """Euclidean norms over the last axis."""
    return np.asarray(np.linalg.norm(vectors, axis=-1))
