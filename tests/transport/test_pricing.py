"""Bounds and searches over kd-trees against all pairs."""

import numpy as np
import pytest

from divergences.transport import _kd_tree, _pricing


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, np.inf])
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


def test_pricing_finds_exactly_the_violations():
    rng = np.random.default_rng(1)
    x, y = rng.random((200, 3)), rng.random((300, 3))
    _kd_tree.sort(x)
    _kd_tree.sort(y)
    f, g = rng.random(200) * 0.3, rng.random(300) * 0.1
    below = [_kd_tree.below(_kd_tree.build(p), v) for p, v in ((x, -f), (y, g))]
    reduced = np.linalg.norm(x[:, None] - y, axis=-1) - f[:, None] + g
    found, of_x, of_y = _pricing.price(*below[0], *below[1], 2.0, -1e-9, 4)
    for costs, listed in ((reduced, of_x), (reduced.T, of_y)):
        for row, indices in zip(costs, listed, strict=True):
            worst = [j for j in np.argsort(row)[:4] if row[j] < -1e-9]
            assert indices[indices >= 0].tolist() == worst
    assert (found[:, 0] < 0).any()
    values, indices = _pricing.smallest(x, *below[1], 2.0, 5, -1)
    np.testing.assert_allclose(values, np.sort(reduced + f[:, None], axis=1)[:, :5], rtol=1e-14)
    np.testing.assert_array_equal(indices, np.argsort(reduced, axis=1)[:, :5])
