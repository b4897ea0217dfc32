"""The laws let every good function pass, do what their report says, and keep their levels."""

import math
import sys

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import rel_entr
from scipy.stats import energy_distance, entropy, gaussian_kde, ks_2samp, wasserstein_distance
from torch import nn

import divergences as dv
from divergences.testing import laws, strategies
from divergences.testing.laws import _histograms, _statistics

from . import mutants
from .mutants import knn_kl


def chi_squared(p, q):
    terms = np.divide((p - q) ** 2, q, out=np.zeros_like(q), where=q > 0)
    return np.inf if ((q == 0) & (p > 0)).any() else terms.sum()


def hellinger(p, q):
    return np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / math.sqrt(2)


def triangular(p, q):
    total = p + q
    return np.divide((p - q) ** 2, total, out=np.zeros_like(p), where=total > 0).sum()


def hockey_stick(p, q):
    return np.maximum(p - 2 * q, 0).sum()


def torch_kl(p, q):
    support = p > 0
    return (p[support] * (p[support] / q[support]).log()).sum()


def kernel_mmd(x, y):
    def mean(a, b):
        return np.exp(-((a[:, None] - b) ** 2).sum(axis=-1) / 2).mean()

    return math.sqrt(max(0.0, mean(x, x) + mean(y, y) - 2 * mean(x, y)))


def sorted_w1(x, y):
    return np.abs(np.sort(x) - np.sort(y)).mean()


def sliced(x, y):
    angles = np.linspace(0, np.pi, 7)
    ways = np.array([np.cos(angles), np.sin(angles), np.sin(3 * angles)])[: x.shape[1]]
    return np.mean([wasserstein_distance(x @ way, y @ way) for way in ways.T])


def kernel_kl(x, y):
    return np.log(gaussian_kde(x)(x) / gaussian_kde(y)(x)).mean()


def cell_js(x, y):
    return dv.js_divergence(*(np.histogram(v, 20, (0, 1))[0] / len(v) for v in (x, y)))


def program(cost, a, b):
    n, m = cost.shape
    rows, columns = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    masses = np.concatenate([a, b / b.sum() * a.sum()])
    found = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=masses)
    return found.x.reshape(n, m)


def dkw(x, y, level):
    """An honest interval for W1 on [0, 1]: W1 = integral |F - G| within the two bands."""
    radius = 2 * math.sqrt(math.log(4 / (1 - level)) / (2 * len(x)))
    value = dv.wasserstein1(x, y)
    return max(0.0, value - radius), min(1.0, value + radius)


GOOD = [
    ("half of KL", lambda p, q: dv.kl_divergence(p, q) / 2, {"kind": "f-divergence"}),
    ("KL", dv.kl_divergence, {"kind": "f-divergence", "reference": "kl_divergence"}),
    ("KL reversed, in bits", lambda p, q: dv.kl_divergence(q, p, base=2), {"kind": "f-divergence"}),
    ("Jeffreys", lambda p, q: dv.kl_divergence(p, q) + dv.kl_divergence(q, p),
     {"kind": "f-divergence"}),
    ("JS", dv.js_divergence, {"kind": "f-divergence", "reference": "js_divergence"}),
    ("TV", dv.total_variation, {"kind": "f-divergence", "reference": "total_variation"}),
    ("twice TV", lambda p, q: np.abs(p - q).sum(), {"kind": "f-divergence"}),
    # equal to TV at 2 p, 3 q too, without a division
    ("TV by its positive part", lambda p, q: np.maximum(p - q, 0).sum(),
     {"kind": "f-divergence", "reference": "total_variation"}),
    ("chi squared", chi_squared, {"kind": "f-divergence"}),
    ("squared Hellinger", lambda p, q: hellinger(p, q) ** 2, {"kind": "f-divergence"}),
    ("triangular", triangular, {"kind": "f-divergence"}),
    ("hockey stick", hockey_stick, {"kind": "f-divergence"}),
    ("alpha", lambda p, q: 1 - (p**0.05 * q**0.95).sum(), {"kind": "f-divergence"}),
    ("rel_entr", lambda p, q: rel_entr(p, q).sum(),
     {"kind": "f-divergence", "reference": "kl_divergence"}),
    ("entropy", entropy, {"kind": "f-divergence"}),
    ("single precision, declared", lambda p, q: np.float32(rel_entr(p, q).sum()),
     {"kind": "f-divergence"}),
    ("torch only", torch_kl, {"kind": "f-divergence", "reference": "kl_divergence"}),
    ("batches", dv.kl_divergence, {"kind": "f-divergence", "batch": True}),
    ("own reference", dv.js_distance,
     {"kind": "metric", "reference": lambda p, q: math.sqrt(dv.js_divergence(p, q))}),
    ("TV, a metric", dv.total_variation, {"kind": "metric"}),
    ("root of JS", dv.js_distance, {"kind": "metric", "reference": "js_distance"}),
    ("Hellinger", hellinger, {"kind": "metric"}),
    ("Euclidean", lambda u, v: np.linalg.norm(u - v), {"kind": "metric"}),
    ("W1", dv.wasserstein1, {"kind": "metric", "reference": "wasserstein1"}),
    ("thrice W1", lambda a, b: 3 * dv.wasserstein1(a, b), {"kind": "ipm"}),
    ("W2", lambda x, y: math.sqrt(ot.emd2([], [], ot.dist(x, y))), {"kind": "metric",
     "reference": "wasserstein2"}),
    ("W1 on the line", wasserstein_distance, {"kind": "ipm", "reference": "wasserstein1"}),
    ("W1 by sorting", sorted_w1, {"kind": "ipm", "reference": "wasserstein1"}),
    ("energy", energy_distance, {"kind": "ipm"}),
    ("Kolmogorov", lambda x, y: ks_2samp(x, y).statistic, {"kind": "ipm"}),
    ("sliced", sliced, {"kind": "metric"}),
    ("MMD", kernel_mmd, {"kind": "ipm"}),
    ("a wide kernel", lambda x, y: kernel_mmd(x / 1e3, y / 1e3), {"kind": "metric"}),
    ("TV, an IPM", lambda p, q: np.abs(p - q).sum(), {"kind": "ipm"}),
    ("plug-in W1", dv.wasserstein1, {"kind": "estimator", "reference": "wasserstein1"}),
    ("kernels", kernel_kl, {"kind": "estimator", "reference": "kl_divergence"}),
    ("twenty cells", cell_js, {"kind": "estimator", "reference": "js_divergence"}),
    ("DKW", dkw, {"kind": "interval", "reference": "wasserstein1", "max_examples": 100}),
    ("emd", lambda cost, a, b: ot.emd(a, b, cost), {"kind": "coupling-solver"}),
    ("tensors to a plan",
     lambda cost, a, b: dv.optimal_transport(cost=cost.double(), x_weights=a, y_weights=b).plan,
     {"kind": "coupling-solver"}),
    ("emd as it is", ot.emd, {"kind": "coupling-solver"}),
    ("ours", lambda cost, a, b: dv.optimal_transport(cost=cost, x_weights=a, y_weights=b),
     {"kind": "coupling-solver", "reference": program}),
    ("linear program", program, {"kind": "coupling-solver"}),
]  # fmt: skip
NAMES = [name for name, _, _ in GOOD]


@pytest.mark.parametrize(("name", "function", "options"), GOOD, ids=NAMES)
def test_good_functions_pass(name, function, options):
    report = laws.check(function, **{"max_examples": 15, **options})
    assert report.ok, str(report)
    assert bool(report)
    assert report.failures == ()
    assert report.kind == options["kind"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("name", "function", "options"), GOOD, ids=NAMES)
def test_good_functions_pass_with_many_examples(name, function, options, seed):
    assert laws.check(function, **{"max_examples": 1000, **options}, seed=seed).ok


def test_a_value_of_zero_is_not_taken_for_a_clipped_one():
    report = laws.check(mutants.noisy_root, kind="metric", reference="js_distance")
    assert not any("clipped" in failure.diagnosis for failure in report.failures)


def test_ties_may_be_refused():
    def careful(x, y):
        if len(np.unique(x)) < len(x):
            message = "ties"
            raise ValueError(message)
        return knn_kl(x, y, k=5)

    assert laws.check(careful, kind="estimator", reference="kl_divergence", max_examples=30)


def test_a_report_is_reproducible_minimal_and_readable():
    def squared(x, y):
        return dv.wasserstein1(x, y) ** 2

    first, second = (laws.check(squared, kind="metric", max_examples=20) for _ in range(2))
    assert str(first) == str(second)
    (failure,) = first.failures
    assert failure.law == "triangle inequality"
    assert {name: v.tolist() for name, v in failure.example.items()} == {
        "x": [[0.0]], "y": [[1.0]], "z": [[2.0]]
    }  # fmt: skip
    assert (failure.lhs, failure.rhs) == (4.0, 2.0)
    x, y, z = failure.example.values()
    assert squared(x, z) == failure.lhs
    assert squared(x, y) + squared(y, z) == failure.rhs
    assert "squared as metric: 1 of 7 laws fail" in str(first)


def test_an_assertion_carries_the_report():
    with pytest.raises(AssertionError, match="symmetric") as caught:
        laws.assert_holds(dv.kl_divergence, kind="metric", max_examples=5)
    assert not caught.value.report.ok
    assert laws.assert_holds(dv.total_variation, kind="metric", max_examples=5).ok


def test_a_check_is_silent_and_touches_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch_state = torch.random.get_rng_state()

    def noisy(p, q):
        p *= 2
        import warnings

        warnings.warn("noise", stacklevel=1)
        return np.log(p / q)[0]

    assert not laws.check(noisy, kind="f-divergence", max_examples=10)
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert (torch.random.get_rng_state() == torch_state).all()


def test_what_a_law_does_not_look_at_is_not_shown():
    report = laws.check(lambda p, q: 1 - dv.total_variation(p, q), kind="metric", max_examples=5)
    shown = {failure.law: sorted(failure.example) for failure in report.failures}
    assert shown["zero on equal laws"] == ["p"]


def test_a_function_that_writes_into_its_arguments_is_remarked_on():
    def normalising(p, q):
        p /= p.sum()
        q *= 2
        return dv.total_variation(p, q / 2)

    report = laws.check(normalising, kind="f-divergence", max_examples=5)
    assert report.ok
    assert "it writes into its arguments (it was given copies)" in str(report)
    assert laws.check(dv.total_variation, kind="f-divergence", max_examples=5).notes == ()


def test_a_random_function_fails_without_an_error():
    rng = np.random.default_rng(0)
    assert not laws.check(lambda p, q: rng.random(), kind="f-divergence", max_examples=20)


def test_sys_exit_in_the_function_is_a_failure():
    assert not laws.check(lambda p, q: sys.exit(3), kind="metric", max_examples=5)


@settings(max_examples=3)
@given(strategies.simplex_vectors(3, 3))
def test_a_check_runs_inside_a_property_test(weights):
    def weighted(p, q):
        return dv.total_variation(p, q)

    assert laws.check(weighted, kind="f-divergence", max_examples=3)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"kind": "distance"}, ValueError, r"check: kind must be one of 'f-divergence', 'metric'"),
        ({"kind": "metric", "reference": "tv"}, ValueError, "check: reference must be one of"),
        ({"kind": "metric", "reference": 3}, TypeError, "check: reference must be a callable or"),
        ({"kind": "metric", "max_examples": 0}, ValueError, "max_examples must be at least 1"),
        ({"kind": "metric", "seed": 1.5}, TypeError, "seed must be an integer"),
        ({"kind": "metric", "domain": "points"}, ValueError, "domain must be one of"),
        ({"kind": "f-divergence", "reference": "wasserstein1"}, ValueError, "compare vectors"),
        ({"kind": "critic", "reference": -1}, ValueError, "K must be a positive number"),
    ],
)
def test_wrong_options_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        laws.check(dv.total_variation, **options)


def test_only_callables_are_checked():
    with pytest.raises(TypeError, match=r"check: fn must be callable; got float 1\.0"):
        laws.check(1.0, kind="metric")


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.integers(0, 60))
def test_binomial_tails_are_exact(trials, rate, successes):
    from scipy.stats import binom

    successes = min(successes, trials)
    exact = binom.cdf(successes, trials, rate)
    assert _statistics.binomial_tail(successes, trials, rate) == pytest.approx(exact, rel=1e-9)
    fewest = _statistics.fewest_successes(trials, rate)
    assert binom.cdf(fewest, trials, rate) > _statistics.LEVEL
    assert fewest == 0 or binom.cdf(fewest - 1, trials, rate) <= _statistics.LEVEL


@pytest.mark.parametrize("pair", _histograms.PAIRS, ids=lambda pair: pair.name)
def test_histograms_have_the_answers_they_say(pair):
    x, y = pair.samples(np.random.default_rng(0), 200_000)
    assert np.histogram(x, 4, (0, 1))[0] / len(x) == pytest.approx(pair.p, abs=6e-3)
    assert dv.wasserstein1(x, y) == pytest.approx(pair.answer("wasserstein1"), abs=6e-3)
    assert pair.answer("total_variation") == dv.total_variation(pair.p, pair.q)


def test_an_interval_of_too_low_a_level_is_found_out_and_an_exact_one_passes():
    truth = _histograms.APART.answer("wasserstein1")

    def of_level(true_level):
        def interval(x, y, *, level):  # its luck depends on the samples only
            rng = np.random.default_rng(x.view(np.uint64))
            covers = rng.random() < true_level
            return (0.0, 1.0) if covers else (truth + 2, truth + 3)

        return interval

    options = {"kind": "interval", "reference": "wasserstein1", "max_examples": 200}
    assert laws.check(of_level(0.9), **options).ok
    assert not laws.check(of_level(0.7), **options).ok


class Cut(nn.Linear):
    def forward(self, z):
        return super().forward(z).detach()


class Quantised(nn.Linear):
    def forward(self, z):
        return (super().forward(z) * 8).round() / 8


class StraightThrough(nn.Linear):
    def forward(self, z):
        exact = super().forward(z)
        return exact + ((exact * 8).round() / 8 - exact).detach()


class Noisy(nn.Linear):
    def forward(self, z):
        return super().forward(z) + torch.randn(len(z), 1, dtype=z.dtype)


class Half(nn.Linear):
    def forward(self, z):
        return super().forward(super().forward(z).detach())


class Shortened(nn.Linear):
    def forward(self, z):
        return super().forward(z)[1:]


class Overflowing(nn.Linear):
    def forward(self, z):
        return super().forward(z) / 0.0


BATCH_NORM = nn.Sequential(nn.ConvTranspose2d(4, 2, 4), nn.BatchNorm2d(2), nn.Tanh())


@pytest.mark.parametrize(
    ("module", "law", "diagnosis"),
    [
        (Cut(2, 2), "autograd differentiates g", "the graph is cut"),
        (Quantised(2, 2), "continuous in the parameters", "the output jumps"),
        (StraightThrough(2, 2), "autograd differentiates g", "straight-through"),
        (Half(2, 2), "autograd differentiates g", "detached"),
        (Noisy(2, 2), "is a function", "draws noise of its own"),
        (nn.Sequential(nn.Linear(2, 9), nn.Dropout()), "is a function", "Dropout in training"),
        (BATCH_NORM, "rows are separate", "BatchNorm2d in training mode"),
        (Shortened(2, 2), "one finite output a row", "the batch axis"),
        (Overflowing(2, 2), "one finite output a row", "not finite"),
    ],
)
def test_faulty_generators_are_found(module, law, diagnosis):
    report = laws.check_generator(module)
    failures = {failure.law: failure.diagnosis for failure in report.failures}
    assert diagnosis in failures[law]


def test_a_batch_norm_in_evaluation_mode_is_a_generator():
    state = {name: value.clone() for name, value in BATCH_NORM.state_dict().items()}
    assert laws.check_generator(BATCH_NORM.eval()).ok
    BATCH_NORM.train()
    assert all((BATCH_NORM.state_dict()[name] == value).all() for name, value in state.items())


@settings(max_examples=15)
@given(strategies.generators())
def test_drawn_generators_pass(generator):
    report = laws.check_generator(generator)
    assert report.ok, str(report)
    assert laws.check(generator, kind="generator").ok


def test_critics_are_judged_by_their_slopes():
    cone = dv.optimal_transport([[0.0, 0.0], [1.0, 1.0]], [[2.0, 0.0], [3.0, 1.0]]).critic
    assert laws.check_critic(cone, 1.0).ok
    assert laws.check(lambda x: x.norm(dim=1, keepdim=True), kind="critic").ok
    layer = nn.Linear(3, 1)
    norm = float(layer.weight.detach().norm())
    assert laws.check_critic(layer, norm * (1 + 1e-6)).ok
    (failure,) = laws.check_critic(layer, norm * 0.99).failures
    a, b = (torch.tensor(failure.example[name], dtype=torch.float32) for name in "ab")
    assert float((layer(a) - layer(b)).detach().abs()) > 0.99 * norm * float((a - b).norm())
    assert failure.lhs > failure.rhs


@pytest.mark.parametrize(
    ("critic", "diagnosis"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.GELU(), nn.Linear(2, 2)), "shape (16, 2)"),
        (nn.Sequential(nn.Linear(2, 8), nn.GELU(), nn.Linear(8, 1)), "GELU (slope 1.13)"),
        (nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)), "training mode"),
        (nn.Sequential(nn.Linear(2, 8), nn.Dropout(), nn.Linear(8, 1)), "Dropout in training"),
        (lambda x: 3 * np.asarray(x)[:, 0], "slopes up to 3 were seen"),
    ],
)
def test_faulty_critics_are_found(critic, diagnosis):
    (failure,) = laws.check_critic(critic, 0.01).failures
    assert diagnosis in failure.diagnosis


def test_inputs_of_a_module_can_be_given():
    image = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    assert laws.check_critic(image, 10.0, inputs=torch.randn(4, 3, 2, 2)).ok
    with pytest.raises(ValueError, match="check_critic: inputs must be a tensor of at least two"):
        laws.check_critic(image, 10.0, inputs=torch.randn(1, 12))
    with pytest.raises(TypeError, match=r"check_generator: g must be a torch.nn.Module"):
        laws.check_generator(3)
