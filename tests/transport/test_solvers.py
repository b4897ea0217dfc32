"""The line's potential and the simplex's rounding of masses, beyond what public results show."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from divergences.transport import CertificateError, _certificate, _line, _simplex, _small_matrix
from divergences.transport._clock import Clock
from divergences.transport._masses import Marginals, in_units, marginals


def exact_potential(x, y):
    """The integral of sign(G - F) over the merged atoms of two uniform laws, in rationals."""
    atoms = sorted([(Fraction(z), Fraction(1, x.size)) for z in x.tolist()]
                   + [(Fraction(z), -Fraction(1, y.size)) for z in y.tolist()])  # fmt: skip
    height = excess = Fraction(0)
    heights = {atoms[0][0]: height}
    for (here, mass), (following, _) in pairwise(atoms):
        excess += mass
        height += (following - here) * ((excess < 0) - (excess > 0))
        heights[following] = height
    return heights


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_no_rounding_accumulates_in_the_potential(offset):
    rng = np.random.default_rng(0)
    # F - G changes between 0 and positive at every atom; differences from the first are inexact.
    z = np.concatenate([[-1.0], np.sort(rng.random(5999))]) + offset
    x, y = z[0::2], z[1::2]
    found = _line.potential(x, y, marginals(None, x.size, None, y.size))
    heights = exact_potential(x, y)
    truth = [heights[Fraction(value)] for value in np.concatenate([x, y]).tolist()]
    middle = (max(truth) + min(truth)) / 2
    error = max(abs(Fraction(f) - (t - middle)) for f, t in zip(found.tolist(), truth, strict=True))
    assert error <= Fraction(z[-1] - z[0]) * Fraction(2, 2**53)


@pytest.mark.parametrize("light", [1e-17, 1e-15, 1e-300])
def test_masses_in_units_balance(light):
    weights = np.full(3000, light)
    weights[7] = 1.0
    masses = marginals(None, 2, weights, weights.size)
    rows, columns = in_units(masses, 2**52)
    assert rows.sum() == columns.sum()
    assert rows.min() >= 0
    assert columns.min() >= 0
    unit = 1 / rows.sum()
    assert abs(rows * unit - 0.5).max() <= 3000 * unit
    assert abs(columns * unit - weights / weights.sum()).max() <= 3000 * unit


def test_the_tolerance_allows_for_the_rounding_of_subnormal_answers():
    assert _certificate.tolerance(0.0, 5e-324) >= 4 * 5e-324


def test_small_totals_are_not_rounded():
    masses = marginals(None, 6, None, 4)
    rows, columns = in_units(masses, 2**52)
    assert rows.tolist() == [2] * 6
    assert columns.tolist() == [3] * 4


def test_refinement_reaches_the_optimum_exactly():
    rng = np.random.default_rng(1)
    cost = np.hypot(*(rng.normal(size=(2, 80, 1)) - rng.normal(size=(2, 1, 80))))
    masses = marginals(None, 80, None, 80)
    candidates = _simplex.solve(cost, masses, Clock())
    excesses = []
    for _, candidate in zip(range(2), candidates, strict=False):
        flow = candidate.flow
        excesses.append((flow.mass * candidate.slack[flow.source, flow.target]).sum())
    assert excesses[1] <= 1e-16 * cost.mean()
    assert candidate.slack.min() >= 0


def test_an_ending_that_is_no_optimum_is_an_error(monkeypatch):
    import ot

    def unbounded(*arguments, **keywords):
        return np.zeros((2, 2)), {"result_code": 2, "warning": "Problem unbounded", "u": 0, "v": 0}

    monkeypatch.setattr(ot, "emd", unbounded)
    monkeypatch.setattr(_small_matrix, "MOST_PAIRS_COMPILED", 0)
    masses = Marginals(np.array([1, 1]), np.array([1, 1]), 2)
    with pytest.raises(CertificateError, match="unbounded"):
        next(_simplex.solve(np.array([[0.0, 1.0], [3.0, 1.5]]), masses, Clock()))
