r"""Divergences of two laws with densities on the line, by quadrature.

With :math:`\ell = \log(p/q)` every integrand is written so that it keeps its digits where
:math:`\ell` is small, and is of one sign:

.. math::
    \mathrm{TV} &= \tfrac12 \int \max(p, q)\,(1 - e^{-|\ell|}), \qquad
    \mathrm{KL} = \int p\,(\ell - 1 + e^{-\ell}), \\
    \mathrm{JS} &= \int \frac{p + q}{4} \sum_{k \ge 1} \frac{t^{2k}}{k (2k - 1)}, \quad
    t = \tanh(\ell/2), \qquad
    W_1 = \int \varphi\,(p - q), \quad \varphi' = \operatorname{sign}(G - F).

The nodes are constants: gradients go through the log-densities (and, for Wasserstein-1, not through
the potential, by the envelope theorem).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from .._array import like, namespace, with_graph
from .._summation import total
from .._typing import Array, Float64Array
from .._vector_terms import JS_SERIES, LOG_2, series
from ..families._identical import identical
from ..families._line import ContinuousLaw, Points
from ._panels import Nodes, Panels, pieces

KL_SERIES = tuple((-1.0) ** k / math.factorial(k) for k in range(2, 20))
NEAR = 0.5


class Resolved(NamedTuple):
    """Panels with the nodes on which the answer was computed, and the potential there."""

    panels: Panels
    nodes: Nodes
    potential: Float64Array | None = None


def of_densities(
    divergence: str, p: ContinuousLaw, q: ContinuousLaw, *, enclosed: bool = False
) -> Array:
    """The divergence named; with the graph of the laws' parameters, if they have one.

    Where no enclosure confirms it, nodes that miss mass of a law are refused.
    """
    tensors = [*p.tensors(), *q.tensors()]
    same = identical(p, q)
    if same and not tensors:
        return np.float64(0.0)
    resolved = resolve(divergence, p, q)
    if not (enclosed or same):
        _demand_mass(divergence, resolved, p, q)
    value = 0.0 if same else value_on(divergence, resolved)
    if not tensors:
        return np.float64(value)
    surrogate = sum(_surrogate(divergence, part, p, q, tensors[0]) for part in resolved)
    return with_graph(value, surrogate)


def resolve(divergence: str, p: ContinuousLaw, q: ContinuousLaw) -> list[Resolved]:
    """Panels fine enough for the divergence named."""
    parts = [Panels(p, q, piece) for piece in pieces(p, q)]
    parts = [part for part in parts if part.low.size]
    integrand = INTEGRANDS["total_variation" if divergence == "wasserstein1" else divergence]
    for part in parts:
        if divergence in ("total_variation", "wasserstein1"):
            part.split_at_crossings()
        part.refine(integrand)
    if divergence == "wasserstein1":
        return _with_potential(parts)
    return [Resolved(part, part.nodes(part.low, part.high)) for part in parts]


def _demand_mass(divergence: str, resolved: list[Resolved], p: Any, q: Any) -> None:
    """Refuse laws of which the panels do not reach what they carry: extreme parameters."""
    for law, name in ((p, "p"), (q, "q")):
        with np.errstate(all="ignore"):
            mass = sum(
                float(np.nansum(part.nodes.weights * getattr(part.nodes, name)))
                for part in resolved
            )
        if not abs(mass - 1.0) < 1e-3:
            message = (
                f"{divergence}: the parameters of {law!r} are too extreme for floats to resolve "
                "its density; what would work: the enclosure of that name, or the Discrete law of "
                "the atoms that it nearly is"
            )
            raise NotImplementedError(message)


def value_on(divergence: str, resolved: list[Resolved]) -> float:
    """The sum over the nodes, in the range that the divergence has."""
    terms = []
    for part in resolved:
        with np.errstate(all="ignore"):
            if part.potential is None:
                values = INTEGRANDS[divergence](part.nodes)
            else:
                values = part.potential * difference(part.nodes)
            terms.append((part.nodes.weights * values).ravel())
    joined = np.concatenate(terms)
    if np.isinf(joined).any():
        return math.inf
    apart = all(bool(np.all((part.nodes.p == 0) | (part.nodes.q == 0))) for part in resolved)
    if apart and divergence in ("total_variation", "js_divergence"):
        return 1.0 if divergence == "total_variation" else LOG_2
    cap = {"total_variation": 1.0, "js_divergence": LOG_2}.get(divergence, math.inf)
    return min(max(total(joined), 0.0), cap)


def difference(nodes: Nodes) -> Float64Array:
    """P - q, relatively accurate."""
    ratio = np.nan_to_num(nodes.ratio, nan=0.0)
    larger = np.where(ratio > 0, nodes.p, nodes.q)
    return np.asarray(
        -np.sign(ratio) * np.where(larger > 0, larger, 0.0) * np.expm1(-np.abs(ratio))
    )


def _total_variation(nodes: Nodes) -> Float64Array:
    return np.asarray(0.5 * np.abs(difference(nodes)))


def _kl_divergence(nodes: Nodes) -> Float64Array:
    p, q, ratio = nodes.p, nodes.q, nodes.ratio
    near = np.abs(ratio) < NEAR
    small = np.where(near, ratio, 0.0)
    far = np.where(p > 0, p * ratio, 0.0) - p + q
    return np.where(near, p * small * series(np, KL_SERIES, small), far)


def _js_divergence(nodes: Nodes) -> Float64Array:
    p, q, ratio = nodes.p, nodes.q, np.nan_to_num(nodes.ratio, nan=0.0, posinf=np.inf)
    t = np.tanh(0.5 * np.where(np.abs(ratio) < 2 * NEAR, ratio, 0.0))
    near = 0.25 * (p + q) * (t * t) * (1.0 + series(np, JS_SERIES, t * t))
    first = np.where(p > 0, p * (LOG_2 - np.logaddexp(0.0, -ratio)), 0.0)
    second = np.where(q > 0, q * (LOG_2 - np.logaddexp(0.0, ratio)), 0.0)
    return np.where(np.abs(ratio) < 2 * NEAR, near, 0.5 * (first + second))


INTEGRANDS = {
    "total_variation": _total_variation,
    "kl_divergence": _kl_divergence,
    "js_divergence": _js_divergence,
}


def _with_potential(parts: list[Panels]) -> list[Resolved]:
    """Split panels where F = G, and evaluate an optimal potential at the nodes.

    F - G is summed from the end of the line that is nearer in total variation, so that its
    rounding is small beside it.
    """
    for _ in range(2):
        steps, sizes = zip(*(_steps(part) for part in parts), strict=True)
        step, size = np.concatenate(steps), np.concatenate(sizes)
        below, above = (
            np.concatenate([[0.0], np.cumsum(step)]),
            np.concatenate([np.cumsum(step[::-1])[::-1], [0.0]]),
        )
        mass = np.concatenate([[0.0], np.cumsum(size)])
        gap = np.where(mass < 0.5 * mass[-1], below, -above)
        noise = 1e-15 * np.minimum(mass, mass[-1] - mass)
        gap = np.where(np.abs(gap) <= noise, 0.0, gap)
        start = 0
        for part in parts:
            stop = start + part.low.size
            _split_at_zeros(part, gap[start : stop + 1])
            start = stop
    return _potentials(parts)


def _steps(part: Panels) -> tuple[Float64Array, Float64Array]:
    """The change of F - G over each panel, and that of the total variation."""
    nodes = part.nodes(part.low, part.high)
    values = nodes.weights * difference(nodes)
    return values.sum(axis=1), np.abs(values).sum(axis=1)


def _split_at_zeros(part: Panels, gap: Float64Array) -> None:
    """Make an edge of each place inside a panel where F - G changes sign."""
    inside = np.flatnonzero(gap[:-1] * gap[1:] < 0)
    if inside.size == 0:
        return
    low, high = part.low[inside], part.high[inside]
    left, right = low.copy(), high.copy()
    for _ in range(60):
        middle = left + 0.5 * (right - left)
        nodes = part.nodes(low, middle)
        there = gap[inside] + (nodes.weights * difference(nodes)).sum(axis=1)
        same = np.sign(there) == np.sign(gap[inside])
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    edges = np.unique(np.concatenate([part.low, part.high, right]))
    part.low, part.high = edges[:-1], edges[1:]


def _potentials(parts: list[Panels]) -> list[Resolved]:
    """The piecewise linear potential, 0 at the heaviest zero of F - G."""
    steps = np.concatenate([_steps(part)[0] for part in parts])
    sizes = np.concatenate([_steps(part)[1] for part in parts])
    mass = np.cumsum(sizes)
    forward, backward = np.cumsum(steps), -(np.sum(steps) - np.cumsum(steps))
    gap = np.where(mass < 0.5 * mass[-1], forward, backward)
    middle = 0.5 * (np.concatenate([[0.0], gap[:-1]]) + gap)
    slope = -np.sign(middle)
    ends = [(part.piece.points(part.low)[0].x, part.piece.points(part.high)[0].x) for part in parts]
    low, high = (np.concatenate(arrays) for arrays in zip(*ends, strict=True))
    rise = slope * (high - low)
    heights = np.concatenate([[0.0], np.cumsum(rise)])
    turns = np.flatnonzero(slope[:-1] * slope[1:] < 0)
    anchor = (
        turns[np.argmax(sizes[turns])] + 1
        if turns.size
        else int(np.searchsorted(mass, 0.5 * mass[-1]))
    )
    heights = heights - heights[anchor]
    result, start = [], 0
    for part in parts:
        stop = start + part.low.size
        nodes = part.nodes(part.low, part.high)
        local = nodes.points.x - low[start:stop, None]
        potential = heights[start:stop, None] + slope[start:stop, None] * local
        result.append(Resolved(part, nodes, potential))
        start = stop
    return result


def _surrogate(divergence: str, part: Resolved, p: Any, q: Any, model: Array) -> Array:
    """The same sum with log-densities that carry the graph."""
    nodes = part.nodes
    flat = _flat(nodes)
    xp = namespace(model)
    points = flat.like(model)
    slope, weights = (
        like(np.ascontiguousarray(a.ravel()), model)
        for a in (nodes.log_slope + 0.0 * nodes.weights, nodes.weights)
    )
    log_p, log_q = (law.log_density_at(xp, points) + slope for law in (p, q))
    ratio = log_p - log_q
    kept = xp.isfinite(log_p) & xp.isfinite(log_q) & xp.isfinite(weights)
    zero = xp.zeros_like(weights)
    mass_p, mass_q = (
        xp.where(xp.isfinite(v), xp.exp(xp.where(xp.isfinite(v), v, zero)), zero)
        for v in (log_p, log_q)
    )
    ratio = xp.where(kept, ratio, zero)
    if part.potential is not None:
        return xp.sum(weights * like(part.potential.ravel(), model) * (mass_p - mass_q))
    if divergence == "total_variation":
        sign = like(np.sign(np.nan_to_num(nodes.ratio.ravel())), model)
        return 0.5 * xp.sum(weights * sign * (mass_p - mass_q))
    if divergence == "kl_divergence":
        return xp.sum(weights * (mass_p * ratio - mass_p + mass_q))
    first = mass_p * (LOG_2 - _softplus(xp, -ratio))
    second = mass_q * (LOG_2 - _softplus(xp, ratio))
    alone = LOG_2 * (mass_p + mass_q)
    return 0.5 * xp.sum(weights * xp.where(kept, first + second, alone))


def _softplus(xp: Any, value: Array) -> Array:
    return xp.logaddexp(value, xp.zeros_like(value))


def _flat(nodes: Nodes) -> Points:
    """The places of the nodes as vectors."""
    points = nodes.points
    arrays = (
        None if a is None else np.ascontiguousarray(np.broadcast_to(a, nodes.weights.shape)).ravel()
        for a in (points.x, points.from_low, points.to_high)
    )
    x, below, above = arrays
    return points._replace(x=x, from_low=below, to_high=above)
