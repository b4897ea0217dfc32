"""Laws whose atoms are matched up to a tolerance instead of exactly."""

import numpy as np

from ._array import as_numpy, detach, is_tensor, namespace
from ._typing import Float64Array, IntArray
from ._validation import describe, real_number, refuse, same_dimension, same_library
from .measures import Discrete, numbered


def merged(*laws: Discrete, tolerance: float) -> tuple[Discrete, ...]:
    r"""The laws with atoms that lie within a tolerance of each other made one and the same.

    .. math:: x \sim y \iff \max_k |x_k - y_k| \le \varepsilon

    Parameters
    ----------
    *laws : Discrete
        Laws of one dimension, of NumPy or of torch.
    tolerance : float
        The largest difference :math:`\varepsilon` of coordinates, in their unit; positive, finite.

    Returns
    -------
    tuple of Discrete
        One for each argument. Every atom is at the place of the first one that it agrees with, in
        the order of the arguments; weights are kept, with their graph.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or if it is ambiguous which atoms are the same:
        a chain of atoms within the tolerance whose ends are not.

    Notes
    -----
    Divergences match atoms exactly (`Discrete`); any tolerance is explicit, here. Groups are cut at
    gaps in each coordinate: O(n log n d).

    Examples
    --------
    >>> from divergences import Discrete, merged, total_variation
    >>> p, q = Discrete([0.1 + 0.2, 1.0]), Discrete([0.3, 1.0])
    >>> float(total_variation(p, q)), float(total_variation(*merged(p, q, tolerance=1e-9)))
    (0.5, 0.0)
    """
    for index, law in enumerate(laws, start=1):
        if not isinstance(law, Discrete):
            refuse("merged", f"argument {index}", "be a Discrete law", describe(law), TypeError)
        same_dimension(laws[0].points, law.points, "merged", f"arguments 1 and {index}")
        same_library("merged", **{"argument 1": laws[0].points, f"argument {index}": law.points})
    real_number(tolerance, "tolerance", "merged", positive=True)
    if not laws:
        return ()
    atoms = np.concatenate([as_numpy(law.points) for law in laws])
    first = _representatives(atoms, float(detach(tolerance)))
    ends = np.cumsum([len(law) for law in laws])[:-1]
    points = [law.points for law in laws]
    joined = namespace(points[0]).concat(points) if is_tensor(points[0]) else atoms
    parts = zip(laws, np.split(first, ends), strict=True)
    return tuple(Discrete(joined[part], law.weights) for law, part in parts)


def _representatives(atoms: Float64Array, tolerance: float) -> IntArray:
    """For each atom (n, d) the index of the first one of its group."""
    number = numbered(atoms)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    distinct = atoms[order[starts]]  # one of each, by their numbers
    group = _groups(distinct, tolerance)[number]
    first = np.full(int(group.max()) + 1, len(atoms), dtype=np.int64)
    np.minimum.at(first, group, np.arange(len(atoms)))
    return np.asarray(first[group])


def _groups(atoms: Float64Array, tolerance: float) -> IntArray:
    """The number of each atom's group: all of it within the tolerance, all else beyond it."""
    group = np.zeros(len(atoms), dtype=np.int64)
    while True:
        before = int(group.max())
        for column in atoms.T:
            group = _cut(group, column, tolerance)
        if int(group.max()) == before:
            break
    wide = _too_wide(atoms, group, tolerance)
    for number in wide:  # no coordinate alone has a gap: the graph of near atoms decides
        members = np.flatnonzero(group == number)
        inner = _connected(atoms[members], tolerance)
        group[members] = np.where(inner == 0, number, int(group.max()) + inner)
    chains = _too_wide(atoms, group, tolerance) if wide.size else wide
    if chains.size:
        members = atoms[group == chains[0]]
        span = float(np.max(members.max(axis=0) - members.min(axis=0)))
        refuse("merged", "tolerance", "not chain atoms that lie further apart than it",
               f"{tolerance!r}, which chains {len(members)} atoms over {span!r}")  # fmt: skip
    return group


def _cut(group: IntArray, column: Float64Array, tolerance: float) -> IntArray:
    """Groups cut wherever their sorted coordinates have a gap beyond the tolerance."""
    order = np.lexsort((column, group))
    ranked, values = group[order], column[order]
    fresh = np.zeros(len(group), dtype=np.int64)
    fresh[1:] = (ranked[1:] != ranked[:-1]) | (values[1:] - values[:-1] > tolerance)
    result = np.empty_like(group)
    result[order] = np.cumsum(fresh)
    return result


def _too_wide(atoms: Float64Array, group: IntArray, tolerance: float) -> IntArray:
    """The groups that hold two atoms further apart than the tolerance."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    ranked = atoms[order]
    span = np.maximum.reduceat(ranked, starts) - np.minimum.reduceat(ranked, starts)
    return np.asarray(group[order][starts][(span > tolerance).any(axis=1)])


def _connected(atoms: Float64Array, tolerance: float) -> IntArray:
    """Components of the graph of atoms within the tolerance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(atoms).query_pairs(tolerance, p=np.inf, output_type="ndarray")
    shape = (len(atoms), len(atoms))
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    return np.asarray(connected_components(graph, directed=False)[1])
