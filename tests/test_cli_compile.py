"""``divergences compile``: every kernel is on disk afterwards, and no call waits for one."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import divergences
from divergences import _cli_compile, _compile
from divergences._cli import main
from divergences.transport import _jit


def declared():
    """The kernels of the sources that are kept by themselves, not in their caller."""
    kernels = set()
    for path in {*Path(divergences.__file__).parent.rglob("*.py")} - {Path(_jit.__file__)}:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "jit"):
                continue
            if not {"inline", "once"} & {keyword.arg for keyword in node.keywords}:
                kernels.add(f"{path.stem}.{node.args[0].id}")
    return kernels


CALLS = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s: %(message)s")
import numpy as np
import divergences as dv
rng = np.random.default_rng(5)
def p(*shape):
    masses = rng.random(shape) + 0.1
    return masses / masses.sum(axis=-1, keepdims=True)
def w(one, other, **options):
    return dv.optimal_transport(rng.random(one), rng.random(other), **options).value
w((3000, 2), (2500, 2))
w((1200, 3), (1100, 3), x_weights=p(1200))
w((400, 2), (300, 2), solver="multiscale", metric=("minkowski", 3))
w((300, 64), (280, 64), solver="dense", y_weights=p(280))
w((500, 30), (500, 30))
w((500, 900), (480, 900))
w((400, 3), (400, 3), metric="angular")
dv.optimal_transport(cost=rng.random((700, 650)))
dv.wasserstein1(rng.random((90, 10, 2)), rng.random((90, 10, 2)))
dv.wasserstein1(rng.random((90, 2, 10)).transpose(0, 2, 1), rng.random((90, 8, 2)), p(90, 10),
                np.asfortranarray(p(90, 8)))
dv.wasserstein1_grid(p(900).reshape(30, 30), p(900).reshape(30, 30))
dv.wasserstein1(rng.random(300_000), rng.random(200_000))
dv.wasserstein1(rng.random(300_000), rng.random(200_000), None, p(200_000))
for dtype in (np.float32, np.float64):
    dv.js_divergence(*p(2, 2_000_000).astype(dtype))
x = np.concatenate([rng.random((40_000, 2)), rng.random((40_000, 2))])
try:
    dv.optimal_transport(x, x + 0.3, time_limit=0.3)
except dv.TimeLimitReached:
    print("late")
"""


def test_afterwards_no_call_compiles(capsys):
    """With the kernels that lie on disk already; the other tests use the same ones."""
    assert main(["compile"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {line.split("  ")[0] for line in said[:-1]} == set(_compile.FAMILIES)
    folder = _jit.cache_folder()
    assert said[-1] == f"kept in {folder}"
    kept = {path.name.split("-")[0] for path in Path(folder).rglob("*.nbi")}
    assert declared() <= kept
    run = subprocess.run(
        [sys.executable, "-c", CALLS], capture_output=True, check=True, text=True, env=os.environ
    )
    assert run.stdout.splitlines() == ["late"]


def test_where_nothing_can_be_kept_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(_cli_compile, "cache_folder", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main(["compile"])
    assert ended.value.code == 2
    assert "set NUMBA_CACHE_DIR to one that can" in capsys.readouterr().err


def test_a_family_that_fails_is_named(monkeypatch, capsys):
    """By the process asked, which does not know the new name."""
    monkeypatch.setattr(_compile, "FAMILIES", {"line": _compile.FAMILIES["line"], "no such": None})
    assert main(["compile", "--processes", "2"]) == 2
    said = capsys.readouterr()
    assert said.err == "divergences: no such: KeyError: 'no such'\n"
    assert said.out.startswith("line")
    assert "kept in" not in said.out


@pytest.mark.parametrize("count", ["0", "-1", "two", "1.5"])
def test_the_number_of_processes_is_positive(count, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compile", "--processes", count])
    assert ended.value.code == 2
    assert f"must be a positive integer; got {count!r}" in capsys.readouterr().err


ANSWERING = """
import sys, time
for line in sys.stdin:
    if line == "deadly\\n":
        raise SystemExit(7)
    time.sleep(0 if line == "quick\\n" else 60)
    print(flush=True)
"""


def test_who_stops_listening_ends_all_processes(monkeypatch):
    """As Ctrl-C does: those at work are killed, and no other begins."""
    begun = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            begun.append(self)

    monkeypatch.setattr(_compile.subprocess, "Popen", Noted)
    monkeypatch.setattr(_compile, "_PROGRAM", ANSWERING)
    monkeypatch.setattr(_compile, "FAMILIES", dict.fromkeys(["slow", "quick", "third", "fourth"]))
    heard = _compile.compile_all(2)
    assert next(heard).family == "quick"
    heard.close()
    assert len(begun) == 2
    assert all(run.returncode == -signal.SIGKILL for run in begun)


def test_a_process_that_dies_is_replaced(monkeypatch):
    monkeypatch.setattr(_compile, "_PROGRAM", ANSWERING)
    monkeypatch.setattr(_compile, "FAMILIES", dict.fromkeys(["quick", "deadly"]))
    heard = [(done.family, done.trouble) for done in _compile.compile_all(1)]
    assert heard == [("quick", ""), ("deadly", "the process ended with status 7")]
    monkeypatch.setattr(_compile, "FAMILIES", dict.fromkeys(["deadly", "quick"]))
    heard = [(done.family, done.trouble) for done in _compile.compile_all(1)]
    assert heard == [("deadly", "the process ended with status 7"), ("quick", "")]


def test_where_no_process_can_begin_it_does_not_wait(monkeypatch):
    monkeypatch.setattr(_compile.sys, "executable", "/no/such/python")
    with pytest.raises(FileNotFoundError, match="/no/such/python"):
        list(_compile.compile_all(2))
