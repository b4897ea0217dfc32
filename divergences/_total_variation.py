"""Total variation distance."""

from ._laws import of_laws
from ._typing import Array, ArrayLike
from ._validation import default_for_laws
from ._vectors import of_vectors
from .measures import Law


def total_variation(p: ArrayLike | Law, q: ArrayLike | Law, *, axis: int = -1) -> Array:
    r"""Total variation distance of two laws.

    .. math:: \delta(P, Q) = \sup_A |P(A) - Q(A)| = \frac12 \sum_i |p_i - q_i|

    Parameters
    ----------
    p, q : array, tensor or list of shape (..., k), or law
        Probability vectors on one shared support along ``axis`` (leading axes are a batch and
        broadcast), each of sum 1 up to rounding; or two laws such as `Discrete` or `Normal`.
    axis : int, default -1
        The axis of the support. Without meaning for laws.

    Returns
    -------
    scalar or array of shape (...)
        In [0, 1], without unit: 0 for equal laws, exactly 1 for disjoint supports. NumPy scalar or
        array for NumPy input and lists, tensor on the same device for tensors; float32 for float32
        and half precision, else float64.

    Raises
    ------
    TypeError, ValueError
        If p or q is not a probability vector (negative, not finite, sum off by more than
        rounding), the lengths differ, or NumPy and torch (or devices) are mixed.
    NotImplementedError
        If no formula is known for the two types of law.

    Notes
    -----
    A metric, symmetric to the bit. Computed on the exactly normalised vectors, to a few ulps
    however close they are. Cost O(k).

    Gradient (torch): that of the exactly normalised function,
    :math:`\tfrac12 \operatorname{sign}(p_i - q_i)` less its mean under p, with sign(0) = 0.

    The paper's section 5 says that the integral probability metric over :math:`|f| \le 1` is this
    distance; it is twice this distance.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import total_variation
    >>> float(total_variation([0.5, 0.5], [0.25, 0.75]))
    0.25
    """
    if isinstance(p, Law) or isinstance(q, Law):
        default_for_laws(axis, -1, "axis", "total_variation")
        return of_laws("total_variation", p, q)
    return of_vectors("total_variation", p, q, axis)
