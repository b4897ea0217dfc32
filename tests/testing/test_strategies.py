"""What the strategies draw is valid, is what its name says, and shrinks."""

import math

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from divergences import Discrete, js_divergence, kl_divergence, total_variation, wasserstein1
from divergences.problems import RELATIONS
from divergences.testing import strategies


@given(strategies.simplex_vectors(), strategies.simplex_vectors(positive=True))
def test_vectors_are_accepted_by_the_library(p, positive):
    assert total_variation(p, p) == 0.0
    assert (positive > 0).all()


@pytest.mark.parametrize("relation", RELATIONS)
@given(data=st.data())
def test_pairs_are_in_their_relation(relation, data):
    pair = data.draw(strategies.vector_pairs(relation))
    p, q = pair.p, pair.q
    assert pair.relation == relation
    assert {
        "equal": lambda: (p == q).all(),
        "near": lambda: np.abs(p - q).max() <= 0.25,
        "balanced": lambda: np.ptp(p) == 0 and np.unique(np.round(q / q[0], 14)).size == 2,
        "disjoint": lambda: (p * q == 0).all(),
        "overlapping": lambda: ((p > 0) & (q == 0)).any() and ((p == 0) & (q > 0)).any(),
        "dominated": lambda: (q > 0).all() and (p == 0).any(),
        "generic": lambda: (p > 0).all() and (q > 0).all(),
        "lopsided": lambda: (p > 0).all() and (q > 0).all(),
    }[relation]()


@given(strategies.vector_pairs())
def test_answers_are_the_library_s_to_rounding(pair):
    answers = pair.answers
    for exact, found in (
        (answers.total_variation, total_variation(pair.p, pair.q)),
        (answers.kl, kl_divergence(pair.p, pair.q)),
        (answers.kl_reverse, kl_divergence(pair.q, pair.p)),
        (answers.js, js_divergence(pair.p, pair.q)),
    ):
        # proportional vectors (divergence 0) are recognised in thrice the working precision
        assert found == exact or abs(found - exact) <= 8 * 2.0**-52 * exact + 2.0**-156


@given(strategies.measure_pairs())
def test_measures_of_a_pair_share_a_dimension(pair):
    p, q = pair
    assert isinstance(p, Discrete)
    assert p.dimension == q.dimension
    assert np.abs(p.points).max() <= 1e3
    assert wasserstein1(p, q) >= 0.0


@given(strategies.discrete_measures(dimension=3, max_atoms=2, reach=1.0))
def test_measures_obey_their_parameters(p):
    assert p.dimension == 3
    assert len(p) <= 2
    assert np.abs(p.points).max() <= 1.0


@given(strategies.solved_transport_problems())
def test_solved_problems_are_solved(problem):
    p, q = problem.measures
    exact = problem.wasserstein1
    rounding = 1e-12 * exact + (1e-13 * problem.diameter if exact < 1e100 else 0.0)
    assert abs(wasserstein1(p, q) - exact) <= rounding
    if problem.answers is not None:
        assert total_variation(p, q) == problem.answers.total_variation
        assert js_divergence(p, q) == pytest.approx(problem.answers.js, rel=2**-51)


def test_an_unknown_relation_is_refused():
    with pytest.raises(ValueError, match=r"vector_pairs: relation must be one of .*'similar'"):
        strategies.vector_pairs("similar")


def test_failing_examples_shrink_to_few_simple_atoms():
    vector = find(strategies.simplex_vectors(), lambda p: p.size >= 3)
    assert vector.tolist() == [1.0, 0.0, 0.0]
    pair = find(strategies.vector_pairs("generic"), lambda pair: pair.answers.total_variation > 0.2)
    assert pair.p.size == 2
    assert math.isclose(pair.p.max(), 0.5)
    lines = find(strategies.parallel_lines(), lambda problem: problem.wasserstein1 > 3.0)
    assert lines.wasserstein1 == 4.0
    assert len(lines.x) == 1
    law = find(strategies.discrete_measures(), lambda p: len(p) >= 2)
    assert law.points.tolist() == [[0.0], [0.0]]
