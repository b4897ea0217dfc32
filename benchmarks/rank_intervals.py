"""How often the interval of a rank correlation of two training curves holds the truth.

``python -m benchmarks.rank_intervals``: pairs of Gaussian autoregressive series of length n with
coefficient phi and correlation .6, whose rank correlation is 6/pi arcsin(.3) whatever phi is.
"""

import math

import numpy as np
from scipy.signal import lfilter

from wgan.experiments.dependence import rank_correlation

from .record import record

RUNS = 200
LENGTHS = (60,)
COEFFICIENTS = (0.0, 0.5, 0.8)
TRUTH = 6 / math.pi * math.asin(0.3)


def series(rng, n, phi):
    return lfilter([1.0], [1.0, -phi], rng.normal(size=n + 100))[100:]


def coverage(n, phi, runs=RUNS):
    rng, held = np.random.default_rng([n, round(100 * phi)]), 0
    for seed in range(runs):
        a, b = series(rng, n, phi), series(rng, n, phi)
        found = rank_correlation(a, 0.6 * a + 0.8 * b, seed=seed)
        held += found.lower <= TRUTH <= found.upper
    return held / runs


if __name__ == "__main__":
    figures = {"runs": RUNS, "rank correlation": TRUTH, "nominal": 0.95}
    for n in LENGTHS:
        for phi in COEFFICIENTS:
            figures[f"n = {n}, phi = {phi}"] = coverage(n, phi)
            print(n, phi, figures[f"n = {n}, phi = {phi}"], flush=True)
    record("rank-intervals", figures)
