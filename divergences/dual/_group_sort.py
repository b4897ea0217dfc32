"""Activations that sort: 1-Lipschitz, and the norm of every gradient is kept."""

import torch
from torch import Tensor, nn

from divergences._validation import describe, refuse

from ._orthogonal_linear import positive_count


class GroupSort(nn.Module):
    r"""Sort the channels within groups of equal size, ascending.

    .. math:: (z_1, \dots, z_g) \mapsto (z_{(1)}, \dots, z_{(g)}) \quad \text{in each group}

    Sorting is a permutation that depends on the point, so it is 1-Lipschitz and its Jacobian is
    orthogonal wherever no two entries of a group are equal. With orthogonal layers it approximates
    every 1-Lipschitz function, which ReLU does not.

    Parameters
    ----------
    group_size : int, default 2
        Channels per group; it must divide their number.

    Raises
    ------
    TypeError, ValueError
        For a size that is no positive integer, and at a call if it does not divide the channels.

    References
    ----------
    Anil, Lucas, Grosse, Sorting out Lipschitz function approximation (2019), sections 4 and 5.

    Examples
    --------
    >>> GroupSort(3)(torch.tensor([[3.0, 1.0, 2.0, 4.0, 6.0, 5.0]]))
    tensor([[1., 2., 3., 4., 5., 6.]])
    """

    def __init__(self, group_size: int = 2) -> None:
        super().__init__()
        positive_count(group_size, "group_size", type(self).__name__)
        self.group_size = group_size

    def forward(self, points: Tensor) -> Tensor:
        """Sort (n, channels, ...) along its second axis, group by group."""
        groups = self._groups(points)
        return groups.sort(dim=2).values.flatten(1, 2)

    def _groups(self, points: Tensor) -> Tensor:
        if points.ndim < 2 or points.shape[1] % self.group_size:
            refuse(type(self).__name__, "points", "have a number of channels (axis 1) that "
                   f"{self.group_size} divides", describe(points))  # fmt: skip
        shape = points.shape
        return points.reshape(shape[0], shape[1] // self.group_size, self.group_size, *shape[2:])

    def lipschitz_bound(self) -> float:
        """1, exactly: sorting never separates two points."""
        return 1.0

    def extra_repr(self) -> str:
        """What ``print`` shows of the options."""
        return f"group_size={self.group_size}"


class MaxMin(GroupSort):
    """Pairs of channels in order, (min, max): :class:`GroupSort` of size 2 without a sort.

    Where both are equal the gradient passes as it comes, so that its norm is kept there too.

    Examples
    --------
    >>> MaxMin()(torch.tensor([[3.0, 1.0, 2.0, 4.0]]))
    tensor([[1., 3., 2., 4.]])
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, points: Tensor) -> Tensor:
        """Order (n, channels, ...) along its second axis, pair by pair."""
        pairs = self._groups(points)
        # an exchange has a cheap derivative: a third of the time that minimum and maximum take
        exchanged = (pairs[:, :, :1] > pairs[:, :, 1:]).long()
        order = torch.cat([exchanged, 1 - exchanged], dim=2)
        return pairs.gather(2, order).flatten(1, 2)

    def lipschitz_bound(self) -> float:
        """1, exactly."""
        return 1.0
