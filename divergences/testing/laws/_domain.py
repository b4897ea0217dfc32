"""What a distance compares: probability vectors on one support, or samples.

A bare array means what its parameter is called: ``p, q`` are probability vectors, ``x, y``
samples. Where the names say nothing, or the function refuses what they say, small probes decide;
the report says what was decided.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._typing import Float64Array
from ..strategies import lattice, simplex_vectors
from ._f_divergence import pair
from ._subject import Subject, accepts, library_of, parameters_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DOMAINS = ("vectors", "samples")


@dataclass(frozen=True)
class Domain:
    """The arguments of a distance.

    Attributes
    ----------
    name : "vectors" or "samples"
    flat : bool, samples have shape (n,) only
    equal : bool, both samples have the same size
    """

    name: str
    flat: bool = False
    equal: bool = False

    @property
    def description(self) -> str:
        """For the report."""
        if self.name == "vectors":
            return "called on probability vectors of one length"
        shape = "(n,)" if self.flat else "(n, d)"
        return f"called on samples of shape {shape}" + (" and equal size" if self.equal else "")

    def laws(self, count: int) -> "SearchStrategy[tuple[Float64Array, ...]]":
        """So many laws to compare."""
        return _vectors(count) if self.name == "vectors" else _samples(count, self)


VECTOR_PROBE = (np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.25]))
PLANE_X = np.array([[0.0, -1.0], [2.0, 0.5], [-3.0, 1.0]])
PLANE_Y = np.array([[1.0, 1.0], [-2.0, 0.25], [0.5, 4.0], [2.0, -2.0]])
SAMPLE_PROBES = (
    (Domain("samples"), PLANE_X, PLANE_Y),
    (Domain("samples", flat=True), PLANE_X[:, 0], PLANE_Y[:, 1]),
    (Domain("samples", equal=True), PLANE_X, PLANE_Y[:3]),
    (Domain("samples", flat=True, equal=True), PLANE_X[:, 0], PLANE_Y[:3, 1]),
)


def decide(function: Callable[..., Any], domain: str | None) -> tuple[Domain, str]:
    """The domain of a distance, and the library of its arrays."""
    probes = [probe[1:] for probe in SAMPLE_PROBES]
    library = library_of(function, VECTOR_PROBE, *probes)
    if domain == "vectors":
        return Domain("vectors"), library_of(function, VECTOR_PROBE)
    if (
        domain is None
        and _names(function)[:1] in (["p"], ["P"])
        and accepts(function, library, *VECTOR_PROBE)
    ):
        return Domain("vectors"), library
    for strict in (True, False) if domain else (True,):
        for candidate, x, y in SAMPLE_PROBES:
            library = library_of(function, (x, y))
            if accepts(function, library, x, y) and (
                not (strict and candidate.equal) or _unordered(function, library, x, y)
            ):
                return candidate, library
    named = _names(function)[:1] in (["x"], ["X"])
    if domain or (named and not accepts(function, library, *VECTOR_PROBE)):
        return Domain("samples"), library
    return Domain("vectors"), library_of(function, VECTOR_PROBE)


def _names(function: Callable[..., Any]) -> list[str]:
    return list(parameters_of(function))


def _unordered(
    function: Callable[..., Any], library: str, x: Float64Array, y: Float64Array
) -> bool:
    """Whether the order of the points in a sample does not matter (rows paired up: it does)."""
    subject = Subject(function, library)
    moved = abs(subject(x, y) - subject(x[::-1], y)), abs(subject(x, x[::-1]))
    return max(moved) <= 1e-6 * subject.scale


def _vectors(count: int) -> "SearchStrategy[tuple[Float64Array, ...]]":
    from .._hypothesis import strategies as st

    def tuples(size: int) -> "SearchStrategy[tuple[Float64Array, ...]]":
        return st.tuples(*[simplex_vectors(size, size)] * count)

    def near(vectors: tuple[Float64Array, ...], digits: int) -> tuple[Float64Array, ...]:
        small = 10.0**-digits
        return tuple((1 - small) * vectors[0] + small * vector for vector in vectors)

    far = st.one_of(*[tuples(size) for size in (2, 3, 4)])
    return st.one_of(far, st.builds(near, far, st.integers(1, 12)))


def _samples(count: int, domain: Domain) -> "SearchStrategy[tuple[Float64Array, ...]]":
    from .._hypothesis import strategies as st

    def sample(dimension: int, sizes: tuple[int, int]) -> "SearchStrategy[Float64Array]":
        point = st.lists(lattice(), min_size=dimension, max_size=dimension)
        points = st.lists(point, min_size=sizes[0], max_size=sizes[1]).map(np.array)
        return points.map(np.ravel) if domain.flat else points

    def tuples(shape: tuple[int, int]) -> "SearchStrategy[tuple[Float64Array, ...]]":
        sizes = (shape[1], shape[1]) if domain.equal else (1, 4)
        return st.tuples(*[sample(shape[0], sizes)] * count)

    dimensions = (1,) if domain.flat else (1, 2, 3)
    sizes = (1, 2, 3, 4) if domain.equal else (4,)
    return st.one_of(*[tuples((d, size)) for size in sizes for d in dimensions])


def point_laws(domain: Domain) -> tuple[tuple[Float64Array, Float64Array], ...]:
    """Pairs of clearly different laws, the simplest first."""
    if domain.name == "vectors":
        return tuple(
            (corner["p"], corner["q"])
            for corner in (pair([1.0, 0.0], [0.0, 1.0]), pair([0.5, 0.5], [1.0, 0.0]),
                           pair([0.25, 0.75], [0.5, 0.5]), pair([0.0, 1.0, 0.0], [0.5, 0.0, 0.5]))
        )  # fmt: skip
    shape = (-1,) if domain.flat else (-1, 1)
    return tuple((np.reshape(x, shape), np.reshape(y, shape)) for x, y in NUMBERS)


NUMBERS = (
    ([0.0], [1.0]),
    ([0.0], [-4.0]),
    ([0.0, 1.0], [2.0, 3.0]),
    ([-3.0, 3.0], [0.5, 0.5]),
)
ALIKE = (
    ("the same mean", [[-1.0], [1.0]], [[0.0], [0.0]]),
    ("the same mean and variance", [[-1.0], [-1.0], [2.0]], [[-2.0], [1.0], [1.0]]),
    ("the same support", [[0.0], [0.0], [0.0], [1.0]], [[0.0], [1.0], [1.0], [1.0]]),
    ("the same marginals", [[0.0, 0.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]),
)
"""Pairs of different samples, and what does not tell them apart."""


def alike(domain: Domain) -> tuple[tuple[str, Float64Array, Float64Array], ...]:
    """Pairs of different samples that have something in common, with its name."""
    pairs = ((text, np.array(x), np.array(y)) for text, x, y in ALIKE)
    if not domain.flat:
        return tuple(pairs)
    return tuple((text, x[:, 0], y[:, 0]) for text, x, y in pairs if x.shape[1] == 1)


def alike_vectors() -> tuple[tuple[Float64Array, Float64Array], ...]:
    """Pairs of different laws that agree on the first or last atom, and in all else but order."""
    pairs = ([0.5, 0.5, 0.0], [0.5, 0.0, 0.5]), ([0.25, 0.5, 0.25], [0.5, 0.25, 0.25])
    return tuple((np.array(p), np.array(q)) for p, q in pairs)
