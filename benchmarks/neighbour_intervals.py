"""How often the intervals of the neighbour metrics enclose the mean, and how wide they are.

``python -m benchmarks.neighbour_intervals``: pairs of samples of two laws, drawn again and again;
the truth is the metric's mean over all draws. The width is the median one over that of estimate
plus and minus 1.96 true standard deviations: 1 is as close as a level of 95 % admits, and there is
none where all estimates were equal.
"""

import numpy as np

from wgan.metrics.neighbours import Neighbourhoods

from .record import record

RUNS = 100
SIZES = ((40, 40), (60, 240), (200, 200))
METRICS = ("precision", "recall", "density", "coverage")


def equal(rng, n, m):
    """One normal law in 32 coordinates."""
    return rng.normal(size=(n, 32)), rng.normal(size=(m, 32))


def wider(rng, n, m):
    """Normal laws in 8 coordinates, the generated one wider by a quarter."""
    return rng.normal(size=(n, 8)), 1.25 * rng.normal(size=(m, 8))


def narrower(rng, n, m):
    """Laws of heavy tails in 3 coordinates, the generated one at half the scale."""
    return rng.standard_t(4, size=(n, 3)), 0.5 * rng.standard_t(4, size=(m, 3))


def cube(rng, n, m):
    """A cube in 5 coordinates and a part of it."""
    return rng.uniform(size=(n, 5)), rng.uniform(size=(m, 5)) * [0.6, 1, 1, 1, 1]


def modes(rng, n, m):
    """A ring of ten modes of which the generator has six, unevenly."""
    places = rng.integers(0, 10, n), rng.binomial(5, 0.4, m)
    x, y = (0.628 * place[:, None] + [0, np.pi / 2] for place in places)
    return np.cos(x) + 0.02 * rng.normal(size=(n, 2)), np.cos(y) + 0.03 * rng.normal(size=(m, 2))


LAWS = (equal, wider, narrower, cube, modes)


def figures_of(law, sizes, runs=RUNS):
    """For each metric how often the interval encloses the mean, and its relative width."""
    rng = np.random.default_rng(sizes)
    found = {name: [] for name in METRICS}
    for _ in range(runs):
        balls = Neighbourhoods("benchmark", *law(rng, *sizes), None)
        for name, measured in found.items():
            one = getattr(balls, name)(0.95)
            measured.append((one.estimate, one.lower, one.upper))
    return {name: _coverage_and_width(np.array(values)) for name, values in found.items()}


def _coverage_and_width(measured):
    estimate, lower, upper = measured.T
    truth, ideal = estimate.mean(), 2 * 1.96 * estimate.std(ddof=1)
    held = float(((lower <= truth) & (truth <= upper)).mean())
    width = float(np.median(upper - lower) / ideal) if ideal > 0 else None
    return {"held": held, "width": width}


if __name__ == "__main__":
    figures = {"runs": RUNS, "nominal": 0.95}
    for law in LAWS:
        for sizes in SIZES:
            name = f"{law.__name__}, {sizes[0]} and {sizes[1]}"
            figures[name] = figures_of(law, sizes)
            print(name, figures[name], flush=True)
    record("neighbour-intervals", figures)
