"""The public ``compare_samples``."""

import itertools
import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._compare import NAMES, UNITS, implied, narrowed, number
from .._typing import ArrayLike
from .._validation import ground_metric, refuse
from ..enclosures import Enclosure
from ._interval import Interval, within
from ._js import js_interval
from ._kl import kl_interval
from ._samples import confidence, listed, seed_of
from ._total_variation import total_variation_interval
from ._wasserstein1 import wasserstein1_interval

_NAME = "compare_samples"


@dataclass(frozen=True, slots=True)
class SampleComparison:
    """What `compare_samples` returns: an `Interval` a divergence; ``str`` prints a table.

    Parameters
    ----------
    total_variation, kl_pq, kl_qp, js : Interval
        In [0, 1], and in nats; p is the law of x, q that of y.
    wasserstein1 : Interval or None
        In the unit of the space; None for labels, which have no geometry.
    level : float
        The probability that *all* intervals enclose their divergences, at least.
    """

    total_variation: Interval
    kl_pq: Interval
    kl_qp: Interval
    js: Interval
    wasserstein1: Interval | None
    level: float

    def intervals(self) -> dict[str, Interval]:
        """The intervals by name, in the order of the table."""
        found = {name: getattr(self, name) for name in NAMES}
        return {name: interval for name, interval in found.items() if interval is not None}

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("divergence", "from", "estimate", "to", "unit")]
        for name, interval in self.intervals().items():
            ends = (number(v) for v in (interval.lower, interval.estimate, interval.upper))
            rows.append((NAMES[name], *ends, UNITS.get(name, "of x")))
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        lines = [
            "  ".join(f"{c:{s}{w}}" for c, s, w in zip(row, "<>>><", widths, strict=True)).rstrip()
            for row in rows
        ]
        note = f"all together at level {self.level:g}"
        return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:], note])


def compare_samples(
    x: ArrayLike,
    y: ArrayLike,
    *,
    level: float = 0.95,
    support: Iterable[Any] | None = None,
    diameter: float | None = None,
    metric: str | tuple[str, float] | Callable[[Any, Any], Any] = "euclidean",
    rng: np.random.Generator | int | None = None,
) -> SampleComparison:
    r"""Confidence intervals for TV, KL both ways, JS and W1 of the laws behind two samples.

    They hold all together, so what one says is used for the others:

    .. math:: \mathrm{TV} \le \sqrt{\mathrm{KL}/2}, \quad
        \mathrm{TV} \le \sqrt{1 - e^{-\mathrm{KL}}}, \quad
        \log 2 - h\bigl(\tfrac{1 - \mathrm{TV}}{2}\bigr) \le \mathrm{JS} \le \mathrm{TV} \log 2,
        \quad d_{\min} \mathrm{TV} \le W_1 \le D \, \mathrm{TV} .

    Parameters
    ----------
    x, y : array, tensor or list, shapes (n,) or (n, d), and (m,) or (m, d)
        Independent draws. With ``support``, vectors or lists of its values.
    level : float
        The probability that all five intervals enclose their divergences, at least.
    support : iterable, optional
        All values that either law may take. Numbers have a geometry: then D is their range, and
        d_min the distance of the closest two. Other labels have none, and no Wasserstein-1.
    diameter : float, optional
        D: no two points of the supports lie farther apart. Not beside ``support``.
    metric : as in ``wasserstein1``
        The ground distance.
    rng : numpy.random.Generator or int, optional
        Cuts the data in halves; by default the cut is a fixed permutation.

    Returns
    -------
    SampleComparison
        Frozen; its text is a table.

    Raises
    ------
    TypeError, ValueError
        As the intervals of the single divergences.

    Notes
    -----
    The risk 1 - level is divided equally between the five. Cost: that of the five intervals.

    References
    ----------
    Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, theorem 2. Gibbs and Su, On choosing and
    bounding probability metrics (2002).

    Examples
    --------
    >>> import numpy as np
    >>> from divergences.intervals import compare_samples
    >>> draw = np.random.default_rng(0)
    >>> both = compare_samples(draw.random(400), 1.0 + draw.random(400), diameter=2.0)
    >>> both.total_variation.lower > 0.9, both.kl_pq.upper, both.wasserstein1.upper < 1.2
    (True, inf, True)
    >>> print(compare_samples(["a"] * 100, ["a"] * 100, support=["a"]))
    divergence       from  estimate  to  unit
    ---------------  ----  --------  --  ----
    total variation     0         0   0
    KL(p, q)            0         0   0  nats
    KL(q, p)            0         0   0  nats
    Jensen-Shannon      0         0   0  nats
    all together at level 0.95
    """
    level = confidence(level, _NAME)
    seed = seed_of(rng, _NAME)
    values = None if support is None else listed(support, "support", _NAME)
    each: dict[str, Any] = {"level": _level_of_one(level), "rng": seed}
    found: dict[str, Interval] = {
        "total_variation": total_variation_interval(x, y, support=values, **each),
        "kl_pq": kl_interval(x, y, support=values, **each),
        "kl_qp": kl_interval(y, x, support=values, **each),
        "js": js_interval(x, y, support=values, **each),
    }
    space = _space(values, diameter, metric)
    if space is not None:
        found["wasserstein1"] = wasserstein1_interval(
            x, y, support=space.ends, diameter=space.diameter, metric=metric, **each
        )
    ends = _intersected(found, space)
    narrower = {name: _replaced(interval, ends[name], level) for name, interval in found.items()}
    distance = narrower.pop("wasserstein1", None)
    return SampleComparison(**narrower, wasserstein1=distance, level=level)


def _level_of_one(level: float) -> float:
    """The level of each interval, at which all hold together at ``level``."""
    single = 1.0 - (1.0 - level) / len(NAMES)
    if not single < 1.0:
        refuse(_NAME, "level", f"leave a risk that can be divided by {len(NAMES)} in float64",
               repr(level))  # fmt: skip
    return single


@dataclass(frozen=True)
class _Space:
    """Where the laws live: an interval, its diameter, the least distance of two values."""

    ends: tuple[float, float] | None = None
    diameter: float | None = None
    gap: float | None = None


def _space(values: list[Any] | None, diameter: Any, metric: Any) -> _Space | None:
    """None for labels; of numbers the range and the smallest distance are known."""
    if values is None:
        return _Space(diameter=diameter)
    if diameter is not None:
        refuse(_NAME, "diameter", "be left out where support is given", repr(diameter))
    numeric = all(
        isinstance(value, numbers.Real) and not isinstance(value, bool) for value in values
    )
    if not numeric or not ground_metric(metric, _NAME).is_norm:
        return None
    ordered = sorted(float(value) for value in values)
    gap = min((high - low for low, high in itertools.pairwise(ordered)), default=math.inf)
    return _Space((ordered[0], ordered[-1]), ordered[-1] - ordered[0], gap)


def _intersected(found: dict[str, Interval], space: _Space | None) -> dict[str, Enclosure]:
    """What all intervals together say of each divergence."""
    bounds = {name: Enclosure(interval.lower, interval.upper) for name, interval in found.items()}
    variation = bounds["total_variation"]
    distance = bounds.get("wasserstein1")
    if distance is not None and space is not None:
        if space.diameter:
            variation = narrowed(variation, distance.lower / float(space.diameter), 1.0)
        if space.gap and math.isfinite(space.gap):
            variation = narrowed(variation, 0.0, distance.upper / space.gap)
    bounds["total_variation"] = variation
    bounds = {**bounds, **implied(bounds)}
    variation = bounds["total_variation"]
    if distance is not None and space is not None:
        if space.diameter is not None:
            distance = narrowed(distance, 0.0, float(space.diameter) * variation.upper)
        if space.gap is not None and math.isfinite(space.gap):
            distance = narrowed(distance, space.gap * variation.lower, math.inf)
        bounds["wasserstein1"] = distance
    return bounds


def _replaced(interval: Interval, ends: Enclosure, level: float) -> Interval:
    """An interval with narrower ends, at the level of all."""
    lower, estimate, upper = within(ends.lower, interval.estimate, ends.upper)
    moved = (lower, upper) != (interval.lower, interval.upper)
    method = interval.method + ("; inequalities between the divergences" if moved else "")
    reason = interval.reason if upper == interval.upper else ""
    return replace(interval, lower=lower, estimate=estimate, upper=upper, level=level,
                   method=method, reason=reason)  # fmt: skip
