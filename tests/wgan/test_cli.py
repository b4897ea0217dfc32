"""The command line: what it prints, writes and returns."""

import io
import json
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from wgan import load
from wgan._cli import _one_line, main
from wgan._command import is_command
from wgan.presets import PRESETS

from .conftest import contents, options, start


def run_main(words, capsys):
    """Exit status, standard output, standard error without the progress bar."""
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_train_evaluates_in_words_and_can_be_continued(tmp_path, capsys):
    run = tmp_path / "run"
    status, out, _ = run_main(options(run), capsys)
    assert status == 0
    lines = out.splitlines()
    assert lines[-1] == f"{run}: 20 generator steps done"
    steps = [line for line in lines if line.startswith("step ")]
    assert [line.split(":")[0] for line in steps] == ["step 0", "step 10", "step 20"]
    records = [record for record in load(run).metrics() if "wasserstein1" in record]
    for line, record in zip(steps, records, strict=True):
        assert f"exact W1 to held-out data {record['wasserstein1']:.4g}" in line
        assert f"floor {record['floor']:.4g}" in line
        assert line.endswith("units of an unknown Lipschitz constant")
    # options not given keep the values of the run
    assert run_main(["train", "--out", run, "--resume", "--steps", 24], capsys)[0] == 0
    assert load(run).step == 24
    assert load(run).config.latent == 4


def test_the_bar_shows_steps_and_the_estimate(tmp_path):
    process = start(options(tmp_path / "run"))
    _, bar = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "20/20" in bar
    assert "generator step/s" in bar
    assert "critic estimate" in bar
    assert "unknown Lipschitz unit" in bar


def test_sample_writes_arrays_and_pictures(finished, tmp_path, capsys):
    run = finished.folder.path
    status, out, _ = run_main(
        ["sample", run, "--n", 5, "--seed", 9, "--out", tmp_path / "a.npy"], capsys
    )
    assert status == 0
    assert out == f"{tmp_path / 'a.npy'}: 5 samples of the generator at step 20\n"
    assert np.array_equal(np.load(tmp_path / "a.npy"), finished.sample(5, seed=9))
    assert run_main(["sample", run, "--out", tmp_path / "a.png"], capsys)[0] == 0
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"


def test_evaluate_prints_the_exact_distance(finished, capsys):
    status, out, _ = run_main(["evaluate", finished.folder.path, "--seed", 3], capsys)
    evaluation = finished.evaluate(3)
    assert status == 0
    assert f"exact W1 to held-out data {evaluation.wasserstein1:.4g}" in out
    shown = float(out.partition("W1 >= ")[2].partition(" ")[0])
    assert 0.999 * evaluation.lower_bound <= shown <= evaluation.lower_bound


@pytest.mark.parametrize("boxed", [True, False])
def test_a_refused_word_is_said_once_without_rules(boxed):
    said = {
        True: "╭─ Invalid choice ─╮\n│ choice 'x'. Expected one of ('b', 'None', 'a'). │\n"
        "│ ──── │\n│ For help, run it │\n╰────╯\n",
        False: "Invalid choice\n-----\nchoice 'x'. Expected one of ('a', 'b', 'None').\n-----\n"
        "For help, run it\n",
    }[boxed]
    assert _one_line(said) == "choice 'x'. Expected one of a, b."


def test_an_unknown_preset_is_refused_with_the_names_in_order(capsys):
    status, _, err = run_main(["train", "--out", "new", "--preset", "ring-x"], capsys)
    assert status == 2
    assert err.endswith(f"Expected one of {', '.join(sorted(PRESETS))}.\n")
    assert "--" not in err.replace("--preset", "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "Expected one of"),
        (["fly"], "fly"),
        (["train"], "--out"),
        (["train", "--out", "new", "--stepz", "3"], "--stepz"),
        (["train", "--out", "new", "--steps", "many"], "--steps"),
        (["train", "--out", "new", "--steps", "-1"], "option steps must be an integer"),
        (["train", "--out", "new", "--decay", "suddenly"], "--decay"),
        (["train", "--out", "new", "--device", "abacus"], "--device"),
        (["train", "--out", "new", "--data", "mnist"], "option data must be one of digits, ring"),
        (["train", "--out", "new", "--generator", "mlp,widths=8x0"], "option widths must"),
        (["train", "--out", "new", "--resume"], "new: no such folder"),
        (["train", "--out", "empty", "--resume"], "empty: no run lies in this folder"),
        (["train", "--out", "full"], "full: a run needs a new or empty folder"),
        (["train", "--out", "run"], "run: a run lies here already; continue it with --resume"),
        (["train", "--out", "run", "--resume", "--clip", "0.5"], "clip: 0.01 -> 0.5"),
        (["train", "--out", "run", "--resume-step", "7"], "no checkpoint of step 7"),
        (["train", "--out", "full/note.txt/run"], "cannot be created"),
        (["sample", "run", "--out", "grid.gif"], "must end in .png or .npy"),
        (["sample", "run", "--out", "none/grid.png"], "none/grid.png: cannot be written"),
        (["sample", "run", "--out", "grid.png", "--n", "0"], "n must be an integer from 1 to"),
        (["sample", "new", "--out", "grid.png"], "new: no such folder"),
        (["evaluate", "empty"], "empty: no run lies in this folder"),
        (["evaluate", "run", "--seed", "-1"], "seed must be an integer of at least 0"),
        (["report", "new"], "new: no such folder"),
        (["report", "run", "--out", "none/report.html"], "none/report.html: cannot be written"),
        (["demo", "--out", "full"], "full: is neither empty nor the folder of an earlier demo"),
        (["demo", "--out", "full/note.txt"], "is a file"),
        (["demo", "--out", "new", "--steps", "-2"], "option steps must"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_touch_nothing(
    tmp_path, capsys, monkeypatch, template, words, complaint
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("precious")
    shutil.copytree(template, "run")
    before, folders = contents(tmp_path), sorted(tmp_path.rglob("*"))
    status, out, err = run_main(words, capsys)
    assert status == 2
    assert out == ""
    assert err.startswith("wgan: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert complaint in err
    assert contents(tmp_path) == before
    assert sorted(tmp_path.rglob("*")) == folders


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path, capsys):
    tmp_path.chmod(0o500)
    status, _, err = run_main(options(tmp_path / "run"), capsys)
    assert (status, err.count("\n")) == (2, 1)


@pytest.mark.parametrize(("rank", "lines"), [("0", 1), ("1", 0)])
def test_of_several_processes_one_refuses_the_arguments_aloud(
    tmp_path, monkeypatch, capsys, rank, lines
):
    monkeypatch.setenv("RANK", rank)
    words = ["train", "--batch-size", "0", "--out", str(tmp_path / "run")]
    monkeypatch.delenv("TORCHELASTIC_ERROR_FILE", raising=False)
    assert run_main(words, capsys)[2].count("\n") == 1  # nobody else is known to say it
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    status, out, err = run_main(words, capsys)
    assert (status, out, err.count("\n")) == (2, "", lines)
    message = json.loads((tmp_path / "error.json").read_text())["message"]
    assert message.startswith("wgan: option batch_size must")


def test_help_is_not_a_mistake(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code in (0, None)
    text = capsys.readouterr().out
    for option in ("--steps", "--eval-every", "--checkpoint-every", "--resume", "--device"):
        assert option in text


def python(code):
    """The end of a fresh interpreter that ran ``code``: exit status, output, errors."""
    process = start([code], [sys.executable, "-c"])
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


COMMAND_LINE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
sys.argv, sys.orig_argv = ["-m"], ["python", "-m", "wgan"]
BEFORE

class Interrupted:  # Ctrl-C in an import, which takes what it raises for another error
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise AttributeError("taken for another") from None

sys.meta_path.insert(0, Interrupted())
import wgan
"""


def test_ctrl_c_in_the_midst_of_imports_is_one_line():
    assert python(COMMAND_LINE.replace("BEFORE", "")) == (130, "", "wgan: interrupted\n")


@pytest.mark.parametrize(
    "before",
    [
        "sys.argv = ['script.py']",  # a program that uses the library: Ctrl-C is its own
        "sys.orig_argv[-1] = 'other'",  # another package, which imports this one
    ],
)
def test_ctrl_c_stays_an_exception_outside_the_command_line(before):
    status, _, err = python(COMMAND_LINE.replace("BEFORE", before))
    assert status == 1
    assert "taken for another" in err


def test_a_background_job_goes_on_ignoring_ctrl_c():
    before = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    assert python(COMMAND_LINE.replace("BEFORE", before)) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "whole", "found"),
    [
        (["-m"], ["python", "-X", "dev", "-m", "wgan", "train"], True),
        (["-m"], ["python", "-m", "pytest", "wgan"], False),
        (["/usr/bin/wgan", "train"], ["python", "/usr/bin/wgan", "train"], True),
        (["wgan.exe"], ["wgan.exe"], True),
        (["wgan.py"], ["python", "wgan.py"], False),
        ([""], ["python"], False),
        ([], ["python"], False),
        (["-c"], ["python", "-c", "import wgan"], False),
    ],
)
def test_the_command_line_is_known_by_its_arguments(arguments, whole, found):
    assert is_command(arguments, whole) is found


@pytest.mark.parametrize("name", ["\xe9.yaml", os.fsdecode(b"\xff.yaml")])
def test_names_that_the_output_has_no_letters_for_end_no_command(tmp_path, monkeypatch, name):
    raw = io.BytesIO()
    for encoding in ("ascii", "utf-8"):
        output = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
        monkeypatch.setattr(sys, "stdout", output)
        assert main(["options", str(tmp_path / name)]) == 0
        output.flush()
        assert b".yaml: options of the defaults" in raw.getvalue()
        output.detach()
