"""Batches of small problems in any dimension: their values, with the gradients they give back.

All problems of a batch are solved, and differentiated, together; only those whose answer
``transport.solve_batch`` does not trust, large ones, values of only one, and those of a metric
given as a function go one by one.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ._array import as_float64, as_numpy, attach, is_tensor, like, namespace, tracks_derivatives
from ._transport_problem import PointProblem
from ._typing import Array, Float64Array
from .transport import MANY_PAIRS, Plans, solve_batch


def batch_values(problem: PointProblem, shape: tuple[int, ...]) -> Array:
    """Values of the problem's batch ``shape``, in float64, with their graph."""
    whole = _flat(problem, shape)
    count = int(np.prod(shape, dtype=np.int64))
    if count == 0:
        return _nothing(whole).reshape(shape)
    pairs = int(whole.x.shape[1] * whole.y.shape[1])
    alone = count == 1 and not problem.carries_derivatives  # a value costs less than a plan
    one_by_one = alone or problem.metric.name == "callable" or pairs > MANY_PAIRS
    if one_by_one or problem.solver is not None:
        values = _each(whole, range(count))
        return values.reshape(shape)
    a, b = _numpy_or_none(whole.x_weights), _numpy_or_none(whole.y_weights)
    plans = solve_batch(as_numpy(whole.x), as_numpy(whole.y), a, b, problem.metric)
    values = like(plans.values, problem.x)
    given = (whole.x, whole.y, whole.x_weights, whole.y_weights)
    if tracks_derivatives(*(side for side in given if side is not None)):
        values = attach(values, _surrogate(whole, plans))
    others = np.nonzero(~plans.trusted)[0]
    if others.size:
        singles = _each(whole, others)
        values = values.clone() if is_tensor(values) else values
        values[namespace(values).asarray(others)] = singles
    return values.reshape(shape)


def _flat(problem: PointProblem, shape: tuple[int, ...]) -> PointProblem:
    """The problem with one leading axis for the whole batch."""
    xp = namespace(problem.x)

    def flat(array: Array | None, kept: int) -> Any:
        if array is None:
            return None
        rest = tuple(array.shape[array.ndim - kept :])
        count = int(np.prod(shape, dtype=np.int64))
        return xp.broadcast_to(array, (*shape, *rest)).reshape((count, *rest))

    return replace(
        problem,
        x=flat(problem.x, 2),
        y=flat(problem.y, 2),
        x_weights=flat(problem.x_weights, 1),
        y_weights=flat(problem.y_weights, 1),
    )


def _each(whole: PointProblem, indices: Any) -> Array:
    """The values of some of the problems, each on its own."""
    xp = namespace(whole.x)
    values = []
    for k in indices:
        a, b = (None if side is None else side[k] for side in (whole.x_weights, whole.y_weights))
        part = replace(whole, x=whole.x[k], y=whole.y[k], x_weights=a, y_weights=b)
        values.append(part.value("wasserstein1"))
    return xp.stack(values)


def _nothing(whole: PointProblem) -> Array:
    """The values of no problems, with a graph if the input has one."""
    given = (whole.x, whole.y, whole.x_weights, whole.y_weights)
    firsts = [as_float64(side).reshape((0,)) for side in given if side is not None]
    return sum(firsts[1:], firsts[0])


def _numpy_or_none(side: Array | None) -> Float64Array | None:
    return None if side is None else as_numpy(side)


def _surrogate(whole: PointProblem, plans: Plans) -> Array:
    """A function (k,) of points and weights with the derivatives of the values."""
    xp = namespace(whole.x)
    device: Any = whole.x.device
    scale = like(plans.scale, whole.x)[:, None, None]
    rows = xp.arange(plans.source.shape[0], device=device)[:, None]
    source, target = (xp.asarray(np.array(i), device=device) for i in (plans.source, plans.target))
    ends = as_float64(whole.x)[rows, source], as_float64(whole.y)[rows, target]
    lengths = whole.metric.tensor_pairs(xp, ends[0] * scale, ends[1] * scale) / scale[..., 0]
    terms = xp.sum(like(plans.mass, whole.x) * lengths, axis=-1)
    for weights, potential in ((whole.x_weights, plans.u), (whole.y_weights, plans.v)):
        if weights is None:
            continue
        weights = as_float64(weights)  # noqa: PLW2901
        still = weights.detach()
        shares = still / xp.sum(still, axis=-1, keepdims=True)
        height = like(potential, weights)
        centred = height - xp.sum(shares * height, axis=-1, keepdims=True)
        change = (weights - still) / xp.sum(still, axis=-1, keepdims=True)
        terms = terms + xp.sum(change * centred, axis=-1)
    return terms
