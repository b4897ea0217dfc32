"""The report: one page that needs no network, with every formula set and every figure drawn."""

import re
from html.parser import HTMLParser

import pytest

from divergences import _cli, theorems
from divergences._mathtext import Typesetter, pieces

pytest.importorskip("matplotlib")
IDS = ("theorem_2_4", "erratum_2", "counterexample_1")
VOID = {"meta", "img", "br"}


class _Tags(HTMLParser):
    """Fails on tags that do not match, collects ids and addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        names = ("href", "src", "xlink:href")
        self.addresses += [values[name] for name in names if name in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def _one_figure():
    from divergences import _theorem_report, plots

    return "<h2>Evidence</h2>\n" + _theorem_report._figure(plots.figure_2(), "Figure 2.")


@pytest.fixture(scope="module", params=["one figure", pytest.param("all", marks=pytest.mark.long)])
def report(request):
    from divergences import _theorem_report

    results = theorems.check_all(IDS, cases=3)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "one figure":
            patch.setattr(_theorem_report, "_evidence", _one_figure)
        page_ = _theorem_report.page(results)
    assert page_.count("<img") == (1 if request.param == "one figure" else 7)
    tags = _Tags()
    tags.feed(page_)
    assert tags.open == []
    return page_, tags


def test_the_page_is_self_contained(report):
    page, tags = report
    assert all(
        address.startswith(("#", "data:image/svg+xml;base64,")) for address in tags.addresses
    )
    assert "<script" not in page
    assert "<link" not in page
    assert "@import" not in page


def test_every_claim_that_ran_has_its_place_and_no_other(report):
    _, tags = report
    assert len(set(tags.ids)) == len(tags.ids)
    assert set(IDS) == {name for name in tags.ids if name in {claim.id for claim in theorems.ALL}}
    glyphs = set(tags.ids) - set(IDS)
    used = {address[1:] for address in tags.addresses if address.startswith("#")}
    assert used == glyphs | set(IDS)


def test_the_page_says_what_was_found(report):
    page, tags = report
    text = " ".join(tags.text)
    for claim in theorems.ALL:
        if claim.id in IDS:
            assert claim.title in text
            assert claim.source in text
            for variant in claim.false_variants:
                assert f"{variant.statement}: refuted by case" in text
    assert "not refuted" not in text
    assert "With delta as the supremum over events" in text
    assert "check_case('theorem_2_4', " in text
    assert re.search(r"<h2>Claims</h2>.*<h2>Errata</h2>.*<h2>Counterexamples</h2>", page, re.DOTALL)


@pytest.mark.parametrize("claim", theorems.ALL, ids=[claim.id for claim in theorems.ALL])
def test_every_formula_can_be_set(claim):
    from matplotlib.mathtext import MathTextParser

    for latex in (claim.statement, claim.inequality):
        found = pieces(latex)
        assert found
        for piece in found:
            MathTextParser("path").parse(f"${piece}$")


def test_formulas_are_cut_at_their_outer_spaces_and_braced():
    assert pieces(r"a \le \frac12, \quad \sqrt{b \quad c}; \quad \sqrt d") == [
        r"a \leq \frac{1}{2},", r"\sqrt{b \quad c};", r"\sqrt{d}"
    ]  # fmt: skip


def test_operators_stand_apart_from_what_they_follow():
    assert pieces(r"E_P \log q = -\log 2") == [r"E_P \, \log q = -\log 2"]


def test_a_glyph_is_drawn_once_on_a_page():
    setter = Typesetter()
    first, again = setter.formula("x"), setter.formula("x")
    assert first.count("<path id=") == 1
    assert again.count("<path id=") == 0
    assert again.count("<use") == 1


def test_the_command_writes_the_page(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("divergences._theorem_report._evidence", str)
    target = tmp_path / "report.html"
    arguments = ["theorems", "erratum_2", "--cases", "2", "--report", str(target)]
    assert _cli.main(arguments) == 0
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "1 passed" in capsys.readouterr().out


def test_a_page_that_cannot_be_written_is_refused_before_the_run(tmp_path, capsys):
    for target in (tmp_path, tmp_path / "nowhere" / "report.html"):
        with pytest.raises(SystemExit) as stop:
            _cli.main(["theorems", "--report", str(target)])
        assert stop.value.code == 2
        assert "must be a file in a folder that exists" in capsys.readouterr().err
