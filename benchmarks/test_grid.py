"""Histograms on grids: ours against OR-Tools' min-cost flow (cityblock) and POT (euclidean).

Peers alternate with ours in one process; CPU seconds and wall seconds, the least of the rounds;
compilation and first imports come before. OR-Tools is measured where it is installed.
"""

import importlib.util
import time

import numpy as np
import pytest

from divergences import wasserstein1_grid

from .grid_images import KINDS, pair
from .record import record

UNITS = 2**40  # OR-Tools takes integer masses
ROUNDS = 3
HAS_ORTOOLS = importlib.util.find_spec("ortools") is not None


def seconds(work):
    cpu, wall = time.process_time(), time.perf_counter()
    value = work()
    return value, time.process_time() - cpu, time.perf_counter() - wall


def alternating(ours, peer, rounds=ROUNDS):
    """Least CPU and wall seconds of each, and the relative difference of their values."""
    runs = {"ours": [], "peer": []}
    for _ in range(rounds):
        for name, work in (("ours", ours), ("peer", peer)):
            if work is not None:
                runs[name].append(seconds(work))
    figures = {}
    for name, measured in runs.items():
        if measured:
            figures[f"{name}: CPU seconds"] = round(min(run[1] for run in measured), 5)
            figures[f"{name}: wall seconds"] = round(min(run[2] for run in measured), 5)
    if peer is not None:
        value, other = runs["ours"][0][0], runs["peer"][0][0]
        figures["ratio of CPU seconds"] = round(
            figures["peer: CPU seconds"] / figures["ours: CPU seconds"], 2
        )
        figures["relative difference"] = float(abs(value - other) / other)
    return figures


def grid_flow(p, q):
    """OR-Tools' SimpleMinCostFlow on the arcs of the grid, building it included."""
    from ortools.graph.python import min_cost_flow

    excess = np.rint(p * UNITS).astype(np.int64) - np.rint(q * UNITS).astype(np.int64)
    excess.flat[np.abs(excess).argmax()] -= excess.sum()
    cells = np.arange(p.size).reshape(p.shape)
    here = np.concatenate([cells[:-1].ravel(), cells[:, :-1].ravel()])
    there = np.concatenate([cells[1:].ravel(), cells[:, 1:].ravel()])
    tails, heads = np.concatenate([here, there]), np.concatenate([there, here])
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(
        tails, heads, np.full(tails.size, UNITS), np.ones(tails.size, dtype=np.int64)
    )
    solver.set_nodes_supplies(cells.ravel(), excess.ravel())
    assert solver.solve() == solver.OPTIMAL
    return solver.optimal_cost() / UNITS


def all_pairs(p, q):
    """POT's network simplex on all pairs of cells with mass, the distances included."""
    import ot

    x, y = np.argwhere(p).astype(float), np.argwhere(q).astype(float)
    cost = ot.dist(x, y, metric="euclidean")
    return ot.emd2(p[p > 0], q[q > 0], cost, numItermax=2_000_000_000)


def test_cityblock():
    figures = {}
    wasserstein1_grid(*pair("noise", 64))
    for size in (32, 64, 128, 256):
        for kind in KINDS:
            p, q = pair(kind, size)
            peer = (lambda p=p, q=q: grid_flow(p, q)) if HAS_ORTOOLS and size < 256 else None
            figures[f"{kind} {size}x{size}"] = alternating(
                lambda p=p, q=q: wasserstein1_grid(p, q), peer, rounds=1 if size == 256 else ROUNDS
            )
    record("grid-cityblock", figures)


@pytest.mark.parametrize("size", [32, 64])
def test_euclidean(size):
    figures = {}
    wasserstein1_grid(*pair("noise", 64), metric="euclidean")
    for kind in KINDS:
        p, q = pair(kind, size)
        figures[f"{kind} {size}x{size}"] = alternating(
            lambda p=p, q=q: wasserstein1_grid(p, q, metric="euclidean"),
            lambda p=p, q=q: all_pairs(p, q),
            rounds=ROUNDS if size == 32 else 1,
        )
    record(f"grid-euclidean-{size}", figures)
