"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1, computed to be trusted."""

from ._js import js_distance, js_divergence
from ._kl import kl_divergence
from ._optimal_transport import optimal_transport
from ._total_variation import total_variation
from ._wasserstein1 import wasserstein1
from ._wasserstein1_grid import wasserstein1_grid
from .families import Normal
from .measures import Discrete
from .transport import Bracket, CertificateError, TimeLimitReached, TransportResult

__all__ = [
    "Bracket",
    "CertificateError",
    "Discrete",
    "Normal",
    "TimeLimitReached",
    "TransportResult",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "optimal_transport",
    "total_variation",
    "wasserstein1",
    "wasserstein1_grid",
]
