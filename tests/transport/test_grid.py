"""The simplex on the graph of a grid: its trees, its coarse grids, its certificate."""

import itertools
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences import wasserstein1_grid
from divergences._metrics import Metric
from divergences.transport import CertificateError, _grid, solve_grid
from divergences.transport import _grid_simplex as simplex
from divergences.transport._grid_simplex import Grid
from divergences.transport._grid_tree import NO_PARENT, settle, shift

CITYBLOCK = Metric("cityblock", 1.0)


@st.composite
def grids(draw):
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    periodic = tuple(draw(st.booleans()) and size > 2 for size in shape)
    return Grid(shape, periodic, tuple(draw(st.integers(1, 5)) for _ in shape))


def excess_of(rng, shape, kind):
    excess = {
        "ties": lambda: rng.integers(-1, 2, shape),
        "dense": lambda: rng.integers(-(2**40), 2**40, shape),
        "two": lambda: np.zeros(shape, dtype=np.int64),
    }[kind]()
    excess.flat[0] -= excess.sum()
    if kind == "two":
        excess.flat[0] -= 7
        excess.flat[-1] += 7
    return excess.astype(np.int64)


def check_tree(grid, tree, excess):
    """A spanning tree whose flows carry the excess, with potentials that fit, optimal."""
    neighbour = simplex.neighbours(grid)
    count = excess.size
    assert sorted(tree.order) == list(range(count))
    root = tree.order[0]
    assert [u for u in range(count) if tree.parent[u] == NO_PARENT] == [root]
    left, place = excess.ravel().copy(), np.argsort(tree.order)
    for u in tree.order[:0:-1]:
        above, axis = neighbour[u, tree.parent[u]], tree.parent[u] >> 1
        assert place[above] < place[u]
        assert tree.flow[u] == left[u]
        left[above] += left[u]
        rise = tree.potential[u] - tree.potential[above]
        assert rise == grid.length[axis] * (1 if tree.flow[u] >= 0 else -1)
    assert left[root] == 0
    for u, direction in itertools.product(range(count), range(neighbour.shape[1])):
        v = neighbour[u, direction]
        if v != count:
            assert tree.potential[u] - tree.potential[v] <= grid.length[direction >> 1]


@given(grids(), st.sampled_from(["ties", "dense", "two"]), st.integers(0, 2**32))
@settings(max_examples=100)
def test_bases_are_optimal_trees(grid, kind, seed):
    excess = excess_of(np.random.default_rng(seed), grid.shape, kind)
    *_, tree = simplex.optimise(grid, excess)
    check_tree(grid, tree, excess)


@pytest.mark.parametrize("kind", ["ties", "dense", "two"])
@pytest.mark.parametrize(
    "grid",
    [
        Grid((40, 33), (False, False), (1, 1)),
        Grid((40, 33), (True, True), (1, 3)),
        Grid((9, 10, 11), (False, True, False), (1, 1, 2)),
        Grid((3, 500), (False, False), (1000, 1)),
    ],
    ids=lambda grid: str(grid.shape),
)
def test_larger_bases_are_optimal_trees(grid, kind):
    excess = excess_of(np.random.default_rng(1), grid.shape, kind)
    *_, tree = simplex.optimise(grid, excess)
    check_tree(grid, tree, excess)


@given(grids())
def test_refined_trees_span(grid):
    count = int(np.prod(grid.shape))
    if count == 1:
        return
    axis = simplex.axis_to_halve(grid)
    coarse = simplex.coarser(grid, axis)
    parent, root = simplex.refined(grid, axis, *simplex.comb(coarse))
    neighbour = simplex.neighbours(grid)
    for start in range(count):
        u, steps = start, 0
        while u != root:
            u = neighbour[u, parent[u]]
            steps += 1
            assert steps <= count


def test_a_shift_moves_a_subtree_or_all_else():
    grid = Grid((4, 4), (False, False), (1, 1))
    parent, root = simplex.comb(grid)
    neighbour, flow = simplex.neighbours(grid), np.zeros(16, dtype=np.int64)
    size, order = np.empty(16, dtype=np.int32), np.full(16, root, dtype=np.int32)
    potential = np.zeros(17, dtype=np.int64)
    settle(neighbour, np.ones(2, dtype=np.int64), flow * 0, parent, size, flow, potential, order)
    inside, outside = potential.copy(), potential.copy()
    shift(neighbour, parent, inside, 4, -1, 100)
    shift(neighbour, parent, outside, root, 4, -100)
    moved = inside[:16] - potential[:16]
    assert moved.sum() == 100 * size[4]
    np.testing.assert_array_equal(outside[:16] - potential[:16], moved - 100)


def test_lengths_are_exact_where_ratios_are_simple():
    assert _grid._integer_lengths((0.75, 0.5), 100) == ((3, 2), 0.25)
    assert _grid._integer_lengths((1e-150, 1e-150), 100)[0] == (1, 1)
    lengths, unit = _grid._integer_lengths((1.0, np.pi), 65536)
    assert max(lengths) * 65536 <= 2**60
    np.testing.assert_allclose(np.array(lengths) * unit, [1.0, np.pi], rtol=2.0**-42)
    lengths, unit = _grid._integer_lengths((1e-300, 1.0), 65536)
    assert lengths[0] == 1
    assert max(lengths) * 65536 <= 2**60


@pytest.mark.parametrize("periodic", list(itertools.product((False, True), repeat=2)))
def test_feasible_potentials_are_largest_minorants(periodic):
    rng = np.random.default_rng(2)
    heights, spacing = rng.normal(size=(6, 5)), (0.2, 0.7)
    cells = np.argwhere(np.ones((6, 5)))
    apart = np.abs(cells[:, None] - cells[None])
    for axis, size in enumerate((6, 5)):
        if periodic[axis]:
            apart[..., axis] = np.minimum(apart[..., axis], size - apart[..., axis])
    expected = ((apart * spacing).sum(-1) + heights.ravel()).min(axis=1).reshape(6, 5)
    found = _grid.feasible(heights, spacing, periodic)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


def test_a_potential_is_feasible_and_attains_the_value():
    rng = np.random.default_rng(3)
    p, q = (rng.dirichlet(np.full(35, 0.5)).reshape(5, 7) for _ in range(2))
    for metric, spacing in ((CITYBLOCK, (0.3, 1.1)), (Metric("euclidean"), (1.0, 1.0))):
        found = solve_grid(p, q, spacing, metric, (False, False))
        cells = np.argwhere(np.ones((5, 7))) * spacing
        difference = np.subtract.outer(found.potential.ravel(), found.potential.ravel())
        assert (difference <= metric.matrix(cells, cells) + 1e-13).all()
        gap = ((p / p.sum() - q / q.sum()) * found.potential).sum() - found.value
        assert abs(gap) <= 1e-14
        assert abs(found.value - found.dual_value) <= 1e-14


@given(st.integers(0, 2**32 - 1), st.sampled_from([(4, 5), (9, 9), (3, 1, 6), (3, 4, 5)]))
@settings(max_examples=40)
def test_few_cells_have_the_value_of_exact_masses(seed, shape):
    rng = np.random.default_rng(seed)
    spacing = tuple(10.0 ** rng.uniform(-3, 3, len(shape)))
    thin = rng.random() < 0.5
    p, q = (rng.random(shape) ** 8 * (rng.random(shape) < (0.2 if thin else 1)) for _ in range(2))
    p.flat[0] += 0.1
    q.flat[-1] += 0.1
    p, q, never = p / p.sum(), q / q.sum(), (False,) * len(shape)
    metric = [CITYBLOCK, Metric("euclidean", 2.0), Metric("minkowski", 3.0)][seed % 3]
    value = solve_grid(p, q, spacing, metric, never).value
    found = _grid.value_of_few_cells(p, q, spacing, metric, never)
    assert found is None or found == pytest.approx(value, rel=3e-14)
    diameter = metric.pairs(np.zeros((1, len(shape))), (np.array([shape]) - 1.0) * spacing)[0]
    assert (found is not None) or value < 0.05 * diameter


def test_nearly_equal_cells_and_periodic_ones_need_exact_masses():
    rng = np.random.default_rng(6)
    p = rng.dirichlet(np.ones(20)).reshape(4, 5)
    q = p.copy()
    q[0, 0] += 1e-9
    q[3, 3] -= 1e-9
    options = (1.0, 1.0), CITYBLOCK
    assert _grid.value_of_few_cells(p, q, *options, (False, False)) is None
    q = p[::-1]
    assert _grid.value_of_few_cells(p, q, *options, (False, False)) is not None
    assert _grid.value_of_few_cells(p, q, *options, (True, False)) is None
    assert _grid.value_of_few_cells(p, p, *options, (False, False)) is None


def test_a_basis_that_is_not_optimal_is_refused():
    def unoptimised(grid, excess):
        parent, root = simplex.comb(grid)
        tree = simplex.GridTree(
            parent, np.empty(excess.size, dtype=np.int32), np.empty(excess.size, dtype=np.int64),
            np.zeros(excess.size + 1, dtype=np.int64),
            np.full(excess.size, root, dtype=np.int32),
        )  # fmt: skip
        length = np.array(grid.length, dtype=np.int64)
        settle(simplex.neighbours(grid), length, excess.ravel(), *tree)
        yield tree

    rng = np.random.default_rng(4)
    p, q = (rng.dirichlet(np.ones(500)).reshape(20, 25) for _ in range(2))
    with mock.patch.object(simplex, "optimise", unoptimised), pytest.raises(CertificateError):
        solve_grid(p, q, (1.0, 1.0), CITYBLOCK, (False, False))


def test_the_same_problem_gives_the_same_bits():
    rng = np.random.default_rng(5)
    p, q = (rng.dirichlet(np.ones(2500)).reshape(50, 50) for _ in range(2))
    first, second = (solve_grid(p, q, (1.0, 0.3), CITYBLOCK, (True, False)) for _ in range(2))
    assert first.value == second.value
    np.testing.assert_array_equal(first.potential, second.potential)


@pytest.mark.parametrize("shape", [(90, 110), (22, 20, 21)])
def test_a_few_among_many_cells_are_solved_as_points(shape, monkeypatch):
    rng = np.random.default_rng(20)
    p, q = np.zeros(shape), np.zeros(shape)
    p.flat[rng.choice(p.size, 260, replace=False)] = rng.dirichlet(np.ones(260))
    q.flat[rng.choice(q.size, 260, replace=False)] = rng.dirichlet(np.ones(260))
    spacing = (1.0, 0.7, 0.3)[: len(shape)]
    never, metric = (False,) * len(shape), CITYBLOCK
    monkeypatch.setattr(_grid, "_are_few", lambda problem: False)
    flow = solve_grid(p, q, spacing, metric, never)
    monkeypatch.undo()
    monkeypatch.setattr(_grid, "_flow", None)  # not to be called
    found = solve_grid(p, q, spacing, metric, never)
    assert found.value == pytest.approx(flow.value, rel=1e-13)
    assert found.dual_value == pytest.approx(flow.value, rel=1e-12)
    for axis, h in enumerate(spacing):
        assert np.abs(np.diff(found.potential, axis=axis)).max() <= h * (1 + 1e-12)


def test_empty_cells_cost_little():
    """Of a volume that is nearly empty nothing is computed but what finds its cells."""
    shape, rng = (64, 64, 64), np.random.default_rng(21)
    p, q = np.zeros(shape), np.zeros(shape)
    for histogram in (p, q):
        histogram.flat[rng.choice(p.size, 250, replace=False)] = rng.dirichlet(np.ones(250))
    wasserstein1_grid(p, q)
    tracemalloc.start()
    try:
        wasserstein1_grid(p, q)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 2e6 + 12 * p.size  # of which 8 are the potential; the pairs take the rest
