"""Speed of KL and JS beside the fastest expressions of NumPy, SciPy and torch, one thread.

Alternating in one process, minimum of several rounds: figures are ratios to compare, the absolute
nanoseconds depend on the machine.
"""

import time
import timeit

import numpy as np
import scipy.special
import scipy.stats
import torch
from scipy.spatial.distance import jensenshannon

from divergences import js_divergence, kl_divergence, total_variation

from .record import record

SHAPES = ((100_000, 100), (1000, 10_000), (10_000_000,))
ROUNDS = 5
LAWS = ("flat Dirichlet", "uniform entries", "near (5 %)")


def _vectors(shape, law):
    rng = np.random.default_rng(0)
    p = rng.random(shape) if law == "uniform entries" else rng.exponential(size=shape)
    q = rng.random(shape) if law == "uniform entries" else rng.exponential(size=shape)
    if law.startswith("near"):
        q = p * (1 + 0.05 * rng.uniform(-1, 1, size=shape))
    return p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)


def _systems(p, q):
    first, second = torch.from_numpy(p), torch.from_numpy(q)
    return {
        "ours KL": lambda: kl_divergence(p, q),
        "numpy KL": lambda: (p * np.log(p / q)).sum(-1),
        "scipy rel_entr KL": lambda: scipy.special.rel_entr(p, q).sum(-1),
        "torch KL": lambda: (first * (first / second).log()).sum(-1),
        "ours JS": lambda: js_divergence(p, q),
        "scipy jensenshannon": lambda: jensenshannon(p, q, axis=-1),
        "ours total variation": lambda: total_variation(p, q),
        "numpy total variation": lambda: 0.5 * np.abs(p - q).sum(-1),
    }


def _alternate(systems):
    best = dict.fromkeys(systems, float("inf"))
    for _ in range(ROUNDS):
        for name, function in systems.items():
            start = time.perf_counter()
            function()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def _ratios(best):
    peers = ("numpy KL", "scipy rel_entr KL", "torch KL")
    return {
        "KL, time relative to the fastest peer": best["ours KL"] / min(best[p] for p in peers),
        "JS, times as fast as jensenshannon": best["scipy jensenshannon"] / best["ours JS"],
    }


def _calls():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(10), size=2)
    systems = _systems(p, q) | {"scipy entropy": lambda: scipy.stats.entropy(p, q)}
    best = dict.fromkeys(systems, float("inf"))
    for _ in range(2 * ROUNDS):
        for name, function in systems.items():
            best[name] = min(best[name], timeit.timeit(function, number=100) / 100)
    return {name: round(seconds * 1e6, 2) for name, seconds in best.items()}


def test_vectors():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    figures = {"microseconds a call on 10 atoms": _calls()}
    for shape in SHAPES:
        for law in LAWS:
            p, q = _vectors(shape, law)
            best = _alternate(_systems(p, q))
            figures[f"{' x '.join(map(str, shape))}, {law}"] = {
                **{name: round(value, 3) for name, value in _ratios(best).items()},
                "nanoseconds an entry": {k: round(v * 1e9 / p.size, 2) for k, v in best.items()},
            }
    torch.set_num_threads(threads)
    record("vectors", figures)
