"""The strategies in a project of somebody else: its own pytest run, health checks on, shrinking."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import find, settings

import divergences as dv
from divergences.testing import strategies

ROOT = Path(__file__).parents[2]

PROJECT = """
import math

import numpy as np
import pytest
from hypothesis import given, settings

import divergences as dv
from divergences.problems import RELATIONS
from divergences.testing import strategies

settings.register_profile("strict", suppress_health_check=[], deadline=None, database=None)
settings.load_profile("strict")


def is_law(vector):
    return vector.ndim == 1 and (vector >= 0).all() and math.isclose(vector.sum(), 1.0)


@given(strategies.simplex_vectors())
def test_vectors(p):
    assert is_law(p)
    assert dv.kl_divergence(p, p) == 0


@pytest.mark.parametrize("relation", RELATIONS)
def test_pairs(relation):
    @given(strategies.vector_pairs(relation))
    def check(pair):
        assert is_law(pair.p) and is_law(pair.q) and pair.p.shape == pair.q.shape
        assert (relation != "equal") or (pair.p == pair.q).all()
        assert (relation != "disjoint") or not (pair.p * pair.q).any()
        assert (relation != "dominated") or not pair.p[pair.q == 0].any()
        assert (relation != "overlapping") or pair.p[pair.q == 0].any()

    check()


@given(strategies.finite_metrics())
def test_metrics(d):
    assert (d == d.T).all() and (np.diag(d) == 0).all()
    assert (d[:, :, None] + d[None] >= d[:, None]).all()


@given(strategies.discrete_measures(), strategies.measure_pairs())
def test_measures(law, pair):
    assert is_law(law.weights) and np.isfinite(law.points).all()
    assert pair[0].dimension == pair[1].dimension
    assert dv.wasserstein1(*pair) >= 0


@given(strategies.markov_kernels(), strategies.couplings())
def test_kernels_and_couplings(kernel, coupling):
    assert all(is_law(row) for row in kernel)
    assert is_law(coupling.a) and is_law(coupling.b)
    assert np.allclose(coupling.plan.sum(axis=1), coupling.a)
    assert np.allclose(coupling.plan.sum(axis=0), coupling.b)


@given(strategies.lipschitz_functions(2), strategies.solved_transport_problems())
def test_functions_and_problems(f, problem):
    z = np.random.default_rng(0).normal(size=(5, 2))
    rise = np.abs(f(z)[:, None] - f(z))
    assert (rise <= np.linalg.norm(z[:, None] - z, axis=-1) + 1e-12).all()
    value = dv.wasserstein1(*problem.measures)
    assert math.isclose(value, problem.wasserstein1, rel_tol=1e-9, abs_tol=1e-12)


@given(strategies.families(), strategies.normal_pairs(), strategies.parallel_lines())
def test_laws_with_answers(law, pair, lines):
    assert dv.kl_divergence(law, law) == 0
    assert math.isclose(dv.wasserstein1(pair.p, pair.q), pair.wasserstein1, abs_tol=1e-12)
    assert dv.wasserstein1(*lines.measures) >= 0


@given(strategies.convex_gradients())
def test_maps(problem):
    cost = ((problem.x[:, None] - problem.y) ** 2).sum(axis=-1)
    best = dv.optimal_transport(cost=cost, x_weights=problem.weights, y_weights=problem.weights)
    assert math.isclose(best.value, problem.squared_wasserstein2, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("topology", strategies.TOPOLOGIES)
def test_sequences(topology):
    @given(strategies.convergent_sequences(topology))
    def check(sequence):
        for n in (1, 2, 50):
            w = dv.wasserstein1(sequence.term(n), sequence.limit)
            assert math.isclose(w, sequence.wasserstein1(n), rel_tol=1e-9, abs_tol=1e-12)

    check()


@given(strategies.generators())
def test_generators(g):
    import torch

    width = next(g.parameters()).shape[1]
    assert torch.isfinite(g(torch.zeros(3, width, dtype=torch.float64))).all()
"""


def test_a_foreign_project_uses_the_strategies_with_health_checks_on(tmp_path):
    (tmp_path / "test_theirs.py").write_text(PROJECT)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "test_theirs.py"]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def _parameters(generator):
    return [float(value) for p in generator.parameters() for value in p.detach().flatten()]


# What a failing test would show: the smallest example of a property that many examples have.
SMALLEST = [
    ("simplex_vectors", lambda p: p.size >= 2 and p.min() > 0, lambda p: p.tolist() == [0.5, 0.5]),
    ("vector_pairs", lambda pair: dv.total_variation(pair.p, pair.q) > 0,
     lambda pair: pair.p.size == 2),
    ("finite_metrics", lambda d: d.shape[0] >= 3, lambda d: d.shape == (3, 3) and d.max() == 1),
    ("markov_kernels", lambda k: k.shape[0] >= 2, lambda k: k.tolist() == [[1.0], [1.0]]),
    ("couplings", lambda c: np.count_nonzero(c.plan) >= 2, lambda c: c.plan.size == 2),
    ("discrete_measures", lambda law: np.abs(law.points).max() > 0,
     lambda law: law.points.size == 1 and abs(law.points[0, 0]) in (1.0, 5e-324, 1e-300)),
    ("measure_pairs", lambda two: dv.wasserstein1(*two) > 0,
     lambda two: max(law.points.size for law in two) == 1),
    ("lipschitz_functions", lambda f: len(f.heights) >= 2,
     lambda f: not f.heights.any() and not f.centres.any()),
    ("families", lambda law: True, lambda law: repr(law) == "Exponential(rate=0.125)"),
    ("normal_pairs", lambda pair: pair.wasserstein1 > 0,
     lambda pair: "Normal(mean=0.0, std=0.125)" in repr(pair)),
    ("convergent_sequences", lambda s: s.wasserstein1(1) > 0, lambda s: len(s.limit) <= 2),
    ("convex_gradients", lambda problem: problem.squared_wasserstein2 > 0,
     lambda problem: problem.x.size == 1 and abs(problem.y - problem.x).max() == 1),
    ("generators", lambda g: True, lambda g: _parameters(g) == [0.0] * 4),
    ("parallel_lines", lambda pair: pair.wasserstein1 > 0, lambda pair: len(pair.x) == 1),
    ("solved_transport_problems", lambda pair: pair.wasserstein1 > 0,
     lambda pair: pair.x.size <= 2),
]  # fmt: skip


@pytest.mark.parametrize(("name", "property_", "small"), SMALLEST, ids=[e[0] for e in SMALLEST])
def test_examples_shrink_to_small_ones(name, property_, small):
    options = settings(max_examples=2000, database=None)
    found = find(getattr(strategies, name)(), property_, settings=options)
    assert small(found), found


def test_the_table_names_every_strategy():
    named = {entry[0] for entry in SMALLEST} | {"case_seeds", "lattice"}
    assert named == {name for name in strategies.__all__ if name.islower()}
