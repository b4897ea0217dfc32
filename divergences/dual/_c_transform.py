"""Penalty on pairs of samples at which the critic is steeper than 1."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences._validation import real_number

from ._certificate import lipschitz_bound
from ._input_gradient import full_precision, two_samples
from ._objective import Critic


@dataclass(frozen=True)
class CTransformPenalty:
    r"""Penalise pairs of the joint batch between which the critic rises faster than the distance.

    .. math:: \frac{\lambda}{N^2} \sum_{u, v}
              \max\bigl( f(u) - f(v) - \|u - v\|_2, 0 \bigr)^2, \qquad u, v \in x \cup y

    It vanishes exactly if f equals its own c-transform :math:`f^c(v) = \min_u \|u - v\| + f(u)` on
    the joint batch, that is, if f is 1-Lipschitz on these N points. No derivative in the input is
    needed, so there is no double backward.

    Parameters
    ----------
    weight : float, default 10
        :math:`\lambda`, positive.

    Raises
    ------
    TypeError, ValueError
        For a weight that is not a positive finite number.

    Notes
    -----
    The critic is called once per sample, not on their union (batch normalisation would mix them);
    :func:`ascent_step` takes the values that its objective has computed, except under autocast.
    Values and distances in float32 or float64, also under autocast; O(N^2 d) time, O(N^2) memory.
    Between the points nothing is said about the critic.

    References
    ----------
    Mallasto, Montúfar, Gerolin, How well do WGANs estimate the Wasserstein metric? (2019),
    section 3.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        real_number(self.weight, "weight", "CTransformPenalty", positive=True)

    def penalty(self, critic: Critic, x: Tensor, y: Tensor) -> Tensor:
        """The weighted mean square excess over all pairs, shape ()."""
        x, y = two_samples(x, y, "CTransformPenalty")
        wide = torch.float64 if x.dtype == torch.float64 else torch.float32
        if torch.is_autocast_enabled(x.device.type):
            x, y = x.to(wide), y.to(wide)
        with full_precision(x.device.type):
            values = torch.cat([critic(x).reshape(len(x)), critic(y).reshape(len(y))]).to(wide)
            points = torch.cat([x, y]).flatten(1).to(wide)
            mode = "donot_use_mm_for_euclid_dist"  # which cancels at close points
            distances = torch.cdist(points, points, compute_mode=mode)
            excess = values[:, None] - values[None, :] - distances
            return self.weight * excess.relu().square().mean()

    def project(self, critic: nn.Module) -> None:
        """Nothing: the penalty acts on the objective alone."""

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """The certificate of the critic as it is: a penalty promises nothing."""
        return lipschitz_bound(critic)
