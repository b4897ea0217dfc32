"""Modes that are captured, of a mixture whose modes are known, or by a classifier's labels."""

import math

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, cdist

from divergences import kl_divergence

from .measurement import Measurement, confidence, integer, refuse, samples
from .spread import LEAST, Rows, jackknife, proportion

MODE_SAMPLES = 2500
"""Generated samples in which the modes of a mixture are counted, as published."""
STACKED_SAMPLES = 26_000
"""Generated samples in which stacked digits are counted, as published."""
DEVIATIONS = 3.0
"""Standard deviations from a mode within which a sample is of high quality, as published."""


def count_modes(samples: Tensor, modes: Tensor, deviation: float) -> tuple[int, float]:
    """Modes with a sample of high quality, and the share of such samples.

    Parameters
    ----------
    samples : Tensor (n, d)
    modes : Tensor (k, d)
    deviation : float
        Standard deviation of each coordinate about a mode, in the units of the data.

    Returns
    -------
    int, float
        At most k; in [0, 1].

    Notes
    -----
    Of high quality is a sample at a Euclidean distance of less than ``DEVIATIONS`` deviations
    from a mode; of a mixture of Gaussians in the plane these are 1 - exp(-9/2) = 98.89 %.
    """
    distances = cdist(samples.detach().cpu().double(), modes.cpu().double())
    nearest, mode = distances.min(dim=1)
    good = nearest < DEVIATIONS * deviation
    return len(set(mode[good].tolist())), float(good.double().mean())


def mode_coverage(
    generated: ArrayLike, modes: ArrayLike, deviation: float, *, level: float = 0.95
) -> tuple[Measurement, Measurement]:
    """Modes of a mixture of Gaussians that are captured, and the share of samples near one.

    Parameters
    ----------
    generated : array or tensor, shape (n, d)
        Generated samples; the published protocol takes ``MODE_SAMPLES`` = 2,500.
    modes : array or tensor, shape (k, d)
        Means of the Gaussians.
    deviation : float
        Standard deviation of each coordinate, in the units of the samples.
    level : float
        That of the interval of the share.

    Returns
    -------
    tuple of Measurement
        ``modes``, of which at least one sample is within three deviations, and ``high_quality``,
        the share of samples within three deviations of any mode.

    Raises
    ------
    ValueError
        For samples, deviation or level that are not as above.

    References
    ----------
    Srivastava et al. 2017, VEEGAN, NeurIPS; Lin et al. 2018, PacGAN, NeurIPS.
    """
    import torch

    level = confidence(level, "mode_coverage")
    y, means = samples("mode_coverage", 1, generated=generated, modes=modes)
    if not 0 < deviation < np.inf:
        refuse("mode_coverage", "deviation", "be positive and finite", repr(deviation))
    found, share = count_modes(torch.from_numpy(y), torch.from_numpy(means), deviation)
    n, total = len(y), len(means)
    lower, upper = proportion(round(share * n), n, level)
    quality = Measurement(
        "high_quality", share, lower, upper, level, "share, in [0, 1]", "higher",
        f"the probability of a sample within {DEVIATIONS:g} deviations of a mode; Clopper and "
        "Pearson, draws independent", (n,), _within(means.shape[1]),
    )  # fmt: skip
    return _captured(found, total, n, level), quality


def class_coverage(
    labels: ArrayLike,
    classes: int,
    real_labels: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> tuple[Measurement, Measurement]:
    r"""Classes that are met, and how evenly: KL of their histogram from the uniform law.

    .. math:: \mathrm{KL}(\hat p, u) = \sum_c \hat p_c \log(K \hat p_c)

    Parameters
    ----------
    labels : array of integers, shape (n,)
        Classes of the generated samples, from 0 to ``classes`` - 1; the published protocol of
        stacked MNIST takes ``STACKED_SAMPLES`` = 26,000 samples and 1,000 classes.
    classes : int
        K, at least 2.
    real_labels : array of integers, shape (m,), optional
        Those of real samples, for ``Measurement.real``; as many, or the two cannot be compared.
    level : float
        That of the interval.

    Returns
    -------
    tuple of Measurement
        ``modes``, the classes with a sample, and ``kl_to_uniform`` in nats, in [0, log K].

    Raises
    ------
    ValueError
        For labels, classes or level that are not as above.

    Notes
    -----
    The histogram of n draws from the uniform law itself has a KL of about (K - 1)/(2 n): .019 for
    the published numbers.

    References
    ----------
    Metz, Poole, Pfau and Sohl-Dickstein 2017, Unrolled GANs, ICLR; Lin et al. 2018, PacGAN.
    """
    level = confidence(level, "class_coverage")
    integer(classes, "classes", "class_coverage", 2)
    found = _labels(labels, classes, "labels")
    uniform = np.full(classes, 1 / classes)

    def divergence(rows: Rows, given: Rows = found) -> float:
        counts = np.bincount(given[rows], minlength=classes)
        return float(kl_divergence(counts / len(rows), uniform))

    real = None
    if real_labels is not None:
        others = _labels(real_labels, classes, "real_labels")
        real = divergence(np.arange(len(others)), others)
    spread = jackknife(divergence, (len(found),))
    largest = math.log(classes)
    lower, upper = spread.interval(level)
    lower, upper = max(0.0, lower), max(spread.estimate, min(upper, largest))
    evenness = Measurement(
        "kl_to_uniform", spread.estimate, lower, upper, level,
        f"nats, in [0, {largest:.4g}]", "lower",
        spread.encloses, (len(found),), real,
    )  # fmt: skip
    return _captured(len(np.unique(found)), classes, len(found), level), evenness


def _captured(found: int, total: int, n: int, level: float) -> Measurement:
    missed = -np.expm1(np.log1p(-level) / n)
    encloses = "the modes that the generator reaches at all, for certain"
    if found < total:
        encloses += f"; one that is missed has at most {missed:.2g} of its mass ({level:.0%})"
    return Measurement(
        "modes", found, found, total, 1.0, f"of {total}", "higher", encloses, (n,), total
    )


def _within(dimension: int) -> float:
    """Share of a Gaussian within three deviations of its mean."""
    from scipy.special import gammainc

    return float(gammainc(dimension / 2, DEVIATIONS**2 / 2))


def _labels(labels: ArrayLike, classes: int, parameter: str) -> Rows:
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        arrived = f"shape {array.shape}, type {array.dtype}"
        refuse("class_coverage", parameter, "be integers of shape (n,)", arrived)
    if len(array) < LEAST:
        refuse("class_coverage", parameter, f"hold at least {LEAST} labels", str(len(array)))
    if array.min() < 0 or array.max() >= classes:
        arrived = f"labels from {array.min()} to {array.max()}"
        refuse("class_coverage", parameter, f"be from 0 to {classes - 1}", arrived)
    return array.astype(np.intp)
