"""Estimates that depend on a method, which their names say; none is a bound."""

from ._kl_knn import kl_knn
from ._ties import TiesError

__all__ = ["TiesError", "kl_knn"]
