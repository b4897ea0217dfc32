"""Pairs of components of two mixtures that may be nearly the same law."""

from fractions import Fraction
from typing import Any

import numpy as np

from .._array import as_numpy
from ..families._affine import AffineOnLine
from ..families._line import ContinuousLaw, Parametric
from ..families._mixture import Mixture

Term = tuple[float, ContinuousLaw]
MOST_PAIRS = 4096  # beyond, components are paired in their order


def matched(p: Any, q: Any) -> list[tuple[Term | None, Term | None, float]]:
    """Components with their weights, None where one has no partner, and the log of the weights'
    ratio.
    """
    first, second = _terms(p), _terms(q)
    result: list[tuple[Term | None, Term | None, float]] = []
    partners = _partners([law for _, law in first], [law for _, law in second])
    for i, j in partners:
        (w, f), (v, g) = first[i], second[j]
        growth = float((w - v) / v)
        growth = float(np.log1p(growth) if abs(growth) < 0.5 else np.log(float(w / v)))
        result.append(((float(w), f), (float(v), g), growth))
    taken = {i for i, _ in partners}, {j for _, j in partners}
    result += [((float(w), f), None, 0.0) for i, (w, f) in enumerate(first) if i not in taken[0]]
    result += [(None, (float(v), g), 0.0) for j, (v, g) in enumerate(second) if j not in taken[1]]
    return result


def _terms(law: Any) -> list[tuple[Fraction, ContinuousLaw]]:
    """Exactly normalised weights, and components; mixtures of mixtures are one mixture."""
    if not isinstance(law, Mixture):
        return [(Fraction(1), law)]
    weights = [Fraction(float(weight)) for weight in as_numpy(law.weights)]
    total = sum(weights)
    pairs = [(w / total, part) for w, part in zip(weights, law.components, strict=True) if w > 0]
    return [(w * v, inner) for w, part in pairs for v, inner in _terms(part)]


def _partners(first: list[Any], second: list[Any]) -> list[tuple[int, int]]:
    """Pairs of laws of one kind, the nearest parameters first."""
    kinds = [[_kind(law) for law in laws] for laws in (first, second)]
    pairs = [(i, j) for i, a in enumerate(kinds[0]) for j, b in enumerate(kinds[1]) if a == b]
    if len(pairs) <= MOST_PAIRS:
        numbers = [[_numbers(law) for law in laws] for laws in (first, second)]
        pairs.sort(key=lambda pair: _distance(numbers[0][pair[0]], numbers[1][pair[1]]))
    free, result = (set(range(len(first))), set(range(len(second)))), []
    for i, j in pairs:
        if i in free[0] and j in free[1]:
            free[0].remove(i)
            free[1].remove(j)
            result.append((i, j))
    return result


def _kind(law: Any) -> tuple[type, ...]:
    return (type(law), *_kind(law.law)) if isinstance(law, AffineOnLine) else (type(law),)


def _numbers(law: Any) -> list[float]:
    inner = [_numbers(v) if isinstance(v, Parametric) else [float(v)] for v in _values(law)]
    return [number for part in inner for number in part]


def _values(law: Any) -> list[Any]:
    values = list(law.parameters().values())
    return [v for v in values if isinstance(v, Parametric) or (np.ndim(v) == 0 and not callable(v))]


def _distance(first: list[float], second: list[float]) -> float:
    pairs = zip(first, second, strict=True)
    return sum(abs(a - b) / (abs(a) + abs(b)) for a, b in pairs if a != b)
