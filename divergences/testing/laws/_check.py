"""``check`` and what it is made of, by kind."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._validation import describe, one_of, refuse
from . import _coupling, _distance, _f_divergence, _reference, _statistics
from ._batches import batch_law
from ._diagnosis import diagnose
from ._domain import DOMAINS, VECTOR_PROBE, Domain, decide
from ._gradient import gradient_law
from ._law import Law, LawFailure, LawReport
from ._modules import check_critic, check_generator
from ._search import search
from ._subject import Subject, library_of, library_that_runs, name_of

KINDS = (
    "f-divergence",
    "metric",
    "ipm",
    "estimator",
    "interval",
    "coupling-solver",
    "generator",
    "critic",
)
"""What a function can be checked as: see `check`."""


WRITES = "it writes into its arguments (it was given copies)"


@dataclass(frozen=True)
class _Plan:
    """A function with the laws it is to obey."""

    subject: Subject
    laws: tuple[Law, ...]
    domain: Domain | None
    notes: tuple[str, ...] = ()


def check(
    fn: Callable[..., Any],
    *,
    kind: str,
    reference: Any = None,
    max_examples: int = 200,
    seed: int = 0,
    domain: str | None = None,
    batch: bool = False,
) -> LawReport:
    r"""Check a function against the laws that every member of its kind obeys.

    ================== ===================================== ===================================
    kind               how ``fn`` is called                  what it is
    ================== ===================================== ===================================
    "f-divergence"     ``fn(p, q)``, probability vectors      sum q f(p/q), f convex, f(1) = 0
    "metric"           ``fn(p, q)`` or ``fn(x, y)``           a distance of laws
    "ipm"              ``fn(p, q)`` or ``fn(x, y)``           sup over f in F of E_P f - E_Q f
    "estimator"        ``fn(x, y)``, samples (n,) or (n, 1)   an estimate of a divergence
    "interval"         ``fn(x, y, level)``, samples in [0,1]  a pair, or .lower and .upper
    "coupling-solver"  ``fn(cost, a, b)``, ``fn(a, b, M)``    an optimal plan (n, m), or .plan
    "generator"        ``fn(z)``, a torch module              see `check_generator`
    "critic"           ``fn(x)``, a torch module              see `check_critic`
    ================== ===================================== ===================================

    Only what *every* member of the kind satisfies can fail a function: half of KL is an
    f-divergence, twice total variation is a metric. A ``reference`` demands equality with a known
    quantity on top of that, and there scale, base, order of arguments and silent normalisation
    count.

    Parameters
    ----------
    fn : callable
        Takes NumPy arrays, or torch tensors where it refuses those; answers with one real number
        (a 0-d tensor counts). Metrics and ipms whose first parameter is called ``p`` get
        probability vectors, those with ``x`` samples; where the name says nothing, or ``fn``
        refuses that, small probes decide, and the report notes what was decided.
    kind : str
        One of `KINDS`.
    reference : str or callable, optional
        "kl_divergence", "js_divergence", "js_distance", "total_variation", "wasserstein1",
        "wasserstein2", or a function called as ``fn`` is. For an estimator or interval: the
        quantity it is for, by name, or a function of the masses of two laws on four equal cells of
        [0, 1]. For a critic: its Lipschitz constant, 1 by default.
    max_examples : int, default 200
        Random examples for each law, after corner cases.
    seed : int, default 0
        The same arguments give the same report.
    domain : {"vectors", "samples"}, optional
        What a metric or ipm compares, instead of the decision above.
    batch : bool, default False
        For vectors: ``fn`` takes batches (b, k) to (b,), and is also checked as such.

    Returns
    -------
    LawReport
        Whatever ``fn`` does: where it raises, or answers with something else than a number, a law
        has failed.

    Raises
    ------
    TypeError, ValueError
        If ``kind``, ``reference``, ``max_examples``, ``seed`` or ``domain`` is not as said above.
    ModuleNotFoundError
        If Hypothesis is missing, or torch for generators and critics.

    Notes
    -----
    A law fails beyond a rounding budget of some 1e-12 relative to the values (1e-6 near 0 where the
    value may be the root of a cancelling sum). Statistical laws are judged by exact binomial bounds
    and fail a good function with a probability of at most 1e-6 on each pair of laws, 5e-6 on all.

    Examples
    --------
    >>> from divergences import js_distance, kl_divergence
    >>> from divergences.testing import laws
    >>> half = lambda p, q: kl_divergence(p, q) / 2
    >>> laws.check(half, kind="f-divergence", max_examples=20).ok
    True
    >>> laws.check(js_distance, kind="metric", max_examples=20).ok
    True
    >>> report = laws.check(js_distance, kind="f-divergence", max_examples=20)
    >>> report.ok, report.failures[0].diagnosis
    (False, 'square root: it is the root of js_divergence; a metric, but no f-divergence')
    """
    _options(fn, kind, max_examples, seed, domain)
    name = name_of(fn)
    if kind == "generator":
        return check_generator(fn, seed=seed)
    if kind == "critic":
        return check_critic(fn, 1.0 if reference is None else reference, seed=seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        plan = _plan(fn, kind, reference, seed, max_examples, domain, batch)
        failures = _failures(plan, kind, reference, max_examples, seed)
    notes = plan.notes + ((WRITES,) if plan.subject.writes else ())
    return LawReport(
        name, kind, tuple(law.name for law in plan.laws), failures, notes, max_examples, seed
    )


def assert_holds(fn: Callable[..., Any], **options: Any) -> LawReport:
    """Check a function and raise if a law fails.

    Parameters
    ----------
    fn : callable
    **options
        As of `check`; ``kind`` is required.

    Returns
    -------
    LawReport
        Of a function that obeys every law.

    Raises
    ------
    AssertionError
        If a law fails; its text is the report, its attribute ``report`` the report itself.

    Examples
    --------
    >>> from divergences import total_variation
    >>> from divergences.testing import laws
    >>> laws.assert_holds(total_variation, kind="ipm", max_examples=20).ok
    True
    """
    report = check(fn, **options)
    if not report:
        error = AssertionError(str(report))
        error.report = report  # type: ignore[attr-defined]
        raise error
    return report


def _options(fn: Any, kind: Any, max_examples: Any, seed: Any, domain: Any) -> None:
    if not callable(fn):
        refuse("check", "fn", "be callable", describe(fn), TypeError)
    one_of(kind, "kind", KINDS, "check")
    for name, value, least in (("max_examples", max_examples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            refuse("check", name, "be an integer", describe(value), TypeError)
        if value < least:
            refuse("check", name, f"be at least {least}", describe(value))
    if domain is not None:
        one_of(domain, "domain", DOMAINS, "check")


def _plan(
    fn: Callable[..., Any], kind: str, reference: Any, seed: int, max_examples: int,
    domain_name: str | None, batch: bool,
) -> _Plan:  # fmt: skip
    known = None if reference is None else _reference.quantity(reference, "check")
    named = reference if isinstance(reference, str) else None
    if kind == "coupling-solver":
        fn = _coupling.in_order(fn)
        subject = Subject(fn, library_that_runs(fn, *_coupling.CORNERS[0].values()))
        return _Plan(subject, _coupling.laws(known), None)
    if kind in {"estimator", "interval"}:
        if named == "wasserstein2":
            refuse("check", "reference", f"have a known answer for kind {kind!r}", describe(named))
        probe = np.linspace(0.0, 1.0, 50) ** 2, np.linspace(0.0, 1.0, 50)
        if kind == "estimator":
            subject = Subject(fn, library_of(fn, probe, tuple(v[:, None] for v in probe)))
            return _Plan(subject, _statistics.estimator_laws(named, known, seed), None)
        fn = _statistics.with_level(fn)
        subject = Subject(fn, library_that_runs(fn, *probe, 0.9))
        return _Plan(subject, _statistics.interval_laws(named, known, seed, max_examples), None)
    return _distance_plan(fn, kind, known, named or name_of(reference), domain_name, batch)


def _distance_plan(
    fn: Callable[..., Any], kind: str, known: Any, name: str, domain_name: str | None, batch: bool
) -> _Plan:
    implied = _reference.domain_of(name) if known is not None else None
    notes: tuple[str, ...] = ()
    if kind == "f-divergence" or batch:
        probe = tuple(vector[None] for vector in VECTOR_PROBE) if batch else VECTOR_PROBE
        domain, library = Domain("vectors"), library_of(fn, probe)
    else:
        domain, library = decide(fn, domain_name or implied)
        notes = (domain.description,)
    if domain.name != (implied or domain.name):
        refuse("check", "reference", f"compare {domain.name}", repr(name))
    if kind == "f-divergence":
        laws = _f_divergence.laws()
    else:
        laws = (_distance.metric_laws if kind == "metric" else _distance.ipm_laws)(domain)
    if known is not None:
        laws = (*laws, *_reference.laws(known, name, domain))
    if batch:
        laws = (*laws, batch_law(known))
    if domain.name == "vectors":
        laws = (*laws, gradient_law())
    return _Plan(Subject(fn, library, batched=batch), laws, domain, notes)


def _failures(
    plan: _Plan, kind: str, reference: Any, max_examples: int, seed: int
) -> tuple[LawFailure, ...]:
    known = None if reference is None else _reference.quantity(reference, "check")
    name = reference if isinstance(reference, str) else name_of(reference)
    failures = []
    few = max(1, max_examples // 20) if kind in {"estimator", "interval"} else max_examples
    found_by_law = search(plan.laws, plan.subject, few, seed)
    for law in plan.laws:
        found = found_by_law.get(law.name)
        if found:
            text = diagnose(plan.subject, kind, plan.domain, found, known, name, seed)
            failures.append(
                LawFailure(law.name, found.example, found.sides.lhs, found.sides.rhs, text,
                           law.statement, found.sides.relation)
            )  # fmt: skip
    return tuple(failures)
