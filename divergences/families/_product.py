"""Products: laws of independent coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._typing import Array
from .._validation import describe, refuse
from ..measures import Law
from ._line import Parametric, one_home


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Product(Parametric):
    r"""The law of independent coordinates, :math:`P_1 \otimes \dots \otimes P_k`.

    Parameters
    ----------
    factors : sequence of laws
        The laws of the coordinates, at least one.

    Raises
    ------
    TypeError, ValueError
        If the factors are not what is said above, or hold tensors of several devices.

    Notes
    -----
    KL is the sum over the factors. The other divergences are known where only one factor differs.

    Examples
    --------
    >>> from divergences import Normal, Product, kl_divergence
    >>> p = Product([Normal(0.0, 1.0), Normal(0.0, 1.0)])
    >>> float(kl_divergence(p, Product([Normal(1.0, 1.0), Normal(2.0, 1.0)])))
    2.5
    """

    factors: Any

    def __post_init__(self) -> None:
        requirement = "be a sequence of laws, at least one"
        if not isinstance(self.factors, Sequence) or isinstance(self.factors, str):
            refuse("Product", "factors", requirement, describe(self.factors), TypeError)
        if not self.factors:
            refuse("Product", "factors", requirement, "an empty sequence")
        for factor in self.factors:
            if not isinstance(factor, Law):
                refuse("Product", "factors", requirement, describe(factor), TypeError)
        one_home("Product", {f"factor {place}": law for place, law in enumerate(self.factors)})
        object.__setattr__(self, "factors", tuple(self.factors))

    def tensors(self) -> list[Array]:
        inner = [f.tensors() for f in self.factors if isinstance(f, Parametric)]
        return [tensor for tensors in inner for tensor in tensors]

    def __len__(self) -> int:
        return len(self.factors)

    def __repr__(self) -> str:
        return f"Product({list(self.factors)!r})"
