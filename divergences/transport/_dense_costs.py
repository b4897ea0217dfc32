"""Distances of all pairs of small clouds, for the kernels that choose plans.

Points are scaled to size 1, so plain squares do: what underflows is far below the rounding of the
largest distance. The inner loops run over the points of one coordinate, without a branch.
"""

import math

from .._typing import Float64Array
from ._jit import jit


def _fill_costs(x: Float64Array, y: Float64Array, order: float, costs: Float64Array) -> None:
    """Distances (k, n, m) of x (k, n, d) from y (k, d, m), in the norm of order 1, 2 or inf."""
    count, n, m = costs.shape
    for k in range(count):
        for i in range(n):
            for j in range(m):
                costs[k, i, j] = 0.0
            for coordinate in range(x.shape[2]):
                here = x[k, i, coordinate]
                if order == 2.0:
                    for j in range(m):
                        step = here - y[k, coordinate, j]
                        costs[k, i, j] += step * step
                elif order == 1.0:
                    for j in range(m):
                        costs[k, i, j] += abs(here - y[k, coordinate, j])
                else:
                    for j in range(m):
                        step = abs(here - y[k, coordinate, j])
                        costs[k, i, j] = step if step > costs[k, i, j] else costs[k, i, j]
            if order == 2.0:
                for j in range(m):
                    costs[k, i, j] = math.sqrt(costs[k, i, j])


fill_costs = jit(_fill_costs)
