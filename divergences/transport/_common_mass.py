r"""Mass that two laws share at a point stays there: only the difference is transported.

For a metric some optimal plan keeps :math:`\min(\mu, \nu)` in place (triangle inequality), so the
problem shrinks to :math:`(\mu - \nu)_+` and :math:`(\mu - \nu)_-`, which have disjoint supports.
With integer masses the difference is exact, so nearly equal laws lose no digits.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64Array, IntArray
from ._masses import UNITS, Flow, Marginals, Masses, marginals, north_west

_NEARLY_EQUAL = 10  # laws whose difference is below 2**-10 of their mass notice rounded masses

_BLOCK_ENTRIES = 1 << 16


class Residual(NamedTuple):
    """The problem that remains between the distinct points of two laws.

    ``atoms`` (k, d) are the distinct points, in an order that does not depend on the input's;
    ``atom_of_x`` (n,) and ``atom_of_y`` (m,) say which atom a point is; ``stays`` (k,) is the mass
    kept at each atom; ``sources`` and ``sinks`` list the atoms with more supply than demand, and
    with less, whose excess masses are ``marginals``.
    """

    atoms: Float64Array
    atom_of_x: IntArray
    atom_of_y: IntArray
    stays: Masses
    sources: IntArray
    sinks: IntArray
    marginals: Marginals

    def shares_atoms(self) -> bool:
        """Whether a point of x lies where one of y does."""
        of_x = np.zeros(self.atoms.shape[0], dtype=bool)
        of_x[self.atom_of_x] = True
        return bool(of_x[self.atom_of_y].any())


def cancel_laws(
    x: Float64Array, y: Float64Array, a: Float64Array | None, b: Float64Array | None
) -> tuple[Marginals, Residual]:
    """Integer masses, and what remains of them: exact ones where little remains."""
    masses = marginals(a, x.shape[0], b, y.shape[0])
    residual = cancel(x, y, masses)
    if masses.total == UNITS and residual.marginals.total < UNITS >> _NEARLY_EQUAL:
        masses = marginals(a, x.shape[0], b, y.shape[0], exact=True)
        residual = cancel(x, y, masses)
    return masses, residual


def cancel(x: Float64Array, y: Float64Array, masses: Marginals) -> Residual:
    """Merge equal points and take away the common mass; O((n + m) (d + log(n + m)))."""
    atoms, inverse = _distinct(np.concatenate([x, y]))
    atom_of_x, atom_of_y = np.split(inverse, [x.shape[0]])
    supply = np.zeros(atoms.shape[0], dtype=masses.supply.dtype)
    demand = np.zeros_like(supply)
    np.add.at(supply, atom_of_x, masses.supply)
    np.add.at(demand, atom_of_y, masses.demand)
    stays = np.minimum(supply, demand)
    sources, sinks = np.nonzero(supply > demand)[0], np.nonzero(demand > supply)[0]
    excess, lack = (supply - stays)[sources], (demand - stays)[sinks]
    moved = Marginals(excess, lack, int(excess.sum()) if excess.size else 0)
    return Residual(atoms, atom_of_x, atom_of_y, stays, sources, sinks, moved)


def _distinct(points: Float64Array) -> tuple[Float64Array, IntArray]:
    """Distinct rows, and which of them each row is; overwrites signs of zeros.

    Their order is that of a hash: the same for any order of the input, and no order in space, in
    which the simplex would take half as long again.
    """
    points += 0.0  # -0.0 becomes 0.0, its equal
    keys = _hashes(points)
    order = np.argsort(keys, kind="stable")
    new = np.ones(keys.size, dtype=bool)
    new[1:] = keys[order[1:]] != keys[order[:-1]]
    repeated = np.nonzero(~new)[0]
    if not np.array_equal(points[order[repeated]], points[order[repeated - 1]]):
        # Two different points share a hash (a chance of 1e-10 for 100,000): sorting decides.
        atoms, inverse = np.unique(points, axis=0, return_inverse=True)
        return atoms, inverse.reshape(-1)
    inverse = np.empty(keys.size, dtype=np.int64)
    inverse[order] = np.cumsum(new) - 1
    return points[order[new]], inverse


def _hashes(points: Float64Array) -> NDArray[np.uint64]:
    """A linear hash, modulo 2^64, of the bits of each row."""
    count, dimension = points.shape
    weights = np.random.default_rng(0).integers(1 << 63, size=dimension, dtype=np.uint64)
    weights = 2 * weights + 1
    keys = np.empty(count, dtype=np.uint64)
    step = max(1, _BLOCK_ENTRIES // dimension)
    for start in range(0, count, step):
        bits = points[start : start + step].view(np.uint64)
        # Round numbers end in zeros, which products keep: their upper bits are put there.
        keys[start : start + step] = (bits ^ (bits >> 32)) @ weights
    return keys


def expand(flow: Flow, residual: Residual, masses: Marginals) -> Flow:
    """The plan between the points as given, from one between the atoms of the residual.

    The points of one atom share its outflow (and inflow) in their order: a north-west rule within
    each atom, done for all atoms at once.
    """
    kept = np.nonzero(residual.stays)[0]
    source = np.concatenate([kept, residual.sources[flow.source]])
    target = np.concatenate([kept, residual.sinks[flow.target]])
    mass = np.concatenate([residual.stays[kept], flow.mass])

    points = np.argsort(residual.atom_of_x, kind="stable")
    lines = np.argsort(source, kind="stable")
    split = north_west(masses.supply[points], mass[lines])
    x_index, target, mass = points[split.source], target[lines][split.target], split.mass

    points = np.argsort(residual.atom_of_y, kind="stable")
    lines = np.argsort(target, kind="stable")
    split = north_west(mass[lines], masses.demand[points])
    return Flow(x_index[lines][split.source], points[split.target], split.mass)
