"""Exact optimal transport between weighted atoms: arrays in, certified solution out."""

from ._batch import MANY_PAIRS, Plans, solve_batch
from ._choose import SOLVERS, choose, solve_cost, solve_points
from ._clock import Clock
from ._grid import GridSolution, solve_grid
from ._line import value as distance_on_the_line
from ._line import values as distances_on_the_line
from ._line_arrays import safe_scale, uniform_distances, weighted_distances
from ._result import Bracket, CertificateError, Solution, TimeLimitReached, TransportResult
from ._verify import Claims, verify

__all__ = [
    "MANY_PAIRS",
    "SOLVERS",
    "Bracket",
    "CertificateError",
    "Claims",
    "Clock",
    "GridSolution",
    "Plans",
    "Solution",
    "TimeLimitReached",
    "TransportResult",
    "choose",
    "distance_on_the_line",
    "distances_on_the_line",
    "safe_scale",
    "solve_batch",
    "solve_cost",
    "solve_grid",
    "solve_points",
    "uniform_distances",
    "verify",
    "weighted_distances",
]
