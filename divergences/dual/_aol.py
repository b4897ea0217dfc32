"""Almost-orthogonal convolutions: rescaled channels, no iteration."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ._gram_rows import gram_row_bound, gram_row_sums, safe
from ._orthogonal_linear import positive_count
from ._rounding import root_up
from ._shared_weights import shared
from ._symbol import polyphase, symbol_norm_bound


class AOLConv2d(nn.Module):
    r"""Convolution with rescaled input channels, 1-Lipschitz for every kernel.

    .. math:: W = P D, \qquad
              D_{cc} = \Bigl(\sum_{c', q} \bigl| \sum_{o, p} P_{oc}[p] P_{oc'}[p + q] \bigr|
              \Bigr)^{-1/2}

    The row sums of the Gram kernel dominate it, so that :math:`D P^\top P D \le I`. Training makes
    the layer almost orthogonal where that helps.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        The kernel is square.
    stride, padding : int, default 1 and 0
        Zeros are padded.
    bias : bool, default True
    generator : torch.Generator, optional
        Of the initial kernel, on the CPU; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Notes
    -----
    Computed in at least float32, also under autocast. The bound of :meth:`lipschitz_bound` is
    measured, by the frequency response and by the row sums of the kernel in use, in float64.

    References
    ----------
    Prach, Lampert, Almost-orthogonal layers for efficient general-purpose Lipschitz networks
    (2022), theorem 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        counts = {"in_channels": in_channels, "out_channels": out_channels,
                  "kernel_size": kernel_size, "stride": stride}  # fmt: skip
        for name, count in counts.items():
            positive_count(count, name, "AOLConv2d")
        self.stride, self.padding = stride, padding
        start = torch.randn(
            out_channels, in_channels, kernel_size, kernel_size, generator=generator
        ).to(device=device, dtype=dtype or torch.get_default_dtype())
        self.raw = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros_like(start[:, 0, 0, 0])) if bias else None

    @property
    def weight(self) -> Tensor:
        """The kernel in use, shape (out_channels, in_channels, size, size)."""
        return shared(self, lambda: self._scaled()[0])

    def _scaled(self) -> tuple[Tensor, Tensor]:
        with torch.autocast(self.raw.device.type, enabled=False):
            half = self.raw.dtype in (torch.float16, torch.bfloat16)
            raw = self.raw.float() if half else self.raw
            rows = raw.transpose(0, 1)
            sums = safe(gram_row_sums(rows, torch.ones_like(rows[:, 0, 0, 0])))
            return (raw * sums.rsqrt()[None, :, None, None]).to(self.raw.dtype), sums

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, in_channels, h, w) to (n, out_channels, h', w')."""
        return conv2d(points, self.weight, self.bias, self.stride, self.padding)

    def lipschitz_bound(self) -> float:
        """The smaller of two proven bounds of the kernel in use; at most about 1."""
        with torch.no_grad():
            weight, sums = self._scaled()
        by_rows = root_up(gram_row_bound(weight.transpose(0, 1), sums.double().sqrt()))
        kernel = weight[None].detach().cpu().double()
        return min(by_rows, symbol_norm_bound(polyphase(kernel, (self.stride,) * 2, (1, 1))))
