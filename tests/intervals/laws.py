"""Pairs of laws with their divergences, and exact bounds of how often an interval may miss."""

import math

import numpy as np
from scipy.stats import binom

from divergences import (
    Discrete,
    Exponential,
    Normal,
    Uniform,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)


def fewest_hits(trials, level, false_alarm=1e-6):
    """An interval at ``level`` has fewer hits with probability ``false_alarm`` at most."""
    return int(binom.ppf(false_alarm, trials, level))


def of_laws(p, q):
    return {
        "total_variation": float(total_variation(p, q)),
        "js": float(js_divergence(p, q)),
        "kl": float(kl_divergence(p, q)),
        "wasserstein1": float(wasserstein1(p, q)),
    }


def _choice(values, masses):
    return lambda g, n: g.choice(values, size=n, p=masses)


SINGULAR = {"total_variation": 1.0, "js": math.log(2), "kl": math.inf}
SAME = {"total_variation": 0.0, "js": 0.0, "kl": 0.0, "wasserstein1": 0.0}
MASSES = [0.5, 0.3, 0.15, 0.05], [0.4, 0.2, 0.1, 0.3]
VALUES = [0.0, 1.0, 2.0, 4.0]

# name: (sampler of P, sampler of Q, truths)
PAIRS = {
    "equal normals": (lambda g, n: g.normal(size=n), lambda g, n: g.normal(size=n), SAME),
    "shifted normals": (
        lambda g, n: g.normal(size=n),
        lambda g, n: g.normal(1.0, size=n),
        of_laws(Normal(0.0, 1.0), Normal(1.0, 1.0)),
    ),
    "nearly equal normals": (
        lambda g, n: g.normal(size=n),
        lambda g, n: g.normal(0.1, size=n),
        of_laws(Normal(0.0, 1.0), Normal(0.1, 1.0)),
    ),
    "uniform": (
        lambda g, n: g.uniform(0.0, 1.0, n),
        lambda g, n: g.uniform(0.2, 1.2, n),
        of_laws(Uniform(0.0, 1.0), Uniform(0.2, 1.2)),
    ),
    "exponential": (
        lambda g, n: g.exponential(1.0, n),
        lambda g, n: g.exponential(0.5, n),
        of_laws(Exponential(1.0), Exponential(2.0)),
    ),
    "heavy tails": (lambda g, n: g.standard_cauchy(n), lambda g, n: g.standard_cauchy(n), SAME),
    "heavy tails apart": (
        lambda g, n: g.standard_t(1.5, n),
        lambda g, n: 2.0 + g.standard_t(1.5, n),
        {"wasserstein1": 2.0},
    ),
    "discrete": (
        _choice(VALUES, MASSES[0]),
        _choice(VALUES, MASSES[1]),
        of_laws(Discrete(VALUES, MASSES[0]), Discrete(VALUES, MASSES[1])),
    ),
    "singular on the line": (
        lambda g, n: np.full(n, 0.5),
        lambda g, n: g.random(n),
        {**SINGULAR, "wasserstein1": 0.25},
    ),
    "parallel lines": (
        lambda g, n: np.c_[np.zeros(n), g.random(n)],
        lambda g, n: np.c_[np.full(n, 0.5), g.random(n)],
        {**SINGULAR, "wasserstein1": 0.5},
    ),
    "equal squares": (lambda g, n: g.random((n, 2)), lambda g, n: g.random((n, 2)), SAME),
}
