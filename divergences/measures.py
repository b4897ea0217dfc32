"""Laws carried by finitely many atoms."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._array import (
    as_float64,
    as_numpy,
    is_tensor,
    like,
    namespace,
    result_dtype,
    values_are_readable,
)
from ._typing import Array, Float64Array, IntArray
from ._validation import points as check_points
from ._validation import same_dimension, same_library, uniform
from ._validation import weights as check_weights


class Law:
    """Base of every probability law that the divergences accept in place of an array.

    Laws are frozen dataclasses, valid once built; they know no divergence.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Discrete(Law):
    r"""The law :math:`\sum_i w_i \delta_{x_i}` of finitely many atoms in R^d.

    Parameters
    ----------
    points : array, tensor or list, shape (n,) or (n, d)
        The atoms; finite. A vector of n numbers is n atoms on the line. Atoms may repeat.
    weights : array, tensor or list, shape (n,), optional
        Their masses: non-negative, of sum 1 up to rounding. Equal masses 1/n by default.

    Raises
    ------
    TypeError, ValueError
        If points or weights are not what is said above.

    Notes
    -----
    NumPy arrays are copied and frozen; tensors are kept as they are, with their graph, so
    divergences are differentiable in points (Wasserstein-1) and weights. Two such laws are compared
    atom by atom, atoms being the same when all their coordinates are equal (and -0.0 equals 0.0);
    `merged` matches them up to a tolerance.

    Examples
    --------
    >>> from divergences import Discrete, total_variation, wasserstein1
    >>> near, far = Discrete([0.0]), Discrete([3.0])
    >>> float(total_variation(near, far)), float(wasserstein1(near, far))
    (1.0, 3.0)
    """

    points: Array
    weights: Array = None

    def __post_init__(self) -> None:
        atoms = check_points(self.points, "points", "Discrete")
        if self.weights is None:
            masses = like(uniform(atoms.shape[0]), atoms)
        else:
            masses = check_weights(self.weights, "weights", atoms.shape[0], "Discrete")
            same_library("Discrete", points=atoms, weights=masses)
        object.__setattr__(self, "points", _frozen(atoms))
        object.__setattr__(self, "weights", _frozen(masses))

    @property
    def dimension(self) -> int:
        """The dimension d of the space."""
        return int(self.points.shape[1])

    def __len__(self) -> int:
        return int(self.points.shape[0])

    def __repr__(self) -> str:
        return f"Discrete({len(self)} atoms in dimension {self.dimension})"


def _frozen(array: Array) -> Array:
    if is_tensor(array):
        return array
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def common_support(p: Discrete, q: Discrete, function: str) -> tuple[Array, Array, Any]:
    """The masses of p and q on the union of their atoms, in float64, and the answer's dtype.

    Cost: a lexicographic sort of the n + m atoms, O((n + m) log(n + m) d).
    """
    same_library(function, p=p.points, q=q.points)
    same_dimension(p.points, q.points, function, "p and q")
    atoms = np.concatenate([as_numpy(p.points), as_numpy(q.points)])
    index = numbered(atoms)
    count = int(index.max()) + 1
    first = _gather(as_float64(p.weights), index[: len(p)], count)
    second = _gather(as_float64(q.weights), index[len(p) :], count)
    return first, second, result_dtype(p.points, p.weights, q.points, q.weights)


def numbered(atoms: Float64Array) -> IntArray:
    """The number of each atom (n, d) among the distinct ones, by a lexicographic sort."""
    order = np.lexsort(atoms.T)
    ranked = atoms[order]
    fresh = np.zeros(len(atoms), dtype=np.int64)
    fresh[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    index = np.empty(len(atoms), dtype=np.int64)
    index[order] = np.cumsum(fresh)
    return index


def _gather(weights: Array, index: IntArray, count: int) -> Array:
    """Sum the weights of equal atoms, in an order that does not depend on how they were listed."""
    readable = values_are_readable(weights)
    order = np.lexsort((as_numpy(weights), index)) if readable else np.argsort(index, kind="stable")
    if not is_tensor(weights):
        return np.bincount(index[order], weights=weights[order], minlength=count)
    xp = namespace(weights)
    device = weights.device
    order_there = xp.asarray(order, device=device)
    target = xp.asarray(index[order], device=device)
    return xp.zeros(count, dtype=weights.dtype, device=device).index_add(
        0, target, weights[order_there]
    )
