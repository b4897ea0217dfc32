"""Paths of inputs, and moving pictures."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from wgan import RunError
from wgan._cli import main
from wgan.animation import animate_run
from wgan.interpolation import interpolate, latent_path
from wgan.runlog import read_log

from .conftest import contents


def published_slerp(t, low, high):
    """White (2016), for one pair of float64 vectors."""
    omega = math.acos(low @ high / (np.linalg.norm(low) * np.linalg.norm(high)))
    return (math.sin((1 - t) * omega) * low + math.sin(t * omega) * high) / math.sin(omega)


@pytest.mark.parametrize("dimension", [2, 3, 64, 512])
def test_between_vectors_of_one_length_it_is_the_published_formula(dimension):
    rng = np.random.default_rng(dimension)
    pairs = rng.normal(size=(5, 2, dimension))
    pairs *= math.sqrt(dimension) / np.linalg.norm(pairs, axis=-1, keepdims=True)
    start, end = torch.from_numpy(pairs[:, 0]), torch.from_numpy(pairs[:, 1])
    got = latent_path(start, end, 7).numpy()
    for k in range(5):
        for j in range(7):
            expected = published_slerp(j / 6, pairs[k, 0], pairs[k, 1])
            np.testing.assert_allclose(got[k, j], expected, rtol=0, atol=1e-12 * dimension**0.5)


def test_angles_are_even_and_lengths_lie_between_the_ends():
    random = torch.Generator().manual_seed(3)
    start = torch.randn(20, 10, generator=random, dtype=torch.float64)
    end = torch.randn(20, 10, generator=random, dtype=torch.float64)
    path = latent_path(start, end, 6)
    lengths = path.norm(dim=-1)
    expected = torch.stack([torch.linspace(float(a), float(b), 6, dtype=torch.float64)
                            for a, b in zip(start.norm(dim=1), end.norm(dim=1))])  # fmt: skip  # noqa: B905
    torch.testing.assert_close(lengths, expected)
    unit = path / lengths.unsqueeze(-1)
    angles = (unit[:, 1:] * unit[:, :-1]).sum(-1).clamp(-1, 1).acos()
    torch.testing.assert_close(angles, angles[:, :1].expand_as(angles), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_the_ends_are_the_ends(path):
    start, end = torch.randn(4, 5), torch.randn(4, 5)
    got = latent_path(start, end, 3, path)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got[:, 0], start)
    torch.testing.assert_close(got[:, -1], end)
    if path == "linear":
        torch.testing.assert_close(got[:, 1], (start + end) / 2)


def test_the_straight_middle_is_shorter_than_any_normal_input():
    """The reason for the spherical path: .71 of the usual length, six deviations below it."""
    random = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 500, 100, generator=random)
    shortest = torch.stack([start, end]).norm(dim=-1).min()
    assert (latent_path(start, end, 3, "linear")[:, 1].norm(dim=-1) < shortest).float().mean() > 0.8
    assert (latent_path(start, end, 3)[:, 1].norm(dim=-1) >= shortest).all()


def test_nearly_equal_directions_keep_their_digits():
    start = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    end = start + torch.tensor([[-4e-9, 3e-9]], dtype=torch.float64)  # across, at equal length
    middle = latent_path(start, end, 3)[0, 1]
    torch.testing.assert_close(middle, (start + end)[0] / 2, rtol=1e-15, atol=0)
    torch.testing.assert_close(latent_path(start, start, 3)[0], start.expand(3, 2))


@pytest.mark.parametrize(
    ("start", "end", "count", "path", "words"),
    [
        (torch.ones(1, 3), -torch.ones(1, 3), 3, "spherical", "opposite"),
        (torch.ones(1, 1), torch.ones(1, 1), 3, "spherical", "dimension of 1"),
        (torch.ones(1, 3), torch.ones(2, 3), 3, "linear", "one shape"),
        (torch.ones(1, 3), torch.ones(1, 3), 1, "linear", "integer from 2"),
        (torch.ones(1, 3), torch.ones(1, 3), 3, "bent", "spherical or linear"),
    ],
)
def test_what_is_no_path_is_refused(start, end, count, path, words):
    with pytest.raises(ValueError, match=words):
        latent_path(start, end, count, path)


def test_the_ends_of_the_samples_are_those_of_sample(finished):
    got = interpolate(finished, paths=3, count=4, seed=5)
    assert got.shape == (3, 4, 2)
    np.testing.assert_allclose(
        got[:, [0, -1]].reshape(6, 2), finished.sample(6, seed=5), rtol=1e-5, atol=1e-6
    )
    averaged = interpolate(finished, paths=3, count=4, seed=5, averaged=True)
    np.testing.assert_allclose(
        averaged[:, 0], finished.sample(6, seed=5, averaged=True)[::2], rtol=1e-5, atol=1e-6
    )


def test_files_of_interpolate(finished, tmp_path, capsys):
    run = str(finished.folder.path)
    for name in ("a.png", "a.gif", "a.npy"):
        words = ["interpolate", run, "--out", str(tmp_path / name), "--paths", "2", "--count", "5"]
        assert main(words) == 0
        assert capsys.readouterr().out == f"{tmp_path / name}: 2 spherical paths of 5 samples\n"
    assert np.load(tmp_path / "a.npy").shape == (2, 5, 2)
    with Image.open(tmp_path / "a.gif") as moving:
        assert moving.n_frames == 8  # there and back
    for bad in (["--paths", "0"], ["--count", "1"], ["--out", str(tmp_path / "a.jpg")]):
        before = contents(tmp_path)
        assert main(["interpolate", run, "--out", str(tmp_path / "b.png"), *bad]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
        assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_a_run_in_motion(finished, tmp_path, suffix):
    log = read_log(finished.folder.path)
    out = tmp_path / f"run{suffix}"
    assert animate_run(log, out, rate=4) == 3  # steps 0, 10, 20
    still = Image.open(log.pictures[-1][1]).convert("RGB")
    with Image.open(out) as moving:
        assert moving.n_frames == 3
        durations = []
        for frame in range(3):
            moving.seek(frame)
            durations.append(moving.info["duration"])
        last = moving.convert("RGB").crop((0, 0, *still.size))
    assert durations == [250, 250, 2000]
    difference = np.abs(np.asarray(last, int) - np.asarray(still, int))
    assert difference.max() == 0 if suffix == ".png" else difference.mean() < 8  # 256 colours
    assert animate_run(log, out, frames=2) == 2


def test_motion_that_cannot_be_is_a_line(finished, tmp_path, capsys):
    run = str(finished.folder.path)
    for words in (["--out", "a.mp4"], ["--out", "a.gif", "--rate", "0"],
                  ["--out", "a.gif", "--frames", "1"]):  # fmt: skip
        assert main(["animate", run, *words]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    for _, file in read_log(finished.folder.path).pictures[1:]:
        file.unlink()
    with pytest.raises(RunError, match="two evaluations"):
        animate_run(read_log(finished.folder.path), tmp_path / "a.gif")
