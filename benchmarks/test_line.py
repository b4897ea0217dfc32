"""The line at a million points: ours against two calls of ``np.sort``, SciPy and POT.

Alternating in one process; the least of several rounds each, kernels compiled before.
"""

import time

import numpy as np
import ot
from scipy.stats import wasserstein_distance

from divergences import wasserstein1

from .record import record

SIZE = 1_000_000
ROUNDS = 7
PEER_ROUNDS = 2


def _seconds(work):
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def _least(works, rounds):
    """The least seconds of each of ``works``, run in turn."""
    turns = [[_seconds(work)[0] for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*turns, strict=True)]


def test_line():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=SIZE), rng.normal(size=SIZE) + 0.1
    a, b = rng.dirichlet(np.ones(SIZE)), rng.dirichlet(np.ones(SIZE))
    narrow = x.astype(np.float32), y.astype(np.float32)
    cases = {
        "equal sizes": (x, y, None, None),
        "80 % as many": (x, y[: SIZE * 4 // 5], None, None),
        "weighted": (x, y, a, b),
        "float32": (*narrow, None, None),
    }
    figures = {}
    for name, case in cases.items():
        value = wasserstein1(*case)
        sorts, ours = _least(
            [lambda c=case: (np.sort(c[0]), np.sort(c[1])), lambda c=case: wasserstein1(*c)],
            ROUNDS,
        )
        peers = [
            lambda c=case: wasserstein_distance(*c),
            lambda c=case: ot.wasserstein_1d(*(side for side in c)),
        ]
        scipy_seconds, pot_seconds = _least(peers, PEER_ROUNDS)
        reference = wasserstein_distance(*case)
        figures[name] = {
            "ours (s)": round(ours, 4),
            "two sorts (s)": round(sorts, 4),
            "ours / two sorts": round(ours / sorts, 2),
            "scipy / ours": round(scipy_seconds / ours, 1),
            "ot.wasserstein_1d / ours": round(pot_seconds / ours, 1),
            "relative difference from scipy": float(abs(value - reference) / reference),
        }
    record("line", figures)
