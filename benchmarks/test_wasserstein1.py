"""Exact W1 in the plane and in space: ours against every exact peer, alternating, with memory.

``python -m pytest benchmarks/test_wasserstein1.py`` writes ``results/wasserstein1.json``: seconds
of wall and processor time (the best of the rounds, compiling excluded), memory at the peak above
that at the start, and the relative difference of the values. Peers: POT's ``emd2`` on ``ot.dist``
(with its limit of iterations lifted); up to 1,000 points POT's lazy solver, which computes
distances again and again, and SciPy's ``linear_sum_assignment`` on ``cdist`` where masses are equal
(both take longer and longer beyond); SciPy's ``wasserstein_distance_nd`` at 100 points, after which
its linear programme does not fit.

``DIVERGENCES_BENCH=large`` adds 100,000 points of every kind and a million in a square, ours alone.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from divergences import optimal_transport, wasserstein1

from .clouds import KINDS, problem
from .record import record

MEMORY = """
import ctypes, sys
from benchmarks.clouds import problem
from benchmarks.test_wasserstein1 import Measured
from divergences import wasserstein1
kind, n = sys.argv[1], int(sys.argv[2])
for size in (min(n, 2500), n):
    clouds = problem(kind, size)
    try:  # what the first call freed shall not serve the second unseen
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:
        pass
    ours = Measured(wasserstein1)
    ours.run(clouds)
print(ours.memory)
"""
TOO_LONG = ("lattices", 10_000)
"""A problem that takes POT some ten minutes: not compared."""
SIZES = {100: 9, 300: 7, 1000: 5, 5000: 2, 10_000: 2}  # and rounds
LARGE = {100_000: tuple(KINDS), 1_000_000: ("uniform, square",)}
TARGETS = {1000: 3, 5000: 12, 10_000: 25}
MEBIBYTE = 2.0**20


def _masses(weights: Any, count: int) -> Any:
    return np.full(count, 1 / count) if weights is None else weights


def _pot(x: Any, y: Any, a: Any, b: Any) -> float:
    import ot

    masses = _masses(a, len(x)), _masses(b, len(y))
    return float(ot.emd2(*masses, ot.dist(x, y, metric="euclidean"), numItermax=10**9))


def _pot_lazy(x: Any, y: Any, a: Any, b: Any) -> float:
    import ot

    return float(
        ot.emd2_lazy(x, y, a, b, metric="euclidean", numItermax=10**9, return_matrix=False)
    )


def _assignment(x: Any, y: Any, _a: Any, _b: Any) -> float:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    cost = cdist(x, y)
    return float(cost[linear_sum_assignment(cost)].mean())


def _scipy_nd(x: Any, y: Any, a: Any, b: Any) -> float:
    from scipy.stats import wasserstein_distance_nd

    return float(wasserstein_distance_nd(x, y, a, b))


def peers(n: int, clouds: Any) -> dict[str, Callable[..., float]]:
    """The exact peers that take a problem of this size."""
    x, y, a, b = clouds
    chosen: dict[str, Callable[..., float]] = {"POT": _pot}
    if a is None and b is None and len(x) == len(y) and n <= 1000:
        chosen["SciPy assignment"] = _assignment
    if n == 100:
        chosen["SciPy nd"] = _scipy_nd
    if n <= 1000:
        chosen["POT lazy"] = _pot_lazy
    return chosen


class Measured:
    """The best seconds of several calls, and the most memory that one took above its start."""

    def __init__(self, solve: Callable[..., float]) -> None:
        self.solve = solve
        self.wall = self.cpu = np.inf
        self.memory = self.value = 0.0

    def run(self, clouds: Any) -> None:
        """Solve once."""
        start = _resident("VmRSS", reset=True)
        wall, cpu = time.perf_counter(), time.process_time()
        self.value = self.solve(*clouds)
        self.wall = min(self.wall, time.perf_counter() - wall)
        self.cpu = min(self.cpu, time.process_time() - cpu)
        self.memory = max(self.memory, _resident("VmHWM") - start)

    def figures(self) -> dict[str, float]:
        """Seconds and mebibytes, rounded."""
        return {
            "wall seconds": float(f"{self.wall:.4g}"),
            "cpu seconds": float(f"{self.cpu:.4g}"),
            "MiB": round(self.memory / MEBIBYTE, 1),
        }


def _resident(field: str, *, reset: bool = False) -> float:
    """Bytes of resident memory, now or at the peak (Linux; elsewhere NaN)."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def memory_of(kind: str, n: int) -> float:
    """Bytes that ours takes at the peak, in a process of its own."""
    command = [sys.executable, "-c", MEMORY, kind, str(n)]
    root = Path(__file__).parents[1]
    output = subprocess.run(command, capture_output=True, check=True, text=True, cwd=root)
    return float(output.stdout)


def compare(kind: str, n: int, rounds: int) -> dict[str, Any]:
    """Ours and the peers on one problem, alternating."""
    clouds = problem(kind, n)
    runs = {"ours": Measured(wasserstein1)}
    runs |= {name: Measured(solve) for name, solve in peers(n, clouds).items()}
    for _ in range(rounds):
        for run in runs.values():
            run.run(clouds)
    ours = runs.pop("ours")
    ours.memory = memory_of(kind, n)
    best = {kind: min(getattr(run, kind) for run in runs.values()) for kind in ("wall", "cpu")}
    return {
        "problem": kind,
        "n": len(clouds[0]),
        "m": len(clouds[1]),
        "ours": ours.figures(),
        "peers": {name: run.figures() for name, run in runs.items()},
        "best peer / ours, wall": round(best["wall"] / ours.wall, 2),
        "best peer / ours, cpu": round(best["cpu"] / ours.cpu, 2),
        "wanted": TARGETS.get(n),
        "relative difference": max(abs(run.value / ours.value - 1) for run in runs.values()),
    }


def alone(kind: str, n: int) -> dict[str, Any]:
    """Ours without a peer: none takes the problem."""
    clouds = problem(kind, n)
    ours = Measured(wasserstein1)
    ours.run(clouds)
    ours.memory = memory_of(kind, n)
    return {"problem": kind, "n": len(clouds[0]), "m": len(clouds[1]), "ours": ours.figures()}


def _warm_up() -> None:
    """Compile, import and open thread pools before anything is timed."""
    for kind in KINDS:
        for solver in (None, "multiscale"):
            optimal_transport(*problem(kind, 2500), solver=solver)
        clouds = problem(kind, 100)
        for solve in (wasserstein1, *peers(100, clouds).values()):
            solve(*clouds)


def test_wasserstein1() -> None:
    _warm_up()
    figures = []
    for n, rounds in SIZES.items():
        for kind in KINDS:
            if (kind, n) == TOO_LONG:
                continue
            figures.append(compare(kind, n, rounds))
            print(figures[-1], flush=True)
            assert figures[-1]["relative difference"] < 1e-11
            record("wasserstein1", figures)
    if os.environ.get("DIVERGENCES_BENCH") == "large":
        for n, kinds in LARGE.items():
            figures += [alone(kind, n) for kind in kinds]
            record("wasserstein1", figures)
