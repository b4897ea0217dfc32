"""A run from its first byte to its last: resume to the bit, kills, signals, refusals."""

import json
import os
import random
import shutil
import signal

import numpy as np
import pytest
import torch

import wgan.session
from wgan import ConfigError, DivergedError, InterruptedRunError, RunError, load, train
from wgan.checkpoint import checkpoint_steps, read_checkpoint
from wgan.state import digest

from .conftest import contents, options, small_config, start, wait_for


def fingerprint(run):
    """All of the state at the newest checkpoint, and the log without its times."""
    checkpoint = read_checkpoint(run / "checkpoints")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        assert set(line.pop("time")) == {"elapsed_s", "steps_per_s"}
    return checkpoint.step, digest(checkpoint.tensors), lines


def test_a_run_leaves_what_it_says(finished):
    folder = finished.folder.path
    assert checkpoint_steps(folder / "checkpoints") == [15, 20]
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [
        "00000000.png", "00000010.png", "00000020.png"]  # fmt: skip
    lines = finished.metrics()
    assert [line["step"] for line in lines] == [0, *range(2, 21, 2)]
    evaluations = [line for line in lines if "wasserstein1" in line]
    assert [line["step"] for line in evaluations] == [0, 10, 20]
    for line in evaluations:
        assert line["excess"] == line["wasserstein1"] - line["floor"]
        assert 0 <= line["lower_bound"] <= line["wasserstein1"]
    assert "critic_estimate" not in lines[0]
    assert all(np.isfinite(line["critic_estimate"]) for line in lines[1:])
    assert finished.step == 20


def test_runs_of_one_seed_are_equal_and_of_two_are_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(small_config(tmp_path / name, seed=seed), quiet=True)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "c")


@pytest.mark.parametrize("halt", [5, 7, 13])
def test_a_run_in_two_parts_is_the_run_in_one(tmp_path, halt):
    train(small_config(tmp_path / "one", log_every=1), quiet=True)
    train(small_config(tmp_path / "two", log_every=1, steps=halt, eval_every=100), quiet=True)
    train(small_config(tmp_path / "two", log_every=1), resume=True, quiet=True)
    # the evaluation at the end of the first part is the only trace of the halt
    one, two = fingerprint(tmp_path / "one"), fingerprint(tmp_path / "two")
    assert one[:2] == two[:2]
    estimates = [[line.get("critic_estimate") for line in lines] for lines in (one[2], two[2])]
    assert estimates[0] == estimates[1]


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_parameters_of_several_rates_resume_to_the_bit(tmp_path, optimizer):
    options = {"algorithm": "wgan-orthogonal", "optimizer": optimizer, "decay_steps": 25,
               "critic": "orthogonal,widths=8,cones=6,anchor_rate=0.3"}  # fmt: skip
    train(small_config(tmp_path / "run", **options), quiet=True)
    before = fingerprint(tmp_path / "run")
    train(small_config(tmp_path / "run", **options), resume_step=15, quiet=True)
    assert fingerprint(tmp_path / "run") == before


def test_resuming_from_the_checkpoint_before_cuts_the_log_and_ends_equal(tmp_path):
    train(small_config(tmp_path / "run", decay_steps=25), quiet=True)
    before = fingerprint(tmp_path / "run")
    train(small_config(tmp_path / "run", decay_steps=25), resume_step=15, quiet=True)
    assert fingerprint(tmp_path / "run") == before


def newest(run):
    return max(checkpoint_steps(run / "checkpoints"), default=0)


def test_random_kills_leave_a_run_that_ends_equal(tmp_path):
    every_step = {"steps": 100, "checkpoint_every": 1, "eval_every": 40}
    train(small_config(tmp_path / "straight", **every_step), quiet=True)
    run, dice = tmp_path / "killed", random.Random(7)
    words = options(run, **every_step)
    for _ in range(3):
        goal = newest(run) + dice.randrange(2, 30)
        process = start(words)
        wait_for(lambda goal=goal: newest(run) >= goal)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        for step in checkpoint_steps(run / "checkpoints"):  # whole, every one of them
            assert read_checkpoint(run / "checkpoints", step).step == step
        words = ["train", "--out", str(run), "--resume"]
    train(small_config(run, **every_step), resume=True, quiet=True)
    assert fingerprint(run) == fingerprint(tmp_path / "straight")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_after_a_checkpoint(tmp_path, number, status):
    run = tmp_path / "run"
    process = start(options(run, steps=10**6, checkpoint_every=10**6, eval_every=10**6))
    wait_for(
        lambda: (run / "metrics.jsonl").exists() and (run / "metrics.jsonl").stat().st_size > 900
    )
    process.send_signal(number)
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == status
    last = complaint.strip().splitlines()[-1]
    step = load(run).step
    assert step > 0
    assert last == f"wgan: stopped at step {step}; continue with --resume --out {run}"
    assert "Traceback" not in complaint
    # and it does continue, to what a run without the signal gives
    train(small_config(run, steps=step + 3), resume=True, quiet=True)
    train(small_config(tmp_path / "straight", steps=step + 3), quiet=True)
    assert fingerprint(run)[:2] == fingerprint(tmp_path / "straight")[:2]


def test_a_signal_inside_python_is_an_exception(tmp_path, monkeypatch):
    calls = []
    module = wgan.session
    plain = module.train_step

    def step_and_signal(*arguments):
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(*arguments)

    monkeypatch.setattr(module, "train_step", step_and_signal)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(InterruptedRunError) as caught:
        train(small_config(tmp_path / "run"), quiet=True)
    assert caught.value.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) == handler
    assert load(tmp_path / "run").step == 7


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("log_every", "words"),
    [(1, "step 9: the critic estimate is nan"), (100, "step 10: generator.0.weight is not finite")],
)
def test_a_run_that_diverges_keeps_its_checkpoint(tmp_path, monkeypatch, poison, log_every, words):
    module = wgan.session
    plain = module.train_step

    def poisoned(state, *arguments):
        estimate = plain(state, *arguments)
        if state.step == 8:
            with torch.no_grad():
                next(state.generator.parameters()).fill_(poison)
        return estimate

    monkeypatch.setattr(module, "train_step", poisoned)
    config = small_config(tmp_path / "run", log_every=log_every, eval_every=100)
    with pytest.raises(DivergedError) as caught:
        train(config, quiet=True)
    assert str(caught.value) == f"stopped at {words}; the checkpoint of step 5 is intact"
    assert load(tmp_path / "run").step == 5


def test_values_that_overflow_at_an_evaluation_are_a_divergence(tmp_path, monkeypatch):
    """All parameters are finite numbers, and the critic's values of the held-out data are not."""
    module = wgan.session
    plain = module.train_step

    def poisoned(state, *arguments):
        estimate = plain(state, *arguments)
        if state.step == 10:
            with torch.no_grad():
                for parameter in state.critic.parameters():
                    parameter.fill_(1e25)
        return estimate

    monkeypatch.setattr(module, "train_step", poisoned)
    config = small_config(tmp_path / "run", algorithm="gan")
    with pytest.raises(DivergedError, match="stopped at step 10: critic_estimate_held_out is "):
        train(config, quiet=True)
    run = load(tmp_path / "run")
    assert run.step == 5
    assert run.metrics()[-1]["diverged"].startswith("critic_estimate_held_out is ")
    with torch.no_grad():
        for parameter in run.critic.parameters():
            parameter.fill_(1e25)
    with pytest.raises(RunError, match="values of the critic leave the finite numbers, critic"):
        wgan.evaluate(run, ["modes"])


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda c: c[:100], lambda c: c[:-1], lambda c: c + b"\0", lambda c: flip(c, 3),
     lambda c: flip(c, len(c) // 2), lambda c: flip(c, len(c) - 1),
     lambda c: c.replace(b'"step":"20"', b'"step":"21"'),
     lambda c: c.replace(b'"metrics_bytes":"', b'"metrics_bytes":"1'),
     lambda c: c.replace(b"wgan-checkpoint-2", b"wgan-checkpoint-9"),
     lambda _: b"not a checkpoint at all"],
    ids=["empty", "head", "last byte", "extra", "length", "middle", "end", "step", "offset",
         "format", "text"],
)  # fmt: skip
def test_a_damaged_checkpoint_is_refused_in_one_line(finished, damage):
    run = finished.folder.path
    file = run / "checkpoints" / "00000020.safetensors"
    content = file.read_bytes()
    assert damage(content) != content
    file.write_bytes(damage(content))
    before = contents(run)
    with pytest.raises(RunError) as caught:
        train(small_config(run, steps=30), resume=True, quiet=True)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    advice = "the checkpoint of step 15 is there: wgan train --resume-step 15 goes on from it"
    assert message.endswith(advice)
    assert contents(run) == before
    with pytest.raises(RunError, match="00000020"):
        load(run)
    assert train(small_config(run, steps=30), resume_step=15, quiet=True).step == 30
    assert checkpoint_steps(run / "checkpoints") == [25, 30]


def test_every_flipped_byte_of_a_checkpoint_is_noticed(finished):
    file = finished.folder.checkpoints / "00000020.safetensors"
    content = file.read_bytes()
    good = read_checkpoint(finished.folder.checkpoints)
    for at in random.Random(1).sample(range(len(content)), 150):
        file.write_bytes(flip(content, at))
        try:
            read = read_checkpoint(finished.folder.checkpoints, 20)
        except RunError:
            continue
        # a byte that carries nothing (padding of the header): everything else must be the same
        assert read.checksum() == good.checksum()


def test_a_missing_line_of_the_log_is_noticed(finished):
    finished.folder.metrics.write_bytes(finished.folder.metrics.read_bytes()[:-5])
    before = contents(finished.folder.path)
    with pytest.raises(RunError, match=r"metrics.jsonl: lines are missing"):
        train(small_config(finished.folder.path, steps=30), resume=True, quiet=True)
    assert contents(finished.folder.path) == before


def test_a_log_that_ends_within_a_line_where_the_checkpoint_was_is_damaged(finished):
    finished.folder.metrics.write_bytes(b"\xff" * finished.folder.metrics.stat().st_size)
    before = contents(finished.folder.path)
    with pytest.raises(RunError, match=r"metrics.jsonl: damaged, a line of it is no record"):
        train(small_config(finished.folder.path, steps=30), resume=True, quiet=True)
    assert contents(finished.folder.path) == before


def test_moments_of_another_optimiser_do_not_fit(finished):
    run = finished.folder.path
    description = json.loads(finished.folder.description.read_text())
    description["config"]["optimizer"] = "adam"
    finished.folder.description.write_text(json.dumps(description))
    before = contents(run)
    with pytest.raises(RunError, match="these moments are another optimiser's"):
        train(small_config(run, steps=30, optimizer="adam"), resume=True, quiet=True)
    assert contents(run) == before


def test_pictures_that_were_removed_do_not_stop_a_resume(finished):
    shutil.rmtree(finished.folder.samples)
    assert train(small_config(finished.folder.path, steps=30), resume=True, quiet=True).step == 30
    assert [path.name for path in finished.folder.samples.iterdir()] == ["00000030.png"]


def test_what_a_kill_before_the_removal_of_older_checkpoints_left_is_removed(finished):
    """Also where no step is left to be done, after which they would be removed."""
    folder = finished.folder.checkpoints
    before = contents(folder)
    newest = folder / "00000020.safetensors"
    for name in ("00000005.safetensors", "best-00000001.safetensors"):
        shutil.copy(newest, folder / name)
    train(small_config(finished.folder.path), resume=True, quiet=True)
    assert contents(folder) == before


def test_unfinished_files_are_overlooked(finished):
    part = finished.folder.checkpoints / ".00000025.safetensors.part"
    part.write_bytes(b"half a checkpo")
    assert load(finished.folder.path).step == 20
    assert train(small_config(finished.folder.path, steps=25), resume=True, quiet=True).step == 25
    assert not part.exists()


def test_two_processes_cannot_train_in_one_folder(tmp_path):
    run = tmp_path / "run"
    process = start(options(run, steps=10**6, checkpoint_every=50))
    try:
        wait_for((run / "run.json").exists)
        with pytest.raises(RunError, match=f"process {process.pid} is training here"):
            train(small_config(run, steps=10**6), resume=True, quiet=True)
    finally:
        process.kill()
        process.communicate()
    assert (run / ".lock").read_text() == str(process.pid)  # stale: its holder is dead
    step = load(run).step
    assert train(small_config(run, steps=step + 1), resume=True, quiet=True).step == step + 1


def test_options_that_enter_the_algorithm_may_not_change(finished):
    run = finished.folder.path
    before = contents(run)
    with pytest.raises(RunError, match=r"clip: 0.01 -> 0.02; latent: 4 -> 5$"):
        train(small_config(run, clip=0.02, latent=5), resume=True, quiet=True)
    assert contents(run) == before
    changed = small_config(run, steps=22, eval_every=3, checkpoint_every=4, log_every=1, threads=0)
    assert train(changed, resume=True, quiet=True).step == 22


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", -1), ("steps", 1.5), ("steps", True), ("batch_size", 0), ("critic_steps", 0),
     ("learning_rate", 0.0), ("learning_rate", float("nan")), ("clip", float("inf")),
     ("clip", "0.01"), ("device", "tpu"), ("generator", 5), ("seed", -3)],
)  # fmt: skip
def test_bad_options_are_refused(tmp_path, name, value):
    with pytest.raises(ConfigError, match=f"option {name} must "):
        small_config(tmp_path, **{name: value})


def test_folders_that_cannot_be_used_are_refused(tmp_path, finished):
    before = contents(tmp_path)
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("precious")
    for folder, resume, words in [
        (finished.folder.path, False, "a run lies here already; continue it with --resume"),
        (other, False, "a run needs a new or empty folder; this one has 'thesis.tex'"),
        (other / "thesis.tex", False, "is a file"),
        (other / "thesis.tex" / "run", False, "cannot be created"),
        (tmp_path / "none", True, "no such folder"),
        (tmp_path / "empty", True, "no run lies in this folder"),
    ]:
        with pytest.raises(RunError, match=words):
            train(small_config(folder), resume=resume, quiet=True)
    assert contents(tmp_path) == {**before, other / "thesis.tex": b"precious"}
    assert not list((tmp_path / "empty").iterdir())


def test_a_run_that_died_before_its_beginning_may_be_begun_again(tmp_path):
    train(small_config(tmp_path / "run", steps=0), quiet=True)
    early = tmp_path / "early"
    (early / "checkpoints").mkdir(parents=True)
    shutil.copy(tmp_path / "run" / "checkpoints" / "00000000.safetensors", early / "checkpoints")
    (early / "metrics.jsonl").touch()
    (early / ".lock").write_text("1")
    assert train(small_config(early), quiet=True).step == 20


def test_samples_depend_on_the_seed_alone(finished):
    again = load(finished.folder.path)
    state = torch.get_rng_state()
    first = finished.sample(6, seed=3)
    assert first.shape == (6, 2)
    assert first.dtype == np.float32
    assert np.array_equal(first, again.sample(6, seed=3))
    assert not np.array_equal(first, again.sample(6, seed=4))
    assert torch.equal(torch.get_rng_state(), state)
    for arguments in ((0,), (-1,), (2.5,), (True,), (3, -1), (3, 0.5)):
        with pytest.raises(ValueError, match="sample: "):
            again.sample(*arguments)
