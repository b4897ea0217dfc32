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


class Residual(nn.Module):
    r"""A branch beside a skip connection, for residual critics with a certificate.

    .. math:: z \mapsto s z + w \, g(z), \qquad \mathrm{Lip} \le |s| + |w| \, \mathrm{Lip} g

    With s = w = 1/2 and a 1-Lipschitz branch the block is 1-Lipschitz;
    :class:`SLLLinear` and :class:`SLLConv2d` are so with a skip of full length.

    Parameters
    ----------
    branch : Module
        :math:`g`, maps (n, ...) to the same shape.
    skip, weight : float, default 1
        :math:`s` and :math:`w`, finite.

    Raises
    ------
    TypeError, ValueError
        For a branch that is no module or numbers that are not finite; at a call, for a branch that
        changes the shape (a sum of unequal shapes would be another map).

    References
    ----------
    He et al., Deep residual learning for image recognition (2016), equation 1.

    Examples
    --------
    >>> block = Residual(nn.Sequential(nn.ReLU()), skip=0.5, weight=-0.5)
    >>> block(torch.tensor([[-2.0, 4.0]])), round(lipschitz_bound(block), 12)
    (tensor([[-1.,  0.]]), 1.0)
    """

    def __init__(self, branch: nn.Module, *, skip: float = 1.0, weight: float = 1.0) -> None:
        super().__init__()
        if not isinstance(branch, nn.Module):
            refuse("Residual", "branch", "be a torch module", describe(branch), TypeError)
        real_number(skip, "skip", "Residual")
        real_number(weight, "weight", "Residual")
        self.branch = branch
        self.skip, self.weight = float(skip), float(weight)

    def forward(self, points: Tensor) -> Tensor:
        """Map (n, ...) to the same shape."""
        beside: Tensor = self.branch(points.clone() if works_in_place(self.branch) else points)
        if beside.shape != points.shape:
            refuse("Residual", "branch", f"keep the shape {tuple(points.shape)}", describe(beside))
        total: Tensor = self.skip * points + self.weight * beside
        return total

    def lipschitz_bound(self) -> float:
        """The skip's factor plus that of the branch times its bound."""
        beside = product_up(abs(self.weight), lipschitz_bound(self.branch))
        return sum_up(abs(self.skip), beside)

    def extra_repr(self) -> str:
        """The two factors, for ``repr``."""
        return f"skip={self.skip}, weight={self.weight}"


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
