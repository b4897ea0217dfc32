"""Kullback-Leibler divergence."""

from ._laws import of_laws
from ._typing import Array, ArrayLike
from ._validation import default_for_laws, logarithm_unit
from ._vectors import of_vectors
from .measures import Law


def kl_divergence(
    p: ArrayLike | Law, q: ArrayLike | Law, *, axis: int = -1, base: float | None = None
) -> Array:
    r"""Kullback-Leibler divergence KL(P, Q), the relative entropy of P with respect to Q.

    .. math:: \mathrm{KL}(P, Q) = \sum_i p_i \log \frac{p_i}{q_i}

    Parameters
    ----------
    p, q : array, tensor or list of shape (..., k), or law
        Probability vectors on one shared support along ``axis`` (leading axes are a batch and
        broadcast), each of sum 1 up to rounding; or two laws such as `Discrete` or `Normal`.
        The order matters: p is the law averaged over.
    axis : int, default -1
        The axis of the support. Without meaning for laws.
    base : float, optional
        Base of the logarithm, greater than 1. Natural by default (the result is in nats); 2 for
        bits.

    Returns
    -------
    scalar or array of shape (...)
        In [0, inf]: 0 for equal laws, inf as soon as q vanishes where p does not. NumPy scalar or
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
    Every term is non-negative in the form that is summed, and the vectors are compared as if
    normalised exactly, so close vectors lose no digits. Cost O(k).

    Gradient (torch): that of the exactly normalised function, :math:`\log(p_i/q_i)` less its mean
    in p and :math:`1 - p_i/q_i` in q. It is defined as 0 where the derivative is infinite or
    beyond the largest float (in p at :math:`p_i = 0`; in q where :math:`q_i` is below
    :math:`10^{-300} p_i`, for float32 input :math:`10^{-38} p_i`), and zero
    everywhere when the value is inf.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import kl_divergence
    >>> float(kl_divergence([0.5, 0.5, 0.0], [0.25, 0.25, 0.5], base=2))
    1.0
    >>> float(kl_divergence([0.5, 0.5], [1.0, 0.0]))
    inf
    """
    unit = logarithm_unit(base, "kl_divergence")
    if isinstance(p, Law) or isinstance(q, Law):
        default_for_laws(axis, -1, "axis", "kl_divergence")
        return of_laws("kl_divergence", p, q) / unit
    return of_vectors("kl_divergence", p, q, axis, unit)
