"""The answers that problems carry, against independent computations."""

import mpmath as mp
import numpy as np
import pytest

from divergences import Discrete, problems
from tests.oracles import error_in_eps, exact_vectors


def _rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("relation", problems.RELATIONS)
def test_divergences_of_vectors_are_rounded_once(relation):
    for seed in range(12):
        pair = problems.vector_pair(_rng(seed), relation)
        answers = pair.answers
        variation, kl, js = exact_vectors(pair.p, pair.q)
        assert error_in_eps(answers.total_variation, variation) <= 0.5
        assert error_in_eps(answers.kl, kl) <= 0.5
        assert error_in_eps(answers.kl_reverse, exact_vectors(pair.q, pair.p)[1]) <= 0.5
        assert error_in_eps(answers.js, js) <= 0.5
        with mp.workdps(400):
            p, q = ([mp.mpf(float(v)) for v in vector] for vector in (pair.p, pair.q))
            roots = [mp.sqrt(a / mp.fsum(p) * b / mp.fsum(q)) for a, b in zip(p, q, strict=True)]
            assert error_in_eps(answers.hellinger, 1 - mp.fsum(roots)) <= 0.5


def test_relations_are_what_they_say():
    for seed in range(50):
        disjoint = problems.vector_pair(_rng(seed), "disjoint")
        assert disjoint.answers == problems.SINGULAR
        overlapping = problems.vector_pair(_rng(seed), "overlapping").answers
        assert (overlapping.kl, overlapping.kl_reverse) == (np.inf, np.inf)
        dominated = problems.vector_pair(_rng(seed), "dominated").answers
        assert np.isfinite(dominated.kl)
        assert dominated.kl_reverse == np.inf
        near = problems.vector_pair(_rng(seed), "near")
        assert np.abs(near.p - near.q).max() <= 0.25
        assert problems.vector_pair(_rng(seed), "equal").answers == problems.SAME


def test_vectors_are_probability_vectors_of_the_size_asked_for():
    for seed, relation in enumerate(problems.RELATIONS):
        pair = problems.vector_pair(_rng(seed), relation, size=6)
        assert pair.p.shape == pair.q.shape == (6,)
        for vector in (pair.p, pair.q):
            assert (vector >= 0).all()
            assert abs(vector.sum() - 1) < 4e-15
    with pytest.raises(ValueError, match="relation must be one of"):
        problems.vector_pair(_rng(), "alike")


def _by_linear_programming(pair):
    from scipy.optimize import linprog

    n, m = len(pair.x), len(pair.y)
    cost = np.linalg.norm(pair.x[:, None] - pair.y[None], axis=-1)
    rows = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    sums = np.concatenate([pair.x_weights, pair.y_weights / pair.y_weights.sum()
                           * pair.x_weights.sum()])  # fmt: skip
    return linprog(cost.ravel(), A_eq=np.concatenate(rows), b_eq=sums).fun


MAKERS = {
    "translation": problems.translation,
    "permutation": problems.permutation,
    "point masses": problems.diracs,
    "outward rays": problems.outward_rays,
    "line": problems.line,
    "parallel lines": lambda rng: problems.parallel_lines(rng, float(rng.normal())),
}


@pytest.mark.parametrize("name", MAKERS)
def test_distances_against_linear_programming(name):
    for seed in range(8):
        pair = MAKERS[name](_rng(seed))
        assert pair.name == name
        assert pair.wasserstein1 == pytest.approx(_by_linear_programming(pair), rel=1e-7, abs=1e-7)
        assert pair.wasserstein1 <= pair.diameter * (1 + 1e-15)
        assert all(isinstance(law, Discrete) for law in pair.measures)


def test_distances_on_the_line_against_scipy():
    from scipy.stats import wasserstein_distance

    for seed in range(20):
        pair = problems.line(_rng(seed))
        found = wasserstein_distance(pair.x[:, 0], pair.y[:, 0], pair.x_weights, pair.y_weights)
        assert pair.wasserstein1 == pytest.approx(found, rel=1e-13)


def test_parallel_lines_have_the_same_heights_and_masses():
    pair = problems.parallel_lines(_rng(), theta=1e-300, size=9)
    assert sorted(zip(pair.x[:, 1], pair.x_weights, strict=True)) == sorted(
        zip(pair.y[:, 1], pair.y_weights, strict=True)
    )
    assert len(np.unique(pair.x[:, 1])) == 9
    assert pair.wasserstein1 == 1e-300
    assert pair.answers == problems.SINGULAR
    assert problems.parallel_lines(_rng(), theta=-0.0).answers == problems.SAME


def test_finite_spaces_know_their_extent():
    space = problems.finite_space(_rng(3), "generic")
    brute = [
        np.linalg.norm(a - b)
        for i, a in enumerate(space.points)
        for j, b in enumerate(space.points)
        if i != j
    ]
    assert space.diameter == pytest.approx(max(brute))
    assert space.separation == pytest.approx(min(brute))
    assert space.separation > 0


def test_normal_laws_against_quadrature():
    for seed in range(6):
        pair = problems.normal_pair(_rng(seed), same_std=seed == 0)
        m, s, n, t = (mp.mpf(float(v)) for v in (pair.p.mean, pair.p.std, pair.q.mean, pair.q.std))
        with mp.workdps(30):
            width = abs(s - t) if s != t else mp.mpf(1)
            kink = [(n - m) / (s - t)] if s != t else []

            def gap(z, m=m, s=s, n=n, t=t):
                return abs((m - n) + (s - t) * z) * mp.npdf(z)

            knots = sorted([mp.mpf(-40), *kink, mp.mpf(0), mp.mpf(40)])
            distance = mp.quad(gap, [k for k in knots if abs(k) <= 40], maxdegree=10)

            def excess(z, m=m, s=s, n=n, t=t):
                x = m + s * z
                return mp.npdf(z) * (mp.log(t / s) + ((x - n) / t) ** 2 / 2 - z**2 / 2)

            kl = mp.quad(excess, [-40, -8, 0, 8, 40], maxdegree=10)
            assert width > 0
        assert pair.wasserstein1 == pytest.approx(float(distance), rel=1e-13)
        assert pair.kl == pytest.approx(float(kl), rel=1e-13)


def test_the_same_generator_draws_the_same_problem():
    for make in (problems.measure_pair, problems.vector_pair, problems.random_measures):
        first, second = make(_rng(5)), make(_rng(5))
        assert repr(first) == repr(second)
