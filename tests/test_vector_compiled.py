"""Compiled kernels for large arrays: the accuracy, ends and checks of the blocks for small ones."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch

from divergences import _vector_compiled as compiled
from divergences import _vector_kernels as kernels
from divergences import js_divergence, kl_divergence, total_variation
from divergences._vector_terms import SCALE

from .oracles import error_in_eps, exact_vectors

DIVERGENCES = (total_variation, kl_divergence, js_divergence)
LOG_2 = math.log(2.0)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(compiled, "LARGE", 0)


def _pair(rng, count, size):
    p = rng.dirichlet(np.full(count, rng.choice([0.3, 1.0, 10.0]))) + 1e-30
    if count > 3 and rng.integers(2):
        p[rng.integers(count)] = 0.0
    q = p * np.exp(size * rng.normal(size=count))
    if count > 3 and size > 1:
        q[rng.integers(count)] = rng.choice([0.0, 5e-324, 1e-310, 1e-200])
    return p / p.sum(), q / q.sum()


def _batch(rng, rows, count, size):
    pairs = [_pair(rng, count, size) for _ in range(rows)]
    return tuple(np.array(vectors) for vectors in zip(*pairs, strict=True))


@pytest.mark.parametrize("size", [1e-16, 1e-15, 1e-9, 0.05, 0.6, 0.8, 1.2, 2.0, 40.0])
def test_eight_eps_and_four_in_99_percent(size):
    rng = np.random.default_rng(41)
    errors = []
    for count in (2, 3, 9, 30):
        p, q = _batch(rng, 12, count, size)
        values = [function(p, q) for function in DIVERGENCES]
        for row, pair in enumerate(zip(p, q, strict=True)):
            for value, truth in zip(values, exact_vectors(*pair), strict=True):
                errors.append(error_in_eps(value[row], truth) if truth else float(value[row]))
    assert max(errors) <= 8.0
    assert np.quantile(errors, 0.99) <= 4.0


def test_single_precision_is_the_rounded_double():
    rng = np.random.default_rng(3)
    for size in (1e-6, 0.3, 3.0):
        p, q = (v.astype(np.float32) for v in _batch(rng, 5, 12, size))
        for function in DIVERGENCES:
            value = function(p, q)
            assert value.dtype == np.float32
            which = DIVERGENCES.index(function)
            truths = [exact_vectors(*pair)[which] for pair in zip(p, q, strict=True)]
            for one, truth in zip(value, truths, strict=True):
                assert one == np.float32(float(truth)) or abs(one / float(truth) - 1) < 2.0**-23


@pytest.mark.parametrize("shape", [(40, 30), (3, 2 * compiled.BLOCK + 5), (2 * compiled.BLOCK,)])
def test_no_bit_depends_on_threads_order_of_rows_or_memory(shape, monkeypatch):
    rng = np.random.default_rng(5)
    p, q = rng.exponential(size=shape), rng.exponential(size=shape)
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    q[..., ::7] = p[..., ::7]
    q /= q.sum(-1, keepdims=True)
    frozen = p.copy()
    frozen.setflags(write=False)
    for function in DIVERGENCES:
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "1")
        value = function(p, q)
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", "3")
        assert np.array_equal(function(p, q), value)
        assert np.array_equal(function(np.asfortranarray(frozen), q), value)
        assert np.array_equal(function(torch.from_numpy(p), torch.from_numpy(q)).numpy(), value)
        if p.ndim == 2:
            assert np.array_equal(function(p[::-1], q[::-1]), value[::-1])
            assert np.array_equal(function(p.T, q.T, axis=0), value)
            assert np.array_equal(function(p[0], q), function(np.tile(p[0], (len(q), 1)), q))
        if function is not kl_divergence:
            assert np.array_equal(function(q, p), value)


def test_small_arrays_agree_within_rounding(monkeypatch):
    rng = np.random.default_rng(6)
    p, q = _batch(rng, 50, 40, 0.8)
    for function in DIVERGENCES:
        large = function(p, q)
        monkeypatch.setattr(compiled, "LARGE", 1 << 20)
        np.testing.assert_allclose(large, function(p, q), rtol=1e-15, atol=0)
        monkeypatch.setattr(compiled, "LARGE", 0)


@pytest.mark.parametrize("count", [1, 2, 700, compiled.BLOCK + 3])
def test_equal_proportional_disjoint_and_nearly_disjoint(count):
    rng = np.random.default_rng(7)
    p = rng.dirichlet(np.ones(count))
    nothing = np.zeros(count)
    for function, cap in zip(DIVERGENCES, (1.0, math.inf, LOG_2), strict=True):
        assert function(p, p) == 0.0
        assert function(p[None], p[None]).tolist() == [0.0]
        first, second = np.concatenate([p, nothing]), np.concatenate([nothing, p])
        assert function(first, second) == cap
        assert function(np.array([first, first]), second).tolist() == [cap, cap]
    tiny = np.array([1.0, 1e-300]), np.array([1e-300, 1.0])
    assert total_variation(*tiny) <= 1.0
    assert js_divergence(*tiny) <= LOG_2
    third = np.full(3, 1 / 3)
    for function in DIVERGENCES:
        assert function(third, third * (1 + 2.0**-51)) == 0.0


def test_subnormal_atoms():
    p, q = np.array([0.0, 1.0]), np.array([5e-324, 1.0])
    assert kl_divergence(p, q) == 5e-324
    assert kl_divergence(q, p) == math.inf
    assert total_variation(p, q) == 5e-324


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([-0.5, 1.5], [0.5, 0.5]),
        ([0.5, 0.5], [-0.5, 1.5]),
        ([0.0, 1.0], [-1e-300, 1.0]),
        ([-0.5, 1.5], [-0.5, 1.5]),
        ([0.5, 0.5], [0.5, 0.6]),
        ([0.5, 0.6], [0.5, 0.5]),
        ([math.nan, 0.5], [0.5, 0.5]),
        ([0.5, 0.5], [0.5, math.nan]),
        ([0.9, 0.1], [math.inf, 0.5]),
        ([0.0, 0.0], [0.5, 0.5]),
    ],
)
@pytest.mark.parametrize("zeros", [0, 700, compiled.BLOCK])
def test_bad_entries_are_found(p, q, zeros):
    p, q = (np.concatenate([np.zeros(zeros), vector]) for vector in (p, q))
    good = np.zeros(zeros + 2)
    good[0] = 1.0
    for function in DIVERGENCES:
        for first, second in ((p, q), (np.array([good, p]), np.array([good, q]))):
            with pytest.raises(ValueError, match=f"{function.__name__}: [pq] must"):
                function(first, second)


def test_a_negative_zero_is_a_zero():
    assert total_variation(np.array([-0.0, 1.0]), np.array([0.0, 1.0])) == 0.0


@np.errstate(all="ignore")
def test_logarithm_and_terms_against_their_functions():
    rng = np.random.default_rng(8)
    for exponent in rng.uniform(-900, 900, size=200):
        x = 2.0**exponent
        with mp.workdps(40):
            assert error_in_eps(kernels._logarithm(x), mp.log(mp.mpf(x))) <= 1.0
    for q in (1.0, 0.999, 1.99, 0.501, 2.0, 0.5, 2.01, 0.499, 17.0, 1e-9):
        with mp.workdps(60):
            truth = mp.log(1 / mp.mpf(q)) - (1 - mp.mpf(q))
            value = kernels._kl_term(SCALE, q * SCALE) / SCALE
            assert value == truth == 0 or error_in_eps(value, truth) <= 6.0
            middle = (1 + mp.mpf(q)) / 2
            js = (mp.log(1 / middle) + mp.mpf(q) * mp.log(mp.mpf(q) / middle)) / 2
            value = kernels._js_term(abs(1.0 - q), 1.0 + q, min(1.0, q))
            assert value == js == 0 or error_in_eps(value, js) <= 8.0
    assert kernels._kl_term(1.0, 0.0) == math.inf
    assert kernels._kl_term(0.0, 0.0) == kernels._js_term(*np.zeros(3)) == 0.0
    assert kernels._kl_term(0.0, 0.25) == 0.25
    assert kernels._js_term(1.0, 1.0, 0.0) == pytest.approx(LOG_2 / 2, rel=2e-16)


def test_a_million_entries_take_the_kernels(monkeypatch):
    monkeypatch.setattr(compiled, "LARGE", 1 << 20)
    monkeypatch.setattr(compiled, "evaluate_blocks", None)
    p = np.full((1 << 10, 1 << 10), 2.0**-10)
    assert kl_divergence(p, p[0]).tolist() == [0.0] * (1 << 10)
