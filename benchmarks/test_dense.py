"""Exact W1 in many coordinates: ours against POT's distances and simplex, alternating.

``python -m pytest benchmarks/test_dense.py`` writes ``results/dense.json``: seconds of wall and
processor time (the best of the rounds, compiling excluded), their ratio, and the relative
difference of the values. Digits are MNIST's where ``DIVERGENCES_MNIST`` names their folder, else
scikit-learn's, which are fewer: each line says how many points there were, of which dimension.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from divergences import wasserstein1

from . import digits
from .record import record

SIZES = {1000: 7, 2000: 5, 5000: 3}  # and rounds


def _gaussian(n: int, d: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)), 1.1 * rng.normal(size=(n, d)) + 0.15


def _low_rank(n: int, d: int, rank: int = 10) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(rank, d))
    x, y = rng.normal(size=(n, rank)), rng.normal(size=(n, rank)) + 0.3
    noise = rng.normal(size=(2, n, d)) / 10
    return x @ basis + noise[0], y @ basis + noise[1]


def _digits(n: int) -> tuple[Any, Any]:
    images = digits.images("train")
    points = images.reshape(len(images), -1)
    return points[:n], points[n : 2 * n]


PROBLEMS: dict[str, Callable[[int], tuple[Any, Any]]] = {
    "Gaussian, d = 32": lambda n: _gaussian(n, 32),
    "Gaussian, d = 784": lambda n: _gaussian(n, 784),
    "rank 10 and noise, d = 784": lambda n: _low_rank(n, 784),
    "digits": _digits,
}


def _pot(x: Any, y: Any) -> float:
    import ot

    weights = [np.full(len(z), 1 / len(z)) for z in (x, y)]
    return float(ot.emd2(*weights, ot.dist(x, y, metric="euclidean"), numItermax=10**9))


def _measured(solve: Callable[[], float]) -> tuple[float, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    value = float(solve())
    return value, time.perf_counter() - wall, time.process_time() - cpu


def test_dense() -> None:
    figures = []
    for warm in (200, 500, 1500):  # kernels of every solver that the sizes below take
        wasserstein1(*_gaussian(warm, 32))
        wasserstein1(*_gaussian(warm, 784))
    _pot(*_gaussian(200, 32))
    for n, rounds in SIZES.items():
        for name, problem in PROBLEMS.items():
            x, y = problem(n)
            if not len(y):  # fewer images than that
                continue
            ours, peer = [], []
            for _ in range(rounds):
                ours.append(_measured(lambda x=x, y=y: wasserstein1(x, y)))
                peer.append(_measured(lambda x=x, y=y: _pot(x, y)))
            line: dict[str, Any] = {"problem": name, "n": len(x), "m": len(y), "d": x.shape[1]}
            line["relative difference"] = abs(ours[0][0] / peer[0][0] - 1)
            for place, kind in ((1, "wall"), (2, "cpu")):
                best, theirs = (min(m[place] for m in runs) for runs in (ours, peer))
                line |= {f"{kind} seconds": round(best, 4), f"POT {kind} seconds": round(theirs, 4)}
                line[f"{kind} ratio"] = round(theirs / best, 2)
            figures.append(line)
            assert line["relative difference"] < 1e-12
    record("dense", figures)
