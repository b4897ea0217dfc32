"""The paper's claims as data, each with a check on seeded problems.

`ALL` is the tuple of claims, `check_all` runs their checks, `check_case` draws one case again, and
`refute` runs the false variants of a claim, which the same check has to reject. On the command
line: ``python -m divergences theorems``.

>>> from divergences.theorems import check_all
>>> [(result.id, result.verdict) for result in check_all("theorem_2_1", cases=20)]
[('theorem_2_1', 'pass')]
"""

from ._claim import Claim, ClaimResult, FalseVariant, Relation, Witness
from ._registry import ALL, check_all, check_case, refute

__all__ = [
    "ALL",
    "Claim",
    "ClaimResult",
    "FalseVariant",
    "Relation",
    "Witness",
    "check_all",
    "check_case",
    "refute",
]
