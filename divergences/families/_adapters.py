"""Laws of other libraries as ours."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation import describe, refuse
from ..measures import Discrete, Law
from ._affine import Affine
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


def from_scipy(frozen: Any) -> Law:
    """A frozen distribution of `scipy.stats` as a law.

    Parameters
    ----------
    frozen : frozen distribution
        Such as ``scipy.stats.norm(0.0, 1.0)``: norm, laplace, expon, gamma, chi2, erlang, beta,
        uniform, bernoulli, binom, geom, poisson, randint, multivariate_normal; of other
        distributions with a density, those become a `LawOnLine` of their cdf and density, with the
        density taken as rising up to the mode found and falling beyond.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If it is not a frozen distribution.
    NotImplementedError
        If there is no such law here.

    Examples
    --------
    >>> import scipy.stats
    >>> from divergences.families import from_scipy
    >>> from_scipy(scipy.stats.expon(scale=2.0))
    Exponential(rate=0.5)
    """
    if type(frozen).__name__ == "multivariate_normal_frozen":
        covariance = np.asarray(frozen.cov_object.covariance)
        return MultivariateNormal(np.asarray(frozen.mean), covariance)
    if not (hasattr(frozen, "dist") and hasattr(frozen, "kwds")):
        refuse("from_scipy", "frozen", "be a frozen distribution of scipy.stats",
               describe(frozen), TypeError)  # fmt: skip
    shapes, location, scale = frozen.dist._parse_args(*frozen.args, **frozen.kwds)
    numbers = [float(value) for value in (*shapes, location, scale)]
    reader = SCIPY.get(frozen.dist.name)
    if reader is None:
        return _from_functions(frozen)
    return reader(numbers[:-2], numbers[-2], numbers[-1])


def _moved(law: Law, location: float, scale: float) -> Law:
    return law if (location, scale) == (0.0, 1.0) else Affine(law, scale, location)


SCIPY: dict[str, Callable[[list[float], float, float], Law]] = {
    "norm": lambda _, m, s: Normal(m, s),
    "laplace": lambda _, m, s: Laplace(m, s),
    "expon": lambda _, m, s: _moved(Exponential(1.0 / s), m, 1.0),
    "gamma": lambda a, m, s: _moved(Gamma(a[0], 1.0 / s), m, 1.0),
    "erlang": lambda a, m, s: _moved(Gamma(a[0], 1.0 / s), m, 1.0),
    "chi2": lambda a, m, s: _moved(Gamma(0.5 * a[0], 0.5 / s), m, 1.0),
    "beta": lambda a, m, s: _moved(Beta(a[0], a[1]), m, s),
    "uniform": lambda _, m, s: Uniform(m, m + s),
    "bernoulli": lambda a, m, _: _moved(Bernoulli(a[0]), m, 1.0),
    "binom": lambda a, m, _: _moved(Binomial(int(a[0]), a[1]), m, 1.0),
    "geom": lambda a, m, _: _moved(Geometric(a[0]), m + 1.0, 1.0),
    "poisson": lambda a, m, _: _moved(Poisson(a[0]), m, 1.0),
    "randint": lambda a, m, _: Discrete(np.arange(a[0], a[1]) + m),
}


def _from_functions(frozen: Any) -> Law:
    if not hasattr(frozen.dist, "pdf"):
        message = (
            f"from_scipy: no law here is scipy.stats.{frozen.dist.name}; give its atoms as "
            "Discrete(points, weights)"
        )
        raise NotImplementedError(message)
    low, high = (float(end) for end in frozen.support())
    return LawOnLine(frozen.cdf, frozen.pdf, support=(low, high),
                     turning_points=_mode(frozen), accuracy=1e-12)  # fmt: skip


def _mode(frozen: Any) -> tuple[float, ...]:
    """The mode of a unimodal density, by golden section between quantiles; () at an end."""
    levels = np.linspace(0.0005, 0.9995, 2000)
    places = np.asarray(frozen.ppf(levels))
    top = int(np.argmax(frozen.pdf(places)))
    low, high = places[max(top - 1, 0)], places[min(top + 1, places.size - 1)]
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    for _ in range(200):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if frozen.pdf(left) < frozen.pdf(right):
            low = left
        else:
            high = right
    return (float(0.5 * (low + high)),)


def from_torch(distribution: Any) -> Law:
    """A distribution of `torch.distributions` as a law, its parameters with their graph.

    Parameters
    ----------
    distribution : torch.distributions.Distribution
        Normal, Laplace, Exponential, Gamma, Chi2, Beta, Uniform, Bernoulli, Categorical, Poisson,
        Geometric, Binomial, MultivariateNormal, LowRankMultivariateNormal; MixtureSameFamily of
        those with a density on the line; Independent of a vector of those on the line. Without
        batch axes otherwise.

    Returns
    -------
    Law

    Raises
    ------
    TypeError, ValueError
        If it is not a distribution, or has a batch shape.
    NotImplementedError
        If there is no such law here.

    Examples
    --------
    >>> import torch
    >>> from divergences.families import from_torch
    >>> from_torch(torch.distributions.Gamma(2.0, 0.5))
    Gamma(shape=2.0, rate=0.5)
    """
    if not hasattr(distribution, "batch_shape"):
        refuse("from_torch", "distribution", "be a torch distribution",
               describe(distribution), TypeError)  # fmt: skip
    kind = type(distribution).__name__
    if kind == "MixtureSameFamily":
        parts = _unbatched(distribution.component_distribution)
        return Mixture(parts, distribution.mixture_distribution.probs)
    if kind == "Independent" and distribution.reinterpreted_batch_ndims == 1:
        return Product(_unbatched(distribution.base_dist))
    if tuple(distribution.batch_shape):
        refuse("from_torch", "distribution", "have no batch axes",
               f"batch shape {tuple(distribution.batch_shape)}")  # fmt: skip
    return _reader(kind)(distribution)


def _reader(kind: str) -> Callable[[Any], Law]:
    reader = TORCH.get(kind)
    if reader is None:
        message = (
            f"from_torch: no law here is torch.distributions.{kind}; known: {', '.join(TORCH)}"
        )
        raise NotImplementedError(message)
    return reader


def _unbatched(distribution: Any) -> list[Law]:
    """The laws of a distribution with one batch axis."""
    kind = type(distribution).__name__
    names = PARAMETERS.get(kind)
    if names is None or len(distribution.batch_shape) != 1:
        message = f"from_torch: no law here is made of {kind} with batch shape "
        raise NotImplementedError(message + str(tuple(distribution.batch_shape)))
    columns = [getattr(distribution, name) for name in names]
    return [FAMILIES[kind](*row) for row in zip(*columns, strict=True)]


PARAMETERS: dict[str, tuple[str, ...]] = {
    "Normal": ("loc", "scale"),
    "Laplace": ("loc", "scale"),
    "Exponential": ("rate",),
    "Gamma": ("concentration", "rate"),
    "Chi2": ("concentration", "rate"),
    "Beta": ("concentration1", "concentration0"),
    "Uniform": ("low", "high"),
    "Bernoulli": ("probs",),
    "Poisson": ("rate",),
    "Geometric": ("probs",),
    "Binomial": ("total_count", "probs"),
}
FAMILIES: dict[str, Callable[..., Law]] = {
    "Normal": Normal,
    "Laplace": Laplace,
    "Exponential": Exponential,
    "Gamma": Gamma,
    "Chi2": Gamma,
    "Beta": Beta,
    "Uniform": Uniform,
    "Bernoulli": Bernoulli,
    "Poisson": Poisson,
    "Geometric": Geometric,
    "Binomial": Binomial,
}


def _by_names(kind: str) -> Callable[[Any], Law]:
    return lambda d: FAMILIES[kind](*(getattr(d, name) for name in PARAMETERS[kind]))


TORCH: dict[str, Callable[[Any], Law]] = {
    **{kind: _by_names(kind) for kind in PARAMETERS},
    "Categorical": lambda d: Categorical(d.probs),
    "MultivariateNormal": lambda d: MultivariateNormal(d.loc, d.covariance_matrix),
    "LowRankMultivariateNormal": lambda d: MultivariateNormal(d.loc, d.covariance_matrix),
}
