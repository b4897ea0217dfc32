"""FID and KID's published protocol, from torchmetrics, on features of one's own."""

import warnings
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from .measurement import Float64Array, Measurement, confidence, integer, refuse, samples
from .spread import FEW_GROUPS, LEAST, fewest, jackknife

SUBSETS = 100
"""Random subsets of KID's published protocol."""
SUBSET_SIZE = 1000
"""Samples in a subset, at most half of the smaller sample."""


def fid(
    real: ArrayLike,
    generated: ArrayLike,
    other_real: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> Measurement:
    """Frechet inception distance of features, by torchmetrics.

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        Features by an extractor of one's own; more of each than d, with a tenth left out.
    other_real : array or tensor, shape (l, d), optional
        Other real samples, for ``Measurement.real``; more than d too, or it is left out.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        Squared Wasserstein-2 distance of the Gaussians with the means and covariances of the
        features, in their squared units; at least 0. It is biased upwards, by some 1/n: compare
        at equal sizes only, and with published values only for the same extractor.

    Raises
    ------
    ValueError
        For too few samples: below d + 1, covariances are singular, and what is computed says how
        many samples there are.
    ImportError
        Without torchmetrics.

    References
    ----------
    Heusel et al. 2017, GANs trained by a two time-scale update rule, NeurIPS.
    """
    level = confidence(level, "fid")
    metric = _torchmetrics("fid").FrechetInceptionDistance
    x, y, z = samples("fid", LEAST, real=real, generated=generated, other_real=other_real)
    sizes, dimension = (len(x), len(y)), x.shape[1]
    if fewest(sizes, FEW_GROUPS) <= dimension:
        refuse(
            "fid", "real and generated",
            f"hold more samples than their {dimension} coordinates, with a tenth left out",
            f"{len(x)} and {len(y)}",
        )  # fmt: skip

    centre = x.mean(axis=0)  # torchmetrics sums squares about 0, which cancels far from it

    def distance(first: Float64Array, second: Float64Array) -> float:
        computed = _computed(metric(feature=_Given(dimension)), first - centre, second - centre)
        return max(0.0, float(computed))

    spread = jackknife(lambda rows, columns: distance(x[rows], y[columns]), sizes, FEW_GROUPS)
    lower, upper = spread.interval_of_square(level)
    return Measurement(
        "fid", spread.estimate, max(0.0, lower), upper, level,
        "squared units of the features, at least 0", "lower",
        spread.encloses + "; biased upwards; by torchmetrics", sizes,
        distance(x, z) if z is not None and len(z) > dimension else None,
    )  # fmt: skip


def kid_subsets(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    subsets: int = SUBSETS,
    subset_size: int | None = None,
    seed: int = 0,
) -> Measurement:
    """Kernel inception distance by its published protocol, by torchmetrics.

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        Features by an extractor of one's own; at least 10 of each.
    subsets : int
        Number of random subsets.
    subset_size : int, optional
        Samples in each; by default 1,000, or half of the smaller sample.
    seed : int
        Of the subsets.

    Returns
    -------
    Measurement
        Mean over the subsets; the ends are the mean minus and plus the published spread, the
        standard deviation over subsets. That is no confidence interval, and ``level`` is None:
        `kid` has one.

    Raises
    ------
    ValueError
        For arguments that are not as above.
    ImportError
        Without torchmetrics.
    """
    for value, name in ((subsets, "subsets"), (subset_size or 2, "subset_size")):
        integer(value, name, "kid_subsets", 2)
    integer(seed, "seed", "kid_subsets", 0)
    metric = _torchmetrics("kid").KernelInceptionDistance
    x, y = samples("kid_subsets", LEAST, real=real, generated=generated)
    size = subset_size or min(SUBSET_SIZE, min(len(x), len(y)) // 2)
    if size > min(len(x), len(y)):
        requirement = f"be at most {min(len(x), len(y))}, the samples there are"
        refuse("kid_subsets", "subset_size", requirement, str(size))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        torch.manual_seed(seed)
        found = metric(feature=_Given(x.shape[1]), subsets=subsets, subset_size=size)
        mean, deviation = (float(value) for value in _computed(found, x, y))
    return Measurement(
        "kid_subsets", mean, mean - deviation, mean + deviation, None,
        "squared discrepancy of features, no unit", "zero",
        f"one standard deviation over {subsets} random subsets of {size}, as published: no "
        "confidence interval; by torchmetrics", (len(x), len(y)), None,
    )  # fmt: skip


class _Given(nn.Module):
    """The extractor of features that are given: it changes nothing."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.num_features = dimension

    def forward(self, features: Tensor) -> Tensor:
        return features


def _computed(metric: Any, x: Float64Array, y: Float64Array) -> Any:
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(x), real=True)
    metric.update(torch.from_numpy(y), real=False)
    return metric.compute()


def _torchmetrics(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"torchmetrics.image.{module}")
    except ImportError:
        message = "fid and kid_subsets are computed by torchmetrics: pip install torchmetrics"
        raise ImportError(message) from None
