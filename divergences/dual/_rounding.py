"""Arithmetic of bounds: float64, every result rounded towards infinity.

A correctly rounded result lies within half a unit in the last place of the exact one, so the next
float above it is an upper bound. All arguments are non-negative.
"""

import math


def up(value: float) -> float:
    """The next float above; 0 stays 0, for an exact zero needs no room."""
    return math.nextafter(value, math.inf) if value else 0.0


def product_up(*factors: float) -> float:
    """Upper bound of a product. One exact zero makes it zero, whatever overflowed elsewhere."""
    if 0.0 in factors:
        return 0.0
    bound = 1.0
    for factor in factors:
        # exact where one of the two is 1: the bound of a chain of activations stays 1
        if factor != 1.0:
            bound = factor if bound == 1.0 else math.nextafter(bound * factor, math.inf)
    return bound


def sum_up(*terms: float) -> float:
    """Upper bound of a sum."""
    bound = 0.0
    for term in terms:
        if term:
            bound = math.nextafter(bound + term, math.inf) if bound else term
    return bound


def quotient_up(numerator: float, denominator: float) -> float:
    """Upper bound of a quotient; the denominator is positive and taken as exact."""
    return up(numerator / denominator)


def root_up(value: float) -> float:
    """Upper bound of a square root; exact where the root is a float."""
    root = math.sqrt(value)
    if root.is_integer() and root < 2.0**26 and root * root == value:
        return root
    return up(root)
