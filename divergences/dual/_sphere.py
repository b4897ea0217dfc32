"""Projection of the critic's parameters on a sphere, which the paper mentions."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences._validation import real_number

from ._architecture import architecture_bound


@dataclass(frozen=True)
class SphereProjection:
    r"""Keep every parameter tensor of the critic on a sphere.

    .. math:: w \leftarrow \rho \frac{w}{\|w\|_F}

    for each weight and each bias by itself, :math:`\|\cdot\|_F` the root of the sum of squares of
    all entries of that tensor. A spectral norm is at most that of Frobenius, so a critic of l dense
    layers is :math:`\rho^l`-Lipschitz whatever its widths (clipping's bound grows with them).

    Parameters
    ----------
    radius : float, default 1
        :math:`\rho`, positive and finite; in the units of the parameters.

    Raises
    ------
    TypeError, ValueError
        For a radius that is not a positive finite number.

    Notes
    -----
    The sphere has no nearest point to 0: a tensor of zeros stays (and obeys the bound). The norm is
    taken in float64 and the result shrunk by two units of rounding, so that the stored tensor does
    not leave the ball.

    References
    ----------
    Arjovsky, Chintala, Bottou, Wasserstein GAN (2017), section 3 ("projecting the weights to a
    sphere").

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[30.0, 40.0]]))
    >>> SphereProjection().project(layer)
    >>> [round(entry, 6) for entry in layer.weight[0].tolist()]
    [0.6, 0.8]
    """

    radius: float = 1.0

    def __post_init__(self) -> None:
        real_number(self.radius, "radius", "SphereProjection", positive=True)
        object.__setattr__(self, "radius", float(self.radius))

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: the projection changes the parameters, not the objective."""
        return None

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Scale every parameter tensor in place; O(number of parameters). NaN stays NaN."""
        for parameter in critic.parameters():
            peak = parameter.abs().amax() if parameter.numel() else parameter.new_ones(())
            unit = (parameter / torch.where(peak == 0, torch.ones_like(peak), peak)).double()
            norm = torch.linalg.vector_norm(unit)
            shrunk = self.radius * (1 - 2 * torch.finfo(parameter.dtype).eps)
            parameter.copy_(unit * (shrunk / torch.where(norm == 0, torch.ones_like(norm), norm)))

    def lipschitz_bound(self, critic: nn.Module) -> float:
        r"""Lipschitz constant that no projected critic of this architecture exceeds.

        .. math:: \prod_l \rho

        over the dense layers, times the constants of the activations. The measured constant,
        :func:`divergences.dual.lipschitz_bound`, is smaller.

        Raises
        ------
        NotImplementedError
            For a layer without such a bound: the message names it.
        """
        bound = architecture_bound(
            critic, lambda _: self.radius, "SphereProjection.lipschitz_bound"
        )
        return bound if bound == 1.0 else math.nextafter(bound * (1 + 1e-15), math.inf)
