"""Operator norms for a training loop: matrix products only, no host synchronisation."""

import math

import torch
from torch import Tensor, nn

from ._symbol import polyphase

CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
FINENESS = 8
"""Frequencies per axis and tap beyond the first; the correction is 2 percent per axis."""


def gram_norm(stack: Tensor, squarings: int) -> Tensor:
    r"""Upper estimate of the largest singular value of a stack of matrices, shape ().

    .. math:: \|A\|_2 \le \| (A^* A)^{2^k} \|_F^{2^{-k-1}} \le n^{2^{-k-2}} \|A\|_2

    Every square is scaled by its own norm first, so nothing overflows. An upper bound up to the
    rounding of the matrices' type. O(k n^3).

    References
    ----------
    Delattre et al., Efficient bound of Lipschitz constant for convolutional layers by Gram
    iteration (2023).
    """
    stack = stack.reshape(-1, *stack.shape[-2:])
    if stack.dtype in (torch.float16, torch.bfloat16):
        stack = stack.float()
    peak = stack.abs().amax()
    stack = stack / torch.where(peak == 0, torch.ones_like(peak), peak)
    if stack.shape[-1] > stack.shape[-2]:
        stack = stack.mH
    power = stack.mH @ stack
    logarithm = torch.zeros(len(stack), dtype=peak.dtype, device=peak.device)
    for step in range(squarings + 1):
        norm = torch.linalg.matrix_norm(power)
        norm = torch.where(norm == 0, torch.ones_like(norm), norm)
        logarithm = logarithm + norm.log() / 2**step
        if step < squarings:
            power = power / norm[:, None, None]
            power = power @ power
    return peak * (logarithm.amax() / 2).exp()


def layer_norm(layer: nn.Module, weight: Tensor, squarings: int) -> Tensor:
    """The same for the map of a dense layer or a convolution (not of its reshaped kernel)."""
    if isinstance(layer, nn.Linear):
        return gram_norm(weight, squarings)
    options: dict[str, tuple[int, ...]] = {
        name: getattr(layer, name) for name in ("stride", "dilation")
    }
    groups: int = layer.groups  # type: ignore[assignment]
    circular = layer.padding_mode == "circular"
    kernel = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
    stride = (1,) * len(options["stride"]) if circular else options["stride"]
    return response_norm(polyphase(kernel, stride, options["dilation"]), squarings)


def response_norm(kernel: Tensor, squarings: int) -> Tensor:
    """Upper estimate of a frequency response's norm, kernel (groups, out, in, *size)."""
    if kernel.dtype in (torch.float16, torch.bfloat16):
        kernel = kernel.float()
    size = kernel.shape[3:]
    counts = [max(1, FINENESS * (length - 1)) for length in size]
    response = torch.fft.rfftn(kernel, s=counts, dim=list(range(3, kernel.ndim)))
    matrices = response.flatten(3).movedim(-1, 1).flatten(0, 1)
    shrinkage = 1.0
    for length, count in zip(size, counts, strict=True):
        shrinkage *= math.cos(math.pi * (length - 1) / (2 * count))
    return gram_norm(matrices, squarings) / shrinkage
