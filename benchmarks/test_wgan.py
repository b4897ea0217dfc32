"""Generator steps per second of Algorithm 1: ours against a plain loop as the authors wrote it.

Alternating in one process on the same networks, batches and device; medians of several rounds.
On a CPU what is compared is processor time on one thread, which other work on the machine disturbs
less than the time on the clock; on a GPU it is the latter.
The plain loop clips parameter by parameter, calls the critic once for each sign, steps torch's own
RMSProp and draws its batches from a DataLoader. Both are measured at the beginning of a run and
late in one, when the squared averages of dead units have shrunk so far that, in the plain loop,
they are subnormal numbers. To be there in minutes, the squared averages of parameters whose
gradient is exactly 0 after some steps are shrunk at once by as much as so many more would do.
"""

import copy
import datetime
import os
import statistics
import time
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from divergences.dual._rmsprop import FADED
from wgan import TrainingConfig
from wgan.data import make_data
from wgan.procedure import Procedure
from wgan.progress import threads
from wgan.state import TrainingState
from wgan.step import train_step

from .record import record_part

THREADS = 1
CASES = {
    "plane 3x512": {"data": "ring", "generator": "plane", "critic": "plane", "latent": 2},
    "mlp 4x512, 64x64x3": {"data": "IMAGES", "generator": "mlp", "critic": "mlp", "latent": 100},
    "dcgan 64x64x3": {"data": "IMAGES", "generator": "dcgan", "critic": "dcgan", "latent": 100},
}
ROUNDS = {"plane 3x512": 7, "mlp 4x512, 64x64x3": 5, "dcgan 64x64x3": 5}
STEPS = {"plane 3x512": 10, "mlp 4x512, 64x64x3": 1, "dcgan 64x64x3": 1}
LATE = {"plane 3x512": (200, 1500)}
"""Generator steps that are taken, and those after which dead units are as shown."""


class PlainLoop:
    """Algorithm 1 as a script of 2017 has it."""

    def __init__(self, critic, generator, samples, latent, device):
        self.critic, self.generator, self.latent = critic, generator, latent
        self.device = device
        self.loader = DataLoader(TensorDataset(samples), batch_size=64, shuffle=True)
        self.batches = iter(self.loader)
        self.of_critic = torch.optim.RMSprop(critic.parameters(), lr=5e-5)
        self.of_generator = torch.optim.RMSprop(generator.parameters(), lr=5e-5)
        self.one = torch.tensor(1.0, device=device)

    def batch(self):
        for batch in self.batches:
            if len(batch[0]) == 64:
                return batch[0].to(self.device)
        self.batches = iter(self.loader)
        return self.batch()

    def step(self):
        for p in self.critic.parameters():
            p.requires_grad = True
        for _ in range(5):
            x = self.batch()
            self.critic.zero_grad()
            of_real = self.critic(x).mean()
            of_real.backward(-self.one)
            z = torch.randn(64, self.latent, device=self.device)
            fake = self.generator(z).detach()
            of_fake = self.critic(fake).mean()
            of_fake.backward(self.one)
            self.of_critic.step()
            for p in self.critic.parameters():
                p.data.clamp_(-0.01, 0.01)
        for p in self.critic.parameters():
            p.requires_grad = False
        self.generator.zero_grad()
        z = torch.randn(64, self.latent, device=self.device)
        self.critic(self.generator(z)).mean().backward(-self.one)
        self.of_generator.step()


def prepare(options, device):
    config = TrainingConfig(out=Path("unused"), **options)
    data = make_data(config.data, device)
    state = TrainingState.fresh(config, data, device)
    procedure = Procedure.of(config, state.penalty_random)
    samples = data.batch(6400, torch.Generator(device).manual_seed(0)).cpu()
    plain = PlainLoop(
        copy.deepcopy(state.critic), copy.deepcopy(state.generator), samples, config.latent, device
    )
    return (lambda: train_step(state, procedure)), plain, state


def age(plain, state, taken, shown):
    """Take the plain loop to a late state, and hand that to ours."""
    for _ in range(taken):
        plain.step()
    for optimizer, each in ((plain.of_critic, 5), (plain.of_generator, 1)):
        for parameter, entries in optimizer.state.items():
            entries["square_avg"][parameter.grad == 0] *= 0.99 ** (each * (shown - taken))
    pairs = (
        (plain.critic, plain.of_critic, state.critic, state.critic_optimizer),
        (plain.generator, plain.of_generator, state.generator, state.generator_optimizer),
    )
    for network, optimizer, our_network, our_optimizer in pairs:
        our_network.load_state_dict(network.state_dict())
        moments = copy.deepcopy(optimizer.state_dict()["state"])
        groups = our_optimizer.state_dict()["param_groups"]
        our_optimizer.load_state_dict({"state": moments, "param_groups": groups})
        for entries in our_optimizer.state.values():  # as ours would have it by then
            entries["square_avg"].masked_fill_(entries["square_avg"] <= FADED, 0.0)


def seconds(step, count, device):
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    for _ in range(count):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (clock() - start) / count


def compare(name, options, device):
    ours, plain, state = prepare(options, device)
    figures = {}
    for when in ("early", "late"):
        if when == "late":
            if name not in LATE:
                break
            age(plain, state, *LATE[name])
        for step in (ours, plain.step):
            seconds(step, 1, device)
        times = {"ours": [], "plain": []}
        for _ in range(ROUNDS[name]):
            times["ours"].append(seconds(ours, STEPS[name], device))
            times["plain"].append(seconds(plain.step, STEPS[name], device))
        middle = {which: statistics.median(values) for which, values in times.items()}
        ratio = statistics.median(
            plain / mine for plain, mine in zip(times["plain"], times["ours"], strict=True)
        )
        figures[when] = {
            "ours, generator steps/s": round(1 / middle["ours"], 3),
            "plain loop, generator steps/s": round(1 / middle["plain"], 3),
            "ratio": round(ratio, 2),
        }
    return figures


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    import numpy as np

    path = tmp_path_factory.mktemp("images") / "noise.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (1280, 64, 64, 3), dtype=np.uint8))
    return path


@pytest.mark.parametrize("place", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", CASES)
def test_wgan(images, place, name):
    options = {**CASES[name], "data": CASES[name]["data"].replace("IMAGES", str(images))}
    about = {
        "threads": THREADS,
        "time": "processor" if place == "cpu" else "clock",
        "rounds": ROUNDS[name],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load of the machine before": round(os.getloadavg()[0], 1),
    }
    with threads(THREADS):
        figures = compare(name, options, torch.device(place))
    print(name, figures, flush=True)
    record_part("wgan" if place == "cpu" else f"wgan-{place}", name, {**about, **figures})
