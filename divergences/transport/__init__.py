"""Exact optimal transport between weighted atoms: arrays in, certified solution out."""

from ._choose import SOLVERS, choose, solve_cost, solve_points, value_on_the_line
from ._clock import Clock
from ._grid import GridSolution, solve_grid
from ._result import Bracket, CertificateError, Solution, TimeLimitReached, TransportResult
from ._verify import Claims, verify

__all__ = [
    "SOLVERS",
    "Bracket",
    "CertificateError",
    "Claims",
    "Clock",
    "GridSolution",
    "Solution",
    "TimeLimitReached",
    "TransportResult",
    "choose",
    "solve_cost",
    "solve_grid",
    "solve_points",
    "value_on_the_line",
    "verify",
]
