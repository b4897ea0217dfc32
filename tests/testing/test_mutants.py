"""The kill table: every planted fault fails a law, with its diagnosis."""

import numpy as np
import pytest

from divergences.testing import laws

from .mutants import EASY, FIELD
from .subtle_mutants import SUBTLE

MUTANTS = [*FIELD, *EASY]


def _killed(mutant, **more):
    report = laws.check(mutant.function, **{"max_examples": 30, **more, **mutant.options})
    assert not report.ok, mutant.fault
    assert mutant.diagnosis in " | ".join(failure.diagnosis for failure in report.failures)
    for failure in report.failures:
        assert failure.law in report.laws
        assert failure.law in str(report)
    return report


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.fault for mutant in MUTANTS])
def test_a_planted_fault_is_killed_and_named(mutant):
    _killed(mutant)


@pytest.mark.parametrize("mutant", SUBTLE, ids=[mutant.fault for mutant in SUBTLE])
def test_a_subtle_fault_is_killed_by_a_small_example(mutant):
    report = _killed(mutant, max_examples=15)
    if mutant.options["kind"] != "estimator":
        smallest = min(_size(failure.example) for failure in report.failures)
        assert smallest <= 8, report


def _size(example):
    return sum(value.size for value in example.values() if isinstance(value, np.ndarray))
