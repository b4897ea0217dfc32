"""A step of the paper's critic (RMSProp, clipping) beside a plain loop, and where its time goes.

Processor time on one thread, the smallest of alternating repetitions. ``ceiling`` is what a step
would gain if optimiser and projection cost nothing: forward and backward pass remain.
"""

import itertools
import time

import torch
from torch import nn

from divergences.dual import WeightClipping, ascent_step

from .record import record

LIMIT, RATE = 0.01, 5e-5
CASES = ((512, 1024, 64), (512, 64, 64), (64, 256, 2), (32, 64, 2))  # width, batch, coordinates
ROUNDS = 5
WORK = 5e7  # multiplications of a repetition, about


def _critic(width, coordinates):
    torch.manual_seed(0)
    widths = (coordinates, width, width, width)
    layers = [layer for before, after in itertools.pairwise(widths)
              for layer in (nn.Linear(before, after), nn.ReLU())]  # fmt: skip
    return nn.Sequential(*layers, nn.Linear(width, 1))


def _parts(width, batch, coordinates):
    """Functions to be timed: a plain step, its parts, and ours."""
    critic = _critic(width, coordinates)
    x, y = torch.randn(batch, coordinates), torch.randn(batch, coordinates)
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=RATE)
    clipping = WeightClipping(LIMIT)

    def passes():
        loss = critic(y).mean() - critic(x).mean()
        optimizer.zero_grad()
        loss.backward()

    @torch.no_grad()
    def projection():
        for parameter in critic.parameters():
            parameter.clamp_(-LIMIT, LIMIT)

    def plain():
        passes()
        optimizer.step()
        projection()

    def ours():
        ascent_step(critic, optimizer, x, y, clipping, together=True)

    return {"plain": plain, "ours": ours, "passes": passes, "optimiser": optimizer.step,
            "projection": projection}  # fmt: skip


def _milliseconds(function, count):
    begin = time.process_time()
    for _ in range(count):
        function()
    return 1e3 * (time.process_time() - begin) / count


def test_critic_step():
    figures = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for width, batch, coordinates in CASES:
            count = max(1, int(WORK / (2 * batch * (2 * width**2 + width * coordinates))))
            parts = _parts(width, batch, coordinates)
            times = {name: [] for name in parts}
            for _ in range(ROUNDS):
                for name, function in parts.items():
                    times[name].append(_milliseconds(function, count))
            best = {name: min(values) for name, values in times.items()}
            figures.append({
                "critic": f"3x{width}", "batch": batch, "d": coordinates,
                **{f"{name} (ms)": round(value, 3) for name, value in best.items()},
                "plain / ours": round(best["plain"] / best["ours"], 3),
                "ceiling": round(best["plain"] / best["passes"], 3),
            })  # fmt: skip
            print(figures[-1], flush=True)
    finally:
        torch.set_num_threads(threads)
    record("critic-step", figures)
    assert all(row["plain / ours"] > 0.8 for row in figures)
