"""Every number of every command: what it cannot be is one line, and nothing was touched."""

import shutil

import pytest

from wgan._cli import main

from .conftest import contents, options

TRAIN = options("new", steps=1)
REPRODUCE = ["reproduce", "modes", "--data", "ring", "--out", "new", "--device", "cpu"]
HUGE = "99999999999999999999"
WHOLE = ("-1", "nan", "1.5", "1e3", HUGE)
REAL = ("-1", "nan", "inf", "x")
NUMBERS = [
    *((TRAIN, f"--{name}", ("0", *WHOLE)) for name in (
        "batch-size", "critic-steps", "latent", "eval-every", "checkpoint-every", "log-every",
        "keep")),
    *((TRAIN, f"--{name}", WHOLE) for name in ("steps", "seed", "decay-steps", "threads")),
    *((TRAIN, f"--{name}", ("0", *REAL)) for name in (
        "learning-rate", "clip", "radius", "penalty", "patience")),
    *((TRAIN, f"--{name}", ("1", *REAL)) for name in ("beta1", "beta2", "average-decay")),
    (["train", "--out", "run"], "--resume-step", ("0", *WHOLE)),
    (["sample", "run", "--out", "a.npy"], "--n", ("0", *WHOLE)),
    (["sample", "run", "--out", "a.npy"], "--seed", ("-1", "nan")),
    (["evaluate", "run"], "--samples", ("0", *WHOLE)),
    (["evaluate", "run"], "--seed", ("-1", "nan")),
    (["evaluate", "run"], "--level", ("0", "1", *REAL)),
    (["interpolate", "run", "--out", "a.npy"], "--paths", ("0", *WHOLE)),
    (["interpolate", "run", "--out", "a.npy"], "--count", ("0", "1", *WHOLE)),
    (["interpolate", "run", "--out", "a.npy"], "--seed", ("-1", "nan")),
    (["animate", "run", "--out", "a.gif"], "--frames", ("0", "1", "-1", "nan")),
    (["animate", "run", "--out", "a.gif"], "--rate", ("0", *REAL)),
    (REPRODUCE, "--steps", ("0", *WHOLE)),
    (REPRODUCE, "--minutes", ("0", *REAL)),
    *(([*words, "--steps", "1"], name, WHOLE) for words in (REPRODUCE,)
      for name in ("--seed", "--threads")),
    *((["reproduce", "fig1", "--out", "new"], name, WHOLE) for name in ("--seed", "--threads")),
    (["pack", "run", "new"], "--size", ("0", *WHOLE)),
    (["demo", "--out", "new"], "--steps", WHOLE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "name", "values"),
    NUMBERS,
    ids=[f"{words[0]}{name}-{place}" for place, (words, name, _) in enumerate(NUMBERS)],
)
def test_numbers_that_an_option_cannot_be_are_refused(
    tmp_path, capsys, monkeypatch, template, words, name, values
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(template, "run")
    before = contents(tmp_path)
    for value in values:
        status = main([*words, name, value])
        captured = capsys.readouterr()
        said = f"{name} {value}: {captured.err}"
        assert (status, captured.out) == (2, ""), said
        assert captured.err.startswith("wgan: "), said
        assert captured.err.count("\n") == 1, said
        spoken = name[2:].replace("resume-", "").split("-")  # it says: no checkpoint of step 0
        assert any(sep.join(spoken) in captured.err for sep in "-_ "), said
        assert contents(tmp_path) == before, said


def test_what_no_memory_holds_is_one_line(tmp_path, capsys, template):
    out = tmp_path / "samples.npy"
    assert main(["sample", str(template), "--out", str(out), "--n", str(2**31 - 1)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("wgan: not enough memory for these options")
    assert error.count("\n") == 1
    assert not out.exists()
