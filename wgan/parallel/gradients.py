"""Gradients summed over the processes, in one collective a step."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def sum_gradients(optimizer: torch.optim.Optimizer, total: Callable[[Tensor], Tensor]) -> None:
    """Let every step of an optimiser begin with the sum of its gradients over all processes.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    total : callable
        Sums a flat tensor over the processes, in place.
    """
    before = _Before(total)
    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(before.reset)


class _Before:
    """A hook before a step. A step that calls its parent's step comes here twice and sums once."""

    def __init__(self, total: Callable[[Tensor], Tensor]) -> None:
        self._total, self._done = total, False

    @torch.no_grad()
    def __call__(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self._done:
            return
        self._done = True
        gradients = [
            parameter.grad
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if not gradients:
            return
        flat = self._total(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        parts = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def reset(self, *_: Any) -> None:
        """After the step."""
        self._done = False
