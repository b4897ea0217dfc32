"""Laws on labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import as_numpy, is_tensor
from .._validation import describe, masses, real_array, refuse
from ._line import Parametric


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Categorical(Parametric):
    """A law on k labels without a geometry.

    Parameters
    ----------
    probabilities : array, tensor or list, shape (k,)
        The probability of each label: non-negative, of sum 1 up to rounding.

    Raises
    ------
    TypeError, ValueError
        If the probabilities are not what is said above.

    Notes
    -----
    Two such laws need the same number of labels. Labels have no distances: for Wasserstein-1 say
    where they lie, ``Discrete(points, probabilities)``.

    Examples
    --------
    >>> from divergences import Categorical, total_variation
    >>> float(total_variation(Categorical([0.5, 0.5]), Categorical([0.25, 0.75])))
    0.25
    """

    probabilities: Any

    def __post_init__(self) -> None:
        array = real_array(self.probabilities, "probabilities", "Categorical")
        if array.ndim != 1:
            refuse("Categorical", "probabilities", "have shape (k,)", describe(array))
        masses(array, "probabilities", "Categorical")
        if not is_tensor(array):
            array = np.array(array)
            array.flags.writeable = False
        object.__setattr__(self, "probabilities", array)

    def __len__(self) -> int:
        return int(self.probabilities.shape[0])

    def __repr__(self) -> str:
        return f"Categorical({as_numpy(self.probabilities).tolist()!r})"
