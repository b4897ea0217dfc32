"""A step of the paper's critic (RMSProp, clipping) beside a plain loop, and where its time goes.

Processor time on one thread, the smallest of alternating repetitions. ``products`` are the matrix
products of a step and nothing else, none of which can be left out: of every layer the forward
product and that of the weights' gradient, of all but the first that of the input's gradient.
``ceiling`` is what a step would gain if everything else cost nothing. Each critic is timed at its
first steps and after some hundred: clipping silences units, whose products are left out.
"""

import itertools
import time

import torch
from torch import nn

from divergences.dual import RMSprop, WeightClipping, ascent_step

from .record import record

LIMIT, RATE = 0.01, 5e-5
TRAINED = 0, 300
"""Steps before those that are timed."""
CASES = ((3, 512, 1024, 64), (3, 512, 64, 64), (3, 64, 256, 2), (3, 32, 64, 2), (2, 64, 32, 2))
"""Hidden layers, their width, batch, coordinates."""
ROUNDS = 7
WORK = 2e8  # additions and multiplications of a repetition, about


def _shapes(depth, width, coordinates):
    """Numbers of rows and columns of the weights."""
    widths = coordinates, *[width] * depth, 1
    return [(after, before) for before, after in itertools.pairwise(widths)]


def _critic(shapes):
    torch.manual_seed(0)
    layers = [layer for rows, columns in shapes
              for layer in (nn.Linear(columns, rows), nn.ReLU())]  # fmt: skip
    return nn.Sequential(*layers[:-1])


def _flops(shapes, batch):
    """Multiplications and additions of a step's matrix products, for both batches."""
    sizes = [rows * columns for rows, columns in shapes]
    return 2 * 2 * batch * (3 * sum(sizes) - sizes[0])


def _products(shapes, batch):
    weights = [torch.randn(shape) for shape in shapes]
    points = [torch.randn(batch, columns) for _, columns in shapes]
    slopes = [torch.randn(batch, rows) for rows, _ in shapes]

    def products():
        for _ in "xy":
            for layer, (weight, point, slope) in enumerate(
                zip(weights, points, slopes, strict=True)
            ):
                point @ weight.T
                slope.T @ point
                if layer:
                    slope @ weight

    return products


def _parts(shapes, batch, trained):
    """Functions to be timed: a plain step, its parts, and ours, from the same parameters."""
    critic, twin = _critic(shapes), _critic(shapes)
    x, y = torch.randn(batch, shapes[0][1]) + 0.5, torch.randn(batch, shapes[0][1])
    optimizer = torch.optim.RMSprop(critic.parameters(), lr=RATE)
    fused = RMSprop(twin.parameters(), RATE)
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
        ascent_step(twin, fused, x, y, clipping, together=True)

    for _ in range(trained):
        plain()
    twin.load_state_dict(critic.state_dict())
    return {"plain": plain, "ours": ours, "passes": passes, "products": _products(shapes, batch),
            "optimiser": optimizer.step, "our optimiser": fused.step,
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
        for (depth, width, batch, coordinates), trained in itertools.product(CASES, TRAINED):
            shapes = _shapes(depth, width, coordinates)
            count = max(1, int(WORK / _flops(shapes, batch)))
            parts = _parts(shapes, batch, trained)
            times = {name: [] for name in parts}
            for _ in range(ROUNDS):
                for name, function in parts.items():
                    times[name].append(_milliseconds(function, count))
            best = {name: min(values) for name, values in times.items()}
            figures.append({
                "critic": f"{depth}x{width}", "batch": batch, "d": coordinates, "after": trained,
                **{f"{name} (ms)": round(value, 3) for name, value in best.items()},
                "Gflop": round(_flops(shapes, batch) / 1e9, 4),
                "Gflop/s of the products": round(_flops(shapes, batch) / best["products"] / 1e6, 1),
                "plain / ours": round(best["plain"] / best["ours"], 3),
                "ceiling": round(best["plain"] / best["products"], 3),
            })  # fmt: skip
            print(figures[-1], flush=True)
    finally:
        torch.set_num_threads(threads)
    record("critic-step", figures)
    assert all(row["plain / ours"] > 0.9 for row in figures)
