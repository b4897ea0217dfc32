"""From atoms and exact masses to the multiscale simplex and back.

Its kernels want coordinates around 0 of size 1 and masses in int64: both are arranged here, and
undone. The compiler is loaded by the first problem that comes here.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .._metrics import NORM_ORDERS, Metric
from .._typing import Float64Array, IntArray
from ._clock import Clock
from ._common_mass import Residual
from ._forest import flows_on_forest
from ._masses import UNITS, Flow, in_int64

if TYPE_CHECKING:
    from ._multiscale import Potential

_SAMPLE = 512
_LATE = 0.5  # how much longer than the limit of time the answer may take, relative


class StoppedEarly(Exception):  # noqa: N818 (it carries what is known)
    """The time ended with this feasible flow, and a 1-Lipschitz potential at all atoms."""

    def __init__(self, flow: Flow, potential: Float64Array) -> None:
        super().__init__()
        self.flow = flow
        self.potential = potential


def filled(atoms: Float64Array, metric: Metric) -> float:
    r"""About how many dimensions the atoms (k, d) fill, from a sample of some hundred of them.

    Of N points spread over k dimensions the nearest one is :math:`N^{-1/k}` as far as the mean.
    """
    sample = atoms[:: -(-atoms.shape[0] // _SAMPLE)]
    count = sample.shape[0]
    distances = metric.matrix(sample, sample)
    mean = float(distances.sum()) / (count * (count - 1))
    np.fill_diagonal(distances, np.inf)
    nearest = float(np.median(distances.min(axis=1)))
    return math.log(count) / math.log(mean / nearest) if mean > nearest else math.inf


def solve(
    residual: Residual,
    metric: Metric,
    clock: Clock,
    tell: Callable[[Flow, Float64Array], None],
) -> tuple[Flow, Float64Array]:
    """Optimal flow between sources and sinks, and an optimal potential at all atoms.

    The metric is that of a norm. O(n) memory; see ``_multiscale`` for the time. ``tell`` is called
    with feasible flows and 1-Lipschitz potentials on the way, if the clock has a listener.

    Raises
    ------
    StoppedEarly
        When the clock does not allow more.
    """
    from . import _multiscale

    order = NORM_ORDERS.get(metric.name, metric.order)
    atoms, scale = _normalised(residual.atoms, order)
    masses = residual.marginals
    supply, demand = in_int64(masses)
    used_x, used_y = np.nonzero(supply)[0], np.nonzero(demand)[0]
    sources, sinks = residual.sources[used_x], residual.sinks[used_y]

    def known(flow: Flow, heights: Float64Array) -> tuple[Flow, Float64Array]:
        return _exact(flow, used_x, used_y, residual, metric), heights * scale

    try:
        found = _multiscale.solve(
            atoms[sources], atoms[sinks], supply[used_x], demand[used_y], order, clock,
            shared=residual.shares_atoms(),
            tell=lambda flow, potential: tell(*known(flow, potential(atoms, order))),
        )  # fmt: skip
    except _multiscale.OutOfTime as stopped:
        seconds = max(clock.limit - clock.elapsed(), _LATE * clock.elapsed())
        heights = _heights(stopped.potentials, atoms, order, seconds)
        raise StoppedEarly(*known(stopped.flow, heights)) from None
    finally:
        clock.reserve = 0.0
    clock.announce("certificate")
    flow = _exact(found.flow, used_x, used_y, residual, metric)
    heights, others = np.empty(atoms.shape[0]), np.ones(atoms.shape[0], dtype=bool)
    heights[sources], heights[sinks] = found.at_x, found.at_y
    others[sources] = others[sinks] = False
    heights[others] = found.potential(atoms[others], order)
    return flow, heights * scale


def _heights(
    potentials: "list[Potential]", atoms: Float64Array, order: float, seconds: float
) -> Float64Array:
    """At all atoms the finest potential that is not expected to take longer than these seconds.

    The coarsest is taken anyway; without any, 0 has slope 1.
    """
    for potential in potentials[:0:-1]:
        if potential.seconds(atoms, order) <= seconds:
            return potential(atoms, order)
    return potentials[0](atoms, order) if potentials else np.zeros(atoms.shape[0])


def _normalised(atoms: Float64Array, order: float) -> tuple[Float64Array, float]:
    """Atoms around 0, divided by a power of two to a diameter of at most 1; and that power."""
    low, high = atoms.min(axis=0), atoms.max(axis=0)
    centred = atoms - (low / 2 + high / 2)
    longest = atoms.shape[1] ** (1 / order)  # the norm of (1, ..., 1)
    exponent = int(np.frexp(np.abs(centred).max() * longest)[1]) + 1
    return np.ldexp(centred, -exponent), float(np.ldexp(1.0, exponent))


def _exact(
    flow: Flow, used_x: IntArray, used_y: IntArray, residual: Residual, metric: Metric
) -> Flow:
    """The flow of the exact masses on the support of one of rounded masses."""
    masses = residual.marginals
    source, target = used_x[flow.source], used_y[flow.target]
    if masses.total <= UNITS:
        return Flow(source, target, flow.mass.astype(masses.supply.dtype))
    atoms, sinks = residual.atoms, residual.sinks

    def costs(i: int, columns: IntArray) -> Float64Array:
        here = atoms[residual.sources[i]]
        return metric.pairs(np.broadcast_to(here, (columns.size, here.size)), atoms[sinks[columns]])

    return flows_on_forest(source, target, masses, costs)
