import html.parser
import json
import re
import shlex

import pytest

from wgan import RunError, TrainingConfig, train
from wgan.algorithms import ALGORITHMS
from wgan.charts import axis_label
from wgan.report import command, excess_fall, verdict, write_report
from wgan.units import estimate_of, rounded

from .conftest import small_config


class Page(html.parser.HTMLParser):
    """Collects what a page refers to, its headings and its cells; checks that tags match."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.headings, self.cells = [], [], [], []
        self.feed(text)
        assert not self.open, "tags left open"

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert tag not in ("script", "link", "iframe")
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


@pytest.fixture
def report(finished, tmp_path):
    write_report(finished.folder.path, tmp_path / "report.html")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_comes_from_outside(report):
    page = Page(report)
    assert page.sources
    assert all(source.startswith("data:image/") for source in page.sources)
    assert "url(" not in report
    assert "http" not in re.sub(r'src="[^"]*"', "", report)


def test_every_part_is_there(report, finished):
    page = Page(report)
    assert page.headings == ["Wasserstein GAN on ring, 20 generator steps", "Curves",
                             "Findings", "Samples over time", "Exact numbers", "What was run",
                             "How to repeat it"]  # fmt: skip
    for record in finished.metrics():
        if "wasserstein1" in record:
            assert f"{record['wasserstein1']:.4f}" in page.cells
            assert rounded(record["lower_bound"], 4, up=False) in page.cells
    for name in ("learning_rate", "5e-05", "torch", "processor"):
        assert name in page.cells
    assert "units of an unknown Lipschitz constant" in report
    assert verdict(finished) in report


def test_the_command_of_a_report_repeats_the_run(tmp_path):
    from wgan._cli import parse

    for options in (
        {"clip": 0.02},
        {"saturating": True, "algorithm": "gan", "critic_decays": False},
    ):
        config = small_config(tmp_path / "odd name", seed=7, **options)
        words = shlex.split(command(config))
        assert words[:3] == ["python", "-m", "wgan"]
        again = parse(words[3:]).config
        assert again.to_json() == config.to_json()
    assert command(TrainingConfig(out="runs/digits")) == (
        "python -m wgan train --data digits --out runs/digits --steps 2000 --seed 0"
    )


def test_the_fall_of_the_excess_is_that_of_the_log(finished):
    records = [record for record in finished.metrics() if "wasserstein1" in record]
    first, last = (record["wasserstein1"] - record["floor"] for record in (records[0], records[-1]))
    assert excess_fall(finished) == 1 - last / first
    assert verdict(finished).startswith("the excess of the exact W1 over the floor ")


def test_a_run_without_an_evaluation_has_no_report(tmp_path):
    run = train(small_config(tmp_path / "run"), quiet=True)
    run.folder.metrics.write_text('{"step": 2, "critic_estimate": 0.5, "time": {}}\n')
    with pytest.raises(RunError, match="has not been evaluated yet"):
        write_report(run.folder.path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_label_of_the_estimate_fits_beside_its_chart(name):
    estimate = estimate_of(TrainingConfig("run", algorithm=name))
    label = axis_label(estimate.quantity, estimate.unit)
    assert max(map(len, label.splitlines())) <= 40
    assert " ".join(label.split()) == f"{estimate.quantity} ({estimate.unit})"


@pytest.mark.parametrize(
    ("critic", "certified"),
    [
        ("small", True), ("digits", True), ("orthogonal", True), ("dcgan,batch_norm=no", True),
        ("dcgan", False), ("resnet", False), ("resnet,critic_norm=none", False),
    ],
)  # fmt: skip
def test_layers_of_norm_one_give_a_unit_where_nothing_is_added_or_normalised(critic, certified):
    """A residual block's slope is the sum of its paths', and batch norm divides by a deviation."""
    unit = estimate_of(TrainingConfig("run", algorithm="wgan-sn", critic=critic)).unit
    assert unit.startswith("units of the data, from a 1-Lipschitz critic") == certified
    assert ("unknown" in unit) != certified


def excesses(run, *values):
    """Write a log whose evaluations have these excesses over a floor of 1."""
    lines = [
        {"step": step, "wasserstein1": 1 + value, "floor": 1.0, "excess": value, "time": {},
         "critic_estimate_held_out": 0.1, "generalisation_gap": 0.0}
        for step, value in enumerate(values)
    ]  # fmt: skip
    for line in lines:
        line["time"] = {"elapsed_s": 1.0, "steps_per_s": 1.0}
    run.folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((2.0, 1.0), "fell by 50%"),
        ((2.0, 3.0), "rose by 50%"),
        ((2.0, 2.004), "changed by less than 1%"),
        ((2.0, 1.996), "changed by less than 1%"),
        ((2.0, -0.5), "fell by 125%"),
        ((0.0, 1.0), "was none to begin with"),
        ((-0.25, 1.0), "was none to begin with"),
        ((2.0,), "At step 0 the exact W1 to held-out data is 3.000"),
    ],
)
def test_the_outcome_is_said_for_every_curve(finished, tmp_path, values, words):
    excesses(finished, *values)
    write_report(finished.folder.path, tmp_path / "report.html")
    lead = (tmp_path / "report.html").read_text(encoding="utf-8").partition("</p>")[0]
    assert words in lead
    assert "nan" not in lead
    assert not re.search(r"(fell|rose) by 0%", lead)
