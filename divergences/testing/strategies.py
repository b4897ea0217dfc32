"""Hypothesis strategies: probability vectors, pairs of them, discrete laws, solved problems.

Everything drawn is valid input: nothing is filtered, and no draw is rejected. Weights come from
integers, so that a failing example shrinks towards few atoms and simple masses; where a problem is
drawn by a seeded generator of `divergences.problems`, its size and its parameters are Hypothesis's
own choice and shrink, the seed only settles the rest.

Needs Hypothesis (``pip install "divergences[testing]"``), loaded when a function is called.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import Discrete, problems
from .._typing import Float64Array
from ..problems import RELATIONS, MeasurePair, VectorPair

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

WEIGHT_STEPS = 1000


def simplex_vectors(
    min_size: int = 1, max_size: int = 8, *, positive: bool = False
) -> "SearchStrategy[Float64Array]":
    """Probability vectors: integers from 0 to 1000, divided by their sum.

    Parameters
    ----------
    min_size, max_size : int
        Bounds of the number of entries, at least 1.
    positive : bool, default False
        Whether to leave out zeros.

    Returns
    -------
    strategy of float64 arrays, shape (k,)
    """
    from hypothesis import strategies as st

    least = 1 if positive else 0
    counts = st.lists(st.integers(least, WEIGHT_STEPS), min_size=min_size, max_size=max_size)
    return counts.map(_normalised)


def vector_pairs(relation: str | None = None, max_size: int = 8) -> "SearchStrategy[VectorPair]":
    """Two probability vectors of one length in a known relation, with their exact divergences.

    Parameters
    ----------
    relation : str, optional
        One of `divergences.problems.RELATIONS`, where they are explained by
        `divergences.problems.vector_pair`; drawn if not given.
    max_size : int, default 8
        The largest number of entries, at least 2.

    Returns
    -------
    strategy of VectorPair
        ``pair.answers`` holds the exact values.

    Raises
    ------
    ValueError
        If there is no such relation.
    """
    from hypothesis import strategies as st

    if relation is not None and relation not in RELATIONS:
        message = f"vector_pairs: relation must be one of {RELATIONS}; got {relation!r}"
        raise ValueError(message)
    relations = st.sampled_from(RELATIONS) if relation is None else st.just(relation)

    @st.composite
    def pairs(draw: Any) -> VectorPair:
        kind, size = draw(relations), draw(st.integers(2, max_size))
        size += size % 2 if kind == "balanced" else 0
        counts = st.lists(st.integers(1, WEIGHT_STEPS), min_size=size, max_size=size)
        if kind == "lopsided":
            counts = st.lists(st.integers(-280, 0), min_size=size, max_size=size)
        first, second = np.array(draw(counts)), np.array(draw(counts))
        first_part = draw(st.integers(1, size - 1))
        scale = 10.0 ** -draw(st.integers(1, 14))
        order = draw(st.permutations(range(size)))
        p, q = _related(kind, first, second, first_part, scale)
        return VectorPair(kind, _normalised(p)[order], _normalised(q)[order])

    return pairs()


def discrete_measures(
    dimension: int | None = None, max_atoms: int = 6, *, reach: float = 1e3
) -> "SearchStrategy[Discrete]":
    """Laws of finitely many atoms, which may repeat and may have mass 0.

    Parameters
    ----------
    dimension : int, optional
        The dimension of the space; 1 to 4, drawn, if not given.
    max_atoms : int, default 6
    reach : float, default 1000
        The largest absolute value of a coordinate.

    Returns
    -------
    strategy of Discrete
    """
    from hypothesis import strategies as st

    dimensions = st.integers(1, 4) if dimension is None else st.just(dimension)
    return dimensions.flatmap(lambda d: _measures(d, max_atoms, reach))


def measure_pairs(
    dimension: int | None = None, max_atoms: int = 6, *, reach: float = 1e3
) -> "SearchStrategy[tuple[Discrete, Discrete]]":
    """Two discrete laws in a space of one dimension; parameters as of `discrete_measures`."""
    from hypothesis import strategies as st

    dimensions = st.integers(1, 4) if dimension is None else st.just(dimension)
    return dimensions.flatmap(
        lambda d: st.tuples(_measures(d, max_atoms, reach), _measures(d, max_atoms, reach))
    )


def parallel_lines(max_atoms: int = 8) -> "SearchStrategy[MeasurePair]":
    """Example 1 with its answers, theta 0 or from 1e-300 to 1e300 in magnitude, of either sign."""
    from hypothesis import strategies as st

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
    from hypothesis import strategies as st

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
    from hypothesis import strategies as st

    return st.integers(0, 2**32 - 1)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _normalised(counts: Any) -> Float64Array:
    """Counts divided by their sum; all in the first place if there are none."""
    masses = np.array(counts, dtype=np.float64)
    if not masses.any():
        masses[0] = 1.0
    return np.asarray(masses / masses.sum())


def _measures(dimension: int, max_atoms: int, reach: float) -> "SearchStrategy[Discrete]":
    from hypothesis import strategies as st

    coordinate = st.floats(-reach, reach, allow_subnormal=False)
    atom = st.tuples(*[coordinate] * dimension)
    weighted = st.lists(
        st.tuples(atom, st.integers(0, WEIGHT_STEPS)), min_size=1, max_size=max_atoms
    )
    return weighted.map(
        lambda pairs: Discrete([list(a) for a, _ in pairs], _normalised([w for _, w in pairs]))
    )


def _related(
    kind: str, first: Any, second: Any, part: int, scale: float
) -> tuple[Float64Array, Float64Array]:
    """Unnormalised masses p and q in the relation ``kind``; ``part`` splits the support."""
    p, q = first.astype(float), second.astype(float)
    left = np.arange(p.size) < part
    if kind == "equal":
        q = p.copy()
    elif kind == "near":
        q = p * (1.0 + scale * (second % 9 - 4) / 4)
    elif kind == "balanced":
        p, q = np.ones(p.size), 1.0 + scale * np.resize([1.0, -1.0], p.size)
    elif kind == "disjoint":
        p, q = p * left, q * ~left
    elif kind == "overlapping":
        p[0] = q[-1] = 0.0
    elif kind == "dominated":
        p = p * left
    elif kind == "lopsided":
        p, q = 10.0**p, 10.0**q
    return p, q
