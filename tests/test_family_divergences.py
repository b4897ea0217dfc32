"""Divergences of parametric laws against mpmath, near equality too; gradients; refusals."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences import (
    Affine,
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Discrete,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    Mixture,
    MultivariateNormal,
    Normal,
    Poisson,
    Product,
    Uniform,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from divergences.families import LawOnLine

from .law_oracles import integral, relative_error, series

NEAR = 1e-8
FUNCTIONS = {
    "total_variation": total_variation,
    "kl_divergence": kl_divergence,
    "js_divergence": js_divergence,
}
HALF = [0, 0.1, 0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100]
LINE = [-200, -100, -64, -32, -16, -8, -4, -2, -1, -0.5, 0, NEAR, 0.3, 0.5, 1, 2, 4, 8, 16, 32, 64]
LINE += [100, 200]
UNIT = [0, 0.01, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1]
DENSITIES = [
    (Gamma(2.0, 1.0), Gamma(2.0 + NEAR, 1.0), HALF),
    (Gamma(2.0, 1.0), Gamma(3.5, 0.7), HALF),
    (Exponential(1.0), Exponential(1.0 + NEAR), HALF),
    (Exponential(1.0), Exponential(2.5), HALF),
    (Exponential(1.0), Gamma(2.0, 1.0), HALF),
    (Laplace(0.0, 1.0), Laplace(NEAR, 1.0), LINE),
    (Laplace(0.0, 1.0), Laplace(0.3, 2.0), LINE),
    (Beta(2.0, 3.0), Beta(2.0, 3.0 + NEAR), UNIT),
    (Beta(2.0, 3.0), Beta(4.0, 1.5), UNIT),
    (Normal(0.0, 1.0), Laplace(0.3, 2.0), LINE),
    (Gamma(3.0, 2.0), Normal(1.0, 2.0), [-30, -20, -10, -5, -2, -1, *HALF]),
    (Uniform(0.0, 1.0), Beta(2.0, 3.0), UNIT),
    (Beta(2.0, 3.0), Exponential(2.0), [*UNIT, 1.5, 2, 4, 8, 16, 32, 64]),
]
INTEGERS = [
    (Poisson(3.0), Poisson(3.0 + NEAR), 80),
    (Poisson(3.0), Poisson(7.0), 90),
    (Binomial(10, 0.3), Binomial(10, 0.3 + NEAR), 10),
    (Binomial(10, 0.3), Binomial(12, 0.4), 12),
    (Binomial(10, 0.3), Poisson(3.0), 80),
    (Bernoulli(0.3), Bernoulli(0.3 + NEAR), 1),
    (Bernoulli(0.25), Poisson(0.5), 60),
    (Geometric(0.3), Geometric(0.3 + NEAR), 300),
    (Geometric(0.3), Poisson(2.0), 300),
]


@pytest.mark.parametrize(("p", "q", "edges"), DENSITIES, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_laws_with_densities_to_many_digits(name, p, q, edges):
    truth = integral(name, p, q, edges)
    assert relative_error(FUNCTIONS[name](p, q), truth) < 2e-13
    if name != "kl_divergence":
        assert relative_error(FUNCTIONS[name](q, p), truth) < 2e-13


@pytest.mark.parametrize(("p", "q", "count"), INTEGERS, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("name", [*FUNCTIONS, "wasserstein1"])
def test_laws_on_the_integers_to_many_digits(name, p, q, count):
    function = {**FUNCTIONS, "wasserstein1": wasserstein1}[name]
    truth = series(name, p, q, count)
    assert relative_error(function(p, q), truth) < 2e-13


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Gamma(2.0, 1.0), Gamma(2.0 + NEAR, 1.0)),
        (Gamma(50.0, 1.0), Gamma(50.0, 1.0 + NEAR)),
        (Beta(2.0, 3.0), Beta(2.0, 3.0 + NEAR)),
        (Beta(2.0, 3.0), Beta(2.5, 3.0)),
        (Exponential(1.0), Exponential(1.0 + NEAR)),
        (Geometric(0.3), Geometric(0.3 + NEAR)),
        (Poisson(1e6), Poisson(1.001e6)),
    ],
)
def test_wasserstein1_of_ordered_laws_is_the_difference_of_means(p, q):
    def mean(law):
        a = [mp.mpf(float(value)) for value in law.parameters().values()]
        return {
            "Gamma": lambda: a[0] / a[1],
            "Beta": lambda: a[0] / (a[0] + a[1]),
            "Exponential": lambda: 1 / a[0],
            "Geometric": lambda: (1 - a[0]) / a[0],
            "Poisson": lambda: a[0],
        }[type(law).__name__]()

    with mp.workdps(40):
        truth = abs(mean(p) - mean(q))
    assert relative_error(wasserstein1(p, q), truth) < 2e-13


@pytest.mark.parametrize("scale", [1e-9, 0.3, 3.0])
def test_location_scale_families(scale):
    m, b = 0.7 * scale, 1.0 + scale
    with mp.workdps(40):
        shift, spread = mp.mpf(m), mp.mpf(b) - 1
        truth = shift + spread * mp.exp(-shift / spread)
    assert relative_error(wasserstein1(Laplace(0.0, 1.0), Laplace(m, b)), truth) < 2e-15
    low, high = Uniform(0.0, 1.0), Uniform(-scale, 1.0 + 0.5 * scale)
    with mp.workdps(40):
        first, second = mp.mpf(scale), mp.mpf(1.0 + 0.5 * scale) - 1
        truth = (first**2 + second**2) / (2 * (first + second))
    assert relative_error(wasserstein1(low, high), truth) < 1e-15
    assert relative_error(kl_divergence(low, high), mp.log1p(first + second)) < 1e-15
    assert kl_divergence(high, low) == math.inf


def test_wasserstein1_of_different_families():
    with mp.workdps(30):
        # Normal(0, 1) against Exponential(1): the distribution functions do not cross.
        assert wasserstein1(Normal(0.0, 1.0), Exponential(1.0)) == pytest.approx(1.0, rel=1e-13)
        # Uniform(-1, 1) against Normal(0, 1): symmetric, they cross at 0 and outside.
        crossing = mp.findroot(lambda x: mp.ncdf(x) - (x + 1) / 2, 0.6)

        def gap(x):
            return abs(mp.ncdf(x) - min((x + 1) / 2, 1))

        truth = 2 * mp.quad(gap, sorted({mp.mpf(0), crossing, mp.mpf(1), 3, 6, 12}))
    value = wasserstein1(Uniform(-1.0, 1.0), Normal(0.0, 1.0))
    assert relative_error(value, truth) < 1e-13


def test_equal_laws_give_exactly_zero_and_disjoint_ones_the_caps():
    laws = [
        Laplace(0.3, 2.0), Exponential(3.0), Gamma(0.2, 1.0), Beta(0.3, 0.4), Uniform(1.0, 2.0),
        Bernoulli(0.3), Binomial(5, 0.2), Poisson(4.0), Geometric(0.1),
        Mixture([Normal(0, 1), Gamma(2.0, 1.0)], [0.25, 0.75]), Affine(Gamma(2.0, 1.0), -1.0, 3.0),
        MultivariateNormal([0.0, 1.0], [[2.0, 1.0], [1.0, 1.0]]), Affine(Poisson(2.0), 0.5, 1.0),
    ]  # fmt: skip
    for law in laws:
        for function in (*FUNCTIONS.values(), js_distance, wasserstein1):
            assert function(law, law) == 0.0, (function, law)
    for p, q in (
        (Uniform(0.0, 1.0), Uniform(2.0, 3.0)),
        (Uniform(0.0, 1.0), Affine(Exponential(1.0), 1.0, 1.0)),
        (Poisson(1.0), Normal(0.0, 1.0)),
        (Discrete([0.0]), Gamma(1.0, 1.0)),
        (MultivariateNormal([0.0, 0.0], [1.0, 0.0]), MultivariateNormal([0.0, 1.0], [1.0, 0.0])),
        (Affine(Poisson(1.0), 1.0, 0.5), Poisson(1.0)),
    ):
        assert total_variation(p, q) == 1.0
        assert js_divergence(p, q) == math.log(2.0)
        assert kl_divergence(p, q) == math.inf


def test_infinite_kl_by_support():
    assert kl_divergence(Normal(0.0, 1.0), Exponential(1.0)) == math.inf
    assert kl_divergence(Poisson(1.0), Binomial(5, 0.5)) == math.inf
    assert kl_divergence(Bernoulli(0.5), Bernoulli(1.0)) == math.inf
    assert kl_divergence(Bernoulli(1.0), Bernoulli(0.5)) == pytest.approx(math.log(2.0))
    assert kl_divergence(Binomial(6, 0.5), Binomial(5, 0.5)) == math.inf
    assert kl_divergence(Geometric(0.5), Geometric(1.0)) == math.inf
    assert kl_divergence(Affine(Geometric(0.3), 1, 1), Poisson(2.0)) < 1.0


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_normal_laws_in_space(dimension):
    rng = np.random.default_rng(dimension)
    roots = rng.normal(size=(2, dimension, dimension))
    first, second = (root @ root.T + 0.1 * np.eye(dimension) for root in roots)
    means = rng.normal(size=(2, dimension))
    p, q = MultivariateNormal(means[0], first), MultivariateNormal(means[1], second)
    plain = torch.distributions.MultivariateNormal
    truth = torch.distributions.kl_divergence(
        *(
            plain(torch.tensor(m), torch.tensor(s))
            for m, s in zip(means, (first, second), strict=True)
        )
    )
    assert float(kl_divergence(p, q)) == pytest.approx(float(truth), rel=1e-11)
    same = MultivariateNormal(means[1], first)
    move = means[0] - means[1]
    distance = math.sqrt(move @ np.linalg.solve(first, move))
    expected = math.erf(distance / math.sqrt(8.0))
    assert float(total_variation(p, same)) == pytest.approx(expected, rel=1e-12)
    assert float(js_divergence(p, same)) == pytest.approx(
        float(js_divergence(Normal(0.0, 1.0), Normal(distance, 1.0))), rel=1e-11
    )
    assert float(wasserstein1(p, same)) == pytest.approx(np.linalg.norm(move), rel=1e-15)


def test_neighbouring_normal_laws_in_space_keep_their_digits():
    p = MultivariateNormal([0.0, 0.0], [1.0, 2.0])
    q = MultivariateNormal([1e-8, 0.0], [1.0, 2.0 + 1e-8])
    with mp.workdps(40):
        e = mp.mpf(2) / mp.mpf(2.0 + 1e-8) - 1
        truth = (mp.mpf(1e-8) ** 2 + e - mp.log1p(e)) / 2
    assert relative_error(kl_divergence(p, q), truth) < 1e-13


def test_singular_normal_laws_and_balls():
    flat = MultivariateNormal([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]])
    along = MultivariateNormal([1.0, 1.0], [[1.0, 1.0], [1.0, 1.0]])
    assert float(kl_divergence(flat, along)) == pytest.approx(0.5, rel=1e-12)
    assert kl_divergence(flat, MultivariateNormal([0.0, 0.0], 1.0)) == math.inf
    assert kl_divergence(MultivariateNormal([0.0, 0.0], 1.0), flat) == math.inf
    ball = wasserstein1(MultivariateNormal([1.0, 2.0], 1.0), MultivariateNormal([1.0, 2.0], 9.0))
    assert float(ball) == pytest.approx(2.0 * math.sqrt(math.pi / 2.0), rel=1e-15)
    with pytest.raises(NotImplementedError, match="wasserstein1: no formula is known for Multi"):
        wasserstein1(flat, MultivariateNormal([0.0, 3.0], [1.0, 2.0]))


def test_products_and_labels():
    p = Product([Normal(0.0, 1.0), Gamma(2.0, 1.0)])
    q = Product([Normal(0.0, 1.0), Gamma(3.0, 1.0)])
    both = Product([Normal(1.0, 1.0), Gamma(3.0, 1.0)])
    inner = Gamma(2.0, 1.0), Gamma(3.0, 1.0)
    for function in (*FUNCTIONS.values(), wasserstein1):
        assert function(p, q) == pytest.approx(float(function(*inner)), rel=1e-14)
    assert kl_divergence(p, both) == pytest.approx(0.5 + float(kl_divergence(*inner)), rel=1e-14)
    with pytest.raises(NotImplementedError, match="total_variation: no formula is known for"):
        total_variation(p, both)
    with pytest.raises(ValueError, match="as many factors"):
        kl_divergence(p, Product([Normal(0.0, 1.0)] * 3))
    labels = Categorical([0.5, 0.5]), Categorical([0.25, 0.75])
    assert total_variation(*labels) == 0.25
    with pytest.raises(NotImplementedError, match=r"Discrete\(points, probabilities\)"):
        wasserstein1(*labels)
    with pytest.raises(ValueError, match="have the same number of labels; got 2 and 3"):
        js_divergence(labels[0], Categorical([0.2, 0.3, 0.5]))


def test_atoms_against_densities():
    law = Gamma(2.0, 1.0)
    assert wasserstein1(Discrete([0.0]), law) == pytest.approx(2.0, rel=1e-14)
    assert wasserstein1(law, Discrete([0.0])) == pytest.approx(2.0, rel=1e-14)
    assert wasserstein1(Discrete([0.25, 0.75]), Uniform(0.0, 1.0)) == pytest.approx(0.125)
    assert wasserstein1(Discrete([1.0]), Laplace(1.0, 2.0)) == pytest.approx(2.0, rel=1e-15)


def _tensors(*values):
    return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]


GRADIENTS = [
    (lambda a, b, c, d: (Laplace(a, b), Laplace(c, d)), (0.3, 1.2, -0.4, 0.7)),
    (lambda a, b, c, d: (Gamma(a, b), Gamma(c, d)), (2.3, 1.2, 3.4, 0.7)),
    (lambda a, b, c, d: (Beta(a, b), Beta(c, d)), (2.3, 1.2, 3.4, 2.7)),
    (lambda a, b: (Exponential(a), Exponential(b)), (1.3, 0.7)),
    (lambda a, b: (Poisson(a), Poisson(b)), (3.3, 4.7)),
    (lambda a, b: (Geometric(a), Geometric(b)), (0.35, 0.6)),
    (lambda a, b: (Bernoulli(a), Bernoulli(b)), (0.3, 0.6)),
    (lambda a, b: (Binomial(6, a), Binomial(6, b)), (0.3, 0.6)),
    (lambda a, b, c: (Normal(a, b), Laplace(c, 1.0)), (0.3, 1.2, -0.4)),
    (lambda a, b, c: (Mixture([Normal(a, b), Normal(c, 1.0)]), Normal(0.0, 1.0)), (0.5, 1.2, 2.0)),
    (lambda a, b, c: (Affine(Laplace(0.0, a), b, c), Normal(0.0, 1.0)), (1.0, 2.0, 0.5)),
]


@pytest.mark.parametrize(("build", "values"), GRADIENTS)
def test_gradients_in_the_parameters(build, values):
    parameters = _tensors(*values)
    kinds = {type(law) for law in build(*values)}
    certified = len(kinds) > 1  # every evaluation is certified: slow
    for function in (js_divergence,) if certified else (*FUNCTIONS.values(), wasserstein1):

        def of_parameters(*numbers, function=function):
            return function(*build(*numbers))

        assert torch.autograd.gradcheck(of_parameters, parameters, atol=1e-6, rtol=1e-4)


def test_gradients_of_normal_laws_in_space():
    means = torch.tensor([[0.3, 0.1], [1.0, -1.0]], dtype=torch.float64, requires_grad=True)
    roots = torch.tensor(
        [[[1.0, 0.2], [0.2, 1.5]], [[0.7, 0.0], [0.0, 1.1]]],
        dtype=torch.float64,
        requires_grad=True,
    )

    def of_parameters(means, roots):
        first, second = (root @ root.T for root in roots)
        return kl_divergence(
            MultivariateNormal(means[0], first), MultivariateNormal(means[1], second)
        )

    assert torch.autograd.gradcheck(of_parameters, (means, roots))


def test_gradients_at_equal_laws_are_zero_and_moving_ends_are_refused():
    a, b = _tensors(2.0, 1.0)
    for function in (total_variation, kl_divergence, js_divergence, js_distance, wasserstein1):
        gradients = torch.autograd.grad(function(Gamma(a, b), Gamma(a, b)), (a, b))
        assert all(abs(float(g)) < 1e-12 for g in gradients)
    with pytest.raises(NotImplementedError, match="gradients with respect to the ends"):
        total_variation(Uniform(a - 2.0, b), Exponential(1.0))
    single = kl_divergence(Poisson(torch.tensor(2.0)), Poisson(3.0))
    assert (single.dtype, single.shape) == (torch.float32, ())


@settings(max_examples=25)
@given(
    st.floats(0.05, 200.0), st.floats(0.05, 20.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0),
    st.sampled_from([1e-10, 1e-4, 1.0]),
)  # fmt: skip
def test_kl_of_gamma_laws_at_any_distance(shape, rate, u, v, size):
    p, q = Gamma(shape, rate), Gamma(shape * math.exp(u * size), rate * math.exp(v * size))
    with mp.workdps(60):
        (a, r), (b, s) = ([mp.mpf(x) for x in law.parameters().values()] for law in (p, q))
        truth = (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b)
        truth += b * mp.log(r / s) + a * (s / r - 1)
    value = kl_divergence(p, q)
    assert value == 0.0 if truth == 0 else relative_error(value, truth) < 1e-12


@settings(max_examples=25)
@given(
    st.floats(0.05, 100.0), st.floats(0.05, 100.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0),
    st.sampled_from([1e-10, 1e-4, 1.0]),
)  # fmt: skip
def test_kl_of_beta_laws_at_any_distance(alpha, beta, u, v, size):
    p, q = Beta(alpha, beta), Beta(alpha * math.exp(u * size), beta * math.exp(v * size))
    with mp.workdps(60):
        (a, b), (c, d) = ([mp.mpf(x) for x in law.parameters().values()] for law in (p, q))
        truth = mp.log(mp.beta(c, d) / mp.beta(a, b)) + (a - c) * mp.digamma(a)
        truth += (b - d) * mp.digamma(b) - (a + b - c - d) * mp.digamma(a + b)
    value = kl_divergence(p, q)
    assert value == 0.0 if truth == 0 else relative_error(value, truth) < 2e-12


@settings(max_examples=8)
@given(st.floats(0.1, 50.0), st.floats(0.1, 10.0), st.floats(0.1, 50.0), st.floats(0.1, 10.0))
def test_inequalities_and_invariance(a, r, b, s):
    p, q = Gamma(a, r), Gamma(b, s)
    variation, js = float(total_variation(p, q)), float(js_divergence(p, q))
    kl = float(kl_divergence(p, q))
    assert variation <= math.sqrt(0.5 * kl) * (1 + 1e-12)
    assert variation**2 / 2 <= js * (1 + 1e-12)
    assert js <= variation * math.log(2.0) * (1 + 1e-12)
    moved = Affine(p, -3.0, 1.0), Affine(q, -3.0, 1.0)
    assert total_variation(*moved) == variation
    assert wasserstein1(*moved) == pytest.approx(3.0 * float(wasserstein1(p, q)), rel=1e-14)
    assert float(wasserstein1(p, q)) >= abs(a / r - b / s) * (1 - 1e-10)


NEARLY_EQUAL = [
    (
        Mixture([Normal(0.0, 1.0), Laplace(3.0, 0.5)], [0.3, 0.7]),
        Mixture([Laplace(3.0 + 1e-9, 0.5), Normal(1e-9, 1.0 + 1e-9)], [0.7 - 1e-10, 0.3 + 1e-10]),
    ),
    (
        Mixture([Gamma(2.5, 1.0), Normal(20.0, 3.0)], [0.5, 0.5]),
        Mixture([Gamma(2.5 + 1e-11, 1.0), Normal(20.0, 3.0)], [0.5, 0.5]),
    ),
    (
        Affine(Gamma(3.0, 2.0), 1.5, 100.0),
        Affine(Gamma(3.0, 2.0), 1.5 + 1e-10, 100.0),
    ),
    (Affine(Beta(3.0, 4.0), 2.0, 50.0), Affine(Beta(3.0, 4.0), 2.0 + 1e-9, 50.0)),
]


def _density(law):
    if isinstance(law, Mixture):
        total = mp.fsum(mp.mpf(float(w)) for w in law.weights)
        weights = [mp.mpf(float(w)) / total for w in law.weights]
        parts = list(zip(weights, map(_density, law.components), strict=True))
        return lambda x: mp.fsum(w * f(x) for w, f in parts)
    if isinstance(law, Affine):
        scale, shift = mp.mpf(law.scale), mp.mpf(law.shift)
        inner = _density(law.law)
        return lambda x: inner((x - shift) / scale) / scale
    a, b = (mp.mpf(float(value)) for value in law.parameters().values())
    return {
        Normal: lambda x: mp.npdf(x, a, b),
        Laplace: lambda x: mp.exp(-abs(x - a) / b) / (2 * b),
        Gamma: lambda x: b**a * x ** (a - 1) * mp.exp(-b * x) / mp.gamma(a) if x > 0 else 0 * x,
        Beta: lambda x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b) if 0 < x < 1 else 0 * x,
    }[type(law)]


@pytest.mark.parametrize("pair", NEARLY_EQUAL, ids=["two", "one", "gamma", "beta"])
def test_nearly_equal_mixtures_and_maps_keep_their_digits(pair):
    p, q = pair
    kinks = [52.0, 100.0, 3.0, 3.0 + 1e-9, 50.0, 0.0]
    places = sorted({*map(mp.mpf, kinks), *map(mp.mpf, np.linspace(-10.0, 60.0, 36)), mp.mpf(170)})
    if isinstance(p, Affine):
        end = 52 if isinstance(p.law, Beta) else 160
        low = mp.mpf(p.shift)
        places = [low + (end - low) * mp.mpf(k) / 24 for k in range(25)]
    with mp.workdps(40):
        f, g = _density(p), _density(q)

        def term(x):
            first, second = f(x), g(x)
            if first == 0 or second == 0:
                return mp.mpf(0)
            return first * mp.log(first / second) - first + second

        truth = mp.quad(term, places)
        assert abs(mp.mpf(float(kl_divergence(p, q))) / truth - 1) < 1e-4
    for divergence in (total_variation, js_divergence, wasserstein1):
        assert divergence(p, q) > 0
        assert abs(divergence(p, q) - divergence(q, p)) <= 1e-9 * divergence(p, q)
    assert abs(4 * js_divergence(p, q) / kl_divergence(p, q) - 1) < 1e-3


def test_laws_far_from_zero_or_collapsed_to_floats():
    for location in (0.0, 1e10, -4.7e86):
        width = abs(location) * 1e-30 + 1e-3
        p, q = Laplace(location, width), Laplace(location, 2.0 * width)
        assert abs(total_variation(p, q) - 0.25) < 1e-14
        assert total_variation(p, p) == js_divergence(p, p) == wasserstein1(p, p) == 0.0
    near, far = Normal(1e10, 1e-3), Laplace(1e10, 1e-3)
    assert abs(total_variation(near, far) - total_variation(Normal(0, 1), Laplace(0, 1))) < 1e-13
    assert total_variation(Laplace(-1e86, 1.0), Laplace(1e86, 1.0)) == 1.0
    assert js_divergence(Exponential(3.7e-123), Exponential(3.7e68)) == math.log(2.0)
    assert kl_divergence(Uniform(-1e-40, 1e-41), Laplace(-3e50, 1e6)) > 1e44
    flat, other = Uniform(-0.5661536407223159, 0.5), Uniform(-0.5661536407208091, 0.5)
    moved = Affine(flat, 0.0629, -6.88), Affine(other, 0.0629, -6.88)
    assert total_variation(*moved) == total_variation(flat, other)


def test_a_constant_value_has_zero_gradients():
    mean = torch.tensor(1.0, requires_grad=True)
    for value in (
        kl_divergence(Normal(mean, 1.0), Exponential(1.0)),
        total_variation(Normal(mean, 1.0), Laplace(1e6, 1.0)),
    ):
        (gradient,) = torch.autograd.grad(value, mean)
        assert gradient == 0.0


def test_total_variation_of_normal_laws_in_the_plane():
    # Balls: |x|^2 is exponential under both laws, and the densities cross on a circle.
    for ratio in (4.0, 0.3, 1e6):
        square = 2.0 * math.log(ratio) / (1.0 - 1.0 / ratio)
        truth = abs(math.exp(-square / 2.0 / ratio) - math.exp(-square / 2.0))
        p, q = MultivariateNormal([0.0, 0.0], ratio), MultivariateNormal([0.0, 0.0], 1.0)
        assert abs(total_variation(p, q) - truth) < 1e-14
    # Small opposite changes of two variances: half the mean of |e| |x^2 - y^2| / 2, which is e/pi.
    nearly = MultivariateNormal([0.0, 0.0], [1.0 + 1e-6, 1.0 - 1e-6])
    assert abs(total_variation(nearly, q) * math.pi / 1e-6 - 1.0) < 1e-5
    # The two orders condition on different coordinates, and a rotation changes neither.
    rng = np.random.default_rng(2)
    for _ in range(10):
        first, second = (a @ a.T + 0.05 * np.eye(2) for a in rng.normal(size=(2, 2, 2)))
        mean, turn = rng.normal(size=2), np.linalg.qr(rng.normal(size=(4, 4)))[0]
        p, q = MultivariateNormal(mean, first), MultivariateNormal([0.0, 0.0], second)
        value = total_variation(p, q)
        assert abs(total_variation(q, p) - value) < 1e-13
        kl = min(kl_divergence(p, q), kl_divergence(q, p))
        assert js_bounds(value, kl)
        lifted = [
            MultivariateNormal(turn @ [*law.mean, 1.0, 2.0], turn @ block(law) @ turn.T)
            for law in (p, q)
        ]
        assert abs(total_variation(*lifted) - value) < 1e-7
    far = MultivariateNormal([300.0, 0.0], [2.0, 3.0])
    assert total_variation(far, MultivariateNormal([0.0, 0.0], 1.0)) == 1.0


def block(law):
    """The covariance beside two coordinates of variance 1."""
    matrix = np.eye(4)
    matrix[:2, :2] = law.matrix()
    return matrix


def js_bounds(variation, kl):
    """Pinsker's and Bretagnolle and Huber's inequalities."""
    return variation <= math.sqrt(kl / 2.0) and variation <= math.sqrt(1.0 - math.exp(-kl))


@pytest.mark.parametrize("name", ["total_variation", "js_divergence", "wasserstein1"])
def test_gradients_in_the_ends_of_a_uniform_law(name):
    function = {**FUNCTIONS, "wasserstein1": wasserstein1}[name]
    ends = _tensors(-0.3, 0.9)

    def against(law):
        return lambda low, high, a, b: function(Uniform(low, high), law(a, b))

    def mixed(low, high, a, b):
        return function(Mixture([Normal(a, b), Laplace(0.0, 1.0)]), Uniform(low, high))

    for call in (against(Normal), against(Laplace), mixed):
        values = [v.detach() for v in (*ends, *_tensors(0.2, 0.7))]
        plain = call(*(float(v) for v in values))
        assert abs(float(call(*ends, *_tensors(0.2, 0.7)).detach()) / plain - 1.0) < 1e-12
        assert torch.autograd.gradcheck(call, (*ends, *_tensors(0.2, 0.7)), eps=1e-5, atol=1e-6)


def test_gradients_that_are_no_gradients():
    mean = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    mixture = Mixture([Normal(mean, 1.0), Laplace(0.0, 1.0)])
    (gradient,) = torch.autograd.grad(kl_divergence(mixture, Exponential(1.0)), mean)
    assert gradient == 0.0
    triangle = LawOnLine(cdf=lambda x: x**2, density=lambda x: 2 * x, support=(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="gradients of LawOnLine"):
        js_divergence(triangle, Normal(mean, 1.0))
    with pytest.raises(ValueError, match="dimension"):
        total_variation(Poisson(2.0), MultivariateNormal([0.0, 0.0], 1.0))


def test_gradients_in_affine_maps():
    values = 1.2, 0.8, -0.1, 0.3, 1.1
    for name, law in (("gamma", Gamma(2.5, 1.3)), ("beta", Beta(2.0, 3.0))):

        def against_normal(a, b, m, s, law=law):
            return js_divergence(Affine(law, a, b), Normal(m, s))

        assert torch.autograd.gradcheck(against_normal, _tensors(*values[:4]), atol=1e-6), name
    a, b = _tensors(1.2, 0.9)
    for shift in (0.0, 3.0):  # a fixed end
        for scale in (a, -a):
            pair = Affine(Gamma(2.5, b), scale, shift), Affine(Gamma(1.5, 1.0), 1.1, shift)
            if float(scale.detach()) < 0:
                pair = pair[0], Affine(Gamma(1.5, 1.0), -1.1, shift)
            found = torch.autograd.grad(total_variation(*pair), (a, b))
            plain = torch.autograd.grad(
                total_variation(Gamma(2.5, b / a), Gamma(1.5, 1.0 / 1.1)), (a, b)
            )
            assert all(abs(x - y) < 1e-9 for x, y in zip(found, plain, strict=True))
    with pytest.raises(NotImplementedError, match="ends of the support"):
        total_variation(Affine(Gamma(2.5, 1.0), 1.0, a), Exponential(1.0))


def test_vmap_over_parameters_where_the_formula_is_elementwise():
    means, stds = torch.tensor([[0.1, 0.5], [1.0, 2.0]], dtype=torch.float64)

    def of(function):
        return lambda mean, std: function(Normal(mean, std), Normal(0.0, 1.0))

    for function in (kl_divergence, wasserstein1):
        rows = [of(function)(mean, std) for mean, std in zip(means, stds, strict=True)]
        assert torch.equal(torch.vmap(of(function))(means, stds), torch.stack(rows))
    with pytest.raises(NotImplementedError, match=r"total_variation: Normal against .*vmap"):
        torch.vmap(of(total_variation))(means, stds)


def test_vmap_where_it_is_cheap_and_a_clear_error_elsewhere():
    weights = torch.tensor([[0.25, 0.5], [0.5, 0.75]], dtype=torch.float64)
    places = torch.tensor([0.0, 1.0], dtype=torch.float64)

    def atoms(a):
        return Discrete(places, torch.stack([a, 1.0 - a]))

    for law in (Exponential, Bernoulli, atoms):
        for function in (*FUNCTIONS.values(), js_distance):
            if law is Exponential and function in (js_divergence, js_distance):
                continue

            def of(pair, law=law, function=function):
                return function(law(pair[0]), law(pair[1]))

            rows = torch.stack([of(pair) for pair in weights])
            torch.testing.assert_close(torch.vmap(of)(weights), rows, rtol=1e-13, atol=0.0)
    refused = (
        Poisson,
        lambda a: Affine(Gamma(2.0, 1.0), a),
        lambda a: MultivariateNormal(places, a),
    )
    for law in refused:
        with pytest.raises(NotImplementedError, match=r"js_divergence: .*vmap"):
            torch.vmap(lambda pair, law=law: js_divergence(law(pair[0]), law(pair[1])))(weights)
