"""Bounds and searches over kd-trees against all pairs."""

import numpy as np
import pytest

from divergences.transport import _kd_tree, _pricing


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 4.0, np.inf])
def test_bounds_of_nodes_are_below_every_reduced_cost(order):
    """The formulas themselves, without the compiler, on every pair of nodes."""
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 2)), rng.random((25, 2)) + 0.5
    _kd_tree.sort(x)
    _kd_tree.sort(y)
    f = rng.normal(size=30) + 2 * x[:, 0]
    g = rng.normal(size=25) * 0.01 - y @ [0.6, 0.8]
    (x, x_nodes), (y, y_nodes) = (
        _kd_tree.below(_kd_tree.build(points), values) for points, values in ((x, -f), (y, g))
    )
    costs = np.linalg.norm(x[:, None, :2] - y[None, :, :2], axis=-1, ord=order)
    reduced = costs - f[:, None] + g
    for a in range(1, len(x_nodes)):
        for b in range(1, len(y_nodes)):
            least = reduced[owned(a, 30), owned(b, 25)].min()
            assert not _pricing._excluded(x_nodes, a, y_nodes, b, order, least + 1e-12)
            for i in range(30):
                at_point = _pricing._bound_of_point(x, i, y_nodes, b, order)
                assert at_point <= (costs[i] + g)[owned(b, 25)].min() + 1e-12


def owned(node, count):
    level = node.bit_length() - 1
    k = node - (1 << level)
    return slice((k * count) >> level, ((k + 1) * count) >> level)


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 4.0, np.inf])
@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 30), (200, 300), (1000, 9)])
def test_pricing_finds_exactly_the_violations(order, dimension, n, m):
    rng = np.random.default_rng(1)
    x, y = rng.random((n, dimension)), rng.random((m, dimension))
    _kd_tree.sort(x)
    _kd_tree.sort(y)
    f, g = rng.random(n) * 0.3, rng.random(m) * 0.1
    of_x, of_y = (_kd_tree.below(_kd_tree.build(p), v) for p, v in ((x, -f), (y, g)))
    reduced = np.linalg.norm(x[:, None] - y, axis=-1, ord=order) - f[:, None] + g
    for threshold in (-1e-9, 0.02):
        values, indices = _pricing.price(of_x, of_y, order, threshold, 4)
        for row, found, smallest in zip(reduced, indices, values, strict=True):
            worst = [j for j in np.argsort(row)[:4] if row[j] < threshold]
            assert found[found >= 0].tolist() == worst
            np.testing.assert_allclose(smallest[: len(worst)], row[worst], rtol=0, atol=1e-14)
            assert (smallest[len(worst) :] == threshold).all()
    count = min(5, m)
    values, indices = _pricing.smallest(x, *of_y, of_y.blocks, order, count, -1)
    heights = reduced + f[:, None]
    np.testing.assert_allclose(values, np.sort(heights, axis=1)[:, :count], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(indices, np.argsort(heights, axis=1)[:, :count])


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(2)
    x, y = rng.random((3000, 2)), rng.random((2000, 2))
    _kd_tree.sort(x)
    _kd_tree.sort(y)
    trees = [_kd_tree.below(_kd_tree.build(p), rng.random(len(p)) * 0.05) for p in (x, y)]
    found = []
    for threads in ("1", "2", "7"):
        monkeypatch.setenv("DIVERGENCES_NUM_THREADS", threads)
        found.append(_pricing.price(*trees, 2.0, -1e-12, 5))
    for other in found[1:]:
        np.testing.assert_array_equal(other[0], found[0][0])
        np.testing.assert_array_equal(other[1], found[0][1])
