"""Generator steps per second of Algorithm 1: ours against a plain loop as the authors wrote it.

Alternating in one process on the same networks, batches and device; medians of several rounds.
On a CPU what is compared is processor time on one thread, which other work on the machine disturbs
less than the time on the clock; on a GPU it is the latter.
The plain loop clips parameter by parameter, calls the critic once for each sign, steps torch's own
RMSProp and draws its batches from a DataLoader. It keeps no average of the generator, which
Algorithm 1 has not, and so ours keeps none either. Both are measured at the beginning of a run and
late in one, when the squared averages of dead units have shrunk so far that, in the plain loop,
they are subnormal numbers. To be there in minutes, the squared averages of parameters whose
gradient is exactly 0 after some steps are shrunk at once by as much as so many more would do.

Between both, the matrix products of a step are taken alone, those of all units and in our step's
shapes, on arrays that are there: ``bound`` is the ratio that would be reached if everything else
cost nothing and no unit were silent. Convolutions have no such row.

A last test, of the CPU alone, says what a step of ours is made of: the share of its processor time
that each operation of torch takes by itself.
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
PROFILED = {"plane 3x512": 50, "mlp 4x512, 64x64x3": 10}
"""Steps whose operations are told apart, where they are not all convolutions."""
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
    config = TrainingConfig(out=Path("unused"), average_decay=0.0, **options)
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


def _products(network, rows, *, weights, inputs, points):
    """Factors and places of the products of a pass forward and back through dense layers."""
    found = []
    for number, layer in enumerate(m for m in network if isinstance(m, torch.nn.Linear)):
        weight = layer.weight.detach()
        before = weight.new_empty(rows, layer.in_features).normal_()
        slope = weight.new_empty(rows, layer.out_features).normal_()
        found.append((before, weight.T, torch.empty_like(slope)))
        if weights:
            found.append((slope.T, before, torch.empty_like(weight)))
        if points if number == 0 else inputs:
            found.append((slope, weight, torch.empty_like(before)))
    return found


def products_of_a_step(state):
    """A function that takes the matrix products of a generator step; None for convolutions."""
    networks = state.generator, state.critic
    if any(isinstance(m, torch.nn.modules.conv._ConvNd) for n in networks for m in n.modules()):
        return None
    generator, critic = networks
    ahead = _products(generator, 5 * 64, weights=False, inputs=False, points=False)
    of_critic = _products(critic, 2 * 64, weights=True, inputs=True, points=False)
    last = _products(critic, 64, weights=False, inputs=True, points=True)
    last += _products(generator, 64, weights=True, inputs=True, points=False)

    def step():
        for left, right, place in ahead + 5 * of_critic + last:
            torch.mm(left, right, out=place)

    return step


def seconds(step, count, device):
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    start = clock()
    for _ in range(count):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (clock() - start) / count


def summary(times):
    """Medians, and medians of the ratios of what was measured one after the other."""
    found = {
        f"{name}, generator steps/s": round(1 / statistics.median(times[which]), 3)
        for which, name in (("ours", "ours"), ("plain", "plain loop"), ("products", "products"))
        if which in times
    }
    for which, name in (("ours", "ratio"), ("products", "bound")):
        if which in times:
            pairs = zip(times["plain"], times[which], strict=True)
            found[name] = round(statistics.median(plain / other for plain, other in pairs), 2)
    return found


def compare(name, options, device):
    ours, plain, state = prepare(options, device)
    figures = {}
    for when in ("early", "late"):
        if when == "late":
            if name not in LATE:
                break
            age(plain, state, *LATE[name])
        steps = {"ours": ours, "plain": plain.step, "products": products_of_a_step(state)}
        times = {which: [] for which, step in steps.items() if step is not None}
        for which in times:
            seconds(steps[which], 1, device)
        for _ in range(ROUNDS[name]):
            for which, values in times.items():
                values.append(seconds(steps[which], STEPS[name], device))
        figures[when] = summary(times)
    return figures


def shares(step, count):
    """Parts of the processor time of some steps, by operation; those below .5 % are the others."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for _ in range(count):
            step()
    times = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    whole = sum(times.values())
    order = sorted(times, key=times.__getitem__, reverse=True)
    found = {name: round(times[name] / whole, 3) for name in order if times[name] > 0.005 * whole}
    return {**found, "others": round(1 - sum(found.values()), 3)}


def when():
    """The day, and how busy the machine is."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load of the machine before": round(os.getloadavg()[0], 1),
    }


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
        **when(),
    }
    with threads(THREADS):
        figures = compare(name, options, torch.device(place))
    print(name, figures, flush=True)
    record_part("wgan" if place == "cpu" else f"wgan-{place}", name, {**about, **figures})


@pytest.mark.parametrize("name", PROFILED)
def test_operations(images, name):
    options = {**CASES[name], "data": CASES[name]["data"].replace("IMAGES", str(images))}
    figures = {"threads": THREADS, **when()}
    with threads(THREADS):
        ours, _, _ = prepare(options, torch.device("cpu"))
        ours()
        figures["shares"] = shares(ours, PROFILED[name])
    print(name, figures, flush=True)
    record_part("wgan-operations", name, figures)
