"""Pairs of probability vectors that lie to each other in a known way."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import Float64Array
from ._answers import Answers, exact_answers

Generator = np.random.Generator


RELATIONS = (
    "equal",
    "near",
    "balanced",
    "disjoint",
    "overlapping",
    "dominated",
    "generic",
    "lopsided",
)
"""How two probability vectors may lie to each other: see :func:`vector_pair`."""


@dataclass(frozen=True)
class VectorPair:
    """Two probability vectors of one length, and the relation they were drawn in."""

    relation: str
    p: Float64Array
    q: Float64Array

    @cached_property
    def answers(self) -> Answers:
        """Their exact divergences (of p and q divided by their exact sums)."""
        return exact_answers(self.p, self.q)


def simplex_vector(rng: Generator, size: int, *, spread: float = 1.0) -> Float64Array:
    """A positive probability vector whose log-weights have standard deviation ``spread``.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        The number of entries.
    spread : float, default 1
        The standard deviation of the log-weights; 0 gives the uniform vector.

    Returns
    -------
    float64 array, shape (size,)
    """
    logits = rng.normal(size=size) * spread
    values = np.exp(np.clip(logits - logits.max(), -650.0, None))
    return np.asarray(values / values.sum())


def vector_pair(rng: Generator, relation: str | None = None, size: int | None = None) -> VectorPair:
    """Two probability vectors in a relation (drawn if not given), of ``size`` entries (2 to 12).

    ``equal``; ``near`` (relative differences from 1e-14 to 0.1); ``balanced`` (uniform against
    alternately a little more and less, where Pinsker's inequality is sharp); ``disjoint`` supports;
    ``overlapping`` (each has an atom the other lacks: both KL infinite); ``dominated`` (p lives on
    a part of q's support: one KL infinite); ``generic``; ``lopsided`` (weights over hundreds of
    orders of magnitude).

    Parameters
    ----------
    rng : numpy.random.Generator
    relation : str, optional
        One of `RELATIONS`.
    size : int, optional
        The number of entries, at least 2; ``balanced`` makes it even.

    Returns
    -------
    VectorPair

    Raises
    ------
    ValueError
        If there is no such relation, or size is below 2.
    """
    relation = relation or str(rng.choice(RELATIONS))
    size = size or int(rng.integers(2, 13))
    if relation not in RELATIONS or size < 2:
        message = f"vector_pair: relation must be one of {RELATIONS} and size at least 2"
        raise ValueError(message)
    if relation == "balanced":
        return _balanced(rng, size + size % 2)
    spread = 120.0 if relation == "lopsided" else 1.0
    p, q = simplex_vector(rng, size, spread=spread), simplex_vector(rng, size, spread=spread)
    if relation == "equal":
        q = p.copy()
    elif relation == "near":
        q = p * (1.0 + 10.0 ** rng.uniform(-14, -1) * rng.uniform(-1, 1, size))
    elif relation == "disjoint":
        side = _split(rng, size)
        p, q = p * side, q * ~side
    elif relation == "overlapping":
        order = rng.permutation(size)
        p[order[0]] = q[order[1]] = 0.0
        p[order[1]] += 1.0  # where only two atoms are left, both laws keep some mass
        q[order[0]] += 1.0
    elif relation == "dominated":
        p = p * _split(rng, size)
    return VectorPair(relation, p / p.sum(), q / q.sum())


def _balanced(rng: Generator, size: int) -> VectorPair:
    tilt = 10.0 ** rng.uniform(-6, -1) * np.resize([1.0, -1.0], size)
    return VectorPair("balanced", np.full(size, 1.0 / size), (1.0 + tilt) / size)


def _split(rng: Generator, size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """A random subset that is neither empty nor everything, as a mask."""
    side = np.zeros(size, dtype=bool)
    side[rng.permutation(size)[: rng.integers(1, size)]] = True
    return side
