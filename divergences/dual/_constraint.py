"""What every way of keeping a critic Lipschitz has in common."""

from typing import Protocol

from torch import Tensor, nn


class Constraint(Protocol):
    """A way of keeping a critic Lipschitz while it is trained.

    The three methods are the three places where such a method can act: in the loss (gradient
    penalties), on the parameters after each step (clipping, projection on a sphere, spectral
    normalisation), and as a statement about the trained critic.
    """

    def penalty(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:
        """Term *subtracted* from the dual objective, shape (); None where there is none."""

    def project(self, critic: nn.Module) -> None:
        """Move the parameters of the critic into the allowed set, in place."""

    def lipschitz_bound(self, critic: nn.Module) -> float:
        """Upper bound of the Lipschitz constant of a critic after :meth:`project`.

        For the Euclidean norm. Clipping and the sphere bound every critic of the architecture;
        penalties, which promise nothing, and spectral constraints measure the one given. Where no
        bound is known, ``NotImplementedError``: a bound is never guessed.
        """
