"""Row sums of a convolution's Gram kernel: what AOL and SLL divide by, and its certificate."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ._matrix_norm import UNIT
from ._rounding import product_up


def gram_row_sums(kernel: Tensor, scales: Tensor) -> Tensor:
    r"""Weighted sums :math:`\sum_{j,q} |G_{ij}[q]| s_j / s_i`, shape (rows,).

    with :math:`G_{ij}[q] = \sum_c \sum_p K_{ic}[p] K_{jc}[p + q]`, the Gram kernel of the
    convolution's rows; ``kernel`` is (rows, channels, height, width), ``scales`` positive.
    """
    height, width = kernel.shape[2:]
    gram = conv2d(kernel, kernel, padding=(height - 1, width - 1))
    return gram.abs().sum(dim=(2, 3)) @ scales / scales


def gram_row_bound(kernel: Tensor, scales: Tensor) -> float:
    r"""Proven upper bound of the squared norm of the convolution, by its rows.

    For any positive scales :math:`\|K K^\top\| \le \max_i \sum_j |G_{ij}| s_j / s_i` (the largest
    row sum of a matrix similar to a symmetric one bounds its eigenvalues). In float64, with the
    rounding of the inner products added.
    """
    wide, weights = (value.detach().cpu().double() for value in (kernel, scales))
    terms = wide[0].numel() + 2
    gamma = 2 * terms * UNIT / (1 - terms * UNIT)
    total = gram_row_sums(wide, weights) + gamma * gram_row_sums(wide.abs(), weights)
    length = len(weights) * kernel.shape[2] * kernel.shape[3] * 4 + 8
    return product_up(float(total.max()), 1 + 4 * length * UNIT)


def safe(sums: Tensor) -> Tensor:
    """The sums, with 1 in place of 0: a row of zeros needs no scaling."""
    return torch.where(sums > 0, sums, torch.ones_like(sums))
