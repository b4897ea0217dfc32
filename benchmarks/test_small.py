"""Small problems: what one call costs, peers alternating with ours in one process.

The first call is timed in a fresh process without a cache of kernels; the others, once every
library is loaded and our kernel is, too.
"""

import os
import subprocess
import sys
import tempfile
import timeit

import numpy as np

from divergences import wasserstein1
from divergences.transport import _small_matrix

from .record import record

ROUNDS = 25
FIRST = """
import time
import numpy as np
from divergences import wasserstein1
rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, {n}, 2))
a = rng.dirichlet(np.ones({n})) if {weighted} else None
start = time.perf_counter()
wasserstein1(x, y, a)
print(time.perf_counter() - start)
"""


def _first_call(n: int, *, weighted: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run(
            [sys.executable, "-c", FIRST.format(n=n, weighted=weighted)],
            env={**os.environ, "NUMBA_CACHE_DIR": folder},
            capture_output=True,
            check=True,
            text=True,
        )
    return round(float(output.stdout), 3)


def _calls(n: int, *, weighted: bool, shifted: bool):
    import ot
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(2, n, 2))
    if shifted:
        y = 2 * y + 3
    a, b = rng.dirichlet(np.ones(n), 2) if weighted else (None, None)
    first, second = ([], []) if a is None else (a, b)

    def assignment():
        cost = cdist(x, y)
        return cost[linear_sum_assignment(cost)].mean()

    calls = {
        "wasserstein1": lambda: wasserstein1(x, y, a, b),
        "ot.emd2 of ot.dist": lambda: ot.emd2(first, second, ot.dist(x, y, "euclidean")),
    }
    if not weighted:
        calls["linear_sum_assignment of cdist"] = assignment
    return calls


def test_small():
    _small_matrix._Spent.seconds = np.inf  # a process that has solved some: its kernel is loaded
    figures = {
        "seconds of the first call, without a cache": {
            f"n = {n}{', weighted' * weighted}": _first_call(n, weighted=weighted)
            for n in (10, 100, 200)
            for weighted in (False, True)
        }
    }
    for n in (10, 30, 50, 100, 200):
        for weighted in (False, True):
            for shifted in (False, True):
                calls = _calls(n, weighted=weighted, shifted=shifted)
                values = [call() for call in calls.values()]
                assert np.ptp(values) <= 1e-12 * values[0]
                number = max(1, 2000 // n**2 * 4)
                times = {name: [] for name in calls}
                for _ in range(ROUNDS):
                    for name, call in calls.items():
                        times[name].append(timeit.timeit(call, number=number) / number * 1e6)
                name = f"n = {n}{', weighted' * weighted}{', far' * shifted}"
                figures[f"{name}: microseconds (minimum of {ROUNDS})"] = {
                    name: round(min(runs), 1) for name, runs in times.items()
                }
    record("small", figures)
