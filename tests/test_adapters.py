"""Distributions of scipy and torch, drawn at random, become the same law or a clear error."""

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences import (
    Affine,
    Bernoulli,
    Binomial,
    Discrete,
    Geometric,
    Mixture,
    Product,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from divergences.families import canonical, from_scipy, from_torch
from divergences.measures import Law

POSITIVE = st.floats(0.05, 50.0)
REAL = st.floats(-100.0, 100.0)
PROBABILITY = st.floats(0.01, 0.99)
SHAPES = {
    "norm": [], "laplace": [], "expon": [], "uniform": [], "gamma": [POSITIVE],
    "beta": [POSITIVE, POSITIVE], "chi2": [POSITIVE], "weibull_min": [st.floats(0.5, 5.0)],
    "lognorm": [st.floats(0.2, 1.5)], "logistic": [], "t": [st.floats(1.0, 30.0)],
    "arcsine": [], "triang": [PROBABILITY], "pareto": [st.floats(0.5, 5.0)],
}  # fmt: skip
INTEGERS = {
    "poisson": [POSITIVE], "geom": [PROBABILITY], "bernoulli": [PROBABILITY],
    "binom": [st.integers(0, 40), PROBABILITY], "randint": [st.integers(-5, 0), st.integers(1, 9)],
    "hypergeom": [st.integers(10, 30), st.integers(0, 10), st.integers(0, 10)],
    "betabinom": [st.integers(1, 20), POSITIVE, POSITIVE],
    "nbinom": [st.integers(1, 9), PROBABILITY],
}  # fmt: skip
LEVELS = np.array([0.01, 0.2, 0.5, 0.8, 0.99])


@settings(max_examples=60)
@given(st.data())
def test_densities_of_scipy(data):
    name = data.draw(st.sampled_from(sorted(SHAPES)))
    shapes = [data.draw(s) for s in SHAPES[name]]
    location, scale = data.draw(REAL), data.draw(st.one_of(POSITIVE, st.sampled_from([0.0, -2.0])))
    frozen = getattr(scipy.stats, name)(*shapes, loc=location, scale=scale)
    if scale <= 0.0:
        with pytest.raises(ValueError, match=r"from_scipy: frozen must have parameters"):
            from_scipy(frozen)
        return
    if name == "arcsine":
        with pytest.raises(NotImplementedError, match="say where it turns"):
            from_scipy(frozen)
        return
    law, x = canonical(from_scipy(frozen)), frozen.ppf(LEVELS)
    inside = (x > frozen.support()[0]) & (x < frozen.support()[1])
    np.testing.assert_allclose(law.cdf(x), frozen.cdf(x), rtol=1e-8)
    np.testing.assert_allclose(np.exp(law.log_density(x[inside])), frozen.pdf(x[inside]), rtol=1e-7)


@settings(max_examples=60)
@given(st.data())
def test_atoms_of_scipy(data):
    name = data.draw(st.sampled_from(sorted(INTEGERS)))
    shapes = [data.draw(s) for s in INTEGERS[name]]
    location = data.draw(st.sampled_from([0.0, 3.0, -2.5]))
    frozen = getattr(scipy.stats, name)(*shapes, loc=location)
    if name == "nbinom":
        with pytest.raises(NotImplementedError, match=r"no law here is scipy\.stats\.nbinom"):
            from_scipy(frozen)
        return
    low, high = frozen.support()
    atoms = low + np.arange(min(high - low, frozen.ppf(1 - 1e-9) - low + 30) + 1)
    masses = frozen.pmf(atoms)
    listed = Discrete(atoms, masses / masses.sum())
    assert total_variation(from_scipy(frozen), listed) < 1e-8


TORCH = {
    "Normal": [REAL, POSITIVE], "Laplace": [REAL, POSITIVE], "Exponential": [POSITIVE],
    "Gamma": [POSITIVE, POSITIVE], "Beta": [POSITIVE, POSITIVE], "Chi2": [POSITIVE],
}  # fmt: skip


def _tensor(value):
    return torch.tensor(value, dtype=torch.float64)


@settings(max_examples=60)
@given(st.data())
def test_densities_of_torch(data):
    name = data.draw(st.sampled_from(sorted(TORCH)))
    rows = data.draw(st.integers(1, 3))
    columns = [[data.draw(s) for _ in range(rows)] for s in TORCH[name]]
    made = getattr(torch.distributions, name)(*(_tensor(c) for c in columns))
    first = getattr(torch.distributions, name)(*(_tensor(c[0]) for c in columns))
    x = made.sample((4,))[:, 0].clamp(-1e300, 1e300)
    law = from_torch(first)
    torch.testing.assert_close(_log_density(law, x), first.log_prob(x), rtol=1e-7, atol=1e-7)
    scale, shift = data.draw(st.sampled_from([-2.0, 0.5])), data.draw(REAL)
    moved = torch.distributions.TransformedDistribution(
        first, [torch.distributions.AffineTransform(shift, scale)]
    )
    there = from_torch(moved)
    assert isinstance(there, Affine)
    y = shift + scale * x
    kept = (y - shift) / scale == x  # else the place itself is rounded
    found = _log_density(canonical(there), y[kept])
    torch.testing.assert_close(found, moved.log_prob(y[kept]), rtol=1e-6, atol=1e-6)
    weights = torch.full((rows,), 1.0 / rows, dtype=torch.float64)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(weights), made)
    law = from_torch(mixture)
    assert isinstance(law, Mixture)
    torch.testing.assert_close(_log_density(law, x), mixture.log_prob(x), rtol=1e-6, atol=1e-6)
    product = from_torch(torch.distributions.Independent(made, 1))
    assert isinstance(product, Product)
    assert kl_divergence(product, product) == 0.0


def _log_density(law, x):
    return torch.as_tensor(law.log_density(x))


@pytest.mark.parametrize(
    "made",
    [
        torch.distributions.LogNormal(0.0, 1.0),
        torch.distributions.TransformedDistribution(
            torch.distributions.Normal(0.0, 1.0), [torch.distributions.ExpTransform()]
        ),
        torch.distributions.StudentT(3.0),
        torch.distributions.Independent(torch.distributions.Normal(torch.zeros(2, 2), 1.0), 2),
        torch.distributions.Independent(
            torch.distributions.MultivariateNormal(torch.zeros(2, 2), torch.eye(2)), 1
        ),
        torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(torch.ones(3, 2)),
            torch.distributions.Normal(torch.zeros(3, 2), torch.ones(3, 2)),
        ),
    ],
    ids=lambda made: type(made).__name__,
)
def test_torch_distributions_that_are_no_law_here(made):
    with pytest.raises(NotImplementedError, match="from_torch: no law here"):
        from_torch(made)


def test_what_is_not_one_distribution():
    for frozen in (scipy.stats.norm([0.0, 1.0], 1.0), scipy.stats.gamma(a=[1.0])):
        with pytest.raises(ValueError, match="numbers as parameters, not arrays"):
            from_scipy(frozen)
    with pytest.raises(ValueError, match="parameters for which scipy knows a law"):
        from_scipy(scipy.stats.binom(2.5, 0.5))
    with pytest.raises(NotImplementedError, match="say where it turns"):
        from_scipy(scipy.stats.vonmises(2.0))
    for thing in (scipy.stats.norm, torch.distributions.Normal, 3.0):
        with pytest.raises(TypeError, match="must be a"):
            (from_scipy if thing is scipy.stats.norm else from_torch)(thing)
    own = scipy.stats.rv_discrete(values=([0, 3], [0.25, 0.75]))
    assert total_variation(from_scipy(own(loc=2)), Discrete([2.0, 5.0], [0.25, 0.75])) == 0.0
    half = torch.distributions.Normal(*torch.tensor([0.0, 1.0], dtype=torch.bfloat16))
    law = from_torch(torch.distributions.Independent(half, 0))
    assert isinstance(law, Law)
    assert repr(law) == "Normal(mean=0.0, std=1.0)"
    assert total_variation(law, law).dtype == torch.float32
    assert math.isclose(kl_divergence(law, law), 0.0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("logits", [(40.0, 38.0), (20.0, -3.0), (-60.0, -50.0), (0.3, 0.1)])
def test_bernoulli_logits_keep_the_digits_of_the_complement(logits, dtype):
    leaves = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in logits]
    laws = [from_torch(torch.distributions.Bernoulli(logits=leaf)) for leaf in leaves]
    eps = torch.finfo(dtype).eps
    with mp.workdps(50):
        (a, b), (c, d) = [
            (1 / (1 + mp.exp(-mp.mpf(v))), 1 / (1 + mp.exp(mp.mpf(v)))) for v in logits
        ]
        middle = (a + c) / 2, (b + d) / 2
        truths = {
            kl_divergence: (a * mp.log(a / c) + b * mp.log(b / d), c - a),
            total_variation: (abs(b - d), mp.sign(c - a) * c * d),
            wasserstein1: (abs(b - d), mp.sign(c - a) * c * d),
            js_divergence: (
                (a * mp.log(a / middle[0]) + b * mp.log(b / middle[1])) / 2
                + (c * mp.log(c / middle[0]) + d * mp.log(d / middle[1])) / 2,
                c * d * (mp.log(c / middle[0]) - mp.log(d / middle[1])) / 2,
            ),
        }
    for function, (truth, slope) in truths.items():
        value = function(*laws)
        assert value.dtype == dtype
        assert value.item() == pytest.approx(float(truth), rel=30 * eps)
        (found,) = torch.autograd.grad(value, leaves[1:], retain_graph=True)
        assert found.item() == pytest.approx(float(slope), rel=100 * eps)


def test_bernoulli_logits_under_vmap():
    rows = torch.tensor([[40.0, 38.0], [-2.0, 1.0]], dtype=torch.float64)

    def divergence(row):
        laws = (torch.distributions.Bernoulli(logits=v, validate_args=False) for v in row)
        return kl_divergence(*map(from_torch, laws))

    mapped, alone = torch.vmap(divergence)(rows), torch.stack([divergence(row) for row in rows])
    torch.testing.assert_close(mapped, alone, rtol=1e-15, atol=0.0)


def test_bernoulli_with_its_complement():
    near = Bernoulli(1.0, 3e-90), Bernoulli(1.0, 1e-90)
    assert total_variation(*near) == pytest.approx(2e-90, rel=1e-15)
    assert kl_divergence(*near) == pytest.approx((3 * math.log(3) - 2) * 1e-90, rel=1e-14)
    assert kl_divergence(near[0], Bernoulli(1.0)) == math.inf
    assert kl_divergence(Bernoulli(1.0), near[0]) == pytest.approx(3e-90, rel=1e-15)
    assert near[0].cdf([-1.0, 0.0, 1.0]).tolist() == [0.0, 3e-90, 1.0]
    assert near[0].survival([-1.0, 0.0, 1.0]).tolist() == [1.0, 1.0, 0.0]
    assert near[0].log_mass([0, 1]).tolist() == pytest.approx([math.log(3e-90), -3e-90], rel=1e-15)
    assert repr(near[0]) == "Bernoulli(probability=1.0, complement=3e-90)"
    flipped = [Affine(law, -1.0, 1.0) for law in near]
    assert total_variation(*flipped) == pytest.approx(2e-90, rel=1e-14)
    with pytest.raises(ValueError, match="Bernoulli: probability and complement must sum to 1"):
        Bernoulli(0.5, 0.4)
    with pytest.raises(ValueError, match=r"Bernoulli: complement must lie in \[0, 1\]"):
        Bernoulli(0.5, -0.5)


@pytest.mark.parametrize("pair", [(3.0, 4.0), (60.0, 61.5), (700.0, 690.0), (-45.0, -44.0)])
def test_trials_from_logits_of_torch_keep_the_digits_of_failures(pair):
    """Probabilities near 1 leave none; the laws are built on both probabilities of a trial."""
    logits = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in pair]
    with mp.workdps(700):
        (p, f), (q, g) = ((1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))) for x in map(mp.mpf, pair))
        kl = p * mp.log(p / q) + f * mp.log(f / g)
        truths = {
            "Bernoulli": (kl, abs(p - q) if pair[0] < 0 else abs(f - g)),
            "Geometric": (kl / p, abs(f / p - g / q)),
            "Binomial": (7 * kl, 7 * abs(f - g) if pair[0] > 0 else 7 * abs(p - q)),
        }
        # of kl, in the logit of p: (log p/q - log f/g) p f
        slope = (mp.log(p / q) - mp.log(f / g)) * p * f
    kinds = torch.distributions
    for name, build in (
        ("Bernoulli", lambda x: kinds.Bernoulli(logits=x)),
        ("Geometric", lambda x: kinds.Geometric(logits=x)),
        ("Binomial", lambda x: kinds.Binomial(7, logits=x)),
    ):
        laws = [from_torch(build(x)) for x in logits]
        for function, truth in zip((kl_divergence, wasserstein1), truths[name], strict=True):
            assert abs(function(*laws).item() / float(truth) - 1.0) < 1e-13
        if name != "Geometric":
            (found,) = torch.autograd.grad(kl_divergence(*laws), logits[0])
            times = 7 if name == "Binomial" else 1
            assert abs(float(found) / float(times * slope) - 1.0) < 1e-9
    for name, build in (
        ("Geometric", lambda x: kinds.Geometric(probs=x)),
        ("Binomial", lambda x: kinds.Binomial(7, probs=x)),
    ):
        distribution = build(torch.tensor(0.25, dtype=torch.float64))
        assert distribution.logits < 0  # a cached attribute, on which it is not built
        assert from_torch(distribution).complement is None, name


def test_the_complement_of_a_trial():
    tiny, other = 3e-90, 1e-90
    laws = Geometric(1.0, tiny), Geometric(1.0, other)
    for function, truth in (
        (total_variation, tiny - other),
        (wasserstein1, tiny - other),
        (kl_divergence, tiny * math.log(tiny / other) - tiny + other),
    ):
        assert abs(float(function(*laws)) / truth - 1.0) < 1e-14
    laws = Binomial(5, 1.0, tiny), Binomial(5, 1.0, other)
    for function, truth in (
        (total_variation, 5 * (tiny - other)),
        (wasserstein1, 5 * (tiny - other)),
        (kl_divergence, 5 * (tiny * math.log(tiny / other) - tiny + other)),
    ):
        assert abs(float(function(*laws)) / truth - 1.0) < 1e-14
    assert float(laws[0].cdf(4.0)) == pytest.approx(5 * tiny, rel=1e-14)
    with pytest.raises(ValueError, match=r"Geometric: probability and complement must sum to 1"):
        Geometric(0.5, 0.4)
