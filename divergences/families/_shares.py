"""The two probabilities of a trial, each with its digits: what laws of trials have in common."""

import math
from typing import Any

import numpy as np

from .._array import detach, is_tensor, values_are_readable
from .._typing import Array, Namespace
from .._validation import mass_tolerance, refuse, same_library
from ._integer import IntegerLaw, log_positive, probability
from ._line import own


class TrialsLaw(IntegerLaw):
    """A law with the fields ``probability`` and ``complement``, of which the second may be None."""

    __slots__ = ()
    probability: Any
    complement: Any

    def _demand_probabilities(self, *, positive: bool = False) -> None:
        function = type(self).__name__
        probability(self.probability, function, positive=positive)
        if self.complement is not None:
            probability(self.complement, function, name="complement")
            tensors = {k: v for k, v in self.parameters().items() if is_tensor(v)}
            same_library(function, **tensors)
            if values_are_readable(self.probability, self.complement):
                _sum_to_one(function, self.probability, self.complement)

    def parameters(self) -> dict[str, Any]:
        given = super().parameters()
        return {name: value for name, value in given.items() if value is not None}

    def masses(self, model: Any) -> tuple[Array, Array]:
        """The probabilities of success and failure in float64, in the library of ``model``."""
        p = own(self.probability, model)
        return p, 1.0 - p if self.complement is None else own(self.complement, model)

    def _two(self) -> tuple[float, float]:
        """The same off the graph."""
        p = float(detach(self.probability))
        return p, 1.0 - p if self.complement is None else float(detach(self.complement))


def _sum_to_one(function: str, first: Any, second: Any) -> None:
    total = float(detach(first)) + float(detach(second))
    single = mass_tolerance(np.dtype(np.float32), 2)  # tensors may be in single precision
    if abs(total - 1.0) > single:
        refuse(function, "probability and complement", "sum to 1", repr(total))


def log_share(xp: Namespace, share: Array, rest: Array) -> Array:
    """The log of one of two probabilities that sum to 1, from the smaller."""
    small = rest < 0.5
    value = xp.where(small, xp.log1p(-xp.where(small, rest, 0.0)), log_positive(xp, share))
    return xp.where(share > 0, value, -math.inf)


def bernoulli_difference(xp: Namespace, p: tuple[Array, Array], q: tuple[Array, Array]) -> Array:
    """The difference of the probabilities of 1, from those of 0 where these are smaller."""
    return xp.where(p[0] + q[0] > 1.0, q[1] - p[1], p[0] - q[0])
