"""A critic that lives in units of its own."""

import torch
from torch import Tensor, nn

from ._certificate import lipschitz_bound


class RescaledCritic(nn.Module):
    r"""A critic of standardised points, for points in their own units.

    .. math:: f(z) = s \, g\bigl( (z - c) / s \bigr)

    has the Lipschitz constant of :math:`g`. :math:`s` is a power of two, so nothing is rounded by
    it. Points of any floating dtype are taken, computed in float64, and answered in their dtype.

    Parameters
    ----------
    critic : Module
        :math:`g`, maps (n, d) to (n,) or (n, 1).
    centre : tensor, shape (d,)
    scale : float, a power of two
    """

    centre: Tensor

    def __init__(self, critic: nn.Module, centre: Tensor, scale: float) -> None:
        super().__init__()
        self.critic = critic
        self.register_buffer("centre", centre.detach().double())
        self.scale = scale

    def forward(self, z: Tensor) -> Tensor:
        """Values at the points (n, d), shape (n,)."""
        inner = next(self.critic.parameters(), self.centre).dtype
        unit = standardised(z.to(self.centre.dtype), self.centre, self.scale)
        values = self.critic(unit.to(inner)).to(self.centre.dtype)
        answer: Tensor = values.reshape(z.shape[0]) * self.scale
        return answer.to(z.dtype)

    def lipschitz_bound(self) -> float:
        """That of the critic inside."""
        return lipschitz_bound(self.critic)


def standardised(points: Tensor, centre: Tensor, scale: float) -> Tensor:
    """(z - c) / s, scaled first so that nothing overflows."""
    inverse = 1.0 / scale
    return points * inverse - centre * inverse


def natural_units(*clouds: Tensor) -> tuple[Tensor, float]:
    """Centre and scale (a power of two) of the pooled points, in float64.

    The scale is the root mean square deviation of a coordinate; 1 for points that all coincide.
    """
    pooled = torch.cat([cloud.double() for cloud in clouds])
    largest = float(pooled.abs().max())
    if largest == 0.0:
        return pooled[0], 1.0
    coarse = _power_of_two(largest)
    unit = pooled / coarse
    centre = unit.mean(dim=0)
    deviation = float((unit - centre).square().mean().sqrt())
    if deviation < 2.0**-48:  # rounding of the mean: the points coincide, or nearly
        deviation = float((unit - unit[0]).square().mean().sqrt())
        centre = unit[0]
    scale = coarse * _power_of_two(deviation) if deviation > 0 else coarse
    return centre * coarse, scale if scale >= 2.0**-1000 else 2.0**-1000


def _power_of_two(value: float) -> float:
    exponent = int(torch.frexp(torch.tensor(value, dtype=torch.float64)).exponent)
    return float(2.0 ** min(max(exponent, -1000), 1000))
