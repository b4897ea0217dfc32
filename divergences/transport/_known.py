"""What a solver knows of the value before it has found it: a feasible plan and a dual."""

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array
from . import _certificate
from ._bounds import rounded_outwards
from ._clock import Clock
from ._common_mass import Residual
from ._masses import Flow, Marginals, as_fractions, cost_of, rounding_of_masses
from ._result import Bracket, TimeLimitReached


def bracket_of(
    residual: Residual, metric: Metric, total: int, scale: float, flow: Flow, f: Float64Array,
    g: Float64Array,
) -> Bracket:  # fmt: skip
    """What a feasible flow, and potentials of sources and sinks, say of the value: for certain.

    Both are moved by what distances, potentials and masses are rounded.
    """
    atoms, sources, sinks = residual.atoms, residual.sources, residual.sinks
    lengths = metric.listed(atoms, sources[flow.source], atoms, sinks[flow.target])
    diameter = 2 * _certificate.radius(metric, atoms)
    count = residual.atom_of_x.size + residual.atom_of_y.size
    slack = rounding_of_masses(count, total, diameter)
    middle = (max(f.max(), g.max()) + min(f.min(), g.min())) / 2
    f, g = f - middle, g - middle
    dual = dual_of(residual.marginals, total, f, g) - slack
    dual -= _certificate.rounding_of_distances(atoms.shape[1], diameter)
    size = float(max(np.abs(f).max(), np.abs(g).max()))
    return rounded_outwards(dual, cost_of(flow, lengths, total) + slack, size, scale)


def dual_of(masses: Marginals, total: int, f: Float64Array, g: Float64Array) -> float:
    """The dual value of potentials f of sources and g of sinks, where the flow costs f - g."""
    supply, demand = (as_fractions(m, total) for m in (masses.supply, masses.demand))
    return _certificate.dual_value(supply, demand, f, -g)


def too_late(known: Bracket, clock: Clock) -> TimeLimitReached:
    """The exception of a time limit, with its message."""
    message = (
        f"optimal_transport: time_limit of {clock.limit:g} s does not suffice; after "
        f"{clock.elapsed():.3g} s the value is known to lie in [{known.lower!r}, {known.upper!r}]"
    )
    return TimeLimitReached(message, Bracket(min(known.lower, known.upper), known.upper))
