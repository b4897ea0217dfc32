"""Divergences from logits: truth in high precision, extremes, gradients, tracing."""

import math
import operator
import shutil

import mpmath as mp
import numpy as np
import pytest
import torch

import divergences
from divergences import (
    _log_space,
    bernoulli_js_divergence_from_logits,
    bernoulli_kl_divergence_from_logits,
    bernoulli_total_variation_from_logits,
    js_divergence,
    js_divergence_from_logits,
    kl_divergence,
    kl_divergence_from_logits,
    total_variation,
    total_variation_from_logits,
)

from .oracles import error_in_eps

CATEGORICAL = (total_variation_from_logits, kl_divergence_from_logits, js_divergence_from_logits)
BERNOULLI = (
    bernoulli_total_variation_from_logits,
    bernoulli_kl_divergence_from_logits,
    bernoulli_js_divergence_from_logits,
)
OF_VECTORS = (total_variation, kl_divergence, js_divergence)
INF = math.inf
HUGE = 1.7e308


def _truths(x, y):
    with mp.workdps(250):
        p, q = ([mp.exp(mp.mpf(float(v))) for v in logits] for logits in (x, y))
        p, q = ([v / mp.fsum(weights) for v in weights] for weights in (p, q))
        pairs = list(zip(p, q, strict=True))
        variation = mp.fsum(abs(a - b) for a, b in pairs) / 2
        singular = any(a and not b for a, b in pairs)
        kl = mp.inf if singular else mp.fsum(a * mp.log(a / b) for a, b in pairs if a)
        js = mp.fsum(
            (a * mp.log(2 * a / (a + b)) if a else 0) + (b * mp.log(2 * b / (a + b)) if b else 0)
            for a, b in pairs
        )
        return variation, kl, js / 2


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (10, 0), (1, 1e4), (1e4, 0), (100, -1e3)])
@pytest.mark.parametrize("perturbation", [1e-13, 1e-6, 0.1, 1.0, 20.0])
def test_a_few_eps_at_every_distance_and_size(scale, offset, perturbation):
    rng = np.random.default_rng(1)
    for _ in range(12):
        x = offset + scale * rng.normal(size=int(rng.integers(2, 9)))
        y = x + perturbation * rng.normal(size=x.size) + 10 * rng.normal()
        if rng.random() < 0.3:
            x[0] = -INF
        if rng.random() < 0.2:
            y[0] = -INF
        for function, truth in zip(CATEGORICAL, _truths(x, y), strict=True):
            if truth > 1e-150:
                assert error_in_eps(function(x, y), truth) <= 8.0


def test_symmetry_range_and_shifts():
    rng = np.random.default_rng(2)
    for _ in range(200):
        x, y = rng.normal(size=(2, 5)) * 10.0 ** rng.uniform(-8, 3)
        for function, cap in zip(CATEGORICAL, (1.0, INF, math.log(2)), strict=True):
            assert 0.0 <= function(x, y) <= cap
            assert function(x, x) == 0.0
            assert function(np.rint(x), np.rint(x) - 2.0) == 0.0
            if function is not kl_divergence_from_logits:
                assert function(x, y) == function(y, x)


def test_log_probabilities_are_a_case_of_logits():
    rng = np.random.default_rng(3)
    p, q = rng.dirichlet(np.ones(6), size=2)
    for function, of_vectors in zip(CATEGORICAL, OF_VECTORS, strict=True):
        assert function(np.log(p), np.log(q)) == pytest.approx(of_vectors(p, q), rel=1e-14)


def test_single_precision_at_ten_thousand():
    x, y = np.float32([1e4, -1e4, 0.0]), np.float32([-1e4, 1e4, 0.0])
    assert kl_divergence_from_logits(x, y) == np.float32(2e4)
    assert kl_divergence_from_logits(x, y).dtype == np.float32
    assert js_divergence_from_logits(x, y) == np.float32(math.log(2))
    assert total_variation_from_logits(x, x + np.float32(8.0)) == 0.0
    tensor = torch.tensor([200.0, -200.0], requires_grad=True)
    value = bernoulli_kl_divergence_from_logits(tensor, -tensor.detach())
    np.testing.assert_array_equal(value.detach(), [400.0 / 2, 400.0 / 2])


def test_minus_infinity_and_certain_events():
    x, y = [0.0, -INF, -INF], [-INF, 0.0, -INF]
    assert [f(x, y) for f in CATEGORICAL] == [1.0, INF, math.log(2)]
    assert [f(x, [0.0, 0.0, 0.0]) for f in CATEGORICAL] == pytest.approx(
        [f([1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]) for f in OF_VECTORS], rel=1e-15
    )
    assert [f(INF, -INF) for f in BERNOULLI] == [1.0, INF, math.log(2)]
    assert [f(INF, INF) for f in BERNOULLI] == [0.0, 0.0, 0.0]
    assert bernoulli_kl_divergence_from_logits(INF, 0.0, base=2) == 1.0


def test_logits_at_the_largest_floats():
    """The difference of two logits overflows; divergences were NaN."""
    kl, variation, js = kl_divergence_from_logits, total_variation_from_logits, CATEGORICAL[2]
    assert kl([1e308, 0.0], [0.0, 1e308]) == bernoulli_kl_divergence_from_logits(1e308, -1e308)
    assert kl([1e308, 0.0], [0.0, 1e308]) == 1e308
    assert kl([-HUGE, 1.0, 2.0], [1e300, 2.0, 3.0]) == pytest.approx(1e300)
    assert kl([HUGE, -HUGE], [-HUGE, HUGE]) == INF
    assert variation([HUGE, -HUGE], [-HUGE, HUGE]) == 1.0
    assert js([HUGE, -HUGE], [-HUGE, HUGE]) == math.log(2.0)
    for function in CATEGORICAL:
        assert function([HUGE, HUGE, -INF], [-HUGE, -HUGE, -INF]) == 0.0


def test_ordinary_logits_are_taken_as_they_are():
    """What the largest floats need took a third of the time of a batch."""
    x = np.array([[1.0, -INF, 3.0], [0.0, -1e308, 1e280]])
    assert _log_space._in_range(np, x) is x


def test_bernoulli_is_the_categorical_of_two():
    rng = np.random.default_rng(4)
    x, y = 5 * rng.normal(size=(3, 1)), 5 * rng.normal(size=4)
    for function, categorical in zip(BERNOULLI, CATEGORICAL, strict=True):
        value = function(x, y)
        assert value.shape == (3, 4)
        assert value[1, 2] == categorical([0.0, x[1, 0]], [0.0, y[2]])


@pytest.mark.parametrize("function", CATEGORICAL)
def test_gradcheck_and_double_backward(function):
    generator = torch.Generator().manual_seed(5)
    draw = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    inputs = draw[0].requires_grad_(), draw[1].requires_grad_()
    assert torch.autograd.gradcheck(function, inputs)
    if function is not total_variation_from_logits:
        assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("function", CATEGORICAL + BERNOULLI)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_at_the_extremes(function, dtype):
    rows = [
        ([0.0, -INF, 1.0], [0.5, -INF, -INF]),
        ([0.0, -INF, 1.0], [0.5, 0.0, 0.0]),
        ([1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
        ([-INF, -INF, 0.0], [0.0, -INF, -INF]),
        ([3e38, -3e38, 0.0], [-3e38, 3e38, 0.0]),
        ([HUGE, -HUGE, 0.0], [-HUGE, HUGE, 0.0]),
        ([-HUGE, -HUGE, -HUGE], [HUGE, HUGE, HUGE]),
    ]
    rows = [row for row in rows if dtype == torch.float64 or HUGE not in row[1]]
    for first, second in rows:
        x = torch.tensor(first, dtype=dtype, requires_grad=True)
        y = torch.tensor(second, dtype=dtype, requires_grad=True)
        value = function(x, y)
        assert not bool(value.isnan().any())
        for gradient in torch.autograd.grad(value.sum(), (x, y)):
            assert bool(torch.isfinite(gradient).all())


def test_gradient_of_kl_is_the_formula():
    x = torch.tensor([0.3, -1.0, 2.0, -INF], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0.1, 0.5, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    value = kl_divergence_from_logits(x, y)
    in_x, in_y = torch.autograd.grad(value, (x, y))
    p, q = x.detach().softmax(0), y.detach().softmax(0)
    quotient = torch.where(p > 0, (p / q).log(), 0.0)
    torch.testing.assert_close(in_x, p * (quotient - value.detach()), rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(in_y, q - p, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("function", CATEGORICAL)
def test_vmap(function):
    draw = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    torch.testing.assert_close(torch.vmap(function)(*draw), function(*draw))


def test_axis_and_batches():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(4, 3, 5)), rng.normal(size=(3, 5))
    for function in CATEGORICAL:
        expected = function(x, y)
        assert expected.shape == (4, 3)
        first, second = (np.moveaxis(v, -1, 0) for v in (x, np.broadcast_to(y, x.shape)))
        moved = function(first, second, axis=0)
        np.testing.assert_array_equal(moved, expected)
        assert expected[2, 1] == function(x[2, 1], y[1])


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([0.0, math.nan], ValueError, "p_logits must hold numbers or -inf"),
        ([0.0, INF], ValueError, "p_logits must hold numbers or -inf"),
        ([-INF, -INF], ValueError, "p_logits must hold at least one finite logit"),
        ([0.0, 1.0, 2.0], ValueError, "p_logits and q_logits must have the same length"),
        ([[]], ValueError, "p_logits must have at least one entry"),
        ("ab", TypeError, "p_logits must be an array"),
        (3.0, ValueError, "p_logits must be a probability vector"),
        (torch.zeros(2), TypeError, "p_logits and q_logits must share one array library"),
    ],
)
@pytest.mark.parametrize("function", CATEGORICAL)
def test_bad_logits_are_refused_by_name(function, value, error, message):
    with pytest.raises(error, match=f"^{function.__name__}: {message}"):
        function(value, [0.0, 1.0])


def test_bad_log_odds_are_refused_by_name():
    for function in BERNOULLI:
        with pytest.raises(ValueError, match=f"^{function.__name__}: q_logits must hold log-odds"):
            function(0.0, math.nan)
        with pytest.raises(ValueError, match="batch axes that broadcast"):
            function([0.0, 1.0], [0.0, 1.0, 2.0])
        assert function.__name__ in divergences.__all__


@pytest.mark.long
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("function", CATEGORICAL + OF_VECTORS)
def test_torch_compile(function):
    draw = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    p, q = draw.softmax(-1)
    compiled = torch.compile(function)
    torch.testing.assert_close(compiled(p, q), function(p, q))
    leaf, other = p.clone().requires_grad_(), p.clone().requires_grad_()
    compiled(leaf, q).sum().backward()
    function(other, q).sum().backward()
    torch.testing.assert_close(leaf.grad, other.grad)


def _exact_slopes(name, x, y):
    """Derivatives in both laws' logits, in mpmath."""
    weights = [[mp.exp(mp.mpf(v)) for v in row] for row in (x, y)]
    p, q = ([w / mp.fsum(row) for w in row] for row in weights)
    if name == "kl_divergence":
        of_p, of_q = [mp.log(a / b) for a, b in zip(p, q, strict=True)], None
    elif name == "js_divergence":
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        of_p, of_q = ([mp.log(a / m) / 2 for a, m in zip(v, middle, strict=True)] for v in (p, q))
    else:
        of_p = [mp.sign(a - b) / 2 for a, b in zip(p, q, strict=True)]
        of_q = [-s for s in of_p]
    first, second = (
        [a * (s - mp.fsum(map(operator.mul, v, slopes))) for a, s in zip(v, slopes, strict=True)]
        for v, slopes in ((p, of_p), (q, of_q or [mp.mpf(0)] * len(q)))
    )
    return first, second if of_q else [b - a for a, b in zip(p, q, strict=True)]


@pytest.mark.parametrize("name", ["kl_divergence", "js_divergence", "total_variation"])
@pytest.mark.parametrize(
    "pair",
    [
        ([0.0, 50.0], [0.0, 52.0]),
        ([0.0, 50.0], [0.0, -50.0]),
        ([0.0, 300.0], [0.0, 300.0 + 2.0**-20]),
        ([40.0, 3.0, -2.0, 0.0], [-3.0, 44.0, 3.0, 1.0]),
        ([100.0, 3.0, -20.0], [99.0, 4.0, -30.0]),
    ],
)
def test_gradients_keep_their_digits_where_a_probability_is_nearly_1(name, pair):
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in pair]
    value = getattr(divergences, f"{name}_from_logits")(*leaves)
    found = torch.autograd.grad(value, leaves)
    with mp.workdps(400):
        truths = _exact_slopes(name, *pair)
        for gradient, truth in zip(found, truths, strict=True):
            for entry, slope in zip(gradient.tolist(), truth, strict=True):
                assert abs(entry - slope) <= mp.mpf(1e-13) * abs(slope), (entry, slope)


@pytest.mark.parametrize("name", ["kl_divergence", "js_divergence"])
def test_third_derivatives(name):
    x, y = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in ([0.3, -0.2, 1.0], [0.7, 0.4, 0.1])
    )

    def textbook(a, b):
        p, q = a.softmax(-1), b.softmax(-1)
        if name == "kl_divergence":
            return (p * (p / q).log()).sum()
        m = 0.5 * (p + q)
        return 0.5 * (p * (p / m).log() + q * (q / m).log()).sum()

    def third(function):
        (slope,) = torch.autograd.grad(function(x, y), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope[0], x, create_graph=True)
        return torch.autograd.grad(bend[1], (x, y))

    expected = third(textbook)
    for function in (
        getattr(divergences, f"{name}_from_logits"),
        lambda a, b: getattr(divergences, name)(a.softmax(-1), b.softmax(-1)),
    ):
        for one, two in zip(third(function), expected, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-11, atol=1e-13)
