"""wasserstein1_bracket: always an enclosure, in about the time given, closed once solved."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divergences import Bracket, Discrete, wasserstein1, wasserstein1_bracket
from divergences.transport import _choose, _low_dimension

METRICS = ["euclidean", "cityblock", "chebyshev", ("minkowski", 3.0), "angular"]


def city(p, q):
    return abs(p[:, None, :] - q[None, :, :]).sum(-1)


def encloses(bracket, value):
    assert isinstance(bracket, Bracket)
    assert 0 <= bracket.lower <= bracket.upper < math.inf
    assert bracket.lower <= value * (1 + 1e-12)
    assert bracket.upper >= value * (1 - 1e-12)


@given(st.integers(0, 2**32), st.sampled_from(METRICS), st.integers(1, 4), st.booleans())
def test_encloses_whether_solved_or_not(seed, metric, dimension, weighted):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, dimension)), rng.normal(size=(5, dimension)) + 1
    if weighted:
        y[:2] = x[:2]
    a, b = (rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(5))) if weighted else (None, None)
    value = wasserstein1(x, y, a, b, metric=metric)
    solved = wasserstein1_bracket(x, y, a, b, metric=metric, seconds=20)
    encloses(solved, value)
    assert solved.upper == pytest.approx(value, rel=1e-12)
    assert solved.upper - solved.lower <= 1e-9 * value + 1e-12
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("divergences._bracket.within", lambda seconds, work: None)
        encloses(wasserstein1_bracket(x, y, a, b, metric=metric, seconds=1), value)
        encloses(wasserstein1_bracket(x, y, a, b, metric=city, seconds=1),
                 wasserstein1(x, y, a, b, metric="cityblock"))  # fmt: skip


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200])
def test_at_the_ends_of_the_range(scale):
    x, y = np.array([[1.0, 2.0], [3.0, 1.0]]) * scale, np.array([[2.0, 2.0], [5.0, 2.0]]) * scale
    bracket = wasserstein1_bracket(x, y, seconds=20)
    encloses(bracket, wasserstein1(x, y))


def test_equal_laws():
    x = np.random.default_rng(0).normal(size=(50, 3))
    bracket = wasserstein1_bracket(x, x[::-1], seconds=20)
    assert bracket.lower == 0.0
    assert bracket.upper <= 1e-12


def test_laws_and_tensors():
    x, y = torch.randn(6, 2, dtype=torch.float64, requires_grad=True), torch.zeros(3, 2).double()
    bracket = wasserstein1_bracket(x, y, seconds=20)
    assert type(bracket.lower) is type(bracket.upper) is float
    encloses(bracket, float(wasserstein1(x.detach(), y)))
    encloses(wasserstein1_bracket(Discrete([0.0]), Discrete([2.0]), seconds=1), 2.0)


def test_returns_in_time_though_the_solver_does_not(monkeypatch):
    def asleep(*_arguments):
        time.sleep(3)
        raise AssertionError

    monkeypatch.setattr(_choose._simplex, "solve", asleep)
    monkeypatch.setattr(_low_dimension, "solve", asleep)
    x, y = np.random.default_rng(1).normal(size=(2, 300, 3))
    began = time.monotonic()
    bracket = wasserstein1_bracket(x, y, seconds=0.2)
    assert time.monotonic() - began < 2.5
    monkeypatch.undo()
    encloses(bracket, wasserstein1(x, y))


@pytest.mark.parametrize(
    ("error", "parameter", "keywords"),
    [
        (ValueError, "seconds", {"seconds": 0.0}),
        (ValueError, "seconds", {"seconds": math.nan}),
        (TypeError, "seconds", {"seconds": "1"}),
        (ValueError, "metric", {"seconds": 1.0, "metric": "cosine"}),
        (ValueError, "x_weights", {"seconds": 1.0, "x_weights": [0.5]}),
    ],
)
def test_refusals(error, parameter, keywords):
    with pytest.raises(error, match=f"wasserstein1_bracket: .*{parameter}"):
        wasserstein1_bracket([0.0], [1.0], **keywords)
