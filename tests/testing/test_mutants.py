"""The kill table: every planted fault fails a law, with its diagnosis."""

import pytest

from divergences.testing import laws

from .mutants import EASY, FIELD

MUTANTS = [*FIELD, *EASY]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.fault for mutant in MUTANTS])
def test_a_planted_fault_is_killed_and_named(mutant):
    report = laws.check(mutant.function, **{"max_examples": 30, **mutant.options})
    assert not report.ok, mutant.fault
    assert mutant.diagnosis in " | ".join(failure.diagnosis for failure in report.failures)
    for failure in report.failures:
        assert failure.law in report.laws
        assert failure.law in str(report)
