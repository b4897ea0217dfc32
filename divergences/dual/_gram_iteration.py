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
_SMALL = 16  # rows or columns up to which singular values take less time than eigenvalues
_USUAL = 1e-9, 1e9  # largest entries whose squares are far from the ends of the floats
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


def exact_norm(matrix: Tensor) -> Tensor:
    r"""The same on a CPU, where numbers may be read: half the time, and nearer, shape ().

    By the largest eigenvalue of the Gram matrix, for small matrices by singular values; a factor
    of :math:`1 + 8 \min(m, n) \epsilon` keeps it above the norm. NaN where an entry is not finite.
    """
    wide = matrix if matrix.dtype == torch.float64 else matrix.float()
    peak = float(wide.abs().max())
    if not 0 < peak < math.inf:
        return wide.new_tensor(0.0 if peak == 0 else math.nan)
    unit = wide if _USUAL[0] < peak < _USUAL[1] else wide / peak
    small = min(unit.shape)
    if small <= _SMALL:
        norm = float(torch.linalg.svdvals(unit)[0])
    else:
        gram = unit.mT @ unit if unit.shape[1] == small else unit @ unit.mT
        norm = math.sqrt(float(torch.linalg.eigvalsh(gram)[-1]))
    room = 1 + 8 * small * torch.finfo(wide.dtype).eps
    return wide.new_tensor(norm * room * (1.0 if unit is wide else peak))


def layer_norm(layer: nn.Module, weight: Tensor, squarings: int) -> Tensor:
    """The same for the map of a dense layer or a convolution (not of its reshaped kernel)."""
    if isinstance(layer, nn.Linear):
        return exact_norm(weight) if weight.device.type == "cpu" else gram_norm(weight, squarings)
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
