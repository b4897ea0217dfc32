"""Laws that divergences, metrics, estimators, intervals, solvers, generators, critics obey.

`check` runs them on a function of yours and reports the smallest counterexamples; `assert_holds`
raises with that report; `check_critic` and `check_generator` are for torch modules.

Needs Hypothesis (``pip install "divergences[testing]"``), loaded when a check runs.
"""

from ._check import KINDS, assert_holds, check
from ._law import LawFailure, LawReport
from ._modules import check_critic, check_generator

__all__ = [
    "KINDS",
    "LawFailure",
    "LawReport",
    "assert_holds",
    "check",
    "check_critic",
    "check_generator",
]
