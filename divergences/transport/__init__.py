"""Exact optimal transport between weighted atoms: arrays in, certified solution out."""

from ._bounds import bounds_by_a_point, bounds_by_coordinates
from ._choose import SOLVERS, choose, solve_cost, solve_points, value_of_small, value_on_the_line
from ._clock import Clock
from ._interrupt import within
from ._lookup import lowest
from ._near_pairs import near_pairs
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
    "bounds_by_a_point",
    "bounds_by_coordinates",
    "choose",
    "lowest",
    "near_pairs",
    "solve_cost",
    "solve_points",
    "value_of_small",
    "value_on_the_line",
    "verify",
    "within",
]
