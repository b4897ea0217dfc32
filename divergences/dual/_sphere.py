"""Projection of the critic's parameters on a sphere, which the paper mentions."""

import math
from collections.abc import Iterable
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
        parameters: list[Tensor] = [
            parameter for parameter in critic.parameters() if parameter.numel()
        ]
        for dtype in {parameter.dtype for parameter in parameters}:
            alike = [parameter for parameter in parameters if parameter.dtype == dtype]
            units = [parameter.double() for parameter in alike]
            if dtype == torch.float64:  # squares of narrower types do not leave float64
                peaks = _positive(torch._foreach_norm(units, math.inf))
                units = list(torch._foreach_div(units, peaks))
            shrunk = self.radius * (1 - 2 * torch.finfo(dtype).eps)
            norms = torch._foreach_reciprocal(_positive(torch._foreach_norm(units)))
            torch._foreach_mul_(norms, shrunk)
            torch._foreach_copy_(alike, torch._foreach_mul(units, norms))

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


def _positive(norms: Iterable[Tensor]) -> list[Tensor]:
    """The numbers, with 1 in place of 0: a tensor of zeros is not scaled."""
    stacked = torch.stack(list(norms))
    return list(torch.where(stacked == 0, torch.ones_like(stacked), stacked).unbind())
