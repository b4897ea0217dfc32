"""Hellinger, Bhattacharyya and chi-squared: the neighbours that the inequalities need."""

from . import _neighbour_formulas
from ._array import finish, namespace
from ._typing import Array, ArrayLike
from ._validation import default_for_laws, describe, masses, refuse
from ._vector_validation import aligned_pair
from .measures import Discrete, Law, common_support


def hellinger_distance(
    p: ArrayLike | Discrete, q: ArrayLike | Discrete, *, axis: int = -1
) -> Array:
    r"""Hellinger distance of two discrete laws.

    .. math:: H(P, Q) = \sqrt{\tfrac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2}

    Parameters
    ----------
    p, q : array, tensor or list of shape (..., k), or Discrete
        Probability vectors on one shared support along ``axis`` (leading axes are a batch and
        broadcast), each of sum 1 up to rounding; or two `Discrete` laws.
    axis : int, default -1
        The axis of the support. Without meaning for laws.

    Returns
    -------
    scalar or array of shape (...)
        In [0, 1]: 0 for equal laws, exactly 1 for disjoint supports. Types as in
        `total_variation`.

    Raises
    ------
    TypeError, ValueError
        As `total_variation`.

    Notes
    -----
    A metric, and :math:`H^2 \le \delta \le \sqrt{2} H`. To a few ulps however close the vectors
    are. Cost O(k).

    Gradient (torch): that of the exactly normalised function, defined as 0 at an atom of the other
    law only, where it is infinite, and at equal laws.

    References
    ----------
    Gibbs and Su 2002, On choosing and bounding probability metrics, Int. Stat. Rev. 70.

    Examples
    --------
    >>> from divergences import hellinger_distance
    >>> float(hellinger_distance([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    return _of("hellinger_distance", _neighbour_formulas.hellinger, p, q, axis)


def bhattacharyya_distance(
    p: ArrayLike | Discrete, q: ArrayLike | Discrete, *, axis: int = -1
) -> Array:
    r"""Bhattacharyya distance of two discrete laws, in nats.

    .. math:: B(P, Q) = -\log \sum_i \sqrt{p_i q_i} = -\log (1 - H^2(P, Q))

    Parameters
    ----------
    p, q, axis
        As in `hellinger_distance`.

    Returns
    -------
    scalar or array of shape (...)
        In [0, inf]: 0 for equal laws, inf for disjoint supports. The coefficient under the
        logarithm is ``exp(-B)``.

    Raises
    ------
    TypeError, ValueError
        As `total_variation`.

    Notes
    -----
    Not a metric. Half the Renyi divergence of order 1/2. Cost O(k). Gradient (torch): as for
    `hellinger_distance`; zero where the value is inf.

    References
    ----------
    Bhattacharyya 1943, On a measure of divergence between two statistical populations, Bull.
    Calcutta Math. Soc. 35.

    Examples
    --------
    >>> from divergences import bhattacharyya_distance
    >>> float(bhattacharyya_distance([1.0, 0.0], [0.0, 1.0]))
    inf
    """
    return _of("bhattacharyya_distance", _neighbour_formulas.bhattacharyya, p, q, axis)


def chi_squared_divergence(
    p: ArrayLike | Discrete, q: ArrayLike | Discrete, *, axis: int = -1
) -> Array:
    r"""Pearson's chi-squared divergence of P from Q.

    .. math:: \chi^2(P, Q) = \sum_i \frac{(p_i - q_i)^2}{q_i}

    Parameters
    ----------
    p, q, axis
        As in `hellinger_distance`. The order matters: q is in the denominator.

    Returns
    -------
    scalar or array of shape (...)
        In [0, inf]: inf as soon as q vanishes where p does not.

    Raises
    ------
    TypeError, ValueError
        As `total_variation`.

    Notes
    -----
    :math:`\mathrm{KL} \le \log(1 + \chi^2) \le \chi^2`. Cost O(k). Gradient (torch): that of the
    exactly normalised function, in p defined as 0 where both vanish, where it is infinite; zero
    where the value is inf.

    References
    ----------
    Gibbs and Su 2002, On choosing and bounding probability metrics, Int. Stat. Rev. 70.

    Examples
    --------
    >>> from divergences import chi_squared_divergence
    >>> float(chi_squared_divergence([0.75, 0.25], [0.5, 0.5]))
    0.25
    """
    return _of("chi_squared_divergence", _neighbour_formulas.chi_squared, p, q, axis)


def _of(
    function: str,
    formula: _neighbour_formulas.VectorFormula,
    p: ArrayLike | Law,
    q: ArrayLike | Law,
    axis: int,
) -> Array:
    if isinstance(p, Law) or isinstance(q, Law):
        default_for_laws(axis, -1, "axis", function)
        if not (isinstance(p, Discrete) and isinstance(q, Discrete)):
            name, stranger = ("q", q) if isinstance(p, Discrete) else ("p", p)
            refuse(function, name, "be a Discrete law like the other argument",
                   describe(stranger), TypeError)  # fmt: skip
        first, second, dtype = common_support(p, q, function)
    else:
        first, second, dtype = aligned_pair(p, q, axis, function)
        masses(first, "p", function)
        masses(second, "q", function)
    return finish(formula(namespace(first), first, second), dtype)
