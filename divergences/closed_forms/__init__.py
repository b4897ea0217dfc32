"""Formulas for pairs of laws: of one family, of two families, in R^d."""

from . import _normal as normal
from . import _one_family as one_family
from . import _several as several
from . import _two_families as two_families

__all__ = ["normal", "one_family", "several", "two_families"]
