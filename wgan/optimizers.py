"""RMSProp and Adam as torch has them, chosen and stepped so that they cost little."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

SETTLED = 1e9
"""Steps after which Adam no longer corrects its averages for having begun at zero."""
FADED = 1e-36
"""Squared averages at or below this are zero: their root is lost beside RMSProp's 1e-8."""
FADE_EVERY = 128
"""Steps between looks for such averages; 0.99 ** 128 takes 1e-36 to 2.8e-37, still normal."""


class RMSprop(torch.optim.RMSprop):
    """torch's RMSProp, the same numbers and the same state, without its slow days.

    The squared average of a unit that died shrinks by one per cent a step until, after some
    thousands of them, it is a subnormal number, on which processors compute a hundred times more
    slowly. It is set to zero before that, which changes no parameter: the average's root is by
    then smaller than half an ulp of the 1e-8 that is added to it. On a CPU a parameter is moved in
    one pass over its memory: that of torch's fused Adam, which is RMSProp where the first moment
    has no memory and the second needs no correction. Elsewhere the step is torch's own.

    Parameters
    ----------
    parameters : iterable of Parameter
    learning_rate : float
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        parameters = list(parameters)
        on_gpu = any(parameter.is_cuda for parameter in parameters)
        super().__init__(parameters, lr=learning_rate, capturable=on_gpu)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; parameters without a gradient stay."""
        group = self.param_groups[0]
        if group["capturable"]:
            return super().step(closure)
        loss = None if closure is None else closure()
        for parameter in group["params"]:
            if parameter.grad is not None:
                self._move(parameter, parameter.grad, group)
        return loss

    def _move(self, parameter: nn.Parameter, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["square_avg"] = torch.zeros_like(parameter)
        state["step"] += 1
        average = state["square_avg"]
        if int(state["step"]) % FADE_EVERY == 0:
            average.masked_fill_(average <= FADED, 0.0)
        if gradient.stride() != parameter.stride():
            gradient = torch.empty_like(parameter).copy_(gradient)
        torch._fused_adam_(
            [parameter], [gradient], [gradient], [average], [], [_SETTLED],
            lr=group["lr"], beta1=0.0, beta2=group["alpha"], weight_decay=0.0, eps=group["eps"],
            amsgrad=False, maximize=False,
        )  # fmt: skip


_SETTLED = torch.tensor(SETTLED, dtype=torch.float32, device="cpu")


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
