import dataclasses

import pytest

import wgan.demo
from divergences.theorems import check_all
from wgan import RunError
from wgan.demo import demo

from .conftest import contents
from .test_report import Page


@pytest.fixture
def few_claims(monkeypatch):
    """Real checks, but few, and a small step: the whole demo takes minutes."""
    monkeypatch.setattr(
        wgan.demo, "check_all", lambda: check_all(["example_1", "duality"], cases=3)
    )


@pytest.mark.usefixtures("few_claims")
def test_the_short_mode_makes_no_claim_about_the_digits(tmp_path, capsys):
    out = tmp_path / "demo"
    assert demo(out, steps=2) == 0
    printed = capsys.readouterr().out
    assert f"report: {out / 'report.html'}" in printed
    assert "verdict:" not in printed
    report = (out / "report.html").read_text(encoding="utf-8")
    page = Page(report)
    assert all(source.startswith("data:image/") for source in page.sources)
    assert page.headings[1:4] == ["The paper's claims, checked", "Figure 1: parallel lines",
                                  "Figure 2: two Gaussians"]  # fmt: skip
    assert "it makes no claim about the digits" in report
    assert "over the floor fell" not in report
    assert page.cells[:1] == ["example_1"]
    # a second demo replaces the first, and only what the first wrote
    (out / "mine.txt").write_text("precious")
    assert demo(out, steps=2) == 0
    assert (out / "mine.txt").read_text() == "precious"


@pytest.mark.usefixtures("few_claims")
def test_the_whole_demo_fails_where_the_excess_does_not_fall(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(wgan.demo, "STEPS", 1)
    assert demo(tmp_path / "demo") == 1
    assert "(LESS than two thirds)" in capsys.readouterr().out
    assert "over the floor" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


def test_a_claim_that_fails_fails_the_demo(tmp_path, capsys, monkeypatch):
    (good,) = check_all(["example_1"], cases=1)
    bad = dataclasses.replace(good, verdict="fail", worst_slack=-1.0)
    monkeypatch.setattr(wgan.demo, "check_all", lambda: (bad,))
    assert demo(tmp_path / "demo", steps=0) == 1
    assert "these claims failed: example_1" in capsys.readouterr().out
    assert "0 of 1 claims hold" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("marked", [False, True])
def test_only_its_own_folder_is_used(tmp_path, marked):
    (tmp_path / "thesis.tex").write_text("precious")
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "note").write_text("mine")
    if marked:
        (tmp_path / "demo.json").write_text("{}")
    before = contents(tmp_path)
    with pytest.raises(
        RunError, match="note: is no part of a run" if marked else "neither empty nor"
    ):
        demo(tmp_path, steps=0)
    assert contents(tmp_path) == before


@pytest.mark.long
def test_the_whole_demo_reaches_its_goal_for_other_seeds(tmp_path):
    from wgan import TrainingConfig, train
    from wgan.report import excess_fall

    for seed in (1, 2, 3):
        config = TrainingConfig(out=tmp_path / str(seed), seed=seed, steps=wgan.demo.STEPS,
                                eval_every=wgan.demo.STEPS, device="cpu")  # fmt: skip
        assert excess_fall(train(config, quiet=True)) > 0.75
