"""The algorithms by name: numbers only, so that a configuration can be read without torch.

All of them are Algorithm 1 of the paper with other numbers, another way of keeping the critic
Lipschitz, or another objective; ``procedure.Procedure`` makes these of torch.
"""

from dataclasses import dataclass
from typing import Literal

from .errors import ConfigError

AlgorithmName = Literal["wgan", "wgan-2017"]
"""What ``--algorithm`` takes."""


@dataclass(frozen=True)
class Algorithm:
    """What a name stands for."""

    summary: str
    """What is done, in a line."""
    constraint: Literal["clipping"] = "clipping"
    """How the critic is kept Lipschitz."""
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    """Of both networks."""
    learning_rate: float = 5e-5
    """Of both networks."""
    betas: tuple[float, float] = (0.0, 0.9)
    """Adam's decay rates of the first and the second moment; RMSProp has none of them."""
    critic_steps: int = 5
    """Critic steps before a generator step."""
    long_critic: bool = False
    """Whether 100 critic steps precede each of the first 25 and every 500th generator step."""
    projects_first: bool = False
    """Whether the critic is projected before each of its steps instead of after it."""
    epochs: bool = False
    """Whether batches go through a permutation of the data, and the critic's loop ends with it."""


ALGORITHMS: dict[str, Algorithm] = {
    "wgan": Algorithm("Algorithm 1 of the paper to the letter, with weight clipping"),
    "wgan-2017": Algorithm(
        "The authors' program: clipping before the step, long critic phases, epochs",
        long_critic=True,
        projects_first=True,
        epochs=True,
    ),
}
"""The algorithms by name."""

LONG_CRITIC_STEPS = 100
"""Critic steps of a long phase in the authors' program."""
LONG_CRITIC_FIRST = 25
"""Generator steps at the beginning that are each preceded by a long phase."""
LONG_CRITIC_EVERY = 500
"""Generator steps from one long phase to the next, later."""


def algorithm(name: object) -> Algorithm:
    """The algorithm ``name``; ConfigError if there is none."""
    if not isinstance(name, str) or name not in ALGORITHMS:
        message = f"option algorithm must be one of {', '.join(ALGORITHMS)}; got {name!r}"
        raise ConfigError(message)
    return ALGORITHMS[name]
