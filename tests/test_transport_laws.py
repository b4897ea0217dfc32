"""Laws of the exact distance, on problems that break solvers, for every solver that takes them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from divergences import optimal_transport, wasserstein1
from divergences._metrics import Metric
from divergences.transport import _small

from .transport.hard_problems import METRICS, SHAPES, draw

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, largest=40):
    return draw(np.random.default_rng(seed), largest)


def diameter(*clouds):
    return float(np.ptp(np.concatenate(clouds), axis=0).sum())


def agrees(first, second, *clouds):
    return abs(first - second) <= 1e-12 * max(first, second) + 1e-13 * diameter(*clouds)


@pytest.mark.parametrize("solver", [None, "multiscale", "dense", "simplex"])
@given(SEEDS)
def test_every_answer_verifies_and_all_agree(solver, seed):
    problem = drawn(seed)
    x, y, a, b, metric = problem[1:]
    result = optimal_transport(x, y, a, b, metric=metric, solver=solver)
    result.verify()
    assert wasserstein1(x, y, a, b, metric=metric, solver=solver) == result.value
    assert result.gap <= result.tolerance
    assert agrees(result.value, wasserstein1(x, y, a, b, metric=metric), x, y)


@given(SEEDS)
def test_agrees_with_pot_where_its_numbers_are_of_ordinary_size(seed):
    import ot

    problem = drawn(seed)
    x, y, a, b, _ = problem[1:]
    unit = diameter(x, y) or 1.0
    x, y = (x - x[0]) / unit, (y - x[0]) / unit
    masses = [np.full(len(z), 1 / len(z)) if w is None else w for z, w in ((x, a), (y, b))]
    reference = ot.emd2(*masses, ot.dist(x, y, metric="cityblock"), numItermax=10**7)
    value = wasserstein1(x, y, a, b, metric="cityblock")
    assert abs(value - reference) <= 1e-11 * reference + 1e-13 * diameter(x, y)


@given(SEEDS)
def test_the_way_back_is_as_long(seed):
    problem = drawn(seed)
    x, y, a, b, metric = problem[1:]
    there = wasserstein1(x, y, a, b, metric=metric)
    assert agrees(there, wasserstein1(y, x, b, a, metric=metric), x, y)


@given(SEEDS, st.integers(1, 12))
def test_triangles(seed, size):
    problem = drawn(seed)
    x, y, a, b, metric = problem[1:]
    rng = np.random.default_rng(seed)
    z = y[rng.integers(0, len(y), size)] + x[rng.integers(0, len(x), size)] / 3
    direct = wasserstein1(x, y, a, b, metric=metric)
    around = wasserstein1(x, z, a, metric=metric) + wasserstein1(z, y, None, b, metric=metric)
    assert direct <= around + 1e-12 * around + 1e-13 * diameter(x, y, z)


@given(SEEDS, st.sampled_from(METRICS))
def test_a_common_translation_changes_rounding_only(seed, metric):
    problem = drawn(seed)
    x, y, a, b = problem[1:5]
    shift = np.random.default_rng(seed).normal(size=x.shape[1]) * np.abs(x).max()
    moved = wasserstein1(x + shift, y + shift, a, b, metric=metric)
    rounded = 4e-16 * (np.abs(np.concatenate([x, y])).max() + np.abs(shift).max())
    still = wasserstein1(x, y, a, b, metric=metric)
    assert abs(moved - still) <= 1e-12 * still + 1e-13 * diameter(x, y) + x.shape[1] * rounded


@given(SEEDS, st.integers(-60, 60))
def test_powers_of_two_pass_through(seed, exponent):
    problem = drawn(seed)
    x, y, a, b, metric = problem[1:]
    if not 1e-100 < diameter(x, y) < 1e100:
        return
    value = wasserstein1(x, y, a, b, metric=metric)
    scaled = wasserstein1(np.ldexp(x, exponent), np.ldexp(y, exponent), a, b, metric=metric)
    assert scaled == pytest.approx(np.ldexp(value, exponent), rel=1e-15 * (metric != METRICS[0]))


@given(SEEDS, st.integers(2, 40))
def test_a_sample_without_replacement_costs_what_its_points_cost(seed, size):
    """A law against a permutation of itself is 0; against some of its atoms, at most the mean."""
    rng = np.random.default_rng(seed)
    x = SHAPES["uniform"](rng, size, 1, 3)[0]
    assert wasserstein1(x, x[rng.permutation(size)]) == 0.0
    some = x[rng.permutation(size)[: size // 2]]
    every_pair = np.linalg.norm(x[:, None] - some, axis=2)
    value = wasserstein1(x, some)
    assert every_pair.min(axis=1).mean() <= value * (1 + 1e-12)
    assert value <= every_pair.mean() * (1 + 1e-12)


@given(SEEDS, st.floats(0.1, 0.9))
def test_convex_in_pairs_of_laws(seed, share):
    problem = drawn(seed, 12)
    x, y, _, _, metric = problem[1:]
    rng = np.random.default_rng(seed)
    a, c = rng.dirichlet(np.ones(len(x)), 2)
    b, d = rng.dirichlet(np.ones(len(y)), 2)
    mixed = wasserstein1(x, y, share * a + (1 - share) * c, share * b + (1 - share) * d,
                         metric=metric)  # fmt: skip
    first, second = wasserstein1(x, y, a, b, metric=metric), wasserstein1(x, y, c, d, metric=metric)
    bound = share * first + (1 - share) * second
    assert mixed <= bound * (1 + 1e-12) + 1e-13 * diameter(x, y)


@settings(max_examples=12)
@given(SEEDS)
@example(3)
def test_hundreds_of_points_by_every_solver(seed):
    """Sizes at which the compiled kernels of small problems take over from the general way."""
    rng = np.random.default_rng(seed)
    problem = draw(rng, 500, METRICS[:3])
    x, y, a, b, metric = problem[1:]
    value = optimal_transport(x, y, a, b, metric=metric)
    value.verify()
    for solver in ("multiscale", "dense"):
        assert agrees(value.value, wasserstein1(x, y, a, b, metric=metric, solver=solver), x, y)


@pytest.mark.parametrize("solver", [None, "multiscale", "dense", "simplex"])
@pytest.mark.parametrize("few", [1, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_few_points_against_many(few, solver, weighted):
    rng = np.random.default_rng(few)
    x, y = rng.normal(size=(few, 2)), rng.normal(size=(4_500, 2)) + 0.5
    b = rng.dirichlet(np.ones(len(y))) if weighted else None
    result = optimal_transport(x, y, y_weights=b, solver=solver)
    result.verify()
    back = optimal_transport(y, x, b, solver=solver)
    back.verify()
    assert agrees(result.value, back.value, x, y)
    if few == 1:
        lengths = np.linalg.norm(y - x, axis=1)
        assert result.value == pytest.approx(np.average(lengths, weights=b), rel=1e-14)


@pytest.mark.parametrize(
    ("shape", "metric"),
    [("gaussian", "euclidean"), ("lattice", "euclidean"), ("vertices of the cube", "angular")],
)
def test_the_largest_of_the_small_problems(shape, metric):
    """A thousand points a side: costs are rounded to 2^-52, lest potentials overflow."""
    rng = np.random.default_rng(7)
    x, y = SHAPES[shape](rng, 1000, 990, 3)
    if metric == "angular":
        x, y = x + 0.25, y + 0.25
    found = _small.solve(x, y, None, None, Metric(metric))
    value = wasserstein1(x, y, metric=metric)
    assert agrees(value, wasserstein1(x, y, metric=metric, solver="dense"), x, y)
    if found is not None and metric == "euclidean":
        assert found.value == value


def test_atoms_between_few_sources_and_more_sinks():
    """Their potentials come from the sinks, those of the sources must agree with them."""
    problem = draw(np.random.default_rng(8000333), 600)
    x, y, a, b, metric = problem[1:]
    optimal_transport(x, y, a, b, metric=metric, solver="dense").verify()


def test_the_potential_of_an_atom_of_both_laws():
    """It bounds others from both sides, so that of sources must be as exact as that of sinks."""
    problem = draw(np.random.default_rng(40000183))
    x, y, a, b, metric = problem[1:]
    optimal_transport(x, y, a, b, metric=metric, solver="dense").verify()


@pytest.mark.parametrize("seed", [42000468, 42000477])
def test_the_potential_where_light_sources_contradict_it(seed):
    """It is lowered at sources too light to count, and so must be at sinks: one function of z."""
    problem = draw(np.random.default_rng(seed))
    x, y, a, b, metric = problem[1:]
    optimal_transport(x, y, a, b, metric=metric, solver="multiscale").verify()
