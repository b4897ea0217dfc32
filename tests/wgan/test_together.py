"""Several processes against one: the same run up to rounding, and a clean end whatever happens."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from wgan import load, state_hash, train
from wgan.checkpoint import checkpoint_steps, read_checkpoint
from wgan.parallel import Share, Workers

from . import together
from .conftest import ROOT, options, small_config, wait_for

ROUNDING = 1e-9
"""What the sums' order may change in float64; three steps leave some 1e-14."""
SINGLE = 1e-4
"""And in float32."""


@pytest.fixture
def images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 3, 18, 18), dtype=np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    return tmp_path


def difference(ours, theirs):
    """The largest difference of two states, in parts of the largest entry of each tensor."""
    assert ours.keys() == theirs.keys()
    worst = 0.0
    for name in ours.keys() - {"best"}:
        a, b = ours[name].double(), theirs[name].double()
        assert a.shape == b.shape
        if a.numel():
            worst = max(worst, ((a - b).abs().max() / a.abs().max().clamp(min=1e-30)).item())
    return worst


def equal(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in ours.keys() - {"best"})


def test_steps_of_two_processes_are_those_of_one(images):
    processes = together.start(2, images, "steps")
    alone = together.all_steps(images, Workers())
    found = together.done(processes, images, "steps")
    for name, state in alone.items():
        assert difference(state, found[0]["right"][name]) < ROUNDING, name
        assert equal(found[0]["right"][name], found[1]["right"][name]), name
    for fault, names in together.FAULTS.items():
        for name in names:
            assert difference(alone[name], found[0][fault][name]) > 1e4 * ROUNDING, (fault, name)


@pytest.mark.long
def test_steps_of_three_processes_are_those_of_one(images):
    found = together.done(together.start(3, images, "right"), images, "right")
    for name, state in together.all_steps(images, Workers()).items():
        assert difference(state, found[0][name]) < ROUNDING, name
        assert equal(found[0][name], found[1][name]), name
        assert equal(found[0][name], found[2][name]), name


def curve(run):
    """Every number of the log but the times."""
    lines = load(run).metrics()
    for line in lines:
        line.pop("time")
    return [(line["step"], *entry) for line in lines for entry in leaves(line)]


def leaves(value, name=""):
    """Pairs (name, number or text) of a value of JSON."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, part in parts for leaf in leaves(part, f"{name}.{key}")]
    return [(name, value)]


def assert_same_curve(ours, theirs):
    ours, theirs = curve(ours), curve(theirs)
    assert [entry[:2] for entry in ours] == [entry[:2] for entry in theirs]
    for (_, name, a), (_, _, b) in zip(ours, theirs, strict=True):
        # The gradient by a critic's last bias is rounding, of which Adam makes steps of full size.
        loose = name in (".health.critic_size", ".health.critic_scale")
        allowed = 0.05 if loose else SINGLE
        assert a == pytest.approx(b, rel=allowed, abs=allowed), name


def test_runs_of_two_processes_are_those_of_one(images):
    runs = images / "runs"
    for name, steps in (("straight", 12), ("one", 6)):
        train(together.TrainingConfig(runs / name, **{**together.RUN, "steps": steps}), quiet=True)
    (runs / "occupied").mkdir()
    (runs / "occupied" / "thesis.tex").write_text("precious")
    first, second = together.done(together.start(2, images, "runs"), images, "runs")

    # the same curve, in one process or two, or in one after the other
    assert_same_curve(runs / "straight", runs / "two")
    assert_same_curve(runs / "straight", runs / "one")
    train(together.TrainingConfig(runs / "half", **together.RUN), resume=True, quiet=True)
    assert_same_curve(runs / "straight", runs / "half")
    assert state_hash(runs / "again") == state_hash(runs / "two")
    names = {path.relative_to(runs / "straight") for path in (runs / "straight").rglob("*")}
    assert {path.relative_to(runs / "two") for path in (runs / "two").rglob("*")} == names
    lines = load(runs / "two").metrics()
    assert set(lines[0]["time"]) == {"elapsed_s", "steps_per_s"}
    for line in lines[1:]:
        assert 0 < line["time"]["communication"] <= 1
        assert line["time"]["one_process_steps_per_s"] > 0

    # the first process writes, and it alone
    assert str(runs / "two" / "metrics.jsonl") in first["written"]
    assert second["written"] == []

    # what must not be ends in both processes, and one of them says why
    errors = {name: (error, second["errors"][name]) for name, error in first["errors"].items()}
    assert set(errors) == set(second["errors"]) == {"few", "occupied", "unsummed", "full"}
    for name, words in [
        ("few", "option batch_size must be at least the number of processes, 2"),
        ("occupied", "this one has 'thesis.tex'"),
        ("full", "no space left"),
    ]:
        assert words in errors[name][0][1]
        assert errors[name][0][0] != "OtherProcessError"
        assert errors[name][1] == ("OtherProcessError", *errors[name][0][1:])
    for kind, message, status in errors["unsummed"]:
        assert (kind, status) == ("WorkersError", 1)
        assert message.startswith("stopped at step 3: the processes have parted: ")
        assert "of process 1 is not that of process 0; the checkpoint of step 0 is" in message
    assert [path.name for path in (runs / "occupied").iterdir()] == ["thesis.tex"]
    assert load(runs / "unsummed").step == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("lost", "number", "words"),
    [
        (0, signal.SIGKILL, "another process was lost"),
        (1, signal.SIGKILL, "another process was lost"),
        (1, signal.SIGSTOP, "another process did not answer within 60 s"),
    ],
)
def test_a_lost_process_ends_the_run_and_one_continues_it(
    tmp_path, monkeypatch, lost, number, words
):
    monkeypatch.setenv("PATIENCE", "60" if number == signal.SIGSTOP else "200")
    processes, run = together.start(2, tmp_path, "endless"), tmp_path / "run"
    try:
        wait_for(lambda: max(checkpoint_steps(run / "checkpoints"), default=0) >= 6)
        processes[lost].send_signal(number)
        _, complaint = processes[1 - lost].communicate(timeout=400)
        assert processes[1 - lost].returncode == 0, complaint
        kind, message, status = torch.load(tmp_path / f"endless-{1 - lost}.pt")
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    saved = checkpoint_steps(run / "checkpoints")
    step = max(saved)
    assert (kind, status) == ("WorkersError", 1)
    assert words in message
    assert any(
        message.endswith(
            f"the checkpoint of step {k} is intact, continue with --resume --out {run}"
        )
        for k in saved
    )
    assert read_checkpoint(run / "checkpoints").step == step
    config = {**together.RUN, "eval_every": 10**6, "steps": step + 2}
    assert train(together.TrainingConfig(run, **config), resume=True, quiet=True).step == step + 2


def launch(*words):
    """Two processes started by torchrun, in a process group of their own."""
    place = os.pathsep.join([str(ROOT), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "wgan", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": place, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_torchrun_trains_and_ctrl_c_leaves_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    process = launch(*options(run, steps=10**6, checkpoint_every=10**6, eval_every=10**6))
    try:
        wait_for(lambda: (run / "metrics.jsonl").exists() and len(load_lines(run)) > 3)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        output, complaint = process.communicate(timeout=300)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    step = load(run).step
    assert step > 0
    said = [line for line in complaint.splitlines() if "wgan: " in line]
    assert len(said) == 1
    assert said[0].endswith(f"stopped at step {step}; continue with --resume --out {run}")
    assert output.count("step 0: exact W1") == 1
    # and one process continues with it, to what one process alone gives
    train(small_config(run, steps=step + 2, checkpoint_every=10**6, eval_every=10**6), resume=True,
          quiet=True)  # fmt: skip
    train(small_config(tmp_path / "one", steps=step + 2, checkpoint_every=10**6, eval_every=10**6),
          quiet=True)  # fmt: skip
    assert_same_curve(run, tmp_path / "one")


def test_what_torchrun_loses_is_said_by_one_of_those_that_are_left(tmp_path):
    run = tmp_path / "run"
    process = launch(*options(run, steps=10**6, checkpoint_every=5, eval_every=10**6))
    try:
        wait_for(lambda: max(checkpoint_steps(run / "checkpoints"), default=0) >= 10)
        holder = int((run / ".lock").read_text())
        other = next(child for child in children(process.pid) if child != holder)
        os.kill(other, signal.SIGKILL)
        _, complaint = process.communicate(timeout=300)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    step = load(run).step
    said = [line for line in complaint.splitlines() if "wgan: " in line]
    assert len(said) == 1
    assert "another process was lost; the checkpoint of" in said[0]
    assert said[0].endswith(f"of step {step} is intact, continue with --resume --out {run}")
    again = small_config(run, steps=step + 2, checkpoint_every=5, eval_every=10**6)
    assert train(again, resume=True, quiet=True).step == step + 2


def test_those_that_torchrun_leaves_behind_when_it_is_killed_end_with_a_checkpoint(tmp_path):
    run = tmp_path / "run"
    process, left = launch(*options(run, steps=10**6, checkpoint_every=10**6, eval_every=10**6)), []
    try:
        wait_for(lambda: (run / "metrics.jsonl").exists() and len(load_lines(run)) > 3)
        left = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        _, complaint = process.communicate(timeout=300)  # until nobody has its pipes
    finally:
        for child in [process.pid, *left]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    step = load(run).step
    assert step > 0
    said = [line for line in complaint.splitlines() if "wgan: " in line]
    assert len(said) == 1
    assert said[0].endswith(f"stopped at step {step}; continue with --resume --out {run}")


def test_what_is_refused_stands_at_the_end_of_the_report_of_torchrun(tmp_path):
    process = launch(*options(tmp_path / "run", batch_size=1))
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 1
    words = "wgan: option batch_size must be at least the number of processes, 2; got 1"
    first, *_, last = [line for line in complaint.splitlines() if "wgan: " in line]
    assert first.endswith(words)
    assert last.split() == ["traceback", ":", *words.split()]
    assert len([line for line in complaint.partition(last)[2].splitlines() if line.strip()]) == 1


def children(parent):
    """The processes that a process has started (Linux)."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def load_lines(run):
    return (run / "metrics.jsonl").read_text().splitlines()


def test_slices_are_all_of_a_batch():
    for count in range(1, 9):
        for size in range(20):
            parts = [list(range(size))[Share(8, rank, count).slice(size)] for rank in range(count)]
            assert [place for part in parts for place in part] == list(range(size))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1
    fractions = [Share(10, rank, 3).fraction for rank in range(3)]
    assert sum(fractions) == pytest.approx(1, abs=1e-15)
