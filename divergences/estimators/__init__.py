"""Estimates that depend on a method, which their names say; none is a bound.

Bounds that hold with a stated probability are in `divergences.intervals`.
"""

from ._kl_knn import kl_knn
from ._ties import TiesError

__all__ = ["TiesError", "kl_knn"]
