"""Frequency responses of convolutions: the matrix function whose largest norm is theirs."""

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from ._matrix_norm import UNIT, spectral_norm_bound
from ._rounding import product_up, quotient_up, sum_up

WORK = 2.5e9
"""Multiplications that the matrices of one convolution may cost; about ten seconds of one core."""
FINEST, COARSEST = 32, 4
"""Grid points per axis and tap beyond the first, at best and at least."""
MOST = 1 << 17
"""Frequencies of one convolution at most (half of them are computed)."""
BLOCK = 1 << 21
"""Complex numbers held at once: 32 MB."""


def polyphase(kernel: Tensor, stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """Kernel of the same convolution with stride 1 on the interleaved parts of its input.

    ``kernel`` is (groups, out, in, *size); the result (groups, out, in * prod(stride), *size').
    The input at s i + r is channel r at i. With stride 1 a dilation only renames frequencies, so
    it is dropped.
    """
    for axis, (step, gap) in enumerate(zip(stride, dilation, strict=True)):
        taps = kernel.movedim(3 + axis, -1)
        spread = gap if step > 1 else 1
        length = -(-(spread * (taps.shape[-1] - 1) + 1) // step) * step
        spaced = taps.new_zeros((*taps.shape[:-1], length))
        spaced[..., : spread * (taps.shape[-1] - 1) + 1 : spread] = taps
        parts = spaced.reshape(*taps.shape[:-1], length // step, step).movedim(-1, 3)  # after `in`
        kernel = parts.flatten(2, 3).movedim(-1, 3 + axis)
    return kernel


def symbol_norm_bound(kernel: Tensor) -> float:
    r"""Upper bound of the largest norm of a convolution's frequency response.

    .. math:: \sup_\omega \|P(\omega)\|_2, \qquad P(\omega) = \sum_q K_q e^{i q \cdot \omega}

    Parameters
    ----------
    kernel : float64 tensor, shape (groups, out, in, *size)
        On the CPU, finite.

    Returns
    -------
    float
        This is the operator norm of the convolution on the whole lattice, exactly. Above it the
        bound lies by the correction below, .3 percent for small channels, more where the
        matrices are so large that a fine grid would take more than some ten seconds.

    Notes
    -----
    The supremum is over all frequencies and the norms are computed on a grid. Let M be the
    supremum along one axis of length k, attained at :math:`\omega^*` with singular vectors u, v.
    Shifted by its middle, :math:`t(\omega) = \mathrm{Re}\, u^* P(\omega) v` is a real
    trigonometric polynomial of degree :math:`d = (k - 1)/2` with :math:`|t| \le M = t(\omega^*)`,
    and by M. Riesz's lemma :math:`t(\omega^* + s) \ge M \cos(d s)` for :math:`|s| \le \pi/d`. A
    grid of N points has one within :math:`\pi/N`, so, axis after axis,

    .. math:: \sup_\omega \|P(\omega)\| \le \max_{\omega \in grid} \|P(\omega)\|
              \prod_i \frac{1}{\cos(\pi d_i / N_i)} .

    (For even k the degree is a half; the lemma is used at the doubled period.) Half of the grid
    suffices: the kernel is real, so :math:`P(-\omega)` is the conjugate. The phases err by less
    than 128 u and the sums as inner products do; both are added.

    References
    ----------
    M. Riesz, Eine trigonometrische Interpolationsformel, Jahresbericht DMV 23 (1914);
    Sedghi, Gupta, Long, The singular values of convolutional layers (2019) for periodic inputs.
    """
    groups, outputs, inputs, *size = kernel.shape
    counts = grid(size, outputs, inputs, groups)
    taps = kernel.flatten(3).movedim(-1, 1)  # groups, taps, out, in
    terms = 2 * taps.shape[1] + 2
    gamma = 128 * UNIT + 1.5 * terms * UNIT / (1 - terms * UNIT)
    moduli = float(torch.linalg.matrix_norm(taps.abs().sum(1)).max())
    error = product_up(1 + 1e-10, gamma, moduli)
    flat = taps.to(torch.complex128).movedim(1, 0).flatten(1)
    largest = 0.0
    for phases in phase_blocks(size, counts, max(1, BLOCK // flat[0].numel())):
        response = (phases @ flat).reshape(-1, outputs, inputs)
        largest = spectral_norm_bound(response, at_least=largest)
    shrinkage = 1.0
    for length, count in zip(size, counts, strict=True):
        shrinkage *= math.cos(math.pi * (length - 1) / (2 * count))
    return quotient_up(sum_up(largest, error), shrinkage * (1 - 1e-14))


def grid(size: Sequence[int], outputs: int, inputs: int, groups: int) -> list[int]:
    """Frequencies per axis: as many as the work allows, at least enough for a factor 1.1 each."""
    per_matrix = groups * 8.0 * max(outputs, inputs) * min(outputs, inputs) ** 2
    long_axes = [length for length in size if length > 1]
    if not long_axes:
        return [1] * len(size)
    matrices = min(2 * WORK / per_matrix, MOST)
    allowed = matrices / math.prod(length - 1 for length in long_axes)
    fineness = min(max(allowed ** (1 / len(long_axes)), COARSEST), FINEST)
    return [max(1, math.ceil(fineness * (length - 1))) for length in size]


def phase_blocks(size: Sequence[int], counts: Sequence[int], rows: int) -> Iterator[Tensor]:
    """The factors exp(i q . omega), shape (frequencies, taps), in blocks of ``rows``."""
    tables = []
    halved = False
    for length, count in zip(size, counts, strict=True):
        chosen = count // 2 + 1 if not halved and count > 1 else count
        halved = halved or count > 1
        turns = torch.outer(torch.arange(chosen), torch.arange(length)) % count  # exact integers
        angles = turns.double() * (2 * math.pi / count)
        tables.append(torch.polar(torch.ones_like(angles), angles))
    frequencies = torch.tensor(list(itertools.product(*(range(len(table)) for table in tables))))
    for start in range(0, len(frequencies), rows):
        chunk = frequencies[start : start + rows]
        phases = tables[0][chunk[:, 0]]
        for axis, table in enumerate(tables[1:], start=1):
            phases = (phases[:, :, None] * table[chunk[:, axis]][:, None, :]).flatten(1)
        yield phases
