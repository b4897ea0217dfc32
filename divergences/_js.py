"""Jensen-Shannon divergence and distance."""

from ._laws import of_laws
from ._typing import Array, ArrayLike
from ._validation import default_for_laws, logarithm_unit
from ._vectors import of_vectors
from .measures import Law


def js_divergence(
    p: ArrayLike | Law, q: ArrayLike | Law, *, axis: int = -1, base: float | None = None
) -> Array:
    r"""Jensen-Shannon divergence of two laws (the halved one).

    .. math:: \mathrm{JS}(P, Q) = \tfrac12 \mathrm{KL}(P, M) + \tfrac12 \mathrm{KL}(Q, M),
              \qquad M = \tfrac12 (P + Q)

    Parameters
    ----------
    p, q : array, tensor or list of shape (..., k), or law
        Probability vectors on one shared support along ``axis`` (leading axes are a batch and
        broadcast), each of sum 1 up to rounding; or two laws such as `Discrete` or `Normal`.
    axis : int, default -1
        The axis of the support. Without meaning for laws.
    base : float, optional
        Base of the logarithm, greater than 1. Natural by default (the result is in nats); 2 for
        bits.

    Returns
    -------
    scalar or array of shape (...)
        In [0, log 2] (nats): 0 for equal laws, exactly ``math.log(2)`` for disjoint supports. NumPy
        scalar or array for NumPy input and lists, tensor on the same device for tensors; float32
        for float32 and half precision, else float64.

    Raises
    ------
    TypeError, ValueError
        If p or q is not a probability vector (negative, not finite, sum off by more than
        rounding), the lengths differ, or NumPy and torch (or devices) are mixed.
    NotImplementedError
        If no formula is known for the two types of law.

    Notes
    -----
    Not a metric; its square root `js_distance` is. Symmetric to the bit, never above log 2, and
    without loss of digits for close vectors. Cost O(k).

    The paper defines JS without the factor 1/2, but all of its values (log 2 in Example 1) are
    those of the halved divergence, which is what is computed here.

    Gradient (torch): that of the exactly normalised function, :math:`\tfrac12 \log(p_i/m_i)` less
    its mean; defined as 0 in p at :math:`p_i = 0 < q_i` (and in q the other way round), where the
    derivative is infinite.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2. Lin 1991, Divergence measures
    based on the Shannon entropy, IEEE Trans. Inf. Theory 37.

    Examples
    --------
    >>> from divergences import js_divergence
    >>> float(js_divergence([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    unit = logarithm_unit(base, "js_divergence")
    if isinstance(p, Law) or isinstance(q, Law):
        default_for_laws(axis, -1, "axis", "js_divergence")
        return of_laws("js_divergence", p, q) / unit
    return of_vectors("js_divergence", p, q, axis, unit)


def js_distance(
    p: ArrayLike | Law, q: ArrayLike | Law, *, axis: int = -1, base: float | None = None
) -> Array:
    r"""Jensen-Shannon distance, the square root of `js_divergence`.

    .. math:: d(P, Q) = \sqrt{\mathrm{JS}(P, Q)}

    Parameters
    ----------
    p, q, axis, base
        As in `js_divergence`; ``base`` divides the divergence under the root by log(base).

    Returns
    -------
    scalar or array of shape (...)
        In [0, sqrt(log 2)] (square root of nats), types as in `js_divergence`.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As `js_divergence`.

    Notes
    -----
    A metric. Its gradient (torch) is defined as 0 where the two laws are equal. Cost O(k).

    References
    ----------
    Endres and Schindelin 2003, A new metric for probability distributions, IEEE Trans. Inf.
    Theory 49.

    Examples
    --------
    >>> from divergences import js_distance
    >>> float(js_distance([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    unit = logarithm_unit(base, "js_distance") ** 0.5
    if isinstance(p, Law) or isinstance(q, Law):
        default_for_laws(axis, -1, "axis", "js_distance")
        return of_laws("js_distance", p, q) / unit
    return of_vectors("js_distance", p, q, axis, unit)
