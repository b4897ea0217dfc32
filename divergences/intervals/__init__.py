"""Honest confidence intervals for divergences of the laws behind samples."""

from ._compare import SampleComparison, compare_samples
from ._interval import Interval
from ._js import js_interval
from ._kl import kl_interval
from ._total_variation import total_variation_interval
from ._wasserstein1 import wasserstein1_interval

__all__ = [
    "Interval",
    "SampleComparison",
    "compare_samples",
    "js_interval",
    "kl_interval",
    "total_variation_interval",
    "wasserstein1_interval",
]
