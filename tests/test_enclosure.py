"""Certified enclosures hold the truth, reach the width asked for, and say what is unknown."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from divergences import (
    Affine,
    Beta,
    Enclosure,
    Exponential,
    Gamma,
    Laplace,
    Mixture,
    Normal,
    Poisson,
    Uniform,
    js_divergence,
    js_divergence_enclosure,
    kl_divergence,
    kl_divergence_enclosure,
    total_variation,
    total_variation_enclosure,
    wasserstein1,
    wasserstein1_enclosure,
)
from divergences.enclosures import _certify
from divergences.families import LawOnLine, canonical, from_scipy

from .law_oracles import TERMS, density, integral, relative_error

PAIRS = {
    "total_variation": (total_variation_enclosure, total_variation),
    "kl_divergence": (kl_divergence_enclosure, kl_divergence),
    "js_divergence": (js_divergence_enclosure, js_divergence),
}
LINE = [-100, -50, -20, -10, -5, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 5, 10, 20, 50, 100]
TRIANGLE = LawOnLine(cdf=lambda x: x**2, density=lambda x: 2.0 * x, support=(0.0, 1.0))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("width", [1e-3, 1e-7])
def test_enclosures_hold_the_truth_and_reach_the_width(name, width):
    p, q = Normal(0.3, 1.0), Laplace(0.0, 1.5)
    bounds = PAIRS[name][0](p, q, width=width)
    truth = integral(name, p, q, sorted([*LINE, 0.3]))
    assert bounds.lower <= truth <= bounds.upper
    assert bounds.width <= width


@settings(max_examples=5)
@given(st.floats(-2.0, 2.0), st.floats(0.2, 5.0), st.floats(0.3, 6.0), st.floats(0.3, 6.0))
def test_enclosures_of_closed_forms(mean, std, a, b):
    for p, q in (
        (Normal(0.0, 1.0), Normal(mean, std)),
        (Gamma(a, 1.0), Gamma(b, 2.0)),
        (Beta(a, 1.5), Beta(b, 1.5)),
        (Exponential(a), Exponential(b)),
        (Uniform(0.0, a), Uniform(-1.0, b)),
    ):
        for enclosing, exact in (*PAIRS.values(), (wasserstein1_enclosure, wasserstein1)):
            value = float(exact(p, q))
            bounds = enclosing(p, q, width=1e-2)
            slack = 1e-12 * value if math.isfinite(value) else 0.0
            assert bounds.lower - slack <= value <= bounds.upper + slack, (enclosing, p, q)


def test_plain_functions_lie_inside():
    p = Mixture([Normal(-1.0, 0.5), Gamma(2.0, 1.0), Laplace(0.0, 0.2)], [0.5, 0.3, 0.2])
    q = Affine(Gamma(0.7, 1.0), -1.0, 5.0)
    for enclosing, plain in (*PAIRS.values(), (wasserstein1_enclosure, wasserstein1)):
        bounds = enclosing(p, q)
        assert float(plain(p, q)) in bounds or bounds.lower == plain(p, q) == math.inf


def test_laws_given_by_functions():
    flat = Uniform(0.0, 1.0)
    truths = {
        total_variation: 0.25,
        kl_divergence: math.log(2.0) - 0.5,
        wasserstein1: 1.0 / 6.0,
    }
    for function, truth in truths.items():
        assert float(function(TRIANGLE, flat)) == pytest.approx(truth, abs=1e-5)
    for enclosing, truth in (
        (total_variation_enclosure, 0.25),
        (kl_divergence_enclosure, math.log(2.0) - 0.5),
        (wasserstein1_enclosure, 1.0 / 6.0),
    ):
        bounds = enclosing(TRIANGLE, flat, width=1e-5)
        assert truth in bounds
        assert bounds.width <= 1e-5
    only_density = LawOnLine(density=lambda x: 2.0 * x, support=(0.0, 1.0))
    assert 0.25 in total_variation_enclosure(only_density, flat, width=1e-2)
    only_cdf = LawOnLine(cdf=lambda x: x**2, support=(0.0, 1.0))
    assert 1.0 / 6.0 in wasserstein1_enclosure(only_cdf, flat, width=1e-4)
    with pytest.raises(NotImplementedError, match=r"is only known to lie in .* a density"):
        total_variation(only_cdf, flat)
    assert total_variation_enclosure(only_cdf, flat).lower > 0.2499


def test_other_laws_of_scipy():
    p, q = from_scipy(stats.weibull_min(1.5)), Exponential(1.0)
    with mp.workdps(30):

        def weibull(x):
            return mp.mpf(1.5) * mp.sqrt(x) * mp.exp(-(x ** mp.mpf(1.5)))

        places = [mp.mpf(k) / 4 for k in range(1, 100)]
        edges = [mp.mpf(0), *places, mp.mpf(60)]
        truth = mp.quad(lambda x: abs(weibull(x) - mp.exp(-x)), edges) / 2
    assert total_variation_enclosure(p, q, width=1e-4).lower <= truth + 1e-4
    assert float(total_variation(p, q)) == pytest.approx(float(truth), abs=2e-4)
    with pytest.raises(NotImplementedError, match="a bounded support"):
        wasserstein1(p, q)


def test_infinite_and_equal():
    assert kl_divergence_enclosure(Normal(0, 1), Exponential(1.0)).lower == math.inf
    assert total_variation_enclosure(Gamma(2.0, 1.0), Gamma(2.0, 1.0)) == Enclosure(0.0, 0.0)


def test_the_enclosure_itself():
    first, second = Enclosure(0.0, 1.0), Enclosure(0.5, math.inf)
    assert first.intersection(second) == Enclosure(0.5, 1.0)
    assert (second.midpoint, second.width) == (math.inf, math.inf)
    assert Enclosure(math.inf, math.inf).width == 0.0
    with pytest.raises(
        ValueError, match=r"Enclosure: lower must be at most upper; got 2.0 and 1.0"
    ):
        Enclosure(2.0, 1.0)


def test_bad_requests():
    with pytest.raises(TypeError, match="total_variation_enclosure: p must be a law; got list"):
        total_variation_enclosure([0.5, 0.5], Normal(0, 1))
    with pytest.raises(ValueError, match=r"width must be a positive finite number; got 0.0"):
        total_variation_enclosure(Normal(0, 1), Normal(1, 1), width=0.0)
    with pytest.raises(NotImplementedError, match="not both laws with densities on the line"):
        wasserstein1_enclosure(Poisson(1.0), Normal(0, 1))
    assert np.isnan(TRIANGLE.log_density(0.5)).sum() == 0


GAMMA = Gamma(0.4, 1.5)
UNBOUNDED = [
    Normal(0.3, 1.2),
    Normal(-2.0, 0.4),
    Laplace(0.5, 0.7),
    Mixture([Normal(0.0, 1.0), Laplace(1.0, 2.0)], [0.9, 0.1]),
    Mixture([Normal(0.0, 0.5), Normal(3.0, 1.0)]),
]
ABOVE = [*UNBOUNDED, Exponential(1.3), GAMMA, Gamma(4.0, 2.0), Affine(GAMMA, 2.0, -1.0)]
ABOVE += [Mixture([Beta(2.0, 3.0), Normal(0.0, 2.0)])]
BELOW = [
    *UNBOUNDED,
    Mixture([Gamma(2.5, 1.0), Normal(2.0, 3.0)]),
    Affine(GAMMA, -2.0, 1.0),
    Affine(Exponential(2.0), -1.0, 0.0),
]


@pytest.mark.parametrize(
    ("side", "edge", "laws"), [(1.0, 4.0, ABOVE), (1.0, 9.0, ABOVE), (-1.0, -6.0, BELOW)]
)
def test_what_lies_beyond_an_edge_is_bounded(side, edge, laws):
    """The integral of p (log(p/q))^+ beyond the edge, by a fine rule, against its bound."""
    step = 1e-3
    t = step * (np.arange(80_000) + 0.5)
    for p in map(canonical, laws):
        first = p.log_density(edge + side * t)
        density = step * np.exp(first) * (1 - 1e-3)
        moments = p.tail_moments(edge, side)
        assert all(float(np.sum(density * t**k)) <= moments[k] < math.inf for k in range(3))
        for q in map(canonical, laws):
            second = q.log_density(edge + side * t)
            truth = float(np.sum(density * (first - second).clip(0.0)))
            largest = max(float(first.max()), float(p.log_density(edge)))
            assert truth <= _certify._beyond(p, q, edge, side, largest) < math.inf
            floor, slope, curvature = q.tail_floor(edge, side)
            assert np.all(floor - slope * t - 0.5 * curvature * t**2 <= second + 1e-9)


def test_kl_of_tails_as_unlike_as_they_come():
    wide, narrow = (Mixture([Normal(0.0, s), Normal(0.1 * s, s)]) for s in (1e30, 1e-10))
    bounds = kl_divergence_enclosure(wide, narrow, width=1e76)
    assert 4e79 < bounds.lower <= bounds.upper < 6e79


def _mixed(weights, parts):
    """The density of a mixture of beta laws as a function of an mpf."""
    densities = [density(part) for part in parts]
    total = mp.fsum(mp.mpf(w) for w in weights)
    return lambda x: mp.fsum(
        mp.mpf(w) / total * f(x) for w, f in zip(weights, densities, strict=True)
    )


@pytest.mark.parametrize("size", [1e-10, 1e-3])
@pytest.mark.parametrize("name", ["total_variation", "kl_divergence", "js_divergence"])
def test_nearly_equal_mixtures_with_singular_ends(name, size):
    weights = [0.3, 0.7]
    parts = [Beta(0.5, 3.0), Beta(5.0, 0.5)], [Beta(0.5, 3.0 + size), Beta(5.0, 0.5 + size)]
    p, q = (Mixture(list(components), weights) for components in parts)
    with mp.workdps(40):
        f, g = (_mixed(weights, components) for components in parts)
        edges = [mp.mpf(e) for e in (0, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1)]
        if name == "total_variation":
            signs = [mp.sign(f(x) - g(x)) for x in edges[1:-1]]
            for k in range(len(signs) - 1):
                if signs[k] * signs[k + 1] < 0:
                    bracket = edges[k + 1], edges[k + 2]
                    edges.append(mp.findroot(lambda x: f(x) - g(x), bracket, solver="anderson"))
        truth = mp.quad(lambda x: TERMS[name](f(x), g(x)), sorted(edges))
    function = {
        "total_variation": total_variation,
        "kl_divergence": kl_divergence,
        "js_divergence": js_divergence,
    }[name]
    assert relative_error(function(p, q), truth) < 1e-9
    assert relative_error(function(Affine(p, -2.0, 5.0), Affine(q, -2.0, 5.0)), truth) < 1e-9


def test_affine_images_far_from_zero():
    for far in (0.0, 1e10, -3e15):
        p, q = Affine(Exponential(1.0), 1.0, far), Affine(Exponential(2.0), 1.0, far + 0.5)
        assert float(wasserstein1(p, q)) == pytest.approx(math.exp(-1.0), rel=1e-13)
        assert float(kl_divergence(q, p)) == pytest.approx(math.log(2.0), rel=1e-13)
        gamma = Affine(Gamma(0.5, 1.0), -2.0, far), Affine(Gamma(0.7, 1.0), -1.0, far)
        near = Affine(Gamma(0.5, 1.0), 2.0), Affine(Gamma(0.7, 1.0), 1.0)
        for function in (total_variation, kl_divergence, js_divergence):
            assert float(function(*gamma)) == pytest.approx(float(function(*near)), rel=1e-12)
        parts = [Affine(Gamma(0.5, 1.0), 1.0, far), Normal(far + 1.0, 2.0)]
        moved = Mixture(parts), Normal(far, 1.0)
        here = Mixture([Gamma(0.5, 1.0), Normal(1.0, 2.0)]), Normal(0.0, 1.0)
        assert float(js_divergence(*moved)) == pytest.approx(float(js_divergence(*here)), rel=1e-9)


SIZED = {
    "normal and Laplace": lambda s: (Normal(0.0, s), Laplace(s, 1.3 * s)),
    "gamma and mixture": lambda s: (
        Gamma(2.0, 1.0 / s),
        Mixture([Normal(s, s), Normal(-s, 2.0 * s)], [0.3, 0.7]),
    ),
    "affine and uniform": lambda s: (Affine(Gamma(1.5, 1.0), -s, s), Uniform(0.0, 2.0 * s)),
}


@pytest.mark.parametrize("name", list(SIZED))
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_laws_of_extreme_sizes(name, size):
    """Squares of the cells' widths leave the floats; Wasserstein-1 was 0 or a tenth off."""
    near, far = SIZED[name](1.0), SIZED[name](size)
    for function in (total_variation, js_divergence):
        assert float(function(*far)) == pytest.approx(float(function(*near)), rel=1e-11)
    value = float(wasserstein1(*near))
    assert float(wasserstein1(*far)) / size == pytest.approx(value, rel=1e-11)
    bounds = wasserstein1_enclosure(*far, width=1e-4 * size)
    assert bounds.lower <= value * size * (1 + 1e-12)
    assert value * size <= bounds.upper
    assert bounds.width <= 1.01e-4 * size


def test_laws_of_both_extremes_at_once():
    p, q = Normal(0.0, 1e-200), Laplace(0.0, 1e200)
    assert float(wasserstein1(p, q)) == pytest.approx(1e200, rel=1e-9)
    gamma = Gamma(1e8, 1e-300), Gamma(1e8 + 1.0, 1e-300)
    assert float(total_variation(*gamma)) == pytest.approx(
        float(total_variation(Gamma(1e8, 1.0), Gamma(1e8 + 1.0, 1.0))), rel=1e-9
    )


def _gamma_and_laplace(shape):
    """Total variation of Gamma(shape, 1) and Laplace(0, 1): one crossing, near 2 shape."""
    with mp.workdps(30):
        a = mp.mpf(shape)
        place = mp.findroot(lambda x: (a - 1) * mp.log(x) - mp.loggamma(a) + mp.log(2), 2 * a)
        shared = mp.gammainc(a, place, mp.inf, regularized=True)
        return float(1 - shared - (1 - mp.exp(-place)) / 2)


@pytest.mark.parametrize("shape", [0.02, 0.005, 0.001])
def test_densities_beyond_the_floats_at_an_end(shape):
    """Beside 0 the density exceeds the largest float: [1, 1] was said to hold 0.928."""
    p, q, truth = Gamma(shape, 1.0), Laplace(0.0, 1.0), _gamma_and_laplace(shape)
    bounds = total_variation_enclosure(p, q)
    assert bounds.lower <= truth <= bounds.upper
    assert bounds.width < 1e-5
    assert float(total_variation(p, q)) == pytest.approx(truth, rel=1e-11)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_places_that_a_rate_rounds_to_zero(scale):
    """A twentieth of P lies below the smallest float: nothing is known of places times a rate."""
    p, q = Gamma(0.004, 0.29), Gamma(0.125, 0.11)
    truth = float(kl_divergence(p, q))
    bounds = kl_divergence_enclosure(Affine(p, scale), Affine(q, scale), width=1e-4)
    assert bounds.lower <= truth <= bounds.upper


def test_shapes_that_floats_do_not_resolve():
    for p, q in ((Gamma(1e-20, 1.0), Gamma(2e-20, 1.0)), (Beta(1e-20, 1e-20), Beta(1e-20, 2e-20))):
        with pytest.raises(NotImplementedError, match="too extreme"):
            total_variation(p, q)


def test_images_and_mixtures_of_laws_given_by_functions():
    """They are as accurate as the functions, and have no mean."""
    rough = LawOnLine(
        lambda x: x + 1e-3 * np.sin(40.0 * x) * (x < 1.0),
        lambda x: 1.0 + 0.0 * x,
        support=(0.0, 1.0),
        accuracy=2e-3,
    )
    truth = 0.0  # of the uniform law of which ``rough`` is known to 2e-3
    for law, uniform in (
        (Affine(rough, -2.0, 3.0), Uniform(1.0, 3.0)),
        (Mixture([rough, rough]), Uniform(0.0, 1.0)),
    ):
        for function in (total_variation_enclosure, wasserstein1_enclosure):
            bounds = function(law, uniform, width=0.05)
            assert bounds.lower == truth <= bounds.upper < 0.1
    triangle = LawOnLine(lambda x: x**2, lambda x: 2 * x, support=(0.0, 1.0))
    image = Affine(triangle, 2.0, 1.0)
    assert float(wasserstein1(image, Uniform(1.0, 3.0))) == pytest.approx(1.0 / 3.0, rel=1e-5)
    with pytest.raises(NotImplementedError, match="the mean of a law given by functions"):
        _ = triangle.expectation


def test_laws_given_by_a_density_alone():
    far = LawOnLine(density=lambda x: 5 + 0 * x, support=(0.0, 0.2))
    assert float(total_variation(far, Normal(0.1, 1e-3))) == pytest.approx(
        float(total_variation(Uniform(0.0, 0.2), Normal(0.1, 1e-3))), rel=1e-5
    )
    density = LawOnLine(density=lambda x: 2 * x, support=(0.0, 1.0))
    both = (
        (density, Uniform(0.0, 1.0)),
        (Affine(density, 2.0), Uniform(0.0, 2.0)),
        (Mixture([density, density]), Uniform(0.0, 1.0)),
    )
    for law, uniform in both:
        assert 0.25 in total_variation_enclosure(law, uniform, width=1e-3)
        with pytest.raises(NotImplementedError, match="was given no cdf"):
            wasserstein1(law, uniform)


def test_closed_forms_seek_no_upper_quantiles(monkeypatch):
    """The sizes of laws are found without them: they took as long as the formula again."""
    for kind in (Normal, Laplace, Gamma):
        monkeypatch.setattr(kind, "upper_quantile", None)
    assert kl_divergence(Normal(0.0, 1.0), Laplace(0.3, 1.2)) > 0
    assert wasserstein1(Gamma(2.0, 1.0), Gamma(3.0, 1.0)) == pytest.approx(1.0, rel=1e-12)
