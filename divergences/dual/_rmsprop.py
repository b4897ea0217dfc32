"""torch's RMSProp in one pass over the memory, without its slow days."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from divergences._validation import real_number

SETTLED = 1e9
"""Steps after which Adam no longer corrects its averages for having begun at zero."""
FADED = 1e-36
"""Squared averages at or below this are zero: their root is lost beside RMSProp's 1e-8."""
FADE_EVERY = 128
"""Steps between looks for such averages; 0.99 ** 128 takes 1e-36 to 2.8e-37, still normal."""


class RMSprop(torch.optim.RMSprop):
    r"""torch's RMSProp, the same numbers and the same state, in a fraction of its time on a CPU.

    .. math:: v \leftarrow .99 \, v + .01 \, g^2, \qquad
              w \leftarrow w - \alpha \, g / (\sqrt v + 10^{-8})

    The squared average of a unit that died shrinks by one per cent a step until, after some
    thousands of them, it is a subnormal number, on which processors compute a hundred times more
    slowly. It is set to zero before that, which changes no parameter: the average's root is by
    then smaller than half an ulp of the 1e-8 that is added to it. On a CPU all parameters are moved
    by one call, in one pass over their memory: that of torch's fused Adam, which is RMSProp where
    the first moment has no memory and the second needs no correction. Elsewhere the step is torch's
    own, and can be captured in a CUDA graph.

    Parameters
    ----------
    parameters : iterable of Parameter, or of groups
        Groups are dictionaries as torch's optimisers take them, each with its own ``lr`` if it
        names one.
    learning_rate : float
        :math:`\alpha`; a positive finite number.

    Raises
    ------
    TypeError, ValueError
        For a learning rate that is not such a number.

    References
    ----------
    Tieleman, Hinton, Lecture 6.5 (2012); Arjovsky, Chintala, Bottou, Wasserstein GAN (2017),
    algorithm 1, line 6.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]], learning_rate: float
    ) -> None:
        real_number(learning_rate, "learning_rate", "RMSprop", positive=True)
        super().__init__(parameters, lr=learning_rate)
        moved = [parameter for group in self.param_groups for parameter in group["params"]]
        if any(parameter.is_cuda for parameter in moved):
            self.defaults["capturable"] = True
            for group in self.param_groups:
                group["capturable"] = True

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; parameters without a gradient stay."""
        if any(group["capturable"] for group in self.param_groups):
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved: list[Tensor] = [
                parameter for parameter in group["params"] if parameter.grad is not None
            ]
            if moved:
                self._move(moved, group)
        return loss

    def _move(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        states = [self.state[parameter] for parameter in parameters]
        for parameter, state in zip(parameters, states, strict=True):
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32)
                state["square_avg"] = torch.zeros_like(parameter)
        steps = [state["step"] for state in states]
        averages: list[Tensor] = [state["square_avg"] for state in states]
        torch._foreach_add_(steps, 1.0)
        for step, average in zip(steps, averages, strict=True):
            if int(step) % FADE_EVERY == 0:
                average.masked_fill_(average <= FADED, 0.0)
        gradients = [_like(parameter) for parameter in parameters]
        torch._fused_adam_(
            parameters, gradients, gradients, averages, [], [_SETTLED] * len(parameters),
            lr=group["lr"], beta1=0.0, beta2=group["alpha"], weight_decay=0.0, eps=group["eps"],
            amsgrad=False, maximize=False,
        )  # fmt: skip


def _like(parameter: Tensor) -> Tensor:
    """The gradient, in the order of memory of its parameter."""
    gradient = parameter.grad
    assert gradient is not None
    if gradient.stride() != parameter.stride():
        gradient = torch.empty_like(parameter).copy_(gradient)
    return gradient


_SETTLED = torch.tensor(SETTLED, dtype=torch.float32, device="cpu")
