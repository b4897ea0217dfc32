"""Values block by block: every way through a row, long rows, exact zeros and caps."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import torch

from divergences import _vector_blocks as blocks
from divergences import js_divergence, kl_divergence, total_variation
from divergences._array import namespace
from divergences._vector_rationals import exact_difference
from divergences._vector_terms import (
    ATANH_SERIES,
    JS_SERIES,
    accurate,
    js_far,
    kl_far,
    log_quotient,
    series,
)

from .oracles import error_in_eps, exact_vectors

DIVERGENCES = (total_variation, kl_divergence, js_divergence)


def _pair(rng, count, perturbation, zeros=False):
    p = rng.dirichlet(np.full(count, rng.choice([0.3, 1.0, 10.0]))) + 1e-30
    if zeros:
        p[rng.integers(count, size=count // 3)] = 0.0
    q = p * np.exp(perturbation * rng.normal(size=count))
    return p / p.sum(), q / q.sum()


@pytest.mark.parametrize("perturbation", [1e-16, 3e-16, 1e-15, 1e-8, 0.05, 0.4, 0.8, 2.0, 30.0])
def test_eight_eps_and_four_ulps_in_99_percent(perturbation):
    rng = np.random.default_rng(23)
    errors = []
    for _ in range(100):
        p, q = _pair(rng, int(rng.choice([1, 2, 3, 9, 40])), perturbation, bool(rng.integers(2)))
        for function, truth in zip(DIVERGENCES, exact_vectors(p, q), strict=True):
            value = function(p, q)
            errors.append(error_in_eps(value, truth) if truth else float(value))
    assert max(errors) <= 8.0
    assert np.quantile(errors, 0.99) <= 4.0


@pytest.mark.parametrize("perturbation", [1e-13, 0.05, 1.0])
def test_more_atoms_than_a_block(perturbation):
    rng = np.random.default_rng(2)
    p, q = _pair(rng, 3 * blocks.BLOCK + 17, perturbation, zeros=True)
    with mp.workdps(60):
        truths = _fast_truths(p, q)
    for function, truth in zip(DIVERGENCES, truths, strict=True):
        assert error_in_eps(function(p, q), truth) <= 4.0


def _fast_truths(p, q):
    """As ``exact_vectors``, in 60 digits: enough for atoms of ordinary size."""
    first, second = ([mp.mpf(float(entry)) for entry in v] for v in (p, q))
    p_mass, q_mass = mp.fsum(first), mp.fsum(second)
    pairs = [(a / p_mass, b / q_mass) for a, b in zip(first, second, strict=True) if a]
    variation = mp.fsum(abs(a - b) for a, b in pairs) / 2
    kl = mp.fsum(a * mp.log(a / b) for a, b in pairs)
    js = mp.fsum(a * mp.log(2 * a / (a + b)) + b * mp.log(2 * b / (a + b)) for a, b in pairs)
    return variation, kl, js / 2


@pytest.mark.long
@pytest.mark.parametrize("perturbation", [1e-12, 1e-3, 1.0])
def test_a_million_atoms(perturbation):
    rng = np.random.default_rng(4)
    p, q = _pair(rng, 10**6, perturbation)
    with mp.workdps(40):
        truths = _fast_truths(p, q)
    for function, truth in zip(DIVERGENCES, truths, strict=True):
        assert error_in_eps(function(p, q), truth) <= 4.0


@pytest.mark.parametrize("function", DIVERGENCES)
@pytest.mark.parametrize("count", [1, 3, 40, 300, 1500, 9000, 20000])
def test_a_batch_has_the_bits_of_its_rows(function, count):
    rng = np.random.default_rng(count)
    rows = [_pair(rng, count, scale, zeros=count > 2) for scale in (0, 1e-16, 1e-9, 0.1, 0.5, 3.0)]
    first = np.arange(count) == 0
    rows.append((first.astype(float), first[::-1].astype(float)))  # disjoint, but for one atom
    p, q = (np.array(vectors) for vectors in zip(*rows, strict=True))
    expected = [function(a, b) for a, b in rows]
    np.testing.assert_array_equal(function(p, q), expected)
    np.testing.assert_array_equal(function(p.T, q.T, axis=0), expected)
    np.testing.assert_array_equal(function(p, q[2]), [function(a, q[2]) for a in p])
    tensors = function(torch.from_numpy(p), torch.from_numpy(q))
    np.testing.assert_array_equal(tensors.numpy(), expected)
    if function is not kl_divergence:
        np.testing.assert_array_equal(function(q, p), expected)


def test_proportional_vectors_are_equal_laws():
    third = np.full(3, 1 / 3)
    grown = third * (1 + 2**-51)
    assert (grown != third).all()
    for function in DIVERGENCES:
        assert function(third, grown) == 0.0
        assert function(np.array([third, third]), np.array([grown, third])).tolist() == [0.0, 0.0]
    p = np.array([0.5, 0.25, 0.25])
    for function in DIVERGENCES:
        assert function(p, p * (1 + 2**-50)) == 0.0


@pytest.mark.parametrize("p", [[0.5, 0.5, 1e-20], [0.25, 0.75, 1e-60]])
def test_what_is_nearly_proportional_is_not_zero(p):
    # p and q are proportional but for one ulp of an entry of tiny mass.
    p = np.array(p)
    q = p * (1 + 2**-51)
    q[2] = np.nextafter(q[2], 1)
    for function, truth in zip(DIVERGENCES, exact_vectors(p, q), strict=True):
        assert truth > 0
        assert error_in_eps(function(p, q), truth) <= 4.0


def test_rational_difference_is_rounded_once():
    p, q = np.array([0.1, 0.2, 0.7]), np.array([0.1, 0.3, 0.6])
    for values, exact in zip(exact_difference(p, q, 3), _exact_difference(p, q), strict=True):
        assert values.tolist() == [float(8 * entry) for entry in exact]
    p = np.array([0.5, 0.5, (2**44 + 1) * 5e-324])  # of which 2**-1074 is the largest unit
    q = p * (1 + 2**-51)
    for values, exact in zip(exact_difference(p, q, 600), _exact_difference(p, q), strict=True):
        assert values.tolist() == [float(2**600 * entry) for entry in exact]


def _exact_difference(p, q):
    first, second = ([Fraction(float(entry)) for entry in v] for v in (p, q))
    first = [entry / sum(first) for entry in first]
    second = [entry / sum(second) for entry in second]
    return first, second, [a - b for a, b in zip(first, second, strict=True)]


def test_series_against_their_functions():
    squares = np.linspace(0.0, 0.25, 400)[1:]
    atanh = series(np, ATANH_SERIES, squares)
    js = squares + squares * series(np, JS_SERIES, squares)
    for square, first, second in zip(squares, atanh, js, strict=True):
        with mp.workdps(50):
            t = mp.sqrt(mp.mpf(float(square)))
            assert error_in_eps(first, mp.atanh(t) / t - 1) <= 2.0
            assert error_in_eps(second, mp.log(1 - t * t) + 2 * t * mp.atanh(t)) <= 2.0


def test_far_terms_at_the_ends_of_the_floats():
    p = np.array([1e-300, 1.0, 0.0, 5e-324, 0.0, 1.0])
    q = np.array([1.0, 1e-300, 0.0, 1.0, 0.5, 0.0])
    kl = kl_far(np, p, q, p - q)
    assert kl[5] == math.inf
    assert kl[[2, 4]].tolist() == [0.0, 0.5]
    assert kl[1] == pytest.approx(300 * math.log(10) - 1, rel=1e-15)
    assert js_far(np, p, q, p - q)[[2, 4, 5]].tolist() == [
        0.0,
        0.25 * math.log(2),
        0.5 * math.log(2),
    ]
    assert log_quotient(np, np.array([1e300]), np.array([1e-300]))[0] == pytest.approx(
        600 * math.log(10), rel=1e-15
    )


@pytest.mark.parametrize("name", [blocks.TOTAL_VARIATION, blocks.KL, blocks.JS])
def test_doubled_precision_agrees_to_a_few_ulps(name):
    rng = np.random.default_rng(6)
    for scale in (1e-14, 1e-3, 0.7, 5.0):
        p, q = _pair(rng, 50, scale, zeros=True)
        exact = accurate(np, name, p, q)
        assert abs(blocks.evaluate(name, p, q).value - exact) <= 6 * 2.0**-52 * exact
        tensors = torch.from_numpy(p)[None], torch.from_numpy(q)[None]
        assert abs(float(accurate(namespace(*tensors), name, *tensors)) - exact) <= 2e-15 * exact


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([-0.5, 1.5], [0.5, 0.5]),
        ([0.5, 0.5], [-0.5, 1.5]),
        ([0.0, 1.0], [-0.5, 1.5]),
        ([-0.5, 1.5], [-0.5, 1.5]),
        ([0.5, 0.5], [0.5, 0.6]),
        ([0.5, 0.6], [0.5, 0.5]),
        ([math.nan, 0.5], [0.5, 0.5]),
        ([0.9, 0.1], [math.inf, 0.5]),
    ],
)
@pytest.mark.parametrize("function", DIVERGENCES)
@pytest.mark.parametrize("copies", [1, 700, 9000])
def test_bad_entries_are_found_in_the_same_pass(function, p, q, copies):
    p, q = (np.concatenate([np.zeros(2 * copies - 2), vector]) for vector in (p, q))
    for first, second in ((p, q), (np.tile(p, (3, 1)), np.tile(q, (3, 1)))):
        with pytest.raises(ValueError, match=f"{function.__name__}: [pq] must"):
            function(first, second)


def test_masses_at_the_edge_of_the_tolerance_are_decided_exactly():
    p = np.array([0.5, 0.5 + 10 * 2.0**-52])
    assert kl_divergence(p, p) == 0.0
    with pytest.raises(ValueError, match="q must sum to 1"):
        kl_divergence(p, np.array([0.5, 0.5 + 20 * 2.0**-52]))


@pytest.mark.parametrize("function", [kl_divergence, js_divergence])
@pytest.mark.parametrize("size", [7e-4, 7.1e-4, 1.8e-2, 1.9e-2, 9.4e-2, 9.6e-2, 0.49])
def test_as_many_terms_of_the_series_as_the_farthest_entry_needs(function, size):
    with mp.workdps(50):
        for count in (2, 40, 100):
            half = np.full(count, 1.0 / count)
            q = half * (1.0 + size * np.where(np.arange(count) % 2, 1.0, -1.0))
            p = half * (1.0 - size * np.where(np.arange(count) % 2, 1.0, -1.0))
            p, q = p / p.sum(), q / q.sum()
            first, second = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
            first, second = ([v / mp.fsum(w) for v in w] for w in (first, second))
            middle = [(a + b) / 2 for a, b in zip(first, second, strict=True)]

            def kl(a, b):
                return mp.fsum(x * mp.log(x / y) for x, y in zip(a, b, strict=True))

            jensen = (kl(first, middle) + kl(second, middle)) / 2
            truth = kl(first, second) if function is kl_divergence else jensen
            assert abs(mp.mpf(float(function(p, q))) / truth - 1) < 8 * 2.0**-52


def test_rows_of_different_nearness_have_the_bits_of_each_alone():
    rng = np.random.default_rng(5)
    p = rng.dirichlet(np.ones(50), size=40)
    sizes = 10.0 ** rng.uniform(-9, 0.5, size=(40, 1))
    q = p * np.exp(sizes * rng.normal(size=p.shape))
    q /= q.sum(axis=-1, keepdims=True)
    for function in (total_variation, kl_divergence, js_divergence):
        alone = [function(a, b) for a, b in zip(p, q, strict=True)]
        np.testing.assert_array_equal(function(p, q), alone)
        np.testing.assert_array_equal(function(p[0], q), [function(p[0], b) for b in q])


def test_masses_of_single_precision_beside_double_ones():
    """Their defects, of second order in JS, are too large for its logarithms."""
    rng = np.random.default_rng(7)
    worst = 0.0
    for _ in range(40):
        p = rng.dirichlet(np.full(30, 2.0)).astype(np.float32)
        q = rng.dirichlet(np.full(30, 2.0))
        p *= np.float32(1.0 + 1e-6)
        value = js_divergence(p, q)
        assert value.dtype == np.float64
        worst = max(worst, error_in_eps(value, exact_vectors(p.astype(np.float64), q)[2]))
    assert worst <= 8.0


def test_defects_of_masses_that_the_logarithms_correct():
    """A few billionths, of single precision: JS is corrected to first order, KL to second."""
    rng = np.random.default_rng(8)
    tried, worst = 0, 0.0
    while tried < 25:
        p = rng.dirichlet(np.full(30, 1.0)).astype(np.float32)
        if not 1e-9 < abs(float(p.astype(np.float64).sum()) - 1.0) < 9e-9:
            continue
        tried += 1
        q = rng.dirichlet(np.full(30, 1.0))
        truth = exact_vectors(p.astype(np.float64), q)
        for function, exact in ((kl_divergence, truth[1]), (js_divergence, truth[2])):
            worst = max(worst, error_in_eps(function(p, q), exact))
    assert worst <= 8.0


@pytest.mark.parametrize("overlap", [1e-13, 3e-14])
def test_a_small_overlap_is_not_taken_for_none(overlap):
    p, q = np.array([1.0 - overlap, overlap, 0.0]), np.array([0.0, 0.5, 0.5])
    truth = exact_vectors(p, q)
    for function, exact in ((total_variation, truth[0]), (js_divergence, truth[2])):
        assert error_in_eps(function(p, q), exact) <= 8.0
        assert function(p, q) < function(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
