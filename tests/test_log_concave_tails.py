"""Gamma, beta, Poisson and binomial laws of large parameters: tails, quantiles, enclosures."""

import math

import mpmath as mp
import numpy as np
import pytest

from divergences import (
    Beta,
    Binomial,
    Exponential,
    Gamma,
    Poisson,
    js_divergence_enclosure,
    kl_divergence,
    kl_divergence_enclosure,
    total_variation,
    total_variation_enclosure,
    wasserstein1,
    wasserstein1_enclosure,
)


def _beyond(log_density, x, side, length, end):
    """The integral of a density from x to one side, in mpmath."""
    stop = (end - x) * side / length
    edges = [mp.mpf(v) for v in (0, 1, 2, 4, 8, 16, 32, 64) if v < stop * 0.98]
    edges += [stop * (1 - mp.mpf(10) ** -25)] if stop < 64 else []
    top = log_density(x)  # apart, for mpmath's tolerance is absolute
    integral = mp.quad(lambda u: mp.exp(log_density(x + side * length * u) - top), edges)
    return mp.exp(top) * length * integral


def _gamma_tail(a, x, side):
    with mp.workdps(40):
        a, x = mp.mpf(a), mp.mpf(x)
        constant = mp.loggamma(a)
        length = mp.sqrt(a) / max(abs(x - a) / mp.sqrt(a), 1)
        end = mp.inf if side > 0 else mp.mpf(0)
        return _beyond(lambda t: (a - 1) * mp.log(t) - t - constant, x, side, length, end)


def _beta_tail(a, b, x, side):
    with mp.workdps(40):
        a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
        constant = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
        spread = mp.sqrt(a * b / (a + b) ** 3)
        length = spread / max(abs(x - a / (a + b)) / spread, 1)
        return _beyond(
            lambda t: constant + (a - 1) * mp.log(t) + (b - 1) * mp.log(1 - t),
            x, side, length, mp.mpf(side > 0),
        )  # fmt: skip


def _close(value, truth, relative):
    assert abs(mp.mpf(float(value)) - truth) <= relative * truth, (value, truth)


@pytest.mark.parametrize("shape", [1e4, 3e5, 1e9, 1e13])
@pytest.mark.parametrize("z", [-12.0, -6.0, -0.5, 0.4, 5.0, 11.0])
def test_tails_of_gamma_laws(shape, z):
    x, side = shape + z * math.sqrt(shape), int(math.copysign(1, z))
    truth = _gamma_tail(shape, x, side)
    law = Gamma(shape, 1.0)
    _close(law.survival(x) if side > 0 else law.cdf(x), truth, 2e-14)
    # A rate that is no power of 2, whose product with x is rounded.
    law, place = Gamma(shape, 0.7), x / 0.7
    with mp.workdps(40):
        truth = _gamma_tail(shape, mp.mpf(place) * mp.mpf(0.7), side)
    _close(law.survival(place) if side > 0 else law.cdf(place), truth, 2e-14)


@pytest.mark.parametrize("shape", [1e4, 1e9])
def test_quantiles_of_gamma_laws(shape):
    law, levels = Gamma(shape, 2.0), np.array([1e-250, 1e-20, 1e-3, 0.3, 0.5, 0.8, 0.999])
    np.testing.assert_allclose(law.cdf(law.quantile(levels)), levels, rtol=1e-13 * shape**0.5)
    np.testing.assert_allclose(
        law.survival(law.upper_quantile(levels)), levels, rtol=1e-13 * shape**0.5
    )
    assert law.quantile(0.0) == 0.0
    assert law.upper_quantile(0.0) == math.inf
    assert law.quantile(1.0) == math.inf


@pytest.mark.parametrize("total", [3e4, 1e7, 1e13])
@pytest.mark.parametrize("mean", [0.4, 0.6])
@pytest.mark.parametrize("z", [-11.0, -0.5, 0.3, 8.0])
def test_tails_of_beta_laws(total, mean, z):
    a, side = math.floor(mean * total), int(math.copysign(1, z))
    b, x = total - a, mean + z * math.sqrt(mean * (1 - mean) / total)
    law, truth = Beta(a, b), _beta_tail(a, b, x, side)
    _close(law.survival(x) if side > 0 else law.cdf(x), truth, 2e-14)


@pytest.mark.parametrize("size", [3e4, 1e8, 1e12])
@pytest.mark.parametrize("z", [-9.0, -1.0, 1.0, 10.0])
def test_tails_of_poisson_and_binomial_laws(size, z):
    k = math.floor(size + z * math.sqrt(size))
    law = Poisson(size)
    truth = _gamma_tail(k + 1.0, size, -1 if z > 0 else 1)
    _close(law.survival(k) if z > 0 else law.cdf(k), truth, 2e-14)
    assert law.cdf([-1.0, math.inf]).tolist() == [0.0, 1.0]
    assert law.survival([-1.0, math.inf]).tolist() == [1.0, 0.0]
    count = 4 * int(size)
    k = math.floor(size + z * math.sqrt(0.75 * size))
    law = Binomial(count, 0.25)
    truth = _beta_tail(k + 1.0, float(count - k), 0.25, -1 if z > 0 else 1)
    _close(law.survival(k) if z > 0 else law.cdf(k), truth, 2e-14)


@pytest.mark.parametrize("shape", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("z", [0.5, 7.0])
def test_enclosures_of_gamma_laws_hold_the_truth(shape, z):
    """SciPy's incomplete gamma function is wrong here, and once made them miss it."""
    other = shape + z * math.sqrt(shape)
    p, q = Gamma(shape, 1.0), Gamma(other, 1.0)
    with mp.workdps(40):
        a, b = mp.mpf(shape), mp.mpf(other)
        cross = mp.exp((mp.loggamma(b) - mp.loggamma(a)) / (b - a))
        kl = (a - b) * mp.psi(0, a) - mp.loggamma(a) + mp.loggamma(b)
    variation = 1 - _gamma_tail(shape, cross, 1) - _gamma_tail(other, cross, -1)
    for laws in ((p, q), (q, p)):
        bounds = total_variation_enclosure(*laws)
        assert bounds.lower <= variation <= bounds.upper
        _close(total_variation(*laws), variation, 1e-12)
        lengths = wasserstein1_enclosure(*laws, width=1e-3 * (other - shape))
        assert lengths.lower <= other - shape <= lengths.upper
        assert float(wasserstein1(*laws)) == other - shape
        near = js_divergence_enclosure(*laws)
        assert near.lower <= variation * math.log(2.0)
        assert variation**2 / 2 <= near.upper
    bounds = kl_divergence_enclosure(p, q)
    assert bounds.lower <= kl <= bounds.upper
    _close(kl_divergence(p, q), kl, 1e-12)


def test_wasserstein1_of_ordered_laws_is_the_difference_of_the_means():
    for p, q in (
        (Gamma(2.5, 1.25), Gamma(7.0, 0.3)),
        (Gamma(1e8, 1.0), Gamma(1e8 + 1.0, 1.0)),
        (Exponential(2.0), Gamma(3.0, 0.5)),
        (Beta(2.0, 5.0), Beta(2.5, 0.5)),
        (Beta(1e9, 3e9), Beta(1e9 + 1.0, 3e9)),
    ):
        with mp.workdps(40):
            first, second = (_mean(law) for law in (p, q))
            truth = abs(first - second)
        _close(wasserstein1(p, q), truth, 1e-15)
        _close(wasserstein1(q, p), truth, 1e-15)
    crossing = Gamma(2.0, 1.0), Gamma(3.0, 1.5)
    assert float(wasserstein1(*crossing)) > 0.1  # of equal means


def _mean(law):
    if isinstance(law, Exponential):
        return 1 / mp.mpf(law.rate)
    if isinstance(law, Gamma):
        return mp.mpf(law.shape) / mp.mpf(law.rate)
    return mp.mpf(law.alpha) / (mp.mpf(law.alpha) + mp.mpf(law.beta))
