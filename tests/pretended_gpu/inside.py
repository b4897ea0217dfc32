"""What the pretended device refuses and counts; run by test_pretended_gpu.py in a fresh process."""

import pytest
import torch

from divergences import optimal_transport, total_variation, wasserstein1
from tests.pretended_gpu import pretended

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


@pytest.mark.parametrize("data", ["ring", "grid", "swiss-roll", "lines", "digits"])
def test_a_step_never_waits(tmp_path, data):
    from wgan.config import TrainingConfig
    from wgan.data import make_data
    from wgan.procedure import Procedure
    from wgan.state import TrainingState
    from wgan.step import train_step

    device = torch.device("cuda")
    config = TrainingConfig(out=tmp_path, data=data, algorithm="wgan-gp")
    state = TrainingState.fresh(config, make_data(data, device), device)
    procedure = Procedure.of(config, state.penalty_random)
    train_step(state, procedure)
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_step(state, procedure)
    finally:
        torch.cuda.set_sync_debug_mode("default")
