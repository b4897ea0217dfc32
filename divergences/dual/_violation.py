"""What a critic's computed values say, whatever happened inside it."""

import torch
from torch import Tensor

PAIRS = 1 << 30  # coordinates of pairs that are compared, at most: some seconds
_BLOCK = 1 << 22


def violation(x: Tensor, y: Tensor, at_x: Tensor, at_y: Tensor, bound: float) -> float:
    r"""By how much computed values break the Lipschitz condition between two samples.

    .. math:: \delta = \max\bigl(0, \; \max_{ij} \; v_i - u_j - K \lVert x_i - y_j \rVert \bigr)

    For *any* numbers v and u it follows that the difference of their means is at most
    :math:`K W_1 + \delta`, since a plan pairs the points: rounding inside a critic (layers of
    huge weights that cancel) is covered without knowing the critic. 0 in exact arithmetic, and
    not computed (0) for more than :math:`2^{30}` coordinates of pairs.

    Parameters
    ----------
    x, y : float64 tensors (n, d) and (m, d)
    at_x, at_y : float64 tensors (n,) and (m,), v and u
    bound : K, finite

    Notes
    -----
    O(n m d) time, memory bounded.
    """
    if x.shape[0] * y.shape[0] * x.shape[1] > PAIRS:
        return 0.0
    worst = 0.0
    rows = max(1, _BLOCK // y.shape[0])
    for points, values in zip(torch.split(x, rows), torch.split(at_x, rows), strict=True):
        apart = torch.cdist(points, y, compute_mode="donot_use_mm_for_euclid_dist")
        excess = torch.sub(values[:, None] - at_y, apart, alpha=bound)
        worst = max(worst, float(excess.max()))
    return worst
