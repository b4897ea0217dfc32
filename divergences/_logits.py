"""Divergences of laws given by logits: categorical along an axis, Bernoulli entry by entry."""

from ._array import as_float64, finish, namespace
from ._log_space import of_logits
from ._typing import Array, ArrayLike
from ._validation import logarithm_unit
from ._vector_terms import JS, KL, TOTAL_VARIATION
from ._vector_validation import aligned_pair, log_weights, logit_numbers

_NAMES = ("p_logits", "q_logits")


def kl_divergence_from_logits(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: int = -1, base: float | None = None
) -> Array:
    r"""Kullback-Leibler divergence KL(P, Q) of categorical laws given by their logits.

    .. math:: \mathrm{KL}(P, Q) = \sum_i p_i (\log p_i - \log q_i), \qquad
              p = \operatorname{softmax}(x), \quad q = \operatorname{softmax}(y)

    Parameters
    ----------
    p_logits, q_logits : array, tensor or list of shape (..., k)
        Unnormalised log-probabilities along ``axis`` (log-probabilities are a special case), of
        any size; -inf is probability 0. Leading axes are a batch and broadcast. The order is that
        of the divergence: p is the law averaged over.
    axis : int, default -1
        The axis of the support.
    base : float, optional
        Base of the logarithm of the result, greater than 1; natural (nats) by default. The logits
        are natural logarithms whatever the base.

    Returns
    -------
    scalar or array of shape (...)
        In [0, inf]: inf as soon as q's logit is -inf where p's is not. Types as in
        `kl_divergence`.

    Raises
    ------
    TypeError, ValueError
        If a logit is NaN or +inf, all of a law are -inf, lengths differ, or NumPy and torch (or
        devices) are mixed.

    See Also
    --------
    kl_divergence : the same of probability vectors.
    bernoulli_kl_divergence_from_logits : one logit a law.

    Notes
    -----
    Never leaves log space, so that logits of 10^4 in float32 lose nothing; adding a constant to
    the logits of a law changes nothing. Close logits keep their digits. Cost O(k).

    Gradient (torch): :math:`p_i (\log(p_i/q_i) - \mathrm{KL})` in p's logits and :math:`q_i - p_i`
    in q's; 0 at -inf, and everywhere when the value is inf.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import kl_divergence_from_logits
    >>> float(kl_divergence_from_logits(p_logits=[0.0, -1000.0], q_logits=[-1000.0, 0.0]))
    1000.0
    """
    unit = logarithm_unit(base, "kl_divergence_from_logits")
    return _categorical(KL, p_logits, q_logits, axis, unit)


def js_divergence_from_logits(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: int = -1, base: float | None = None
) -> Array:
    r"""Jensen-Shannon divergence (the halved one) of categorical laws given by their logits.

    .. math:: \mathrm{JS}(P, Q) = \tfrac12 \mathrm{KL}(P, M) + \tfrac12 \mathrm{KL}(Q, M),
              \qquad M = \tfrac12 (P + Q)

    Parameters
    ----------
    p_logits, q_logits, axis, base
        As in `kl_divergence_from_logits`.

    Returns
    -------
    scalar or array of shape (...)
        In [0, log 2] nats, exactly ``math.log(2)`` for disjoint supports.

    Raises
    ------
    TypeError, ValueError
        As `kl_divergence_from_logits`.

    Notes
    -----
    Symmetric. Gradient (torch): 0 at -inf. Cost O(k).

    References
    ----------
    Lin 1991, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37.

    Examples
    --------
    >>> from divergences import js_divergence_from_logits
    >>> float(js_divergence_from_logits([0.0, -float("inf")], [-float("inf"), 7.0], base=2))
    1.0
    """
    unit = logarithm_unit(base, "js_divergence_from_logits")
    return _categorical(JS, p_logits, q_logits, axis, unit)


def total_variation_from_logits(
    p_logits: ArrayLike, q_logits: ArrayLike, *, axis: int = -1
) -> Array:
    r"""Total variation distance of categorical laws given by their logits.

    .. math:: \delta(P, Q) = \frac12 \sum_i |p_i - q_i|

    Parameters
    ----------
    p_logits, q_logits, axis
        As in `kl_divergence_from_logits`.

    Returns
    -------
    scalar or array of shape (...)
        In [0, 1], exactly 1 for disjoint supports.

    Raises
    ------
    TypeError, ValueError
        As `kl_divergence_from_logits`.

    Notes
    -----
    A metric. Gradient (torch): that of half the l1 norm with sign(0) = 0. Cost O(k).

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import total_variation_from_logits
    >>> float(total_variation_from_logits([0.0, 0.0], [5.0, 5.0]))
    0.0
    """
    return _categorical(TOTAL_VARIATION, p_logits, q_logits, axis)


def bernoulli_kl_divergence_from_logits(
    p_logits: ArrayLike, q_logits: ArrayLike, *, base: float | None = None
) -> Array:
    r"""KL(P, Q) of Bernoulli laws given by their logits, entry by entry.

    .. math:: \mathrm{KL} = s \log \frac{s}{r} + (1 - s) \log \frac{1 - s}{1 - r}, \qquad
              s = \sigma(x), \quad r = \sigma(y)

    Parameters
    ----------
    p_logits, q_logits : array, tensor, list or number
        Log-odds :math:`\log(s/(1-s))` of p and q, of shapes that broadcast; -inf and inf are the
        certain events.
    base : float, optional
        Base of the logarithm of the result, greater than 1; natural by default.

    Returns
    -------
    scalar or array of the broadcast shape
        In [0, inf].

    Raises
    ------
    TypeError, ValueError
        If a logit is NaN, shapes do not broadcast, or NumPy and torch are mixed.

    Notes
    -----
    What `kl_divergence_from_logits` gives for the logits (0, x) and (0, y). Gradients likewise.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import bernoulli_kl_divergence_from_logits
    >>> float(bernoulli_kl_divergence_from_logits(p_logits=200.0, q_logits=-200.0))
    200.0
    """
    unit = logarithm_unit(base, "bernoulli_kl_divergence_from_logits")
    return _bernoulli(KL, p_logits, q_logits, unit)


def bernoulli_js_divergence_from_logits(
    p_logits: ArrayLike, q_logits: ArrayLike, *, base: float | None = None
) -> Array:
    r"""Jensen-Shannon divergence (halved) of Bernoulli laws given by their logits, by entry.

    .. math:: \mathrm{JS}(P, Q) = \tfrac12 \mathrm{KL}(P, M) + \tfrac12 \mathrm{KL}(Q, M),
              \qquad M = \tfrac12 (P + Q)

    Parameters
    ----------
    p_logits, q_logits, base
        As in `bernoulli_kl_divergence_from_logits`.

    Returns
    -------
    scalar or array of the broadcast shape
        In [0, log 2] nats.

    Raises
    ------
    TypeError, ValueError
        As `bernoulli_kl_divergence_from_logits`.

    Notes
    -----
    What `js_divergence_from_logits` gives for the logits (0, x) and (0, y).

    References
    ----------
    Lin 1991, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37.

    Examples
    --------
    >>> from divergences import bernoulli_js_divergence_from_logits
    >>> float(bernoulli_js_divergence_from_logits(float("inf"), -float("inf"), base=2))
    1.0
    """
    unit = logarithm_unit(base, "bernoulli_js_divergence_from_logits")
    return _bernoulli(JS, p_logits, q_logits, unit)


def bernoulli_total_variation_from_logits(p_logits: ArrayLike, q_logits: ArrayLike) -> Array:
    r"""Total variation of Bernoulli laws given by their logits, entry by entry.

    .. math:: \delta(P, Q) = |\sigma(x) - \sigma(y)|

    Parameters
    ----------
    p_logits, q_logits
        As in `bernoulli_kl_divergence_from_logits`.

    Returns
    -------
    scalar or array of the broadcast shape
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        As `bernoulli_kl_divergence_from_logits`.

    Notes
    -----
    What `total_variation_from_logits` gives for the logits (0, x) and (0, y).

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, section 2.

    Examples
    --------
    >>> from divergences import bernoulli_total_variation_from_logits
    >>> float(bernoulli_total_variation_from_logits([1.0], [1.0])[0])
    0.0
    """
    return _bernoulli(TOTAL_VARIATION, p_logits, q_logits)


def _categorical(
    divergence: str, p_logits: ArrayLike, q_logits: ArrayLike, axis: int, unit: float = 1.0
) -> Array:
    function = f"{divergence}_from_logits"
    x, y, dtype = aligned_pair(p_logits, q_logits, axis, function, _NAMES)
    for name, logits in zip(_NAMES, (x, y), strict=True):
        log_weights(logits, name, function)
    value = of_logits(divergence, namespace(x), as_float64(x), as_float64(y))
    return finish(value / unit, dtype)


def _bernoulli(
    divergence: str, p_logits: ArrayLike, q_logits: ArrayLike, unit: float = 1.0
) -> Array:
    function = f"bernoulli_{divergence}_from_logits"
    x, y, dtype = logit_numbers(p_logits, q_logits, function, _NAMES)
    xp = namespace(x)
    pair = (_two_logits(xp, logits) for logits in xp.broadcast_arrays(as_float64(x), as_float64(y)))
    return finish(of_logits(divergence, xp, *pair) / unit, dtype)


def _two_logits(xp: Array, logits: Array) -> Array:
    """Logits of the two events: (0, x), and (-inf, 0) for x = inf."""
    certain = logits == xp.inf
    zero = xp.zeros_like(logits)
    against = xp.where(certain, -xp.inf, zero)
    return xp.stack([against, xp.where(certain, zero, logits)], axis=-1)
