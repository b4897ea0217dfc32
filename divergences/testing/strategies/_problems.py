"""Transport problems together with their answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import problems
from ..._typing import Float64Array
from ...families import Normal
from ...problems import MeasurePair, NormalPair
from ._vectors import simplex_vectors

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def parallel_lines(max_atoms: int = 8) -> "SearchStrategy[MeasurePair]":
    """Example 1 with its answers, theta 0 or from 1e-300 to 1e300 in magnitude, of either sign."""
    from .._hypothesis import strategies as st

    large = st.floats(1e-300, 1e300)
    thetas = st.one_of(st.just(0.0), large, large.map(lambda theta: -theta))
    return st.builds(
        lambda seed, theta, size: problems.parallel_lines(_generator(seed), theta, size),
        case_seeds(),
        thetas,
        st.integers(1, max_atoms),
    )


def solved_transport_problems(max_atoms: int = 8) -> "SearchStrategy[MeasurePair]":
    """Two discrete laws with their exact Wasserstein-1 distance.

    Translations, permutations, point masses, outward rays, laws on the line and parallel lines, of
    at most ``max_atoms`` atoms (the second law on the line has up to 12) in dimension 1 to 5.
    """
    from .._hypothesis import strategies as st

    sizes, dimensions = st.integers(1, max_atoms), st.integers(1, 5)
    makers = st.sampled_from((problems.translation, problems.permutation, problems.outward_rays))
    return st.one_of(
        st.builds(lambda make, s, n, d: make(_generator(s), n, d), makers, case_seeds(), sizes,
                  dimensions),
        st.builds(lambda s, d: problems.diracs(_generator(s), d), case_seeds(), dimensions),
        st.builds(lambda s, n: problems.line(_generator(s), n), case_seeds(), sizes),
        parallel_lines(max_atoms),
    )  # fmt: skip


def case_seeds() -> "SearchStrategy[int]":
    """Seeds for NumPy generators, and for cases of `divergences.theorems`."""
    from .._hypothesis import strategies as st

    return st.integers(0, 2**32 - 1)


def normal_pairs() -> "SearchStrategy[NormalPair]":
    """Two normal laws on the line, with their exact KL and Wasserstein-1 distance.

    Means are multiples of 1/4 from -8 to 8, deviations multiples of 1/8 from 1/8 to 8.

    Returns
    -------
    strategy of divergences.problems.NormalPair
    """
    from .._hypothesis import strategies as st

    mean = st.integers(-32, 32).map(lambda step: step / 4)
    deviation = st.integers(1, 64).map(lambda step: step / 8)
    law = st.builds(Normal, mean, deviation)
    return st.builds(NormalPair, law, law)


@dataclass(frozen=True)
class QuadraticProblem:
    r"""Atoms x and their images y = A x + b under the gradient of a convex function.

    For the cost :math:`\lVert x - y \rVert^2` the map is optimal (Brenier; Knott and Smith).

    Attributes
    ----------
    x, y : float64 arrays, shape (n, d)
    weights : float64 array, shape (n,), the masses of both
    squared_wasserstein2 : float, :math:`\sum_i w_i \lVert x_i - y_i \rVert^2`
    """

    x: Float64Array
    y: Float64Array
    weights: Float64Array
    squared_wasserstein2: float


def convex_gradients(
    max_atoms: int = 6, max_dimension: int = 3
) -> "SearchStrategy[QuadraticProblem]":
    """Quadratic transport problems whose optimal map is known.

    A = B B^T with small integers in B; the atoms have integer coordinates, so that y is exact.

    Parameters
    ----------
    max_atoms, max_dimension : int

    Returns
    -------
    strategy of QuadraticProblem
    """
    from .._hypothesis import strategies as st

    @st.composite
    def draw_problem(draw: Any) -> QuadraticProblem:
        size, dimension = draw(st.integers(1, max_atoms)), draw(st.integers(1, max_dimension))

        def integers(reach: int, *shape: int) -> Float64Array:
            count = int(np.prod(shape))
            drawn = draw(st.lists(st.integers(-reach, reach), min_size=count, max_size=count))
            return np.array(drawn, dtype=np.float64).reshape(shape)

        x, root, shift = (
            integers(8, size, dimension),
            integers(2, dimension, dimension),
            integers(8, dimension),
        )
        y = x @ (root @ root.T) + shift
        weights = draw(simplex_vectors(size, size))
        return QuadraticProblem(x, y, weights, float(weights @ ((x - y) ** 2).sum(axis=1)))

    return draw_problem()


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
