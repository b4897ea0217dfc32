"""Metrics of generators: pure functions of samples or features, each with its interval."""

from .classifier import Classifier, train_classifier
from .distances import critic_gap, kid, sliced_wasserstein1, wasserstein1, wasserstein1_gap
from .external import fid, kid_subsets
from .measurement import Measurement
from .modes import class_coverage, mode_coverage
from .neighbours import coverage, density, precision, recall

__all__ = [
    "Classifier",
    "Measurement",
    "class_coverage",
    "coverage",
    "critic_gap",
    "density",
    "fid",
    "kid",
    "kid_subsets",
    "mode_coverage",
    "precision",
    "recall",
    "sliced_wasserstein1",
    "train_classifier",
    "wasserstein1",
    "wasserstein1_gap",
]
