import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from wgan import TrainingConfig, load, train

ROOT = Path(__file__).parents[2]
SMALL = {
    "data": "ring",
    "generator": "mlp,widths=16",
    "critic": "mlp,widths=16",
    "latent": 4,
    "batch_size": 8,
    "eval_every": 10,
    "checkpoint_every": 5,
    "log_every": 2,
    "device": "cpu",
    "threads": 1,
}
"""Options of a run that takes a fraction of a second."""


@pytest.fixture(autouse=True)
def one_thread():
    former = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(former)


def small_config(out, **changes):
    return TrainingConfig(out=out, **{**SMALL, "steps": 20, **changes})


def options(out, **changes):
    """The same options for the command line."""
    words = ["train", "--out", str(out)]
    for name, value in {**SMALL, "steps": 20, **changes}.items():
        words.append("--" + name.replace("_", "-"))
        words += [str(entry) for entry in value] if isinstance(value, tuple) else [str(value)]
    return words


def start(words, program=(sys.executable, "-m", "wgan")):
    """A process of the command line, its output captured."""
    return subprocess.Popen(
        [*program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )


def wait_for(condition, seconds=300, pause=0.002):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(pause)


def contents(folder):
    """Every file below a folder with its bytes."""
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The folder of a finished run, trained once."""
    return train(small_config(tmp_path_factory.mktemp("template") / "run"), quiet=True).folder.path


@pytest.fixture
def finished(template, tmp_path):
    """A finished run of 20 steps with checkpoints of steps 15 and 20, to be spoilt at will."""
    shutil.copytree(template, tmp_path / "run")
    return load(tmp_path / "run")
