"""A step under each constraint beside a plain loop of torch, of a critic so small that calls count.

Processor time on one thread, the smallest of alternating repetitions. The plain loop is what one
writes by hand without any check; ours is ``ascent_step`` with its own RMSProp, both batches in one
call.
"""

import itertools
import time

import torch
from torch import nn

from divergences.dual import (
    CTransformPenalty,
    GradientPenalty,
    OneSidedGradientPenalty,
    RMSprop,
    SpectralClipping,
    SpectralNormalization,
    SphereProjection,
    WeightClipping,
    ZeroCenteredGradientPenalty,
    ascent_step,
)

from .record import record

WIDTHS, BATCH, RATE = (2, 64, 64), 32, 5e-5
ROUNDS, COUNT = 15, 40


def _slopes(critic, points):
    points = points.clone().requires_grad_()
    return torch.autograd.grad(critic(points).sum(), points, create_graph=True)[0]


def _penalised(excess):
    def penalty(critic, x, y):
        t = torch.rand(len(x), 1)
        return 10 * excess(_slopes(critic, t * x + (1 - t) * y).norm(2, dim=1) - 1).square().mean()

    return penalty


def _zero_centred(critic, x, y):
    return 5 * sum(_slopes(critic, points).square().sum(1).mean() for points in (x, y))


def _pairs(critic, x, y):
    points = torch.cat([x, y])
    values = critic(points).flatten()
    rises = values[:, None] - values - torch.cdist(points, points)
    return 10 * rises.relu().square().mean()


def _clip(weight):
    weight.clamp_(-0.01, 0.01)


def _to_the_sphere(weight):
    weight.div_(weight.norm())


def _normalise(weight):
    if weight.ndim == 2:
        weight.div_(torch.linalg.matrix_norm(weight, 2))


def _cut(weight):
    if weight.ndim == 2:
        left, values, right = torch.linalg.svd(weight, full_matrices=False)
        weight.copy_((left * values.clamp(max=1)) @ right)


CASES = {
    "none": (None, None, None),
    "clipping": (WeightClipping(), None, _clip),
    "sphere": (SphereProjection(), None, _to_the_sphere),
    "spectral norm": (SpectralNormalization(), None, _normalise),
    "singular values": (SpectralClipping(), None, _cut),
    "gradient penalty": (GradientPenalty(), _penalised(lambda z: z), None),
    "one-sided penalty": (OneSidedGradientPenalty(), _penalised(torch.relu), None),
    "R1 and R2": (ZeroCenteredGradientPenalty(), _zero_centred, None),
    "c-transform": (CTransformPenalty(), _pairs, None),
}


def _critic():
    torch.manual_seed(0)
    layers = [layer for before, after in itertools.pairwise(WIDTHS)
              for layer in (nn.Linear(before, after), nn.ReLU())]  # fmt: skip
    return nn.Sequential(*layers, nn.Linear(WIDTHS[-1], 1))


def _both(constraint, penalty, projection):
    """The plain step and ours."""
    critic, twin = _critic(), _critic()
    x, y = torch.randn(BATCH, WIDTHS[0]), torch.randn(BATCH, WIDTHS[0])
    optimizer, fused = (
        torch.optim.RMSprop(critic.parameters(), lr=RATE), RMSprop(twin.parameters(), RATE)
    )  # fmt: skip

    def plain():
        loss = critic(y).mean() - critic(x).mean()
        if penalty is not None:
            loss = loss + penalty(critic, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if projection is not None:
            with torch.no_grad():
                for parameter in critic.parameters():
                    projection(parameter)

    return plain, lambda: ascent_step(twin, fused, x, y, constraint, together=True)


def _milliseconds(function):
    begin = time.process_time()
    for _ in range(COUNT):
        function()
    return 1e3 * (time.process_time() - begin) / COUNT


def test_constraint_steps():
    figures = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, case in CASES.items():
            functions = _both(*case)
            times = [[_milliseconds(function) for function in functions] for _ in range(ROUNDS)]
            plain, ours = (min(column) for column in zip(*times, strict=True))
            figures.append({
                "constraint": name, "plain (ms)": round(plain, 3), "ours (ms)": round(ours, 3),
                "plain / ours": round(plain / ours, 3),
            })  # fmt: skip
            print(figures[-1], flush=True)
    finally:
        torch.set_num_threads(threads)
    record("constraint-step", figures)
    assert all(row["plain / ours"] > 0.9 for row in figures)
