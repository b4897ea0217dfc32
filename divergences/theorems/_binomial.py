"""Exact binomial bounds for the claims that are about chance."""

import math

LEVEL = 1e-9
"""The chance that a statistical relation fails although its claim is true, in one case.

A run of an hour draws some 1e5 cases: it meets a false alarm with a chance of 1e-4 at most.
"""


def count_range(trials: int, chance: float, level: float = LEVEL) -> tuple[int, int]:
    """The counts that a binomial variable leaves with chance ``level``/2 at most on either side.

    Exact up to rounding: the tails are summed from the smallest term.
    """
    whole, yes, no = math.lgamma(trials + 1), math.log(chance), math.log1p(-chance)
    terms = [
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * yes
                 + (trials - k) * no)
        for k in range(trials + 1)
    ]  # fmt: skip
    return _cut(terms, level / 2), trials - _cut(terms[::-1], level / 2)


def _cut(terms: list[float], level: float) -> int:
    """The first index whose tail up to and including itself exceeds ``level``."""
    tail = 0.0
    for index, term in enumerate(terms):
        tail += term
        if tail > level:
            return index
    return len(terms) - 1
