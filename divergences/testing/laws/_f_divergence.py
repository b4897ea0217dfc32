r"""Laws of f-divergences, :math:`D_f(p, q) = \sum_i q_i f(p_i / q_i)`, f convex, f(1) = 0.

Each holds for every such f (I. Csiszar 1967; F. Liese and I. Vajda, IEEE Trans. Inf. Theory
52, 2006), so a constant factor, another base or
swapped arguments break none of them: those are found by a reference.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..strategies import markov_kernels, simplex_vectors, vector_pairs
from ..strategies._vectors import normalised
from ._law import Comparison, Example, Law
from ._subject import Subject

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RELATIONS = ("equal", "near", "balanced", "disjoint", "overlapping", "dominated", "generic")


APART = 1e-9
"""Less than any divergence of disjoint laws."""


def pair(p: Any, q: Any, **more: Any) -> Example:
    """An example of two vectors, and what else it needs."""
    return {"p": np.array(p, dtype=float), "q": np.array(q, dtype=float), **more}


CORNERS = (
    pair([0.5, 0.5], [0.25, 0.75]),
    pair([1.0, 0.0], [0.5, 0.5]),
    pair([0.5, 0.5], [1.0, 0.0]),
    pair([1.0, 0.0], [0.0, 1.0]),
    pair([0.25, 0.75, 0.0], [0.25, 0.25, 0.5]),
)
THIRTEENTHS = np.array([1.0, 3.0, 3.0, 3.0, 3.0]) / 13.0
ROUNDED = (*CORNERS, pair(THIRTEENTHS, THIRTEENTHS))
"""With a vector whose floats sum to more than 1: what is 1 minus a sum is below 0."""
FIRST, SECOND = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def pairs() -> "SearchStrategy[Example]":
    """Pairs in every relation, and with masses down to 1e-100."""
    from .._hypothesis import strategies as st

    related = st.one_of(*[vector_pairs(name, max_size=5) for name in RELATIONS])
    exponents = st.lists(st.integers(-100, 0), min_size=3, max_size=3)
    lopsided = st.tuples(exponents, exponents).map(
        lambda two: pair(*(normalised(10.0 ** np.array(powers, dtype=float)) for powers in two))
    )
    return st.one_of(related.map(lambda two: pair(two.p, two.q)), lopsided)


def _with(**more: Any) -> "SearchStrategy[Example]":
    """Pairs together with further entries, each drawn from a strategy."""
    from .._hypothesis import strategies as st

    return st.builds(lambda two, rest: two | rest, pairs(), st.fixed_dictionaries(more))


def _two_pairs() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    def merge(first: Example, second: Example, eighths: int) -> Example:
        return first | {"p2": second["p"], "q2": second["q"], "share": eighths / 8}

    return st.builds(merge, pairs(), pairs(), st.integers(1, 7))


def _four_vectors() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    def four(size: int) -> "SearchStrategy[Example]":
        vector = simplex_vectors(size, size)
        return st.fixed_dictionaries(
            {"p": vector, "q": vector, "p2": vector, "q2": vector,
             "share": st.integers(1, 7).map(lambda eighths: eighths / 8)}
        )  # fmt: skip

    return st.one_of(*[four(size) for size in (2, 3, 4)])


def _equal(subject: Subject, lhs: float, rhs: float) -> Comparison:
    return Comparison(lhs, "==", rhs, subject.budget(lhs, rhs))


def _at_most(subject: Subject, lhs: float, rhs: float) -> Comparison:
    return Comparison(lhs, "<=", rhs, subject.budget(lhs, rhs))


def _non_negative(d: Subject, e: Example) -> Comparison:
    return _at_most(d, 0.0, d(e["p"], e["q"]))


def _zero_on_equal(d: Subject, e: Example) -> Comparison:
    return _equal(d, d(e["p"], e["p"]), 0.0)


def _unordered(d: Subject, e: Example) -> Comparison:
    return _equal(d, d(e["p"][::-1], e["q"][::-1]), d(e["p"], e["q"]))


def _no_mass(d: Subject, e: Example) -> Comparison:
    place = e["place"] % (e["p"].size + 1)
    wider = [np.insert(vector, place, 0.0) for vector in (e["p"], e["q"])]
    return _equal(d, d(*wider), d(e["p"], e["q"]))


def _split(d: Subject, e: Example) -> Comparison:
    place = e["place"] % e["p"].size
    parts = []
    for vector in (e["p"], e["q"]):
        one = vector[place] * e["share"]
        whole = vector.copy()
        whole[place] -= one
        parts.append(np.insert(whole, place, one))
    return _equal(d, d(*parts), d(e["p"], e["q"]))


def _processed(d: Subject, e: Example) -> Comparison:
    kernel = e["kernel"]
    p, q = (normalised(e[name] @ kernel) for name in ("p", "q"))
    return _at_most(d, d(p, q), d(e["p"], e["q"]))


def _convex(d: Subject, e: Example) -> Comparison:
    t = e["share"]
    p, q = (normalised(t * e[name] + (1 - t) * e[name + "2"]) for name in ("p", "q"))
    return _at_most(d, d(p, q), t * d(e["p"], e["q"]) + (1 - t) * d(e["p2"], e["q2"]))


def _additive(d: Subject, e: Example) -> Comparison:
    t = e["share"]
    p, q = (np.concatenate([t * e[name], (1 - t) * e[name + "2"]]) for name in ("p", "q"))
    return _equal(d, d(p, q), t * d(e["p"], e["q"]) + (1 - t) * d(e["p2"], e["q2"]))


def _largest(d: Subject, e: Example) -> Comparison:
    value, apart = d(e["p"], e["q"]), d(FIRST, SECOND)
    disjoint = not (e["p"] * e["q"]).any() and not np.any((e["p"] > 0) & (e["q"] > 0))
    return _equal(d, value, apart) if disjoint else _at_most(d, value, apart)


def _apart(d: Subject, e: Example) -> Comparison:
    return Comparison(APART, "<=", d(e["p"], e["q"]))


def _processed_pairs() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    def of_size(size: int) -> "SearchStrategy[Example]":
        vector = simplex_vectors(size, size)
        kernel = markov_kernels(size, max_size=3)
        return st.fixed_dictionaries({"p": vector, "q": vector, "kernel": kernel})

    return st.one_of(*[of_size(size) for size in (2, 3, 4)])


def _split_pairs() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    eighths = st.integers(1, 7).map(lambda step: step / 8)
    return _with(place=st.integers(0, 6), share=eighths)


def _disjoint() -> "SearchStrategy[Example]":
    from .._hypothesis import strategies as st

    return st.just(CORNERS[3])


def laws() -> tuple[Law, ...]:
    """The laws of an f-divergence on probability vectors."""
    placed = tuple(corner | {"place": 0, "share": 0.5} for corner in CORNERS)
    rest = (CORNERS[1], pair([0.25, 0.75], [0.5, 0.5]))  # the first pair again, swapped
    doubled = tuple(
        corner | {"p2": other["p"], "q2": other["q"], "share": 0.5}
        for other in rest for corner in CORNERS[:3]
    )  # fmt: skip
    return (
        Law("non-negative", "D(p, q) >= 0", pairs, _non_negative, CORNERS),
        Law("zero on equal laws", "D(p, p) = 0", pairs, _zero_on_equal, ROUNDED,
            uses=("p",)),
        Law("atoms have no order", "D does not change when both vectors are reversed",
            pairs, _unordered, CORNERS),
        Law("atoms without mass do not count", "D does not change with an atom of mass 0 in both",
            _split_pairs, _no_mass, placed, uses=("p", "q", "place")),
        Law("splitting an atom changes nothing", "D(.., t p_i, (1-t) p_i, ..) = D(.., p_i, ..)",
            _split_pairs, _split, placed),
        Law("data processing", "D(p K, q K) <= D(p, q) for every Markov kernel K",
            _processed_pairs, _processed),
        Law("jointly convex", "D(t p + (1-t) p', t q + (1-t) q') <= t D(p, q) + (1-t) D(p', q')",
            _four_vectors, _convex, doubled),
        Law("adds up over separate parts", "D of a mixture of laws on separate parts is the mixture"
            " of their D", _two_pairs, _additive, doubled),
        Law("disjoint laws are farthest", "D(p, q) <= D((1,0), (0,1)), equal for disjoint supports",
            pairs, _largest, CORNERS),
        Law("disjoint laws are apart", "D((1,0), (0,1)) > 0",
            _disjoint, _apart),
    )  # fmt: skip
