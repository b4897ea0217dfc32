"""Contract of the intervals: input, invariances, monotonicity, degenerate samples, reasons."""

import math

import numpy as np
import pytest

from divergences.intervals import (
    Interval,
    compare_samples,
    js_interval,
    kl_interval,
    total_variation_interval,
    wasserstein1_interval,
)

SYMMETRIC = [wasserstein1_interval, total_variation_interval, js_interval]
ALL = [*SYMMETRIC, kl_interval]
CAPS = {total_variation_interval: 1.0, js_interval: math.log(2)}


def ends(interval):
    return interval.lower, interval.estimate, interval.upper


@pytest.fixture(name="samples", params=[1, 3], ids=["line", "space"])
def fixture_samples(request):
    g = np.random.default_rng(5)
    shape = (120,) if request.param == 1 else (120, request.param)
    return g.normal(size=shape), g.normal(0.7, 1.5, size=shape)


@pytest.mark.parametrize("function", ALL)
def test_what_theory_forbids_is_said(function, samples):
    interval = function(*samples)
    assert interval.upper == CAPS.get(function, math.inf)
    assert "honest" in interval.reason
    assert interval.level == 0.95
    assert interval.method
    assert all(isinstance(text, str) for text in interval.assumptions)
    assert all(type(value) is float for value in ends(interval))


@pytest.mark.parametrize("function", ALL)
def test_intervals_are_nested_in_the_level(function, samples):
    lowers = [function(*samples, level=level).lower for level in (0.5, 0.8, 0.95, 0.999)]
    assert lowers == sorted(lowers, reverse=True)
    assert lowers[1] > 0


def test_upper_ends_are_nested_in_the_level(samples):
    for options in ({"diameter": 30.0}, {"diameter": 40.0}):
        uppers = [
            wasserstein1_interval(*samples, level=level, **options).upper
            for level in (0.5, 0.9, 0.99)
        ]
        assert uppers == sorted(uppers)
        assert uppers[-1] < options["diameter"]


@pytest.mark.parametrize("function", ALL)
def test_more_data_prove_more(function):
    g = np.random.default_rng(1)
    x, y = g.normal(size=4000), g.normal(0.8, size=4000)
    lowers = [function(x[:n], y[:n]).lower for n in (40, 400, 4000)]
    assert lowers == sorted(lowers)
    assert lowers[0] < lowers[2]


@pytest.mark.parametrize("function", SYMMETRIC)
@pytest.mark.parametrize("size", [120, 90])
def test_roles_can_be_exchanged(function, samples, size):
    x, y = samples[0][:size], samples[1]
    assert ends(function(x, y)) == pytest.approx(ends(function(y, x)), rel=1e-9)


def test_kl_has_an_order():
    g = np.random.default_rng(0)
    x, y = g.uniform(0, 1, 500), g.uniform(0, 2, 500)
    assert kl_interval(x, y).lower < math.log(2) < kl_interval(y, x).lower


@pytest.mark.parametrize("function", ALL)
def test_generators_seeds_and_repetition(function, samples):
    assert ends(function(*samples)) == ends(function(*samples))
    one, other = (function(*samples, rng=np.random.default_rng(7)) for _ in range(2))
    assert ends(one) == ends(other)
    assert ends(function(*samples, rng=3)) == ends(function(*samples, rng=3))


@pytest.mark.parametrize("function", ALL)
def test_lists_tensors_and_columns_are_arrays(function):
    torch = pytest.importorskip("torch")
    g = np.random.default_rng(5)
    x, y = g.normal(size=60), g.normal(1.0, size=70)
    expected = ends(function(x, y))
    assert ends(function(x.tolist(), y.tolist())) == expected
    assert ends(function(x[:, None], y[:, None])) == expected
    with_graph = torch.from_numpy(x).requires_grad_()
    assert ends(function(with_graph, torch.from_numpy(y))) == expected
    with pytest.raises(TypeError, match="share one array library"):
        function(x, torch.from_numpy(y))


@pytest.mark.parametrize("exponent", [-900, 900])
@pytest.mark.parametrize("function", ALL)
def test_the_scale_of_the_data_does_not_matter(function, samples, exponent):
    scaled = [np.ldexp(sample, exponent) for sample in samples]
    expected = ends(function(*samples))
    if function is wasserstein1_interval:
        expected = tuple(np.ldexp(expected, exponent))
    assert ends(function(*scaled)) == pytest.approx(expected, rel=1e-6)


def test_wasserstein1_is_moved_by_nothing_but_motion():
    g = np.random.default_rng(2)
    x, y = g.random(100), g.random(100) ** 2
    plain = ends(wasserstein1_interval(x, y, support=(0.0, 1.0)))
    moved = ends(wasserstein1_interval(x + 8.0, y + 8.0, support=(8.0, 9.0)))
    assert moved == pytest.approx(plain, rel=1e-9)
    mirrored = ends(wasserstein1_interval(-x, -y, support=(-1.0, 0.0)))
    assert mirrored == pytest.approx(plain, rel=1e-9)
    known = wasserstein1_interval(x, y, diameter=1.0)
    assert known.upper >= plain[2]


@pytest.mark.parametrize(
    "metric", ["cityblock", "chebyshev", "angular", ("minkowski", 3.0),
               lambda a, b: np.abs(a[:, None] - b).sum(axis=-1)]
)  # fmt: skip
def test_every_metric_has_an_interval(metric):
    g = np.random.default_rng(2)
    x, y = g.normal(3.0, size=(80, 2)), g.normal((3.0, 0.0), size=(80, 2))
    interval = wasserstein1_interval(x, y, metric=metric, diameter=60.0)
    assert 0 < interval.lower < interval.estimate < interval.upper


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("shape", [(1,), (2,), (1, 3), (9, 2)])
@pytest.mark.parametrize("value", [0.0, -7.5])
def test_constant_and_tiny_samples(function, shape, value):
    x = np.full(shape, value)
    equal = function(x, x)
    assert equal.lower == 0
    assert 0 <= equal.estimate <= equal.upper
    apart = function(x, x + 1.0)
    assert 0 <= apart.lower <= apart.upper


@pytest.mark.parametrize("function", ALL)
def test_atoms_are_told_apart(function):
    x, y = np.repeat([0.0, 1.0], 200), np.repeat([1.0, 2.0], 200)
    interval = function(np.random.default_rng(0).permutation(x), y)
    one_event = 0.2157615543388356  # JS of Bernoulli(1/2) and the law at 0
    least = {kl_interval: 1.0, js_interval: 0.6 * one_event, wasserstein1_interval: 0.6}
    truth = {kl_interval: math.inf, js_interval: 0.5 * math.log(2), wasserstein1_interval: 1.0}
    assert least.get(function, 0.35) < interval.lower <= truth.get(function, 0.5)


def test_one_law_that_misses_what_the_other_has():
    g = np.random.default_rng(0)
    interval = kl_interval(g.random(2000), 0.5 * g.random(2000))
    assert interval.lower > 1.8
    assert interval.estimate >= interval.lower


@pytest.mark.parametrize("function", [total_variation_interval, js_interval, kl_interval])
def test_labels_of_any_kind(function):
    words, numbers = ["a", "b", "c"], [0, 1, 2]
    g = np.random.default_rng(0)
    x, y = g.choice(3, 500, p=[0.5, 0.3, 0.2]), g.choice(3, 400, p=[0.2, 0.3, 0.5])
    expected = function(x, y, support=numbers)
    assert 0 < expected.lower < expected.estimate < expected.upper < CAPS.get(function, 2.0)
    assert expected.reason == ""
    named = function([words[i] for i in x], np.array(words)[y], support=words)
    assert ends(named) == ends(expected)
    floats = function(x.astype(float)[:, None], y.tolist(), support=range(3))
    assert ends(floats) == ends(expected)


def test_labels_prove_equality():
    x = np.tile([0, 1, 2, 3], 10_000)
    assert total_variation_interval(x, x, support=range(4)).upper < 0.02
    assert js_interval(x, x, support=range(4)).upper < 1e-3
    assert kl_interval(x, x, support=range(4)).upper < 1e-2
    one = total_variation_interval([1, 1], [1], support=[1])
    assert ends(one) == (0.0, 0.0, 0.0)
    assert ends(kl_interval([1, 1], [1], support=[1])) == (0.0, 0.0, 0.0)


def test_a_value_never_drawn_leaves_kl_open():
    x, y = ["a", "b"] * 100, ["a"] * 200
    interval = kl_interval(x, y, support=["a", "b"])
    assert interval.estimate == interval.upper == math.inf
    assert interval.lower > 0.7
    assert "not drawn" in interval.reason


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (([1.0, math.nan], [1.0]), {}, ValueError),
        (([], [1.0]), {}, ValueError),
        (([1.0], [[1.0, 2.0]]), {}, ValueError),
        ((["a"], ["b"]), {}, TypeError),
        ((1.0, [1.0]), {}, ValueError),
        (([1.0], [2.0]), {"level": 1.0}, ValueError),
        (([1.0], [2.0]), {"level": 95}, ValueError),
        (([1.0], [2.0]), {"level": "high"}, TypeError),
        (([1.0], [2.0]), {"rng": -1}, TypeError),
        (([1.0], [2.0]), {"rng": True}, TypeError),
        (([1.0], [2.0]), {"rng": np.random.RandomState(0)}, TypeError),
    ],
)
def test_what_cannot_be_used_is_refused(function, arguments, options, error):
    with pytest.raises(error, match=rf"^{function.__name__}: "):
        function(*arguments, **options)


@pytest.mark.parametrize(
    ("x", "support", "error"),
    [
        ([0, 3], [0, 1], ValueError),
        ([], [0, 1], ValueError),
        ([0], [], ValueError),
        ([0], [0, 0], ValueError),
        ([0], "ab", TypeError),
        ([0], 3, TypeError),
        ([[0, 1]], [0, 1], TypeError),
        ([math.nan], [0, math.nan], ValueError),
        ([0], [{}], TypeError),
        ([0], np.array(3), TypeError),
    ],
)
@pytest.mark.parametrize(
    "function", [total_variation_interval, js_interval, kl_interval, compare_samples]
)
def test_labels_that_cannot_be_used_are_refused(function, x, support, error):
    with pytest.raises(error, match=r"^[a-z_]+: (x|support) must "):
        function(x, [0], support=support)


def test_tensors_are_supports_but_no_labels():
    torch = pytest.importorskip("torch")
    x, y = np.arange(40) % 3, np.arange(40) % 2
    expected = compare_samples(x, y, support=range(3))
    assert compare_samples(torch.tensor(x), torch.tensor(y), support=torch.arange(3)) == expected
    assert compare_samples(x[:, None], y, support=np.arange(3)[:, None]) == expected
    for function in (total_variation_interval, compare_samples):
        with pytest.raises(TypeError, match="support must be one tensor"):
            function(x, y, support=list(torch.arange(3)))


def test_a_level_too_near_to_one_to_be_divided_is_refused(samples):
    level = math.nextafter(1.0, 0.0)
    assert total_variation_interval(*samples, level=level).lower == 0.0
    with pytest.raises(ValueError, match=r"^compare_samples: level must leave a risk"):
        compare_samples(*samples, level=level)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"support": (0.5, 2.0)}, ValueError),
        ({"support": (2.0, 0.0)}, ValueError),
        ({"support": 3.0}, TypeError),
        ({"support": (0.0, math.inf)}, ValueError),
        ({"diameter": 0.5}, ValueError),
        ({"diameter": -1.0}, ValueError),
        ({"diameter": math.inf}, ValueError),
        ({"metric": "cosine"}, ValueError),
    ],
)
def test_spaces_that_do_not_hold_the_data_are_refused(options, error):
    with pytest.raises(error, match=r"^wasserstein1_interval: "):
        wasserstein1_interval([0.0, 1.0], [1.0, 2.0], **options)


def test_a_support_that_does_not_hold_the_data_names_their_range():
    with pytest.raises(ValueError, match=r"got values from 0\.0 to 1\.0$"):
        wasserstein1_interval([0.0, 1.0], [1.0, 2.0], support=(0.5, 2.0))


def test_off_the_line_a_support_is_no_pair():
    with pytest.raises(ValueError, match="support must be left out off the line"):
        wasserstein1_interval([[0.0, 1.0]], [[1.0, 2.0]], support=(0.0, 2.0))


def test_an_interval_is_in_order():
    with pytest.raises(ValueError, match="Interval: lower, estimate and upper must be in this"):
        Interval(0.0, 2.0, 1.0, 0.95, (), "")
    assert Interval(math.inf, math.inf, math.inf, 0.9, (), "").width == 0


def test_a_comparison_respects_the_inequalities(samples):
    found = compare_samples(*samples, diameter=40.0)
    variation = found.total_variation
    assert found.js.lower >= 0.5 * variation.lower**2 * (1 - 1e-9)
    for kl in (found.kl_pq, found.kl_qp):
        assert kl.lower >= 2.0 * variation.lower**2 * (1 - 1e-9)
    assert variation.lower >= found.wasserstein1.lower / 40.0 * (1 - 1e-9)
    text = str(found)
    assert len(text.splitlines()) == 8
    assert "all together at level 0.95" in text
    swapped = compare_samples(samples[1], samples[0], diameter=40.0)
    assert ends(swapped.kl_qp) == pytest.approx(ends(found.kl_pq))


def test_a_comparison_of_labels():
    found = compare_samples(["a", "b"] * 100, ["b"] * 200, support=["a", "b"])
    assert found.wasserstein1 is None
    assert "Wasserstein" not in str(found)
    numbers = compare_samples([0, 2] * 500, [2] * 1000, support=[0, 2])
    distance, variation = numbers.wasserstein1, numbers.total_variation
    assert distance.lower == pytest.approx(2 * variation.lower)
    assert distance.upper == pytest.approx(2 * variation.upper)
    with pytest.raises(ValueError, match="compare_samples: diameter must be left out"):
        compare_samples([0], [0], support=[0], diameter=1.0)
