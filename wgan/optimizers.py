"""RMSProp and Adam as torch has them, chosen and stepped so that they cost little."""

from collections.abc import Iterable

import torch
from torch import nn

from divergences.dual import RMSprop


def set_rate_factor(parameter: nn.Parameter, factor: float) -> None:
    """Have optimisers made later move this parameter at ``factor`` times their learning rate."""
    parameter.rate_factor = factor  # type: ignore[attr-defined]


def make_optimizer(
    name: str, parameters: Iterable[nn.Parameter], learning_rate: float, betas: tuple[float, float]
) -> torch.optim.Optimizer:
    """The optimiser ``rmsprop`` or ``adam`` of these parameters, on their device.

    One group for each factor of :func:`set_rate_factor`, in the order in which they come.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in parameters:
        groups.setdefault(getattr(parameter, "rate_factor", 1.0), []).append(parameter)
    in_groups = [{"params": group, "rate_factor": factor} for factor, group in groups.items()]
    optimizer: torch.optim.Optimizer
    if name == "rmsprop":
        optimizer = RMSprop(in_groups, learning_rate)
    else:
        on_gpu = any(parameter.is_cuda for group in groups.values() for parameter in group)
        optimizer = torch.optim.Adam(
            in_groups, lr=learning_rate, betas=betas, fused=True, capturable=on_gpu
        )
    set_learning_rate(optimizer, learning_rate)
    return optimizer


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Let every group move at its factor times ``learning_rate``."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["rate_factor"]


def moments_of(optimizer: torch.optim.Optimizer) -> set[str]:
    """Names of what the optimiser keeps for each parameter, once it has moved."""
    of_adam = {"step", "exp_avg", "exp_avg_sq"}
    return of_adam if isinstance(optimizer, torch.optim.Adam) else {"step", "square_avg"}


def parameters_of(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    """All parameters, in the order of the optimiser's own state."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
