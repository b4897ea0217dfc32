"""Batch normalisation over the batches of all processes; torch's own needs GPUs for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from .several import SeveralWorkers


class SharedBatchNorm(_BatchNorm):
    r"""Batch normalisation with the statistics of the samples of all processes.

    .. math:: y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta, \qquad
              \mu = \sum_r \frac{n_r}{n} \mu_r, \quad
              \sigma^2 = \sum_r \frac{n_r}{n} \bigl( \sigma_r^2 + (\mu_r - \mu)^2 \bigr)

    with :math:`n_r` values of a channel in process r, which may be none. Every process holds the
    same statistics, to the bit. All derivatives are those of the whole batch, of any order, so
    that a penalty may differentiate through it twice.

    Parameters
    ----------
    plain : BatchNorm1d, BatchNorm2d or BatchNorm3d
        Gives parameters, buffers and options, which are kept and not copied.
    workers : SeveralWorkers

    Notes
    -----
    Outside of a training step and in evaluation mode it is the plain layer, and waits for nobody.
    One collective a call, of 2 C + 1 numbers a process, and one a derivative.
    """

    def __init__(self, plain: _BatchNorm, workers: SeveralWorkers) -> None:
        super().__init__(
            plain.num_features, plain.eps, plain.momentum, affine=False, track_running_stats=False
        )
        self.affine, self.track_running_stats = plain.affine, plain.track_running_stats
        self._parameters, self._buffers = plain._parameters, plain._buffers
        self.training = plain.training
        self.workers = workers

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        if input.ndim < 2:
            message = f"batch normalisation needs samples (n, channels, ...); got {input.shape}"
            raise ValueError(message)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """(n, C, ...) to the same shape."""
        if not (self.training and self.workers.in_step):
            return super().forward(input)
        self._check_input_dim(input)
        wide = input if input.dtype == torch.float64 else input.float()
        mean, variance, total = self._statistics(wide)
        self._follow(mean.detach(), variance.detach(), total.detach())
        shape = (1, -1, *[1] * (input.ndim - 2))
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        output = (wide - mean.reshape(shape)) * scale.reshape(shape)
        if self.bias is not None:
            output = output + self.bias.reshape(shape)
        return output.to(input.dtype)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and variance (C,) over all processes, and the number of values ()."""
        axes = [axis for axis in range(x.ndim) if axis != 1]
        count = x.numel() // self.num_features
        divisor = max(count, 1)  # a process without samples still takes part
        mean = x.sum(axes) / divisor
        centred = x - mean.reshape(1, -1, *[1] * (x.ndim - 2))
        variance = centred.square().sum(axes) / divisor
        mine = torch.cat([mean, variance, x.new_full((1,), count)])
        others = [mine.new_zeros(len(mine))] * self.workers.count
        others[self.workers.rank] = mine
        everybodys = summed(torch.stack(others), self.workers)
        sizes = [self.num_features, self.num_features, 1]
        means, variances, counts = torch.split(everybodys, sizes, dim=1)
        total = counts.sum()
        parts = counts / total
        mean = (parts * means).sum(0)
        return mean, (parts * (variances + (means - mean).square())).sum(0), total

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, total: Tensor) -> None:
        """Move the running statistics as torch's layer does, the variance without bias."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum: Any = self.momentum
        if momentum is None:
            momentum = 1 / self.num_batches_tracked
        unbiased = variance * (total / (total - 1))
        self.running_mean.mul_(1 - momentum).add_(momentum * mean)
        self.running_var.mul_(1 - momentum).add_(momentum * unbiased)


class _Summed(torch.autograd.Function):
    """The sum over all processes. Its derivative is itself, so it has derivatives of any order."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, workers: SeveralWorkers) -> Tensor:
        ctx.workers = workers
        return workers.sum(tensor.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return summed(gradients[0], ctx.workers), None


def summed(tensor: Tensor, workers: SeveralWorkers) -> Tensor:
    """The sum of a tensor over all processes; differentiated, the objective is their sum too."""
    result: Tensor = _Summed.apply(tensor, workers)  # type: ignore[no-untyped-call]
    return result


def share_statistics(network: nn.Module, workers: SeveralWorkers) -> None:
    """Put :class:`SharedBatchNorm` in the place of every batch normalisation."""
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, _BatchNorm):
                setattr(module, name, SharedBatchNorm(layer, workers))
