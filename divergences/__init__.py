"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1, computed to be trusted."""

from ._bracket import wasserstein1_bracket
from ._compare import Comparison, compare
from ._enclosure import Enclosure
from ._enclosures import (
    js_divergence_enclosure,
    kl_divergence_enclosure,
    total_variation_enclosure,
    wasserstein1_enclosure,
)
from ._js import js_distance, js_divergence
from ._kl import kl_divergence
from ._optimal_transport import optimal_transport
from ._total_variation import total_variation
from ._wasserstein1 import wasserstein1
from ._wasserstein1_grid import wasserstein1_grid
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
    Mixture,
    MultivariateNormal,
    Normal,
    Poisson,
    Product,
    Uniform,
)
from .measures import Discrete
from .transport import Bracket, CertificateError, TimeLimitReached, TransportResult

__all__ = [
    "Affine",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Bracket",
    "Categorical",
    "CertificateError",
    "Comparison",
    "Discrete",
    "Enclosure",
    "Exponential",
    "Gamma",
    "Geometric",
    "Laplace",
    "Mixture",
    "MultivariateNormal",
    "Normal",
    "Poisson",
    "Product",
    "TimeLimitReached",
    "TransportResult",
    "Uniform",
    "compare",
    "js_distance",
    "js_divergence",
    "js_divergence_enclosure",
    "kl_divergence",
    "kl_divergence_enclosure",
    "optimal_transport",
    "total_variation",
    "total_variation_enclosure",
    "wasserstein1",
    "wasserstein1_bracket",
    "wasserstein1_enclosure",
    "wasserstein1_grid",
]
