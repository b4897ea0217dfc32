"""Constraints on singular values: normalised to one largest, or clipped."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divergences._validation import describe, real_number, refuse

from ._certificate import lipschitz_bound
from ._gram_iteration import CONVOLUTIONS, layer_norm


@dataclass(frozen=True)
class SpectralNormalization:
    r"""Scale every dense layer and convolution to an operator norm of ``limit`` after each step.

    .. math:: W \leftarrow c \, W / \|W\|_2

    The norm is that of the *map*: for a convolution the supremum of its frequency response with
    the layer's stride, not the norm of the reshaped kernel, which can be several times smaller.

    Parameters
    ----------
    limit : float, default 1
        :math:`c`, positive and finite.
    squarings : int, default 8
        Of the Gram iteration, for convolutions and on accelerators. It overestimates the norm of
        an n x n matrix by a factor of at most :math:`n^{2^{-k-2}}`: .6 percent at width 512 for 8,
        .15 for 10.

    Raises
    ------
    TypeError, ValueError
        For a limit that is not a positive finite number or squarings that are no count.

    Notes
    -----
    Power iteration estimates the norm from below, and the critic is then steeper than said. On a
    CPU the norm of a dense layer is taken from eigenvalues, with room for rounding; elsewhere Gram
    iteration estimates it from above, with matrix products alone, and nothing synchronises. What
    rounding leaves is measured by :meth:`lipschitz_bound`. Parametrised layers and layers of other
    kinds are left alone. ``torch.nn.utils.parametrizations.spectral_norm`` is an alternative that
    differentiates through the division; :func:`lipschitz_bound` reads it in evaluation mode.

    References
    ----------
    Miyato et al., Spectral normalization for generative adversarial networks (2018);
    Delattre et al. (2023) for the iteration.
    """

    limit: float = 1.0
    squarings: int = 8

    def __post_init__(self) -> None:
        real_number(self.limit, "limit", "SpectralNormalization", positive=True)
        if isinstance(self.squarings, bool) or not isinstance(self.squarings, int):
            refuse("SpectralNormalization", "squarings", "be an integer", describe(self.squarings),
                   TypeError)  # fmt: skip
        if not 1 <= self.squarings <= 30:
            refuse("SpectralNormalization", "squarings", "be from 1 to 30", repr(self.squarings))

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: the projection changes the parameters, not the objective."""
        return None

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Scale the weights in place; O(n^3) per layer, no synchronisation. Zeros stay zeros."""
        for layer, weight in _weights(critic):
            norm = layer_norm(layer, weight, self.squarings)
            # divided first: the inverse of a subnormal norm overflows
            weight.div_(norm.masked_fill(norm == 0, 1.0)).mul_(self.limit)

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """The measured certificate of the critic as it is, :func:`lipschitz_bound`."""
        return lipschitz_bound(critic)


@dataclass(frozen=True)
class SpectralClipping:
    r"""Clip the singular values of every dense layer after each step; smaller ones stay.

    .. math:: U \operatorname{diag}(\sigma) V^\top \leftarrow
              U \operatorname{diag}(\min(\sigma, c)) V^\top

    This is the nearest matrix of spectral norm at most c. A convolution whose norm exceeds c is
    scaled down as a whole: clipping each frequency would widen its kernel.

    Parameters
    ----------
    limit : float, default 1
        :math:`c`, positive and finite.

    Raises
    ------
    TypeError, ValueError
        For a limit that is not a positive finite number.

    Notes
    -----
    One singular value decomposition per dense layer, O(n^3); torch's on CUDA synchronises, so a
    loop that must not is better served by :class:`SpectralNormalization`.

    References
    ----------
    Sedghi, Gupta, Long, The singular values of convolutional layers (2019), section 3.
    """

    limit: float = 1.0

    def __post_init__(self) -> None:
        real_number(self.limit, "limit", "SpectralClipping", positive=True)

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:  # noqa: ARG002
        """None: the projection changes the parameters, not the objective."""
        return None

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Clip the weights in place."""
        for layer, weight in _weights(critic):
            if isinstance(layer, nn.Linear):
                wide = weight if weight.dtype == torch.float64 else weight.float()
                left, values, right = torch.linalg.svd(wide, full_matrices=False)
                clipped = (left * values.clamp(max=self.limit)) @ right
                weight.copy_(torch.where(values[:1] > self.limit, clipped, wide))
            else:
                norm = layer_norm(layer, weight, squarings=8)
                weight.mul_((self.limit / norm).clamp(max=1.0))

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """The measured certificate of the critic as it is, :func:`lipschitz_bound`."""
        return lipschitz_bound(critic)


def _weights(critic: nn.Module) -> Iterator[tuple[nn.Module, nn.Parameter]]:
    """Dense layers and convolutions that own their weight."""
    for layer in critic.modules():
        if isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
            weight = layer._parameters.get("weight")
            if weight is not None:
                yield layer, weight
