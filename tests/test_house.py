"""The house itself: what an import loads, exact ``__all__``, sizes of files and functions."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "divergences").rglob("*.py"), *(ROOT / "wgan").rglob("*.py")])
HEAVY = ("torch", "numba", "scipy", "ot", "hypothesis", "array_api_compat", "matplotlib", "pytest")


def _loaded(statement):
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("from divergences import wasserstein1", set()),
        ("import divergences.theorems", set()),
        ("import divergences.problems", set()),
        ("import divergences.plots", set()),
        ("import divergences.intervals", set()),
        ("import divergences.estimators", set()),
        ("import divergences.testing", set()),
        ("import divergences._cli", set()),
    ],
)
def test_an_import_loads_numpy_and_our_light_modules_only(statement, allowed):
    loaded = _loaded(statement)
    assert "numpy" in loaded
    assert {name for name in HEAVY if name in loaded} == allowed


PUBLIC = [
    "divergences",
    "divergences.dual",
    "divergences.estimators",
    "divergences.intervals",
    "divergences.theorems",
    "divergences.testing",
    "divergences.testing.laws",
    "wgan",
    "wgan.doctor",
    "wgan.metrics",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_exact(name):
    module = importlib.import_module(name)
    source = ast.parse(Path(module.__file__).read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if not alias.name.startswith("_")
    }
    assert sorted(module.__all__) == sorted(imported), "__init__ re-exports and does nothing else"
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda word: (not word.isupper(), word)
    )
    for entry in module.__all__:
        assert getattr(module, entry) is not None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_readable(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = first.end_lineno if documented else node.lineno
            assert node.end_lineno - start <= 40, f"{node.name} has more than 40 lines of code"


def test_a_tensor_is_recognised_only_if_torch_is_loaded():
    loaded = _loaded("from divergences import total_variation; total_variation([1.0], [1.0])")
    assert "torch" not in loaded


def test_the_readme_shows_what_the_benchmark_recorded():
    from benchmarks import tables

    text = (ROOT / "README.md").read_text()
    assert tables.in_readme(text) == text
