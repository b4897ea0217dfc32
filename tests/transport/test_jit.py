"""The kernels' cache: what names its folder, and what happens where none can be written."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from divergences.transport import _jit


def test_an_edited_helper_names_another_folder(tmp_path):
    for name in ("caller.py", "helper.py"):
        (tmp_path / name).write_text("one = jit(_one)\n")
    before = _jit.fingerprint(tmp_path)
    assert _jit.fingerprint(tmp_path) == before
    (tmp_path / "driver.py").write_text("import caller\n")
    assert _jit.fingerprint(tmp_path) == before, "it has no kernel"
    (tmp_path / "helper.py").write_text("one = jit(_two)\n")
    assert _jit.fingerprint(tmp_path) != before


PROGRAM = """
import sys
from pathlib import Path
from divergences.transport import _jit
from divergences.transport._kd_tree import widest
import numpy as np
assert widest(np.array([[0.0, 0.0], [1.0, 2.0]]), 0, 2) == 1
print(_jit.cache_folder())
"""


def run(**environment):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()


def test_kernels_are_kept_in_the_folder_and_found_again(tmp_path):
    folder = Path(run(NUMBA_CACHE_DIR=str(tmp_path)))
    assert folder.is_relative_to(tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}
    assert kept
    assert run(NUMBA_CACHE_DIR=str(tmp_path)) == str(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")} == kept


def test_nothing_writable_still_computes(tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("not a folder")
    assert run(NUMBA_CACHE_DIR=str(blocked)) == "None"


def test_compiling_is_announced_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    caplog.set_level(logging.INFO, "divergences")
    for _ in range(2):
        _jit.cache_folder.__wrapped__()
    assert [record.message.startswith("compiling") for record in caplog.records] == [True]
