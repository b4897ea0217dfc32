"""The critic that an estimate uses when the caller brings none: several are tried, the best kept.

Each family is right for laws that the others miss: ridge functions where laws differ along one
direction, one cone where one is a shrunken copy of the other, many cones for the rest. Maxima,
averages and choices of 1-Lipschitz critics are 1-Lipschitz, so the choice costs nothing but time.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ._cones import ConeCritic
from ._ridge import RidgeCritic, fit_potential, ridge_directions, sliced_objective
from ._sources import Batches
from ._training import Held, Log, Schedule, evaluate, train

_RIDGE_STEPS = 150
_RIDGE_BATCH = 1024
_MANY = 32  # coordinates up to which twice as many cones still find their places
_SINGLE_SHARE, _PILOT_SHARE = 0.08, 0.06  # of the budget, for each kind


@dataclass(frozen=True)
class Task:
    """All that a family needs to make a critic, in standardised units on the device."""

    x: Batches
    y: Batches
    start: tuple[Tensor, Tensor]
    held: Held
    steps: int
    seconds: float
    generator: torch.Generator
    log: Log

    def schedule(self, share: float, rate: float, heat: tuple[float, float] | None) -> Schedule:
        """A share of the budget."""
        return Schedule(max(8, int(self.steps * share)), self.seconds * share, rate, heat)


def default_critic(task: Task) -> tuple[nn.Module, str]:
    """The best of the families by the points kept to choose by, with its name."""
    begin = time.monotonic()
    found: list[tuple[float, nn.Module, str]] = [_ridge(task)]
    dimension = task.start[0].shape[1]
    if dimension > 1:
        found += list(_single_cones(task))
        kind = _better_kind(task)
        left = task.seconds - (time.monotonic() - begin)
        steps = max(8, int(task.steps * (1 - 2 * (_SINGLE_SHARE + _PILOT_SHARE))))
        rate, heat = _pace(task.start)
        many = _many_cones(task, kind)
        plan = Schedule(steps, max(left, 1e-3), rate, heat)
        value = train(many, (task.x, task.y), task.held, plan, task.log, f"cones ({kind})")
        found.append((value, many, f"cones ({kind})"))
    _, critic, name = max(found, key=lambda entry: entry[0])
    return critic, name


def _single_cones(task: Task) -> Iterator[tuple[float, nn.Module, str]]:
    pooled = torch.cat(task.start)
    for kind in ("max", "min"):
        critic = ConeCritic(pooled.mean(dim=0, keepdim=True), kind=kind)
        plan = task.schedule(_SINGLE_SHARE, 0.1, None)
        name = f"one cone ({kind})"
        yield train(critic, (task.x, task.y), task.held, plan, task.log, name), critic, name


def _better_kind(task: Task) -> str:
    """Whether cones should point up or down, by a short training of each."""
    rate, heat = _pace(task.start)
    values = {}
    for kind in ("max", "min"):
        plan = task.schedule(_PILOT_SHARE, rate, heat)
        name = f"trial of cones ({kind})"
        critic = _many_cones(task, kind)
        values[kind] = train(critic, (task.x, task.y), task.held, plan, task.log, name)
    return "max" if values["max"] >= values["min"] else "min"


def _many_cones(task: Task, kind: str) -> ConeCritic:
    """Cones at points of the sample that they point out, drawn together in many coordinates."""
    points = task.start[0] if kind == "max" else task.start[1]
    count = max(1, min(512 if points.shape[1] <= _MANY else 256, points.shape[0] // 4))
    order = torch.randperm(points.shape[0], generator=task.generator)[:count]
    anchors = points[order.to(points.device)]
    if points.shape[1] > 16:
        anchors = anchors.mean(dim=0) + 0.3 * (anchors - anchors.mean(dim=0))
    return ConeCritic(anchors, kind=kind)


def _pace(start: tuple[Tensor, Tensor]) -> tuple[float, tuple[float, float]]:
    """Rate and temperatures in units of the points' deviation, measured on pairs like the
    benchmark's (their construction, other seeds).

    Too hot a start is costly: cones that share all points alike stay alike until it is too late.
    """
    pooled = torch.cat(start)
    deviation = float((pooled - pooled.mean(dim=0)).square().mean().sqrt()) or 1.0
    dimension = pooled.shape[1]
    if dimension <= 4:
        rate, first, last = 0.014, 0.07, 0.003
    elif dimension <= 8:
        rate, first, last = 0.03, 0.1, 0.01
    elif dimension <= 16:
        rate, first, last = 0.07, 0.2, 0.05
    elif dimension <= _MANY:
        rate, first, last = 0.07, 0.35, 0.05
    else:
        rate, first, last = 0.035, 0.35, 0.035
    return rate * deviation, (first * deviation, last * deviation)


def _ridge(task: Task) -> tuple[float, RidgeCritic, str]:
    """Directions ascend on the sliced distance; the best of before and after is fitted."""
    fit = [_equal(side, start) for side, start in zip((task.x, task.y), task.start, strict=True)]
    directions = ridge_directions(fit[0], fit[1], task.generator)
    candidates = [directions[:1], directions]
    moving = directions.clone().requires_grad_()
    optimizer = torch.optim.Adam([moving], lr=0.05)
    steps = min(_RIDGE_STEPS, task.steps // 5) if directions.shape[1] > 1 else 0
    for _ in range(steps):
        batch = [_drawn(points, task.generator) for points in fit]
        optimizer.zero_grad()
        (-sliced_objective(moving, batch[0], batch[1]).sum()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    candidates.append(moving.detach())
    best: tuple[float, RidgeCritic] | None = None
    for direction in torch.cat(candidates):
        critic = fit_potential(direction, fit[0], fit[1])
        value = evaluate(critic, task.held)
        if best is None or value > best[0]:
            best = value, critic
    assert best is not None
    task.log.look("ridge", steps, best[0])
    return (*best, "ridge")


def _equal(side: Batches, start: Tensor) -> Tensor:
    """The sample as it is, or draws by its weights."""
    if getattr(side, "cumulative", None) is None:
        return start
    return side.equal(1 << 15)


def _drawn(points: Tensor, generator: torch.Generator) -> Tensor:
    index = torch.randint(points.shape[0], (_RIDGE_BATCH,), generator=generator)
    return points[index.to(points.device)]
