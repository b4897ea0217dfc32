"""Batches of small problems: ours against loops of SciPy's assignment and of POT.

Alternating in one process; the least of several rounds each, kernels compiled before.
"""

import time

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from divergences import wasserstein1

from .record import record

SHAPES = ((10_000, 16), (256, 64))
ROUNDS = 5
PEER_ROUNDS = 2


def _scipy_loop(x, y, *_):
    values = np.empty(len(x))
    for k in range(len(x)):
        cost = cdist(x[k], y[k])
        values[k] = cost[linear_sum_assignment(cost)].mean()
    return values


def _pot_loop(x, y, a, b):
    empty = np.zeros(0)
    values = np.empty(len(x))
    for k in range(len(x)):
        cost = ot.dist(x[k], y[k], metric="euclidean")
        weights = (empty if w is None else w[k] for w in (a, b))
        values[k] = ot.emd2(*weights, cost, numItermax=10**7)
    return values


def _seconds(work, case):
    start = time.perf_counter()
    work(*case)
    return time.perf_counter() - start


def _case(rng, count, n, kind):
    x, y = rng.normal(size=(2, count, n, 2))
    if kind == "weighted":
        return x, y, rng.dirichlet(np.ones(n), size=count), rng.dirichlet(np.ones(n), size=count)
    return x, y[:, : n - 3] if kind == "unequal sizes" else y, None, None


def test_batch():
    rng = np.random.default_rng(0)
    figures = {}
    for count, n in SHAPES:
        for kind in ("uniform", "unequal sizes", "weighted"):
            case = _case(rng, count, n, kind)
            peer = _scipy_loop if kind == "uniform" else _pot_loop
            values = wasserstein1(*case)
            ours, theirs = [], []
            for turn in range(ROUNDS):
                ours.append(_seconds(wasserstein1, case))
                if turn < PEER_ROUNDS:
                    theirs.append(_seconds(peer, case))
            difference = np.abs(values - peer(*case)) / values
            figures[f"{count} of {n}, {kind}"] = {
                "ours (s)": round(min(ours), 4),
                f"loop of {'scipy' if peer is _scipy_loop else 'POT'} (s)": round(min(theirs), 4),
                "ratio": round(min(theirs) / min(ours), 1),
                "largest relative difference": float(difference.max()),
            }
    record("batch", figures)
