"""Residual blocks that are 1-Lipschitz as a whole (SDP-based Lipschitz layers)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, linear

from divergences._validation import refuse

from ._gram_rows import gram_row_bound, gram_row_sums, safe
from ._matrix_norm import spectral_norm_bound
from ._orthogonal_linear import positive_count
from ._rounding import product_up, root_up, sum_up
from ._symbol import symbol_norm_bound


class SLLLinear(nn.Module):
    r"""Residual dense block, 1-Lipschitz for every weight.

    .. math:: x \mapsto x - 2 W T^{-1} \max(W^\top x + b, 0), \qquad
              T_{ii} = \sum_j |W^\top W|_{ij} \, q_j / q_i

    The diagonal T dominates :math:`W^\top W`, and with :math:`\Delta` the slopes of the activation
    the Jacobian J obeys :math:`J^\top J \le I - 4 W \Delta (T^{-1} - T^{-1} W^\top W T^{-1}) \Delta
    W^\top \le I`. Gradients pass through the skip connection at full length.

    Parameters
    ----------
    features : int
        Of input and output.
    hidden : int, optional
        Columns of W; ``features`` by default.
    generator : torch.Generator, optional
        Of the initial weight, on the CPU; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    Notes
    -----
    :meth:`lipschitz_bound` measures :math:`\mu = \|W T^{-1/2}\|_2^2` with the T in use; should
    rounding leave it above 1, the same computation gives
    :math:`J^\top J \le 1 + 4 \mu (\mu - 1)`, and the root of that is returned.

    References
    ----------
    Araujo, Havens, Delattre, Allauzen, Hu, A unified algebraic perspective on Lipschitz neural
    networks (2023), theorem 3.
    """

    def __init__(
        self,
        features: int,
        hidden: int | None = None,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        hidden = features if hidden is None else hidden
        positive_count(features, "features", "SLLLinear")
        positive_count(hidden, "hidden", "SLLLinear")
        start = torch.randn(features, hidden, generator=generator) / features**0.5
        start = start.to(device=device, dtype=dtype or torch.get_default_dtype())
        self.weight = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros_like(start[0]))
        self.log_scales = nn.Parameter(torch.zeros_like(start[0]))

    def divisors(self) -> Tensor:
        """The diagonal of T, shape (hidden,)."""
        with torch.autocast(self.weight.device.type, enabled=False):
            scales = _relative(self.log_scales)
            return safe((self.weight.mT @ self.weight).abs() @ scales / scales)

    def forward(self, points: Tensor) -> Tensor:
        """Map (..., features) to the same shape."""
        inner = linear(points, self.weight.mT, self.bias).relu() / self.divisors()
        return points - 2 * linear(inner, self.weight)

    def lipschitz_bound(self) -> float:
        """1, or what rounding leaves above it."""
        with torch.no_grad():
            divisors = self.divisors().cpu().double()
        scaled = self.weight.detach().cpu().double() / divisors.sqrt()
        return _residual_bound(product_up(spectral_norm_bound(scaled), 1 + 1e-12))


class SLLConv2d(nn.Module):
    r"""Residual convolutional block, 1-Lipschitz for every kernel.

    .. math:: x \mapsto x - 2 K^\top T^{-1} \max(K x + b, 0)

    with K the convolution by the kernel (zeros padded, same size), :math:`K^\top` its adjoint and
    T one number per hidden channel, the weighted row sums of its Gram kernel: :class:`SLLLinear`
    for pictures.

    Parameters
    ----------
    channels : int
        Of input and output.
    hidden : int, optional
        Channels of K; ``channels`` by default.
    kernel_size : int, default 3
        Odd.
    generator : torch.Generator, optional
        Of the initial kernel, on the CPU; torch's global state without one.
    device, dtype : optional
        Of the parameters.

    References
    ----------
    Araujo et al. (2023), as :class:`SLLLinear`.
    """

    def __init__(
        self,
        channels: int,
        hidden: int | None = None,
        kernel_size: int = 3,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        hidden = channels if hidden is None else hidden
        for name, count in (("channels", channels), ("hidden", hidden),
                            ("kernel_size", kernel_size)):  # fmt: skip
            positive_count(count, name, "SLLConv2d")
        if kernel_size % 2 == 0:
            refuse("SLLConv2d", "kernel_size", "be odd", repr(kernel_size))
        start = torch.randn(hidden, channels, kernel_size, kernel_size, generator=generator)
        start = (start / (channels * kernel_size**2) ** 0.5).to(
            device=device, dtype=dtype or torch.get_default_dtype()
        )
        self.weight = nn.Parameter(start)
        self.bias = nn.Parameter(torch.zeros_like(start[:, 0, 0, 0]))
        self.log_scales = nn.Parameter(torch.zeros_like(self.bias))

    def divisors(self) -> Tensor:
        """The diagonal of T, shape (hidden,)."""
        with torch.autocast(self.weight.device.type, enabled=False):
            return safe(gram_row_sums(self.weight, _relative(self.log_scales)))

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, channels, h, w) to the same shape."""
        same = self.weight.shape[-1] // 2
        inner = conv2d(points, self.weight, self.bias, padding=same).relu()
        inner = inner / self.divisors()[:, None, None]
        return points - 2 * conv_transpose2d(inner, self.weight, padding=same)

    def lipschitz_bound(self) -> float:
        """1, or what rounding leaves above it."""
        with torch.no_grad():
            divisors = self.divisors().cpu().double()
            scales = _relative(self.log_scales).cpu().double()
        scaled = self.weight.detach().cpu().double() / divisors.sqrt()[:, None, None, None]
        by_rows = root_up(gram_row_bound(scaled, scales * divisors.sqrt()))
        norm = by_rows if by_rows <= 1 else min(by_rows, symbol_norm_bound(scaled[None]))
        return _residual_bound(product_up(norm, 1 + 1e-12))


def _relative(log_scales: Tensor) -> Tensor:
    """Positive scales from 1e-13 to 1; only their ratios count, so the largest is made 1."""
    return (log_scales - log_scales.detach().amax()).clamp_min(-30.0).exp()


def _residual_bound(norm: float) -> float:
    """Bound of a block from the norm of W T^(-1/2)."""
    square = product_up(norm, norm)
    return root_up(sum_up(1.0, product_up(4.0, square, max(0.0, square - 1.0))))
