"""Finite metric spaces, Markov kernels, couplings and 1-Lipschitz functions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._typing import Float64Array
from ._vectors import WEIGHT_STEPS, normalised, simplex_vectors

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LATTICE = 4
"""Coordinates are multiples of 1/4, so that sums and differences of a few of them are exact."""


def finite_metrics(min_points: int = 1, max_points: int = 6) -> "SearchStrategy[Float64Array]":
    """Matrices of distances: integers from 1 to 40 between different points.

    Lengths of edges are drawn and replaced by those of the shortest paths, so that every triangle
    inequality holds, many with equality, and exactly.

    Parameters
    ----------
    min_points, max_points : int
        Bounds of the number of points, at least 1.

    Returns
    -------
    strategy of float64 arrays, shape (n, n)
        Symmetric, zero on the diagonal only.
    """
    from .._hypothesis import strategies as st

    def lengths(count: int) -> "SearchStrategy[list[int]]":
        pairs = count * (count - 1) // 2
        return st.lists(st.integers(1, 40), min_size=pairs, max_size=pairs)

    return st.integers(min_points, max_points).flatmap(
        lambda count: lengths(count).map(lambda edges: _shortest_paths(count, edges))
    )


def markov_kernels(
    inputs: int | None = None, outputs: int | None = None, *, max_size: int = 5
) -> "SearchStrategy[Float64Array]":
    """Row-stochastic matrices: noise, and in the simplest cases the merging of atoms.

    Parameters
    ----------
    inputs, outputs : int, optional
        The numbers of rows and columns; 1 to ``max_size``, drawn, if not given.
    max_size : int, default 5

    Returns
    -------
    strategy of float64 arrays, shape (inputs, outputs)
        Each row is a probability vector; ``p @ kernel`` is the law after the noise.
    """
    from .._hypothesis import strategies as st

    def kernels(shape: tuple[int, int]) -> "SearchStrategy[Float64Array]":
        row = simplex_vectors(shape[1], shape[1])
        return st.lists(row, min_size=shape[0], max_size=shape[0]).map(np.array)

    sizes = st.tuples(_size(inputs, max_size), _size(outputs, max_size))
    return sizes.flatmap(kernels)


@dataclass(frozen=True)
class Coupling:
    """A plan and its marginals.

    Attributes
    ----------
    plan : float64 array, shape (n, m), non-negative
    a, b : float64 arrays, shapes (n,) and (m,), the sums of its rows and of its columns
    """

    plan: Float64Array
    a: Float64Array
    b: Float64Array


def couplings(
    rows: int | None = None, columns: int | None = None, *, max_size: int = 5
) -> "SearchStrategy[Coupling]":
    """Joint laws on a finite product, with their marginals.

    Parameters
    ----------
    rows, columns : int, optional
        The sizes of the two spaces; 1 to ``max_size``, drawn, if not given.
    max_size : int, default 5

    Returns
    -------
    strategy of Coupling
    """
    from .._hypothesis import strategies as st

    def plans(shape: tuple[int, int]) -> "SearchStrategy[Coupling]":
        count = shape[0] * shape[1]
        entries = st.lists(st.integers(0, WEIGHT_STEPS), min_size=count, max_size=count)
        return entries.map(lambda values: _coupling(normalised(values).reshape(shape)))

    return st.tuples(_size(rows, max_size), _size(columns, max_size)).flatmap(plans)


@dataclass(frozen=True)
class LipschitzFunction:
    r"""The function :math:`f(z) = \min_j \bigl(h_j + K \lVert z - a_j \rVert_2\bigr)`.

    A minimum of cones of slope K, hence K-Lipschitz everywhere (McShane).

    Attributes
    ----------
    centres : float64 array, shape (m, d), the a_j
    heights : float64 array, shape (m,), the h_j
    constant : float, K, not negative
    """

    centres: Float64Array
    heights: Float64Array
    constant: float

    def __call__(self, z: Any) -> Float64Array:
        """Values at points of shape (n, d), as an array of shape (n,); O(n m d)."""
        points = np.asarray(z, dtype=np.float64)
        distances = np.linalg.norm(points[:, None, :] - self.centres, axis=-1)
        return np.asarray((self.heights + self.constant * distances).min(axis=-1))


def lipschitz_functions(
    dimension: int = 1, *, constant: float = 1.0, max_cones: int = 4
) -> "SearchStrategy[LipschitzFunction]":
    """Functions on R^d with a given Lipschitz constant, attained away from their kinks.

    Parameters
    ----------
    dimension : int, default 1
    constant : float, default 1
        The Lipschitz constant for the Euclidean norm.
    max_cones : int, default 4

    Returns
    -------
    strategy of LipschitzFunction
        Callables from (n, d) to (n,).
    """
    from .._hypothesis import strategies as st

    cone = st.lists(lattice(), min_size=dimension + 1, max_size=dimension + 1)
    return st.lists(cone, min_size=1, max_size=max_cones).map(
        lambda cones: LipschitzFunction(
            np.array(cones)[:, 1:], np.array(cones)[:, 0], float(constant)
        )
    )


def lattice(reach: int = 8) -> "SearchStrategy[float]":
    """Multiples of 1/4 in [-reach, reach], whole numbers and those near 0 first."""
    from .._hypothesis import strategies as st

    fine = st.integers(-LATTICE * reach, LATTICE * reach).map(lambda step: step / LATTICE)
    return st.one_of(st.integers(-reach, reach).map(float), fine)


def _size(given: int | None, largest: int) -> "SearchStrategy[int]":
    from .._hypothesis import strategies as st

    return st.integers(1, largest) if given is None else st.just(given)


def _shortest_paths(count: int, edges: list[int]) -> Float64Array:
    distances = np.zeros((count, count))
    distances[np.triu_indices(count, 1)] = edges
    distances += distances.T
    for via in range(count):  # Floyd and Warshall
        distances = np.minimum(distances, distances[:, via, None] + distances[via])
    return distances


def _coupling(plan: Float64Array) -> Coupling:
    return Coupling(plan, plan.sum(axis=1), plan.sum(axis=0))
