"""Vectors and logits, with their divergences in mpmath, that the mutants of the formulas meet."""

import mpmath as mp
import numpy as np


def truths_of(p, q):
    """TV, KL, JS, Hellinger, Bhattacharyya, chi-squared of mpf vectors of mass 1."""
    pairs = list(zip(p, q, strict=True))
    singular = any(a and not b for a, b in pairs)
    square = mp.fsum((mp.sqrt(a) - mp.sqrt(b)) ** 2 for a, b in pairs) / 2
    halves = [
        (a * mp.log(2 * a / (a + b)) if a else 0) + (b * mp.log(2 * b / (a + b)) if b else 0)
        for a, b in pairs
    ]
    return (
        mp.fsum(abs(a - b) for a, b in pairs) / 2,
        mp.inf if singular else mp.fsum(a * mp.log(a / b) for a, b in pairs if a),
        mp.fsum(halves) / 2,
        mp.sqrt(square),
        mp.inf if square == 1 else -mp.log1p(-square),
        mp.inf if singular else mp.fsum((a - b) ** 2 / b for a, b in pairs if b),
    )


NAMES = (
    "total_variation", "kl_divergence", "js_divergence", "hellinger_distance",
    "bhattacharyya_distance", "chi_squared_divergence",
)  # fmt: skip


def _vector_cases():
    rng = np.random.default_rng(0)
    for size in (0, 1e-15, 1e-9, 0.05, 0.3, 0.7, 1.5, 6.0, 40.0):
        for count in (1, 2, 5, 40, 1100) if size in {0.7, 1e-9} else (2, 5, 40):
            p = rng.dirichlet(np.ones(count)) + 1e-20
            if count == 5:
                p[0] = 0.0
            q = p * np.exp(size * rng.normal(size=count))
            if count == 40 and size > 1:
                q[:3], p[:3] = [0.0, 5e-324, 1e-310], [0.0, 0.0, 1e-200]
            if count == 5 and size > 5:
                q[1] = 0.0
            yield p / p.sum(), q / q.sum()
    yield np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.25, 0.75])
    yield np.array([0.98, 0.02, 0.0]), np.array([0.98, 0.0, 0.02])
    yield np.array([1.0 - 1e-13, 1e-13, 0.0]), np.array([0.0, 0.5, 0.5])  # hardly an overlap
    yield np.array([1e-300, 0.25, 0.75]), np.array([0.25, 1e-300, 0.75])
    p, q = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(7))
    for size in (0.0, 1e-13, 1e-8, 1e-3, 1.0):  # masses that are off by what is allowed
        yield p * (1 + 15 * 2.0**-52), (p * (1 - size) + q * size) * (1 - 15 * 2.0**-52)
    yield p * (1 + 15 * 2.0**-52), q * (1 + 15 * 2.0**-52)
    third = np.full(3, 1 / 3)
    yield third, third * (1 + 2.0**-51)
    tiny = np.array([0.5, 0.5, 1e-20])
    other = tiny * (1 + 2.0**-51)
    other[2] = np.nextafter(other[2], 1)
    yield tiny, other
    tiny = np.array([0.5, 0.5, (2**44 + 1) * 5e-324])  # a common denominator of 2**1074
    yield tiny, tiny * (1 + 2.0**-51)
    yield np.array([1.0, 1e-200]), np.array([0.0, 1.0])  # an overlap of tiny atoms only
    yield np.array([0.0, 1.0]), np.array([1.0, 1e-200])
    yield from _random_pairs(np.random.default_rng(2), 120)


def _random_pairs(rng, count):
    """Vectors of 2 to 60 atoms whose entries differ by relative sizes from 1e-16 to 1e2."""
    for _ in range(count):
        atoms = int(10 ** rng.uniform(0.31, 1.78))
        p = rng.dirichlet(np.full(atoms, 10 ** rng.uniform(-0.5, 1.5))) + 1e-30
        size = 10 ** rng.uniform(-16.0, 0.7) if rng.uniform() < 0.6 else rng.uniform(0.0, 1.5)
        q = p * np.exp(size * rng.normal(size=atoms) * 10 ** rng.uniform(-3.0, 0.3, size=atoms))
        if rng.uniform() < 0.2:
            (p, q)[rng.integers(2)][rng.integers(atoms)] = 0.0
        yield p / p.sum(), q / q.sum()


def _logit_cases():
    rng = np.random.default_rng(1)
    for size in (1e-12, 0.01, 0.6, 3.0, 30.0):
        x = 3 * rng.normal(size=4) - 1000.0
        yield x, x + size * rng.normal(size=4) + 7.0
        yield x + 1000.0, x + size * rng.normal(size=4) + 1e4  # differences that floats round
    yield np.array([0.0, -np.inf, 2.0]), np.array([1.0, 0.5, -1.0])
    yield np.array([0.0, 1.0, 2.0]), np.array([1.0, -np.inf, -1.0])
    yield np.zeros(9), np.array([0.0, *[-50.0] * 8])
    yield np.array([0.0, *[-50.0] * 8]), np.zeros(9)
    yield np.array([0.1, -300.2]), np.array([0.1, -301.9])
    yield np.array([0.0, -np.inf]), np.array([-np.inf, 0.0])
    yield np.array([1e4, -1e4]), np.array([-1e4, 1e4])
    for _ in range(60):
        atoms = int(rng.integers(2, 12))
        x = 10 ** rng.uniform(-1.0, 1.5) * rng.normal(size=atoms) + rng.normal() * 1e3
        size = 10 ** rng.uniform(-14.0, 2.0) if rng.uniform() < 0.5 else rng.uniform(0.0, 3.0)
        yield x, x + size * rng.normal(size=atoms) + rng.normal() * 10 ** rng.uniform(-1.0, 3.0)


def cases_of_vectors():
    cases = []
    for p, q in _vector_cases():
        with mp.workdps(50 if p.size > 100 else 800):  # subnormal atoms take 400 digits
            exact = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
            truth = truths_of(*([v / mp.fsum(vector) for v in vector] for vector in exact))
            cases.append((NAMES, p, q, truth))
    with mp.workdps(400):
        logit_names = tuple(f"{name}_from_logits" for name in NAMES[:3])
        for x, y in _logit_cases():
            exact = ([mp.exp(mp.mpf(float(v))) for v in logits] for logits in (x, y))
            truth = truths_of(*([v / mp.fsum(weights) for v in weights] for weights in exact))
            cases.append((logit_names, x, y, truth[:3]))
    return cases
