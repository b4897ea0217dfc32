"""Penalties on the norm of the critic's gradient: two-sided and one-sided."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from divergences._validation import real_number

from ._certificate import lipschitz_bound
from ._input_gradient import between, input_gradients, safe_norms, two_samples


@dataclass(frozen=True)
class GradientPenalty:
    r"""Draw the norm of the critic's gradient towards 1 between the two samples (WGAN-GP).

    .. math:: \lambda \, \mathbb{E}_{t} \bigl( \|\nabla f(t x + (1 - t) y)\|_2 - 1 \bigr)^2,
              \qquad t \sim U[0, 1)

    Along optimally coupled pairs the optimal critic has slope 1. The pairs here are arbitrary, so
    the penalty also acts where the slope should be smaller; see :class:`OneSidedGradientPenalty`.

    Parameters
    ----------
    weight : float, default 10
        :math:`\lambda`, positive.
    generator : torch.Generator, optional
        Source of t, on any device: the numbers are drawn there and moved. Without one torch's
        global state of the samples' device is used.

    Raises
    ------
    TypeError, ValueError
        For a weight that is not a positive finite number.

    Notes
    -----
    Computed in float32 (or float64 for such samples), also under autocast. At a gradient of zero
    the norm's derivative is taken as 0, so a constant critic has a finite penalty, the weight, and
    a finite gradient. Samples of unequal size are paired cyclically.

    Batch normalisation in training mode ties the points of a batch together, and the sum of all
    values has not the gradient of one of them: the paper's authors use layer normalisation
    instead. Nothing here forbids it; every penalty also moves its running statistics once more.

    A soft constraint: nothing but :func:`lipschitz_bound` says what the critic's slope is.

    References
    ----------
    Gulrajani et al., Improved training of Wasserstein GANs (2017), equation 3.

    Examples
    --------
    >>> from torch import nn
    >>> critic = nn.Linear(1, 1)
    >>> _ = critic.weight.data.fill_(3.0)
    >>> GradientPenalty().penalty(critic, torch.ones(4, 1), torch.zeros(2, 1)).item()
    40.0
    """

    weight: float = 10.0
    generator: torch.Generator | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        real_number(self.weight, "weight", type(self).__name__, positive=True)

    def penalty(
        self, critic: nn.Module, x: Tensor, y: Tensor, places: Tensor | None = None
    ) -> Tensor:
        """The weighted mean of the excess, shape (); one call of the critic, one derivative.

        ``places``, shape (max(n, m),), are numbers t that were drawn elsewhere, as they are where
        several processes share a batch; by default they are drawn here. ValueError for another
        shape.
        """
        x, y = two_samples(x, y, type(self).__name__)
        (gradients,) = input_gradients(critic, between(x, y, self.generator, places))
        return self.weight * self._excess(safe_norms(gradients)).square().mean()

    def _excess(self, norms: Tensor) -> Tensor:
        return norms - 1

    def project(self, critic: nn.Module) -> None:
        """Nothing: the penalty acts on the objective alone."""

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """The certificate of the critic as it is: a penalty promises nothing."""
        return lipschitz_bound(critic)


@dataclass(frozen=True)
class OneSidedGradientPenalty(GradientPenalty):
    r"""Penalise slopes above 1 between the two samples, and only those (WGAN-LP).

    .. math:: \lambda \, \mathbb{E}_{t} \max\bigl( \|\nabla f(t x + (1 - t) y)\|_2 - 1, 0 \bigr)^2

    It vanishes for every 1-Lipschitz critic, the optimal ones included; the two-sided one does not.

    Parameters
    ----------
    weight : float, default 10
        :math:`\lambda`, positive.
    generator : torch.Generator, optional
        As :class:`GradientPenalty`, whose notes hold here as well.

    References
    ----------
    Petzka, Fischer, Lukovnikov, On the regularization of Wasserstein GANs (2018), equation 8.
    """

    def _excess(self, norms: Tensor) -> Tensor:
        return (norms - 1).relu()
