"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1, computed to be trusted."""

from ._js import js_distance, js_divergence
from ._kl import kl_divergence
from ._logits import (
    bernoulli_js_divergence_from_logits,
    bernoulli_kl_divergence_from_logits,
    bernoulli_total_variation_from_logits,
    js_divergence_from_logits,
    kl_divergence_from_logits,
    total_variation_from_logits,
)
from ._optimal_transport import optimal_transport
from ._total_variation import total_variation
from ._wasserstein1 import wasserstein1
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
    "bernoulli_js_divergence_from_logits",
    "bernoulli_kl_divergence_from_logits",
    "bernoulli_total_variation_from_logits",
    "js_distance",
    "js_divergence",
    "js_divergence_from_logits",
    "kl_divergence",
    "kl_divergence_from_logits",
    "optimal_transport",
    "total_variation",
    "total_variation_from_logits",
    "wasserstein1",
]
