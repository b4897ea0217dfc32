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


def test_complex_gradients_are_those_of_the_processor():
    def gradient(device):
        x = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
        ((x + 0j) * torch.tensor([1j, 1 - 2j], device=device)).abs().sum().backward()
        return torch.view_as_real(((x.grad + 1j) * 1j).conj().resolve_conj()).cpu()

    assert torch.equal(gradient("cuda"), gradient("cpu"))


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


@pytest.mark.parametrize("algorithm", ["wgan", "wgan-gp"])
def test_an_evaluation_reads_the_state_once_in_all_and_copies_none_of_it(tmp_path, algorithm):
    config = TrainingConfig(out=tmp_path / "run", data="ring", algorithm=algorithm)
    device = torch.device("cuda")
    state = TrainingState.fresh(config, make_data(config.data, device), device)
    train_step(state, Procedure.of(config, state.penalty_random))
    pretended.waits.clear()
    assert state.not_finite() is None
    assert sum(pretended.waits.values()) == 1
    with torch.no_grad():
        state.generator[0].bias[1] = torch.inf
    assert state.not_finite() == "generator.0.bias"


def _noting(modes, critic_step):
    """The step, which notes whether algorithms give the same bits."""

    def step(*given):
        workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
        modes.append((torch.are_deterministic_algorithms_enabled(), workspace))
        return critic_step(*given)

    return step


def _train(out, device, steps, *, resume=False, **options):
    """The lines of the log without their times."""
    config = TrainingConfig(
        out=out, steps=steps, batch_size=16, device=device, eval_every=2, checkpoint_every=2,
        log_every=2, **options,
    )  # fmt: skip
    wgan.train(config, quiet=True, resume=resume)
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


@pytest.mark.parametrize("algorithm", ["wgan-gp", "wgan-orthogonal"])
def test_a_run_is_that_of_the_processor(tmp_path, monkeypatch, algorithm):
    """Interrupted and continued: its memory is the processor's."""
    options = {"data": "digits", "algorithm": algorithm}
    modes = []
    monkeypatch.setattr(Procedure, "critic_step", _noting(modes, Procedure.critic_step))
    whole = _train(tmp_path / "here", "cpu", 6, **options)
    assert set(modes) == {(False, None)}
    modes.clear()
    _train(tmp_path / "there", "cuda", 2, **options)
    assert _train(tmp_path / "there", "cuda", 6, resume=True, **options) == whole
    assert set(modes) == {(True, ":4096:8")}
    assert not torch.are_deterministic_algorithms_enabled()
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    np.testing.assert_array_equal(
        wgan.load(tmp_path / "there").sample(3), wgan.load(tmp_path / "here").sample(3)
    )


@pytest.mark.parametrize("data", ["ring", "digits", "stacked"])
@pytest.mark.parametrize("first", ["cpu", "cuda"])
def test_runs_go_on_on_another_device(tmp_path, data, first):
    """With random streams of its own, which are the same ones each time."""
    options = {"data": data, "algorithm": "wgan-gp", "decay_steps": 9}
    second = "cuda" if first == "cpu" else "cpu"
    runs = []
    for name in ("one", "two"):
        _train(tmp_path / name, first, 2, **options)
        runs.append(_train(tmp_path / name, second, 4, resume=True, **options))
    assert runs[0] == runs[1] != _train(tmp_path / "other", first, 4, **options)
