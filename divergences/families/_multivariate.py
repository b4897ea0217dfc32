"""The normal law in R^d."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import as_float64, as_numpy, is_tensor, namespace, values_are_readable
from .._typing import Array
from .._validation import describe, finite, real_array, real_number, refuse, same_library
from ._line import Parametric


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MultivariateNormal(Parametric):
    r"""The normal law :math:`N(\mu, \Sigma)` in R^d.

    Parameters
    ----------
    mean : array, tensor or list, shape (d,)
        The mean :math:`\mu`, finite.
    covariance : array, tensor or list of shape (d, d) or (d,), or float
        The covariance matrix :math:`\Sigma`: symmetric, non-negative definite up to rounding (a
        singular one lives on a subspace); a vector is its diagonal, a number its multiple of the
        identity. Variances, not standard deviations.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not what is said above.

    Examples
    --------
    >>> from divergences import MultivariateNormal, kl_divergence
    >>> p, q = MultivariateNormal([0.0, 0.0], 1.0), MultivariateNormal([3.0, 4.0], 1.0)
    >>> float(kl_divergence(p, q))
    12.5
    """

    mean: Any
    covariance: Any

    def __post_init__(self) -> None:
        name = "MultivariateNormal"
        mean = real_array(self.mean, "mean", name)
        if mean.ndim != 1 or mean.shape[0] == 0:
            refuse(name, "mean", "have shape (d,), d at least 1", describe(mean))
        finite(mean, "mean", name)
        covariance = self.covariance
        if isinstance(covariance, (int, float, np.generic)):
            real_number(covariance, "covariance", name)
        covariance = real_array(covariance, "covariance", name)
        d = int(mean.shape[0])
        if tuple(covariance.shape) not in ((), (d,), (d, d)):
            refuse(name, "covariance", f"have shape ({d}, {d}), ({d},) or ()", describe(covariance))
        finite(covariance, "covariance", name)
        if np.ndim(covariance) > 0 or is_tensor(covariance):
            same_library(name, mean=mean, covariance=covariance)
        _demand_covariance(covariance, name)
        for field, array in (("mean", mean), ("covariance", covariance)):
            if not is_tensor(array):
                array = np.array(array)  # noqa: PLW2901
                array.flags.writeable = False
            object.__setattr__(self, field, array)

    @property
    def dimension(self) -> int:
        """The dimension d of the space."""
        return int(self.mean.shape[0])

    def matrix(self) -> Array:
        """The covariance as a (d, d) matrix in float64, with its graph."""
        covariance = as_float64(self.covariance)
        xp = namespace(covariance)
        if covariance.ndim == 2:
            return 0.5 * (covariance + covariance.T)
        eye = xp.eye(self.dimension, dtype=covariance.dtype)
        if is_tensor(covariance):
            eye = eye.to(covariance.device)
        return eye * covariance


def _demand_covariance(covariance: Array, name: str) -> None:
    if not values_are_readable(covariance):
        return
    values = as_numpy(covariance)
    rounding = 1e-6 if "float32" in str(covariance.dtype) else 1e-10
    largest = float(np.max(np.abs(values)))
    if values.ndim == 2:
        if not np.allclose(values, values.T, rtol=0.0, atol=rounding * largest):
            refuse(name, "covariance", "be symmetric", describe(covariance))
        values = np.asarray(np.linalg.eigvalsh(0.5 * (values + values.T)), dtype=np.float64)
    least = float(np.min(values))
    if least < -rounding * largest:
        refuse(name, "covariance", "be non-negative definite", f"the eigenvalue {least!r}")
