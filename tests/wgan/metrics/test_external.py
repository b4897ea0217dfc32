import numpy as np
import pytest

from wgan.metrics import fid, kid, kid_subsets

pytest.importorskip("torchmetrics", reason="fid and kid_subsets are torchmetrics' own")


def frechet(x, y):
    """|a - b|^2 + tr(A + B - 2 (A B)^(1/2)), by the eigenvalues of A B."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(a @ b).real.clip(0)).sum()
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root)


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_fid_is_the_distance_of_the_gaussians(offset):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=(300, 3)) @ np.diag([1, 2, 0.5]) + 1
    one = fid(x + offset, y + offset, x[:50] + offset)
    assert one.estimate == pytest.approx(frechet(x, y), rel=1e-8)
    assert one.lower < one.estimate < one.upper
    assert one.real == pytest.approx(frechet(x, x[:50]), rel=1e-6)


def test_fid_needs_more_samples_than_coordinates():
    x = np.random.default_rng(1).normal(size=(20, 18))
    with pytest.raises(ValueError, match=r"more samples than their 18 coordinates.*got 20 and 20"):
        fid(x, x)
    assert fid(x[:, :17], x[:, :17]).estimate == pytest.approx(0, abs=1e-9)


def test_one_subset_of_all_samples_is_the_whole_estimate():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3)) + 1
    one = kid_subsets(x, y, subsets=2, subset_size=40)
    assert one.estimate == pytest.approx(kid(x, y).estimate, rel=1e-9)
    assert one.level is None


def test_subsets_depend_on_the_seed_alone():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    first, again, other = (kid_subsets(x, y, seed=seed).estimate for seed in (1, 1, 2))
    assert first == again
    assert first != other
    with pytest.raises(ValueError, match="subset_size must be at most 40"):
        kid_subsets(x, y, subset_size=41)
