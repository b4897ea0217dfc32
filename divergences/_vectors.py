r"""The divergences of probability vectors: values, and what their gradients go through.

A value comes from ``_vector_compiled`` where the entries lie in this computer's memory and may be
looked at, and from ``_vector_terms.accurate`` elsewhere (on other devices, under tracing). Its
gradient is that of a plain function in working precision, attached. A formula takes the namespace
``xp`` and real arrays with the support on the last axis, and answers in float64.
"""

import math

import numpy as np

from ._array import (
    as_float64,
    attach,
    detach,
    finish,
    from_numpy,
    host_view,
    is_tensor,
    namespace,
    tracks_derivatives,
)
from ._typing import Array, ArrayLike, Namespace
from ._validation import mass_tolerance, masses
from ._vector_compiled import evaluate
from ._vector_terms import (
    JS,
    JS_DISTANCE,
    KL,
    LOG_2,
    TOTAL_VARIATION,
    accurate,
    js_terms,
    kl_terms,
    log_difference,
    plain_pair,
)
from ._vector_validation import aligned_pair

ROOT_OF_LOG_2 = math.sqrt(LOG_2)
CAPS = {TOTAL_VARIATION: 1.0, JS: LOG_2, JS_DISTANCE: ROOT_OF_LOG_2}
LEAST_ROOTED = 1e-290  # a JS that may have lost digits to underflow, which its root need not
LARGEST_SLOPE = 1e300  # of derivatives in float64
LARGEST_SINGLE_SLOPE = 1e38


def of_vectors(divergence: str, p: ArrayLike, q: ArrayLike, axis: int, unit: float = 1.0) -> Array:
    """The divergence named of what a caller gave as probability vectors, divided by ``unit``.

    The masses are checked while they are summed for the value: one pass over the arrays.
    """
    if _plain(p) and _plain(q) and p.size == q.size > 0 and _whole(axis):
        quick = evaluate(JS if divergence == JS_DISTANCE else divergence, p, q)
        if quick.in_order(mass_tolerance(p.dtype, p.size)):
            value = _distances(quick.value, p, q) if divergence == JS_DISTANCE else quick.value
            return value if unit == 1.0 else value / unit
    first, second, dtype = aligned_pair(p, q, axis, divergence)
    value = _divergence(divergence, namespace(first), first, second, checked_for=divergence)
    return finish(value if unit == 1.0 else value / unit, dtype)


def _plain(vector: ArrayLike) -> bool:
    """Whether there is nothing to check but the values."""
    return type(vector) is np.ndarray and vector.ndim == 1 and vector.dtype == np.float64


def _whole(axis: int) -> bool:
    """Whether ``axis`` is an integer that names the only axis (False and -1.0 are none)."""
    return type(axis) is int and axis in (-1, 0)


def _divergence(
    divergence: str, xp: Namespace, p: Array, q: Array, checked_for: str | None = None
) -> Array:
    """The divergence; ``checked_for`` is the public name under which masses are checked, if any."""
    value = _value(divergence, xp, detach(p), detach(q), checked_for)
    if not tracks_derivatives(p, q):
        return value
    if divergence == JS_DISTANCE:
        square = attach(value * value, _js(xp, as_float64(p), as_float64(q), math.inf))
        return attach(value, root(xp, square))
    single = "float32" in str(p.dtype) and "float32" in str(q.dtype)
    largest = LARGEST_SINGLE_SLOPE if single else LARGEST_SLOPE
    return attach(value, _SURROGATES[divergence](xp, as_float64(p), as_float64(q), largest))


def _value(divergence: str, xp: Namespace, p: Array, q: Array, checked_for: str | None) -> Array:
    """The value off the graph."""
    views = host_view(p), host_view(q)
    if views[0] is None or views[1] is None:
        _check(checked_for, p, q)
        first, second = xp.broadcast_arrays(as_float64(p), as_float64(q))
        value = accurate(xp, divergence, first, second)
        return _within_range(xp, divergence, value, first, second)
    tolerance = min(mass_tolerance(vector.dtype, vector.shape[-1]) for vector in (p, q))
    found = evaluate(JS if divergence == JS_DISTANCE else divergence, *views)
    if checked_for is not None and not found.in_order(tolerance):
        _check(checked_for, p, q)
    value = _distances(found.value, *views) if divergence == JS_DISTANCE else found.value
    return value if xp is np else from_numpy(value, p)


def _distances(js: Array, p: Array, q: Array) -> Array:
    """The roots of JS, from the vectors where JS itself may have underflowed."""
    value, tiny = np.sqrt(js), js < LEAST_ROOTED
    if not tiny.any():
        return value
    p, q = np.broadcast_arrays(as_float64(p), as_float64(q))
    tiny = tiny & (p != q).any(axis=-1)
    value = np.asarray(value)
    value[tiny] = accurate(np, JS_DISTANCE, p[tiny], q[tiny])
    return value[()]


def _check(checked_for: str | None, p: Array, q: Array) -> None:
    if checked_for is not None:
        masses(p, "p", checked_for)
        masses(q, "q", checked_for)


def _within_range(xp: Namespace, divergence: str, value: Array, p: Array, q: Array) -> Array:
    if divergence == KL:
        return value
    cap = CAPS[divergence]
    disjoint = xp.all((p == 0) | (q == 0), axis=-1)
    return xp.where(disjoint, cap, xp.clip(value, 0.0, cap))


def _total_variation(xp: Namespace, p: Array, q: Array, _: float) -> Array:
    plain = plain_pair(xp, p, q)
    first, second = detach(p), detach(q)
    sign = xp.where(first > second, 1.0, xp.where(first < second, -1.0, 0.0))
    return 0.5 * xp.sum(sign * plain.difference, axis=-1) / plain.mass


def _kl(xp: Namespace, p: Array, q: Array, largest: float) -> Array:
    """KL in working precision, as a function to differentiate.

    Infinite one-sided derivatives (p = 0), and those beyond the largest float (in a steep q), are
    defined as 0; a steep entry still counts in the derivative through the sum of q.
    """
    first, second = detach(p), detach(q)
    # An infinite value has no gradient: there, equal laws stand in.
    aligned = xp.any((second == 0) & (first > 0), axis=-1)[..., None]
    p, q = xp.where(aligned, 1.0, p), xp.where(aligned, 1.0, q)
    first, second = xp.where(aligned, 1.0, first), xp.where(aligned, 1.0, second)
    steep = second < first / largest
    p = xp.where(first == 0, first, p)
    q = xp.where(steep, second, q)
    pair = plain_pair(xp, p, q)
    pair = pair._replace(q=xp.where(steep, detach(pair.q), pair.q))
    steep_mass = xp.sum(xp.where(steep, pair.p, 0.0), axis=-1)
    total = xp.sum(kl_terms(xp, pair, log_difference), axis=-1)
    return (total + steep_mass * xp.log(xp.sum(q, axis=-1))) / pair.mass


def _js(xp: Namespace, p: Array, q: Array, _: float) -> Array:
    """The same for JS; an atom of the other law only has the derivative 0."""
    first, second = detach(p), detach(q)
    p = xp.where((first == 0) & (second > 0), first, p)
    q = xp.where((second == 0) & (first > 0), second, q)
    plain = plain_pair(xp, p, q)
    return xp.sum(js_terms(xp, plain), axis=-1) / plain.mass


_SURROGATES = {TOTAL_VARIATION: _total_variation, KL: _kl, JS: _js}


def root(xp: Namespace, divergence: Array) -> Array:
    """The square root of JS; its gradient at 0 is defined as 0.

    Torch's square root is wrong by an ulp now and then, which must not exceed that of log 2.
    """
    positive = divergence > 0
    value = xp.sqrt(xp.where(positive, divergence, 1.0))
    value = value - xp.clip(detach(value) - ROOT_OF_LOG_2, 0.0, None) if is_tensor(value) else value
    return xp.where(positive, value, 0.0)


def total_variation(xp: Namespace, p: Array, q: Array) -> Array:
    """Half the l1 distance of the normalised vectors, in [0, 1]."""
    return _divergence(TOTAL_VARIATION, xp, p, q)


def kl_divergence(xp: Namespace, p: Array, q: Array) -> Array:
    """KL(p, q) in nats, in [0, inf]."""
    return _divergence(KL, xp, p, q)


def js_divergence(xp: Namespace, p: Array, q: Array) -> Array:
    """The halved JS(p, q) in nats, in [0, log 2]."""
    return _divergence(JS, xp, p, q)


def js_distance(xp: Namespace, p: Array, q: Array) -> Array:
    """The square root of the halved JS(p, q)."""
    return _divergence(JS_DISTANCE, xp, p, q)


VECTOR_FORMULAS = {
    TOTAL_VARIATION: total_variation,
    KL: kl_divergence,
    JS: js_divergence,
    JS_DISTANCE: js_distance,
}
