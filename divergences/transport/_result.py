"""What a solution is, what the public result is, and why one may be refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .._typing import Array, Float64Array, IntArray


class CertificateError(ArithmeticError):
    """An answer is not certified: its duality gap is above the tolerance, or a check failed."""


@dataclass(frozen=True)
class Bracket:
    """Two numbers that enclose a value: a feasible dual's and a feasible plan's."""

    lower: float
    upper: float


class TimeLimitReached(TimeoutError):  # noqa: N818 (it is a limit that the caller set)
    """The time limit came first.

    Attributes
    ----------
    bracket : Bracket
        What is known of the value so far.
    """

    def __init__(self, message: str, bracket: Bracket) -> None:
        super().__init__(message, bracket)  # both, so that the exception can be pickled
        self.bracket = bracket

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class Solution:
    """A plan, its potentials and its value, in NumPy and in the caller's units.

    ``source``, ``target``, ``mass`` (k,) list the pairs that carry mass; ``supply`` (n,) and
    ``demand`` (m,) are the normalised weights; ``anchors`` (k, d) and ``heights`` (k,) span the
    potential f(z) = min_k distance(z, anchors[k]) + heights[k] (prepared points, scaled heights),
    and are None for a cost matrix.
    """

    value: float
    source: IntArray
    target: IntArray
    mass: Float64Array
    supply: Float64Array
    demand: Float64Array
    potential_x: Float64Array
    potential_y: Float64Array
    dual_value: float
    tolerance: float
    scale: float
    anchors: Float64Array | None
    heights: Float64Array


@dataclass(frozen=True, eq=False)
class TransportResult:
    r"""An optimal transport plan with the certificate of its optimality.

    The value solves both

    .. math:: \min_{\pi \in \Pi(a, b)} \sum_{ij} \pi_{ij} c_{ij}
        = \max_{u_i + v_j \le c_ij} \sum_i a_i u_i + \sum_j b_j v_j ,

    the first by ``plan``, the second by ``potential_x`` and ``potential_y``.

    Attributes
    ----------
    value : scalar, or 0-d tensor with its graph
        The cost of the plan, in the units of the cost; in the dtype of the input.
    plan : scipy.sparse.csr_array or sparse COO tensor, shape (n, m), float64
        Its marginals are the normalised weights to 1e-14. At most n + m - 1 entries, apart from
        ties.
    potential_x, potential_y : float64 arrays, shapes (n,) and (m,)
        ``potential_x[i] + potential_y[j] <= cost[i, j]`` for all pairs, with mass or without.
    dual_value : float
        ``a . potential_x + b . potential_y``: a lower bound of the value.
    gap : float
        ``value - dual_value``, in the units of the cost.
    tolerance : float
        The gap allowed: 1e-9 value + 1e-13 D, D at most the diameter of the data (for ``cost=``,
        the largest absolute cost).

    Notes
    -----
    Results can be pickled and copied, if a callable metric can; copies of tensors have no graph.
    """

    value: Any
    plan: Any
    potential_x: Array
    potential_y: Array
    dual_value: float
    gap: float
    tolerance: float
    _critic: Callable[[Any], Array] = field(repr=False)
    _verify: Callable[["TransportResult"], None] = field(repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle or a copy holds: the numbers, without torch's graph."""
        state = dict(self.__dict__)
        for name, value in state.items():
            state[name] = value.detach() if hasattr(value, "detach") else value
        return state

    def critic(self, z: Any) -> Array:
        r"""The optimal 1-Lipschitz function of the dual, anywhere in space.

        .. math:: f(z) = \min_k \bigl( d(z, y_k) - v_k \bigr)

        (McShane's extension): ``critic(x)`` is ``potential_x`` and ``critic(y)`` is
        ``-potential_y``, to rounding, so that the means of ``critic`` under the two laws differ by
        the value.

        Parameters
        ----------
        z : array, tensor or list, shape (k, d), or (k,) for points of the line

        Returns
        -------
        array or tensor, shape (k,)
            Of the library of ``z``; for tensors differentiable in z, though not at the data, where
            f has kinks: gradients in x and y come from the plan.

        Raises
        ------
        ValueError
            If the problem was given by ``cost=``, which says nothing about distances elsewhere.

        Notes
        -----
        Cost O(k m d); O(k log(n + m)) on the line. Under a norm in up to 8 coordinates, more than
        10^8 pairs (k of them with m) are looked up in a tree, by a compiled kernel.
        """
        return self._critic(z)

    def verify(self) -> None:
        """Check this result again from the input, without the solver.

        Marginals of the plan to 1e-14, its cost, the dual value, the gap and the tolerance, the
        feasibility of the potentials over all n m pairs, with distances from another formula than
        the solver's, and that ``critic`` takes the values of the potentials. O(n m d) time, a few
        MB of memory. Of more than 25 million pairs under a norm in up to 8 coordinates, most are
        excluded in groups (about O(n log n)), and the critic is asked at 256 points of each side.

        Raises
        ------
        CertificateError
            Naming what does not hold, and the worst pair.
        """
        self._verify(self)
