"""The pytest plugin, in fresh processes: with -p, by entry point, with both, and unused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "divergences.testing.plugin"

USED = """
import pytest
from divergences import js_divergence, total_variation

@pytest.mark.laws(total_variation, kind="metric", max_examples=5)
def test_marked():
    pass

@pytest.mark.laws(js_divergence, kind="metric", max_examples=5)
def test_marked_and_wrong():
    pass

def test_fixture(laws):
    laws.assert_holds(total_variation, kind="f-divergence", max_examples=5)

def test_fixture_wrong(laws):
    laws.assert_holds(js_divergence, kind="metric", max_examples=5)
"""

UNUSED = """
import sys

def test_nothing_heavy_is_loaded():
    heavy = {"numba", "scipy", "torch", "ot", "matplotlib", "array_api_compat"}
    assert not heavy & set(sys.modules)
    assert "divergences.testing.plugin" in sys.modules
    assert not [name for name in sys.modules if name.startswith("hypothesis.strategies")]
"""


@pytest.fixture
def site(tmp_path):
    """A folder like site-packages in which the distribution is installed, with its entry point."""
    folder = tmp_path / "site" / "divergences_laws-0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: divergences-laws\nVersion: 0\n")
    (folder / "entry_points.txt").write_text(f"[pytest11]\n{NAME} = {NAME}\n")
    files = sorted((ROOT / "divergences").rglob("*.py"))
    (folder / "RECORD").write_text("".join(f"{f.relative_to(ROOT)},,\n" for f in files))
    return folder.parent


WITHOUT = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hypothesis":
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

sys.meta_path.insert(0, Blocked())
for name in [name for name in sys.modules if name.split(".")[0].endswith("hypothesis")]:
    del sys.modules[name]
"""
"""An environment without Hypothesis, for ``-p blocked``, which is read before all else."""


def run(tmp_path, text, *options, path=()):
    (tmp_path / "test_it.py").write_text(text)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))),
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers"]
    return subprocess.run(
        [*command, "-W", "error", *options, "test_it.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("options", [("-p", NAME), (), ("-p", NAME, "-p", NAME)])
def test_one_line_runs_the_laws(tmp_path, site, options):
    result = run(tmp_path, USED, *options, path=(site,))
    assert "2 failed, 2 passed" in result.stdout, result.stdout + result.stderr
    assert "triangle inequality: d(P, R) <= d(P, Q) + d(Q, R)" in result.stdout
    assert "it has no triangle inequality (its square root, js_distance, has)" in result.stdout


@pytest.mark.parametrize("options", [("-p", NAME), ()])
def test_a_run_that_does_not_use_it_does_not_notice_it(tmp_path, site, options):
    options = (*options, "-p", "no:hypothesispytest")
    result = run(tmp_path, UNUSED, *options, path=(site,))
    assert "1 passed" in result.stdout, result.stdout + result.stderr
    assert "warning" not in result.stdout.lower()
    without = run(tmp_path, "def test_it(): pass", "-p", f"no:{NAME}", path=(site,))
    with_it = run(tmp_path, "def test_it(): pass", path=(site,))
    assert with_it.returncode == without.returncode == 0, with_it.stdout
    # the same lines but for the seconds and the list of plugins
    assert len(with_it.stdout.splitlines()) == len(without.stdout.splitlines())


def test_the_entry_point_is_named_like_the_module():
    text = (ROOT / "pyproject.toml").read_text()
    assert "[project.entry-points.pytest11]" in text
    assert f'"{NAME}" = "{NAME}"' in text


def test_the_marker_says_what_it_takes(tmp_path):
    result = run(tmp_path, "", "-p", NAME, "--markers")
    assert "@pytest.mark.laws(fn, *, kind, reference=None, ...)" in result.stdout


def without_hypothesis(tmp_path, text, site):
    folder = tmp_path / "blocked"
    folder.mkdir()
    (folder / "blocked.py").write_text(WITHOUT)
    options = ("-p", "blocked", "-p", "no:hypothesispytest")
    return run(tmp_path, text, *options, path=(folder, site))


def test_without_hypothesis_a_run_that_does_not_use_it_does_not_notice_it(tmp_path, site):
    result = without_hypothesis(tmp_path, UNUSED, site)
    assert "1 passed" in result.stdout, result.stdout + result.stderr
    assert result.stderr == ""


def test_without_hypothesis_a_run_that_uses_it_says_what_to_install(tmp_path, site):
    result = without_hypothesis(tmp_path, USED, site)
    words = 'divergences.testing needs Hypothesis: pip install "divergences[testing]"'
    assert f"ModuleNotFoundError: {words}" in result.stdout, result.stdout + result.stderr
    assert "passed" not in result.stdout.splitlines()[-1]
