r"""Wasserstein-1 on the line between the bands of two distribution functions.

.. math:: W_1(P, Q) = \int |F(t) - G(t)| \, dt ,

and where F lies in [L_F, U_F] and G in [L_G, U_G], the integrand lies between
max(0, L_F - U_G, L_G - U_F) and max(U_F - L_G, U_G - L_F). Beyond the data the first is 0, whatever
the laws; the second is not, so an upper bound needs to know where the laws end.
"""

import math

import numpy as np

from .._typing import Float64Array
from ._bands import band


def line_bounds(
    x: Float64Array,
    y: Float64Array,
    risk: float,
    support: tuple[float, float] | None,
    diameter: float | None,
) -> tuple[float, float]:
    """Lower and upper bound of W1 that hold together with probability 1 - risk; x, y vectors.

    Parameters
    ----------
    support : the interval that carries both laws, or None
    diameter : the length of an interval, its place unknown, that carries both laws, or None
    """
    x, y = np.sort(x), np.sort(y)
    exponent = int(np.frexp(max(np.abs(x).max(), np.abs(y).max()))[1])
    x, y = np.ldexp(x, -exponent), np.ldexp(y, -exponent)
    places = np.unique(np.concatenate([x, y]))
    bounds = [
        (lower[counts], upper[counts])
        for sample in (x, y)
        for lower, upper in [band(sample.size, risk / 2)]
        for counts in [np.concatenate([[0], np.searchsorted(sample, places, side="right")])]
    ]
    (low_f, high_f), (low_g, high_g) = bounds
    apart = np.maximum(np.maximum(low_f - high_g, low_g - high_f), 0.0)
    most = np.maximum(high_f - low_g, high_g - low_f)
    steps = np.diff(places)
    below = float(np.dot(apart[1:-1], steps))
    inside = float(np.dot(most[1:-1], steps))
    above = math.inf
    if support is not None:
        left = places[0] - math.ldexp(support[0], -exponent)
        right = math.ldexp(support[1], -exponent) - places[-1]
        above = inside + float(most[0] * left + most[-1] * right)
    if diameter is not None:
        beyond = math.ldexp(diameter, -exponent) - float(places[-1] - places[0])
        above = min(above, inside + float(max(most[0], most[-1])) * max(beyond, 0.0))
    return _scaled(below, exponent), _scaled(above, exponent)


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf
