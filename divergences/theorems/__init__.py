"""The paper's claims as data, each with a check on seeded problems.

`ALL` is the list; `check_all` runs it; `python -m divergences theorems` prints what it finds.
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
