"""The exact divergences of two vectors of floats, by decimal arithmetic."""

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from .._typing import Float64Array


@dataclass(frozen=True)
class Answers:
    r"""The exact divergences of two laws P and Q on a common countable support, in nats.

    Attributes
    ----------
    total_variation : float in [0, 1]
    kl, kl_reverse : floats in [0, inf], :math:`KL(P, Q)` and :math:`KL(Q, P)`
    js : float in [0, log 2], the halved Jensen-Shannon divergence
    hellinger : float in [0, 1], :math:`\frac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2`
    """

    total_variation: float
    kl: float
    kl_reverse: float
    js: float
    hellinger: float


SAME = Answers(0.0, 0.0, 0.0, 0.0, 0.0)


SINGULAR = Answers(1.0, math.inf, math.inf, math.log(2.0), 1.0)


def exact_answers(p: Float64Array, q: Float64Array) -> Answers:
    """The divergences of p / sum p and q / sum q, by decimal arithmetic, rounded once.

    Parameters
    ----------
    p, q : float64 arrays, shape (k,)
        Non-negative, each with an entry above 0. They need not sum to 1.

    Returns
    -------
    Answers
    """
    least = min(float(vector[vector > 0].min()) for vector in (p, q))
    with localcontext(digits(min(least, 1.0))):
        first, second = ([Decimal(float(value)) for value in vector] for vector in (p, q))
        mass_p, mass_q = sum(first, Decimal()), sum(second, Decimal())
        pairs = [(a / mass_p, b / mass_q) for a, b in zip(first, second, strict=True)]
        if all(a == b for a, b in pairs):
            return SAME
        half = Decimal("0.5")
        middle = [((a + b) * half, a, b) for a, b in pairs]
        return Answers(
            total_variation=float(half * sum(abs(a - b) for a, b in pairs)),
            kl=_kl(pairs),
            kl_reverse=_kl([(b, a) for a, b in pairs]),
            js=float(half * sum(_term(a, m) + _term(b, m) for m, a, b in middle)),
            hellinger=float(half * sum((a.sqrt() - b.sqrt()) ** 2 for a, b in pairs)),
        )


def _kl(pairs: list[tuple[Decimal, Decimal]]) -> float:
    if any(a > 0 and b == 0 for a, b in pairs):
        return math.inf
    return float(sum((_term(a, b) for a, b in pairs), Decimal()))


def _term(a: Decimal, b: Decimal) -> Decimal:
    return a * (a / b).ln() if a > 0 else Decimal()


def digits(least: float = 1.0) -> Context:
    """Arithmetic of 80 decimal digits, and as many more as ``least`` has zeros behind the point.

    An atom of mass 1e-200 moves the others by 1e-200 when the masses are normalised, and in a
    divergence of that size this counts.
    """
    return Context(prec=80 + math.ceil(-math.log10(least)), Emin=-9_999_999, Emax=9_999_999)
