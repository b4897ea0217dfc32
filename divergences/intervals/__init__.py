"""Confidence intervals for divergences of the laws behind two samples.

Every level holds at every sample size, for all laws that obey the stated assumptions; an end that
no data can bound is trivial (1, log 2 or inf), with the reason.

>>> from divergences.intervals import wasserstein1_interval
>>> interval = wasserstein1_interval([0.1, 0.4, 0.2], [0.7, 0.9], support=(0.0, 1.0))
>>> interval.lower <= interval.estimate <= interval.upper <= 1.0
True
"""

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
