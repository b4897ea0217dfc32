import contextlib
import json
import math
import sys

import numpy as np
import pytest
import torch

from wgan import RunError, evaluate, train
from wgan._cli import main
from wgan.assessment import METRICS, OF_SAMPLES
from wgan.material import Material
from wgan.metrics import kid, mode_coverage, precision

from .conftest import small_config

DIGITS = {"data": "digits"}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits") / "run"
    return train(small_config(out, **DIGITS, steps=2, eval_every=2), quiet=True)


def test_a_law_with_modes_is_measured_by_the_published_protocol(finished):
    evaluation = evaluate(finished)
    assert [one.name for one in evaluation.measurements] == [
        "modes", "high_quality", "precision", "recall", "density", "coverage", "wasserstein1",
        "wasserstein1_gap", "critic_gap",
    ]  # fmt: skip
    data = finished.data
    expected = mode_coverage(finished.sample(2500, 0), data.modes, data.deviation)
    assert (evaluation["modes"], evaluation["high_quality"]) == expected
    assert evaluation["precision"].samples == (1000, 1000)
    assert evaluation.critic == finished.evaluate(0)
    assert evaluation["wasserstein1"].upper == math.inf
    assert not evaluation.left_out


def test_numbers_come_from_held_out_and_generated_samples(digits):
    evaluation = evaluate(digits, ["kid", "precision"], samples=50, seed=3)
    real, generated = digits.data.real_samples(50), digits.sample(50, 3)
    assert [one.name for one in evaluation.measurements] == ["precision", "kid"]
    assert evaluation["kid"] == kid(real.held_out, generated, real.reference)
    assert evaluation["precision"].estimate == precision(real.held_out, generated).estimate
    assert evaluation["precision"].real == precision(real.held_out, real.reference).estimate
    assert evaluation.features == "pixels in [-1, 1]"
    with pytest.raises(KeyError):
        evaluation["recall"]


def test_images_are_measured_in_pixels_or_components_with_an_upper_end(digits):
    evaluation = evaluate(digits, samples=60, features="pca,components=5")
    assert {one.name for one in evaluation.measurements} == {
        "precision", "recall", "density", "coverage", "kid", "wasserstein1", "wasserstein1_gap",
        "critic_gap",
    }  # fmt: skip
    assert evaluation["wasserstein1"].upper < math.inf
    assert "5 principal components" in evaluation.features
    assert "used for nothing else" in evaluation.features
    pixels = evaluate(digits, ["wasserstein1"], samples=60)
    assert evaluation["wasserstein1"].estimate < pixels["wasserstein1"].estimate
    assert evaluation["critic_gap"].unit == "units of an unknown Lipschitz constant"


def test_the_averaged_generator_is_another(digits):
    last, averaged = (evaluate(digits, ["kid"], samples=50, averaged=is_) for is_ in (False, True))
    expected = kid(
        digits.data.real_samples(50).held_out,
        digits.sample(50, 0, averaged=True),
        digits.data.real_samples(50).reference,
    )
    assert averaged["kid"] == expected != last["kid"]
    assert (last.generator, averaged.generator) == ("last", "averaged")


def test_stacked_digits_are_counted_by_a_classifier(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "wgan.classifier_store.known_classifier.__kwdefaults__",
        {"steps": 60, "seed": 0, "folder": tmp_path / "cache"},
    )
    config = small_config(tmp_path / "run", **{**DIGITS, "data": "stacked"}, steps=1)
    run = train(config, quiet=True)
    evaluation = evaluate(run, ["modes", "kl_to_uniform"], samples=2000)
    assert evaluation["modes"].upper == 1000
    assert evaluation["modes"].estimate < 1000
    # real stacks: 2,000 draws of 1,000 modes, a KL of some .25; one mode alone has log 1000
    assert 0.1 < evaluation["kl_to_uniform"].real < 0.6
    assert evaluation["kl_to_uniform"].real < evaluation["kl_to_uniform"].estimate <= math.log(1000)
    assert "held-out images" in evaluation.labels
    assert evaluation.labels in evaluation.text()
    with pytest.raises(RunError, match="high_quality has no meaning here"):
        evaluate(run, ["high_quality"])


def test_too_few_samples_leave_metrics_out_unless_they_were_asked_for(finished):
    evaluation = evaluate(finished, samples=5)
    assert {"precision", "coverage", "critic_gap"} <= set(evaluation.left_out)
    assert "must hold at least 10" in evaluation.left_out["precision"]
    assert evaluation["modes"].samples == (5,)
    assert "left out" in evaluation.text()
    with pytest.raises(RunError, match="at least 10"):
        evaluate(finished, ["precision"], samples=5)


def test_a_kid_of_fifty_images_says_so(digits):
    one = evaluate(digits, ["kid"], samples=50)["kid"]
    assert one.samples == (50, 50)
    assert one.lower < one.estimate < one.upper


def test_fid_wants_features_of_ones_own(digits):
    for name in ("fid", "kid_subsets"):
        with pytest.raises(RunError, match=f"{name} needs features of your own"):
            evaluate(digits, [name])


OWN = """
import torch
def few(images):
    assert images.shape[1:] == (1, 8, 8)
    return images.flatten(1)[:, ::16]
def flat(images):
    return images.mean()
def nan(images):
    return images.flatten(1) * float("nan")
def fails(images):
    raise RuntimeError("two\\nlines")
number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_features.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("my_features", None)


def test_features_of_ones_own_are_taken_from_the_working_directory(digits, own):
    evaluation = evaluate(digits, ["kid"], samples=50, features="my_features:few")
    real = digits.data.real_samples(50)
    columns = [
        np.asarray(part)[:, ::16] for part in (real.held_out, digits.sample(50), real.reference)
    ]
    assert evaluation["kid"] == kid(*columns)
    assert evaluation.features == "my_features:few, on images of shape (1, 8, 8)"


@pytest.mark.parametrize(
    ("features", "complaint"),
    [
        ("my_features:none", "cannot be imported (AttributeError"),
        ("no_such_module:f", "cannot be imported (ModuleNotFoundError"),
        ("my_features:number", "is no function; it is int"),
        ("my_features:flat", "must give numbers of shape (50, f) for 50 samples; got shape ()"),
        ("my_features:nan", "NaN or infinite"),
        ("my_features:fails", "failed (RuntimeError: two lines)"),
        ("pca,components=0", "pca takes components=N"),
        ("pca,components=65", "65 components need as many coordinates and more training"),
        ("inception", "must be samples, pca, pca,components=32 or module:callable"),
    ],
)
def test_features_that_are_none_are_one_line(digits, own, features, complaint):
    with pytest.raises(RunError) as caught:
        evaluate(digits, ["kid"], samples=50, features=features)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def run_main(words, capsys):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_features_that_no_metric_looks_at_are_refused(finished, capsys):
    run = str(finished.folder.path)
    assert main(["evaluate", run, "--metrics", "modes", "critic_gap", "--features", "samples"]) == 2
    assert capsys.readouterr().err == (
        "wgan: option features does nothing with the metrics modes, critic_gap, which are of the "
        "samples themselves; leave it out; got 'samples'\n"
    )


def test_which_metrics_look_at_features_is_as_said(finished, monkeypatch):
    def asked(_):
        raise RunError("features")

    monkeypatch.setattr(Material, "features", property(asked))
    for name, metric in METRICS.items():
        if metric.unfit(finished.data):
            continue
        with pytest.raises(RunError) if name not in OF_SAMPLES else contextlib.nullcontext():
            evaluate(finished, [name], samples=20)


def test_the_command_prints_a_table_and_writes_json(finished, capsys):
    folder = finished.folder.path
    status, out, _ = run_main(["evaluate", folder, "--samples", 40, "--seed", 2], capsys)
    assert status == 0
    evaluation = evaluate(folder, samples=40, seed=2)
    for one in evaluation.measurements:
        (line,) = (line for line in out.splitlines() if line.split(" ")[0] == one.name)
        assert f"{one.estimate:.4g}" in line
    assert json.loads((folder / "evaluation.json").read_text()) == evaluation.to_json()
    words = [
        "evaluate",
        folder,
        "--samples",
        40,
        "--seed",
        2,
        "--json",
        "--metrics",
        "modes",
        "recall",
    ]
    status, out, _ = run_main(words, capsys)
    assert set(json.loads(out)["metrics"]) == {"modes", "recall"}
    assert json.loads(out) == json.loads((folder / "evaluation.json").read_text())
    finished.folder.remove()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--metrics", "inception"], "option metrics must be some of modes, high_quality"),
        (["--metrics", "kl_to_uniform"], "kl_to_uniform has no meaning here"),
        (["--samples", "0"], "samples must be an integer from 1 to 2147483647; got 0"),
        (["--samples", "40", "--level", "2"], "level must be a number strictly between 0 and 1"),
        (["--features", "x"], "option features must be samples"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(finished, capsys, words, complaint):
    status, out, err = run_main(["evaluate", finished.folder.path, *words], capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert complaint in err
    assert not (finished.folder.path / "evaluation.json").exists()


def test_the_name_is_a_function_in_whatever_order_modules_are_imported():
    import wgan.evaluate

    assert callable(wgan.evaluate)
    assert set(METRICS) >= {"modes", "kid", "fid"}


def test_finite_data_give_disjoint_samples_and_a_rest_to_fit_on(digits):
    real = digits.data.real_samples(100)
    assert [len(part) for part in real] == [100, 100, 1297]
    rows = torch.cat(list(real)).unique(dim=0)
    everything = torch.cat([digits.data.training, real.held_out]).unique(dim=0)
    assert len(rows) == len(everything)
    assert [len(part) for part in digits.data.real_samples(10**6)] == [400, 400, 997]
