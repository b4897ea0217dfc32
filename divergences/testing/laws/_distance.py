r"""Laws of metrics between laws, and of integral probability metrics.

A metric: non-negative, zero on equal laws and there only, symmetric, with triangle inequality; of
samples it sees the empirical law, so neither their order nor their repetition counts. An integral
probability metric :math:`\sup_{f \in F} |E_P f - E_Q f|` is a seminorm of P - Q (A. Mueller 1997):
no separation is demanded, but homogeneity.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ..._typing import Float64Array
from ._domain import Domain, alike, alike_vectors, point_laws
from ._f_divergence import ROUNDED
from ._law import Comparison, Example, Law
from ._subject import Subject

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


APART = 1e-9
"""Less than any distance of two laws that are clearly different."""


def _size(example: Example) -> float:
    return max(1.0, *(float(np.abs(value).max()) for value in example.values()))


def _pair(example: Example) -> tuple[Float64Array, Float64Array]:
    first, second = list(example.values())[:2]
    return first, second


def _compare(d: Subject, example: Example, lhs: float, relation: str, rhs: float) -> Comparison:
    budget = d.root_budget(lhs, rhs, size=_size(example))
    return Comparison(lhs, relation, rhs, budget)  # type: ignore[arg-type]


def _non_negative(d: Subject, e: Example) -> Comparison:
    return _compare(d, e, 0.0, "<=", d(*_pair(e)))


def _zero(d: Subject, e: Example) -> Comparison:
    x = _pair(e)[0]
    return _compare(d, e, d(x, x), "==", 0.0)


def _symmetric(d: Subject, e: Example) -> Comparison:
    x, y = _pair(e)
    return _compare(d, e, d(x, y), "==", d(y, x))


def _triangle(d: Subject, e: Example) -> Comparison:
    x, y, z = e.values()
    lhs, first, second = d(x, z), d(x, y), d(y, z)
    budget = d.root_budget(lhs, first, second, size=_size(e))
    return Comparison(lhs, "<=", first + second, budget)


def _apart(d: Subject, e: Example) -> Comparison:
    """Samples also 1000 times as far apart, where a kernel's sums may resolve no less."""
    value = d(*_pair(e))
    if "x" in e and value < APART:
        value = max(value, d(*(1000.0 * v for v in _pair(e))))
    return Comparison(APART, "<=", value)


def _unordered(d: Subject, e: Example) -> Comparison:
    x, y = _pair(e)
    return _compare(d, e, d(x[::-1], y), "==", d(x, y))


def _repeated(d: Subject, e: Example) -> Comparison:
    x, y = _pair(e)
    return _compare(d, e, d(np.repeat(x, 2, axis=0), np.repeat(y, 2, axis=0)), "==", d(x, y))


def _mixed(domain: Domain, first: Float64Array, second: Float64Array) -> Float64Array:
    """The even mixture of two laws; two samples are repeated to one size and joined."""
    if domain.name == "vectors":
        return (first + second) / 2
    both = np.lcm(len(first), len(second))
    return np.concatenate([np.repeat(v, both // len(v), axis=0) for v in (first, second)])


def _homogeneous(domain: Domain) -> Callable[[Subject, Example], Comparison]:
    def compare(d: Subject, e: Example) -> Comparison:
        x, y, z = e.values()
        return _compare(d, e, d(_mixed(domain, x, z), _mixed(domain, y, z)), "==", d(x, y) / 2)

    return compare


def _not_always_zero(domain: Domain) -> Callable[[Subject, Example], Comparison]:
    def compare(d: Subject, _: Example) -> Comparison:
        return Comparison(APART, "<=", max(d(x, y) for x, y in point_laws(domain)))

    return compare


def _names(domain: Domain, count: int) -> tuple[str, ...]:
    return ("p", "q", "r")[:count] if domain.name == "vectors" else ("x", "y", "z")[:count]


@cache
def examples(domain: Domain, count: int) -> "Callable[[], SearchStrategy[Example]]":
    names = _names(domain, count)
    return lambda: domain.laws(count).map(lambda laws: dict(zip(names, laws, strict=True)))


def _common(domain: Domain) -> tuple[Law, ...]:
    two, three = examples(domain, 2), examples(domain, 3)
    corners = tuple(dict(zip(_names(domain, 2), laws, strict=True)) for laws in point_laws(domain))
    equal = ROUNDED if domain.name == "vectors" else corners
    triangles: tuple[Example, ...]
    if domain.name == "vectors":  # C7: Jensen-Shannon fails here
        middle = np.array([0.5, 0.5])
        triangles = ({"p": np.array([1.0, 0.0]), "q": middle, "r": np.array([0.0, 1.0])},)
    else:
        shape = (-1,) if domain.flat else (-1, 1)
        line = ([0.0], [1.0], [2.0])
        mixed = ([0.0, 0.0], [0.0, 1.0], [1.0, 1.0])  # squares of norms fail at the midpoint
        triangles = tuple(
            dict(zip("xyz", (np.reshape(v, shape) for v in three), strict=True))
            for three in (line, mixed)
        )
    laws = (
        Law("non-negative", "d(P, Q) >= 0", two, _non_negative, corners),
        Law("zero on equal laws", "d(P, P) = 0", two, _zero, equal, uses=_names(domain, 1)),
        Law("symmetric", "d(P, Q) = d(Q, P)", two, _symmetric, corners),
        Law("triangle inequality", "d(P, R) <= d(P, Q) + d(Q, R)", three, _triangle, triangles),
    )
    if domain.name == "vectors":
        return laws
    return (
        *laws,
        Law("points have no order", "d does not change when a sample is reversed",
            two, _unordered, corners),
        Law("the empirical law counts", "d does not change when every point is given twice",
            two, _repeated, corners),
    )  # fmt: skip


def metric_laws(domain: Domain) -> tuple[Law, ...]:
    """The laws of a metric on probability vectors, or on laws given by samples."""
    on_vectors = domain.name == "vectors"
    others = alike_vectors() if on_vectors else [(x, y) for _, x, y in alike(domain)]
    pairs = (*point_laws(domain), *others)
    apart = tuple(dict(zip(_names(domain, 2), laws, strict=True)) for laws in pairs)

    def some() -> "SearchStrategy[Example]":
        from .._hypothesis import strategies as st

        return st.just(apart[0])

    return (*_common(domain), Law("different laws are apart", "d(P, Q) > 0", some, _apart, apart))


def ipm_laws(domain: Domain) -> tuple[Law, ...]:
    """The laws of an integral probability metric."""

    def one() -> "SearchStrategy[Example]":
        from .._hypothesis import strategies as st

        return st.just({})

    three = examples(domain, 3)
    return (
        *_common(domain),
        Law("homogeneous in P - Q", "d((P + R)/2, (Q + R)/2) = d(P, Q)/2",
            three, _homogeneous(domain)),
        Law("not always zero", "some laws are apart", one, _not_always_zero(domain)),
    )  # fmt: skip
