"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1, computed to be trusted."""

from ._js import js_distance, js_divergence
from ._kl import kl_divergence
from ._total_variation import total_variation
from .families import Normal
from .measures import Discrete

__all__ = [
    "Discrete",
    "Normal",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "total_variation",
]
