r"""What a claim is: data, and a check of one seeded case.

A check answers with *relations* between numbers that the library computed. Each carries the
rounding it is allowed, its budget, and from it follows its *slack*:

- of lhs <= rhs + budget: ``(rhs + budget - lhs) / max(|lhs|, |rhs|, budget)``, from -2 to 2;
  0 where the inequality is just met, 1 where lhs is negligible;
- of lhs == rhs within budget: ``1 - |lhs - rhs| / budget``, at most 1; 1 where the two are equal
  to the bit, 0 where the budget is used up.

A relation holds if its slack is not negative. A NaN anywhere makes the slack NaN, which fails.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

Verdict: TypeAlias = Literal["pass", "fail", "skip"]

ULP = 2.0**-52


@dataclass(frozen=True)
class Relation:
    """One inequality or equality between two computed numbers.

    Attributes
    ----------
    name : str, what is compared, for a reader
    lhs, rhs : float, may be infinite
    budget : float, the rounding allowed; absolute, not negative
    kind : "<=" or "=="
    """

    name: str
    lhs: float
    rhs: float
    budget: float = 0.0
    kind: Literal["<=", "=="] = "<="

    @property
    def slack(self) -> float:
        """How much room is left, in the units of the module's docstring; NaN is a failure."""
        lhs, rhs, budget = float(self.lhs), float(self.rhs), float(self.budget)
        if any(math.isnan(number) for number in (lhs, rhs, budget)) or budget < 0:
            return math.nan
        if math.isinf(budget):
            return math.nan  # a budget that allows everything checks nothing
        if self.kind == "==":
            return _equality_slack(lhs, rhs, budget)
        return _inequality_slack(lhs, rhs, budget)

    @property
    def holds(self) -> bool:
        """Whether the relation is true within its budget."""
        return self.slack >= 0.0


def _equality_slack(lhs: float, rhs: float, budget: float) -> float:
    if lhs == rhs:
        return 1.0
    difference = abs(lhs - rhs)
    return 1.0 - difference / budget if budget > 0 else -math.inf


def _inequality_slack(lhs: float, rhs: float, budget: float) -> float:
    if math.isinf(lhs) or math.isinf(rhs):
        return 0.0 if lhs == rhs else (1.0 if lhs < rhs else -1.0)
    scale = max(abs(lhs), abs(rhs), budget)
    return rhs / scale - lhs / scale + budget / scale if scale > 0 else 0.0


def at_most(name: str, lhs: float, rhs: float, budget: float = 0.0) -> Relation:
    """The relation ``lhs <= rhs + budget``."""
    return Relation(name, float(lhs), float(rhs), float(budget), "<=")


def equal(name: str, lhs: float, rhs: float, budget: float = 0.0) -> Relation:
    """The relation ``|lhs - rhs| <= budget`` (exact equality where the budget is 0)."""
    return Relation(name, float(lhs), float(rhs), float(budget), "==")


Check: TypeAlias = Callable[[np.random.Generator, int], tuple[Relation, ...]]


@dataclass(frozen=True)
class FalseVariant:
    """A false statement close to a claim, in the claim's own terms: its check must fail.

    Attributes
    ----------
    statement : str, one line: the wrong constant, the wrong direction or the hypothesis dropped
    check : callable (rng, index) -> relations, as a claim's
    """

    statement: str
    check: Check


@dataclass(frozen=True)
class Claim:
    """One statement of the literature, in words, as a formula and as a check.

    Attributes
    ----------
    id : str, the name by which the command line and the docs know it
    title : str, a few words
    statement : str, LaTeX, the claim as its source states it
    summary : str, one line for a terminal, at most 50 characters
    inequality : str, LaTeX, the quantitative form that is checked
    source : str, where it stands (sections are those of arXiv:1701.07875)
    hypotheses : tuple of str, what the claim supposes
    domain : str, the problems on which it is checked
    cases : int, how many cases a default run draws
    check : callable (rng, index) -> relations
        Draws case ``index`` from ``rng`` and returns its relations, one or more. The index lets a
        check visit a list of extreme values before random ones.
    false_variants : tuple of FalseVariant
        At least one: what runs the claim must refute them, or the claim's own check says nothing.
    requires : tuple of str, optional libraries without which the claim is skipped
    explanation : str, for an erratum what the paper says and what holds instead
    """

    id: str
    title: str
    statement: str
    summary: str
    inequality: str
    source: str
    hypotheses: tuple[str, ...]
    cases: int
    check: Check
    domain: str
    false_variants: tuple[FalseVariant, ...]
    requires: tuple[str, ...] = ()
    explanation: str = ""


@dataclass(frozen=True)
class Witness:
    """The relation with the least slack of a run, and how to draw its case again.

    ``divergences.theorems.check_case(id, index, seed=seed)`` returns all relations of that case.
    """

    index: int
    relation: Relation


@dataclass(frozen=True)
class ClaimResult:
    """What a run of one claim found.

    Attributes
    ----------
    id, statement : str, of the claim (the statement in its one-line form)
    cases : int, how many cases ran
    worst_slack : float, the least slack of all relations of all cases (NaN if one was NaN, or if
        nothing ran)
    verdict : "pass", "fail" or "skip" (a library that the claim needs is missing)
    seed : int
    worst_case : Witness, or None where nothing ran
    """

    id: str
    statement: str
    cases: int
    worst_slack: float
    verdict: Verdict
    seed: int
    worst_case: Witness | None
