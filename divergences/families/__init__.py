"""Parametric laws, laws made of others, and adapters from scipy and torch."""

from ._adapters import from_scipy, from_torch
from ._affine import Affine
from ._canonical import canonical
from ._categorical import Categorical
from ._elementary import Exponential, Laplace, Uniform
from ._gamma_beta import Beta, Gamma
from ._given import LawOnLine
from ._mixture import Mixture
from ._multivariate import MultivariateNormal
from ._normal import Normal
from ._poisson import Poisson
from ._product import Product
from ._trials import Bernoulli, Binomial, Geometric

__all__ = [
    "Affine",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Exponential",
    "Gamma",
    "Geometric",
    "Laplace",
    "LawOnLine",
    "Mixture",
    "MultivariateNormal",
    "Normal",
    "Poisson",
    "Product",
    "Uniform",
    "canonical",
    "from_scipy",
    "from_torch",
]
