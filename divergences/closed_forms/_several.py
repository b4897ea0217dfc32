r"""Laws in R^d: normal laws, and products.

With the second covariance as the unit, :math:`\Sigma_2 = L L^T`, the pair of normal laws is
:math:`\delta = L^{-1}(\mu_1 - \mu_2)` and the eigenvalues :math:`1 + e_i` of
:math:`L^{-1} \Sigma_1 L^{-T}`, computed from :math:`\Sigma_1 - \Sigma_2`:

.. math:: \mathrm{KL} = \tfrac12 |\delta|^2 + \tfrac12 \sum_i (e_i - \log(1 + e_i)) .

If all but one of these coordinates agree, the rest is a pair of laws on the line; total variation
and JS of others are integrals (``_normal_plane``, ``_normal_space``).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._array import (
    as_float64,
    as_numpy,
    detach,
    is_tensor,
    like,
    namespace,
    tracks_derivatives,
    with_graph,
)
from .._special import log1p_excess
from .._typing import Array, Float64Array
from .._vector_terms import LOG_2
from ..families import canonical
from ..families._line import own
from ..families._multivariate import MultivariateNormal
from ..families._normal import Normal
from ..families._product import Product
from . import _normal_plane, _normal_space, _normal_space_gradient

ROUNDING = 1e-12
LEAST_IN_A_PLANE = 1e-4  # of TV, whose error there is an absolute one of about 1e-16


class Whitened(NamedTuple):
    """The pair in the coordinates of the second law, the columns of ``basis``.

    ``apart`` if the first law lives elsewhere.
    """

    shift: Float64Array
    excess: Float64Array
    apart: bool
    basis: Float64Array


def whiten(p: MultivariateNormal, q: MultivariateNormal) -> Whitened:
    """Both laws in coordinates in which q is standard and p has independent coordinates."""
    first, second = as_numpy(p.matrix()), as_numpy(q.matrix())
    move = as_numpy(p.mean) - as_numpy(q.mean)
    if np.array_equal(first, np.diag(np.diag(first))) and np.array_equal(
        second, np.diag(np.diag(second))
    ):
        values, vectors = np.diag(second), np.eye(p.dimension)
    else:
        values, vectors = np.linalg.eigh(second)
    largest = float(np.max(np.abs(values)))
    kept = values > ROUNDING * p.dimension * largest
    outside = vectors[:, ~kept]
    size = max(largest, float(np.max(np.abs(first))))
    off_shift = float(np.max(np.abs(outside.T @ move), initial=0.0))
    scale = max(float(np.max(np.abs(as_numpy(p.mean)))), float(np.max(np.abs(as_numpy(q.mean)))))
    off_spread = float(np.max(np.abs(outside.T @ first @ outside), initial=0.0))
    moved = off_shift > ROUNDING * (scale + math.sqrt(size)) * p.dimension
    escapes = moved or off_spread > ROUNDING * size * p.dimension
    basis = vectors[:, kept] / np.sqrt(values[kept])
    inner = basis.T @ (first - second) @ basis
    if np.array_equal(inner, np.diag(np.diag(inner))):
        excess, turn = np.diag(inner), np.eye(inner.shape[0])
    else:
        excess, turn = np.linalg.eigh(0.5 * (inner + inner.T))
    shift = turn.T @ (basis.T @ move)
    smaller = bool(np.any(excess <= -1.0 + ROUNDING * p.dimension))
    return Whitened(shift, excess, escapes or smaller, basis @ turn)


def of_normals(divergence: str, p: MultivariateNormal, q: MultivariateNormal) -> Any:
    """A number, a pair of laws on the line to be compared instead, or None."""
    if divergence == "wasserstein1":
        return _wasserstein1(p, q)
    pair = whiten(p, q)
    singular = {"total_variation": 1.0, "kl_divergence": math.inf, "js_divergence": LOG_2}
    if pair.apart:
        return singular[divergence]
    if divergence == "kl_divergence":
        return _with_graph(_kl(pair), p, q)
    return _of_whitened(divergence, pair)


def _of_whitened(divergence: str, pair: Whitened) -> Any:
    """Total variation or JS: a number, a pair of laws on the line, or None."""
    size = np.abs(pair.excess)
    differing = np.flatnonzero(size > max(1e-15, 1e-13 * float(np.max(size, initial=0.0))))
    if differing.size == 0:
        return Normal(float(np.linalg.norm(pair.shift)), 1.0), Normal(0.0, 1.0)
    rest = np.delete(pair.shift, differing)
    if differing.size == 1 and not np.any(np.abs(rest) > 1e-15):
        only = int(differing[0])
        std = math.sqrt(1.0 + pair.excess[only])
        return Normal(float(pair.shift[only]), std), Normal(0.0, 1.0)
    value = _by_integral(divergence, pair, differing)
    return None if value is None else np.float64(value)


def with_derivatives(divergence: str, value: Array, p: Any, q: Any) -> Array:
    """The value of total variation or JS with its derivatives in means and covariances.

    Raises
    ------
    NotImplementedError
        If the integral of the derivative of total variation falls too slowly.
    """
    tensors = [*p.tensors(), *q.tensors()]
    if not tensors:
        return value
    pair, number = whiten(p, q), float(detach(value))
    same = not (np.any(pair.shift) or np.any(pair.excess))
    if pair.apart or (same and divergence == "total_variation"):
        return np.float64(number)
    at = _normal_space_gradient.places(divergence, pair.shift, pair.excess)
    if at is None:
        message = (
            f"{divergence}: the derivative of this pair of MultivariateNormal laws converges too "
            "slowly (their covariances have nearly the same determinant in few coordinates); "
            "js_divergence has derivatives there, or detach the parameters"
        )
        raise NotImplementedError(message)
    basis = like(pair.basis, tensors[0])
    first, second = (_tensor(law.matrix(), tensors[0]) for law in (p, q))
    gap, second = (basis.T @ matrix @ basis for matrix in (first - second, second))
    move = basis.T @ (_tensor(p.mean, tensors[0]) - _tensor(q.mean, tensors[0]))
    here = pair.shift, pair.excess
    return with_graph(number, _normal_space_gradient.surrogate(at, here, move, gap, second))


def _by_integral(divergence: str, pair: Whitened, differing: Any) -> float | None:
    """Total variation or JS over a plane or over frequencies; None where neither is quick."""
    plane = _in_a_plane(pair, differing) if divergence == "total_variation" else None
    if plane is not None and plane >= LEAST_IN_A_PLANE:
        return plane
    value = _normal_space.of_normals(divergence, pair.shift, pair.excess)
    return plane if value is None else value


def _in_a_plane(pair: Whitened, differing: Any) -> float | None:
    """Two coordinates: those whose variances differ, then the direction of the other shifts.

    The lines run along the one whose variances differ more: a small difference loses digits.
    """
    if differing.size > 2:
        return None
    differing = differing[np.argsort(-np.abs(pair.excess[differing]))]
    rest = float(np.linalg.norm(np.delete(pair.shift, differing)))
    if differing.size == 2:
        if rest > 1e-15:
            return None
        return _normal_plane.total_variation(pair.shift[differing], pair.excess[differing])
    shift = np.array([pair.shift[differing[0]], rest])
    return _normal_plane.total_variation(shift, np.array([pair.excess[differing[0]], 0.0]))


def refuse_gradients(divergence: str, p: Any, q: Any) -> None:
    """Say so where the way to the value would cut the graph."""
    if tracks_derivatives(*p.tensors(), *q.tensors()):
        message = (
            f"{divergence}: gradients of {type(p).__name__} against {type(q).__name__} laws are "
            "not implemented; detach the parameters, or compare samples"
        )
        raise NotImplementedError(message)


def _kl(pair: Whitened) -> float:
    parts = [log1p_excess(float(e)) for e in pair.excess]
    return 0.5 * math.fsum([*(pair.shift * pair.shift), *parts])


def _with_graph(value: float, p: MultivariateNormal, q: MultivariateNormal) -> Array:
    tensors = [*p.tensors(), *q.tensors()]
    if not tensors:
        return np.float64(value)
    model, xp = tensors[0], namespace(tensors[0])
    first, second = (_tensor(law.matrix(), model) for law in (p, q))
    move = _tensor(p.mean, model) - _tensor(q.mean, model)
    solved = xp.linalg.pinv(second, hermitian=True) if _singular(q) else xp.linalg.inv(second)
    plain = xp.sum(solved * first.T) + move @ solved @ move
    if not _singular(q):
        plain = plain - xp.linalg.slogdet(first)[1] + xp.linalg.slogdet(second)[1]
    return with_graph(value, 0.5 * plain)


def _tensor(array: Array, model: Array) -> Array:
    return as_float64(array) if is_tensor(array) else like(as_numpy(array), model)


def _singular(law: MultivariateNormal) -> bool:
    values = np.linalg.eigvalsh(as_numpy(law.matrix()))
    return bool(values[0] <= ROUNDING * law.dimension * values[-1])


def _wasserstein1(p: MultivariateNormal, q: MultivariateNormal) -> Any:
    """Translations, balls about one centre, and pairs that differ along one axis."""
    first, second = p.matrix(), q.matrix()
    move = as_float64(p.mean) - as_float64(q.mean) if _same(p, q) else None
    plain_first, plain_second = as_numpy(first), as_numpy(second)
    shift = as_numpy(p.mean) - as_numpy(q.mean)
    if np.array_equal(plain_first, plain_second):
        norm = float(np.linalg.norm(shift))
        if move is None or not is_tensor(move):
            return np.float64(norm)
        return namespace(move).linalg.vector_norm(move)
    scales = _ball(plain_first), _ball(plain_second)
    if None not in scales and not np.any(shift):
        root = [first[0, 0] ** 0.5, second[0, 0] ** 0.5]
        d = p.dimension
        norm = math.sqrt(2.0) * math.exp(math.lgamma(0.5 * (d + 1)) - math.lgamma(0.5 * d))
        return norm * abs(root[0] - root[1])
    refuse_gradients("wasserstein1", p, q)
    return _along_one_axis(plain_first, plain_second, shift, as_numpy(q.mean))


def _same(p: MultivariateNormal, q: MultivariateNormal) -> bool:
    return is_tensor(p.mean) == is_tensor(q.mean)


def _ball(matrix: Float64Array) -> float | None:
    variance = float(matrix[0, 0])
    return variance if np.array_equal(matrix, variance * np.eye(matrix.shape[0])) else None


def _along_one_axis(
    first: Float64Array, second: Float64Array, shift: Float64Array, mean: Float64Array
) -> Any:
    """The laws of the one coordinate that differs and is independent of the others, or None."""
    differ = np.flatnonzero((first != second).any(axis=0) | (shift != 0.0))
    if differ.size != 1:
        return None
    axis = int(differ[0])
    others = np.delete(np.arange(mean.size), axis)
    if np.any(first[axis, others]) or np.any(second[axis, others]):
        return None
    variances = first[axis, axis], second[axis, axis]
    if min(variances) <= 0.0:
        return None
    means = float(mean[axis] + shift[axis]), float(mean[axis])
    return tuple(Normal(m, math.sqrt(v)) for m, v in zip(means, variances, strict=True))


def of_products(
    divergence: str, p: Product, q: Product, compare: Callable[[str, Any, Any], Any]
) -> Any:
    """KL adds up; of the rest the single differing factor decides, or a disjoint one.

    Several normal ones are a normal law in space; None for other factors.
    """
    if len(p) != len(q):
        message = f"{divergence}: p and q must have as many factors; got {len(p)} and {len(q)}"
        raise ValueError(message)
    pairs = list(zip(p.factors, q.factors, strict=True))
    if divergence == "kl_divergence":
        return sum(compare(divergence, first, second) for first, second in pairs)
    differing = [(a, b) for a, b in pairs if not (a is b or _equal(a, b, compare))]
    if not differing:
        return compare(divergence, *pairs[0])
    if len(differing) == 1:
        return compare(divergence, *differing[0])
    caps = {"total_variation": 1.0, "js_divergence": LOG_2}
    if divergence in caps and _disjoint(differing, compare):
        return caps[divergence]
    normals = [tuple(map(canonical, pair)) for pair in differing]
    if divergence not in caps or not all(isinstance(v, Normal) for pair in normals for v in pair):
        return None
    return _of_normal_factors(divergence, normals, compare)


def _joint(factors: tuple[Normal, ...]) -> MultivariateNormal:
    """Normal factors as one law in space, with their graph."""
    tensors = [tensor for law in factors for tensor in law.tensors()]
    if not tensors:
        means, deviations = np.array([law._numbers() for law in factors]).T
        return MultivariateNormal(means, deviations * deviations)
    xp = namespace(tensors[0])
    means, deviations = (
        xp.stack([own(value, tensors[0]) for value in column])
        for column in zip(*(law.parameters().values() for law in factors), strict=True)
    )
    return MultivariateNormal(means, deviations * deviations)


def _of_normal_factors(
    divergence: str, pairs: list[Any], compare: Callable[[str, Any, Any], Any]
) -> Any:
    """Total variation and JS of several normal factors, all of which differ."""
    numbers = np.array([[law._numbers() for law in pair] for pair in pairs])
    (m1, s1), (m2, s2) = numbers[:, 0].T, numbers[:, 1].T
    excess = (s1 - s2) / s2 * ((s1 + s2) / s2)
    white = Whitened((m1 - m2) / s2, excess, False, np.eye(len(pairs)))
    value = _of_whitened(divergence, white)
    joint = tuple(_joint(factors) for factors in zip(*pairs, strict=True))
    if value is None or not tracks_derivatives(*joint[0].tensors(), *joint[1].tensors()):
        return value
    number = compare(divergence, *value) if isinstance(value, tuple) else value
    return with_derivatives(divergence, number, *joint)


def _equal(first: Any, second: Any, compare: Callable[[str, Any, Any], Any]) -> bool:
    try:
        return float(detach(compare("total_variation", first, second))) == 0.0
    except NotImplementedError:
        return False


def _disjoint(pairs: Any, compare: Callable[[str, Any, Any], Any]) -> bool:
    try:
        return any(float(detach(compare("total_variation", a, b))) == 1.0 for a, b in pairs)
    except NotImplementedError:
        return False
