"""Usual mistakes as formulas: what a wrong function would return."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import wasserstein1
from ..._typing import Float64Array
from . import _reference
from ._domain import PLANE_X, PLANE_Y

Quantity = Callable[[Any, Any], Any]
Mistake = tuple[str, Callable[[Quantity, Any, Any], Any]]

VECTORS = (
    (np.array([0.5, 0.5]), np.array([0.25, 0.75])),
    (np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.3, 0.1])),
    (np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.4, 0.35, 0.15, 0.1])),
    (np.array([0.05, 0.1, 0.15, 0.3, 0.4]), np.array([0.3, 0.3, 0.2, 0.15, 0.05])),
)
VECTORS_WITH_ZEROS = (
    (np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.25, 0.75])),
    (np.array([1.0, 0.0]), np.array([0.0, 1.0])),
    (np.array([0.25, 0.0, 0.75, 0.0]), np.array([0.25, 0.25, 0.25, 0.25])),
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


def _restricted(first: bool) -> Quantity:
    """TV summed over the atoms of one law only."""
    return lambda p, q: 0.5 * np.abs(p - q)[(p if first else q) > 0].sum()


def finite_part(p: Float64Array, q: Float64Array) -> float:
    both = (p > 0) & (q > 0)
    return float((p[both] * np.log(p[both] / q[both])).sum())


ONE_SIDED = "one-sided grid: only the atoms of one law are summed over"
IGNORES = "atoms where q is 0 are left out of the sum; there the divergence is infinite"
KNOWN_WITH_ZEROS: tuple[tuple[str, Quantity], ...] = (
    (ONE_SIDED, _restricted(True)),
    (ONE_SIDED, _restricted(False)),
    (ONE_SIDED, lambda p, q: 2 * _restricted(True)(p, q)),
    (IGNORES, finite_part),
    (IGNORES, lambda p, q: finite_part(q, p)),
)

FLAT = (
    (PLANE_X[:, 0], PLANE_Y[:3, 1]),
    (np.array([0.0, 1.0, 5.0, 7.0]), np.array([2.0, 2.5, 3.0, -4.0])),
    (np.array([0.5, -2.0]), np.array([3.0, 4.5])),
)
PLANE = (
    (PLANE_X, PLANE_Y[:3]),
    (PLANE_Y, PLANE_Y[::-1] * 2.0 + 1.0),
    (PLANE_X[:2], PLANE_X[1:] + 3.0),
)


def _columns(x: Float64Array) -> Float64Array:
    return x.reshape(len(x), -1)


def _energy(x: Float64Array, y: Float64Array) -> float:
    x, y = _columns(x), _columns(y)

    def mean(a: Float64Array, b: Float64Array) -> float:
        return float(np.linalg.norm(a[:, None] - b, axis=-1).mean())

    return 2 * mean(x, y) - mean(x, x) - mean(y, y)


_w2, _w22 = _reference.wasserstein2, _reference.squared_wasserstein2
SAMPLE_MISTAKES: tuple[tuple[str, Quantity], ...] = (
    ("W_p^p: it is the squared Wasserstein-2 distance; take its root", _w22),
    ("squared cost: it is the Wasserstein-2 distance", _w2),
    ("W_p^p and a factor 1/2: it is half the squared Wasserstein-2 distance",
     lambda x, y: _w22(x, y) / 2),
    ("squared: it is wasserstein1, squared", lambda x, y: wasserstein1(x, y) ** 2),
    ("square root: it is the root of wasserstein1", lambda x, y: math.sqrt(wasserstein1(x, y))),
    ("a sum instead of a mean: it is wasserstein1 times the number of points",
     lambda x, y: wasserstein1(x, y) * len(x)),
    ("missing 1/2: it is twice wasserstein1", lambda x, y: 2 * wasserstein1(x, y)),
    ("a factor 1/2 too many: it is half of wasserstein1", lambda x, y: wasserstein1(x, y) / 2),
    ("cityblock instead of Euclidean ground distance",
     lambda x, y: wasserstein1(_columns(x), _columns(y), metric="cityblock")),
    ("a mean over coordinates: it is wasserstein1 for the cityblock distance, divided by d",
     lambda x, y: wasserstein1(_columns(x), _columns(y), metric="cityblock") / x[0].size),
    ("squared: it is the energy distance without its root", _energy),
    ("half the energy distance, without its root", lambda x, y: _energy(x, y) / 2),
    ("the root of the energy distance", lambda x, y: math.sqrt(max(0.0, _energy(x, y)))),
    ("points are compared in the order they come, not as laws",
     lambda x, y: float(np.linalg.norm(_columns(x) - _columns(y), axis=-1).mean())),
)  # fmt: skip
