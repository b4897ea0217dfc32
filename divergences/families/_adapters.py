"""Laws of other libraries as ours."""

import math
from collections.abc import Callable
from typing import Any, NoReturn

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

MOST_ATOMS = 1_000_000


def from_scipy(frozen: Any) -> Law:
    """A frozen distribution of `scipy.stats` as a law.

    Parameters
    ----------
    frozen : frozen distribution
        Such as ``scipy.stats.norm(0.0, 1.0)``: norm, laplace, expon, gamma, chi2, erlang, beta,
        uniform, bernoulli, binom, geom, poisson, randint, multivariate_normal. Others with finitely
        many atoms become `Discrete`; others with a density a `LawOnLine` of their cdf and density,
        which must rise up to one mode and fall beyond, as far as 2000 quantiles tell.

    Returns
    -------
    Law

    Raises
    ------
    TypeError, ValueError
        If it is not a frozen distribution, or its parameters are arrays or not those of a law.
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
    if any(np.ndim(value) > 0 for value in (*shapes, location, scale)):
        refuse("from_scipy", "frozen", "have numbers as parameters, not arrays", repr(frozen.args))
    numbers = [float(value) for value in (*shapes, location, scale)]
    reader = SCIPY.get(frozen.dist.name)
    if not (numbers[-1] > 0.0 and bool(np.all(frozen.dist._argcheck(*shapes)))):
        arrived = f"{frozen.dist.name}{(*numbers[:-2],)}, loc={numbers[-2]}, scale={numbers[-1]}"
        refuse("from_scipy", "frozen", "have parameters for which scipy knows a law", arrived)
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
    "binom": lambda a, m, _: _moved(Binomial(a[0], a[1]), m, 1.0),
    "geom": lambda a, m, _: _moved(Geometric(a[0]), m + 1.0, 1.0),
    "poisson": lambda a, m, _: _moved(Poisson(a[0]), m, 1.0),
    "randint": lambda a, m, _: Discrete(np.arange(a[0], a[1]) + m),
}


def _from_functions(frozen: Any) -> Law:
    low, high = (float(end) for end in frozen.support())
    if not hasattr(frozen.dist, "pdf"):
        return _from_masses(frozen, low, high)
    first, last = frozen.ppf([0.0005, 0.9995])
    if float(frozen.cdf(last + 1e3 * (last - first))) > 1.0 + 1e-12:
        _refuse_density(frozen)
    places = np.asarray(frozen.ppf(np.linspace(0.0005, 0.9995, 2000)))
    density = np.asarray(frozen.pdf(places))
    top = int(np.argmax(density))
    rise, fall = np.diff(density[: top + 1]), np.diff(density[top:])
    slack = 1e-9 * np.max(density[np.isfinite(density)], initial=0.0)
    if not (bool(np.all(rise >= -slack)) and bool(np.all(fall <= slack))):
        _refuse_density(frozen)
    return LawOnLine(frozen.cdf, frozen.pdf, support=(low, high),
                     turning_points=_mode(frozen, places, top), accuracy=1e-12)  # fmt: skip


def _refuse_density(frozen: Any) -> NoReturn:
    message = (
        f"from_scipy: the density of scipy.stats.{frozen.dist.name} does not rise to one mode and "
        "fall beyond it on the line; say where it turns: LawOnLine(cdf, density, support=..., "
        "turning_points=...)"
    )
    raise NotImplementedError(message)


def _from_masses(frozen: Any, low: float, high: float) -> Law:
    """Finitely many atoms as they are."""
    if hasattr(frozen.dist, "xk"):
        shift = float(frozen.kwds.get("loc", frozen.args[0] if frozen.args else 0.0))
        return Discrete(np.asarray(frozen.dist.xk) + shift, np.asarray(frozen.dist.pk))
    if not (math.isfinite(high - low) and high - low <= MOST_ATOMS):
        message = (
            f"from_scipy: no law here is scipy.stats.{frozen.dist.name}; give its atoms as "
            "Discrete(points, weights)"
        )
        raise NotImplementedError(message)
    points = low + np.arange(round(high - low) + 1.0)
    weights = np.asarray(frozen.pmf(points))
    return Discrete(points, weights / weights.sum())


def _mode(frozen: Any, places: Any, top: int) -> tuple[float, ...]:
    """The mode of a unimodal density, by golden section about the highest of ``places``."""
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
        those with a density on the line; Independent of a vector of those on the line;
        TransformedDistribution by affine maps with numbers. Without batch axes otherwise.

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
    if not isinstance(getattr(distribution, "batch_shape", None), tuple):
        refuse("from_torch", "distribution", "be a torch distribution",
               describe(distribution), TypeError)  # fmt: skip
    kind = type(distribution).__name__
    if kind == "MixtureSameFamily":
        parts = _unbatched(distribution.component_distribution)
        return Mixture(parts, distribution.mixture_distribution.probs)
    if kind == "Independent" and distribution.reinterpreted_batch_ndims == 1:
        return Product(_unbatched(distribution.base_dist))
    if kind == "Independent" and distribution.reinterpreted_batch_ndims == 0:
        return from_torch(distribution.base_dist)
    if tuple(distribution.batch_shape):
        refuse("from_torch", "distribution", "have no batch axes",
               f"batch shape {tuple(distribution.batch_shape)}")  # fmt: skip
    if kind == "TransformedDistribution":
        return _transformed(distribution)
    return _reader(kind)(distribution)


def _transformed(distribution: Any) -> Law:
    law = from_torch(distribution.base_dist)
    for transform in distribution.transforms:
        kind = type(transform).__name__
        ends = (transform.loc, transform.scale) if kind == "AffineTransform" else ()
        if not ends or any(tuple(getattr(end, "shape", ())) for end in ends):
            message = (
                f"from_torch: no law here is a TransformedDistribution by {kind}; known: "
                "AffineTransform with numbers. Total variation, KL and JS do not change under a "
                "bijection that both laws share: compare the base distributions"
            )
            raise NotImplementedError(message)
        law = Affine(law, transform.scale, transform.loc)
    return law


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
    columns = _parameters(distribution, names)
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
    return lambda d: FAMILIES[kind](*_parameters(d, PARAMETERS[kind]))


def _parameters(distribution: Any, names: tuple[str, ...]) -> list[Any]:
    """What the distribution gives under ``names``; probabilities of trials with their shares."""
    values = [getattr(distribution, name) for name in names if name != "probs"]
    return [*values, *_shares(distribution)] if "probs" in names else values


def _shares(distribution: Any) -> tuple[Any, ...]:
    """From logits where it was built on them: they keep digits of 1 - p that p does not."""
    given = next(name for name in distribution.__dict__ if name in ("probs", "logits"))
    if given == "probs":
        return (distribution.probs,)
    logits = distribution.logits
    rest = (-logits).sigmoid()
    # 1 - (1 - p), for the derivative of p itself is lost where it rounds to 1.
    return logits.sigmoid().where(logits < 0.0, 1.0 - rest), rest


TORCH: dict[str, Callable[[Any], Law]] = {
    **{kind: _by_names(kind) for kind in PARAMETERS},
    "Categorical": lambda d: Categorical(d.probs),
    "MultivariateNormal": lambda d: MultivariateNormal(d.loc, d.covariance_matrix),
    "LowRankMultivariateNormal": lambda d: MultivariateNormal(d.loc, d.covariance_matrix),
}
