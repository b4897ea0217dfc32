"""How many generator steps fit into some minutes, from a few steps of every case."""

import dataclasses
import time
from collections.abc import Sequence

from ..config import TrainingConfig
from ..data import Data
from ..evaluate import Evaluator
from ..procedure import Procedure
from ..progress import threads
from ..session import evaluation_noise
from ..state import TrainingState
from ..step import train_step
from ..train import choose_device

MEASURED = 2.0
"""Seconds for which steps of a case are timed, about."""
LEAST_STEPS = 10
"""Generator steps of a case, however little time there is."""


def affordable_steps(
    configs: Sequence[TrainingConfig], data: Data, minutes: float, evaluations: int, most: int
) -> int:
    """Generator steps, the same for all cases, that take ``minutes`` on this machine, about.

    Parameters
    ----------
    configs : sequence of TrainingConfig
        The cases.
    data : Data
    minutes : float
        For all cases together, on the clock.
    evaluations : int
        Evaluations of each case.
    most : int
        Steps that are enough.

    Returns
    -------
    int
        From ``LEAST_STEPS`` to ``most``.
    """
    costs = [_cost(config, data) for config in configs]
    left = 60 * minutes - evaluations * sum(evaluation for _, _, evaluation in costs)

    def fits(steps: int) -> bool:
        return sum(unit * _units(p, steps) for p, unit, _ in costs) <= left

    low, high = LEAST_STEPS, most
    if fits(high):
        return high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _units(procedure: Procedure, steps: int) -> int:
    """Critic steps and generator steps in so many generator steps."""
    return sum(procedure.critic_steps_before(step) + 1 for step in range(steps))


def _cost(config: TrainingConfig, data: Data) -> tuple[Procedure, float, float]:
    """The procedure, seconds of a step of either network, and of an evaluation."""
    state = TrainingState.fresh(config, data, choose_device(config.device))
    procedure = Procedure.of(config, state.penalty_random)
    usual = dataclasses.replace(
        procedure, algorithm=dataclasses.replace(procedure.algorithm, long_critic=False)
    )
    with threads(config.threads):
        train_step(state, usual)  # the first one prepares
        begin, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - begin < MEASURED:
            float(train_step(state, usual))
            count += 1
        unit = (time.perf_counter() - begin) / (count * (usual.critic_steps + 1))
        evaluator = Evaluator(data, procedure)
        begin = time.perf_counter()
        noise = evaluation_noise(config, evaluator.wanted).to(state.device)
        evaluator(state.critic, state.generator.eval()(noise).detach())
    return procedure, unit, time.perf_counter() - begin
