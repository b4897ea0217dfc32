"""The kernels' cache: what names its folder, and what happens where none can be written."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import divergences as dv
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


CALLING = """
from divergences.transport._kd_tree import sort
from divergences.transport._norms import distances
import numpy as np
points = np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 1.0]])
assert sorted(sort(points)) == [0, 1, 2]
assert distances(points, np.array([0]), points, np.array([0]), 2.0) == 0.0
"""


def test_a_kernel_that_only_kernels_call_is_kept_in_them_alone(tmp_path):
    """Nobody loads it by itself; one with a single caller is not even compiled by itself."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", CALLING], env=environment, check=True)
    kept = {path.name.split("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert kept == {"_kd_tree._sort", "_norms._distances"}


SOURCES = {path: ast.parse(path.read_text()) for path in Path(dv.__file__).parent.rglob("*.py")}


def declarations(tree):
    """Calls of ``jit``."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if getattr(call.func, "id", "") == "jit"]


def test_python_calls_no_kernel_that_is_made_for_kernels():
    """Such a call would be interpreted, since numba makes no function for it."""
    inner = {}
    for path, tree in SOURCES.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and node.value in declarations(node):
                options = {keyword.arg for keyword in node.value.keywords}
                if options & {"inner", "inline"}:
                    inner.setdefault(path.stem, set()).add(node.targets[0].id)
    assert sum(map(len, inner.values())) > 20
    for path, tree in SOURCES.items():
        known = set(inner.get(path.stem, ()))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = (node.module or "").rpartition(".")[2]
                known |= {name.name for name in node.names} & inner.get(module, set())
        compiled = {call.args[0].id for call in declarations(tree)}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function.name not in compiled:
                called = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
                assert not called & known, (path.name, function.name)


def test_python_can_interpret_a_kernel_that_is_made_for_kernels():
    kernel = _jit.jit(lambda a: a[0] + 1, inner=True)
    assert kernel([2]) == 3
    assert _jit.jit(kernel.py_func, inner=True) is kernel


def test_compiled_code_assigns_no_slices():
    """Each such assignment adds a tenth of a second and more to the first call."""
    for path, tree in SOURCES.items():
        compiled = {call.args[0].id for call in declarations(tree)}
        for formula in tree.body:
            if isinstance(formula, ast.FunctionDef) and formula.name in compiled:
                for node in ast.walk(formula):
                    stored = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
                    if stored and any(isinstance(part, ast.Slice) for part in ast.walk(node.slice)):
                        raise AssertionError(f"{path.name}, {formula.name}, line {node.lineno}")


ANNOUNCING = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s: %(message)s")
""" + PROGRAM.replace("print(_jit.cache_folder())", "")


def test_compiling_is_announced_once_and_loading_is_not(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", ANNOUNCING],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert len(said[0]) == 1
    assert said[0][0].startswith("divergences: compiling kernels")
    assert said[1] == []


LOOKING = """
import sys
from divergences.transport import _small_simplex
print(_small_simplex.is_cached(), "numba" in sys.modules)
if len(sys.argv) > 1:
    from divergences.transport import _small_matrix
    import numpy as np
    _small_matrix._Spent.seconds = _small_matrix._Spent.enough = 1.0
    _small_matrix.optimum(np.eye(3) + 1, np.array([1, 2, 1]), np.array([2, 1, 1]))
"""


def test_what_lies_on_disk_is_known_without_the_compiler(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", LOOKING, *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for arguments in (["compile"], [])
    ]
    assert said == ["False False", "True False"]
