"""The small functions that keep digits, against mpmath."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from divergences._special import (
    bernoulli_kl,
    curvature_remainder,
    deviance,
    log1p_excess,
    mean_digamma,
    product_difference,
    stirling_error,
    trigamma_excess,
)


def _close(value, truth, tolerance=2e-15):
    with mp.workdps(50):
        assert abs(mp.mpf(float(value)) - truth) <= tolerance * abs(truth)


@pytest.mark.parametrize("s", [1e-6, 0.3, 3.0, 9.99, 10.0, 1e3, 1e9])
def test_trigamma_excess(s):
    with mp.workdps(50):
        truth = mp.psi(1, s) - 1 / mp.mpf(s)
    _close(trigamma_excess(np.array([s]))[0], truth, 2e-14)


@pytest.mark.parametrize(
    ("x", "y"),
    [(2.0, 2.00000001), (1e4, 1.01e4), (0.1, 30.0), (30.0, 0.1), (1e-3, 1.001e-3), (5.0, 4.9999)],
)
def test_remainder_and_mean_of_log_gamma(x, y):
    with mp.workdps(60):
        first, second = mp.mpf(x), mp.mpf(y)
        rise = mp.loggamma(second) - mp.loggamma(first)
        bregman = rise - (second - first) * mp.psi(0, first)
        truth = bregman - (second * mp.log(second / first) - second + first)
        mean = rise / (second - first)
    _close(curvature_remainder(x, y), truth)
    _close(mean_digamma(x, y), mean)
    assert curvature_remainder(x, x) == 0.0


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_deviance_and_excess(x, y):
    with mp.workdps(50):
        first, second = mp.mpf(x), mp.mpf(y)
        truth = first * mp.log(first / second) - first + second
        _close(deviance(x, y), truth)
        r = (x - y) / max(x, y)
        if r > -1:
            _close(log1p_excess(r), mp.mpf(r) - mp.log1p(mp.mpf(r)))


@given(st.floats(1e-9, 0.999), st.floats(1e-9, 0.999))
def test_kl_of_two_trials(p, q):
    with mp.workdps(50):
        first, second = mp.mpf(p), mp.mpf(q)
        truth = first * mp.log(first / second)
        truth += (1 - first) * mp.log((1 - first) / (1 - second))
    _close(bernoulli_kl(p, q), truth, 4e-15)


@given(*[st.floats(1e-5, 1e5)] * 4)
def test_difference_of_products_has_one_rounding(a, b, c, d):
    with mp.workdps(60):
        truth = mp.mpf(a) * mp.mpf(b) - mp.mpf(c) * mp.mpf(d)
    _close(product_difference(a, b, c, d), truth, 3e-16)


@pytest.mark.parametrize("k", [1, 2, 7, 15, 16, 100, 10**6])
def test_error_of_stirlings_formula(k):
    with mp.workdps(40):
        n = mp.mpf(k)
        truth = mp.loggamma(n + 1) - (n + 0.5) * mp.log(n) + n - mp.log(2 * mp.pi) / 2
        assert abs(float(stirling_error(np.array(float(k)))) - truth) < 1e-14
