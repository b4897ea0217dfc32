"""Exact optimal transport between weighted atoms: arrays in, certified solution out."""

from ._choose import SOLVERS, choose, solve_cost, solve_points, value_of_small, value_on_the_line
from ._clock import Clock
from ._result import Bracket, CertificateError, Solution, TimeLimitReached, TransportResult
from ._verify import Claims, verify

__all__ = [
    "SOLVERS",
    "Bracket",
    "CertificateError",
    "Claims",
    "Clock",
    "Solution",
    "TimeLimitReached",
    "TransportResult",
    "choose",
    "solve_cost",
    "solve_points",
    "value_of_small",
    "value_on_the_line",
    "verify",
]
