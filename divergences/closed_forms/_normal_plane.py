r"""Total variation of two normal laws that differ in two independent coordinates.

With the second law standard, the log-ratio of the densities is a sum of two quadratics,
:math:`g_1(x_1) + g_2(x_2)`. The line through a fixed :math:`x_2` meets the set where it is positive
in an interval or outside one, whose masses are differences of normal distribution functions:

.. math:: \delta(P, Q) = \int p_2(x_2)\, P_1(A_{x_2}) - q_2(x_2)\, Q_1(A_{x_2})\, dx_2, \qquad
    A_{x_2} = \{x_1 : g_1(x_1) > -g_2(x_2)\} .

The integrand is smooth but where the interval vanishes, like the root of the distance there;
Gauss-Legendre panels are graded towards these places. The error is of the order of rounding.
"""

import numpy as np

from .._special import legendre
from .._typing import Float64Array
from ._normal import REACH, _roots

GRADES = 2.0 ** -np.arange(-6.0, 50.0)
STEP = 0.25


def total_variation(shift: Float64Array, excess: Float64Array) -> float:
    """TV of N(shift, diag(1 + excess)) and the standard law in the plane; excess[0] is not 0."""
    std = np.sqrt(1.0 + excess)
    first, second = (_log_ratio(d, e, s) for d, e, s in zip(shift, excess, std, strict=True))
    turn = first[2] - first[1] ** 2 / (4.0 * first[0])  # g_1 where it turns
    kinks = _roots(second[0], second[1], second[2] + turn)
    nodes, weights = _nodes(float(shift[1]), float(std[1]), kinks)
    level = np.polyval(second, nodes) + turn  # g_1 + g_2 over the point where g_1 turns
    centre = -first[1] / (2.0 * first[0])
    reach = np.sqrt(np.maximum(-level / first[0], 0.0))
    of_p = _inside((centre - shift[0]) / std[0], reach / std[0])
    of_q = _inside(centre, reach)
    if first[0] > 0.0:
        of_p, of_q = 1.0 - of_p, 1.0 - of_q
    p = np.exp(-0.5 * ((nodes - shift[1]) / std[1]) ** 2) / std[1]
    q = np.exp(-0.5 * nodes**2)
    value = float(np.sum(weights * (p * of_p - q * of_q))) / np.sqrt(2.0 * np.pi)
    return min(max(float(value), 0.0), 1.0)


def _log_ratio(shift: float, excess: float, std: float) -> Float64Array:
    """The log of N(shift, 1 + excess) to N(0, 1), as coefficients of a polynomial."""
    variance = std * std
    constant = -0.5 * shift * shift / variance - 0.5 * np.log1p(excess)
    return np.array([0.5 * excess / variance, shift / variance, constant])


def _inside(centre: float, reach: Float64Array) -> Float64Array:
    """The standard normal mass of centre -+ reach."""
    from scipy.special import ndtr

    size = abs(centre)
    return np.asarray(ndtr(reach - size) - ndtr(-reach - size))


def _nodes(shift: float, std: float, kinks: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Panels over both laws, and towards the kinks, beyond them too: there is nothing to add."""
    own = np.arange(-REACH, REACH + STEP, STEP)
    edges = [own, shift + std * own]
    edges += [np.concatenate([kink - GRADES, [kink], kink + GRADES]) for kink in kinks]
    places = np.unique(np.concatenate(edges))
    x, w = legendre()
    half = 0.5 * np.diff(places)[:, None]
    nodes = (places[:-1, None] + half) + half * x
    return nodes.ravel(), (half * w).ravel()
