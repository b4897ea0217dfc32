"""The public ``js_interval``."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._js import js_divergence
from .._total_variation import total_variation
from .._typing import ArrayLike
from . import _binary as binary
from ._alphabet import frequencies, js_bounds, total_variation_bounds
from ._events import tested_event
from ._interval import Interval, within
from ._samples import (
    INDEPENDENT,
    confidence,
    finite_support,
    halved,
    in_fixed_roles,
    labels,
    seed_of,
    two_samples,
)
from ._total_variation import NO_UPPER, TOO_FEW

_NAME = "js_interval"


def js_interval(
    x: ArrayLike,
    y: ArrayLike,
    *,
    level: float = 0.95,
    support: Iterable[Any] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Interval:
    r"""Confidence interval for the Jensen-Shannon divergence of the laws behind two samples.

    .. math:: \mathrm{js}\bigl(\underline{P(A)}, \overline{Q(A)}\bigr) \;\ge\;
        \log 2 - h\Bigl(\frac{1 - (\underline{P(A)} - \overline{Q(A)})}{2}\Bigr)

    for an event A chosen on one half of the data and tested on the other, js that of two Bernoulli
    laws (data processing), h the binary entropy. On K declared values also, from both sides,

    .. math:: \bigl|\sqrt{\mathrm{JS}(P, Q)} - \sqrt{\mathrm{JS}(P_n, Q_m)}\bigr| \le
        \sqrt{\epsilon_n / 2} + \sqrt{\epsilon_m / 2}, \qquad
        \mathrm{KL}(P_n, P) \le \epsilon_n, \; \mathrm{KL}(Q_m, Q) \le \epsilon_m ,

    and :math:`\mathrm{JS} \le \mathrm{TV} \log 2`.

    Parameters
    ----------
    x, y, level, support, rng : as in ``total_variation_interval``

    Returns
    -------
    Interval
        In nats, within [0, log 2]; ``upper`` is log 2, with the reason, without a support.
        ``estimate`` is the divergence of the frequencies, or without a support what the event
        shows: too small on average.

    Raises
    ------
    TypeError, ValueError
        As ``total_variation_interval``.

    Notes
    -----
    The root of JS is a metric, and JS(P_n, P) <= KL(P_n, P)/2, which Agrawal bounds. The lower
    bound by an event is at least the sharp curve of total variation above. Cost as there.

    References
    ----------
    Agrawal 2019, arXiv:1904.02291. Endres and Schindelin, A new metric for probability
    distributions (2003). Lin, Divergence measures based on the Shannon entropy (1991).

    Examples
    --------
    >>> import numpy as np
    >>> from divergences.intervals import js_interval
    >>> draw = np.random.default_rng(0)
    >>> x, y = draw.normal(size=2000), draw.normal(1.0, size=2000)
    >>> 0.04 < js_interval(x, y).lower < 0.11142  # the truth is .11142
    True
    """
    level = confidence(level, _NAME)
    seed = seed_of(rng, _NAME)
    risk = 1.0 - level
    if support is not None:
        return _finite(*labels(x, y, support, _NAME), level, seed)
    halves = in_fixed_roles(halved(*two_samples(x, y, _NAME), seed))
    event = tested_event(halves, binary.js, risk, seed)
    ends = within(event.bound(binary.js), binary.js(event.p, event.q), binary.LOG_2)
    method = "event chosen on one half, Clopper-Pearson bounds on the other"
    return Interval(*ends, level, (INDEPENDENT,), method, NO_UPPER.format("log 2"))


def _finite(x: Any, y: Any, size: int, level: float, seed: int) -> Interval:
    risk = (1.0 - level) / 3.0
    p, q = frequencies(x, size), frequencies(y, size)
    estimate = float(js_divergence(p, q))
    lower, upper = js_bounds(estimate, size, x.size, y.size, risk)
    distance = float(total_variation(p, q))
    most = total_variation_bounds(distance, size, x.size, y.size, risk, risk)[1]
    halves = in_fixed_roles(halved(x[:, None].astype(float), y[:, None].astype(float), seed))
    lower = max(lower, tested_event(halves, binary.js, risk, seed).bound(binary.js))
    upper = min(upper, most * binary.LOG_2)
    method = "frequencies with Agrawal's and McDiarmid's radii; event on held-out data"
    ends = within(min(lower, upper), estimate, upper)
    reason = TOO_FEW.format("log 2") if upper == binary.LOG_2 else ""
    return Interval(*ends, level, (INDEPENDENT, finite_support(size)), method, reason)
