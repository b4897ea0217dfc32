"""Divergences of two laws, looked up by (divergence, type, type).

An entry of ``FORMULAS`` takes the two laws and returns the divergence in float64. ``of_laws`` is
the one door: atoms on a common support go through the formulas for probability vectors, pairs in
the table through it, laws on the integers are summed, other laws on the line are integrated with
a certificate, and what is left is a ``NotImplementedError`` naming the way round.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np

from . import _vectors
from ._array import (
    as_float64,
    as_numpy,
    detach,
    finish,
    is_tensor,
    namespace,
    result_dtype,
    tracks_derivatives,
    values_are_readable,
)
from ._typing import Array
from ._validation import describe, refuse, same_dimension, same_library
from .closed_forms import normal, one_family, several, two_families
from .enclosures import certified
from .families import (
    Affine,
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    MultivariateNormal,
    Normal,
    Poisson,
    Product,
    Uniform,
    canonical,
)
from .families._affine import AffineOnLine
from .families._integer import IntegerLaw, ShiftedInteger
from .families._line import ContinuousLaw
from .families._reduced import (
    apart,
    recentred,
    reduced,
    same_map,
    without_common_maps,
)
from .measures import Discrete, Law, common_support
from .quadrature import integers, of_densities

Formula = Callable[[Any, Any], Array]
SINGULAR = {
    "total_variation": 1.0,
    "kl_divergence": math.inf,
    "js_divergence": math.log(2.0),
    "js_distance": math.sqrt(math.log(2.0)),
}
BOUNDED = ("total_variation", "js_divergence")
ELEMENTARY = (Normal, Laplace, Exponential, Gamma, Beta, Uniform)
SMALL_KL = 1e-3  # below, entropies that nearly cancel give way to the quadrature


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
        If no formula is known for this pair of types, or none that torch.vmap allows.
    """
    if not (isinstance(p, Law) and isinstance(q, Law)):
        _refuse_stranger(divergence, p, q)
    _demand_one_library(divergence, p, q)
    # An answer may well be infinite, or tiny.
    with np.errstate(over="ignore", under="ignore"):
        try:
            first, second, factor = without_common_maps(p, q)
            value, dtype = value_of(divergence, canonical(first), canonical(second))
        except RuntimeError as error:
            _refuse_vmap(divergence, p, q, error)
        value = value * factor if divergence == "wasserstein1" else value
    return finish(value, dtype) if dtype is not None else _finished(value, p, q)


def value_of(divergence: str, p: Law, q: Law) -> tuple[Array, Any]:
    """The divergence of canonical laws in float64, and its dtype where only it is known."""
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        return _of_discrete(divergence, p, q)
    if divergence == "js_distance" and (divergence, type(p), type(q)) not in FORMULAS:
        value, dtype = value_of("js_divergence", p, q)
        return _vectors.root(namespace(value), value), dtype
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        return _of_labels(divergence, p, q), None
    if integers.is_atomic(p) and integers.is_atomic(q):
        return _of_atoms(divergence, p, q)
    return _of_pair(divergence, p, q), None


def _of_pair(divergence: str, p: Any, q: Any) -> Array:
    formula = FORMULAS.get((divergence, type(p), type(q)))
    if formula is not None:
        return formula(p, q)
    value: Any = None
    if isinstance(p, ContinuousLaw) and isinstance(q, ContinuousLaw):
        value = _of_continuous(divergence, p, q)
    elif integers.is_atomic(p) or integers.is_atomic(q):
        value = _atoms_and_density(divergence, p, q)
    elif isinstance(p, MultivariateNormal) and isinstance(q, MultivariateNormal):
        same_dimension(p.mean[None], q.mean[None], divergence, "p and q")
        value = several.of_normals(divergence, p, q)
    elif isinstance(p, Product) and isinstance(q, Product):
        value = several.of_products(divergence, p, q, of_laws)
    if isinstance(value, tuple):
        value = of_laws(divergence, *value)
    if value is not None and divergence in BOUNDED and isinstance(p, MultivariateNormal):
        value = several.with_derivatives(divergence, value, p, q)
    if value is None:
        message = (
            f"{divergence}: no formula is known for {p!r} against {q!r}; "
            "draw samples of both and compare them as arrays (wasserstein1), or put both on a "
            "common grid as probability vectors"
        )
        raise NotImplementedError(message)
    return value


def _of_continuous(divergence: str, p: ContinuousLaw, q: ContinuousLaw) -> Array:
    """The divergence of the pair where floats are dense, in the units of the pair given."""
    p, q, stretch = reduced(p, q)
    value = _of_reduced(divergence, p, q)
    return value * stretch if divergence == "wasserstein1" else value


def _of_reduced(divergence: str, p: ContinuousLaw, q: ContinuousLaw) -> Array:
    """Quadrature for two laws of one family; else closed forms of KL, else with a certificate."""
    if isinstance(p, AffineOnLine) and isinstance(q, AffineOnLine) and same_map(p, q):
        inner = _of_pair(divergence, canonical(p.law), canonical(q.law))
        return inner * abs(p.scale) if divergence == "wasserstein1" else inner
    low, high = max(p.support[0], q.support[0]), min(p.support[1], q.support[1])
    singular = high <= low and divergence != "wasserstein1"
    if singular or (divergence in BOUNDED and apart(p, q)):
        return np.float64(SINGULAR[divergence])
    p, q = recentred(p, q)
    pair = tuple(_as_beta(law) for law in (p, q))
    if type(pair[0]) is type(pair[1]) and isinstance(pair[0], Beta) and pair != (p, q):
        return _of_pair(divergence, *pair)
    if divergence == "kl_divergence" and isinstance(p, ELEMENTARY) and isinstance(q, ELEMENTARY):
        value = two_families.kl_divergence(p, q)
        if value is not None and (float(detach(value)) > SMALL_KL or one_family.tracks(p, q)):
            return value
    if {type(p), type(q)} <= {Gamma, Exponential} or type(p) is type(q) in (Beta, Laplace):
        return of_densities(divergence, p, q)
    return certified(divergence, p, q)


def _as_beta(law: Any) -> Any:
    unit = isinstance(law, Uniform) and not law.tensors() and law.support == (0.0, 1.0)
    return Beta(1.0, 1.0) if unit else law


def _of_discrete(divergence: str, p: Discrete, q: Discrete) -> tuple[Array, Any]:
    if divergence == "wasserstein1":
        from ._transport_problem import point_problem
        from ._validation import ground_metric

        ground = ground_metric("euclidean", "wasserstein1")
        problem = point_problem("wasserstein1", p, q, None, None, ground, None)
        return problem.value("wasserstein1"), problem.dtype
    first, second, dtype = common_support(p, q, divergence)
    return _vectors.VECTOR_FORMULAS[divergence](namespace(first), first, second), dtype


def _of_labels(divergence: str, p: Categorical, q: Categorical) -> Array:
    if len(p) != len(q):
        refuse(divergence, "p and q", "have the same number of labels", f"{len(p)} and {len(q)}")
    if divergence == "wasserstein1":
        message = (
            "wasserstein1: the labels of Categorical laws have no distances; say where they lie: "
            "Discrete(points, probabilities)"
        )
        raise NotImplementedError(message)
    first, second = as_float64(p.probabilities), as_float64(q.probabilities)
    return _vectors.VECTOR_FORMULAS[divergence](namespace(first), first, second)


def _of_atoms(divergence: str, p: Any, q: Any) -> tuple[Array, Any]:
    """Laws on the integers, their affine images, and lists of atoms."""
    if isinstance(p, Affine) and isinstance(q, Affine) and same_map(p, q):
        value, dtype = value_of(divergence, p.law, q.law)
        return (value * abs(p.scale) if divergence == "wasserstein1" else value), dtype
    if isinstance(p, ShiftedInteger) and isinstance(q, ShiftedInteger) and p.shift == q.shift:
        return value_of(divergence, p.law, q.law)
    formula = FORMULAS.get((divergence, type(p), type(q)))
    if formula is not None:
        return formula(p, q), None
    if isinstance(p, IntegerLaw) and isinstance(q, IntegerLaw):
        return integers.of_integers(divergence, p, q), None
    first, second = integers.as_discrete(p, q), integers.as_discrete(q, p)
    same_dimension(first.points, second.points, divergence, "the two laws")
    return _of_discrete(divergence, first, second)


def _atoms_and_density(  # noqa: PLR0911
    divergence: str, p: Any, q: Any
) -> Array | None:
    """Atoms against a density: the supports are disjoint whatever the parameters."""
    atoms, law = (p, q) if integers.is_atomic(p) else (q, p)
    if not isinstance(law, ContinuousLaw):
        if not isinstance(law, MultivariateNormal):
            return None
        points = atoms.points if isinstance(atoms, Discrete) else np.empty((1, 1))
        same_dimension(points, law.mean[None], divergence, "the two laws")
        if divergence == "wasserstein1" or float(np.linalg.det(as_numpy(law.matrix()))) == 0.0:
            return None
        return np.float64(SINGULAR[divergence])
    if isinstance(atoms, Discrete):
        same_dimension(atoms.points, np.empty((1, 1)), divergence, "the two laws")
    if divergence != "wasserstein1":
        return np.float64(SINGULAR[divergence])
    if tracks_derivatives(*_tensors(p), *_tensors(q)):
        message = (
            f"wasserstein1: gradients of a Discrete law against a {type(law).__name__} one are not "
            "implemented; detach the parameters, or compare with samples of that law"
        )
        raise NotImplementedError(message)
    listed = integers.as_discrete(atoms)
    if isinstance(law, Normal):
        return np.float64(
            normal.wasserstein1_of_atoms(
                as_numpy(listed.points)[:, 0], as_numpy(listed.weights), *law._numbers()
            )
        )
    if not np.isfinite(law.partial_mean(np.inf)):
        return None
    return np.float64(integers.wasserstein1_to_density(listed, law))


def _refuse_vmap(divergence: str, p: Law, q: Law, error: RuntimeError) -> NoReturn:
    """Say what torch's own message does not: which formula has to see the parameters."""
    if not any(sign in str(error) for sign in ("vmap", "data pointer of Tensor")):
        raise error
    message = (
        f"{divergence}: {type(p).__name__} against {type(q).__name__} laws is not an elementwise "
        "formula, and torch.vmap hides the parameters from it; call it law by law (torch.func.grad "
        "and backward() work)"
    )
    raise NotImplementedError(message) from error


def _refuse_stranger(divergence: str, p: object, q: object) -> NoReturn:
    name: str = "q" if isinstance(p, Law) else "p"
    stranger, law = (q, p) if name == "q" else (p, q)
    requirement = f"be a law like the other argument ({law!r})"
    refuse(divergence, name, requirement, describe(stranger), TypeError)


def _demand_one_library(divergence: str, p: Law, q: Law) -> None:
    """Arrays and tensors do not mix; a plain number goes with either."""
    homes = {name: next(iter(_arrays(law)), None) for name, law in (("p", p), ("q", q))}
    same_library(divergence, **homes)


def _finished(value: Array, *laws: Law) -> Array:
    tensors = [tensor for law in laws for tensor in _tensors(law)]
    if tensors:
        if not is_tensor(value):  # a constant: derivatives are 0
            value = sum((0.0 * as_float64(t).sum() for t in tensors), float(value))
        return finish(value, result_dtype(*tensors))
    return finish(value, np.float64)


def _arrays(law: Any) -> list[Any]:
    """The tensors of a law, or its arrays of one axis or more."""
    fields = [law.points, law.weights] if isinstance(law, Discrete) else list(_parameters(law))
    arrays = [field for field in fields if not is_tensor(field) and np.ndim(field) > 0]
    return _tensors(law) or [a for a in arrays if isinstance(a, np.ndarray)]


def _parameters(law: Any) -> list[Any]:
    if isinstance(law, Categorical | MultivariateNormal):
        return list(law.parameters().values())
    return []


def _tensors(law: Any) -> list[Array]:
    if isinstance(law, Discrete):
        return [field for field in (law.points, law.weights) if is_tensor(field)]
    return list(law.tensors()) if hasattr(law, "tensors") else []


def _of_normals(formula: Callable[..., Array]) -> Formula:
    return lambda p, q: formula(*normal.parameters(p, q))


def _bernoulli_js(p: Any, q: Any) -> Array:
    if values_are_readable(*p.parameters().values(), *q.parameters().values()):
        return integers.of_integers("js_divergence", p, q)
    xp, *laws = one_family.trial_shares(p, q)
    return _vectors.js_divergence(xp, *(xp.stack(shares) for shares in laws))


def _binomial_kl(p: Any, q: Any) -> Array:
    if p.count != q.count:
        return integers.of_integers("kl_divergence", p, q)
    return one_family.binomial_kl(p, q)


def _binomial_wasserstein1(p: Any, q: Any) -> Array:
    move = float(detach(p.probability)) - float(detach(q.probability))
    if (p.count - q.count) * move < 0.0:  # not ordered by more and likelier trials
        return integers.of_integers("wasserstein1", p, q)
    return one_family.binomial_wasserstein1(p, q)


def _ordered(closed: Formula) -> Formula:
    """Wasserstein-1 of two laws on the line by a formula that knows ordered ones only."""

    def wasserstein1_of(p: Any, q: Any) -> Array:
        value = closed(p, q)
        return _of_continuous("wasserstein1", p, q) if value is None else value

    return wasserstein1_of


def _exponential_variation(p: Any, q: Any) -> Array:
    if not values_are_readable(p.rate, q.rate):
        return one_family.exponential_total_variation_of(p, q)
    if p.tensors() or q.tensors():
        return of_densities("total_variation", p, q)
    return np.float64(one_family.exponential_total_variation(p, q))


FORMULAS: dict[tuple[str, type, type], Formula] = {
    ("total_variation", Normal, Normal): _of_normals(normal.total_variation),
    ("kl_divergence", Normal, Normal): _of_normals(normal.kl_divergence),
    ("js_divergence", Normal, Normal): _of_normals(normal.js_divergence),
    ("js_distance", Normal, Normal): _of_normals(normal.js_distance),
    ("wasserstein1", Normal, Normal): _of_normals(normal.wasserstein1),
    ("kl_divergence", Laplace, Laplace): one_family.laplace_kl,
    ("wasserstein1", Laplace, Laplace): one_family.laplace_wasserstein1,
    ("total_variation", Exponential, Exponential): _exponential_variation,
    ("kl_divergence", Exponential, Exponential): one_family.exponential_kl,
    ("wasserstein1", Exponential, Exponential): one_family.exponential_wasserstein1,
    ("wasserstein1", Gamma, Gamma): _ordered(one_family.gamma_wasserstein1),
    ("wasserstein1", Gamma, Exponential): _ordered(one_family.gamma_wasserstein1),
    ("wasserstein1", Exponential, Gamma): _ordered(one_family.gamma_wasserstein1),
    ("wasserstein1", Beta, Beta): _ordered(one_family.beta_wasserstein1),
    ("kl_divergence", Gamma, Gamma): one_family.gamma_kl,
    ("kl_divergence", Gamma, Exponential): one_family.gamma_kl,
    ("kl_divergence", Exponential, Gamma): one_family.gamma_kl,
    ("kl_divergence", Beta, Beta): one_family.beta_kl,
    ("wasserstein1", Uniform, Uniform): one_family.uniform_wasserstein1,
    ("total_variation", Bernoulli, Bernoulli): one_family.bernoulli_total_variation,
    ("js_divergence", Bernoulli, Bernoulli): _bernoulli_js,
    ("wasserstein1", Bernoulli, Bernoulli): one_family.bernoulli_total_variation,
    ("wasserstein1", Poisson, Poisson): one_family.ordered_wasserstein1,
    ("wasserstein1", Geometric, Geometric): one_family.geometric_wasserstein1,
    ("wasserstein1", Binomial, Binomial): _binomial_wasserstein1,
    ("kl_divergence", Poisson, Poisson): one_family.poisson_kl,
    ("kl_divergence", Bernoulli, Bernoulli): one_family.bernoulli_law_kl,
    ("kl_divergence", Binomial, Binomial): _binomial_kl,
    ("kl_divergence", Geometric, Geometric): one_family.geometric_kl,
}


for _name in ("total_variation", "kl_divergence", "js_divergence"):
    FORMULAS[_name, Uniform, Uniform] = partial(one_family.uniform_parts, _name)


def wasserstein1(p: object, q: object) -> Array:
    """``of_laws("wasserstein1", p, q)``: for laws of which at least one is not ``Discrete``."""
    return of_laws("wasserstein1", p, q)
