"""The normal law."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import Array, ArrayLike, Float64Array, Namespace
from ._line import ContinuousLaw, Points


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Normal(ContinuousLaw):
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
        self._demand_numbers("std")

    @property
    def expectation(self) -> float:
        return self._numbers()[0]

    @property
    def turning_points(self) -> tuple[float, ...]:
        return (self._numbers()[0],)

    def _standard(self, x: ArrayLike) -> Float64Array:
        mean, std = self._numbers()
        return np.asarray((np.asarray(x, dtype=np.float64) - mean) / std)

    def cdf(self, x: ArrayLike) -> Float64Array:
        from scipy.special import ndtr

        return np.asarray(ndtr(self._standard(x)))

    def survival(self, x: ArrayLike) -> Float64Array:
        from scipy.special import ndtr

        return np.asarray(ndtr(-self._standard(x)))

    def quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import ndtri

        mean, std = self._numbers()
        return np.asarray(mean + std * ndtri(np.asarray(level, dtype=np.float64)))

    def upper_quantile(self, level: ArrayLike) -> Float64Array:
        from scipy.special import ndtri

        mean, std = self._numbers()
        return np.asarray(mean - std * ndtri(np.asarray(level, dtype=np.float64)))

    def partial_mean(self, x: ArrayLike) -> Float64Array:
        mean, std = self._numbers()
        z = self._standard(x)
        density = np.exp(-0.5 * np.minimum(z * z, 2000.0)) / math.sqrt(2.0 * math.pi)
        return np.asarray(mean * self.cdf(x) - std * density)

    def tail_floor(self, x: float, side: float) -> tuple[float, float, float]:
        del side
        mean, std = self._numbers()
        return float(self.log_density(x)), abs(x - mean) / std / std, 1.0 / std / std

    def tail_rate(self, x: float, side: float) -> float:
        mean, std = self._numbers()
        return side * (x - mean) / std / std

    def log_density_at(self, xp: Namespace, points: Points) -> Array:
        (mean, std) = self._scalars(points.x)
        z = (points.x - mean) / std
        return -0.5 * z * z - xp.log(std) - 0.5 * math.log(2.0 * math.pi)
