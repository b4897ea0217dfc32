"""Normal laws: closed forms and quadrature against mpmath."""

import math

import mpmath as mp
import numpy as np
import pytest
import torch

from divergences import (
    Discrete,
    Normal,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)

PAIRS = [
    (0.0, 1.0, 1.0, 1.0),
    (0.0, 1.0, 1.0, 2.0),
    (0.3, 1.0, 0.1, 1.01),
    (0.0, 1.0, 1e-6, 1.000001),
    (0.0, 1.0, 0.0, 1e-3),
    (-2.0, 1.0, 5.0, 0.01),
    (0.0, 3.0, 30.0, 0.2),
    (5.0, 1e-5, 5.0, 1.1e-5),
]


def _truth(m1, s1, m2, s2):
    """Total variation, KL and JS by mpmath's quadrature, split at every half deviation."""
    with mp.workdps(40):
        m1, s1, m2, s2 = (mp.mpf(value) for value in (m1, s1, m2, s2))

        def density(x, m, s):
            return mp.exp(-(((x - m) / s) ** 2) / 2) / (s * mp.sqrt(2 * mp.pi))

        def integrand(x):
            p, q = density(x, m1, s1), density(x, m2, s2)
            middle = (p + q) / 2
            return sum(d * mp.log(d / middle) for d in (p, q) if d) / 2

        coefficients = [
            1 / (2 * s2**2) - 1 / (2 * s1**2),
            m1 / s1**2 - m2 / s2**2,
            m2**2 / (2 * s2**2) - m1**2 / (2 * s1**2) + mp.log(s2 / s1),
        ]
        while coefficients[0] == 0:
            coefficients = coefficients[1:]
        roots = [mp.re(root) for root in mp.polyroots(coefficients, maxsteps=200, extraprec=200)]
        edges = [m + s * k for m, s in ((m1, s1), (m2, s2)) for k in range(-14, 15)]
        edges = sorted(edges + roots)
        variation = mp.quad(lambda x: abs(density(x, m1, s1) - density(x, m2, s2)), edges) / 2
        kl = mp.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - mp.mpf(1) / 2
        return variation, kl, mp.quad(integrand, edges)


@pytest.mark.parametrize("parameters", PAIRS)
def test_total_variation_kl_and_js_to_many_digits(parameters):
    p, q = Normal(*parameters[:2]), Normal(*parameters[2:])
    values = total_variation(p, q), kl_divergence(p, q), js_divergence(p, q)
    for value, truth in zip(values, _truth(*parameters), strict=True):
        assert abs(float((mp.mpf(float(value)) - truth) / truth)) < 4e-15
    assert js_divergence(q, p) == pytest.approx(float(js_divergence(p, q)), rel=1e-15)
    assert js_distance(p, q) == math.sqrt(js_divergence(p, q))


def test_values_from_the_literature():
    assert js_divergence(Normal(0, 1), Normal(1, 1)) == pytest.approx(
        0.11142148218473616, rel=1e-15
    )
    assert total_variation(Normal(0, 2), Normal(3, 2)) == pytest.approx(
        math.erf(0.75 / math.sqrt(2)), rel=1e-15
    )


@pytest.mark.parametrize("parameters", PAIRS)
def test_wasserstein1_is_the_mean_of_the_quantile_distance(parameters):
    m1, s1, m2, s2 = parameters
    with mp.workdps(40):
        shift, spread = mp.mpf(m1) - mp.mpf(m2), mp.mpf(s1) - mp.mpf(s2)
        edges = sorted([mp.mpf(k) for k in range(-14, 15)] + ([-shift / spread] if spread else []))
        edges = [edge for edge in edges if abs(edge) <= 14]
        truth = mp.quad(lambda z: abs(shift + spread * z) * mp.npdf(z), edges)
    value = wasserstein1(Normal(m1, s1), Normal(m2, s2))
    assert float(value) == pytest.approx(float(truth), rel=2e-15)


def test_equal_laws_and_extreme_ones():
    for law in (Normal(0, 1), Normal(-1e300, 1e-300), Normal(1e10, 1e200)):
        for function in (total_variation, kl_divergence, js_divergence, js_distance, wasserstein1):
            assert function(law, law) == 0.0
    far = Normal(0, 1), Normal(1e30, 1)
    assert total_variation(*far) == 1.0
    assert js_divergence(*far) == pytest.approx(math.log(2), rel=1e-15)
    assert js_divergence(*far) <= math.log(2)
    assert wasserstein1(*far) == 1e30
    assert kl_divergence(Normal(0, 1e-100), Normal(0, 1)) == pytest.approx(
        100 * math.log(10) - 0.5, rel=1e-15
    )


def test_gradients_in_the_parameters():
    values = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.3, 1.2, -0.4, 0.7)
    ]
    for function in (total_variation, kl_divergence, js_divergence, js_distance, wasserstein1):

        def of_parameters(m1, s1, m2, s2, function=function):
            return function(Normal(m1, s1), Normal(m2, s2))

        assert torch.autograd.gradcheck(of_parameters, values)
    for function in (kl_divergence, wasserstein1):
        gradients = torch.autograd.grad(
            function(Normal(values[0], values[1]), Normal(values[0], values[1])), values[:2]
        )
        assert gradients == (0.0, 0.0)
    single = Normal(torch.tensor(0.0), torch.tensor(1.0))
    mixed = kl_divergence(single, Normal(1.0, 1.0))
    assert (mixed.dtype, mixed.shape) == (torch.float32, ())


@pytest.mark.parametrize("seed", range(4))
def test_atoms_against_a_normal_law(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 12))
    atoms, weights = rng.normal(size=count) * 2, rng.dirichlet(np.ones(count))
    mean, std = 0.3, 0.8
    with mp.workdps(30):
        order = np.argsort(atoms)
        cumulative = [mp.fsum(weights[order][:k].tolist()) for k in range(count + 1)]
        total = cumulative[-1]
        edges = [mp.mpf(-12), *map(mp.mpf, atoms[order].tolist()), mp.mpf(14)]

        def gap(x, level):
            return abs(mp.ncdf((x - mean) / std) - level / total)

        truth = mp.mpf(0)
        for k in range(count + 1):
            level = cumulative[k] / total
            inside = [edges[k], edges[k + 1]]
            if 0 < level < 1:
                crossing = mean + std * mp.sqrt(2) * mp.erfinv(2 * level - 1)
                if edges[k] < crossing < edges[k + 1]:
                    inside.insert(1, crossing)
            truth += mp.quad(lambda x, level=cumulative[k]: gap(x, level), inside)
    law, normal = Discrete(atoms, weights), Normal(mean, std)
    assert float(wasserstein1(law, normal)) == pytest.approx(float(truth), rel=1e-12)
    assert wasserstein1(normal, law) == wasserstein1(law, normal)
    assert total_variation(law, normal) == 1.0
    assert js_divergence(normal, law) == math.log(2.0)
    assert kl_divergence(law, normal) == kl_divergence(normal, law) == math.inf


def test_normals_of_very_different_scale_or_place():
    for p, q in (
        (Normal(1, 1e-310), Normal(0, 1)),
        (Normal(0, 1), Normal(0, 1e30)),
        (Normal(0, 1), Normal(-1e308, 1e-308)),
    ):
        assert total_variation(p, q) == 1.0
        assert js_divergence(p, q) == math.log(2.0)
        assert js_distance(q, p) == math.sqrt(math.log(2.0))
    assert total_variation(Normal(0, 1), Normal(0, 1e17)) == pytest.approx(1.0, abs=1e-15)
    assert kl_divergence(Normal(0, 1e155), Normal(0, 1e-155)) == math.inf


def test_total_variation_at_equal_deviations_has_the_gradient_of_its_neighbours():
    gradients = []
    for second in (1.0, 1.0000001):
        stds = [torch.tensor(s, dtype=torch.float64, requires_grad=True) for s in (1.0, second)]
        value = total_variation(Normal(0.5, stds[0]), Normal(0.0, stds[1]))
        gradients.append(torch.stack(torch.autograd.grad(value, stds)))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-5, atol=1e-8)


def test_options_without_meaning_for_laws_are_refused():
    p, q = Normal(0, 1), Normal(1, 1)
    with pytest.raises(ValueError, match="total_variation: axis must be left at -1 for laws; got"):
        total_variation(p, q, axis=0)
    with pytest.raises(ValueError, match="wasserstein1: metric must be left at 'euclidean'"):
        wasserstein1(p, q, metric="angular")


def test_atoms_far_in_either_tail_of_a_normal_law():
    normal = Normal(0, 1)
    for mass, far in ((1e-15, 1e12), (1e-20, 1e30)):
        above = wasserstein1(Discrete([0.0, far], [1 - mass, mass]), normal)
        below = wasserstein1(Discrete([0.0, -far], [1 - mass, mass]), normal)
        assert above == pytest.approx(float(below), rel=1e-14)
    assert above == pytest.approx(1e10, rel=1e-9)
    assert wasserstein1(Discrete([1e300]), Normal(0, 1e-10)) == 1e300
    assert wasserstein1(Discrete([0.0]), normal) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-15)
