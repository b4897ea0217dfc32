"""Random transport problems of the kinds that break solvers: ties, chains, scales, odd weights.

``draw(rng, largest)`` composes a shape of two clouds, a change of units, weights and a metric; the
same generator state gives the same problem, so a seed is a reproduction.
"""

from typing import NamedTuple

import numpy as np

METRICS = ("euclidean", "cityblock", "chebyshev", ("minkowski", 1.5), ("minkowski", 3.0))


class Problem(NamedTuple):
    """Clouds (n, d) and (m, d), weights or None, a metric, and what they were made from."""

    name: str
    x: np.ndarray
    y: np.ndarray
    a: np.ndarray | None
    b: np.ndarray | None
    metric: object


def draw(rng, largest=1500, metrics=METRICS):
    """A problem with up to ``largest`` points a side."""
    n = int(np.exp(rng.uniform(0, np.log(largest)))) + 1
    m = n if rng.random() < 0.5 else int(np.exp(rng.uniform(0, np.log(largest)))) + 1
    dimension = int(rng.choice([1, 2, 2, 2, 3, 3, 4, 5, 6, 9, 17]))
    shape = _pick(rng, SHAPES)
    x, y = SHAPES[shape](rng, n, m, dimension)
    units = _pick(rng, UNITS)
    x, y = UNITS[units](rng, x, y)
    kinds = [_pick(rng, WEIGHTS), _pick(rng, WEIGHTS)]
    a, b = (WEIGHTS[kind](rng, len(cloud)) for kind, cloud in zip(kinds, (x, y), strict=True))
    metric = metrics[int(rng.integers(len(metrics)))]
    return Problem(f"{shape}, {units}, {kinds[0]}, {kinds[1]}", x, y, a, b, metric)


def _pick(rng, table):
    return list(table)[int(rng.integers(len(table)))]


# ------------------------------------------------------------------------------------------ shapes


def _uniform(rng, n, m, d):
    return rng.random((n, d)), rng.random((m, d))


def _gaussian(rng, n, m, d):
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) * 10 ** rng.uniform(-2, 2) + 1


def _lattice(rng, n, m, d):
    side = int(rng.integers(2, 12))
    shift = rng.choice([0.0, 0.5, 1.0])
    return (
        rng.integers(0, side, (n, d)).astype(float),
        rng.integers(0, side, (m, d)) + shift,
    )


def _vertices_of_the_cube(rng, n, m, d):
    return rng.integers(0, 2, (n, d)).astype(float), rng.integers(0, 2, (m, d)) * 1.0


def _curve(rng, n, m, d):
    s, t = np.sort(rng.random(n)), rng.random(m)
    turns = rng.uniform(0.5, 20)
    axes = np.arange(d)
    return np.sin(turns * s[:, None] + axes), np.sin(turns * t[:, None] + axes + 0.3)


def _collinear(rng, n, m, d):
    direction = rng.normal(size=d)
    return rng.random((n, 1)) * direction, rng.random((m, 1)) * direction


def _cauchy(rng, n, m, d):
    return rng.standard_cauchy((n, d)), rng.standard_cauchy((m, d))


def _exponentially_spaced(rng, n, m, d):
    depth = rng.choice([30, 300, 900])
    return 2.0 ** -(rng.random((n, d)) * depth), 2.0 ** -(rng.random((m, d)) * depth)


def _zigzag(rng, n, m, d):
    s, t = np.arange(n), np.arange(m)
    x, y = np.zeros((n, d)), np.zeros((m, d))
    x[:, 0], y[:, 0] = s / n, t / m
    x[:, -1], y[:, -1] = s % 2, (t + 1) % 2
    return x, y


def _chain(rng, n, m, d):
    x, y = np.zeros((n, d)), np.zeros((m, d))
    x[:, 0], y[:, 0] = np.arange(n), np.arange(m) + 0.5
    y[:, -1] += 0.1 * (np.arange(m) % 3)
    return x, y


def _clusters(rng, n, m, d):
    apart = 10.0 ** rng.choice([3, 6, 12])
    centres = rng.integers(0, 4, (4, d)) * apart
    return (
        centres[rng.integers(0, 4, n)] + rng.random((n, d)),
        centres[rng.integers(0, 4, m)] + rng.random((m, d)),
    )


def _tight_clusters(rng, n, m, d):
    width = 10.0 ** -rng.choice([3, 9, 15])
    return (
        rng.integers(0, 3, (n, d)) + width * rng.random((n, d)),
        rng.integers(0, 3, (m, d)) + width * rng.random((m, d)),
    )


def _few_places(rng, n, m, d):
    places = rng.normal(size=(int(rng.integers(1, 6)), d))
    return places[rng.integers(0, len(places), n)], places[rng.integers(0, len(places), m)]


def _sphere_and_centre(rng, n, m, d):
    x = rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True), 1e-3 * rng.integers(0, 2, (m, d))


def _permuted(rng, n, m, d):
    x = rng.normal(size=(n, d))
    return x, x[rng.permutation(n)]


def _nearly_permuted(rng, n, m, d):
    x = rng.normal(size=(n, d))
    y = x[rng.permutation(n)]
    moved = rng.integers(0, n, 1 + n // 50)
    y[moved] += 10.0 ** -rng.choice([0, 4, 8, 15])
    return x, y


def _translated(rng, n, m, d):
    x = rng.normal(size=(n, d))
    return x, x[rng.permutation(n)] + rng.normal(size=d)


def _spiral(rng, n, m, d):
    s, t = np.arange(n), np.arange(m)
    x, y = np.zeros((n, d)), np.zeros((m, d))
    x[:, 0], x[:, -1] = s * np.cos(s / 50), s * np.sin(s / 50)
    y[:, 0], y[:, -1] = t * np.sin(t / 50), t * np.cos(t / 37)
    return x, y


def _alternating_walls(rng, n, m, d):
    """Two dense walls far apart whose masses do not match: everything crosses."""
    x, y = rng.random((n, d)), rng.random((m, d))
    x[:, 0] = (rng.random(n) < 0.9) * 100.0
    y[:, 0] = (rng.random(m) < 0.1) * 100.0
    return x, y


SHAPES = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (
        _uniform, _gaussian, _lattice, _vertices_of_the_cube, _curve, _collinear, _cauchy,
        _exponentially_spaced, _zigzag, _chain, _clusters, _tight_clusters, _few_places,
        _sphere_and_centre, _permuted, _nearly_permuted, _translated, _spiral, _alternating_walls,
    )
}  # fmt: skip

# ------------------------------------------------------------------------------------------- units


def _tiny(rng, x, y):
    return x * 1e-150, y * 1e-150


def _huge(rng, x, y):
    return x * 1e150, y * 1e150


def _offset(rng, x, y):
    return x + 1e9, y + 1e9


def _reflected(rng, x, y):
    return -x[::-1], -y


def _single(rng, x, y):
    return x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)


UNITS = {
    "as drawn": lambda rng, x, y: (x, y),
    "tiny": _tiny,
    "huge": _huge,
    "offset": _offset,
    "reflected": _reflected,
    "single precision": _single,
}

# ----------------------------------------------------------------------------------------- weights


def _normalised(weights):
    return weights / weights.sum()


def _dirichlet(rng, count):
    weights = rng.gamma(rng.choice([0.03, 0.3, 1.0, 30.0]), size=count)
    return _normalised(weights + (weights.sum() == 0))


def _counts(rng, count):
    return _normalised(rng.integers(0, 4, count) + (np.arange(count) == 0))


def _geometric(rng, count):
    return _normalised(np.maximum(0.5 ** np.arange(count), 5e-324)[rng.permutation(count)])


def _heavy(rng, count):
    weights = np.full(count, 1e-12)
    weights[rng.integers(count)] = 1.0
    return _normalised(weights)


def _subnormal(rng, count):
    weights = np.where(rng.random(count) < 0.3, 5e-324, 1.0 / count)
    weights[0] = 1.0 / count
    return _normalised(weights)


def _nearly_uniform(rng, count):
    return _normalised(1.0 + rng.integers(-2, 3, count) * 2.0**-52)


WEIGHTS = {
    "uniform": lambda rng, count: None,
    "equal": lambda rng, count: np.full(count, 1.0 / count),
    "dirichlet": _dirichlet,
    "counts": _counts,
    "geometric": _geometric,
    "heavy": _heavy,
    "subnormal": _subnormal,
    "nearly uniform": _nearly_uniform,
}
