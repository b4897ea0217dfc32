"""Values of wasserstein1 against POT, SciPy, exact rationals, and laws of the distance."""

import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from divergences import Discrete, Normal, optimal_transport, wasserstein1
from divergences.problems import measure_pair

from .transport.oracles import exact_distances, exact_masses, exact_transport

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]
CLOUDS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.just(2)),
    elements=st.floats(-1e3, 1e3, allow_subnormal=False),
)


def random_problem(rng):
    """Clouds of 1 to 24 points in 1 to 10 dimensions, every other side weighted."""
    n, m = (int(k) for k in rng.integers(1, 25, 2))
    dimension = int(rng.integers(1, 11))
    x = rng.normal(size=(n, dimension)) * 10 ** rng.uniform(-3, 3)
    y = rng.normal(size=(m, dimension)) * 10 ** rng.uniform(-3, 3)
    weights = [rng.dirichlet(np.full(k, rng.choice([0.1, 1.0]))) for k in (n, m)]
    weights = [w / w.sum() if rng.random() < 0.5 else None for w in weights]
    return x, y, *weights


def uniform_if_none(weights, count):
    return np.full(count, 1 / count) if weights is None else weights


@pytest.mark.parametrize("block", range(10))
def test_agrees_with_pot_on_a_thousand_problems(block):
    import ot

    rng = np.random.default_rng(block)
    for _ in range(100):
        x, y, a, b = random_problem(rng)
        result = optimal_transport(x, y, a, b)
        result.verify()
        distances = np.sqrt(((x[:, None] - y) ** 2).sum(axis=-1))
        first, second = uniform_if_none(a, len(x)), uniform_if_none(b, len(y))
        reference = ot.emd2(first, second, distances, numItermax=10**7)
        assert abs(result.value - reference) <= 1e-12 * reference + 1e-13 * distances.max()
        assert wasserstein1(x, y, a, b) == result.value


def test_agrees_with_scipy_on_assignments_and_on_the_line():
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(11)
    for _ in range(100):
        n, dimension = int(rng.integers(1, 40)), int(rng.integers(2, 6))
        x, y = rng.normal(size=(2, n, dimension))
        distances = np.sqrt(((x[:, None] - y) ** 2).sum(axis=-1))
        reference = distances[linear_sum_assignment(distances)].mean()
        assert wasserstein1(x, y) == pytest.approx(reference, rel=1e-13)

        m = int(rng.integers(1, 40))
        u, v, a = rng.normal(size=n), rng.normal(size=m) + 1, rng.dirichlet(np.ones(n))
        reference = wasserstein_distance(u, v, a)
        assert wasserstein1(u, v, a) == pytest.approx(reference, rel=1e-12)
        assert wasserstein1(u, v, a, solver="simplex") == pytest.approx(reference, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_exact_to_a_few_ulps_in_rational_arithmetic(metric):
    rng = np.random.default_rng(5)
    for case in range(25):
        n, m = (int(k) for k in rng.integers(1, 4, 2))
        dimension = int(rng.integers(1, 4))
        x, y = rng.normal(size=(n, dimension)), rng.normal(size=(m, dimension))
        a = rng.dirichlet(np.ones(n)) if case % 2 else None
        b = rng.dirichlet(np.ones(m)) if case % 3 else None
        with mp.workdps(50):
            cost = exact_distances(x, y, metric)
            truth = exact_transport(cost, exact_masses(a, n), exact_masses(b, m))
            # Angles come from rounded unit vectors, so they are accurate relatively to 1.
            size = truth if metric != "angular" else 1
            error = abs(mp.mpf(float(wasserstein1(x, y, a, b, metric=metric))) - truth)
            assert error <= 8 * mp.mpf(2) ** -53 * size


@pytest.mark.parametrize("noise", [1e-6, 1e-11, 1e-15])
@pytest.mark.parametrize("dimension", [1, 2])
def test_nearly_equal_weights_keep_their_digits(noise, dimension):
    rng = np.random.default_rng(3)
    for _ in range(20):
        x = rng.normal(size=(3, dimension))
        a = rng.dirichlet(np.ones(3))
        b = a * (1 + noise * rng.normal(size=3))
        b /= b.sum()
        order = rng.permutation(3)
        with mp.workdps(60):
            cost = exact_distances(x, x, "euclidean")
            truth = exact_transport(cost, exact_masses(a, 3), exact_masses(b, 3))
            found = wasserstein1(x, x[order], a, b[order])
            assert abs(mp.mpf(float(found)) - truth) <= 8 * mp.mpf(2) ** -53 * truth


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("atoms", ["random", "grid", "ties", "near ties"])
def test_parallel_lines_to_four_ulps(atoms, sign):
    rng = np.random.default_rng(17)
    for case in range(150):
        m = int(rng.integers(1, 60))
        z = rng.random(m)
        if atoms == "grid":
            z = np.arange(m) / m
        elif "ties" in atoms:
            z = np.round(z, 1) + (1e-9 * rng.random(m) if atoms == "near ties" else 0)
        theta = sign * 10.0 ** (rng.uniform(-300, 300) if case % 2 else rng.uniform(-12, 4))
        a = [None, rng.dirichlet(np.ones(m)), rng.dirichlet(np.full(m, 0.1)) + 1e-9][case % 3]
        a = a if a is None else a / a.sum()
        order = rng.permutation(m)
        x, y = np.stack([np.zeros(m), z], 1), np.stack([np.full(m, theta), z], 1)[order]
        value = wasserstein1(x, y, a, a if a is None else a[order])
        assert abs(value - abs(theta)) <= 4 * np.spacing(abs(theta))
        assert wasserstein1(x, x[order], a, a if a is None else a[order]) == 0.0


def test_problems_with_known_answers():
    rng = np.random.default_rng(2)
    for _ in range(200):
        pair = measure_pair(rng)
        error = abs(wasserstein1(*pair.measures) - pair.wasserstein1)
        assert error <= 1e-12 * pair.wasserstein1 + 1e-13 * pair.diameter


DEGENERATE = {
    "one point each": lambda x, y: (x[:1], y[:1]),
    "one against many": lambda x, y: (x[:1], y),
    "all equal": lambda x, y: (np.ones_like(x), np.ones_like(y)),
    "two places": lambda x, y: (np.ones_like(x), np.full_like(y, 3.0)),
    "collinear": lambda x, y: (x[:, :1] * [1.0, 2, 3], y[:, :1] * [1.0, 2, 3]),
    "lattice": lambda x, y: (np.round(x), np.round(y)),
    "clusters": lambda x, y: (x + 1e6 * (x[:, :1] > 0), y + 1e6 * (y[:, :1] > 0)),
    "offset": lambda x, y: (x + 1e9, y + 1e9),
    "tiny": lambda x, y: (x * 1e-150, y * 1e-150),
    "huge": lambda x, y: (x * 1e150, y * 1e150),
    "subnormal": lambda x, y: (x * 1e-320, y * 1e-320),
    "smallest": lambda x, y: (np.round(x) * 5e-324, np.round(y) * 5e-324),
    "end of range": lambda x, y: (x * 1.5e307, y * 1.5e307),
    "coordinates of many scales": lambda x, y: (x * [1, 1e-9, 1e-200], y * [1, 1e-9, 1e-200]),
    "points of many scales": lambda x, y: (
        x * 10.0 ** -np.arange(len(x))[:, None],
        y * 10.0 ** -np.arange(len(y))[:, None],
    ),
}


@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("shape", DEGENERATE)
def test_degenerate_geometry_is_certified(shape, metric):
    rng = np.random.default_rng(9)
    for case in range(4):
        x, y = DEGENERATE[shape](rng.normal(size=(13, 3)), rng.normal(size=(9, 3)))
        if metric == "angular" and not (x.any(axis=1).all() and y.any(axis=1).all()):
            continue
        a, b = rng.random(len(x)), rng.random(len(y)) * 10.0 ** rng.uniform(-320, 0, len(y))
        a[1:] *= rng.integers(0, 2, len(x) - 1)
        b[0] = 1.0
        weights = (None, None) if case == 0 else (a / a.sum(), b / b.sum())
        result = optimal_transport(x, y, *weights, metric=metric)
        result.verify()
        assert -1e-300 <= result.gap <= result.tolerance
        back = wasserstein1(y, x, *weights[::-1], metric=metric)
        assert abs(result.value - back) <= 1e-12 * result.value


def test_identical_clouds_in_any_order_give_exactly_zero():
    rng = np.random.default_rng(1)
    for dimension in (1, 2, 7):
        for metric in METRICS:
            x = rng.normal(size=(30, dimension))
            x[10:] = x[rng.integers(0, 10, 20)]
            a = rng.dirichlet(np.ones(30))
            order = rng.permutation(30)
            assert wasserstein1(x, x[order], a, a[order], metric=metric) == 0.0
            assert wasserstein1(x, x[order], metric=metric) == 0.0
    assert wasserstein1([[0.0, 1.0]], [[-0.0, 1.0]]) == 0.0


@given(CLOUDS, CLOUDS, CLOUDS)
def test_metric_axioms(x, y, z):
    there, back = wasserstein1(x, y), wasserstein1(y, x)
    assert there >= 0
    assert abs(there - back) <= 4 * np.spacing(there)
    assert wasserstein1(x, z) <= there + wasserstein1(y, z) + 1e-9


@given(CLOUDS, CLOUDS, st.integers(-60, 60))
def test_powers_of_two_scale_to_the_bit(x, y, exponent):
    factor = 2.0**exponent
    assert wasserstein1(x * factor, y * factor) == wasserstein1(x, y) * factor


@given(hnp.arrays(np.int64, (5, 2), elements=st.integers(-50, 50)), st.integers(-(2**30), 2**30))
def test_common_translations_of_lattices_change_nothing(x, shift):
    y = x[::-1] * 2 + 1
    assert wasserstein1(x + shift, y + shift) == wasserstein1(x, y)


def test_zero_weight_is_no_atom():
    x, y = [[0.0, 0.0], [1e9, 5.0]], [[1.0, 0.0], [0.0, -3e8]]
    assert wasserstein1(x, y, [1.0, 0.0], [1.0, 0.0]) == 1.0


def test_batches_are_their_members():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(3, 1, 4, 2)), rng.normal(size=(2, 5, 2))
    a, b = rng.dirichlet(np.ones(4), size=(3, 1)), rng.dirichlet(np.ones(5))
    values = wasserstein1(x, y, a, b)
    assert values.shape == (3, 2)
    assert values.dtype == np.float64
    for i in range(3):
        for j in range(2):
            single = wasserstein1(x[i, 0], y[j], a[i, 0], b)
            assert abs(values[i, j] - single) <= 4 * np.spacing(single)
    tensors = wasserstein1(*(torch.tensor(array) for array in (x, y, a, b)))
    assert (tensors.numpy() == values).all()
    assert wasserstein1(np.zeros((0, 3, 2)), y[0]).shape == (0,)
    assert wasserstein1(torch.zeros(0, 3, 2), torch.zeros(4, 2)).shape == (0,)


def test_laws_and_samples_mix():
    law = Discrete([[0.0, 0.0], [1.0, 0.0]], [0.25, 0.75])
    assert wasserstein1(law, [[1.0, 0.0]]) == 0.25
    assert wasserstein1([[1.0, 0.0]], law) == 0.25
    assert wasserstein1(law, law) == 0.0
    assert wasserstein1(Normal(0.0, 1.0), Normal(2.0, 1.0)) == 2.0
    samples = [0.3, -1.0]
    assert wasserstein1(samples, Normal(0, 1)) == wasserstein1(Discrete(samples), Normal(0, 1))
    with pytest.raises(NotImplementedError, match="samples"):
        wasserstein1(Normal(0, 1), torch_law())


def torch_law():
    """A law for which no closed form is known."""
    from divergences.measures import Law

    class Unknown(Law):
        pass

    return Unknown()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float64", "float64"),
        ("float32", "float32"),
        ("float16", "float32"),
        ("int64", "float64"),
        ("bool", "float64"),
    ],
)
def test_dtypes(dtype, expected):
    x, y = np.array([0, 1], dtype=dtype), np.array([1, 1], dtype=dtype)
    for shaped in ((x, y), (x[:, None].repeat(2, 1), y[:, None].repeat(2, 1))):
        value = wasserstein1(*shaped)
        assert type(value) is getattr(np, expected)
        tensor = wasserstein1(*(torch.from_numpy(array) for array in shaped))
        assert tensor.shape == ()
        assert tensor.dtype == getattr(torch, expected)
        assert tensor.item() == value


def test_numpy_and_torch_agree_to_the_bit():
    rng = np.random.default_rng(8)
    for _ in range(30):
        x, y, a, b = random_problem(rng)
        given_arrays = (x, y, a, b)
        tensors = [None if array is None else torch.tensor(array) for array in given_arrays]
        assert wasserstein1(*tensors).item() == wasserstein1(*given_arrays)


def test_the_fast_value_on_the_line_is_that_of_the_plan():
    rng = np.random.default_rng(6)
    for n, m in ((50, 50), (50, 31), (1, 7)):
        for weighted in (False, True):
            x, y = rng.normal(size=n), rng.normal(size=m)
            a = rng.dirichlet(np.ones(n)) if weighted else None
            assert wasserstein1(x, y, a) == optimal_transport(x, y, a).value


def test_callable_metric_is_used_as_given():
    x, y = np.random.default_rng(0).normal(size=(2, 6, 3))

    def city(p, q):
        return abs(p[:, None, :] - q[None, :, :]).sum(-1)

    value = wasserstein1(x, y, metric="cityblock")
    assert wasserstein1(x, y, metric=city) == pytest.approx(value, rel=1e-14)
    tensors = torch.tensor(x), torch.tensor(y)
    assert wasserstein1(*tensors, metric=city).item() == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    "problem",
    [
        "[0.0, 1.0], [2.0, 5.0, 1.0]",
        "[[0.0, 1.0]], [[2.0, 5.0], [3.0, 1.0]]",
        "[[0.0, 1.0], [0.0, 5.0]], [[-0.0, 5.0], [-0.0, 1.0]]",
    ],
    ids=["line", "one atom", "identical but for the sign of zero"],
)
def test_easy_problems_do_not_import_the_solver(problem):
    program = (
        f"import sys; from divergences import wasserstein1; wasserstein1({problem}); "
        "sys.exit(any(name in sys.modules for name in ('ot', 'torch', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_differences_that_overflow_are_no_warning():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1, (4, 2))
    distance = wasserstein1(x, -x, metric=("minkowski", 3.0))
    with pytest.raises(ValueError, match="must be so close"):
        wasserstein1(1.7e308 * x, -1.7e308 * x, metric=("minkowski", 3.0))
    assert wasserstein1(1e307 * x, -1e307 * x, metric=("minkowski", 3.0)) == pytest.approx(
        1e307 * distance, rel=1e-14
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_tensors_without_a_graph_have_the_bits_of_arrays(dtype, weighted):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn((2, 40, 3), generator=generator, dtype=dtype)
    a = torch.softmax(torch.randn(40, generator=generator, dtype=dtype), 0) if weighted else None
    value = wasserstein1(x, y, a)
    assert value.dtype == dtype
    assert not value.requires_grad
    expected = wasserstein1(x.numpy(), y.numpy(), None if a is None else a.numpy())
    assert value.numpy() == expected
    one = wasserstein1(x[None], y[None], None if a is None else a[None])
    assert one.shape == (1,)
    assert one.numpy() == expected
    followed = wasserstein1(x.requires_grad_(), y, a)
    assert followed.requires_grad
    assert followed.item() == value.item()
