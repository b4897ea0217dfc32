"""The command line: table, JSON, exit statuses, refusals in one line."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from divergences import _cli, theorems
from divergences.theorems import ClaimResult, Relation, Witness

QUICK = ["--cases", "2"]


def _run(capsys, *arguments):
    try:
        status = _cli.main(["theorems", *arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def _fake(monkeypatch, **changes):
    passed = Witness(0, Relation("a <= b", 1.0, 2.0))
    base = ClaimResult("theorem_2_3", "statement", 2, 0.5, "pass", 0, passed)
    results = (base, replace(base, id="duality", **changes))
    monkeypatch.setattr(_cli, "check_all", lambda ids, **options: results)


def test_all_claims_in_a_table_of_100_columns(capsys):
    status, out, err = _run(capsys, *QUICK)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["claim", "statement", "cases", "worst", "slack", "verdict"]
    assert [line.split()[0] for line in lines[2 : 2 + len(theorems.ALL)]] == [
        claim.id for claim in theorems.ALL
    ]
    assert all(len(line) <= 100 for line in lines)
    assert lines[-1] == f"{len(theorems.ALL)} passed"


def test_json_is_strict_and_has_the_keys_of_the_contract(capsys):
    status, out, _ = _run(capsys, "theorem_2_3", "example_1", *QUICK, "--seed", "7", "--json")
    records = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert status == 0
    assert [record["id"] for record in records] == ["example_1", "theorem_2_3"]
    for record in records:
        assert list(record) == [
            "id", "statement", "cases", "worst_slack", "verdict", "seed", "worst_case"
        ]  # fmt: skip
        assert (record["cases"], record["seed"], record["verdict"]) == (2, 7, "pass")
        assert 0 <= record["worst_slack"] <= 1


def test_a_worst_case_can_be_drawn_again(capsys):
    _, out, _ = _run(capsys, "theorem_1_1", "--cases", "5", "--seed", "3", "--json")
    worst = json.loads(out)[0]["worst_case"]
    assert worst["reproduce"] == (
        f"divergences.theorems.check_case('theorem_1_1', {worst['index']}, seed=3)"
    )
    relations = theorems.check_case("theorem_1_1", worst["index"], seed=3)
    assert [worst["lhs"], worst["rhs"], worst["budget"]] in [
        [r.lhs, r.rhs, r.budget] for r in relations if r.name == worst["relation"]
    ]


def test_numbers_that_json_lacks(capsys, monkeypatch):
    nan = float("nan")
    case = Witness(3, Relation("KL = inf", float("inf"), nan, 0.0, "=="))
    _fake(monkeypatch, worst_slack=nan, verdict="fail", worst_case=case)
    status, out, _ = _run(capsys, "--json")
    record = json.loads(out, parse_constant=lambda name: pytest.fail(name))[1]
    assert status == 1
    assert record["worst_slack"] is None
    assert (record["worst_case"]["lhs"], record["worst_case"]["rhs"]) == ("inf", None)


def test_a_failure_is_status_1_and_says_where(capsys, monkeypatch):
    case = Witness(3, Relation("a <= b", 2.0, 1.0, 1e-9))
    _fake(monkeypatch, worst_slack=-0.5, verdict="fail", worst_case=case)
    status, out, _ = _run(capsys)
    assert status == 1
    assert "duality, case 3 of seed 0: a <= b: not 2.0 <= 1.0 within 1e-09" in out
    assert out.splitlines()[-1] == "1 passed, 1 failed"


def test_a_skip_is_status_2_unless_allowed(capsys, monkeypatch):
    _fake(monkeypatch, worst_slack=float("nan"), verdict="skip", worst_case=None)
    status, out, _ = _run(capsys)
    assert status == 2
    assert "1 passed, 1 skipped (an optional library is not installed)" in out
    assert _run(capsys, "--allow-skips")[0] == 0
    assert _run(capsys, "--json")[0] == 2


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_terminals_only(capsys, monkeypatch, terminal):
    pytest.importorskip("tqdm")
    seen = {}
    monkeypatch.setattr(_cli, "check_all", lambda ids, **options: seen.update(options) or ())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert _run(capsys, "duality")[0] == 0
    assert seen["progress"] is terminal


def test_a_failure_is_drawn_again_by_the_call_that_is_printed(capsys, monkeypatch):
    case = Witness(3, Relation("a <= b", 2.0, 1.0, 1e-9))
    _fake(monkeypatch, worst_slack=-0.5, verdict="fail", worst_case=case)
    _, out, _ = _run(capsys)
    assert "again: divergences.theorems.check_case('duality', 3, seed=0)" in out
    assert "tightest: divergences.theorems.check_case('theorem_2_3', 0, seed=0)" in out


def test_a_failure_beside_a_skip_is_status_1(capsys, monkeypatch):
    results = (
        ClaimResult("duality", "s", 0, float("nan"), "skip", 0, None),
        ClaimResult("example_1", "s", 1, -1.0, "fail", 0, Witness(0, Relation("a", 1.0, 0.0))),
    )
    monkeypatch.setattr(_cli, "check_all", lambda ids, **options: results)
    assert _run(capsys, "--allow-skips")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no claim 'nonsense'; known: example_1, "),
        (["--cases", "0"], "argument --cases: must be a positive integer; got '0'"),
        (["--cases", "many"], "argument --cases: must be a positive integer; got 'many'"),
        (["--seed", "-1"], "argument --seed: must be a non-negative integer; got '-1'"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(capsys, arguments, message):
    status, out, err = _run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_an_interruption_leaves_no_traceback(capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_cli, "check_all", interrupt)
    status, _, err = _run(capsys)
    assert (status, err) == (130, "divergences: interrupted\n")


def test_a_report_that_cannot_be_written_is_one_line(capsys, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")

    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    page = tmp_path / "page.html"
    status, _, err = _run(capsys, "example_1", "--cases", "1", "--report", str(page))
    assert (status, err) == (2, f"divergences: {page}: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
def test_output_that_cannot_be_written_is_one_line():
    command = [sys.executable, "-m", "divergences", "theorems", "example_1", "--cases", "1"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "divergences: the output: No space left on device\n"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(os.name != "posix", reason="a shell that closes a stream")
def test_output_that_is_closed_is_one_line():
    words = [sys.executable, "-m", "divergences", "theorems", "example_1", "--cases", "1"]
    closed = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *words]
    ended = subprocess.run(closed, stderr=subprocess.PIPE, check=False, text=True)
    assert (ended.returncode, ended.stderr) == (2, "divergences: the output: closed\n")


def test_help_and_version(capsys):
    assert _cli.main([]) == 0
    assert "theorems" in capsys.readouterr().out
    for option in ("--help", "--version"):
        with pytest.raises(SystemExit) as stop:
            _cli.main([option])
        assert stop.value.code == 0
    assert "divergences " in capsys.readouterr().out


def test_the_module_runs_as_a_program():
    result = subprocess.run(
        [sys.executable, "-m", "divergences", "theorems", "theorem_2_3", *QUICK],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "theorem_2_3" in result.stdout
