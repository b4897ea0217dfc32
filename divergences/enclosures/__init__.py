"""Certified enclosures of the divergences of two laws on the line."""

from ._certify import enclose
from ._enclosure import Enclosure
from ._public import (
    js_divergence_enclosure,
    kl_divergence_enclosure,
    total_variation_enclosure,
    wasserstein1_enclosure,
)
from ._value import certified

__all__ = [
    "Enclosure",
    "certified",
    "enclose",
    "js_divergence_enclosure",
    "kl_divergence_enclosure",
    "total_variation_enclosure",
    "wasserstein1_enclosure",
]
