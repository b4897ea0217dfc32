"""Critics made of critics, with the bound that follows."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from divergences._validation import describe, real_number, refuse

from ._activations import works_in_place
from ._certificate import lipschitz_bound
from ._rounding import product_up, sum_up


class CriticSum(nn.Module):
    r"""Weighted sum of critics.

    .. math:: f(x) = \sum_k w_k f_k(x), \qquad \mathrm{Lip} f \le \sum_k |w_k| \, \mathrm{Lip} f_k

    Parameters
    ----------
    critics : sequence of Modules
        Each maps (n, ...) to (n,) or (n, 1).
    weights : sequence of float, optional
        By default 1 / number, the mean: it keeps a bound that all share.

    Raises
    ------
    TypeError, ValueError
        Without critics, or for weights that do not fit.

    Examples
    --------
    >>> halves = CriticSum([nn.Flatten(), nn.Flatten()])
    >>> lipschitz_bound(halves)
    1.0...
    """

    def __init__(
        self, critics: Sequence[nn.Module], weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.critics = _critics(critics, "CriticSum")
        count = len(self.critics)
        weights = [1.0 / count] * count if weights is None else list(weights)
        if len(weights) != count:
            refuse("CriticSum", "weights", f"have {count} entries", f"{len(weights)}")
        for weight in weights:
            real_number(weight, "weights", "CriticSum")
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float64))
        self.weights: Tensor

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, ...) to (n,)."""
        values = torch.stack(_values(self.critics, points))
        return self.weights.to(values.dtype) @ values

    def lipschitz_bound(self) -> float:
        """The weighted sum of the critics' bounds."""
        sizes = self.weights.abs().tolist()
        bounds = [lipschitz_bound(critic) for critic in self.critics]
        return sum_up(*[product_up(w, b) for w, b in zip(sizes, bounds, strict=True)])


class CriticMaximum(nn.Module):
    r"""Pointwise maximum of critics.

    .. math:: f(x) = \max_k f_k(x), \qquad \mathrm{Lip} f \le \max_k \mathrm{Lip} f_k

    Parameters
    ----------
    critics : sequence of Modules
        Each maps (n, ...) to (n,) or (n, 1).

    Raises
    ------
    TypeError, ValueError
        Without critics.
    """

    def __init__(self, critics: Sequence[nn.Module]) -> None:
        super().__init__()
        self.critics = _critics(critics, "CriticMaximum")

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, ...) to (n,)."""
        return torch.stack(_values(self.critics, points)).amax(0)

    def lipschitz_bound(self) -> float:
        """The largest of the critics' bounds."""
        return max(lipschitz_bound(critic) for critic in self.critics)


def _values(critics: nn.ModuleList, points: Tensor) -> list[Tensor]:
    """Values of each critic, shape (n,), at the points as they came.

    One that works in place gets points of its own: its successors must not see what it left.
    """
    return [
        critic(points.clone() if works_in_place(critic) else points).reshape(len(points))
        for critic in critics
    ]


def _critics(critics: Sequence[nn.Module], function: str) -> nn.ModuleList:
    critics = list(critics)
    for critic in critics:
        if not isinstance(critic, nn.Module):
            refuse(function, "critics", "be torch modules", describe(critic), TypeError)
    if not critics:
        refuse(function, "critics", "hold at least one", "none")
    return nn.ModuleList(critics)
