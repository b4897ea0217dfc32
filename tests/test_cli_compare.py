"""``divergences compare``: histograms, samples, odd files."""

import json
import math
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from divergences import _cli, wasserstein1


def _run(capsys, *arguments):
    try:
        status = _cli.main(["compare", *map(str, arguments)])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_histograms_in_three_formats(capsys, tmp_path):
    counts = np.array([[1, 2], [3, 4]]), np.array([[4, 3], [2, 1]])
    np.save(tmp_path / "a.npy", counts[0])
    np.savez(tmp_path / "a.npz", counts[0])
    (tmp_path / "a.csv").write_text("left,right\n1,2\n\n3, 4\n")
    np.save(tmp_path / "b.npy", counts[1])
    outputs = set()
    for kind in ("npy", "npz", "csv"):
        status, out, err = _run(
            capsys, tmp_path / f"a.{kind}", tmp_path / "b.npy", "--histograms", "--json"
        )
        assert (status, err) == (0, "")
        outputs.add(out)
    assert len(outputs) == 1
    record = json.loads(outputs.pop())
    assert record["total_variation"]["value"] == pytest.approx(0.4, rel=1e-15)
    assert set(record) == {"total_variation", "kl_pq", "kl_qp", "js"}
    status, out, _ = _run(capsys, tmp_path / "a.npy", tmp_path / "b.npy", "--histograms")
    assert status == 0
    assert "Jensen-Shannon" in out


@pytest.mark.parametrize("text", ["1,2,5\n", "1\n2\n5\n", "a,b,c\n1,2,5\n"])
def test_one_line_of_a_table_is_a_histogram_of_one_axis(capsys, tmp_path, text):
    np.save(tmp_path / "a.npy", np.array([4.0, 3.0, 1.0]))
    np.save(tmp_path / "b.npy", np.array([1.0, 2.0, 5.0]))
    (tmp_path / "b.csv").write_text(text)
    (tmp_path / "row.csv").write_text("1,2,5\n")
    (tmp_path / "column.csv").write_text("1\n2\n5\n")
    outputs = [
        _run(capsys, tmp_path / "a.npy", tmp_path / f"b.{kind}", "--histograms")
        for kind in ("npy", "csv")
    ]
    assert outputs[0][0] == 0
    assert outputs[0] == outputs[1]
    pair = tmp_path / "row.csv", tmp_path / "column.csv"
    assert _run(capsys, *pair, "--histograms")[0] == 2


def test_infinities_are_strings_in_json(capsys, tmp_path):
    np.save(tmp_path / "a.npy", [1.0, 0.0])
    np.save(tmp_path / "b.npy", [0.0, 1.0])
    _, out, _ = _run(capsys, tmp_path / "a.npy", tmp_path / "b.npy", "--histograms", "--json")
    record = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert record["kl_pq"]["value"] == "inf"
    assert record["js"]["value"] == math.log(2.0)


def test_samples_exactly(capsys, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(30, 2)) + 1.0
    np.save(tmp_path / "x.npy", x)
    np.savetxt(tmp_path / "y.csv", y, delimiter=",", fmt="%.17g")
    status, out, _ = _run(capsys, tmp_path / "x.npy", tmp_path / "y.csv", "--samples", "--json")
    assert status == 0
    assert json.loads(out)["wasserstein1"] == wasserstein1(x, y)
    _, out, _ = _run(capsys, tmp_path / "x.npy", tmp_path / "y.csv", "--samples")
    assert repr(float(wasserstein1(x, y))) in out


def test_odd_files_end_in_one_line(capsys, tmp_path):
    def path(name, content=None):
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        elif isinstance(content, str):
            (tmp_path / name).write_text(content)
        elif content is not None:
            np.save(tmp_path / name, content)
        return tmp_path / name

    np.savez(tmp_path / "two.npz", a=[1.0], b=[2.0])
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    good = path("good.npy", np.array([1.0, 2.0]))
    cases = [
        (path("missing.npy"), "no such file"),
        (path("words.txt", "1"), "the name must end in .npy, .npz or .csv"),
        (path("broken.npy", b"not an array"), "broken.npy"),
        (path("empty.npy", b""), "empty.npy"),
        (path("broken.npz", b"PK??"), "broken.npz"),
        (path("two.npz"), "it must hold one array; it holds 2"),
        (path("objects.npy"), "objects.npy"),
        (path("text.npy", np.array(["a"])), "it must hold real numbers"),
        (path("nan.npy", np.array([1.0, np.nan])), "numbers must be finite; got nan at index (1,)"),
        (path("none.npy", np.array([])), "it holds no numbers"),
        (path("ragged.csv", "1,2\n3\n"), "rows differ in length: [1, 2]"),
        (path("word.csv", "1,2\n3,x\n"), "'x' in row 2 is not a number"),
        (path("header.csv", "a,b\n"), "it holds no numbers"),
        (path("quoted.csv", '"1","2"\n3,4\n'), "'\"1\"' in row 1 is not a number"),
        (path("gaps.csv", ",\n3,4\n"), "'' in row 1 is not a number"),
        (path("semicolon.csv", "1;2\n3;4\n"), "'1;2' in row 1 is not a number"),
        (path("narrow.csv", "a\n3,4\n"), "rows differ in length: [1, 2]"),
        (path("negative.npy", np.array([1.0, -2.0])), "counts must be non-negative"),
        (path("zeros.npy", np.zeros(2)), "all counts are zero"),
        (path("longer.npy", np.ones(3)), "the histograms differ in shape: (2,) and (3,)"),
        (path("latin.csv", b"\xff\xfe\x00"), "latin.csv"),
    ]
    for name, message in cases:
        status, out, err = _run(capsys, good, name, "--histograms")
        assert (status, out) == (2, ""), name
        assert len(err.splitlines()) == 1, err
        assert message in err
    cube = path("cube.npy", np.ones((2, 2, 2)))
    assert "samples must have shape" in _run(capsys, cube, cube, "--samples")[2]
    plane = path("plane.npy", np.ones((2, 3)))
    assert "same dimension" in _run(capsys, good, plane, "--samples")[2]


def test_damaged_archives_and_more_than_one_array_end_in_one_line(capsys, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6.0))
    np.savez(tmp_path / "a.npz", np.arange(6.0))
    whole, archive = ((tmp_path / name).read_bytes() for name in ("a.npy", "a.npz"))
    entry = archive.index(b"PK\x01\x02")  # of the archive's list
    strange, locked = bytearray(archive), bytearray(archive)
    strange[8] = strange[entry + 10] = 99  # the method of compression
    locked[6] |= 1
    locked[entry + 8] |= 1
    files = {
        "two.npy": (whole + whole, "more follows than the one array"),
        "cut.npy": (whole.replace(b"(6,), }", b"(6,)   "), "not a readable .npy file"),
        "strange.npz": (bytes(strange), "compression method is not supported"),
        "locked.npz": (bytes(locked), "encrypted"),
    }
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as file:
        file.writestr("a.txt", "no array")
    for name, (content, _) in files.items():
        (tmp_path / name).write_bytes(content)
    for name, message in [("text.npz", "it holds the file a.txt"),
                          *((name, message) for name, (_, message) in files.items())]:  # fmt: skip
        status, out, err = _run(capsys, tmp_path / name, tmp_path / "a.npy", "--samples")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert message in err


def test_one_of_the_two_options_is_required(capsys, tmp_path):
    status, _, err = _run(capsys, tmp_path / "a.npy", tmp_path / "b.npy")
    assert status == 2
    assert "one of the arguments --histograms --samples is required" in err


def test_it_runs_as_a_program(tmp_path):
    np.save(tmp_path / "a.npy", [0.0, 1.0])
    np.save(tmp_path / "b.npy", [2.0, 3.0])
    files = [str(tmp_path / name) for name in ("a.npy", "b.npy")]
    result = subprocess.run(
        [sys.executable, "-m", "divergences", "compare", *files, "--samples"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Wasserstein-1  2.0  (exact;")
