"""Divergences of laws on the line by quadrature, and of laws on the integers by summation."""

from . import _integers as integers
from ._densities import of_densities
from ._log_ratio import log_ratio
from ._matching import Term, matched

__all__ = ["Term", "integers", "log_ratio", "matched", "of_densities"]
