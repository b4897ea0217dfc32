"""RMSProp and Adam as torch has them, chosen and stepped so that they cost little."""

from collections.abc import Iterable

import torch
from torch import nn

from divergences.dual import RMSprop


def make_optimizer(
    name: str, parameters: Iterable[nn.Parameter], learning_rate: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """The optimiser ``rmsprop`` or ``adam`` of these parameters, on their device."""
    if name == "rmsprop":
        return RMSprop(parameters, learning_rate)
    parameters = list(parameters)
    on_gpu = any(parameter.is_cuda for parameter in parameters)
    return torch.optim.Adam(
        parameters, lr=learning_rate, betas=betas, fused=True, capturable=on_gpu
    )
