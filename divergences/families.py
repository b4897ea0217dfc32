"""Parametric laws."""

from dataclasses import dataclass
from typing import Any

from ._array import detach, is_tensor
from ._validation import real_number, same_library
from .measures import Law


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Normal(Law):
    r"""The normal law N(mean, std^2) on the line.

    .. math:: f(x) = \frac{1}{\sigma \sqrt{2 \pi}} \exp\Bigl(-\frac{(x - \mu)^2}{2 \sigma^2}\Bigr)

    Parameters
    ----------
    mean : float or 0-d tensor
        The mean, finite.
    std : float or 0-d tensor
        The standard deviation (not the variance), positive and finite. A point mass is
        ``Discrete([mean])``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number as said above.

    Notes
    -----
    Tensors keep their graph: divergences between normals are differentiable in their parameters.

    Examples
    --------
    >>> from divergences import Normal, kl_divergence
    >>> float(kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)))
    0.5
    """

    mean: Any
    std: Any

    def __post_init__(self) -> None:
        real_number(self.mean, "mean", "Normal")
        real_number(self.std, "std", "Normal", positive=True)
        same_library("Normal", **_tensors(mean=self.mean, std=self.std))

    def __repr__(self) -> str:
        return f"Normal(mean={float(detach(self.mean))!r}, std={float(detach(self.std))!r})"


def _tensors(**parameters: Any) -> dict[str, Any]:
    """The parameters that are tensors: a Python number goes with tensors of any device."""
    return {name: value for name, value in parameters.items() if is_tensor(value)}
