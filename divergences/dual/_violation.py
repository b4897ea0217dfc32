"""What a critic's computed values say, whatever happened inside it."""

import torch
from torch import Tensor

PAIRS = 1 << 32  # coordinates of pairs that are compared, at most: some seconds
_BLOCK = 1 << 22


def violation(x: Tensor, y: Tensor, at_x: Tensor, at_y: Tensor, bound: float) -> float:
    r"""By how much computed values break the Lipschitz condition between two samples.

    .. math:: \delta = \max\bigl(0, \; \max_{ij} \; v_i - u_j - K \lVert x_i - y_j \rVert \bigr)

    For *any* numbers v and u it follows that the difference of their means is at most
    :math:`K W_1 + \delta`, since a plan pairs the points: rounding inside a critic (layers of
    huge weights that cancel) is covered without knowing the critic. 0 in exact arithmetic, and
    not computed (0) for more than :math:`2^{32}` coordinates of pairs.

    Parameters
    ----------
    x, y : float64 tensors (n, d) and (m, d)
    at_x, at_y : float64 tensors (n,) and (m,), v and u
    bound : K, finite

    Notes
    -----
    Distances by products of coordinates, less their error, leave few pairs to be looked at
    coordinate by coordinate. O(n m d) time, memory bounded.
    """
    if x.shape[0] * y.shape[0] * x.shape[1] > PAIRS:
        return 0.0
    worst = 0.0
    rows = max(1, _BLOCK // y.shape[0])
    for points, values in zip(torch.split(x, rows), torch.split(at_x, rows), strict=True):
        excess = torch.sub(values[:, None] - at_y, _at_least(points, y), alpha=bound)
        first, second = (excess > worst).nonzero(as_tuple=True)
        if not len(first):
            continue
        few = max(1, _BLOCK // x.shape[1])
        for i, j in zip(torch.split(first, few), torch.split(second, few), strict=True):
            apart = torch.linalg.vector_norm(points[i] - y[j], dim=1)
            worst = max(worst, float(torch.sub(values[i] - at_y[j], apart, alpha=bound).max()))
    return worst


def _at_least(x: Tensor, y: Tensor) -> Tensor:
    """Lower bounds of all distances, (n, m), by one matrix product; 0 where it overflows."""
    of_x, of_y = x.square().sum(1), y.square().sum(1)
    sizes = of_x[:, None] + of_y
    squares = torch.addmm(sizes, x, y.T, alpha=-2)
    squares -= 4 * (x.shape[1] + 4) * torch.finfo(x.dtype).eps * sizes
    return torch.where(squares.isfinite(), squares, 0).clamp_(min=0).sqrt_()
