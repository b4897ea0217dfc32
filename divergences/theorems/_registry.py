"""The list of claims, and what runs it."""

import hashlib
import importlib.util
import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .._validation import progress_bar
from . import (
    _clipping,
    _clipping_steps,
    _corollary_1,
    _counterexamples,
    _critics,
    _duality,
    _errata,
    _example_1,
    _f_divergences,
    _figures,
    _frozen_critic,
    _gans,
    _ipms,
    _likelihood,
    _supports,
    _theorem_1,
    _theorem_2,
    _theorem_3,
    _topology,
    _torch_generators,
)
from ._claim import Claim, ClaimResult, Relation, Witness

ALL: tuple[Claim, ...] = (
    *_example_1.CLAIMS,
    *_figures.CLAIMS,
    *_theorem_1.CLAIMS,
    *_corollary_1.CLAIMS,
    *_torch_generators.CLAIMS,
    *_theorem_2.CLAIMS,
    *_topology.CLAIMS,
    *_duality.CLAIMS,
    *_theorem_3.CLAIMS,
    *_critics.CLAIMS,
    *_clipping.CLAIMS,
    *_clipping_steps.CLAIMS,
    *_frozen_critic.CLAIMS,
    *_supports.CLAIMS,
    *_likelihood.CLAIMS,
    *_f_divergences.CLAIMS,
    *_ipms.CLAIMS,
    *_gans.CLAIMS,
    *_errata.CLAIMS,
    *_counterexamples.CLAIMS,
)
"""Every claim that is checked: definitions and theorems, the rest, errata, counterexamples."""


def case_generator(claim_id: str, index: int, seed: int) -> np.random.Generator:
    """The generator of one case: a function of seed, id and index alone."""
    name = int.from_bytes(hashlib.sha256(claim_id.encode()).digest()[:8], "big")
    return np.random.default_rng(np.random.SeedSequence([seed, name, index]))


def check_case(claim_id: str, index: int, *, seed: int = 0) -> tuple[Relation, ...]:
    """All relations of one case of one claim.

    Parameters
    ----------
    claim_id : str, one of the ids in `ALL`
    index : int, the number of the case, from 0
    seed : int, default 0

    Returns
    -------
    tuple of Relation
        The same ones for the same arguments, whatever ran before.

    Raises
    ------
    TypeError, ValueError
        If no claim has this id, or index or seed is not a non-negative integer.

    Examples
    --------
    >>> from divergences import theorems
    >>> print(theorems.check_case("example_1", 0)[0].name)
    W1 = |theta|
    """
    (claim,) = _claims([claim_id], "check_case")
    index = _integer(index, "index", 0, "check_case")
    seed = _integer(seed, "seed", 0, "check_case")
    return claim.check(case_generator(claim.id, index, seed), index)


def check_all(
    ids: Iterable[str] | str | None = None,
    *,
    cases: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> tuple[ClaimResult, ...]:
    """Check claims of the paper on seeded problems.

    Parameters
    ----------
    ids : iterable of str, or one str, optional
        Which claims; all of them by default. The results come in the order of `ALL`.
    cases : int, optional
        How many cases to draw for each claim; each claim's own number by default.
    seed : int, default 0
        Case i of a claim depends on (seed, id, i) and on nothing else.
    progress : bool, default False
        Show a bar of tqdm's on standard error, with the claim that is being checked.

    Returns
    -------
    tuple of ClaimResult
        A claim passes if all relations of all its cases hold. It fails otherwise, also where a
        number is NaN, where the library raises, or where a case yields no relation. It is skipped
        where an optional library it is about is not installed.

    Raises
    ------
    TypeError, ValueError
        If an id is unknown (the message lists those there are), ids is empty, cases is not a
        positive integer or seed not a non-negative one.
    ImportError
        If progress is True and tqdm is missing.

    Examples
    --------
    >>> from divergences import theorems
    >>> [result] = theorems.check_all("theorem_2_3", cases=5)
    >>> result.verdict, result.worst_slack >= 0
    ('pass', True)
    """
    claims = _claims(ids, "check_all")
    seed = _integer(seed, "seed", 0, "check_all")
    if cases is not None:
        cases = _integer(cases, "cases", 1, "check_all")
    if not progress_bar(progress, "check_all"):
        return tuple(run(claim, cases=cases or claim.cases, seed=seed) for claim in claims)
    from tqdm import tqdm

    results = []
    with tqdm(total=sum(cases or claim.cases for claim in claims), unit="case") as bar:
        for claim in claims:
            bar.set_description_str(claim.id)
            count = cases or claim.cases
            results.append(run(claim, cases=count, seed=seed, tick=bar.update))
            bar.update(count - results[-1].cases)
    return tuple(results)


def refute(claim_id: str, *, cases: int | None = None, seed: int = 0) -> tuple[ClaimResult, ...]:
    """Run the false variants of a claim: a check that cannot refute them would be vacuous.

    Parameters
    ----------
    claim_id : str, one of the ids in `ALL`
    cases : int, optional
        How many cases to draw for each at most; the claim's own number by default.
    seed : int, default 0

    Returns
    -------
    tuple of ClaimResult
        One for each of ``claim.false_variants``, in their order; ``statement`` is the variant's,
        ``verdict`` is "fail" where it is refuted, and ``worst_case`` the first case that does so.

    Raises
    ------
    TypeError, ValueError
        As `check_all` does.

    Examples
    --------
    >>> from divergences import theorems
    >>> [(found.statement, found.verdict) for found in theorems.refute("theorem_2_4")][0]
    ('W <= diam TV / 2', 'fail')
    """
    (claim,) = _claims([claim_id], "refute")
    seed = _integer(seed, "seed", 0, "refute")
    count = claim.cases if cases is None else _integer(cases, "cases", 1, "refute")
    false = [
        replace(claim, summary=variant.statement, check=variant.check)
        for variant in claim.false_variants
    ]
    return tuple(run(variant, cases=count, seed=seed, to_the_end=False) for variant in false)


def run(
    claim: Claim,
    *,
    cases: int,
    seed: int,
    to_the_end: bool = True,
    tick: Callable[[], object] | None = None,
) -> ClaimResult:
    """Check ``cases`` cases of one claim, or as many as lead to a failure; ``tick`` after each."""
    if not all(importlib.util.find_spec(library) for library in claim.requires):
        return ClaimResult(claim.id, claim.summary, 0, math.nan, "skip", seed, None)
    worst: Witness | None = None
    drawn = 0
    for index in range(cases):
        if worst is not None and not worst.relation.holds and not to_the_end:
            break
        drawn += 1
        for relation in _relations(claim, index, seed):
            if worst is None or _rank(relation) < _rank(worst.relation):
                worst = Witness(index, relation)
        if tick is not None:
            tick()
    slack = worst.relation.slack if worst else math.nan
    verdict = "pass" if slack >= 0 else "fail"
    return ClaimResult(claim.id, claim.summary, drawn, slack, verdict, seed, worst)  # type: ignore[arg-type]


def _relations(claim: Claim, index: int, seed: int) -> tuple[Relation, ...]:
    """The relations of a case; an exception or an empty case counts as one that fails."""
    try:
        relations = claim.check(case_generator(claim.id, index, seed), index)
    except Exception as error:  # one broken claim must not hide what the others find
        return (Relation(f"raised {type(error).__name__}: {error}", math.nan, math.nan),)
    return relations or (Relation("the case compared nothing", math.nan, math.nan),)


def _rank(relation: Relation) -> float:
    return -math.inf if math.isnan(relation.slack) else relation.slack


def _claims(ids: Iterable[str] | str | None, function: str) -> tuple[Claim, ...]:
    if ids is None:
        return ALL
    wanted = [ids] if isinstance(ids, str) else list(ids)
    known = [claim.id for claim in ALL]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        arrived = ", ".join(map(repr, unknown)) or "none"
        message = f"{function}: ids must be among {', '.join(known)}; got {arrived}"
        raise ValueError(message)
    return tuple(claim for claim in ALL if claim.id in wanted)


def _integer(value: Any, parameter: str, least: int, function: str) -> int:
    requirement = "a positive integer" if least == 1 else "a non-negative integer"
    message = f"{function}: {parameter} must be {requirement}; got {value!r}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(message)
    if value < least:
        raise ValueError(message)
    return int(value)
