"""The search for the smallest example that breaks a law."""

import random
from dataclasses import dataclass
from typing import Any

from ._law import Comparison, Example, Law
from ._subject import FunctionRaisedError, Subject, UnfitAnswerError

NAN = float("nan")


@dataclass(frozen=True)
class Finding:
    """An example that breaks a law, with the two sides; ``trouble`` says what was raised."""

    law: Law
    example: Example
    sides: Comparison
    trouble: str = ""


def examine(law: Law, subject: Subject, example: Example) -> Finding | None:
    """A finding if the example breaks the law; an exception or unfit answer breaks it too."""
    shown = {name: example[name] for name in law.uses or example}
    try:
        sides = law.compare(subject, example)
    except (FunctionRaisedError, UnfitAnswerError) as error:
        return Finding(law, shown, Comparison(NAN, "==", NAN), str(error))
    return None if sides is None or sides.holds else Finding(law, shown, sides)


def search(
    laws: tuple[Law, ...], subject: Subject, max_examples: int, seed: int
) -> dict[str, Finding]:
    """The smallest example found that breaks each law that is broken, by the law's name.

    Corner cases first; then, for laws that share their examples together, ``max_examples`` random
    ones, shrunk by Hypothesis. Same arguments, same answer; nothing is stored or printed.
    """
    findings: dict[str, Finding] = {}
    groups: dict[Any, list[Law]] = {}
    for law in laws:
        found = next(filter(None, (examine(law, subject, e) for e in law.corners)), None)
        if found:
            findings[law.name] = found
        else:
            groups.setdefault(law.examples, []).append(law)
    for group in groups.values():
        left, count = group, 1 if group[0].level else max_examples
        while left:
            broken = _random_search(left, subject, count, seed)
            findings |= {found.law.name: found for found in broken}
            left = [law for law in left if law.name not in findings] if broken else []
    return findings


def _random_search(
    laws: list[Law], subject: Subject, max_examples: int, seed: int
) -> list[Finding]:
    """What breaks some of the laws on one and the same example, the smallest found."""
    from .._hypothesis import hypothesis

    settings, errors, phase = hypothesis.settings, hypothesis.errors, hypothesis.Phase
    from hypothesis._settings import local_settings

    latest: list[Finding] = []

    def breaks(example: Example) -> bool:
        found = [f for f in (examine(law, subject, example) for law in laws) if f]
        latest[:] = found or latest
        return bool(found)

    options = settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        verbosity=hypothesis.Verbosity.quiet,
        phases=(phase.generate, phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
    )
    generator = random.Random(f"{seed} {laws[0].name}")
    try:
        with local_settings(options):  # a check inside a property test is nested, and may be
            smallest = hypothesis.find(
                laws[0].examples(), breaks, settings=options, random=generator
            )
    except errors.NoSuchExample:
        return []
    except errors.Flaky:  # a random function: the last failure stands
        return latest
    return [f for f in (examine(law, subject, smallest) for law in laws) if f] or latest
