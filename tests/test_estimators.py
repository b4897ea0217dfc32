"""``kl_knn``: its formula, what it estimates, and the samples that it refuses."""

import math

import numpy as np
import pytest

from divergences.estimators import TiesError, kl_knn


def by_definition(x, y, k):
    own = np.sort(np.linalg.norm(x[:, None] - x, axis=2), axis=1)[:, k]
    other = np.sort(np.linalg.norm(x[:, None] - y, axis=2), axis=1)[:, k - 1]
    factor = math.log(len(y) / (len(x) - 1))
    return x.shape[1] * np.mean(np.log(other) - np.log(own)) + factor


@pytest.mark.parametrize("dimension", [1, 2, 12, 13, 40])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_it_is_its_formula(dimension, k):
    g = np.random.default_rng(dimension)
    x, y = g.normal(size=(60, dimension)), g.normal(size=(45, dimension))
    assert kl_knn(x, y, k=k) == pytest.approx(by_definition(x, y, k), rel=1e-12, abs=1e-12)


def test_as_few_points_as_it_takes():
    assert kl_knn([0.0, 1.0], [3.0], k=1) == pytest.approx((math.log(3.0) + math.log(2.0)) / 2)


@pytest.mark.parametrize(("shift", "truth"), [(0.0, 0.0), (1.0, 0.5), (2.0, 2.0)])
def test_it_is_consistent_on_the_line(shift, truth):
    errors = []
    for seed in range(9):
        g = np.random.default_rng(seed)
        errors.append(kl_knn(g.normal(size=4000), shift + g.normal(size=4000)) - truth)
    assert abs(np.median(errors)) < 0.03 + 0.06 * truth


def test_motion_and_scale_do_not_matter():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(300, 3)), g.normal(size=(200, 3)) * 1.5
    plain = kl_knn(x, y)
    rotation = np.linalg.qr(g.normal(size=(3, 3)))[0]
    assert kl_knn(x @ rotation + 4.0, y @ rotation + 4.0) == pytest.approx(plain, rel=1e-9)
    for exponent in (-900, 900):
        assert kl_knn(np.ldexp(x, exponent), np.ldexp(y, exponent)) == pytest.approx(plain)
    assert kl_knn(x[::-1].tolist(), y[::-1].tolist()) == pytest.approx(plain, rel=1e-12)


def test_tensors():
    torch = pytest.importorskip("torch")
    g = np.random.default_rng(0)
    x, y = g.normal(size=50), g.normal(size=60)
    value = kl_knn(torch.from_numpy(x), torch.from_numpy(y))
    assert type(value) is float
    assert value == kl_knn(x, y)


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_rounded_samples_are_refused(decimals):
    g = np.random.default_rng(0)
    x, y = g.normal(size=1000), g.normal(0.5, size=1000)
    with pytest.raises(TiesError, match=r"^kl_knn: .*densities.*; got"):
        kl_knn(np.round(x, decimals), np.round(y, decimals))
    with pytest.raises(TiesError):
        kl_knn(x, np.round(y, decimals))
    with pytest.raises(TiesError):
        kl_knn(x, x)
    assert issubclass(TiesError, ValueError)


def test_a_few_accidental_ties_of_single_precision_are_accepted():
    g = np.random.default_rng(0)
    x, y = g.random(20_000).astype(np.float32), g.random(20_000).astype(np.float32)
    assert abs(kl_knn(x, y)) < 0.05


@pytest.mark.parametrize(
    ("arguments", "k", "error"),
    [
        (([0.0, 1.0], [2.0]), 2, ValueError),
        (([0.0], [2.0]), 1, ValueError),
        (([0.0, 1.0], [2.0]), 0, ValueError),
        (([0.0, 1.0], [2.0]), 1.0, TypeError),
        (([0.0, 1.0], [2.0]), True, TypeError),
        (([0.0, math.inf], [2.0]), 1, ValueError),
        (([0.0, 1.0], [[2.0, 3.0]]), 1, ValueError),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, k, error):
    with pytest.raises(error, match=r"^kl_knn: "):
        kl_knn(*arguments, k=k)
