"""What the pretended device refuses and counts; run by test_pretended_gpu.py in a fresh process."""

import json
import os

import numpy as np
import pytest
import torch

import wgan
from divergences import optimal_transport, total_variation, wasserstein1, wasserstein1_bracket
from tests.pretended_gpu import pretended
from wgan.config import TrainingConfig
from wgan.data import make_data
from wgan.procedure import Procedure
from wgan.state import TrainingState
from wgan.step import train_step

pytestmark = pytest.mark.gpu


def test_devices_do_not_mix():
    there = torch.ones(3, device="cuda")
    assert there.device == torch.device("cuda", 0)
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.ones(3)
    assert float((there + torch.tensor(1.0)).sum()) == 6


def test_waits_are_counted():
    there = torch.ones(3, device="cuda")
    pretended.waits.clear()
    (there * 2).sum()
    assert not pretended.waits
    there.sum().item()
    there.cpu()
    there[there > 0]
    assert sum(pretended.waits.values()) >= 3
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(pretended.WaitedError):
            there.sum().item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(("place", "wrong"), [("cuda", "cpu"), ("cpu", "cuda")])
def test_generators_of_the_other_device_are_refused(place, wrong):
    assert torch.rand(2, generator=torch.Generator(place), device=place).device.type == place
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(2, generator=torch.Generator(wrong), device=place)


@pytest.mark.parametrize("function", [total_variation, wasserstein1, optimal_transport])
@pytest.mark.parametrize("first", [True, False])
def test_mixed_arguments_are_named(function, first):
    here = torch.tensor([0.5, 0.5])
    pair = (here, here.to("cuda")) if first else (here.to("cuda"), here.numpy())
    with pytest.raises((ValueError, TypeError), match="must share one array library and device"):
        function(*pair)
    with pytest.raises((ValueError, TypeError), match="must share one array library and device"):
        function(*reversed(pair))


def test_other_threads_use_the_device_too():
    x = torch.rand(40, 2, device="cuda")
    there, here = (wasserstein1_bracket(z, z + 1, seconds=20.0) for z in (x, x.cpu()))
    assert there == here


IMAGES = "images.npz,size=16,crop=random,mirror=yes"
DCGAN = {"generator": "dcgan,filters=4", "critic": "dcgan,filters=4,batch_norm=no"}
CONES = {"generator": "plane,widths=16x16", "critic": "orthogonal,widths=16x16,cones=9"}


@pytest.fixture
def _images(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 18, 18, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", pixels)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_images")
@pytest.mark.parametrize(
    "options",
    [
        *({"data": data} for data in ("ring", "grid", "swiss-roll", "lines", "digits", "stacked")),
        {"data": "grid", "algorithm": "wgan-orthogonal", **CONES},
        {"data": "digits", "algorithm": "wgan-sn", "decay_steps": 9},
        {"data": IMAGES, **DCGAN, "critic": "dcgan,filters=4", "algorithm": "wgan-2017"},
        {"data": IMAGES + ",place=stream", **DCGAN, "algorithm": "wgan"},
        {"data": IMAGES, **DCGAN, "precision": "bfloat16", "channels_last": True},
        {"data": IMAGES, "generator": "mlp,widths=8", "critic": "mlp,widths=8"},
    ],
)
def test_a_step_never_waits(tmp_path, options):
    """Over several epochs of the images, too."""
    device = torch.device("cuda")
    options = {"algorithm": "wgan-gp", "batch_size": 16, **options}
    config = TrainingConfig(out=tmp_path / "run", **options)
    state = TrainingState.fresh(config, make_data(config.data, device), device)
    procedure = Procedure.of(config, state.penalty_random)
    train_step(state, procedure)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(2):
            train_step(state, procedure)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _noting(modes, critic_step):
    """The step, which notes whether algorithms give the same bits."""

    def step(*given):
        workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
        modes.append((torch.are_deterministic_algorithms_enabled(), workspace))
        return critic_step(*given)

    return step


@pytest.mark.parametrize("algorithm", ["wgan-gp", "wgan-orthogonal"])
def test_a_run_is_that_of_the_processor(tmp_path, monkeypatch, algorithm):
    """Interrupted, continued there, and continued here: its memory is the processor's."""

    def train(name, device, steps, **options):
        config = TrainingConfig(
            out=tmp_path / name, data="digits", algorithm=algorithm, steps=steps, batch_size=16,
            device=device, eval_every=2, checkpoint_every=2, log_every=2,
        )  # fmt: skip
        wgan.train(config, quiet=True, **options)
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        return [{key: value for key, value in row.items() if key != "time"} for row in rows]

    modes = []
    monkeypatch.setattr(Procedure, "critic_step", _noting(modes, Procedure.critic_step))
    whole = train("here", "cpu", 6)
    assert set(modes) == {(False, None)}
    modes.clear()
    train("there", "cuda", 2)
    train("there", "cuda", 4, resume=True)
    assert set(modes) == {(True, ":4096:8")}
    assert not torch.are_deterministic_algorithms_enabled()
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    assert train("there", "cpu", 6, resume=True) == whole
    assert train("back", "cuda", 6) == whole
    np.testing.assert_array_equal(
        wgan.load(tmp_path / "there").sample(3), wgan.load(tmp_path / "here").sample(3)
    )
