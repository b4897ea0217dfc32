"""wasserstein1_bracket: always an enclosure, in about the time given, closed once solved."""

import math
import time
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from divergences import Bracket, Discrete, TimeLimitReached, wasserstein1, wasserstein1_bracket
from divergences._metrics import Metric
from divergences.transport import Clock, _choose, _low_dimension, couple, solve_points
from divergences.transport._part_by_part import improvements

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]


def city(p, q):
    return abs(p[:, None, :] - q[None, :, :]).sum(-1)


def encloses(bracket, value):
    assert isinstance(bracket, Bracket)
    assert 0 <= bracket.lower <= bracket.upper < math.inf
    assert bracket.lower <= value * (1 + 1e-12)
    assert bracket.upper >= value * (1 - 1e-12)


@given(st.integers(0, 2**32), st.sampled_from(METRICS), st.integers(1, 4), st.booleans())
def test_encloses_whether_solved_or_not(seed, metric, dimension, weighted):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, dimension)), rng.normal(size=(5, dimension)) + 1
    if weighted:
        y[:2] = x[:2]
    a, b = (rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(5))) if weighted else (None, None)
    value = wasserstein1(x, y, a, b, metric=metric)
    solved = wasserstein1_bracket(x, y, a, b, metric=metric, seconds=20)
    encloses(solved, value)
    assert solved.upper == pytest.approx(value, rel=1e-12)
    assert solved.upper - solved.lower <= 1e-9 * value + 1e-12
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("divergences._bracket.within", lambda seconds, work: None)
        encloses(wasserstein1_bracket(x, y, a, b, metric=metric, seconds=1), value)
        encloses(wasserstein1_bracket(x, y, a, b, metric=city, seconds=1),
                 wasserstein1(x, y, a, b, metric="cityblock"))  # fmt: skip


def unsolved(patch, *laws, **keywords):
    """The bracket of what is known before a problem as a whole is solved, whatever that takes."""
    with patch.context() as context:
        context.setattr("divergences._bracket._solved", lambda problem, clock: None)
        context.setattr("divergences._bracket._PAIRS_SOLVED_SOON", 0)
        return wasserstein1_bracket(*laws, seconds=1e4, **keywords)


@given(st.integers(0, 2**32), st.sampled_from(METRICS), st.integers(1, 4), st.booleans(),
       st.sampled_from([0.0, 1e6]))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_encloses_what_is_solved_in_parts_alone(seed, metric, dimension, weighted, offset):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(60, 300, size=2)
    x = rng.standard_t(2, size=(n, dimension)) + offset
    y = rng.standard_t(2, size=(m, dimension)) * rng.uniform(0.5, 2) + offset
    a, b = (rng.dirichlet(np.full(k, 0.3)) if weighted else None for k in (n, m))
    if weighted:
        a[: n // 3] = 0
        a /= a.sum()
    y[: m // 4] = x[0]
    bracket = unsolved(pytest.MonkeyPatch, x, y, a, b, metric=metric)
    encloses(bracket, wasserstein1(x, y, a, b, metric=metric))


def two_laws(kind, rng):
    if kind == "shifted":
        return rng.normal(size=(1500, 2)), rng.normal(size=(1200, 2)) + 0.3, 0.06
    if kind == "scaled":
        return rng.normal(size=(1500, 3)), 2 * rng.normal(size=(1500, 3)), 0.25
    centres = 5 * rng.normal(size=(6, 2))
    clouds = (
        centres[
            rng.integers(
                0,
                6,
                1500,
            )
        ]
        for _ in range(2)
    )
    x, y = (cloud + 0.1 * rng.normal(size=(1500, 2)) for cloud in clouds)
    return x, y + 1.5 * (y[:, :1] > 0), 0.15


@pytest.mark.parametrize("kind", ["shifted", "scaled", "clusters"])
def test_parts_and_samples_alone_bracket_well(kind):
    x, y, width = two_laws(kind, np.random.default_rng(3))
    value = wasserstein1(x, y)
    bracket = unsolved(pytest.MonkeyPatch, x, y)
    encloses(bracket, value)
    assert bracket.upper - bracket.lower <= width * value
    first = _first_of_all(x, y)
    encloses(first, value)
    assert bracket.upper - bracket.lower < 0.5 * (first.upper - first.lower)


def _first_of_all(x, y):
    clock = Clock(1.0)
    clock.stop()
    return couple(x, y, None, None, Metric("euclidean"), clock).bracket


def test_the_rounds_over_parts_end_without_a_clock():
    """Once a turn of all functions gains nothing, and at cost 0, than which nothing is less."""
    points = np.random.default_rng(4).normal(size=(300, 2))
    one = points[:1]
    for x, y in (
        (points, points.copy()),
        (points, points + 1),
        (one.repeat(9, 0), one.repeat(7, 0)),
    ):
        clock = Clock(1e9)
        coupled = couple(x, y, None, None, Metric("euclidean"), clock)
        assert len(list(islice(improvements(coupled, clock, 1.0), 200))) < 200


@pytest.mark.parametrize(
    ("metric", "step", "norm"),
    [("euclidean", [3.0, 4.0, 0.0], 5.0), ("cityblock", [3.0, -4.0, 1.0], 8.0),
     ("chebyshev", [1.0, -6.0, 2.0], 6.0), (("minkowski", 3.0), [3.0, 4.0, 5.0], 6.0)],
)  # fmt: skip
def test_a_translation_is_known_at_once_from_below(metric, step, norm):
    """The linear function along the step has slope 1, and W1 is the norm of the step."""
    x = np.random.default_rng(5).normal(size=(500, 3))
    bracket = unsolved(pytest.MonkeyPatch, x, x + step, metric=metric)
    assert bracket.lower == pytest.approx(norm, rel=1e-9)
    assert bracket.lower <= norm * (1 + 1e-14)
    assert bracket.upper >= norm * (1 - 1e-14)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_multiscale_solver_tells_bounds_from_level_to_level(dimension, monkeypatch):
    monkeypatch.setattr("divergences.transport._multiscale._TOLD", 0)
    rng = np.random.default_rng(6)
    x, y = rng.random((1500, dimension)), rng.random((1100, dimension)) ** 2
    told = []
    metric = Metric("euclidean")
    solution = solve_points(x, y, None, None, metric, "multiscale", Clock(listener=told.append))
    assert len(told) == 2  # 64 and 256 clusters, before the points
    for bracket in told:
        encloses(bracket, solution.value)
    widths = [bracket.upper - bracket.lower for bracket in told]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.2 * solution.value
    alone = solve_points(x, y, None, None, metric, "multiscale")
    assert alone.value == solution.value


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200])
def test_at_the_ends_of_the_range(scale):
    x, y = np.array([[1.0, 2.0], [3.0, 1.0]]) * scale, np.array([[2.0, 2.0], [5.0, 2.0]]) * scale
    bracket = wasserstein1_bracket(x, y, seconds=20)
    encloses(bracket, wasserstein1(x, y))


def test_equal_laws():
    x = np.random.default_rng(0).normal(size=(50, 3))
    bracket = wasserstein1_bracket(x, x[::-1], seconds=20)
    assert bracket.lower == 0.0
    assert bracket.upper <= 1e-12


def moved_along_an_axis(x, y, a, b):
    """The exact distance of laws whose points differ in one coordinate."""
    ends = [(Fraction(p), Fraction(w)) for p, w in zip(x.tolist(), a.tolist(), strict=True)]
    sums = sum(w for _, w in ends), sum(map(Fraction, b.tolist()))
    ends = [(p, w / sums[0]) for p, w in ends]
    ends += [(Fraction(p), -Fraction(w) / sums[1]) for p, w in zip(y.tolist(), b.tolist(),
                                                                  strict=True)]  # fmt: skip
    area, excess, last = Fraction(0), Fraction(0), Fraction(0)
    for point, mass in sorted(ends):
        area += abs(excess) * (point - last)
        excess, last = excess + mass, point
    return area


@pytest.mark.parametrize("metric", METRICS[:3])
@pytest.mark.parametrize("lightest", [1e-23, 1e-19, 1e-310])
def test_rounded_masses_are_in_the_bounds(metric, lightest):
    """Masses of many weighted points are rounded to 2^-62; a light one may be all that moves."""
    x = np.tile([0.0, 3.0], (300, 1))
    y = x[:100].copy()
    x[0, 0] = 1.0
    a, b = np.full(300, 1 / 299), np.full(100, 1 / 100)
    a[0] = lightest
    value = moved_along_an_axis(x[:, 0], y[:, 0], a, b)
    assert value > 0
    bracket = unsolved(pytest.MonkeyPatch, x, y, a, b, metric=metric)
    assert Fraction(bracket.lower) <= value <= Fraction(bracket.upper)
    assert bracket.upper <= 1e-15


@pytest.mark.parametrize("seed", range(4))
def test_nearly_equal_weighted_laws_are_enclosed_exactly(seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((300, 2))
    x[:, 1] = rng.normal(size=300)
    a = rng.dirichlet(np.ones(300))
    b = a * (1 + 2.0**-52 * rng.integers(0, 2, 300))
    y = x + np.array([0.0, 1e-8])
    value = moved_along_an_axis(x[:, 1], y[:, 1], a, b)
    for order in (1.0, 1.5, 2.0, math.inf):
        metric = ("minkowski", order) if order < math.inf else "chebyshev"
        bracket = unsolved(pytest.MonkeyPatch, x, y, a, b, metric=metric)
        assert Fraction(bracket.lower) <= value <= Fraction(bracket.upper)


@pytest.mark.parametrize("solver", ["multiscale", "dense", "simplex"])
def test_what_a_late_solver_knows_is_an_enclosure_to_the_last_digit(solver):
    """Bounds of levels, and of a time limit, are rounded outwards like the first ones."""
    rng = np.random.default_rng(14)
    x = np.zeros((1200, 3))
    x[:, 0] = rng.normal(size=1200) + 1000
    y = x.copy()
    y[:, 0] += 1e-10 * rng.normal(size=1200) * (rng.random(1200) < 0.5)
    a = rng.random(1200)
    a /= a.sum()
    value = moved_along_an_axis(x[:, 0], y[:, 0], a, a)
    told = []
    with pytest.raises(TimeLimitReached) as caught:
        solve_points(x, y, a, a, Metric("chebyshev"), solver, Clock(1e-9, listener=told.append))
    for bracket in [*told, caught.value.bracket]:
        assert Fraction(bracket.lower) <= value <= Fraction(bracket.upper)


def test_a_matrix_that_has_no_room_in_memory_leaves_the_first_bounds():
    def metric(p, q):
        if p.shape[0] * q.shape[0] > 100:
            raise MemoryError
        return city(p, q)

    x, y = np.random.default_rng(7).normal(size=(2, 50, 2))
    encloses(wasserstein1_bracket(x, y, seconds=5, metric=metric),
             wasserstein1(x, y, metric="cityblock"))  # fmt: skip


def test_single_precision_of_a_callable_is_in_the_bounds():
    def metric(p, q):
        return city(p.astype(np.float64), q.astype(np.float64)).astype(np.float32)

    x = np.random.default_rng(8).normal(size=(400, 2))
    x[0] = 1e6
    y = x + 1e-4
    y[0] = x[0]
    a = np.full(400, 1 / 399)
    a[0] = 0.0
    bracket = unsolved(pytest.MonkeyPatch, y, x, a, a, metric=metric)
    encloses(bracket, wasserstein1(y, x, a, a, metric=metric))


@pytest.mark.parametrize("kind", [np.float16, torch.float16])
def test_subnormal_half_precision_of_a_callable_is_in_the_bounds(kind):
    """Numbers below 6e-5 are then 6e-8 apart, and rounded one by one."""
    points, weights = np.array([0.0, 1.4, 1.6]) * 2.0**-24, np.array([0.0, 1.0])
    if kind is torch.float16:
        points, weights = torch.from_numpy(points), torch.from_numpy(weights)

    def metric(p, q):
        lengths = abs(p[:, None, 0] - q[None, :, 0])
        return lengths.to(kind) if kind is torch.float16 else lengths.astype(kind)

    laws = points[1:2], points[[0, 2]], None, weights  # 1, 2 and 0 spacings apart: no triangle
    value = float(wasserstein1(*laws, metric=metric))
    assert value == 0
    encloses(unsolved(pytest.MonkeyPatch, *laws, metric=metric), value)


def test_any_time_may_be_given():
    for seconds in (1e-300, 1e12, 1e308):
        encloses(wasserstein1_bracket([[0.0, 0.0]], [[3.0, 4.0]], seconds=seconds), 5.0)


def test_a_distance_beyond_the_range_is_not_exceeded_from_below():
    far = np.array([[1.7e308, 0.0]])
    bracket = unsolved(pytest.MonkeyPatch, far, -far)
    assert bracket == Bracket(np.finfo(np.float64).max, math.inf)


def test_laws_and_tensors():
    x, y = torch.randn(6, 2, dtype=torch.float64, requires_grad=True), torch.zeros(3, 2).double()
    bracket = wasserstein1_bracket(x, y, seconds=20)
    assert type(bracket.lower) is type(bracket.upper) is float
    encloses(bracket, float(wasserstein1(x.detach(), y)))
    encloses(wasserstein1_bracket(Discrete([0.0]), Discrete([2.0]), seconds=1), 2.0)


def test_returns_in_time_though_the_solver_does_not(monkeypatch):
    def asleep(*_arguments):
        time.sleep(3)
        raise AssertionError

    monkeypatch.setattr(_choose._simplex, "solve", asleep)
    monkeypatch.setattr(_low_dimension, "solve", asleep)
    x, y = np.random.default_rng(1).normal(size=(2, 300, 3))
    began = time.monotonic()
    bracket = wasserstein1_bracket(x, y, seconds=0.2)
    assert time.monotonic() - began < 2.5
    monkeypatch.undo()
    encloses(bracket, wasserstein1(x, y))


def test_returns_in_time_though_a_part_takes_its_time(monkeypatch):
    """As where its solver is compiled: bounds told until then count."""
    monkeypatch.setattr("divergences._bracket._PAIRS_SOLVED_SOON", 0)
    monkeypatch.setattr("divergences.transport._part_by_part._solved", lambda *_: time.sleep(3))
    x, y = np.random.default_rng(2).normal(size=(2, 300, 2))
    began = time.monotonic()
    bracket = wasserstein1_bracket(x, y, seconds=0.5)
    assert time.monotonic() - began < 2.5
    encloses(bracket, wasserstein1(x, y))


def test_nothing_is_begun_when_the_time_is_over(monkeypatch):
    def begun(*_arguments):
        raise AssertionError

    monkeypatch.setattr("divergences._bracket._searched", begun)
    x, y = np.random.default_rng(2).normal(size=(2, 300, 2))
    encloses(wasserstein1_bracket(x, y, seconds=1e-9), wasserstein1(x, y))


@pytest.mark.parametrize(
    ("error", "parameter", "keywords"),
    [
        (ValueError, "seconds", {"seconds": 0.0}),
        (ValueError, "seconds", {"seconds": math.nan}),
        (TypeError, "seconds", {"seconds": "1"}),
        (ValueError, "metric", {"seconds": 1.0, "metric": "cosine"}),
        (ValueError, "x_weights", {"seconds": 1.0, "x_weights": [0.5]}),
    ],
)
def test_refusals(error, parameter, keywords):
    with pytest.raises(error, match=f"wasserstein1_bracket: .*{parameter}"):
        wasserstein1_bracket([0.0], [1.0], **keywords)
