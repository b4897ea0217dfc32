"""Cones that no other one hides, so that every cone of a critic goes on learning."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences._validation import describe, real_number, refuse

from ._certificate import lipschitz_bound
from ._cone_envelope import squared_distances
from ._cones import ConeCritic


@dataclass(frozen=True)
class ActiveCones:
    r"""Keep every cone of a critic within reach of its maximum.

    .. math:: b_k \leftarrow \max\Bigl(b_k, \;\max_j \bigl(b_j - \lVert a_k - a_j \rVert\bigr)
        - \mu\tau\Bigr)

    in every :class:`ConeCritic` of the critic, :math:`\tau` its temperature. A cone whose apex lies
    below the others by many temperatures has a share of the smooth maximum, hence a gradient, that
    is 0 in floating point: it never learns again. Should one cone once be higher than all others by
    more than their distances, all others are lost so, and with them the critic. The critic stays
    what it was up to :math:`\tau \log(1 + k e^{-\mu})`, k the number of cones, and exactly without
    a temperature, where the cones raised meet the maximum at their apex and nowhere exceed it.

    Parameters
    ----------
    margin : float, default 4
        :math:`\mu`, finite and at least 0: how many temperatures a cone may be below the others.

    Raises
    ------
    TypeError, ValueError
        For a margin that is not such a number.

    Notes
    -----
    Not a constraint on the function, which is 1-Lipschitz anyway; it acts where constraints act,
    after the step (see :func:`ascent_step`). O(k^2 d).

    Examples
    --------
    >>> hidden = ConeCritic(torch.tensor([[0.0], [3.0]]), torch.tensor([9.0, 1.0]), temperature=0.5)
    >>> ActiveCones().project(hidden)
    >>> hidden.heights.tolist()
    [9.0, 4.0]
    """

    margin: float = 4.0

    def __post_init__(self) -> None:
        real_number(self.margin, "margin", "ActiveCones")
        if self.margin < 0:
            refuse("ActiveCones", "margin", "be at least 0", describe(self.margin))
        object.__setattr__(self, "margin", float(self.margin))

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: cones are raised, the objective stays."""
        return None

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Raise the cones that others hide, in place. NaN stays NaN."""
        for layer in critic.modules():
            if isinstance(layer, ConeCritic):
                apart = squared_distances(layer.anchors, layer.anchors).sqrt_()
                others = (layer.heights - apart).amax(dim=1)
                lowest = others - self.margin * layer.temperature
                layer.heights.copy_(torch.maximum(layer.heights, lowest))

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """That of :func:`lipschitz_bound`: the projection has no part in it."""
        return lipschitz_bound(critic)
