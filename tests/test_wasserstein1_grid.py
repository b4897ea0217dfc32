"""The public wasserstein1_grid: values against oracles, laws, gradients, refusals."""

import itertools
from unittest import mock

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from divergences import optimal_transport, wasserstein1, wasserstein1_grid
from divergences.transport import _grid

from .transport.oracles import exact_masses, exact_norm, exact_transport

NORMS = ["cityblock", "euclidean", "chebyshev", ("minkowski", 3.0)]
ORDERS = {"cityblock": 1, "euclidean": 2, "chebyshev": np.inf, ("minkowski", 3.0): 3}


def flow_only():
    """Solve every cityblock grid of several axes as a flow, however few its cells."""
    return mock.patch.object(_grid, "_FEW_PAIRS", 0)


def normalised(weights):
    weights = np.asarray(weights, dtype=float)
    return weights / weights.sum()


def random_pair(rng, shape, zeros=0.3):
    pair = []
    for _ in range(2):
        weights = rng.random(shape) ** 3 * (rng.random(shape) >= zeros)
        weights.flat[rng.integers(weights.size)] += 0.1
        pair.append(normalised(weights))
    return pair


def steps(shape, spacing, periodic):
    """Differences of all pairs of cells along each axis, the shorter way round: (N, N, d)."""
    index = np.argwhere(np.ones(shape))
    apart = np.abs(index[:, None] - index[None])
    for axis, size in enumerate(shape):
        if np.broadcast_to(periodic, len(shape))[axis]:
            apart[..., axis] = np.minimum(apart[..., axis], size - apart[..., axis])
    return apart * np.broadcast_to(spacing, len(shape))


def by_matrix(p, q, spacing=1.0, metric="cityblock", periodic=False):
    """The value from the matrix of all distances, and the diameter."""
    order = ORDERS[metric]
    cost = np.linalg.norm(steps(p.shape, spacing, periodic), ord=order, axis=-1)
    result = optimal_transport(cost=cost, x_weights=p.ravel(), y_weights=q.ravel())
    return float(result.value), cost.max()


def agrees(value, truth, diameter):
    return abs(value - truth) <= 1e-12 * truth + 1e-13 * diameter


SHAPES = [(1,), (7,), (1, 6), (6, 1), (5, 4), (2, 2), (1, 1), (3, 1, 4), (3, 4, 2), (1, 2, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("metric", NORMS, ids=str)
def test_agrees_with_all_distances(shape, metric):
    rng = np.random.default_rng(len(shape))
    for spacing in (1.0, tuple(rng.uniform(0.2, 3.0, len(shape)))):
        p, q = random_pair(rng, shape)
        truth, diameter = by_matrix(p, q, spacing, metric)
        with flow_only():
            assert agrees(wasserstein1_grid(p, q, spacing=spacing, metric=metric), truth, diameter)


@pytest.mark.parametrize(
    "shape", [(5,), (2,), (8,), (3, 3), (4, 5), (1, 6), (2, 7), (3, 4, 3)], ids=str
)
def test_periodic_axes_agree_with_all_distances(shape):
    rng = np.random.default_rng(sum(shape))
    for periodic in itertools.product((False, True), repeat=len(shape)):
        spacing = tuple(rng.uniform(0.2, 3.0, len(shape)))
        p, q = random_pair(rng, shape)
        truth, diameter = by_matrix(p, q, spacing, "cityblock", periodic)
        value = wasserstein1_grid(p, q, spacing=spacing, periodic=periodic)
        assert agrees(value, truth, diameter)


@pytest.mark.parametrize("size", [30, 100])
@pytest.mark.parametrize("metric", ["cityblock", "euclidean", "chebyshev"])
def test_images_agree_with_points(size, metric):
    rng = np.random.default_rng(size)
    shape = (size, size // 3)
    p, q = random_pair(rng, shape, zeros=0.8 if size > 50 else 0.2)
    cells = np.argwhere(np.ones(shape)) * [0.5, 1.5]
    kept = [weights.ravel() > 0 for weights in (p, q)]
    truth = wasserstein1(
        cells[kept[0]], cells[kept[1]], p.ravel()[kept[0]], q.ravel()[kept[1]],
        metric=metric, solver="simplex",
    )  # fmt: skip
    value = wasserstein1_grid(p, q, spacing=(0.5, 1.5), metric=metric)
    assert agrees(value, truth, np.ptp(cells, axis=0).sum())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("metric", NORMS, ids=str)
def test_tiny_grids_agree_with_rational_arithmetic(seed, metric):
    rng = np.random.default_rng(seed)
    shape = (2, 3)
    spacing = [float(2.0 ** rng.integers(-3, 4)), float(rng.uniform(0.5, 2))]
    cells = np.argwhere(np.ones(shape))
    p, q = np.zeros(shape), np.zeros(shape)
    places = rng.permutation(6)
    p.flat[places[:3]] = rng.dirichlet(np.ones(3))
    q.flat[places[3:]] = rng.dirichlet([1e-2, 1, 1])
    with mp.workdps(60):
        points = [
            [mp.mpf(int(i)) * mp.mpf(h) for i, h in zip(c, spacing, strict=True)] for c in cells
        ]
        order = ORDERS[metric]
        cost = [
            [exact_norm([a - b for a, b in zip(points[i], points[j], strict=True)], mp.mpf(order))
             for j in places[3:]]
            for i in places[:3]
        ]  # fmt: skip
        truth = exact_transport(
            cost, exact_masses(p.flat[places[:3]], 3), exact_masses(q.flat[places[3:]], 3)
        )
        with flow_only():
            value = wasserstein1_grid(p, q, spacing=spacing, metric=metric)
        assert abs(mp.mpf(float(value)) / truth - 1) <= 1e-15 * 8


def test_the_line_agrees_with_scipy_and_is_relatively_exact():
    rng = np.random.default_rng(0)
    p, q = random_pair(rng, (500,))
    cells = 0.25 * np.arange(500)
    assert wasserstein1_grid(p, q, spacing=0.25) == pytest.approx(
        wasserstein_distance(cells, cells, p, q), rel=1e-12
    )
    p = np.full(1000, 1e-3)
    p[0] -= 1e-17
    q = p[::-1].copy()
    moved = mp.mpf(float(p[-1])) - mp.mpf(float(p[0]))
    truth = moved * 999 / mp.fsum(map(float, p))
    assert abs(float(wasserstein1_grid(p, q)) / truth - 1) <= 1e-15


@given(st.lists(st.integers(0, 9), min_size=3, max_size=9), st.randoms(use_true_random=False))
def test_the_circle_agrees_with_every_cut(weights, random):
    weights[0] += 1
    other = weights.copy()
    random.shuffle(other)
    p, q = normalised(weights), normalised(other)
    # Cut open at every arc: the shortest of the lines' distances, mass going round included.
    cumulated = np.cumsum(np.array(weights) - np.array(other))
    truth = min(np.abs(cumulated - c).sum() for c in cumulated) / sum(weights)
    assert wasserstein1_grid(p, q, spacing=3.0, periodic=True) == pytest.approx(
        3 * truth, rel=1e-14, abs=1e-15
    )


entries = st.one_of(
    st.just(0.0), st.integers(0, 3).map(float), st.floats(0, 1), st.sampled_from([5e-324, 1e-300])
)


@st.composite
def problems(draw, count=2):
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    histograms = []
    for _ in range(count):
        weights = np.zeros(shape)
        if not draw(st.booleans()):
            values = draw(st.lists(entries, min_size=weights.size, max_size=weights.size))
            weights.flat[:] = values
        weights.flat[draw(st.integers(0, weights.size - 1))] += 1.0
        histograms.append(normalised(weights))
    scale = draw(st.sampled_from([1.0, 1e-150, 1e150, 0.1]))
    ratios = draw(
        st.lists(
            st.sampled_from([1.0, 2.0, 0.3, 1e-9, 7.77]), min_size=len(shape), max_size=len(shape)
        )
    )
    periodic = [draw(st.booleans()) for _ in shape]
    return histograms, [scale * ratio for ratio in ratios], periodic


@given(problems())
@settings(max_examples=60)
def test_any_problem_agrees_with_all_distances(problem):
    (p, q), spacing, periodic = problem
    scale = max(spacing)
    truth, diameter = by_matrix(p, q, np.array(spacing) / scale, "cityblock", periodic)
    with flow_only():
        value = wasserstein1_grid(p, q, spacing=spacing, periodic=periodic)
        assert value >= 0
        # The oracle's own weights are rounded where they are subnormal: 1e-300 of the diameter.
        assert agrees(value / scale, truth, diameter + 1e-280)
        assert wasserstein1_grid(q, p, spacing=spacing, periodic=periodic) == pytest.approx(
            value, rel=1e-12
        )
        assert wasserstein1_grid(p, p, spacing=spacing, periodic=periodic) == 0


@given(problems(count=3), st.sampled_from(NORMS))
@settings(max_examples=40)
def test_triangle_inequality(problem, metric):
    (p, q, r), spacing, periodic = problem
    if metric != "cityblock":
        periodic = False
    options = {"spacing": spacing, "metric": metric, "periodic": periodic}
    a, b, c = (wasserstein1_grid(*pair, **options) for pair in ((p, r), (p, q), (q, r)))
    assert a <= (b + c) * (1 + 1e-12) + 1e-13 * max(spacing)


@pytest.mark.parametrize("metric", NORMS, ids=str)
def test_translation_and_scaling(metric):
    rng = np.random.default_rng(1)
    p, q = random_pair(rng, (12, 9))
    value = wasserstein1_grid(p, q, metric=metric)
    padded = [np.pad(h, ((2, 3), (4, 1))) for h in (p, q)]
    assert wasserstein1_grid(*padded, metric=metric) == pytest.approx(value, rel=1e-12)
    assert wasserstein1_grid(p, q, metric=metric, spacing=2.0**-400) == 2.0**-400 * value
    moved = np.pad(p, ((0, 2), (0, 3))), np.pad(p, ((2, 0), (3, 0)))
    apart = np.linalg.norm([2.0, 3.0], ord=ORDERS[metric])
    assert wasserstein1_grid(*moved, metric=metric) == pytest.approx(apart, rel=1e-12)


def test_periodic_translation_is_free_to_choose_the_shorter_way():
    rng = np.random.default_rng(2)
    p, q = random_pair(rng, (24, 20))
    value = wasserstein1_grid(p, q, periodic=True)
    rolled = [np.roll(h, (7, 11), axis=(0, 1)) for h in (p, q)]
    assert wasserstein1_grid(*rolled, periodic=True) == pytest.approx(value, rel=1e-12)
    assert value <= wasserstein1_grid(p, q, periodic=(True, False)) <= wasserstein1_grid(p, q)
    one, other = np.zeros((24, 20)), np.zeros((24, 20))
    one[0, 0] = other[-1, -1] = 1.0
    assert wasserstein1_grid(one, other, periodic=True) == 2.0


def test_nearly_equal_histograms_lose_no_digits():
    rng = np.random.default_rng(3)
    p = rng.integers(1, 2**20, (20, 20)).astype(float)
    q = p.copy()
    q[3, 4], q[17, 9] = q[3, 4] - 2.0**-30, q[17, 9] + 2.0**-30
    truth = 19 * 2.0**-30 / p.sum()
    assert wasserstein1_grid(normalised_exactly(p), normalised_exactly(q)) == pytest.approx(
        truth * p.sum() / 2.0**29, rel=1e-14
    )


def normalised_exactly(weights):
    """Divided by a power of two, the rest of the mass in one more cell: no rounding."""
    scaled = weights / 2.0**29
    result = np.zeros((weights.shape[0], weights.shape[1] + 1))
    result[:, :-1] = scaled
    result[0, -1] = 1 - scaled.sum()
    return result


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((6,), {}),
        ((6,), {"periodic": True}),
        ((3, 4), {}),
        ((3, 4), {"periodic": True, "spacing": (1.0, 0.3)}),
        ((3, 4), {"metric": "euclidean", "spacing": (0.7, 1.3)}),
        ((2, 3, 2), {"metric": "chebyshev", "spacing": (0.7, 1.3, 1.1)}),
    ],
    ids=str,
)
def test_gradients_of_softmax_histograms(shape, options):
    rng = np.random.default_rng(4)
    logits = [torch.tensor(rng.normal(size=shape), requires_grad=True) for _ in range(2)]

    def distance(s, t):
        p, q = (logit.flatten().softmax(0).reshape(shape) for logit in (s, t))
        return wasserstein1_grid(p, q, **options)

    with flow_only():
        assert torch.autograd.gradcheck(distance, logits)


@pytest.mark.parametrize("metric", ["cityblock", "euclidean"])
def test_gradients_at_cells_without_mass_are_those_of_mass_moved_there(metric):
    p, q = torch.zeros(5, 6, dtype=torch.float64), torch.zeros(5, 6, dtype=torch.float64)
    p[1, 1] = q[3, 4] = 1.0
    p.requires_grad_(True)
    wasserstein1_grid(p, q, metric=metric).backward()
    assert abs((p.detach() * p.grad).sum()) <= 1e-15
    cells = np.argwhere(np.ones((5, 6)))
    to_sink = np.linalg.norm(cells - [3, 4], ord=ORDERS[metric], axis=1).reshape(5, 6)
    np.testing.assert_allclose(p.grad.numpy(), to_sink - to_sink[1, 1], atol=1e-14)


def test_libraries_and_dtypes():
    p, q = [[0.5, 0.5], [0.0, 0.0]], [[0.0, 0.0], [0.25, 0.75]]
    value = wasserstein1_grid(p, q)
    assert isinstance(value, np.float64)
    assert value == 1.25
    single = wasserstein1_grid(np.float32(p), np.float32(q))
    assert isinstance(single, np.float32)
    tensor = wasserstein1_grid(torch.tensor(p, dtype=torch.float32), torch.tensor(q))
    assert tensor.shape == ()
    assert tensor.dtype == torch.float32
    assert not tensor.requires_grad
    same = torch.tensor(p, requires_grad=True)
    zero = wasserstein1_grid(same, same.detach())
    zero.backward()
    assert zero == 0
    assert (same.grad == 0).all()
    thirds = np.full((3, 3, 3), 1 / 27, dtype=np.float32)
    assert wasserstein1_grid(thirds, np.full((3, 3, 3), 1 / 27)) == 0


HALF = np.full(2, 0.5)


@pytest.mark.parametrize(
    ("p", "q", "options", "error", "words"),
    [
        (np.full((2, 2), 0.25), HALF, {}, ValueError, "same shape"),
        (np.full((1, 1, 1, 2), 0.5), HALF, {}, ValueError, "1, 2 or 3 axes"),
        (1.0, 1.0, {}, ValueError, "1, 2 or 3 axes"),
        (np.zeros((2, 0)), np.zeros((2, 0)), {}, ValueError, "at least one"),
        ([0.5, 0.6], HALF, {}, ValueError, "sum to 1"),
        ([1.5, -0.5], HALF, {}, ValueError, "non-negative"),
        (np.array([[0.5, 1.0], [-0.5, 0.0]]), np.full((2, 2), 0.25), {}, ValueError,
         r"p must be non-negative; got -0\.5 at index \(1, 0\)"),
        (np.full((2, 2), 0.25), np.array([[0.5, np.inf], [0.5, 0.0]]), {}, ValueError,
         r"q must be finite; got inf at index \(0, 1\)"),
        ([np.nan, 1.0], HALF, {}, ValueError, "finite"),
        (torch.tensor(HALF), HALF, {}, TypeError, "one array library"),
        (HALF, HALF, {"spacing": 0.0}, ValueError, "positive"),
        (HALF, HALF, {"spacing": np.inf}, ValueError, "finite"),
        (HALF, HALF, {"spacing": "1"}, TypeError, "positive finite number"),
        (HALF, HALF, {"spacing": (1.0, 1.0)}, ValueError, "one entry for each of the 1 axes"),
        (HALF, HALF, {"periodic": 1}, TypeError, "bool"),
        (HALF, HALF, {"periodic": (True, False)}, ValueError, "one entry for each"),
        (HALF, HALF, {"metric": "angular"}, ValueError, "norm"),
        (HALF, HALF, {"metric": lambda x, y: None}, ValueError, "norm"),
        (HALF, HALF, {"metric": "taxi"}, ValueError, "metric"),
        (np.full((2, 2), 0.25), np.full((2, 2), 0.25),
         {"metric": "euclidean", "periodic": True}, NotImplementedError, "cityblock"),
        ([1.0, 0, 0, 0], [0, 0, 0, 1.0], {"spacing": 1e308}, ValueError, "spacing"),
    ],
)  # fmt: skip
def test_refusals(p, q, options, error, words):
    with pytest.raises(error, match=words) as caught:
        wasserstein1_grid(p, q, **options)
    assert str(caught.value).startswith("wasserstein1_grid: ")


@pytest.mark.parametrize("count", [2, 30, 500, 20_000])
def test_many_cells_on_a_line_to_the_last_digits(count):
    rng = np.random.default_rng(count)
    p, q = random_pair(rng, (count, 1))
    near = p.copy()
    near[:2] = near[:2].mean()
    far = normalised(np.exp(30 * rng.normal(size=(count, 1))))
    for other in (q, near, far):
        value = wasserstein1_grid(p, other, spacing=(0.3, 1.0))
        exact = _grid.solve_grid(p, other, (0.3, 1.0), _grid.Metric("cityblock", 1.0), (False,) * 2)
        assert value == pytest.approx(exact.value, rel=4e-16, abs=0.0)
    assert wasserstein1_grid(p, p.copy()) == 0


@pytest.mark.parametrize("count", [30, 3000, 100_000])
@pytest.mark.parametrize("spacing", [0.1, 1 / 3, 1e300, 7e-300])
def test_cells_far_along_a_line_are_as_far_apart_as_the_first(count, spacing):
    p, q = np.zeros((2, count))
    p[-2] = q[-1] = 1.0
    assert wasserstein1_grid(p, q, spacing=spacing) == spacing
