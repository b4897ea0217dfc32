"""Probability vectors, and pairs of them in a known relation."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._typing import Float64Array
from ...problems import RELATIONS, VectorPair

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
    from .._hypothesis import strategies as st

    least = 1 if positive else 0
    counts = st.lists(st.integers(least, WEIGHT_STEPS), min_size=min_size, max_size=max_size)
    return counts.map(normalised)


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
    from .._hypothesis import strategies as st

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
        return VectorPair(kind, normalised(p)[order], normalised(q)[order])

    return pairs()


def normalised(counts: Any) -> Float64Array:
    """Counts divided by their sum; all in the first place if there are none."""
    masses = np.array(counts, dtype=np.float64)
    if not masses.any():
        masses[0] = 1.0
    return np.asarray(masses / masses.sum())


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
