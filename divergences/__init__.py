"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1, computed to be trusted.

Vectors and laws: `total_variation(p, q)`, `kl_divergence`, `js_divergence` (nats, with the factor
1/2), `js_distance`. Samples, weighted or not, and laws: `wasserstein1(x, y)`, exact and certified;
`optimal_transport` returns the plan, the potentials and the critic besides. NumPy arrays and torch
tensors are taken as they are; nothing is normalised silently.

>>> from divergences import total_variation, wasserstein1
>>> float(total_variation([0.5, 0.5], [0.25, 0.75]))
0.25
>>> float(wasserstein1([[0.0, 0.0]], [[3.0, 4.0]]))
5.0

Also here: laws (`Normal`, `Discrete`, ...), `compare`, enclosures, related divergences.
Subpackages, to be imported by name: ``intervals`` (confidence intervals from samples), ``dual``
(critics, torch), ``theorems`` (the paper's claims as checks), ``testing`` (checks of your own
functions), ``estimators``, ``families``, ``problems``, ``plots``.
"""

from ._bracket import wasserstein1_bracket
from ._compare import Comparison, compare
from ._js import js_distance, js_divergence
from ._kl import kl_divergence
from ._labels import labelled
from ._logits import (
    bernoulli_js_divergence_from_logits,
    bernoulli_kl_divergence_from_logits,
    bernoulli_total_variation_from_logits,
    js_divergence_from_logits,
    kl_divergence_from_logits,
    total_variation_from_logits,
)
from ._merged import merged
from ._neighbours import bhattacharyya_distance, chi_squared_divergence, hellinger_distance
from ._optimal_transport import optimal_transport
from ._pairwise import (
    energy_distance,
    maximum_mean_discrepancy,
    squared_maximum_mean_discrepancy_unbiased,
    squared_polynomial_discrepancy_unbiased,
)
from ._sliced import sliced_wasserstein1
from ._total_variation import total_variation
from ._wasserstein1 import wasserstein1
from ._wasserstein1_grid import wasserstein1_grid
from .enclosures import (
    Enclosure,
    js_divergence_enclosure,
    kl_divergence_enclosure,
    total_variation_enclosure,
    wasserstein1_enclosure,
)
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
    "bernoulli_js_divergence_from_logits",
    "bernoulli_kl_divergence_from_logits",
    "bernoulli_total_variation_from_logits",
    "bhattacharyya_distance",
    "chi_squared_divergence",
    "compare",
    "energy_distance",
    "hellinger_distance",
    "js_distance",
    "js_divergence",
    "js_divergence_enclosure",
    "js_divergence_from_logits",
    "kl_divergence",
    "kl_divergence_enclosure",
    "kl_divergence_from_logits",
    "labelled",
    "maximum_mean_discrepancy",
    "merged",
    "optimal_transport",
    "sliced_wasserstein1",
    "squared_maximum_mean_discrepancy_unbiased",
    "squared_polynomial_discrepancy_unbiased",
    "total_variation",
    "total_variation_enclosure",
    "total_variation_from_logits",
    "wasserstein1",
    "wasserstein1_bracket",
    "wasserstein1_enclosure",
    "wasserstein1_grid",
]
