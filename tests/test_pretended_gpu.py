"""The tests marked gpu, on a CUDA device that is pretended; in a process of their own, for the
device must be there before torch is."""

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TORCH = "2.13.0"
FILES = ("test_devices.py", "wgan/test_robustness.py", "pretended_gpu/inside.py")


def _guard(folder: Path) -> Path:
    compiler = shutil.which("g++")
    spec = importlib.util.find_spec("torch")
    if sys.platform != "linux" or compiler is None or spec is None or spec.origin is None:
        pytest.skip("the pretended device needs Linux, g++ and torch")
    torch = Path(spec.origin).parent
    include = torch / "include"
    if not (include / "ATen/detail/CUDAHooksInterface.h").exists():
        pytest.skip("this torch has no C++ headers")
    out = folder / "guard.so"
    words = [compiler, "-O1", "-shared", "-fPIC", "-std=c++20", f"-I{include}"]
    words += [f"-I{include}/torch/csrc/api/include", str(HERE / "pretended_gpu/guard.cpp")]
    words += [f"-L{torch}/lib", "-lc10", "-ltorch_cpu", "-o", str(out)]
    made = subprocess.run(words, check=False, capture_output=True, text=True)
    if made.returncode and version("torch").split("+")[0] != TORCH:
        pytest.skip(f"the guard is written for torch {TORCH}: {made.stderr[:200]}")
    assert made.returncode == 0, made.stderr
    return out


def test_the_gpu_tests_pass_on_a_pretended_device(tmp_path):
    words = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-m", "gpu"]
    words += ["-p", "tests.pretended_gpu.plugin", f"--basetemp={tmp_path / 'inside'}"]
    result = subprocess.run(
        [*words, *(str(HERE / name) for name in FILES)],
        cwd=HERE.parent,
        env={**os.environ, "PRETENDED_GPU_GUARD": str(_guard(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
