"""Exact optimal transport between weighted atoms: arrays in, certified solution out."""

from ._batch import MANY_PAIRS, Plans, solve_batch
from ._bounds import Coupled, bounds_by_a_point, couple, rounded_outwards
from ._choose import SOLVERS, choose, solve_cost, solve_points, value_of_small
from ._clock import Clock
from ._grid import GridSolution, solve_grid, value_of_few_cells
from ._interrupt import within
from ._line import value as distance_on_the_line
from ._line import values as distances_on_the_line
from ._line_arrays import safe_scale, uniform_distances, weighted_distances
from ._lookup import lowest
from ._near_pairs import near_pairs
from ._part_by_part import narrowed
from ._result import Bracket, CertificateError, Solution, TimeLimitReached, TransportResult
from ._verify import Claims, verify

__all__ = [
    "MANY_PAIRS",
    "SOLVERS",
    "Bracket",
    "CertificateError",
    "Claims",
    "Clock",
    "Coupled",
    "GridSolution",
    "Plans",
    "Solution",
    "TimeLimitReached",
    "TransportResult",
    "bounds_by_a_point",
    "choose",
    "couple",
    "distance_on_the_line",
    "distances_on_the_line",
    "lowest",
    "narrowed",
    "near_pairs",
    "rounded_outwards",
    "safe_scale",
    "solve_batch",
    "solve_cost",
    "solve_grid",
    "solve_points",
    "uniform_distances",
    "value_of_few_cells",
    "value_of_small",
    "verify",
    "weighted_distances",
    "within",
]
