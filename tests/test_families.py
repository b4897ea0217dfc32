"""The laws themselves against scipy, their adapters, and what they refuse."""

import copy
import dataclasses
import math
import pickle

import mpmath as mp
import numpy as np
import pytest
import scipy.stats as st
import torch
from scipy.integrate import quad

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
)
from divergences.families import LawOnLine, canonical, from_scipy, from_torch

CONTINUOUS = [
    (Normal(1.0, 2.0), st.norm(1, 2)),
    (Laplace(-1.0, 0.5), st.laplace(-1, 0.5)),
    (Exponential(2.0), st.expon(scale=0.5)),
    (Gamma(0.3, 2.0), st.gamma(0.3, scale=0.5)),
    (Gamma(40.0, 0.1), st.gamma(40.0, scale=10)),
    (Beta(0.5, 2.0), st.beta(0.5, 2)),
    (Beta(30.0, 20.0), st.beta(30, 20)),
    (Uniform(-1.0, 2.0), st.uniform(-1, 3)),
]
INTEGER = [
    (Binomial(10, 0.3), st.binom(10, 0.3)),
    (Binomial(0, 0.3), st.binom(0, 0.3)),
    (Bernoulli(0.3), st.bernoulli(0.3)),
    (Geometric(0.3), st.geom(0.3, -1)),
    (Poisson(7.5), st.poisson(7.5)),
]
LEVELS = np.array([1e-6, 1e-3, 0.1, 0.31, 0.5, 0.77, 0.95, 0.9999])


@pytest.mark.parametrize(("law", "frozen"), CONTINUOUS, ids=lambda value: repr(value)[:25])
def test_densities_distribution_functions_and_quantiles(law, frozen):
    x = frozen.ppf(LEVELS)
    np.testing.assert_allclose(law.cdf(x), frozen.cdf(x), rtol=1e-12)
    np.testing.assert_allclose(law.survival(x), frozen.sf(x), rtol=1e-12)
    np.testing.assert_allclose(np.exp(law.log_density(x)), frozen.pdf(x), rtol=1e-11)
    np.testing.assert_allclose(law.quantile(LEVELS), x, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(law.upper_quantile(LEVELS), frozen.isf(LEVELS), rtol=1e-9)
    assert law.expectation == pytest.approx(frozen.mean(), rel=1e-14)
    assert law.support == frozen.support()
    assert law.partial_mean(np.inf) == pytest.approx(frozen.mean(), rel=1e-14)
    part = quad(lambda t: t * frozen.pdf(t), x[3], x[4])[0]
    found = law.partial_mean(x[4]) - law.partial_mean(x[3])
    assert float(found) == pytest.approx(part, rel=1e-7)
    tensors = law.log_density(torch.tensor(x))
    np.testing.assert_allclose(tensors.numpy(), law.log_density(x), rtol=1e-11, atol=1e-12)
    moved = Affine(law, -2.0, 3.0)
    there = canonical(moved)
    np.testing.assert_allclose(there.cdf(-2.0 * x[2:] + 3.0), frozen.sf(x[2:]), rtol=1e-6)
    middle = x[2:6]
    np.testing.assert_allclose(
        np.exp(there.log_density(-2.0 * middle + 3.0)), frozen.pdf(middle) / 2.0, rtol=1e-8
    )


def test_affine_images_have_what_laws_on_the_line_have():
    from scipy.stats import gamma, norm, poisson

    for law, frozen in (
        (Affine(Gamma(2.0, 1.0), 3.0, -1.0), gamma(2.0, -1.0, 3.0)),
        (Affine(Affine(Normal(1.0, 2.0), -2.0), 1.0, 5.0), norm(3.0, 4.0)),
        (Affine(Poisson(3.0), 1.0, 4.0), poisson(3.0, 4.0)),
    ):
        x = frozen.ppf([0.1, 0.4, 0.8])
        np.testing.assert_allclose(law.cdf(x), frozen.cdf(x), rtol=1e-12)
        np.testing.assert_allclose(law.survival(x), frozen.sf(x), rtol=1e-12)
        np.testing.assert_allclose(law.quantile([0.13, 0.7]), frozen.ppf([0.13, 0.7]), rtol=1e-12)
        np.testing.assert_allclose(law.upper_quantile(0.13), frozen.isf(0.13), rtol=1e-12)
        assert law.expectation == pytest.approx(frozen.mean(), rel=1e-14)
        assert law.support == frozen.support()
        assert copy.deepcopy(law).support == pickle.loads(pickle.dumps(law)).support == law.support
    with pytest.raises(AttributeError, match="has no attribute 'cdf'"):
        _ = Affine(Poisson(3.0), 2.5).cdf


@pytest.mark.parametrize(("law", "frozen"), INTEGER, ids=lambda value: repr(value)[:25])
def test_masses_on_the_integers(law, frozen):
    k = np.arange(-1, 14)
    np.testing.assert_allclose(np.exp(law.log_mass(k)), frozen.pmf(k), rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(law.cdf(k + 0.5), frozen.cdf(k), rtol=1e-12)
    np.testing.assert_allclose(law.survival(k), frozen.sf(k), rtol=1e-12, atol=1e-16)
    np.testing.assert_array_equal(law.quantile(LEVELS[1:]), frozen.ppf(LEVELS[1:]))
    np.testing.assert_array_equal(law.upper_quantile(LEVELS[1:]), frozen.isf(LEVELS[1:]))
    assert law.expectation == pytest.approx(frozen.mean(), rel=1e-14)
    assert law.deviation == pytest.approx(frozen.std(), rel=1e-14)
    assert math.isinf(law.log_mass(0.5))


@pytest.mark.parametrize(
    ("law", "frozen"), CONTINUOUS + INTEGER, ids=lambda value: repr(value)[:25]
)
def test_adapter_of_scipy(law, frozen):
    found = canonical(from_scipy(frozen))
    assert type(found) is type(law)
    numbers = zip(found.parameters().values(), law.parameters().values(), strict=True)
    assert all(a == pytest.approx(b, rel=1e-15) for a, b in numbers)


def test_adapter_of_other_scipy_laws_and_of_things_that_are_none():
    found = from_scipy(st.weibull_min(1.5))
    assert isinstance(found, LawOnLine)
    assert found.turning_points[0] == pytest.approx((1 / 3) ** (2 / 3), rel=1e-6)
    assert isinstance(from_scipy(st.multivariate_normal([0, 0], np.eye(2))), MultivariateNormal)
    assert len(from_scipy(st.randint(1, 7))) == 6
    with pytest.raises(NotImplementedError, match=r"no law here is scipy.stats.zipf"):
        from_scipy(st.zipf(2.0))
    with pytest.raises(TypeError, match="from_scipy: frozen must be a frozen distribution"):
        from_scipy(3)


def test_adapter_of_torch_keeps_the_graph():
    d = torch.distributions
    rate = torch.tensor(2.0, requires_grad=True)
    law = from_torch(d.Gamma(torch.tensor(3.0), rate))
    assert law.rate.requires_grad
    for made, kind in (
        (d.Normal(0.0, 1.0), Normal),
        (d.Laplace(0.0, 1.0), Laplace),
        (d.Exponential(1.0), Exponential),
        (d.Beta(1.0, 2.0), Beta),
        (d.Uniform(0.0, 2.0), Uniform),
        (d.Bernoulli(0.5), Bernoulli),
        (d.Poisson(1.0), Poisson),
        (d.Geometric(0.5), Geometric),
        (d.Binomial(3, torch.tensor(0.5)), Binomial),
        (d.Categorical(torch.ones(3) / 3), Categorical),
        (d.MultivariateNormal(torch.zeros(2), torch.eye(2)), MultivariateNormal),
    ):
        assert type(from_torch(made)) is kind
    parts = d.Normal(torch.zeros(2), torch.ones(2))
    mixture = from_torch(d.MixtureSameFamily(d.Categorical(torch.ones(2) / 2), parts))
    assert isinstance(mixture, Mixture)
    assert isinstance(from_torch(d.Independent(parts, 1)), Product)
    with pytest.raises(ValueError, match="have no batch axes"):
        from_torch(parts)
    with pytest.raises(NotImplementedError, match=r"no law here is torch.distributions.Cauchy"):
        from_torch(d.Cauchy(0.0, 1.0))
    with pytest.raises(TypeError, match="be a torch distribution"):
        from_torch("normal")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Laplace(0.0, 0.0), "Laplace: scale must be a positive finite number; got 0.0"),
        (lambda: Exponential(-1.0), "Exponential: rate must be a positive finite number"),
        (lambda: Gamma(1.0, math.inf), "Gamma: rate must be a positive finite number; got inf"),
        (lambda: Beta(math.nan, 1.0), "Beta: alpha must be a positive finite number; got nan"),
        (lambda: Uniform(1.0, 1.0), "Uniform: high must exceed low"),
        (lambda: Bernoulli(1.5), r"Bernoulli: probability must lie in \[0, 1\]; got 1.5"),
        (lambda: Geometric(0.0), "Geometric: probability must be a positive finite number"),
        (lambda: Binomial(2.5, 0.5), "Binomial: count must be an integer of at least 0; got 2.5"),
        (lambda: Poisson(0.0), "Poisson: rate must be a positive"),
        (lambda: Categorical([0.5, 0.6]), "Categorical: probabilities must sum to 1"),
        (lambda: MultivariateNormal([0.0], [[-1.0]]), "non-negative definite; got the eigenvalue"),
        (lambda: MultivariateNormal([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "be symmetric"),
        (lambda: MultivariateNormal([0.0, 0.0], np.eye(3)), r"have shape \(2, 2\), \(2,\) or \(\)"),
        (lambda: Mixture([]), "Mixture: components must be a sequence"),
        (lambda: Mixture([Normal(0, 1)], [0.5]), "Mixture: weights must sum to 1"),
        (lambda: Affine(Normal(0, 1), 0.0), "Affine: scale must not be 0"),
        (lambda: Product([]), "Product: factors must be a sequence of laws"),
        (lambda: LawOnLine(), "LawOnLine: cdf or density must be given; got neither"),
        (lambda: LawOnLine(density=lambda x: x), "support must be bounded where no cdf is given"),
        (lambda: LawOnLine(cdf=abs, support=(1.0, 0.0)), "support must be a pair low < high"),
    ],
)
def test_invalid_parameters_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Laplace("0", 1.0),
        lambda: Poisson(True),
        lambda: Poisson(np.array([1.0])),
        lambda: Mixture([Poisson(1.0)]),
        lambda: Product([3.0]),
        lambda: Affine(3.0),
        lambda: LawOnLine(cdf=3.0),
    ],
)
def test_things_of_the_wrong_kind_are_type_errors(build):
    with pytest.raises(TypeError):
        build()


def test_laws_are_immutable():
    for law in (Gamma(1.0, 2.0), Mixture([Normal(0, 1)]), MultivariateNormal([0.0], 1.0)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(law, dataclasses.fields(law)[0].name, 3.0)
    weights = np.array([0.5, 0.5])
    mixture = Mixture([Normal(0, 1), Normal(1, 1)], weights)
    weights[0] = 2.0
    assert mixture.weights[0] == 0.5


def test_affine_maps_are_carried_out():
    assert repr(canonical(Affine(Normal(1.0, 2.0), -2.0, 1.0))) == "Normal(mean=-1.0, std=4.0)"
    assert repr(canonical(Affine(Uniform(0.0, 1.0), -1.0))) == "Uniform(low=-1.0, high=0.0)"
    assert repr(canonical(Affine(Exponential(2.0), 2.0))) == "Exponential(rate=1.0)"
    twice = canonical(Affine(Affine(Gamma(2.0, 1.0), 2.0, 1.0), 3.0, -1.0))
    assert twice.cdf(6.0 * 1.5 + 2.0) == pytest.approx(float(Gamma(2.0, 1.0).cdf(1.5)))
    pushed = canonical(Affine(MultivariateNormal([1.0, 0.0], 1.0), np.array([[1.0, 1.0]]), 2.0))
    assert (pushed.mean, pushed.std) == (3.0, pytest.approx(math.sqrt(2.0)))
    atoms = canonical(Affine(Discrete([0.0, 1.0]), 3.0, 1.0))
    np.testing.assert_array_equal(atoms.points[:, 0], [1.0, 4.0])


@pytest.mark.parametrize(
    "law", [Beta(2.0, 3.0), Beta(0.05, 90.0), Beta(0.3, 0.2), Beta(600.0, 900.0)]
)
def test_survival_of_beta_laws_keeps_its_digits_at_both_ends(law):
    alpha, beta = law._numbers()
    places = [0.0, 1e-12, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.999, 1 - 1e-12, 1.0]
    with mp.workdps(60):
        truth = [mp.betainc(beta, alpha, 0, 1 - mp.mpf(x), regularized=True) for x in places]
    for x, found, exact in zip(places, law.survival(places), truth, strict=True):
        if exact > 1e-250:
            assert abs(float(law.survival(x)) / exact - 1) < 1e-13
            assert abs(float(found) / exact - 1) < 1e-13
    assert law.survival(1.0) == 0.0


def test_the_parts_of_a_law_are_on_one_device_and_of_one_library():
    here, away = torch.tensor(2.0), torch.tensor(2.0, device="meta")
    plane = Discrete(torch.zeros(1, 2))
    for made in (
        lambda: Mixture([Normal(here, 1.0), Normal(away, 1.0)]),
        lambda: Mixture([Normal(away, 1.0), Normal(0.0, 1.0)], torch.tensor([0.5, 0.5])),
        lambda: Product([Normal(here, 1.0), Gamma(away, 1.0)]),
        lambda: Product([plane, Gamma(away, 1.0)]),
        lambda: Affine(Gamma(away, 1.0), here),
        lambda: Affine(Gamma(2.0, 1.0), here, away),
        lambda: Affine(Discrete(torch.zeros(2)), away),
        lambda: Affine(plane, np.eye(2)),
    ):
        with pytest.raises(TypeError, match="must share one array library and device; got"):
            made()
    Affine(plane, np.float64(2.0), 1.0)  # numbers go with either
    Mixture([Normal(here, 1.0), Normal(0.0, np.float64(1.0))], np.array([0.5, 0.5]))
