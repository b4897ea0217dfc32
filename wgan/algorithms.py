"""The algorithms by name: numbers only, so that a configuration can be read without torch.

All of them are Algorithm 1 of the paper with other numbers, another way of keeping the critic
Lipschitz, or another objective; ``procedure.Procedure`` makes these of torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .errors import ConfigError

AlgorithmName = Literal[
    "wgan", "wgan-2017", "wgan-sphere", "wgan-gp", "wgan-lp", "wgan-sn", "wgan-orthogonal", "gan"
]
"""What ``--algorithm`` takes."""
Constraint = Literal[
    "clipping", "sphere", "penalty", "one-sided penalty", "spectral", "orthogonal", "none"
]
"""Ways of keeping a critic Lipschitz."""


@dataclass(frozen=True)
class Algorithm:
    """What a name stands for."""

    summary: str
    """What is done, in a line."""
    constraint: Constraint = "clipping"
    """How the critic is kept Lipschitz."""
    objective: Literal["wasserstein", "jensen-shannon"] = "wasserstein"
    """What the critic maximises."""
    critic: str = "small"
    """Network of the critic where none is named."""
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    """Of both networks."""
    learning_rate: float = 5e-5
    """Of both networks."""
    beta1: float = 0.0
    """Adam's decay rate of the first moment; RMSProp has none."""
    beta2: float = 0.9
    """Adam's decay rate of the second moment; RMSProp's is .99."""
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
    "wgan-sphere": Algorithm(
        "Algorithm 1 with the critic's weights projected on a sphere, which the paper mentions",
        constraint="sphere",
    ),
    "wgan-gp": Algorithm(
        "Algorithm 1 with a gradient penalty (Gulrajani et al. 2017) and Adam",
        constraint="penalty",
        optimizer="adam",
        learning_rate=1e-4,
    ),
    "wgan-lp": Algorithm(
        "Algorithm 1 with a one-sided gradient penalty (Petzka et al. 2018) and Adam",
        constraint="one-sided penalty",
        optimizer="adam",
        learning_rate=1e-4,
    ),
    "wgan-sn": Algorithm(
        "Algorithm 1 with spectrally normalised layers (after Miyato et al. 2018) and Adam",
        constraint="spectral",
        optimizer="adam",
        learning_rate=2e-4,
    ),
    "wgan-orthogonal": Algorithm(
        "Algorithm 1 with a critic of orthogonal layers, 1-Lipschitz at every moment, and Adam",
        constraint="orthogonal",
        critic="orthogonal",
        optimizer="adam",
        learning_rate=2e-4,
    ),
    "gan": Algorithm(
        "The standard GAN (Goodfellow et al. 2014), the paper's baseline",
        constraint="none",
        objective="jensen-shannon",
        optimizer="adam",
        learning_rate=2e-4,
        beta1=0.5,
        beta2=0.999,
        critic_steps=1,
    ),
}
"""The algorithms by name."""

READ_BY: dict[str, Callable[[Algorithm], bool]] = {
    "clip": lambda one: one.constraint == "clipping",
    "radius": lambda one: one.constraint == "sphere",
    "penalty": lambda one: one.constraint in ("penalty", "one-sided penalty"),
    "saturating": lambda one: one.objective == "jensen-shannon",
}
"""Options that some algorithms alone read, and which these are."""
OF_ADAM = ("beta1", "beta2")
"""Options of the optimiser Adam."""

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


def unread(name: object, optimizer: object = None) -> frozenset[str]:
    """The options that the algorithm ``name`` does not read, with its own or another optimiser."""
    own = algorithm(name)
    others = {option for option, reads in READ_BY.items() if not reads(own)}
    adam = (own.optimizer if optimizer is None else optimizer) == "adam"
    return frozenset(others if adam else others.union(OF_ADAM))
