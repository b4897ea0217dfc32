r"""Two generators on which statements of Theorem 1 fail as the paper puts them (E4 and E6)."""

import math

import numpy as np

from .. import Discrete
from .._typing import Float64Array

CELLS = 2000
"""Into how many cells of equal length (0, t) is cut."""


def tall_bump(t: float, *, cap: float = math.inf, cells: int = 64) -> Discrete:
    r"""The law of g_t(Z) = phi(Z/t)/t, phi(u) = 2 sin^2(pi u) on (0, 1) and 0 outside, Z ~ U(0,1).

    ``cells`` equal cells of (0, t), each at its middle: sums of cos over them vanish exactly, so
    the mean of g_t is 1, as in the continuum. ``cap`` cuts g_t off, which makes X compact.
    """
    middle = (np.arange(cells) + 0.5) / cells
    heights = np.minimum(2.0 * np.sin(math.pi * middle) ** 2 / t, cap)
    return Discrete(np.append(heights, 0.0), np.append(np.full(cells, t / cells), 1.0 - t))


def logarithmic_mass(z: Float64Array) -> Float64Array:
    """P(Z < z) = 1/(1 + log(1/z)) on (0, 1]."""
    return np.asarray(1.0 / (1.0 - np.log(z)))


def flat_bump(t: float) -> tuple[Discrete, float]:
    r"""The law of g_t(Z) = sin^2(pi Z/t) on Z < t and 0 elsewhere, and how far W may be off.

    Z has the distribution function of `logarithmic_mass`. Each cell of (0, t) puts its exact mass
    at its middle: a value is off by at most pi/(2 CELLS), and W by P(Z < t) times that.
    """
    edges = np.arange(1, CELLS + 1) / CELLS * t
    below = np.concatenate([[0.0], logarithmic_mass(edges)])
    heights = np.sin(math.pi * (np.arange(CELLS) + 0.5) / CELLS) ** 2
    masses = np.append(np.diff(below), 1.0 - below[-1])
    law = Discrete(np.append(heights, 0.0), masses / masses.sum())
    return law, float(below[-1]) * math.pi / (2 * CELLS)
