"""Divergences of laws on the line by quadrature, and of laws on the integers by summation."""

from . import _integers as integers
from ._densities import of_densities

__all__ = ["integers", "of_densities"]
