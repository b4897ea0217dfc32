r"""Laws on the integers, and atoms beside laws with densities.

Sums over the integers run between tails below 1e-33 of both laws; what is left out is below
rounding. Very many integers are summed by few of them (``_integer_nodes``). Total variation, KL and
JS of two laws of one family go through the logarithm of the ratio of their masses
(``_mass_ratio``), Wasserstein-1 is :math:`\sum_k |F(k) - G(k)|`.
"""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._array import as_numpy, like, namespace, tracks_derivatives, with_graph
from .._special import product_difference
from .._summation import total
from .._typing import Array, Float64Array
from .._vector_terms import LOG_2
from ..families._affine import Affine
from ..families._identical import identical
from ..families._integer import IntegerLaw
from ..families._line import ContinuousLaw, off_the_graph
from ..families._poisson import Poisson
from ..families._trials import Binomial
from ..measures import Discrete
from ._densities import INTEGRANDS, difference
from ._integer_gap import sum_of_gaps
from ._integer_nodes import edges, nodes
from ._mass_ratio import log_mass_ratio

EXPONENT = 76.0  # of the tails that are left out: below 1e-33
MOST_SUMMED = 200_000.0  # integers that are summed one by one
MOST_ATOMS = 5_000_000
COARSE = 1e-13  # distance of neighbouring floats, in deviations, that a law may have to bear


def reach(law: IntegerLaw) -> tuple[float, float]:
    """Integers beyond which the law has less than ``exp(-EXPONENT)`` on each side."""
    plain = off_the_graph(law)
    first, last = plain.support
    mean = math.floor(min(max(plain.expectation, first), last))
    top = min(last, mean + 200.0 * (plain.deviation + 1.0))
    return _last_within(plain, mean, first), _last_within(plain, mean, top)


def _last_within(law: IntegerLaw, start: float, stop: float) -> float:
    """The integer from start towards stop at which the exponent of the tail passes EXPONENT."""
    within, beyond = start, stop
    if not law.tail_exponent(np.array([stop]))[0] > EXPONENT:
        return stop
    while True:
        middle = math.floor(0.5 * (within + beyond))
        if middle in (within, beyond):
            return beyond
        if law.tail_exponent(np.array([float(middle)]))[0] > EXPONENT:
            beyond = float(middle)
        else:
            within = float(middle)


def _ranges(function: str, p: IntegerLaw, q: IntegerLaw) -> list[tuple[float, float]]:
    """The one or two ranges of integers that the laws reach."""
    ranges = sorted([reach(p), reach(q)])
    if ranges[1][0] <= ranges[0][1] + 1.0:
        ranges = [(ranges[0][0], max(ranges[0][1], ranges[1][1]))]
    for law in (p, q):
        if math.ulp(law.expectation) > max(1.0, COARSE * law.deviation):
            message = (
                f"{function}: floats are too coarse for the integers that {law!r} reaches; compare "
                "normal laws of the same means and deviations, or samples"
            )
            raise NotImplementedError(message)
    return ranges


def _summed(
    function: str, p: IntegerLaw, q: IntegerLaw, terms: Callable[[Float64Array], Float64Array]
) -> tuple[Float64Array, Float64Array]:
    """Integers and weights that sum ``terms``: every one of a few, some of very many."""
    ranges = _ranges(function, p, q)
    if sum(high - low + 1.0 for low, high in ranges) <= MOST_SUMMED:
        k = np.concatenate([np.arange(low, high + 1.0) for low, high in ranges])
        return k, np.ones(k.size)
    turns = [_turns(p, q, low, high) for low, high in ranges]
    parts = [nodes((p, q), *ends, terms, cut) for ends, cut in zip(ranges, turns, strict=True)]
    k, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return k, weights


def _turns(p: IntegerLaw, q: IntegerLaw, low: float, high: float) -> Float64Array:
    """The integers from which the other law is the likelier: there |p - q| is not smooth."""
    places = edges((p, q), low, high)[:-1]
    likelier = np.sign(np.nan_to_num(log_mass_ratio(p, q, places)))
    found = np.flatnonzero(likelier[:-1] * likelier[1:] < 0.0)
    left, right, side = places[found], places[found + 1], likelier[found]
    while np.any(right - left > 1.0):
        middle = np.floor(0.5 * (left + right))
        same = np.sign(np.nan_to_num(log_mass_ratio(p, q, middle))) == side
        moved = np.where(same, middle, left), np.where(same, right, middle)
        if np.array_equal(moved[0], left) and np.array_equal(moved[1], right):
            break  # neighbours that floats do not tell apart
        left, right = moved
    return right


def of_integers(divergence: str, p: IntegerLaw, q: IntegerLaw) -> Array:
    """The divergence named of two laws on the integers."""
    if divergence == "kl_divergence" and _escapes(p, q):
        return np.float64(math.inf)
    tensors = [*p.tensors(), *q.tensors()]
    if identical(p, q) and not tensors:
        return np.float64(0.0)
    plain = off_the_graph(p), off_the_graph(q)
    if divergence == "wasserstein1":
        return _wasserstein1(p, q)
    with np.errstate(all="ignore"):
        k, weights = _summed(divergence, *plain, lambda k: _terms(divergence, *plain, k))
        value = total(weights * _terms(divergence, *plain, k))
        ratio = log_mass_ratio(p, q, k)
    cap = {"total_variation": 1.0, "js_divergence": LOG_2}.get(divergence, math.inf)
    value = min(max(value, 0.0), cap)
    if not tensors:
        return np.float64(value)
    surrogate = _surrogate(divergence, p, q, k, weights, None, ratio, tensors[0])
    return with_graph(value, surrogate)


def _masses(p: IntegerLaw, q: IntegerLaw, k: Float64Array) -> Any:
    log_p, log_q = (np.asarray(law.log_mass(k)) for law in (p, q))
    return SimpleNamespace(p=np.exp(log_p), q=np.exp(log_q), ratio=log_mass_ratio(p, q, k))


def _terms(divergence: str, p: IntegerLaw, q: IntegerLaw, k: Float64Array) -> Float64Array:
    return np.asarray(INTEGRANDS[divergence](_masses(p, q, k)))


def _wasserstein1(p: IntegerLaw, q: IntegerLaw) -> Array:
    """By a potential on all integers, or by blocks of them where they are many."""
    tensors = [*p.tensors(), *q.tensors()]
    plain = off_the_graph(p), off_the_graph(q)
    ranges = _ranges("wasserstein1", *plain)
    low, high = ranges[0][0], ranges[-1][1]
    if high - low + 1.0 > MOST_SUMMED:
        if tracks_derivatives(*tensors):
            message = (
                f"wasserstein1: gradients of {p!r} against {q!r}, which spread over "
                f"{high - low:.1e} integers, are not implemented; detach the parameters"
            )
            raise NotImplementedError(message)
        with np.errstate(all="ignore"):
            value = sum_of_gaps(plain, low, high, lambda k: difference(_masses(*plain, k)))
        value = max(value, _mean_difference(*plain))
        return like(np.asarray(value), tensors[0]) if tensors else np.float64(value)
    k = np.concatenate([np.arange(first, last + 1.0) for first, last in ranges])
    with np.errstate(all="ignore"):
        masses = _masses(*plain, k)
        potential = _potential(k, difference(masses))
        value = max(total(potential * difference(masses)), 0.0)
    if not tensors:
        return np.float64(value)
    weights = np.ones(k.size)
    surrogate = _surrogate("wasserstein1", p, q, k, weights, potential, masses.ratio, tensors[0])
    return with_graph(value, surrogate)


def _mean_difference(p: IntegerLaw, q: IntegerLaw) -> float:
    """The distance of the means, a lower bound, where it is known with one rounding; else 0."""
    if not (isinstance(p, Binomial | Poisson) and isinstance(q, Binomial | Poisson)):
        return 0.0
    first, second = (_mean_factors(law) for law in (p, q))
    return abs(product_difference(*first, *second))


def _mean_factors(law: Any) -> tuple[float, float]:
    """Two numbers whose product is the mean of a binomial or Poisson law."""
    numbers = law._numbers()
    return (1.0, numbers[0]) if isinstance(law, Poisson) else (numbers[0], numbers[1])


def _escapes(p: IntegerLaw, q: IntegerLaw) -> bool:
    """Whether p charges integers that q does not."""
    low, high = off_the_graph(q).support
    edges = np.array(
        [
            low - 1.0,
            high + 1.0 if np.isfinite(high) else low,
            low,
            high if np.isfinite(high) else low,
        ]
    )
    first, second = off_the_graph(p).log_mass(edges), off_the_graph(q).log_mass(edges)
    inner = bool(np.any(np.isfinite(first) & np.isinf(second)))
    return inner or off_the_graph(p).support[1] > high or _inside(p, q)


def _inside(p: IntegerLaw, q: IntegerLaw) -> bool:
    """The same at the first two and last two integers of p, where probabilities are 0 or 1."""
    low, high = off_the_graph(p).support
    k = np.array([low, low + 1.0] + ([high - 1.0, high] if np.isfinite(high) else []))
    first, second = off_the_graph(p).log_mass(k), off_the_graph(q).log_mass(k)
    return bool(np.any((first > -math.inf) & (second == -math.inf)))


def _potential(k: Float64Array, gap: Float64Array) -> Float64Array:
    """A potential on the integers with slope sign(G - F), 0 where the mass changes side."""
    below, above = np.cumsum(gap), -(np.cumsum(gap[::-1])[::-1])
    size = np.cumsum(np.abs(gap))
    cumulative = np.where(size < 0.5 * size[-1], below, np.append(above[1:], 0.0))
    rise = -np.sign(cumulative[:-1]) * np.diff(k)
    heights = np.concatenate([[0.0], np.cumsum(rise)])
    return np.asarray(heights - heights[int(np.searchsorted(size, 0.5 * size[-1]))])


def _surrogate(
    divergence: str, p: Any, q: Any, k: Float64Array, weights: Float64Array, potential: Any,
    ratio: Any, model: Array,
) -> Array:  # fmt: skip
    """The same sum with masses that carry the graph."""
    xp = namespace(model)
    places, w = like(k, model), like(weights, model)
    logs = [law.log_mass(places) for law in (p, q)]
    masses = [xp.where(xp.isfinite(v), xp.exp(xp.where(xp.isfinite(v), v, 0.0)), 0.0) for v in logs]
    first, second = masses
    if potential is not None:
        return xp.sum(like(potential, model) * (first - second))
    if divergence == "total_variation":
        return 0.5 * xp.sum(w * like(np.sign(np.nan_to_num(ratio)), model) * (first - second))
    both = xp.isfinite(logs[0]) & xp.isfinite(logs[1])
    logarithm = xp.where(both, xp.where(both, logs[0], 0.0) - xp.where(both, logs[1], 0.0), 0.0)
    if divergence == "kl_divergence":
        return xp.sum(w * (first * logarithm - first + second))
    zero = xp.zeros_like(logarithm)
    terms = first * (LOG_2 - xp.logaddexp(-logarithm, zero))
    terms = terms + second * (LOG_2 - xp.logaddexp(logarithm, zero))
    return 0.5 * xp.sum(w * xp.where(both, terms, LOG_2 * (first + second)))


def is_atomic(law: Any) -> bool:
    """Whether the law is carried by countably many points of the line."""
    if isinstance(law, Affine):
        return isinstance(law.law, IntegerLaw)
    return isinstance(law, Discrete | IntegerLaw)


def as_discrete(law: Any, other: Any = None) -> Discrete:
    """The law as a `Discrete` one, cut at tails of 1e-33, over what ``other`` reaches too."""
    if isinstance(law, Discrete):
        return law
    base, scale, shift = (
        (law.law, law.scale, law.shift) if isinstance(law, Affine) else (law, 1.0, 0.0)
    )
    low, high = reach(base)
    if other is not None and is_atomic(other):
        points = as_numpy(as_discrete(other).points)[:, 0]
        places = np.round((points - float(shift)) / float(scale))
        first, last = off_the_graph(base).support
        low = max(min(low, float(places.min())), first)
        high = min(max(high, float(places.max())), last)
    if not high - low < MOST_ATOMS:
        message = f"{law!r} spreads over too many integers to be listed; compare samples"
        raise NotImplementedError(message)
    k = np.arange(low, high + 1.0)
    model = next(iter(base.tensors()), None)
    masses = namespace(base.log_mass(k)).exp(base.log_mass(k))
    points = k if model is None else like(k, model)
    return Discrete(points * scale + shift, masses / masses.sum())


def wasserstein1_to_density(atoms: Discrete, law: ContinuousLaw) -> float:
    r"""W1 of atoms and a law with a density on the line.

    The k-th atom z takes the mass between the quantiles a, b of the cumulative weights before and
    after it, at the cost :math:`\int_a^b |x - z|\, dF`, which is split at z.
    """
    points, weights = as_numpy(atoms.points)[:, 0], as_numpy(atoms.weights)
    order = np.argsort(points, kind="stable")
    z, masses = points[order], weights[order]
    below = np.concatenate([[0.0], np.cumsum(masses)])
    above = np.concatenate([np.cumsum(masses[::-1])[::-1], [0.0]])
    tail = np.minimum(np.minimum(below, above) / (below + above), 0.5)
    plain = off_the_graph(law)
    cuts = np.where(below <= above, plain.quantile(tail), plain.upper_quantile(tail))
    low, high = cuts[:-1], cuts[1:]
    middle = np.clip(z, low, high)

    def cost(start: Float64Array, stop: Float64Array) -> Float64Array:
        """The integral of x - z over [start, stop]."""
        up = plain.cdf(start) > 0.5
        mass = np.where(
            up,
            plain.survival(start) - plain.survival(stop),
            plain.cdf(stop) - plain.cdf(start),
        )
        return np.asarray(plain.partial_mean(stop) - plain.partial_mean(start) - z * mass)

    with np.errstate(all="ignore"):
        left, right = -cost(low, middle), cost(middle, high)
    return math.fsum(np.maximum(left, 0.0)) + math.fsum(np.maximum(right, 0.0))
