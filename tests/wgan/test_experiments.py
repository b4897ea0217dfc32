"""The paper's figures: numbers that their pages are made of, and folders that go on."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.stats import binom, spearmanr

import wgan.experiments.study
from wgan import ConfigError, RunError, TrainingConfig, evaluate, load
from wgan._cli import main
from wgan._cli_reproduce import Figure
from wgan.data import make_data
from wgan.experiments import EXPERIMENTS, Settings, budget, reproduce
from wgan.experiments.cases import Case, Outcome, networks
from wgan.experiments.dependence import rank_correlation, spearman, window_medians
from wgan.experiments.estimates import (
    figure_3,
    figure_3_cases,
    figure_4,
    related,
    saturated_share,
    verdict,
)
from wgan.experiments.modes import mode_cases, mode_collapse
from wgan.experiments.robustness import RATES, grid_cases, measured, robustness, roughness
from wgan.runlog import RunLog
from wgan.state import TrainingState

from .conftest import contents
from .test_report import Page

CPU = torch.device("cpu")


def log_of(records, **options):
    """A run's log without a run."""
    config = TrainingConfig(out=Path("nowhere"), **options)
    return RunLog(Path("nowhere"), "run", config, {}, records, None)


def record(step, distance, floor=1.0, estimates=()):
    return {
        "step": step, "wasserstein1": distance, "floor": floor, "excess": distance - floor,
        "critic_estimates": list(estimates), "critic_estimate_held_out": 0.0,
        "generalisation_gap": 0.0, "time": {"elapsed_s": 1.0, "steps_per_s": 1.0},
    }  # fmt: skip


def autoregressive(rng, n, phi):
    values = np.zeros(n + 50)
    for t, shock in enumerate(rng.normal(size=n + 49), start=1):
        values[t] = phi * values[t - 1] + shock
    return values[50:]


# ---------------------------------------------------------------- rank correlation


def test_spearman_is_scipys_with_ties_too():
    rng = np.random.default_rng(0)
    for n in (3, 10, 200):
        x, y = rng.integers(0, 5 + n, n).astype(float), rng.normal(size=n)
        assert spearman(x, y) == pytest.approx(float(spearmanr(x, y).statistic), abs=1e-12)
    assert spearman(np.ones(9), np.arange(9.0)) is None
    assert spearman(np.arange(2.0), np.arange(2.0)) is None


def test_the_interval_holds_the_truth_nearly_as_often_as_it_says():
    """Gaussian pairs of correlation .6: Spearman's is 6/pi arcsin(.3)."""
    rng, runs, held = np.random.default_rng(5), 150, 0
    for seed in range(runs):
        a, b = autoregressive(rng, 60, 0.5), autoregressive(rng, 60, 0.5)
        found = rank_correlation(a, 0.6 * a + 0.8 * b, seed=seed)
        held += found.lower <= 6 / math.pi * math.asin(0.3) <= found.upper
    # a coverage of 84 % at least: fewer hits than this come of it once in a million
    assert held >= binom.ppf(1e-6, runs, 0.84)


def test_neighbours_that_are_alike_make_it_longer():
    rng = np.random.default_rng(2)
    lengths = {}
    for phi in (0.0, 0.9):
        found = [
            rank_correlation(autoregressive(rng, 100, phi), autoregressive(rng, 100, phi))
            for _ in range(20)
        ]
        lengths[phi] = np.mean([one.upper - one.lower for one in found])
    assert lengths[0.9] > 1.4 * lengths[0.0]


def test_a_common_trend_is_told_from_a_link():
    rng = np.random.default_rng(1)
    time = np.arange(1000.0)
    x, y = time + 100 * rng.normal(size=1000), time + 100 * rng.normal(size=1000)
    found = rank_correlation(x, y)
    assert found.estimate > 0.8
    assert abs(found.given_time) < 5 / math.sqrt(1000)
    linked = rank_correlation(x, x + rng.normal(size=1000))
    assert linked.given_time > 0.9
    assert rank_correlation(time, time).given_time is None  # nothing is left


def test_few_pairs_have_no_interval():
    found = rank_correlation([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0])
    assert (found.lower, found.upper) == (None, None)
    assert "no interval" in found.sentence()
    assert rank_correlation([], []).estimate is None
    json.dumps(found.to_json(), allow_nan=False)


def test_estimates_are_paired_with_the_evaluation_that_follows():
    records = [
        record(0, 9.0),
        {"step": 2, "critic_estimates": [1.0, 5.0]},
        record(3, 8.0, estimates=[3.0]),
        record(5, 7.0, estimates=[10.0, 20.0]),
        {"step": 6, "critic_estimates": [1.0]},
    ]
    assert window_medians(records, "wasserstein1") == ([3, 5], [3.0, 15.0], [8.0, 7.0])


# ---------------------------------------------------------------- conclusions


def correlation(estimate, lower, upper):
    found = rank_correlation(np.arange(10.0), np.arange(10.0))
    return dataclasses.replace(found, estimate=estimate, lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (correlation(0.95, 0.9, 0.97), "falls as samples get better; the 0.9 aimed at is reached"),
        (correlation(0.5, 0.1, 0.7), "falls as samples get better; the 0.9 aimed at is not"),
        (correlation(-0.5, -0.7, -0.1), "rises as samples get better"),
        (correlation(0.5, -0.1, 0.8), "no relation"),
        (correlation(0.95, None, None), "too little"),
        (correlation(None, None, None), "too little"),
    ],
)
def test_a_conclusion_is_what_the_interval_allows(found, words):
    assert words in verdict(found)


def test_every_measure_has_its_own_correlation_the_sliced_one_first():
    """One falls with the estimate, the other rises; older runs have the exact one alone."""
    records = [
        {**record(k, 5.0 + 0.1 * k, 4.0, [1 / (1 + k)]), "sliced_wasserstein1": 1 - 0.05 * k,
         "sliced_floor": 0.25}
        for k in range(12)
    ]  # fmt: skip
    finding = figure_3([Outcome(Case("one", {}), log_of(records), None)])
    measures = finding.figures["one"]["measures"]
    assert list(measures) == ["sliced_wasserstein1", "wasserstein1"]
    sliced, exact = measures.values()
    assert (sliced["floor"], sliced["before"], exact["floor"], exact["before"]) == (0.25, 1, 4, 5)
    assert sliced["rank_correlation"]["estimate"] == pytest.approx(1)
    assert exact["rank_correlation"]["estimate"] == pytest.approx(-1)
    assert len(finding.conclusions) == 2
    assert (
        "sliced W1 to held-out data went from 1 before training to 0.45" in finding.conclusions[0]
    )
    assert "aimed at is reached" in finding.conclusions[0]
    assert "judged otherwise: exact W1" in finding.conclusions[1]
    assert "the estimate rises as samples get better" in finding.conclusions[1]
    old = [{k: v for k, v in one.items() if "sliced" not in k} for one in records]
    assert [one.key for one in related(log_of(old))] == ["wasserstein1"]
    alone = [{**record(0, 2.0), **record(k, 2.0, 1.0, [1.0])} for k in range(2)]
    for one in alone:  # in very many coordinates
        one["sliced_wasserstein1"] = one.pop("wasserstein1")
    assert [one.floor for one in related(log_of(alone))] == [1.0]


def test_the_perceptrons_critic_is_faster_at_reduced_scale_only():
    digits = make_data("digits", CPU)
    for scale, rates in (("reduced", (5e-5, 5e-4)), ("full", (5e-5, 5e-5))):
        case = next(one for one in figure_3_cases(digits, scale) if one.name == "wgan-mlp")
        assert TrainingConfig(out=Path("a"), **case.options).learning_rates == rates


def test_saturation_is_counted_in_the_second_half():
    high, low = 0.95 * math.log(2), 0.5 * math.log(2)
    estimates = [low, low, low, low, low, high, high, high]
    records = [record(0, 5.0)]
    records += [record(k, 5.0, estimates=[one]) for k, one in enumerate(estimates, start=1)]
    log = log_of(records, algorithm="gan")
    assert saturated_share(log) == 0.75
    finding = figure_4([Outcome(Case("gan-mlp", {}), log, None)])
    assert any("in 75% of the evaluations" in words for words in finding.conclusions)
    assert saturated_share(log_of(records[:1])) is None


def test_a_run_counts_as_trained_if_half_the_excess_is_gone():
    def outcome(name, last, failure=None):
        return Outcome(Case(name, {}), log_of([record(0, 11.0), record(9, last)]), failure)

    assert measured(outcome("wgan-1", 6.0))["trained"]
    assert not measured(outcome("wgan-1", 6.1))["trained"]
    assert not measured(outcome("wgan-1", 2.0, "stopped"))["trained"]
    assert measured(outcome("wgan-1", 6.0))["excess_lost"] == 0.5
    assert measured(Outcome(Case("a", {}), log_of([]), None))["trained"] is False
    group = [outcome("wgan-1", 2.0), outcome("wgan-2", 6.1), outcome("gan-1", 10.0, "NaN")]
    words = robustness(group).conclusions
    assert words[0].startswith("wgan: 1 of 2 runs lost at least 50%")
    assert words[0].endswith("(wgan-1).")
    assert words[1].startswith("gan: 0 of 1 runs")
    assert "gan-1 ended early: NaN." in words
    alone = robustness(group[:1]).conclusions  # as with --cases
    assert not any(word.startswith("gan:") for word in alone)


def test_roughness_is_of_the_second_half():
    log = log_of([record(8, 2.0, estimates=[0, 9, 0, 9, 2.0, 3.0, 2.0, 3.0])])
    assert roughness(log) == pytest.approx(1 / 2.5)
    assert roughness(log_of([record(2, 2.0, estimates=[1.0, 2.0])])) is None


# ---------------------------------------------------------------- plans


def test_every_figure_of_the_command_line_is_there():
    assert get_args(Figure) == tuple(EXPERIMENTS)


def test_networks_are_those_of_the_data(tmp_path):
    ring, digits = make_data("ring", CPU), make_data("digits", CPU)
    assert networks(ring, "full").convolutional is None
    assert networks(digits, "reduced").critic == "digits,filters=16"
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8))
    images = make_data(str(path), CPU)
    assert networks(images, "full").convolutional == "dcgan,filters=64"
    assert networks(images, "reduced").plain == "dcgan-plain,filters=16"
    cases = grid_cases("plain")(images, "full")
    assert len(cases) == 2 * len(RATES)
    assert {case.options["algorithm"] for case in cases} == {"wgan-2017", "gan"}
    for figure in ("fig3", "fig4", "fig5", "fig6", "fig7", "momentum"):
        for case in EXPERIMENTS[figure].cases(images, "reduced"):
            config = TrainingConfig(out=tmp_path, data=str(path), latent=100, **case.options)
            TrainingState.fresh(config, images, CPU)
    with pytest.raises(ConfigError, match="square images"):
        EXPERIMENTS["fig6"].cases(digits, "reduced")
    with pytest.raises(ConfigError, match="modes"):
        mode_cases(digits, "reduced")


def test_steps_fill_the_minutes_long_critic_phases_included(monkeypatch):
    config = TrainingConfig(out=Path("a"), algorithm="wgan-2017")
    from wgan.procedure import Procedure

    monkeypatch.setattr(budget, "_cost", lambda *_: (Procedure.of(config), 0.01, 0.5))

    def seconds(steps):
        long = sum(s < 25 or s % 500 == 0 for s in range(steps))
        return 2 * (0.01 * (100 * long + 5 * (steps - long) + steps) + 60 * 0.5)

    for minutes in (3.0, 30.0):
        steps = budget.affordable_steps([config] * 2, None, minutes, 60, 200_000)
        assert seconds(steps) <= 60 * minutes < seconds(math.ceil(steps * 1.02) + 1)
    assert budget.affordable_steps([config], None, 1e-3, 60, 200_000) == budget.LEAST_STEPS
    assert budget.affordable_steps([config], None, 1e5, 60, 700) == 700


def test_costs_are_measured_on_this_machine(monkeypatch):
    monkeypatch.setattr(budget, "MEASURED", 0.05)
    config = TrainingConfig(
        out=Path("a"), data="ring", generator="mlp,widths=8", critic="mlp,widths=8", latent=2
    )
    procedure, unit, evaluation = budget._cost(config, make_data("ring", CPU))
    assert procedure.critic_steps == 5
    assert 1e-6 < unit < 1
    assert 1e-4 < evaluation < 60


# ---------------------------------------------------------------- folders


@pytest.fixture
def small(monkeypatch):
    """Figure 3 on small networks."""
    cases = [
        Case("one", {"generator": "mlp,widths=8", "critic": "mlp,widths=8"}),
        Case("two", {"algorithm": "gan", "generator": "mlp,widths=8", "critic": "mlp,widths=8"}),
    ]
    experiment = dataclasses.replace(
        EXPERIMENTS["fig3"], cases=lambda data, scale: cases, evaluations=10
    )
    monkeypatch.setitem(EXPERIMENTS, "fig3", experiment)
    return cases


@pytest.fixture
def trained(monkeypatch):
    """Names of the cases that are trained, in order."""
    names, train = [], wgan.experiments.study.train

    def spy(config, **options):
        names.append(config.out.name)
        return train(config, **options)

    monkeypatch.setattr(wgan.experiments.study, "train", spy)
    return names


def test_a_figure_from_plan_to_page(small, trained, tmp_path, capsys):
    settings = Settings("fig3", tmp_path / "e", data="ring", steps=20, device="cpu", seed=4)
    result = reproduce(settings)
    assert trained == ["one", "two"]
    assert json.loads((tmp_path / "e" / "result.json").read_text()) == result
    for name in ("data", "data_sha256", "seed", "steps", "device", "versions", "machine", "date"):
        assert result[name] or name == "seed"
    assert (result["seed"], result["steps"], result["device"]) == (4, 20, "cpu")
    numbers = result["figures"]["one"]
    assert numbers["steps"] == list(range(2, 21, 2))
    assert list(numbers["measures"]) == ["wasserstein1"]
    measure = numbers["measures"]["wasserstein1"]
    expected = spearmanr(numbers["estimate"], measure["distance"]).statistic
    assert measure["rank_correlation"]["estimate"] == pytest.approx(expected)
    assert f"{expected:.2f}" in result["conclusions"][0]
    page = Page((tmp_path / "e" / "report.html").read_text())
    assert all(source.startswith("data:image/") for source in page.sources)
    assert str(tmp_path) not in json.dumps(result)
    assert result["command"].endswith(
        "--data ring --seed 4 --device cpu --steps 20 --out runs/fig3"
    )
    # again: nothing is trained, the page is made anew
    (tmp_path / "e" / "report.html").unlink()
    again = reproduce(dataclasses.replace(settings, steps=None, minutes=3.0))
    assert trained == ["one", "two"]
    assert again["figures"] == result["figures"]
    assert (tmp_path / "e" / "report.html").is_file()


def test_what_is_done_stays_done(small, trained, tmp_path, monkeypatch):
    """A stop in the second run: the same call finishes it, to the bit."""
    from wgan import InterruptedRunError, state_hash
    from wgan.session import Session

    whole = Settings("fig3", tmp_path / "whole", data="ring", steps=20, device="cpu")
    reproduce(whole)
    trained.clear()
    step, done = Session.step, []

    def stopped(session):
        done.append(session.config.out.name)
        if len(done) == 27:
            import signal

            signal.raise_signal(signal.SIGINT)
        return step(session)

    monkeypatch.setattr(Session, "step", stopped)
    parts = dataclasses.replace(whole, out=tmp_path / "parts")
    with pytest.raises(InterruptedRunError, match="same command"):
        reproduce(parts)
    assert trained == ["one", "two"]
    result = reproduce(parts)
    assert trained == ["one", "two", "two"]
    assert done.count("one") == done.count("two") == 20
    for name in ("one", "two"):
        first, second = (state_hash(tmp_path / part / "runs" / name) for part in ("whole", "parts"))
        assert first == second
    assert result["figures"]["two"]["failure"] is None


def test_another_experiment_is_not_mixed_in(small, tmp_path):
    settings = Settings("fig3", tmp_path / "e", data="ring", steps=10, device="cpu")
    reproduce(settings)
    before = contents(tmp_path)
    for changes, words in (
        ({"seed": 1}, "seed 0, not 1"),
        ({"steps": 12}, "steps 10, not 12"),
        ({"data": "ring,modes=7"}, "data 'ring'"),
        ({"scale": "full"}, "scale"),
        ({"figure": "fig4"}, "figure 'fig3'"),
    ):
        with pytest.raises(RunError, match=words):
            reproduce(dataclasses.replace(settings, **changes))
    assert contents(tmp_path) == before


def test_a_run_that_diverges_is_a_result_and_not_tried_again(small, trained, tmp_path):
    small[0].options["learning_rate"] = 1e30
    settings = Settings("fig3", tmp_path / "e", data="ring", steps=20, device="cpu")
    result = reproduce(settings)
    failure = result["figures"]["one"]["failure"]
    assert "not finite" in failure or "is nan" in failure or "is inf" in failure
    assert failure in result["conclusions"][0]
    assert result["figures"]["two"]["failure"] is None
    reproduce(settings)
    assert trained == ["one", "two"]


def test_replicas_have_seeds_of_their_own(tmp_path):
    settings = Settings("modes", tmp_path / "e", data="ring", seed=5)
    study = wgan.experiments.study._Study(settings, EXPERIMENTS["modes"])
    assert [study.config(case, 10).seed for case in study.cases] == [5, 6, 7] * 3


def test_some_cases_of_an_experiment_can_be_run_alone(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(
        wgan.experiments.study._Study, "outcome",
        lambda self, case, steps: trained.append(case.name) or Outcome(case, log_of([]), None),
    )  # fmt: skip
    settings = Settings("fig3", tmp_path / "e", data="digits", steps=5, cases=("wgan-dcgan",))
    result = reproduce(settings)
    assert trained == ["wgan-dcgan"]
    assert list(result["figures"]) == result["cases"] == ["wgan-dcgan"]
    assert "--cases wgan-dcgan --steps 5" in result["command"]
    for cases in ((), ("wgan-mlp",)):
        with pytest.raises(RunError, match=r"holds an experiment with cases \['wgan-dcgan'\]"):
            reproduce(dataclasses.replace(settings, cases=cases))
    with pytest.raises(ConfigError, match="option cases must be some of wgan-mlp, wgan-dcgan"):
        reproduce(dataclasses.replace(settings, out=tmp_path / "f", cases=("dcgan",)))
    with pytest.raises(ConfigError, match="option cases has no meaning for fig1"):
        reproduce(Settings("fig1", tmp_path / "f", cases=("a",)))


@pytest.fixture
def quick_classifier(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "wgan.classifier_store.known_classifier.__kwdefaults__",
        {"steps": 60, "seed": 0, "folder": tmp_path / "classifiers"},
    )


def test_stacked_digits_are_counted_at_the_end(quick_classifier, monkeypatch, tmp_path):
    """The numbers are those of the metrics, for the runs as they lie in the folder."""
    small = {"generator": "mlp,widths=8", "critic": "mlp,widths=8", "batch_size": 8}
    experiment = dataclasses.replace(
        EXPERIMENTS["modes"],
        cases=lambda data, scale: [
            Case(f"{name}-seed-0", {**small, "algorithm": name}) for name in ("gan", "wgan")
        ],
    )
    monkeypatch.setitem(EXPERIMENTS, "modes", experiment)
    monkeypatch.setattr("wgan.experiments.stacked.STACKED_SAMPLES", 900)
    result = reproduce(Settings("modes", tmp_path / "e", data="stacked", steps=10))
    assert list(result["figures"]) == ["gan-seed-0", "wgan-seed-0"]
    for name, numbers in result["figures"].items():
        run = load(tmp_path / "e" / "runs" / name)
        truth = evaluate(run, ["modes", "kl_to_uniform"], samples=900)
        assert (numbers["modes"], numbers["of"]) == (truth["modes"].estimate, 1000)
        evenness = truth["kl_to_uniform"]
        assert numbers["kl_to_uniform"] == evenness.estimate
        assert (numbers["lower"], numbers["upper"]) == (evenness.lower, evenness.upper)
        assert numbers["real_kl_to_uniform"] == evenness.real
        sentence = f"{numbers['modes']} of 1000 modes after 10 generator steps"
        assert any(sentence in words for words in result["conclusions"])
    assert "Counted in 900 samples by a classifier trained here" in result["conclusions"][-1]
    page = (tmp_path / "e" / "report.html").read_text()
    assert f"{result['figures']['gan-seed-0']['kl_to_uniform']:.4f}" in page


def test_stacked_runs_that_failed_are_said(quick_classifier, tmp_path):
    log = dataclasses.replace(log_of([], data="stacked"), path=tmp_path / "none")
    finding = mode_collapse([Outcome(Case("gan-seed-0", {}), log, "not finite")])
    assert finding.figures["gan-seed-0"] == {"modes": None, "failure": "not finite"}
    assert finding.conclusions == ["gan: nothing was counted. It ended early: not finite."]
    with pytest.raises(RunError):
        mode_collapse([Outcome(Case("gan-seed-0", {}), log, None)])


def test_networks_of_stacked_digits_can_be_trained(tmp_path):
    data = make_data("stacked", CPU)
    perceptrons = {"reduced": ["gan"], "full": ["gan", "wgan", "wgan-gp"]}
    for scale, names in perceptrons.items():
        cases = mode_cases(data, scale)
        assert [case.options["algorithm"] for case in cases] == [*names, "gan", "wgan-gp"]
        for case in cases:
            config = TrainingConfig(out=tmp_path, data="stacked", latent=100, **case.options)
            TrainingState.fresh(config, data, CPU)


def test_the_mathematics_says_its_numbers(tmp_path):
    first = reproduce(Settings("fig1", tmp_path / "fig1"))
    theta = np.asarray(first["figures"]["theta"])
    np.testing.assert_allclose(first["figures"]["wasserstein1"], np.abs(theta), rtol=1e-15)
    assert first["figures"]["js"] == [math.log(2) if place else 0.0 for place in theta]
    assert first["figures"]["total_variation"] == [float(place != 0) for place in theta]
    assert first["figures"]["claim"]["verdict"] == "pass"
    second = reproduce(Settings("fig2", tmp_path / "fig2"))
    assert f"is {6 / (1 + math.exp(18)):.3g} at the mean" in " ".join(second["conclusions"])
    slopes = second["figures"]["curves"]["$|f'|$"][1]
    np.testing.assert_allclose(slopes, 1.0, rtol=1e-12)
    ends = re.findall(r"between (\S+) and (\S+) where", second["conclusions"][0])[0]
    np.testing.assert_allclose([float(end) for end in ends], 1.0, rtol=1e-12)
    for name in ("fig1", "fig2"):
        page = Page((tmp_path / name / "report.html").read_text())
        assert page.sources[0].startswith("data:image/svg")


@pytest.mark.parametrize(
    "words",
    [
        ["fig9", "--data", "ring"],
        ["fig1", "--data", "ring"],
        ["fig2", "--steps", "3"],
        ["fig1", "--seed", "3"],
        ["fig1", "--scale", "full"],
        ["fig2", "--device", "cuda"],
        ["fig3", "--data", "ring", "--steps", "3", "--minutes", "2"],
        ["fig3"],
        ["fig3", "--data", "nothing"],
        ["fig3", "--data", "ring", "--minutes", "-1"],
        ["fig3", "--data", "ring", "--steps", "-1"],
        ["fig6", "--data", "digits"],
        ["modes", "--data", "digits"],
    ],
)
def test_what_cannot_be_run_is_a_line_and_leaves_nothing(words, tmp_path, capsys):
    assert main(["reproduce", *words, "--out", str(tmp_path / "e")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "e").exists()


def test_a_folder_of_something_else_is_left_alone(finished, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    for folder in (tmp_path / "mine", finished.folder.path):
        before = contents(folder)
        assert main(["reproduce", "fig1", "--out", str(folder)]) == 2
        assert contents(folder) == before


# ---------------------------------------------------------------- the optimiser as an option


def test_the_optimiser_is_an_option(tmp_path):
    data = make_data("ring", CPU)
    options = {"out": tmp_path, "data": "ring", "generator": "mlp,widths=8",
               "critic": "mlp,widths=8", "latent": 2}  # fmt: skip
    state = TrainingState.fresh(
        TrainingConfig(**options, optimizer="adam", beta1=0.5, beta2=0.99), data, CPU
    )
    assert isinstance(state.critic_optimizer, torch.optim.Adam)
    assert state.generator_optimizer.param_groups[0]["betas"] == (0.5, 0.99)
    state = TrainingState.fresh(
        TrainingConfig(**options, algorithm="gan", optimizer="rmsprop"), data, CPU
    )
    assert isinstance(state.critic_optimizer, torch.optim.RMSprop)
    assert TrainingConfig(**options).optimizer == "rmsprop"
    assert TrainingConfig(**options, algorithm="gan").optimizer == "adam"
    with pytest.raises(ConfigError, match="rmsprop or adam"):
        TrainingConfig(**options, optimizer="sgd")
