"""Which algorithm solves a problem, and the way from points to a certified solution.

On the line (one coordinate and a norm) the monotone plan. The small simplex (``_small``) on all
distances up to .79 million pairs in two and three coordinates, 1.69 million in four and five; four
million there where distances are dear (angles, norms of other orders than 1, 2, inf) and in more
coordinates; of equal masses in more than three coordinates two million, one million where distances
are Euclidean. 300,000 where one side has more than 4,000 points and the other less than an eighth
of them; matrices of costs up to 2^27 entries otherwise. In every other case, and where the small
simplex cannot vouch for the last digits or most of many atoms are common to both laws, common mass
is cancelled. What is left goes to the small simplex with refinement (``_simplex``) up to 400,000
pairs; else, under a norm, to the multiscale simplex in O(n) memory: in up to five coordinates, and
in up to sixteen if the atoms fill no more than four, as clusters and curves do; else to the dense
solver. That one takes equal masses with Euclidean distances from four coordinates on, unless atoms
fill no more than three, in four up to nine million pairs and in five up to 36 million.

Small simplex / multiscale / dense / bare POT (``ot.dist`` and ``ot.emd2``), milliseconds of
processor time, best of up to seven, n points a side, Gaussians but in the square; the letter w
stands for random weights:

| n | 250 | 500 | 900 | 1400 | 2500 |
|---|---|---|---|---|---|
| square | 2/11/8/4 | 19/16/24/22 | 26/49/86/268 | 92/63/121/307 | -/146/454/1347 |
| d = 2 | 2/17/10/10 | 13/28/38/58 | 34/61/83/256 | 114/77/361/364 | -/214/897/1750 |
| d = 2, w | 4/15/12/13 | 19/42/55/55 | 64/68/94/264 | 162/107/257/551 | -/253/2237/1878 |
| d = 4 | 2/11/8/11 | 9/37/18/96 | 24/67/41/354 | 85/139/73/472 | -/433/268/2461 |
| d = 4, w | 3/21/10/12 | 16/59/29/101 | 53/72/64/324 | 190/153/160/485 | -/475/759/2321 |
| d = 5 | 2/20/8/6 | 10/43/18/79 | 30/81/26/284 | 90/174/71/647 | -/463/166/2745 |
| d = 8 | 3/21/8/9 | 9/58/16/129 | 23/114/25/263 | 92/279/60/778 | -/683/131/2804 |
| d = 8, w | 4/25/11/8 | 14/94/26/80 | 48/137/64/275 | 202/344/168/640 | -/982/567/1952 |
| d = 32 | 2/-/6/18 | 12/-/15/85 | 23/-/24/275 | 77/-/62/973 | -/-/130/3896 |

Of 6,000 points of equal masses multiscale and dense take 1.3 and 1.7 seconds in four coordinates,
2.2 and 1.4 in five. Where distances are dear or given (m3: Minkowski's norm of order 3), busy:

| n | d = 3, m3 | the same, w | angles | angles, w | costs, w |
|---|---|---|---|---|---|
| 1000 to 1100 | 58/211 | 56/-/-/153 | 90/-/191 | 134/-/249 | |
| 1400 to 1500 | 122/272/184/399 | 175/-/418/378 | 295/-/399 | 400/-/539 | 153/-/222/339 |
| 1800 to 2000 | | 264/410 | 343/-/411 | 462/-/693 | |
| 4000 | | | | | 1850/-/8160/3500 |

Where no cache of them is found, kernels take some 3 (small), 9 (dense) and 15 (multiscale) seconds
to compile. A solver that the caller names is used as named, so all can be asked for anywhere.
"""

from typing import NamedTuple

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array, IntArray
from . import _certificate, _high_dimension, _line, _low_dimension, _simplex, _small, _small_matrix
from ._clock import Clock
from ._common_mass import Residual, cancel_laws, expand
from ._interrupt import interruptible
from ._known import bracket_of, dual_of, too_late
from ._masses import Flow, Marginals, are_alike, as_fractions, cost_of, marginals, only_plan
from ._result import Bracket, CertificateError, Solution

SOLVERS = ("line", "multiscale", "dense", "simplex")

# The multiscale simplex takes atoms of so few coordinates, or of some if they fill fewer of them;
# of equal masses and Euclidean distances the second line, but for more pairs than in the third.
_FEW_COORDINATES, _SOME_COORDINATES, _FEW_FILLED = 5, 16, 4.0
_FEW_COORDINATES_ALIKE, _FEW_FILLED_ALIKE = 3, 3.0
_MOST_PAIRS_ALIKE = {4: 9_000_000, 5: 36_000_000}
_PAIRS_OF_SIMPLEX = 400_000

# Above this excess over the optimum, relative to the value, the simplex refines its answer: always
# where that takes a fraction of a second, else only where the certificate would notice.
_EXCESS = 2.0**-52
_EXCESS_OF_LARGE = 2.0**-43
_LARGE = 1 << 21
_BLOCK_ENTRIES = 1 << 20


class _Dense(NamedTuple):
    """The best plan and potentials found for a cost matrix."""

    flow: Flow
    u: Float64Array
    v: Float64Array


def choose(
    metric: Metric,
    dimension: int,
    solver: str | None = None,
    *,
    n: int = 0,
    m: int = 0,
    atoms: Float64Array | None = None,
    alike: bool = False,
) -> str:
    """The solver that the rule above picks for n and m of the atoms, or the caller's.

    Masses are ``alike`` if all are equal.
    """
    if solver is not None:
        return solver
    if metric.is_norm and dimension == 1:
        return "line"
    if n * m <= _PAIRS_OF_SIMPLEX and _small_matrix.fits(n, m):
        return "simplex"
    if not metric.is_norm or dimension > _SOME_COORDINATES:
        return "dense"
    soon = alike and metric.order == 2.0 and n * m <= _MOST_PAIRS_ALIKE.get(dimension, n * m)
    if dimension <= (_FEW_COORDINATES_ALIKE if soon else _FEW_COORDINATES):
        return "multiscale"
    few = _FEW_FILLED_ALIKE if soon else _FEW_FILLED
    folded = atoms is not None and _low_dimension.filled(atoms, metric) <= few
    return "multiscale" if folded else "dense"


def value_of_small(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None, metric: Metric
) -> float | None:
    """The value of ``solve_points`` for few points, to the bit, certified; None for others."""
    if not _small.fits(a, x.shape[0], b, y.shape[0]):
        return None
    small = _small.solve(x, y, a, b, metric, value_only=True)
    return None if small is None else small.value / small.scale


def solve_points(
    x: Float64Array,
    y: Float64Array,
    a: Float64Array | None,
    b: Float64Array | None,
    metric: Metric,
    solver: str | None = None,
    clock: Clock | None = None,
    *,
    refused: bool = False,
) -> Solution:
    """Optimal transport between atoms x (n, d) and y (m, d) under a metric (not a callable).

    Weights ``a``, ``b`` are non-negative and normalised here; None is uniform. Where
    ``value_of_small`` has ``refused`` so many points, the small simplex is not asked again.
    """
    clock = clock or Clock()
    on_the_line = choose(metric, x.shape[1], solver) == "line"
    refused = refused and not _small.asks_twice(a, x.shape[0], b, y.shape[0])
    if not (refused or solver or on_the_line) and _small.fits(a, x.shape[0], b, y.shape[0]):
        clock.announce("network simplex on all distances")
        small = _small.solve(x, y, a, b, metric)
        if small is not None:
            return _of_small(small, metric.prepare(y, small.scale))
    scale = metric.scale(x, y)
    x, y = metric.prepare(x, scale), metric.prepare(y, scale)
    if on_the_line:
        clock.announce("monotone plan on the line")
        value = _line.value(x[:, 0], y[:, 0], a, b)
        flow, masses = _line.plan_of_value(x[:, 0], y[:, 0], a, b, value)
        heights = _line.potential(x[:, 0], y[:, 0], masses)
        atoms = np.concatenate([x, y])
        diameter = float(atoms.max() - atoms.min())
        at_x, at_y, anchors = heights[: x.shape[0]], heights[x.shape[0] :], atoms
    else:
        clock.announce("cancelling common mass")
        masses, residual = cancel_laws(x, y, a, b)
        diameter = _certificate.radius(metric, residual.atoms)
        n, m = residual.sources.size, residual.sinks.size
        alike = are_alike(residual.marginals.supply, residual.marginals.demand)
        solver = choose(metric, x.shape[1], solver, n=n, m=m, atoms=residual.atoms, alike=alike)
        flow, potential, sinks = _solve_residual(
            residual, metric, solver, masses.total, diameter / scale, scale, clock
        )
        flow = expand(flow, residual, masses)
        potential -= potential.max() / 2 + potential.min() / 2
        at_x, at_y = potential[residual.atom_of_x], potential[residual.atom_of_y]
        anchors, heights = residual.atoms[sinks], potential[sinks]
        value = cost_of(flow, metric.listed(x, flow.source, y, flow.target), masses.total)
    # Lowered by more than the distances are rounded, the potentials are feasible as floats.
    at_x = at_x - _certificate.rounding_of_distances(x.shape[1], 2 * diameter)
    return _certificate.certified(
        flow, masses, value, at_x, -at_y, diameter, scale, anchors, heights
    )


def _of_small(small: _small.Small, y: Float64Array) -> Solution:
    """The solution from the plan and the potentials of a small problem between prepared points."""
    u, v = small.potentials()
    middle = (min(u.min(), -v.max()) + max(u.max(), -v.min())) / 2
    u, v = u - middle, v + middle
    u = u - _certificate.rounding_of_distances(y.shape[1], 2 * small.diameter)
    value, diameter, scale = small.value, small.diameter, small.scale
    return _certificate.certified(small.flow, small.masses, value, u, v, diameter, scale, y, -v)


def solve_cost(
    cost: Float64Array,
    a: Float64Array | None,
    b: Float64Array | None,
    clock: Clock | None = None,
    solver: str | None = None,
) -> Solution:
    """Optimal transport for a matrix of costs of any sign, shape (n, m)."""
    clock = clock or Clock()
    largest = float(max(np.maximum.reduce(cost, axis=None), -np.minimum.reduce(cost, axis=None)))
    scale = float(np.ldexp(1.0, 1000 - np.frexp(largest)[1])) if largest > 2.0**1000 else 1.0
    if scale != 1:
        cost = cost * scale
    small = _solve_small_matrix(cost, a, b, scale, clock) if solver is None else None
    if small is not None:
        flow, masses, v = small
        u, v = _certificate.conjugates(cost, v)
    else:
        masses = marginals(a, cost.shape[0], b, cost.shape[1])
        flow, u, v = _solve_large_matrix(cost, masses, largest, scale, solver, clock)
    value = cost_of(flow, cost[flow.source, flow.target], masses.total)
    largest = largest * scale
    u = u - 4 * _certificate.EPS * largest
    return _certificate.certified(flow, masses, value, u, v, largest, scale, None, -v)


def _solve_small_matrix(
    cost: Float64Array, a: Float64Array | None, b: Float64Array | None, scale: float, clock: Clock
) -> tuple[Flow, Marginals, Float64Array] | None:
    """Plan, masses and potentials by the simplex on all costs, where that is quickest."""
    at_once = _small.fits(a, cost.shape[0], b, cost.shape[1])
    if not at_once and not _small.fits_in_stages(a, cost.shape[0], b, cost.shape[1]):
        return None
    clock.announce("network simplex on all costs")
    try:
        return _small.solve_matrix(cost, a, b, None if at_once else clock)
    except _small.StoppedEarly as stopped:
        flow, masses, v = stopped.flow, stopped.masses, stopped.v
    value = cost_of(flow, cost[flow.source, flow.target], masses.total)
    rounding = 4 * _certificate.EPS * float(max(cost.max(), -cost.min()))
    # Early potentials may be worse than none, whose conjugates are the least costs of each row.
    pairs = [_certificate.conjugates(cost, columns) for columns in (v, np.zeros_like(v))]
    dual = max(dual_of(masses, masses.total, u, -columns) for u, columns in pairs) - rounding
    raise too_late(Bracket(dual / scale, value / scale), clock)


def _solve_large_matrix(
    cost: Float64Array, masses: Marginals, largest: float, scale: float, solver: str | None,
    clock: Clock,
) -> _Dense:  # fmt: skip
    """Plan and potentials of a matrix by the dense solver or the simplex, with refinement."""
    rows, columns = np.nonzero(masses.supply)[0], np.nonzero(masses.demand)[0]
    part = Marginals(masses.supply[rows], masses.demand[columns], masses.total)
    inner = cost[np.ix_(rows, columns)]
    fits = inner.size <= _PAIRS_OF_SIMPLEX and _small_matrix.fits(*inner.shape)
    if (solver or ("simplex" if fits else "dense")) == "dense":
        dense = _solve_matrix(inner, part, scale, clock)
    else:
        dense = _solve_dense(inner, part, masses.total, largest, scale, clock)
    flow = Flow(rows[dense.flow.source], columns[dense.flow.target], dense.flow.mass)
    u = (cost[:, columns] - dense.v).min(axis=1)
    return _Dense(flow, u, (cost - u[:, None]).min(axis=0))


def _solve_matrix(cost: Float64Array, masses: Marginals, scale: float, clock: Clock) -> _Dense:
    """Plan and potentials of a matrix by the dense solver; all masses are positive."""
    try:
        flow, f, g = _high_dimension.solve_matrix(cost, masses, clock)
    except _high_dimension.StoppedEarly as stopped:
        flow, total = stopped.flow, masses.total
        value = cost_of(flow, cost[flow.source, flow.target], total)
        dual = dual_of(masses, total, stopped.f, stopped.g)
        raise too_late(Bracket(dual / scale, value / scale), clock) from None
    return _Dense(flow, f, -g)


def _solve_residual(
    residual: Residual, metric: Metric, solver: str, total: int, diameter: float, scale: float,
    clock: Clock,
) -> tuple[Flow, Float64Array, IntArray]:  # fmt: skip
    """Flow between sources and sinks, the potential at all atoms, and the atoms that span it."""
    atoms, sources, sinks = residual.atoms, residual.sources, residual.sinks
    if not sources.size:
        nothing = np.zeros(0, dtype=np.int64)
        flow = Flow(nothing, nothing, residual.stays[:0])
        return flow, np.zeros(atoms.shape[0]), np.arange(atoms.shape[0])
    potential = np.empty(atoms.shape[0])
    if 1 in (sources.size, sinks.size):
        flow, f, g = only_plan(metric.listed(atoms, sources, atoms, sinks), residual.marginals)
        potential[sources], potential[sinks] = f, g
        _extend(potential, residual, metric)
        return flow, potential, sinks
    if solver == "multiscale":
        return *_solve_low_dimension(residual, metric, total, scale, clock), sinks
    if solver == "dense":
        flow, f, g = _solve_high_dimension(residual, metric, total, diameter, scale, clock)
        potential[sources], potential[sinks] = f, g
        _extend(potential, residual, metric, to_units=True)
        return flow, potential, sinks
    clock.announce(f"distances of {sources.size} sources from {sinks.size} sinks")
    cost = interruptible(lambda: metric.matrix(atoms[sources], atoms[sinks]), clock.glance)
    dense = _solve_dense(cost, residual.marginals, total, diameter, scale, clock)
    potential[sources], potential[sinks] = dense.u, -dense.v
    _extend(potential, residual, metric)
    return dense.flow, potential, sinks


def _extend(
    potential: Float64Array, residual: Residual, metric: Metric, *, to_units: bool = False
) -> None:
    """Fill in the potential of atoms that are neither source nor sink; O(n d) memory.

    What a solver knows only ``to_units`` of its costs is filled in anew where others would notice:
    the potential of sources, where there are such atoms and more sinks; and all of it where an atom
    belongs to both laws, so that the potential there bounds it elsewhere from both sides.
    """
    atoms, sinks = residual.atoms, residual.sinks
    asked = np.ones(atoms.shape[0], dtype=bool)
    if not (to_units and residual.shares_atoms()):
        asked[residual.sources] = asked[sinks] = False
        if to_units and residual.sources.size < sinks.size and asked.any():
            asked[residual.sources] = True
    rows, heights = np.nonzero(asked)[0], potential[sinks]
    step = max(1, _BLOCK_ENTRIES // sinks.size)
    for start in range(0, rows.size, step):
        some = rows[start : start + step]
        potential[some] = (metric.matrix(atoms[some], atoms[sinks]) + heights).min(axis=1)


def _solve_high_dimension(
    residual: Residual, metric: Metric, total: int, diameter: float, scale: float, clock: Clock
) -> tuple[Flow, Float64Array, Float64Array]:  # fmt: skip
    """Flow between sources and sinks, and their potentials."""
    try:
        return _high_dimension.solve_points(residual, metric, diameter * scale, clock)
    except _high_dimension.StoppedEarly as stopped:
        known = bracket_of(residual, metric, total, scale, stopped.flow, stopped.f, stopped.g)
    raise too_late(known, clock)


def _solve_low_dimension(
    residual: Residual, metric: Metric, total: int, scale: float, clock: Clock
) -> tuple[Flow, Float64Array]:
    """Flow between sources and sinks, and the potential at all atoms, in O(n) memory."""

    def bracket(flow: Flow, potential: Float64Array) -> Bracket:
        f, g = potential[residual.sources], potential[residual.sinks]
        return bracket_of(residual, metric, total, scale, flow, f, g)

    def tell(flow: Flow, potential: Float64Array) -> None:
        clock.tell(bracket(flow, potential))

    try:
        return _low_dimension.solve(residual, metric, clock, tell)
    except _low_dimension.StoppedEarly as stopped:
        raise too_late(bracket(stopped.flow, stopped.potential), clock) from None


def _solve_dense(
    cost: Float64Array, masses: Marginals, total: int, diameter: float, scale: float, clock: Clock
) -> _Dense:
    """Ask the simplex for candidates until one is as good as it can be.

    ``masses`` are a part of ``total``; ``cost`` is in scaled units, ``diameter`` in the caller's.
    """
    best_flow, best_value = None, np.inf
    best_pair, best_dual = None, -np.inf
    supply, demand = (as_fractions(m, total) for m in (masses.supply, masses.demand))
    clock.announce("network simplex")
    began = clock.elapsed()
    for candidate in _simplex.solve(cost, masses, clock):
        flow = candidate.flow
        value = cost_of(flow, cost[flow.source, flow.target], total)
        pair = _certificate.conjugates(cost, candidate.v)
        dual = _certificate.dual_value(supply, demand, *pair)
        improved = value < best_value or dual > best_dual
        if value < best_value:
            best_flow, best_value = flow, value
        if dual > best_dual:
            best_pair, best_dual = pair, dual
        if candidate.slack is not None:
            excess = cost_of(flow, candidate.slack[flow.source, flow.target], total)
            allowed = _EXCESS if cost.size <= _LARGE else _EXCESS_OF_LARGE
            if excess <= allowed * abs(value) or not improved:
                break
            clock.announce("refining")
        took = clock.elapsed() - began
        if clock.limited and not clock.allows(2 * took):
            allowed = 0.5 * _certificate.tolerance(best_value, diameter * scale)
            if best_value - best_dual <= allowed:  # late, but an answer
                break
            # u and v may be too large by some rounding
            best_dual -= 4 * _certificate.EPS * diameter * scale
            raise too_late(Bracket(best_dual / scale, best_value / scale), clock)
        began = clock.elapsed()
    if best_flow is None or best_pair is None:
        message = f"the network simplex found no finite plan (diameter {diameter:.3g})"
        raise CertificateError(message)
    return _Dense(best_flow, *best_pair)
