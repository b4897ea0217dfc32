"""The public ``kl_interval``."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._kl import kl_divergence
from .._typing import ArrayLike, Float64Array
from ..estimators import TiesError, kl_knn
from . import _binary as binary
from ._alphabet import frequencies, kl_bounds
from ._events import Tested, tested_event
from ._interval import Interval, within
from ._samples import (
    INDEPENDENT,
    Halves,
    confidence,
    finite_support,
    halved,
    labels,
    seed_of,
    two_samples,
)

_NAME = "kl_interval"
_NEIGHBOURS = 5
NO_UPPER = (
    "the second law may miss a set that the first one has, and no sample excludes it: no finite "
    "upper bound is honest without a finite support (give support=)"
)
MISSED = "a value of the support was not drawn from the second law, which may miss it"


def kl_interval(
    x: ArrayLike,
    y: ArrayLike,
    *,
    level: float = 0.95,
    support: Iterable[Any] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Interval:
    r"""Confidence interval for the Kullback-Leibler divergence KL(P, Q), x drawn from P, y from Q.

    .. math:: \mathrm{kl}\bigl(\underline{P(A)}, \overline{Q(A)}\bigr)
        \;\le\; \mathrm{KL}(P, Q)

    for an event A chosen on one half of the data and tested on the other, kl that of two Bernoulli
    laws (data processing). On declared values also, from both sides, by exact intervals of all
    probabilities p_i, q_i and

    .. math:: \mathrm{KL}(P, Q) = \sum_i \Bigl( p_i \log \frac{p_i}{q_i} - p_i + q_i \Bigr) ,

    whose terms are convex and non-negative.

    Parameters
    ----------
    x, y, level, support, rng : as in ``total_variation_interval``

    Returns
    -------
    Interval
        In nats. ``upper`` is inf, with the reason, without a support, and where a value of the
        support was not drawn from Q. ``estimate`` is the divergence of the frequencies; without a
        support it is ``kl_knn`` with 5 neighbours (where that is within the ends and no values
        repeat), or what the event shows.

    Raises
    ------
    TypeError, ValueError
        As ``total_variation_interval``.

    Notes
    -----
    The event is chosen for this divergence: it may be rare under Q. Variational plug-ins
    (Donsker-Varadhan) and neighbour estimates are no lower bounds. Cost as there, and that of
    ``kl_knn``.

    References
    ----------
    Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of the
    binomial (1934).

    Examples
    --------
    >>> import numpy as np
    >>> from divergences.intervals import kl_interval
    >>> draw = np.random.default_rng(0)
    >>> interval = kl_interval(draw.normal(size=2000), draw.normal(1.0, size=2000))
    >>> 0.15 < interval.lower < 0.5, interval.upper  # the truth is .5
    (True, inf)
    """
    level = confidence(level, _NAME)
    seed = seed_of(rng, _NAME)
    if support is not None:
        return _finite(*labels(x, y, support, _NAME), level, seed)
    first, second = two_samples(x, y, _NAME)
    event = _event(first, second, 1.0 - level, seed)
    lower = event.bound(binary.kl)
    ends = within(lower, _estimate(first, second, event), math.inf)
    method = "event chosen on one half, Clopper-Pearson bounds on the other"
    return Interval(*ends, level, (INDEPENDENT,), method, NO_UPPER)


def _event(x: Float64Array, y: Float64Array, risk: float, seed: int) -> Tested:
    halves: Halves = halved(x, y, seed)
    return tested_event(halves, binary.kl, risk, seed)


def _estimate(x: Float64Array, y: Float64Array, event: Tested) -> float:
    """By neighbours, where there are enough and none coincide; else the event's."""
    if min(len(x), len(y)) > _NEIGHBOURS:
        try:
            return kl_knn(x, y, k=_NEIGHBOURS)
        except TiesError:
            pass
    return float(binary.kl(event.p, event.q)) if event.p > event.q else 0.0


def _finite(x: Any, y: Any, size: int, level: float, seed: int) -> Interval:
    risk = 0.5 * (1.0 - level)
    estimate = float(kl_divergence(frequencies(x, size), frequencies(y, size)))
    lower, upper = kl_bounds(x, y, size, risk)
    event = _event(x[:, None].astype(float), y[:, None].astype(float), risk, seed)
    lower = max(lower, event.bound(binary.kl))
    method = "exact intervals of all probabilities; event on held-out data, Clopper-Pearson"
    ends = within(min(lower, upper), estimate, upper)
    reason = MISSED if math.isinf(upper) else ""
    return Interval(*ends, level, (INDEPENDENT, finite_support(size)), method, reason)
