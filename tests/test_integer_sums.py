"""Laws on very many integers: sums over few of them against mpmath."""

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import torch

from divergences import (
    Binomial,
    Geometric,
    Normal,
    Poisson,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from divergences.quadrature import integers
from divergences.quadrature._integer_nodes import rule

from .law_oracles import TERMS, relative_error

FUNCTIONS = {
    "total_variation": total_variation,
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
}


@pytest.mark.parametrize("count", [129, 400, 10_007, 2**40])
def test_the_rule_sums_polynomials_of_degree_nineteen(count):
    places, weights = rule(np.array([5.0]), np.array([float(count)]))
    assert np.array_equal(places, np.round(places))
    assert places.min() >= 5.0
    assert places.max() <= 4.0 + count
    t = [mp.mpf(float(2.0 * (k - 5.0) + 1.0)) / count - 1 for k in places[0]]
    for degree in (0, 1, 2, 7, 18, 19):
        found = mp.fsum(mp.mpf(float(w)) * x**degree for w, x in zip(weights[0], t, strict=True))
        # Faulhaber's formula, by Bernoulli polynomials: sum (2k + 1 - N)^d = 2^d sum (k + c)^d.
        with mp.workdps(400):
            c = mp.mpf(1 - count) / 2
            truth = mp.bernpoly(degree + 1, c + count) - mp.bernpoly(degree + 1, c)
            truth = truth / (degree + 1) * mp.mpf(2) ** degree / mp.mpf(count) ** degree
        assert abs(found - truth) < 1e-14 * count


@pytest.mark.parametrize(("p", "q"), [(1e-6, 2e-6), (1e-6, 1e-6 * (1 + 1e-9)), (1e-9, 1e-3)])
def test_geometric_laws_of_tiny_probability(p, q):
    with mp.workdps(60):
        a, b = mp.mpf(p), mp.mpf(q)
        crossing = mp.log(b / a) / (mp.log1p(-a) - mp.log1p(-b))
        count = mp.ceil(crossing)
        truth = abs((1 - a) ** count - (1 - b) ** count)
        for pair in ((p, q), (q, p)):
            value = total_variation(*map(Geometric, pair))
            assert relative_error(value, truth) < 2e-13

        def term(k):
            return TERMS["js_divergence"](a * (1 - a) ** k, b * (1 - b) ** k)

        # The sum from 0 on is the integral, half of the first term, and derivatives there.
        places = sorted({0, *(x / min(p, q) * s for x in (1, 4, 16, 64, 150) for s in (1, p / q))})
        truth = mp.quad(term, [mp.mpf(x) for x in places]) + term(0) / 2
        truth += mp.diff(term, 0, h=mp.mpf(10) ** -12) / -12
    assert relative_error(js_divergence(Geometric(p), Geometric(q)), truth) < 1e-12


def _log_mass(law):
    numbers = [mp.mpf(float(v)) for v in law.parameters().values()]
    if isinstance(law, Poisson):
        (rate,) = numbers
        return lambda k: k * mp.log(rate) - rate - mp.loggamma(k + 1)
    n, p = numbers
    return lambda k: (
        mp.loggamma(n + 1)
        - mp.loggamma(k + 1)
        - mp.loggamma(n - k + 1)
        + k * mp.log(p)
        + (n - k) * mp.log1p(-p)
    )


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Poisson(1e12), Poisson(1e12 + 1e6)),
        (Poisson(1e15), Poisson(1e15 + 4.0)),
        (Binomial(10**14, 0.5), Binomial(10**14, 0.5 + 1e-8)),
        (Binomial(10**10, 1e-5), Poisson(1e5)),
    ],
)
def test_narrow_laws_at_huge_integers(p, q):
    """A smooth sum over the whole law is its integral, whatever the step."""
    first, second = _log_mass(p), _log_mass(q)
    with mp.workdps(60):
        places = [mp.mpf(p.expectation) + s * mp.mpf(p.deviation) for s in range(-20, 21, 2)]

        def integral(name):
            def term(k):
                return TERMS[name](mp.exp(first(k)), mp.exp(second(k)))

            return mp.quad(term, places)

        truths = {name: integral(name) for name in ("js_divergence", "kl_divergence")}
    for name, truth in truths.items():
        assert relative_error(FUNCTIONS[name](p, q), truth) < 1e-11


def test_wasserstein1_of_ordered_and_crossing_binomial_laws():
    p, q = Binomial(10**12, 0.5), Binomial(10**12 + 7, 0.5)
    assert wasserstein1(p, q) == 3.5
    probability = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    value = wasserstein1(Binomial(12, probability), Binomial(10, 0.125))
    assert float(value.detach()) == 1.75
    value.backward()
    assert float(probability.grad) == 12.0
    crossing = Binomial(4, 0.5), Binomial(8, 0.3)
    truth = sum(abs(float(crossing[0].cdf(k) - crossing[1].cdf(k))) for k in range(9))
    assert float(wasserstein1(*crossing)) == pytest.approx(truth, rel=1e-13)


def test_crossing_binomial_laws_of_very_many_trials():
    """Of two laws whose means agree, W1 is that of the normal laws that they approach."""
    count = 10**12
    p, q = Binomial(count, 0.25), Binomial(2 * count, 0.125)
    normal = wasserstein1(*(Normal(law.expectation, law.deviation) for law in (p, q)))
    assert wasserstein1(p, q) == pytest.approx(float(normal), rel=1e-5)
    near = Binomial(count, 0.3), Binomial(count + 1, 0.3 - 2e-13)
    shift = abs(count * Fraction(0.3) - (count + 1) * Fraction(0.3 - 2e-13))
    assert float(shift) * (1 - 1e-15) <= wasserstein1(*near) <= float(shift) * (1 + 1e-6)


def test_few_and_many_integers_agree(monkeypatch):
    pairs = [
        (Geometric(1e-4), Geometric(2e-4)),
        (Geometric(1e-4), Poisson(1e4)),
        (Binomial(10**6, 0.3), Poisson(3e5)),
        (Geometric(1e-5), Geometric(0.3)),
        (Binomial(10**6, 0.3), Binomial(2 * 10**6, 0.15)),
        (Binomial(10**5, 0.3), Binomial(10**5, 0.7)),
    ]
    for p, q in pairs:
        monkeypatch.setattr(integers, "MOST_SUMMED", math.inf)
        direct = [f(p, q) for f in (*FUNCTIONS.values(), wasserstein1)]
        monkeypatch.setattr(integers, "MOST_SUMMED", 300.0)
        few = [f(p, q) for f in (*FUNCTIONS.values(), wasserstein1)]
        np.testing.assert_allclose(few, direct, rtol=1e-12)


def test_gradients_through_few_of_many_integers():
    def of(function, a, b):
        return function(Geometric(a), Geometric(b))

    rates = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1e-6, 2e-6)]
    for function in FUNCTIONS.values():
        value = of(function, *rates)
        for leaf, gradient in zip(rates, torch.autograd.grad(value, rates), strict=True):
            step = leaf.item() * 1e-5
            up, down = (
                of(function, *(r.item() + (s * step if r is leaf else 0.0) for r in rates))
                for s in (1, -1)
            )
            assert gradient.item() == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_floats_that_are_too_coarse_are_refused():
    with pytest.raises(NotImplementedError, match="floats are too coarse for the integers"):
        total_variation(Poisson(1e20), Poisson(1e20 + 1e10))


@pytest.mark.parametrize("count", [10**6, 2**31, 10**12])
def test_binomial_distribution_functions_of_many_trials(count):
    law = Binomial(count, 0.5)
    # At the middle: 1/2 and half of the mass there.
    middle = 0.5 + 0.5 * float(np.exp(law.log_mass(count / 2)))
    assert float(law.cdf(count / 2)) == pytest.approx(middle, rel=1e-13)
    assert float(law.survival(count / 2)) == pytest.approx(1.0 - middle, rel=1e-13)
    np.testing.assert_array_equal(law.cdf([-1.0, count, count + 1.0]), [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(law.survival([-1.0, count, count + 1.0]), [1.0, 0.0, 0.0])


@pytest.mark.parametrize("rate", [1e-9, 1e-14, 1e-300])
def test_poisson_laws_of_which_one_has_hardly_any_rate(rate):
    """1 + r, with r the relative difference of the rates, has no digits near r = -1."""
    with mp.workdps(40):
        truth = mp.exp(-mp.mpf(rate)) - mp.exp(-2)
    for pair in ((Poisson(rate), Poisson(2.0)), (Poisson(2.0), Poisson(rate))):
        assert abs(float(total_variation(*pair)) / float(truth) - 1.0) < 1e-15


@pytest.mark.parametrize("count", [10**4, 10**9, 10**12])
@pytest.mark.parametrize("probability", [0.3, 1e-4])
def test_one_trial_more(count, probability):
    """The laws are ordered by their ratio, so that one event tells: F(k) - G(k) = p P(k)."""
    p, q = Binomial(count, probability), Binomial(count + 1, probability)
    with mp.workdps(60):
        chance = mp.mpf(probability)
        k = mp.floor((count + 1) * chance)
        mass = mp.exp(
            mp.loggamma(count + 1) - mp.loggamma(k + 1) - mp.loggamma(count - k + 1)
            + k * mp.log(chance) + (count - k) * mp.log(1 - chance)
        )  # fmt: skip
        truth = chance * mass
        quarter = chance / (1 - chance) / count / 2  # of KL, up to a relative 1/count or so
    for pair in ((p, q), (q, p)):
        assert abs(float(total_variation(*pair)) / float(truth) - 1.0) < 1e-12
        near = 4.0 * float(js_divergence(*pair)) / float(quarter)
        assert abs(near - 1.0) < 10.0 / (count * probability)
    assert kl_divergence(q, p) == math.inf
