"""The public functions that enclose a divergence of two laws on the line."""

import math
from typing import Any

from .._validation import describe, real_number, refuse
from ..families import canonical
from ..families._identical import identical
from ..families._line import ContinuousLaw
from ..measures import Law
from ._certify import enclose
from ._enclosure import Enclosure


def total_variation_enclosure(p: Law, q: Law, *, width: float = 1e-6) -> Enclosure:
    r"""Two numbers between which the total variation of two laws on the line certainly lies.

    .. math:: \tfrac12 \sum_i |P(A_i) - Q(A_i)| \le \mathrm{TV}(P, Q) \le
              \sum_i \frac{(M_i P(A_i) - Q(A_i)) f(m_i) + (Q(A_i) - m_i P(A_i)) f(M_i)}{M_i - m_i},
              \qquad f(r) = \tfrac12 |1 - r|

    Parameters
    ----------
    p, q : laws with densities on the line
        Such as `Normal`, `Mixture`, or `divergences.families.LawOnLine`, given by functions.
    width : float, default 1e-6
        The width to be reached; positive. The enclosure is wider where rounding, or what is known
        of the laws, does not allow it.

    Returns
    -------
    Enclosure
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    NotImplementedError
        If a law has no density on the line.

    Notes
    -----
    The line is cut into cells. A partition bounds every f-divergence from below (data processing);
    on a cell on which the ratio of the densities lies between m and M the chord of f bounds it from
    above. Rounding of the distribution functions is included. Cells are halved where they leave
    most undecided.

    Examples
    --------
    >>> from divergences import Laplace, Normal, total_variation_enclosure
    >>> bounds = total_variation_enclosure(Normal(0.0, 1.0), Laplace(0.0, 1.0), width=1e-5)
    >>> bounds.width <= 1e-5, 0.117473677 in bounds
    (True, True)
    """
    return _enclosure("total_variation", p, q, width)


def kl_divergence_enclosure(p: Law, q: Law, *, width: float = 1e-6) -> Enclosure:
    r"""Two numbers (nats) between which KL(P, Q) of two laws on the line certainly lies.

    Parameters
    ----------
    p, q : laws with densities on the line
        As in `total_variation_enclosure`.
    width : float, default 1e-6
        The width to be reached, in nats; positive.

    Returns
    -------
    Enclosure
        In [0, inf]; ``upper`` is inf where nothing bounds the tails.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    NotImplementedError
        If a law has no density on the line.

    See Also
    --------
    total_variation_enclosure : how it is computed.

    Examples
    --------
    >>> from divergences import Mixture, Normal, kl_divergence_enclosure
    >>> p = Mixture([Normal(-1.0, 1.0), Normal(1.0, 1.0)])
    >>> kl_divergence_enclosure(p, Normal(0.0, 1.5), width=1e-4).width <= 1e-4
    True
    """
    return _enclosure("kl_divergence", p, q, width)


def js_divergence_enclosure(p: Law, q: Law, *, width: float = 1e-6) -> Enclosure:
    r"""Two numbers (nats) between which JS of two laws on the line certainly lies.

    Parameters
    ----------
    p, q : laws with densities on the line
        As in `total_variation_enclosure`.
    width : float, default 1e-6
        The width to be reached, in nats; positive.

    Returns
    -------
    Enclosure
        In [0, log 2].

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    NotImplementedError
        If a law has no density on the line.

    See Also
    --------
    total_variation_enclosure : how it is computed.

    Examples
    --------
    >>> from divergences import Normal, js_divergence_enclosure
    >>> 0.11142148218 in js_divergence_enclosure(Normal(0.0, 1.0), Normal(1.0, 1.0))
    True
    """
    return _enclosure("js_divergence", p, q, width)


def wasserstein1_enclosure(p: Law, q: Law, *, width: float = 1e-6) -> Enclosure:
    r"""Two numbers between which Wasserstein-1 of two laws on the line certainly lies.

    .. math:: W_1 = \int |F - G|, \qquad
              F(a) - G(b) \le F(x) - G(x) \le F(b) - G(a) \quad (a \le x \le b)

    Parameters
    ----------
    p, q : laws with densities on the line
        As in `total_variation_enclosure`; only distribution functions are needed.
    width : float, default 1e-6
        The width to be reached, in the unit of the line; positive.

    Returns
    -------
    Enclosure
        In [0, inf]; ``upper`` is inf where a law given by functions has an unbounded support.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    NotImplementedError
        If a law has no density on the line.

    Examples
    --------
    >>> from divergences import Exponential, Normal, wasserstein1_enclosure
    >>> 0.31441998 in wasserstein1_enclosure(Exponential(1.0), Normal(1.0, 1.0))
    True
    """
    return _enclosure("wasserstein1", p, q, width)


def _enclosure(divergence: str, p: Any, q: Any, width: float) -> Enclosure:
    function = f"{divergence}_enclosure"
    for name, law in (("p", p), ("q", q)):
        if not isinstance(law, Law):
            refuse(function, name, "be a law", describe(law), TypeError)
    real_number(width, "width", function, positive=True)
    first, second = canonical(p), canonical(q)
    if not (isinstance(first, ContinuousLaw) and isinstance(second, ContinuousLaw)):
        message = (
            f"{function}: {p!r} and {q!r} are not both laws with densities on the line; "
            f"{divergence} knows laws on the integers and atoms exactly"
        )
        raise NotImplementedError(message)
    if identical(first, second):
        return Enclosure(0.0, 0.0)
    bounds = enclose(divergence, first, second, float(width))
    if math.isnan(bounds.upper):
        message = f"{function}: a function of {p!r} or {q!r} returned NaN"
        raise ValueError(message)
    return bounds
