"""Runs side by side: what may stand on one axis, and what the page says."""

import json
import shutil

import pytest

import wgan.comparison
from wgan import RunError, train
from wgan._cli import main
from wgan.charts import Curve, overlay_chart
from wgan.comparison import (
    comparable_distances,
    comparable_estimates,
    grouped,
    write_comparison,
)
from wgan.folder import EVALUATION
from wgan.metrics_table import entries
from wgan.runlog import displayed, read_log, read_logs

from .conftest import contents, small_config
from .test_report import Page


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Five small runs: clipped twice, penalised twice, a GAN, and clipped on other data."""
    folder = tmp_path_factory.mktemp("runs")
    cases = {
        "clipped": {},
        "clipped-too": {"seed": 1},
        "penalised": {"algorithm": "wgan-gp"},
        "penalised-too": {"algorithm": "wgan-gp", "learning_rate": 1e-3},
        "gan": {"algorithm": "gan"},
        "gan-digits": {"algorithm": "gan", "data": "digits"},
    }
    for name, changes in cases.items():
        train(small_config(folder / name, steps=10, **changes), quiet=True)
    return {name: folder / name for name in cases}


def test_units_that_differ_are_never_on_one_axis(runs):
    logs = read_logs(list(runs.values()))
    names = [[logs[k].name for k in group] for group in grouped(logs, comparable_estimates)]
    assert names == [
        ["clipped"],  # without a known constant a height is comparable with no other run's
        ["clipped-too"],
        ["penalised", "penalised-too"],
        ["gan", "gan-digits"],  # nats on both data
    ]
    names = [[logs[k].name for k in group] for group in grouped(logs, comparable_distances)]
    assert names == [
        ["clipped", "clipped-too", "penalised", "penalised-too", "gan"],
        ["gan-digits"],
    ]


def test_the_axes_of_the_page_are_those_groups(runs, tmp_path, monkeypatch):
    drawn = []

    def spy(curves, label, description, **options):
        drawn.append(([curve.label for curve in curves], label))
        return overlay_chart(curves, label, description, **options)

    monkeypatch.setattr(wgan.comparison, "overlay_chart", spy)
    write_comparison([runs["gan"], runs["penalised"]], tmp_path / "page.html")
    estimates = [(names, label) for names, label in drawn if "estimate" in label]
    assert [names for names, _ in estimates] == [["gan"], ["penalised"]]
    assert "nats" in estimates[0][1]
    assert "units of the data" in " ".join(estimates[1][1].split())


def test_the_page_needs_nothing_and_shows_numbers_and_differences(runs, tmp_path):
    chosen = [runs["clipped"], runs["penalised"], runs["gan"]]
    write_comparison(chosen, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert all(source.startswith("data:image/") for source in page.sources)
    # distances, three estimates, modes, high quality; two pictures a run
    assert sum(source.startswith("data:image/svg") for source in page.sources) == 6
    assert sum(source.startswith("data:image/png") for source in page.sources) == 6
    for run in chosen:
        last = read_log(run).evaluations[-1]
        assert f"{last['wasserstein1']:.4f}" in page.cells
        assert f"{last['critic_estimate_held_out']:.4g}" in page.cells
    assert "algorithm" in page.cells
    assert "learning_rate" in page.cells
    assert "batch_size" not in page.cells  # alike in all
    assert str(tmp_path) not in text
    assert str(chosen[0].parent) not in text


def test_evaluation_json_is_shown_where_it_is(runs, tmp_path):
    copies = []
    for name in ("clipped", "gan"):
        copies.append(tmp_path / name)
        shutil.copytree(runs[name], copies[-1])
    measured = {"kid": {"estimate": 0.125, "lower": 0.1, "upper": 0.25}, "samples": 500}
    (copies[0] / EVALUATION).write_text(json.dumps(measured))
    write_comparison(copies, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    start = page.cells.index("kid")
    assert page.cells[start : start + 3] == ["kid", "0.125 [0.1, 0.25]", "not measured"]
    (copies[0] / EVALUATION).write_text("[1, 2")
    with pytest.raises(RunError, match="damaged"):
        read_log(copies[0])


def test_entries_keep_every_number():
    content = {"a": {"b": {"c": 1.5}, "lower": 1}, "d_e": True, "f": [1, 2], "g": float("inf")}
    measured = {"estimate": 2.5, "lower": None, "upper": 3.0, "unit": "nats", "real": 0.25}
    assert dict(entries({"kl": measured})) == {"kl": "2.5 [-inf, 3] nats; real data 0.25"}
    assert dict(entries(content)) == {"a, b, c": "1.5", "a, lower": "1", "d e": "True", "g": "inf"}


def test_a_run_without_its_data_or_evaluation_is_shown(runs, tmp_path):
    lost = tmp_path / "lost"
    shutil.copytree(runs["gan-digits"], lost)
    description = json.loads((lost / "run.json").read_text())
    description["config"]["data"] = "/nowhere/rooms.npz,size=32"
    (lost / "run.json").write_text(json.dumps(description))
    (lost / "metrics.jsonl").write_text("")
    write_comparison([runs["gan"], lost], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "lost has not been evaluated" in text
    assert "rooms.npz,size=32" in text
    assert "lost: " not in text


def test_data_are_told_apart_by_their_contents(runs, tmp_path):
    """The same digits under another name are the same; other contents under one name are not."""
    moved = tmp_path / "moved"
    shutil.copytree(runs["gan-digits"], moved)
    description = json.loads((moved / "run.json").read_text())
    description["config"]["data"] = "elsewhere.npy"
    (moved / "run.json").write_text(json.dumps(description))
    first, second = read_logs([runs["gan-digits"], moved])
    assert first.data_identity == second.data_identity
    assert first.data_identity != read_log(runs["gan"]).data_identity


def test_names_are_the_shortest_that_differ(runs, tmp_path):
    copies = [tmp_path / "x" / "run", tmp_path / "y" / "run"]
    for copy in copies:
        shutil.copytree(runs["gan"], copy)
    assert [log.name for log in read_logs(copies)] == ["x/run", "y/run"]
    assert displayed("a/b,c/d.npz,size=64") == "d.npz,size=64"


def test_curves_are_drawn_with_levels_and_a_safe_description():
    image = overlay_chart(
        [Curve(str(k), [0, 1], [k, k]) for k in range(30)], "y", 'a "b" <c>', levels=[(1.0, "one")]
    )
    assert 'alt="a &quot;b&quot; &lt;c&gt;"' in image


@pytest.mark.parametrize("names", [[], ["gan"], ["gan", "gan"], ["gan", "nothing"]])
def test_what_cannot_be_compared_is_a_line(runs, tmp_path, capsys, names):
    paths = [str(runs.get(name, tmp_path / name)) for name in names]
    before = contents(tmp_path)
    assert main(["compare", *paths, "--out", str(tmp_path / "page.html")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert contents(tmp_path) == before


def test_compare_from_the_command_line(runs, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["compare", str(runs["gan"]), str(runs["clipped"]), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"comparison of 2 runs: {out}\n"
    assert out.is_file()
