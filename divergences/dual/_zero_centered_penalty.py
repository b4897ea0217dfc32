"""Penalties on the squared gradient of the critic at the samples: R1 and R2."""

from dataclasses import dataclass

from torch import Tensor, nn

from divergences._validation import one_of, real_number

from ._certificate import lipschitz_bound
from ._input_gradient import input_gradients, two_samples


@dataclass(frozen=True)
class ZeroCenteredGradientPenalty:
    r"""Draw the critic's gradient towards zero at the samples.

    .. math:: \frac{\gamma}{2} \bigl( \mathbb{E}_x \|\nabla f(x)\|_2^2
              + \mathbb{E}_y \|\nabla f(y)\|_2^2 \bigr)

    with the first term alone for ``on="x"`` (R1), the second for ``on="y"`` (R2).

    Parameters
    ----------
    weight : float, default 10
        :math:`\gamma`, positive.
    on : "x", "y" or "both", default "both"
        The samples at which the gradient is taken.

    Raises
    ------
    TypeError, ValueError
        For a bad weight or name.

    Notes
    -----
    Computed in float32 or float64, also under autocast. It makes the training of a GAN converge
    locally; it does not make the critic 1-Lipschitz, and the objective then measures a multiple of
    a Sobolev dual norm rather than Wasserstein-1. Batch normalisation: see
    :class:`GradientPenalty`.

    References
    ----------
    Mescheder, Geiger, Nowozin, Which training methods for GANs do actually converge? (2018),
    equations 9 and 10; Huang et al., The GAN is dead; long live the GAN! (2024).
    """

    weight: float = 10.0
    on: str = "both"

    def __post_init__(self) -> None:
        real_number(self.weight, "weight", "ZeroCenteredGradientPenalty", positive=True)
        one_of(self.on, "on", ("x", "y", "both"), "ZeroCenteredGradientPenalty")

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """Half the weighted mean square, shape (); both samples share one derivative."""
        x, y = two_samples(x, y, "ZeroCenteredGradientPenalty")
        batches = {"x": (x,), "y": (y,), "both": (x, y)}[self.on]
        total = x.new_zeros(())
        for gradients in input_gradients(critic, *batches):
            total = total + gradients.square().sum(dim=1).mean()
        return self.weight / 2 * total

    def project(self, critic: nn.Module) -> None:
        """Nothing: the penalty acts on the objective alone."""

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """The certificate of the critic as it is: a penalty promises nothing."""
        return lipschitz_bound(critic)
