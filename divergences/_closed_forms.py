"""Divergences of two laws, looked up by (divergence, type, type).

An entry of ``FORMULAS`` takes the two laws and returns the divergence in float64. ``of_laws`` is
the one door: atoms on a common support go through the formulas for probability vectors, other
pairs through the table, and what is in neither is a ``NotImplementedError`` naming the way round.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from . import _normal, _vectors
from ._array import as_numpy, finish, is_tensor, namespace, result_dtype
from ._typing import Array
from ._validation import describe, refuse, same_dimension, same_library
from .families import Normal
from .measures import Discrete, Law, common_support

Formula = Callable[[Any, Any], Array]


def of_laws(divergence: str, p: object, q: object) -> Array:
    """The divergence named of two laws.

    Parameters
    ----------
    divergence : str
        The public name: "total_variation", "kl_divergence", "js_divergence", "js_distance" or
        "wasserstein1".
    p, q : Law

    Returns
    -------
    scalar
        ``np.float64`` (or float32), or a 0-d tensor if a parameter is a tensor.

    Raises
    ------
    TypeError
        If one of p, q is not a law.
    NotImplementedError
        If no formula is known for this pair of types.
    """
    if not (isinstance(p, Law) and isinstance(q, Law)):
        _refuse_stranger(divergence, p, q)
    if isinstance(p, Discrete) and isinstance(q, Discrete) and divergence != "wasserstein1":
        first, second, dtype = common_support(p, q, divergence)
        value = _vectors.VECTOR_FORMULAS[divergence](namespace(first), first, second)
        return finish(value, dtype)
    formula = FORMULAS.get((divergence, type(p), type(q)))
    if formula is None:
        message = (
            f"{divergence}: no formula is known for {type(p).__name__} against {type(q).__name__}; "
            "draw samples of both and compare them as arrays (wasserstein1), or put both on a "
            "common grid as probability vectors"
        )
        raise NotImplementedError(message)
    _demand_one_library(divergence, p, q)
    with np.errstate(over="ignore", under="ignore"):  # an answer may well be infinite, or tiny
        return _finished(formula(p, q), p, q)


def _refuse_stranger(divergence: str, p: object, q: object) -> NoReturn:
    name: str = "q" if isinstance(p, Law) else "p"
    stranger, law = (q, p) if name == "q" else (p, q)
    requirement = f"be a law like the other argument ({law!r})"
    refuse(divergence, name, requirement, describe(stranger), TypeError)


def _demand_one_library(divergence: str, p: Law, q: Law) -> None:
    """Arrays and tensors do not mix; a plain number goes with either."""
    homes = {
        name: next((f for f in _fields(law) if is_tensor(f) or np.ndim(f) > 0), None)
        for name, law in (("p", p), ("q", q))
    }
    same_library(divergence, **homes)


def _finished(value: Array, *laws: Law) -> Array:
    fields = [field for law in laws for field in _fields(law)]
    tensors = [field for field in fields if is_tensor(field)]
    if tensors:
        value = value if is_tensor(value) else tensors[0].new_tensor(float(value))
        return finish(value, result_dtype(*tensors))
    return finish(value, np.float64)


def _fields(law: Any) -> list[Any]:
    return [getattr(law, field.name) for field in dataclasses.fields(law)]


def _singular(value: float, divergence: str) -> Formula:
    """Atoms against a density: the supports are disjoint whatever the parameters."""

    def formula(p: Any, q: Any) -> float:
        for law in (p, q):
            if isinstance(law, Discrete):
                same_dimension(law.points, np.empty((1, 1)), divergence, "the two laws")
        return value

    return formula


def _discrete_normal(p: Discrete, q: Normal) -> Array:
    same_dimension(p.points, np.empty((1, 1)), "wasserstein1", "the two laws")
    if any(is_tensor(field) and field.requires_grad for field in (*_fields(p), *_fields(q))):
        message = (
            "wasserstein1: gradients of a Discrete law against a Normal one are not implemented; "
            "detach the parameters, or compare with samples of the normal law"
        )
        raise NotImplementedError(message)
    return _normal.wasserstein1_of_atoms(
        as_numpy(p.points)[:, 0], as_numpy(p.weights), float(q.mean), float(q.std)
    )


def _of_normals(formula: Callable[..., Array]) -> Formula:
    return lambda p, q: formula(*_normal.parameters(p, q))


FORMULAS: dict[tuple[str, type, type], Formula] = {
    ("total_variation", Normal, Normal): _of_normals(_normal.total_variation),
    ("kl_divergence", Normal, Normal): _of_normals(_normal.kl_divergence),
    ("js_divergence", Normal, Normal): _of_normals(_normal.js_divergence),
    ("js_distance", Normal, Normal): _of_normals(_normal.js_distance),
    ("wasserstein1", Normal, Normal): _of_normals(_normal.wasserstein1),
    ("wasserstein1", Discrete, Normal): _discrete_normal,
    ("wasserstein1", Normal, Discrete): lambda p, q: _discrete_normal(q, p),
}
for _name, _value in (
    ("total_variation", 1.0),
    ("kl_divergence", math.inf),
    ("js_divergence", math.log(2.0)),
    ("js_distance", math.sqrt(math.log(2.0))),
):
    FORMULAS[_name, Discrete, Normal] = FORMULAS[_name, Normal, Discrete] = _singular(_value, _name)


def wasserstein1(p: object, q: object) -> Array:
    """``of_laws("wasserstein1", p, q)``: for laws of which at least one is not ``Discrete``."""
    return of_laws("wasserstein1", p, q)
