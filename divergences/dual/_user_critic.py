"""A critic that the caller brings: kept Lipschitz in training if it is not so by construction."""

import math

import torch
from torch import nn

from ._certificate import lipschitz_bound
from ._constraint import Constraint
from ._gradient_penalty import OneSidedGradientPenalty

_ENOUGH = 1.001


def bound_or_infinity(critic: nn.Module) -> float:
    """The certified constant, infinite where none is known: never a guess."""
    try:
        return lipschitz_bound(critic)
    except NotImplementedError:
        return math.inf


def constraint_for(critic: nn.Module, generator: torch.Generator) -> Constraint | None:
    """None for a critic whose bound is 1 now, else the one-sided gradient penalty."""
    if bound_or_infinity(critic) <= _ENOUGH:
        return None
    return OneSidedGradientPenalty(generator=generator)
