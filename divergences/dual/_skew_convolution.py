"""Orthogonal convolutions as exponentials of skew ones."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, pixel_unshuffle

from divergences._validation import refuse

from ._gram_iteration import response_norm
from ._initial import normal
from ._orthogonal_linear import positive_count
from ._rounding import product_up, quotient_up, sum_up
from ._shared_weights import shared
from ._symbol import symbol_norm_bound

STEEPEST = 2.0
"""Norm of the exponent at most: 12 terms then leave 1e-6."""


class SkewOrthogonalConv2d(nn.Module):
    r"""Orthogonal convolution: the exponential of a skew-symmetric one.

    .. math:: x \mapsto \sum_{j=0}^{12} \frac{L^j x}{j!}, \qquad L = M - M^\top

    with :math:`M^\top` the kernel with channels exchanged and taps mirrored. Zeros are padded; L
    stays skew, so its exponential is orthogonal for every size of picture.

    Parameters
    ----------
    in_channels, out_channels : int
        Missing channels are zeros, surplus ones are dropped; neither stretches.
    kernel_size : int, default 3
        Odd.
    stride : int, default 1
        The picture is first cut into stride x stride blocks that become channels.
    bias : bool, default True
    generator : torch.Generator, optional
        Of the initial kernel, on any device; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Notes
    -----
    L is normal with imaginary eigenvalues, and the series after k terms errs by at most
    :math:`\rho^{k+1} / (k+1)!` where :math:`|\lambda| \le \rho`, so
    :meth:`lipschitz_bound` is :math:`1 + \rho^{13} / 13!` with :math:`\rho` the *measured* norm of
    L, which the forward pass keeps below 2. Twelve convolutions a call.

    References
    ----------
    Singla, Feizi, Skew orthogonal convolutions (2021).
    """

    terms = 12

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
        bias: bool = True,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        counts = {"in_channels": in_channels, "out_channels": out_channels,
                  "kernel_size": kernel_size, "stride": stride}  # fmt: skip
        for name, count in counts.items():
            positive_count(count, name, "SkewOrthogonalConv2d")
        if kernel_size % 2 == 0:
            refuse("SkewOrthogonalConv2d", "kernel_size", "be odd", repr(kernel_size))
        self.stride, self.out_channels = stride, out_channels
        channels = max(in_channels * stride**2, out_channels)
        shape = (channels, channels, kernel_size, kernel_size)
        start = normal(shape, generator, device, dtype) / (channels * kernel_size**2) ** 0.5
        self.raw = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros_like(start[:out_channels, 0, 0, 0])) if bias else None

    @property
    def exponent(self) -> Tensor:
        """The skew kernel L, shape (channels, channels, size, size)."""
        return shared(self, self._exponent)

    def _exponent(self) -> Tensor:
        with torch.autocast(self.raw.device.type, enabled=False):
            skew = self.raw - self.raw.transpose(0, 1).flip(2, 3)
            with torch.no_grad():
                factor = (STEEPEST / response_norm(skew[None], squarings=4)).clamp(max=1.0)
            return (skew * torch.where(factor > 0, factor, torch.ones_like(factor))).to(skew.dtype)

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, in_channels, h, w) to (n, out_channels, h / stride, w / stride)."""
        kernel = self.exponent
        points = pixel_unshuffle(points, self.stride) if self.stride > 1 else points
        points = pad(points, (0, 0, 0, 0, 0, len(kernel) - points.shape[1]))
        total = term = points
        for order in range(1, self.terms + 1):
            term = conv2d(term, kernel, padding=kernel.shape[-1] // 2) / order
            total = total + term
        total = total[:, : self.out_channels]
        return total if self.bias is None else total + self.bias[:, None, None]

    def lipschitz_bound(self) -> float:
        """One plus the measured remainder of the series."""
        with torch.no_grad():
            kernel = self._exponent().cpu().double()
        power = product_up(*[symbol_norm_bound(kernel[None])] * (self.terms + 1))
        return sum_up(1.0, quotient_up(power, float(math.factorial(self.terms + 1))))
