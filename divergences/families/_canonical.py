"""One form for each law: affine maps are carried out, special cases become the general law."""

from typing import Any

import numpy as np

from .._array import as_float64, detach, is_tensor, like, namespace
from .._typing import Array
from .._validation import refuse
from ..measures import Discrete, Law
from ._affine import Affine, AffineOnLine
from ._elementary import Exponential, Laplace, Uniform
from ._gamma_beta import Gamma
from ._integer import IntegerLaw, ShiftedInteger
from ._line import ContinuousLaw
from ._mixture import Mixture
from ._multivariate import MultivariateNormal
from ._normal import Normal
from ._product import Product
from ._trials import Bernoulli, Binomial


def canonical(law: Law) -> Law:  # noqa: PLR0911
    """The same law in the form in which formulas know it.

    Affine maps of normal, Laplace, uniform and discrete laws are such laws again; a mixture of one
    component is that component; a product of one factor is that factor; a `MultivariateNormal` on
    the line is a `Normal` or an atom.
    """
    if isinstance(law, Affine):
        return _pushed(canonical(law.law), law.scale, law.shift)
    if isinstance(law, Mixture):
        return _mixed(law)
    if isinstance(law, AffineOnLine):
        return _pushed(canonical(law.law), law.scale, law.shift)
    if isinstance(law, Product):
        return canonical(law.factors[0]) if len(law) == 1 else law
    if isinstance(law, MultivariateNormal) and law.dimension == 1:
        variance = law.matrix()[0, 0]
        if float(detach(variance)) <= 0.0:
            return Discrete(law.mean)
        return Normal(law.mean[0], variance**0.5)
    return law


def _mixed(law: Mixture) -> Law:
    """The one component, or the mixture with its affine maps carried out."""
    parts = law.terms()
    if len(parts) == 1:
        return canonical(parts[0][1])
    if not any(isinstance(part, AffineOnLine) for part in law.components):
        return law
    return Mixture([canonical(part) for part in law.components], law.weights)


def _pushed(law: Law, scale: Any, shift: Any) -> Law:  # noqa: PLR0911
    if isinstance(law, Normal):
        return Normal(_double(law.mean) * scale + shift, _double(law.std) * abs(scale))
    if isinstance(law, Laplace):
        return Laplace(_double(law.location) * scale + shift, _double(law.scale) * abs(scale))
    if isinstance(law, Uniform):
        ends = _double(law.low) * scale + shift, _double(law.high) * scale + shift
        return Uniform(*(ends if float(detach(scale)) > 0 else ends[::-1]))
    if isinstance(law, Exponential) and _is(shift, 0.0) and float(detach(scale)) > 0:
        return Exponential(law.rate / scale)
    if isinstance(law, Exponential | Gamma) and is_tensor(scale):
        # The scale goes into the rate, where it moves no end of the support.
        sign, rate = (1.0 if float(detach(scale)) > 0 else -1.0), law.rate / abs(scale)
        inner = Gamma(law.shape, rate) if isinstance(law, Gamma) else Exponential(rate)
        return inner if _is(shift, 0.0) and sign > 0 else AffineOnLine(inner, sign, shift)
    if isinstance(law, Mixture):
        parts = [_pushed(canonical(part), scale, shift) for part in law.components]
        return Mixture(parts, law.weights)
    if isinstance(law, AffineOnLine):
        return AffineOnLine(law.law, law.scale * scale, law.shift * scale + shift)
    if isinstance(law, ContinuousLaw):
        return law if _is(scale, 1.0) and _is(shift, 0.0) else AffineOnLine(law, scale, shift)
    if isinstance(law, IntegerLaw):
        return _pushed_integers(law, scale, shift)
    if isinstance(law, Discrete):
        return Discrete(_mapped(law.points, scale, shift), law.weights)
    if isinstance(law, MultivariateNormal):
        return _pushed_normal(law, scale, shift)
    return Affine(law, scale, shift)


def _double(value: Any) -> Any:
    """A number; a tensor in float64, in which maps are carried out."""
    return as_float64(value) if is_tensor(value) else value


def _is(value: Any, number: float) -> bool:
    return not is_tensor(value) and float(value) == number


def _pushed_integers(law: IntegerLaw, scale: Any, shift: Any) -> Law:
    if _is(scale, 1.0) and _is(shift, 0.0):
        return law
    if _is(scale, 1.0) and not is_tensor(shift) and float(shift) == round(float(shift)):
        moved = float(shift) + (law.shift if isinstance(law, ShiftedInteger) else 0.0)
        return ShiftedInteger(law.law if isinstance(law, ShiftedInteger) else law, moved)
    if isinstance(law, Bernoulli | Binomial) and law.support[1] <= 1e6:
        k = np.arange(int(law.support[1]) + 1, dtype=np.float64)
        model = next(iter(law.tensors()), None)
        weights = namespace(law.log_mass(k)).exp(law.log_mass(k))
        weights = weights / weights.sum()
        points = k if model is None else like(k, model)
        return Discrete(points * scale + shift, weights)
    return Affine(law, scale, shift)


def _mapped(points: Array, scale: Any, shift: Any) -> Array:
    """A matrix or number times each point, plus the shift."""
    if np.ndim(scale) == 2:
        matrix = as_float64(scale)
        if matrix.shape[1] != points.shape[-1]:
            refuse("Affine", "scale", f"have {points.shape[-1]} columns", str(tuple(matrix.shape)))
        return as_float64(points) @ matrix.T + shift
    return points * scale + shift


def _pushed_normal(law: MultivariateNormal, scale: Any, shift: Any) -> Law:
    mean = _mapped(law.mean, scale, shift)
    covariance = law.matrix()
    if np.ndim(scale) == 2:
        matrix = as_float64(scale)
        return canonical(MultivariateNormal(mean, matrix @ covariance @ matrix.T))
    return canonical(MultivariateNormal(mean, covariance * scale * scale))
