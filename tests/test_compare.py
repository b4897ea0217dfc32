"""compare: values, methods, what the inequalities add, the table, the figure."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from divergences import (
    Affine,
    Bernoulli,
    Categorical,
    Discrete,
    Exponential,
    Gamma,
    Laplace,
    MultivariateNormal,
    Normal,
    Product,
    Uniform,
    compare,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)


def _values(result):
    return {name: entry.value for name, entry in result.entries().items()}


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (Normal(0.0, 1.0), Normal(1.0, 2.0)),
        (Normal(0.0, 1.0), Laplace(0.0, 1.0)),
        (Gamma(2.0, 1.0), Gamma(3.0, 1.0)),
        (Discrete([0.0, 1.0], [0.5, 0.5]), Discrete([1.0, 4.0], [0.75, 0.25])),
        (Uniform(0.0, 1.0), Uniform(0.5, 2.0)),
    ],
)
def test_all_four_of_two_laws(p, q):
    result = compare(p, q)
    assert _values(result) == {
        "total_variation": total_variation(p, q),
        "kl_pq": kl_divergence(p, q),
        "kl_qp": kl_divergence(q, p),
        "js": js_divergence(p, q),
        "wasserstein1": wasserstein1(p, q),
    }
    for entry in result.entries().values():
        assert entry.method in ("exact", "enclosure")
        lower, upper = entry.enclosure.lower, entry.enclosure.upper
        assert lower * (1 - 1e-12) <= entry.value <= upper * (1 + 1e-12)


def test_probability_vectors_have_no_geometry():
    p, q = [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]
    result = compare(p, q)
    assert result.wasserstein1 is None
    assert result.total_variation.value == 0.5
    assert result.kl_qp.value == math.inf
    tensors = compare(*(torch.tensor(v, dtype=torch.float64) for v in (p, q)))
    assert _values(tensors) == _values(result)
    assert compare(Categorical(p), Categorical(q)) == result
    lines = str(result).splitlines()
    assert lines[0].split() == ["divergence", "value", "from", "to", "unit", "how"]
    assert len(lines) == 6
    assert all(len(line) <= 100 for line in lines)


def test_inequalities_bound_what_has_no_formula():
    p = Product([Laplace(0.0, 1.0), Normal(0.0, 1.0)])
    q = Product([Laplace(0.3, 1.5), Normal(0.2, 1.2)])
    result = compare(p, q)
    assert result.total_variation.method == "inequalities"
    least = min(result.kl_pq.value, result.kl_qp.value)
    assert result.total_variation.enclosure.upper <= math.sqrt(least / 2) * (1 + 1e-11)
    assert result.js.enclosure.upper <= result.total_variation.enclosure.upper * math.log(2) * 1.01
    box = compare(Product([Uniform(0, 1), Uniform(0, 1)]), Product([Uniform(0, 2), Uniform(0, 2)]))
    assert box.kl_pq.value == pytest.approx(2 * math.log(2))


def test_what_nothing_bounds_is_unknown():
    laws = MultivariateNormal([0.0, 0.0], 1.0), Product([Laplace(0.0, 1.0), Normal(0.0, 1.0)])
    result = compare(*laws)
    assert math.isnan(result.wasserstein1.value)
    assert "unknown" in str(result)


def test_products_are_enclosed_by_what_their_factors_say():
    rng = np.random.default_rng(2)
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    for _ in range(6):
        chances = rng.uniform(size=(2, 3))
        p, q = (Product([Bernoulli(c) for c in row]) for row in chances)
        weights = [np.where(corners == 1.0, row, 1.0 - row).prod(axis=1) for row in chances]
        weights = [w / w.sum() for w in weights]
        found, truth = compare(p, q), compare(*(Discrete(corners, w) for w in weights))
        for name, entry in found.entries().items():
            exact = truth.entries()[name].value
            bounds = entry.enclosure
            assert bounds.lower * (1 - 1e-12) <= exact <= bounds.upper * (1 + 1e-12)
            assert bounds.upper < math.inf
        factors = [compare(Bernoulli(a), Bernoulli(b)) for a, b in chances.T]
        variations = [factor.total_variation.value for factor in factors]
        assert found.total_variation.enclosure.lower >= max(variations) * (1 - 1e-12)
        assert found.total_variation.enclosure.upper <= (1 - np.prod(1 - np.array(variations))) * (
            1 + 1e-12
        )
        assert found.kl_pq.value == pytest.approx(truth.kl_pq.value, rel=1e-13)
    apart = Product([Uniform(0, 1), Normal(0, 1)]), Product([Uniform(2, 3), Laplace(1, 1)])
    assert compare(*apart).js.value == math.log(2)


def test_a_comparison_is_frozen():
    result = compare([0.5, 0.5], [0.5, 0.5])
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.js = None
    assert _values(result) == dict.fromkeys(["total_variation", "kl_pq", "kl_qp", "js"], 0.0)


def test_bad_pairs():
    with pytest.raises(TypeError, match="q must be a law like the other argument"):
        compare(Normal(0, 1), [0.5, 0.5])
    with pytest.raises(ValueError, match="compare: p must sum to 1"):
        compare([0.5, 0.6], [0.5, 0.5])
    with pytest.raises(ValueError, match="compare: p and q must be single probability vectors"):
        compare(np.full((2, 2), 0.5), np.full((2, 2), 0.5))


def test_the_figure():
    pytest.importorskip("matplotlib")
    figure = compare(Discrete([0.0]), Discrete([1.0])).plot()
    assert len(figure.axes) == 3
    assert len(compare([0.5, 0.5], [0.4, 0.6]).plot().axes) == 2


def test_float32_vectors_are_compared_in_float64():
    torch = pytest.importorskip("torch")
    truth = compare([0.5, 0.5], [0.25, 0.75])
    for kind in (lambda p: torch.tensor(p), lambda p: np.array(p, dtype=np.float32)):
        assert compare(kind([0.5, 0.5]), kind([0.25, 0.75])) == truth
    third = np.full(3, 1 / 3, dtype=np.float32)  # whose sum is 1 in float32 only
    assert compare(third, third).js.value == 0.0


def test_normal_laws_in_space_have_a_bracket_of_wasserstein1():
    means, covariances = np.array([[0.0, 0.0], [3.0, 4.0]]), (np.eye(2), np.diag([4.0, 1.0]))
    p, q = (MultivariateNormal(m, c) for m, c in zip(means, covariances, strict=True))
    entry = compare(p, q).wasserstein1
    assert entry.method == "inequalities"
    assert entry.enclosure.lower == pytest.approx(5.0, rel=1e-12)
    assert entry.enclosure.upper == pytest.approx(math.sqrt(25.0 + 1.0), rel=1e-12)
    assert entry.value in entry.enclosure


def test_laws_far_from_zero_are_enclosed_as_tightly_as_near_it():
    for far in (0.0, 1e10):
        result = compare(Affine(Exponential(1.0), 1.0, far), Normal(far, 1.0))
        assert {entry.method for entry in result.entries().values()} == {"enclosure", "exact"}
        assert result.wasserstein1.value == pytest.approx(1.0, rel=1e-12)
        assert result.wasserstein1.enclosure.width < 1e-5
