"""Axioms and theorems that the divergences of vectors must obey, on drawn vectors and kernels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from divergences import (
    chi_squared_divergence,
    hellinger_distance,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
)
from divergences.testing import strategies

F_DIVERGENCES = (total_variation, kl_divergence, js_divergence, chi_squared_divergence)
ALL = (*F_DIVERGENCES, hellinger_distance, js_distance)
METRICS = (total_variation, js_distance, hellinger_distance)
ROUNDING = 1e-13
seeds = st.integers(0, 2**32 - 1)


def _kernel(rng, rows, columns):
    """A Markov kernel, sometimes sparse."""
    kernel = rng.exponential(size=(rows, columns)) * (rng.random((rows, columns)) < 0.7)
    kernel[np.arange(rows), rng.integers(columns, size=rows)] += 0.5
    return kernel / kernel.sum(axis=1, keepdims=True)


def _normalised(vector):
    return vector / vector.sum()


def _below(smaller, larger):
    return smaller <= larger * (1 + ROUNDING) + 1e-15


@given(strategies.vector_pairs(), seeds)
def test_data_processing(pair, seed):
    kernel = _kernel(np.random.default_rng(seed), pair.p.size, 4)
    p, q = _normalised(pair.p @ kernel), _normalised(pair.q @ kernel)
    for function in ALL:
        assert _below(function(p, q), function(pair.p, pair.q))


@given(strategies.vector_pairs(), st.data())
def test_a_permutation_changes_nothing_but_the_rounding(pair, data):
    order = data.draw(st.permutations(range(pair.p.size)))
    for function in ALL:
        exact = function(pair.p, pair.q)
        assert function(pair.p[order], pair.q[order]) == pytest.approx(exact, rel=8e-15, abs=1e-40)


@given(strategies.vector_pairs(), st.integers(1, 5))
def test_atoms_of_mass_zero_and_split_atoms_change_nothing(pair, count):
    zeros = np.zeros(count)
    halves = np.repeat([0.5], 2)
    for function in ALL:
        exact = pytest.approx(function(pair.p, pair.q), rel=8e-15, abs=1e-40)
        assert function(np.append(pair.p, zeros), np.append(pair.q, zeros)) == exact
        split = (np.outer(v, halves).ravel() for v in (pair.p, pair.q))
        assert function(*split) == exact


@given(strategies.vector_pairs("generic", 5), strategies.vector_pairs("generic", 5))
def test_kl_of_products_is_the_sum_and_of_tilted_masses_the_chain_rule(first, second):
    (p1, q1), (p2, q2) = (first.p, first.q), (second.p, second.q)
    p, q = (_normalised(np.outer(a, b).ravel()) for a, b in ((p1, p2), (q1, q2)))
    total = kl_divergence(p1, q1) + kl_divergence(p2, q2)
    assert kl_divergence(p, q) == pytest.approx(total, rel=ROUNDING, abs=1e-15)
    affinities = [1 - hellinger_distance(a, b) ** 2 for a, b in ((p1, q1), (p2, q2), (p, q))]
    assert affinities[2] == pytest.approx(affinities[0] * affinities[1], rel=ROUNDING)
    chi = [1 + chi_squared_divergence(a, b) for a, b in ((p1, q1), (p2, q2), (p, q))]
    assert chi[2] == pytest.approx(chi[0] * chi[1], rel=1e-12)
    variations = total_variation(p1, q1) + total_variation(p2, q2)
    assert _below(total_variation(p, q), variations)


@given(st.integers(2, 5), st.integers(2, 5), seeds)
def test_chain_rule(rows, columns, seed):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(rows * columns), size=2).reshape(2, rows, columns)
    p_first, q_first = p.sum(axis=1), q.sum(axis=1)
    conditional = kl_divergence(p / p_first[:, None], q / q_first[:, None])
    chain = kl_divergence(_normalised(p_first), _normalised(q_first)) + p_first @ conditional
    joint = kl_divergence(_normalised(p.ravel()), _normalised(q.ravel()))
    assert joint == pytest.approx(chain, rel=1e-12)


@given(st.integers(2, 6), st.floats(0, 1), seeds)
def test_joint_convexity(size, weight, seed):
    rng = np.random.default_rng(seed)
    (p1, p2), (q1, q2) = rng.dirichlet(np.full(size, 0.5) + 0.1, size=(2, 2))
    mixed = (_normalised(weight * a + (1 - weight) * b) for a, b in ((p1, p2), (q1, q2)))
    p, q = mixed
    for function in F_DIVERGENCES:
        bound = weight * function(p1, q1) + (1 - weight) * function(p2, q2)
        assert _below(function(p, q), bound)


@given(st.integers(2, 6), seeds)
def test_triangle_inequality_of_the_metrics(size, seed):
    rng = np.random.default_rng(seed)
    p, q, r = rng.dirichlet(np.full(size, 0.3), size=3) + 1e-12
    p, q, r = (_normalised(v) for v in (p, q, r))
    for function in METRICS:
        assert _below(function(p, r), function(p, q) + function(q, r))


@given(strategies.vector_pairs())
def test_inequalities_between_them(pair):
    p, q = pair.p, pair.q
    variation, js = total_variation(p, q), js_divergence(p, q)
    assert _below(2 * variation**2, kl_divergence(p, q))  # Pinsker
    assert _below(js, variation * math.log(2))  # Lin
    assert _below(variation**2, 2 * js)
    assert _below(variation, math.sqrt(-math.expm1(-kl_divergence(p, q))))  # Bretagnolle and Huber
    assert js_distance(p, q) == math.sqrt(js)


@given(strategies.vector_pairs("generic"))
def test_kl_and_js_by_another_route(pair):
    middle = _normalised((_normalised(pair.p) + _normalised(pair.q)) / 2)
    halves = kl_divergence(pair.p, middle) + kl_divergence(pair.q, middle)
    assert js_divergence(pair.p, pair.q) == pytest.approx(halves / 2, rel=1e-9, abs=1e-15)
