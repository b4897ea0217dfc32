"""Usual mistakes as formulas: what a wrong function of two vectors would return."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ... import bhattacharyya_distance, chi_squared_divergence, hellinger_distance
from ..._typing import Float64Array

Quantity = Callable[[Any, Any], Any]
Mistake = tuple[str, Callable[[Quantity, Any, Any], Any]]

VECTORS = (
    (np.array([0.5, 0.5]), np.array([0.25, 0.75])),
    (np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.3, 0.1])),
    (np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.4, 0.35, 0.15, 0.1])),
    (np.array([0.05, 0.1, 0.15, 0.3, 0.4]), np.array([0.3, 0.3, 0.2, 0.15, 0.05])),
    (np.array([0.25, 0.75]), np.array([0.5, 0.5])),
)
VECTORS_WITH_ZEROS = (
    (np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.25, 0.75])),
    (np.array([1.0, 0.0]), np.array([0.0, 1.0])),
    (np.array([0.25, 0.0, 0.75, 0.0]), np.array([0.25, 0.25, 0.25, 0.25])),
    (np.array([0.1, 0.2, 0.7, 0.0]), np.array([0.4, 0.0, 0.35, 0.25])),
)

LOG2 = math.log(2.0)
MISTAKES: tuple[Mistake, ...] = (
    ("swapped arguments: it is {0}(q, p)", lambda f, p, q: f(q, p)),
    ("square root: it is the root of {0}", lambda f, p, q: math.sqrt(f(p, q))),
    ("squared: it is {0}, squared", lambda f, p, q: f(p, q) ** 2),
    ("missing 1/2: it is twice {0}", lambda f, p, q: 2 * f(p, q)),
    ("a factor 1/2 too many: it is half of {0}", lambda f, p, q: f(p, q) / 2),
    ("base 2: it is {0} in bits, not nats", lambda f, p, q: f(p, q) / LOG2),
    ("base 10: it is {0} in bans, not nats", lambda f, p, q: f(p, q) / math.log(10.0)),
    ("square root and base 2: it is the root of {0} in bits",
     lambda f, p, q: math.sqrt(f(p, q) / LOG2)),
    ("square root of twice {0} (missing 1/2)", lambda f, p, q: math.sqrt(2 * f(p, q))),
    ("base 2 and swapped arguments: it is {0}(q, p) in bits", lambda f, p, q: f(q, p) / LOG2),
    ("mean instead of sum (mean instead of batch mean): it is {0} divided by the number of atoms",
     lambda f, p, q: f(p, q) / len(p)),
    ("mean instead of sum, and swapped arguments: it is {0}(q, p) divided by the number of atoms",
     lambda f, p, q: f(q, p) / len(p)),
    ("wrong sign: it is -{0}", lambda f, p, q: -f(p, q)),
    ("symmetrised: it is {0}(p, q) + {0}(q, p)", lambda f, p, q: f(p, q) + f(q, p)),
    ("symmetrised: it is the mean of {0}(p, q) and {0}(q, p)",
     lambda f, p, q: (f(p, q) + f(q, p)) / 2),
    ("one minus it: it is 1 - {0}", lambda f, p, q: 1 - f(p, q)),
)  # fmt: skip


Vector: TypeAlias = Float64Array


def _restricted(first: bool) -> Quantity:
    """TV summed over the atoms of one law only."""
    return lambda p, q: 0.5 * np.abs(p - q)[(p if first else q) > 0].sum()


def _terms(p: Vector, q: Vector) -> Vector:
    """The terms p log(p/q) where both are positive."""
    both = (p > 0) & (q > 0)
    return np.asarray(p[both] * np.log(p[both] / q[both]))


def finite_part(p: Vector, q: Vector) -> float:
    """The Kullback-Leibler sum without its infinite terms."""
    return float(_terms(p, q).sum())


ONE_SIDED = "one-sided grid: only the atoms of one law are summed over"
IGNORES = "atoms where q is 0 are left out of the sum; there the divergence is infinite"
KNOWN_WITH_ZEROS: tuple[tuple[str, Quantity], ...] = (
    (ONE_SIDED, _restricted(True)),
    (ONE_SIDED, _restricted(False)),
    (ONE_SIDED, lambda p, q: 2 * _restricted(True)(p, q)),
    (IGNORES, finite_part),
    (IGNORES, lambda p, q: finite_part(q, p)),
)


def _half_js(p: Vector, q: Vector) -> float:
    return finite_part(p, (p + q) / 2)


OTHERS: tuple[tuple[str, Quantity], ...] = (
    ("it is the Hellinger distance", hellinger_distance),
    ("it is the squared Hellinger distance", lambda p, q: hellinger_distance(p, q) ** 2),
    ("it is twice the squared Hellinger distance",
     lambda p, q: 2 * hellinger_distance(p, q) ** 2),
    ("it is the Bhattacharyya distance", bhattacharyya_distance),
    ("it is the chi-squared divergence", chi_squared_divergence),
    ("swapped arguments: it is the chi-squared divergence of q and p",
     lambda p, q: chi_squared_divergence(q, p)),
    ("it is the Renyi divergence of order 1/2", lambda p, q: 2 * bhattacharyya_distance(p, q)),
    ("it is the Renyi divergence of order 2", lambda p, q: np.log1p(chi_squared_divergence(p, q))),
    ("one half of Jensen-Shannon only: it is KL(p, (p + q)/2)", _half_js),
    ("one half of Jensen-Shannon only: it is KL(q, (p + q)/2)", lambda p, q: _half_js(q, p)),
    ("Jensen-Shannon with swapped arguments: the mean of KL(m, p) and KL(m, q), m = (p + q)/2",
     lambda p, q: (finite_part((p + q) / 2, p) + finite_part((p + q) / 2, q)) / 2),
    ("Jensen-Shannon with m = p + q, not halved",
     lambda p, q: (finite_part(p, p + q) + finite_part(q, p + q)) / 2),
    ("Jensen-Shannon with the geometric mean sqrt(p q) for m",
     lambda p, q: (finite_part(p, q) + finite_part(q, p)) / 4),
    ("it is the cross-entropy: the entropy of p is not subtracted",
     lambda p, q: -(p * np.log(q)).sum()),
    ("absolute values are taken inside the sum", lambda p, q: np.abs(_terms(p, q)).sum()),
    ("the negative terms of the sum are dropped", lambda p, q: np.maximum(_terms(p, q), 0).sum()),
    ("it is the larger of kl_divergence(p, q) and kl_divergence(q, p)",
     lambda p, q: max(finite_part(p, q), finite_part(q, p))),
    ("it is the smaller of kl_divergence(p, q) and kl_divergence(q, p)",
     lambda p, q: min(finite_part(p, q), finite_part(q, p))),
    ("it is the Euclidean distance of the vectors", lambda p, q: np.linalg.norm(p - q)),
    ("it is half the Euclidean distance of the vectors", lambda p, q: np.linalg.norm(p - q) / 2),
    ("it is the squared Euclidean distance of the vectors", lambda p, q: ((p - q) ** 2).sum()),
    ("it is the largest difference of the entries, not half the sum of them",
     lambda p, q: np.abs(p - q).max()),
    ("atoms are taken for points 0, 1, 2, ... of the line: it is wasserstein1 there",
     lambda p, q: np.abs(np.cumsum(p - q)).sum()),
    ("the entries are sorted first: their places are lost",
     lambda p, q: np.abs(np.sort(p) - np.sort(q)).sum() / 2),
)  # fmt: skip
"""Other quantities that are taken for one of ours, and mistakes of no one quantity."""

CLIPS = (2.0**-52, 2.0**-23, *(10.0**-power for power in (16, *range(15, 1, -1), 20, 30)))


def _kept(p: Vector, q: Vector, eps: float) -> float:
    return float((p[p > 0] * np.log(p[p > 0] / np.maximum(q[p > 0], eps))).sum())


CLIPPED: tuple[Callable[[Vector, Vector, float], float], ...] = (
    lambda p, q, eps: finite_part(np.clip(p, eps, 1 - eps), np.clip(q, eps, 1 - eps)),
    lambda p, q, eps: finite_part(np.clip(p, eps, 1), np.clip(q, eps, 1)),
    lambda p, q, eps: finite_part(p + eps, q + eps),
    lambda p, q, eps: finite_part(p, q + eps),
    _kept,
)
"""Kullback-Leibler sums of probabilities kept away from 0 by eps."""
