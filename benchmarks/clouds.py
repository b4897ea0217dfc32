"""The kinds of problems on which exact solvers in the plane and in space are compared."""

from collections.abc import Callable
from typing import Any

import numpy as np

Problem = tuple[Any, Any, Any, Any]  # x, y, x_weights, y_weights


def _square(rng: Any, n: int) -> Problem:
    return rng.random((n, 2)), rng.random((n, 2)), None, None


def _gaussian(rng: Any, n: int) -> Problem:
    return rng.normal(size=(n, 2)), 1.5 * rng.normal(size=(n, 2)) + [1.0, 2.0], None, None


def _dirichlet(rng: Any, n: int) -> Problem:
    m = 4 * n // 5
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
    return x, y, rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))


def _mixtures(rng: Any, n: int) -> Problem:
    first, second = 3 * rng.normal(size=(2, 8, 2))
    x = first[rng.integers(0, 8, n)] + 0.3 * rng.normal(size=(n, 2))
    return x, second[rng.integers(0, 8, n)] + 0.3 * rng.normal(size=(n, 2)), None, None


def _space(rng: Any, n: int) -> Problem:
    return rng.normal(size=(n, 3)), 1.5 * rng.normal(size=(n, 3)) + [1.0, 2.0, 0.0], None, None


def _curve(rng: Any, n: int) -> Problem:
    s, t = rng.random((2, n, 1))
    x = np.hstack([np.cos(6 * s), np.sin(6 * s)]) * (1 + s)
    return x, np.hstack([np.cos(5 * t + 1), np.sin(4 * t)]) * (1 + t), None, None


def _lattice(_rng: Any, n: int) -> Problem:
    side = int(np.sqrt(n))
    points = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    x = points.astype(float)
    return x, x[:, ::-1] + [side / 2, 0.25], None, None


KINDS: dict[str, Callable[[Any, int], Problem]] = {
    "uniform, square": _square,
    "Gaussians, shifted and scaled": _gaussian,
    "Dirichlet weights, m = .8 n": _dirichlet,
    "mixtures of eight": _mixtures,
    "Gaussians in space": _space,
    "points on curves": _curve,
    "lattices": _lattice,
}


def problem(kind: str, n: int, seed: int = 0) -> Problem:
    """Clouds of some n points of one kind, with weights or None."""
    return KINDS[kind](np.random.default_rng(seed), n)
