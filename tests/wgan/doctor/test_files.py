"""Runs whose files were damaged on purpose: one finding or one message each, and the right one."""

import json

import numpy as np
import pytest

from wgan import RunError, load, train
from wgan._cli import main
from wgan.doctor import diagnose
from wgan.folder import Lock, holder

from ..conftest import contents, small_config

FILES = {"missing checkpoint", "damaged checkpoint", "lines missing", "torn line"}


def of_files(run):
    """(rule, severity) of what is wrong with the files, and all words of it."""
    found = [finding for finding in diagnose(run).findings if finding.rule in FILES]
    words = " ".join(f"{one.sentence()} {one.remedy}" for one in found)
    return [(finding.rule, finding.severity) for finding in found], words


def checkpoint(run, name="00000020"):
    return run / "checkpoints" / f"{name}.safetensors"


def test_a_whole_run_has_nothing_wrong_with_its_files(finished):
    before = contents(finished.folder.path)
    assert of_files(finished.folder.path) == ([], "")
    assert diagnose(finished.folder.path).process is None
    assert contents(finished.folder.path) == before


def test_a_run_without_checkpoints_is_said(finished):
    run = finished.folder.path
    for path in (run / "checkpoints").iterdir():
        path.unlink()
    found, words = of_files(run)
    assert found == [("missing checkpoint", "error")]
    assert f"checkpoints in {run / 'checkpoints'} 0" in words
    (run / "checkpoints").rmdir()
    assert of_files(run)[0] == found


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda content: content[:-100], "damaged or cut off"),
        (lambda content: b"", "damaged or cut off"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "its checksum does not match"),
        (lambda content: content.replace(b"checkpoint-2", b"checkpoint-1"), "not a checkpoint of"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_what_is_left(finished, spoil, reason):
    run = finished.folder.path
    file = checkpoint(run)
    file.write_bytes(spoil(file.read_bytes()))
    found, words = of_files(run)
    assert found == [("damaged checkpoint", "error")]
    assert f"{file}: " in words
    assert reason in words
    assert "--resume-step 15 goes on from it" in words
    assert not diagnose(run).ok


def test_an_older_checkpoint_and_that_of_the_best_evaluation_are_warnings(finished):
    run = finished.folder.path
    old = checkpoint(run, "00000015")
    old.write_bytes(old.read_bytes()[:50])
    assert of_files(run)[0] == [("damaged checkpoint", "warning")]
    (best,) = (run / "checkpoints").glob("best-*")
    content = best.read_bytes()
    best.write_bytes(content[:-1])
    found, words = of_files(run)
    assert found == [("damaged checkpoint", "warning")] * 2
    assert str(best) in words
    best.unlink()
    assert "no checkpoint of a best evaluation" in of_files(run)[1]


def test_a_torn_last_line_is_harmless_and_a_lost_one_is_not(finished):
    run, log = finished.folder.path, finished.folder.metrics
    content = log.read_bytes()
    log.write_bytes(content + b'{"step": 22, "cri')
    found, words = of_files(run)
    assert found == [("torn line", "warning")]
    assert "17 at step 20" in words
    assert diagnose(run).step == 20
    assert train(small_config(run, steps=24), resume=True, quiet=True).step == 24
    assert of_files(run)[0] == []

    content = log.read_bytes()
    lines = content.splitlines(keepends=True)
    for left in (b"".join(lines[:-1]), content[:-1], b"".join(lines[:3] + lines[4:]), b""):
        log.write_bytes(left)
        found, words = of_files(run)
        assert found == [("lines missing", "error")]
        assert f"bytes of {log} {len(left):.4g}" in words
    log.unlink()
    assert of_files(run)[0] == [("lines missing", "error")]
    assert diagnose(run).step == 24


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: (run / "run.json").write_bytes(b"\xff\x00{"), "run.json: damaged"),
        (lambda run: (run / "run.json").write_text("{}"), "run.json: damaged"),
        (lambda run: (run / "run.json").unlink(), "no run lies in this folder"),
        (lambda run: change(run, clip=-1), "run.json: option clip must be a positive number"),
        (lambda run: change(run, wings=2), "not those of this version of wgan (wings)"),
        (lambda run: (run / "metrics.jsonl").write_text("{}\n[\n"), "metrics.jsonl: damaged"),
        (lambda run: rename(run, b"critic_size", b"critic_mass"), "no 'critic_size' in a line"),
    ],
)
def test_what_cannot_be_read_at_all_is_one_message(finished, capsys, spoil, words):
    run = finished.folder.path
    spoil(run)
    with pytest.raises(RunError):
        diagnose(run)
    assert main(["doctor", str(run)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"wgan: {run}")
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def rename(run, name, other):
    log = run / "metrics.jsonl"
    log.write_bytes(log.read_bytes().replace(name, other))


def change(run, **values):
    content = json.loads((run / "run.json").read_text())
    content["config"] |= values
    (run / "run.json").write_text(json.dumps(content))


@pytest.mark.parametrize("images", [[0, 1, 2], [0, 0, 0, 1, 1, 1]])
def test_a_few_images_can_be_trained_on_and_diagnosed(tmp_path, images):
    """One image is held out, or copies of one: data without a width."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (3, 17, 17, 3), dtype=np.uint8)[images]
    np.save(tmp_path / "few.npy", pixels)
    config = small_config(tmp_path / "run", data=str(tmp_path / "few.npy"), latent=1, eval_every=1,
                          steps=4)  # fmt: skip
    assert train(config, quiet=True).step == 4
    assert of_files(tmp_path / "run")[0] == []
    (tmp_path / "few.npy").unlink()  # which the doctor does without
    assert of_files(tmp_path / "run")[0] == []
    with pytest.raises(RunError, match=r"run: its data cannot be read again: .*few\.npy"):
        load(tmp_path / "run")


def test_an_empty_folder_is_one_message(tmp_path):
    with pytest.raises(RunError, match="no run lies in this folder"):
        diagnose(tmp_path)
    with pytest.raises(RunError, match="no such folder"):
        diagnose(tmp_path / "none")


def test_a_run_that_trains_now_is_said_and_its_files_left_alone(finished, capsys):
    run = finished.folder.path
    checkpoint(run).write_bytes(b"")  # as a file may look that is being removed
    with Lock(finished.folder):
        process = holder(finished.folder)
        assert process is not None
        assert of_files(run)[0] == []
        main(["doctor", str(run)])
        assert f"process {process} is training here" in capsys.readouterr().out
        main(["doctor", "--json", str(run)])
        assert json.loads(capsys.readouterr().out)["process"] == process
    assert holder(finished.folder) is None
    assert of_files(run)[0] == [("damaged checkpoint", "error")]
