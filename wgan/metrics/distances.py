"""Distances between samples with intervals: kernel, sliced, exact; and gaps to training data."""

import dataclasses
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

import divergences
from divergences.intervals import wasserstein1_interval

from .measurement import (
    Float64Array,
    Measurement,
    confidence,
    integer,
    points,
    refuse,
    samples,
)
from .spread import FEW_GROUPS, LEAST, Rows, jackknife

PROJECTIONS = 256
"""Directions of the sliced distance."""
Pair = Callable[[Float64Array, Float64Array], float]


def kid(
    real: ArrayLike,
    generated: ArrayLike,
    other_real: ArrayLike | None = None,
    *,
    degree: int = 3,
    level: float = 0.95,
) -> Measurement:
    r"""Kernel inception distance: unbiased squared MMD under a polynomial kernel, on features.

    .. math:: k(x, y) = \Bigl(\frac{\langle x, y \rangle}{d} + 1\Bigr)^3

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        Features, at least 10 of each.
    other_real : array or tensor, shape (l, d), optional
        Other real samples, for ``Measurement.real``.
    degree : int
        The exponent.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        Unbiased: of expectation at least 0, while the estimate may be negative. Its size depends
        on the features.

    Raises
    ------
    ValueError
        For samples, degree or level that are not as above.

    See Also
    --------
    divergences.squared_polynomial_discrepancy_unbiased : the estimate.

    References
    ----------
    Binkowski, Sutherland, Arbel and Gretton 2018, Demystifying MMD GANs, arXiv:1801.01401.
    """
    integer(degree, "degree", "kid", 1)

    def discrepancy(x: Float64Array, y: Float64Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(divergences.squared_polynomial_discrepancy_unbiased(x, y, degree=degree))
        if not math.isfinite(value):
            requirement = f"have inner products whose power {degree} is a finite number"
            refuse("kid", "real and generated", requirement, "larger ones")
        return value

    unit = "squared discrepancy of features, no unit"
    return _jackknifed("kid", discrepancy, real, generated, other_real, level, unit, "zero")


def sliced_wasserstein1(
    real: ArrayLike,
    generated: ArrayLike,
    other_real: ArrayLike | None = None,
    *,
    projections: int = PROJECTIONS,
    seed: int = 0,
    level: float = 0.95,
) -> Measurement:
    """Sliced Wasserstein-1 distance of two samples, along the same directions for one seed.

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        At least 10 of each.
    other_real : array or tensor, shape (l, d), optional
        Other real samples: ``Measurement.real`` is then the floor, the distance of two real
        samples.
    projections : int
        Number of directions.
    seed : int
        Of the directions.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In the units of the samples, at least 0. Finite samples of one law are apart too: compare
        with the floor, at equal sizes.

    Raises
    ------
    ValueError
        For arguments that are not as above.

    See Also
    --------
    divergences.sliced_wasserstein1 : the estimate.
    """
    integer(projections, "projections", "sliced_wasserstein1", 1)
    integer(seed, "seed", "sliced_wasserstein1", 0)

    def distance(x: Float64Array, y: Float64Array) -> float:
        rng = np.random.default_rng(seed)
        return float(divergences.sliced_wasserstein1(x, y, projections=projections, rng=rng))

    name, unit = "sliced_wasserstein1", "units of the samples, at least 0"
    found = _jackknifed(name, distance, real, generated, other_real, level, unit, "lower")
    encloses = f"{found.encloses}; these {projections} directions are taken as given"
    return dataclasses.replace(found, lower=max(0.0, found.lower), encloses=encloses)


def wasserstein1(
    real: ArrayLike,
    generated: ArrayLike,
    other_real: ArrayLike | None = None,
    *,
    diameter: float | None = None,
    level: float = 0.95,
) -> Measurement:
    """Exact Wasserstein-1 distance of two samples, and an honest interval for that of the laws.

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        At least 2 of each.
    other_real : array or tensor, shape (l, d), optional
        Other real samples: ``Measurement.real`` is then the floor, the exact distance of two real
        samples.
    diameter : float, optional
        No two values of the features can lie farther apart; without it there is no upper end.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In the units of the samples; the estimate is optimal to 1e-9, by its certificate. The
        interval is for the distance of the laws, which is below that of the samples on average:
        in many coordinates far below.

    Raises
    ------
    ValueError
        For arguments that are not as above, and samples farther apart than the diameter.

    See Also
    --------
    divergences.intervals.wasserstein1_interval : the interval.
    """
    level = confidence(level, "wasserstein1")
    x, y, z = samples("wasserstein1", 2, real=real, generated=generated, other_real=other_real)
    interval = wasserstein1_interval(x, y, level=level, diameter=diameter)
    floor = None if z is None else float(divergences.wasserstein1(x, z))
    encloses = f"the distance of the laws; {'; '.join(interval.assumptions)}; {interval.method}"
    if interval.reason:
        encloses += f"; no upper end: {interval.reason}"
    return Measurement(
        "wasserstein1", interval.estimate, interval.lower, interval.upper, level,
        "Euclidean, units of the samples, at least 0", "lower", encloses, (len(x), len(y)), floor,
    )  # fmt: skip


def wasserstein1_gap(
    real: ArrayLike, training: ArrayLike, generated: ArrayLike, *, level: float = 0.95
) -> Measurement:
    r"""How much nearer generated samples are to training data than to held-out data.

    .. math:: W_1(\text{held-out}, \text{generated}) - W_1(\text{training}, \text{generated})

    Parameters
    ----------
    real, training, generated : array or tensor, shapes (n, d), (n, d) and (m, d)
        Held-out real samples, as many of the training data, and generated ones; at least 10.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In the units of the samples. 0 in expectation for a generator that knows no more of the
        training data than their law; positive where it repeats them.

    Raises
    ------
    ValueError
        For arguments that are not as above; held-out and training samples of unequal numbers,
        whose distances cannot be compared.
    """
    level = confidence(level, "wasserstein1_gap")
    x, t, y = samples("wasserstein1_gap", LEAST, real=real, training=training, generated=generated)
    if len(x) != len(t):
        message = (
            "wasserstein1_gap: real and training must hold equally many points, distances fall "
            f"with their number; got {len(x)} and {len(t)}"
        )
        raise ValueError(message)

    def gap(real: Rows, training: Rows, generated: Rows) -> float:
        model = y[generated]
        return float(divergences.wasserstein1(x[real], model)) - float(
            divergences.wasserstein1(t[training], model)
        )

    sizes = (len(x), len(t), len(y))
    spread = jackknife(gap, sizes, FEW_GROUPS)
    return Measurement(
        "wasserstein1_gap", spread.estimate, *spread.interval(level), level,
        "Euclidean, units of the samples", "zero", spread.encloses, sizes, None,
    )  # fmt: skip


def critic_gap(
    objective: Pair,
    real: ArrayLike,
    training: ArrayLike,
    generated: ArrayLike,
    *,
    level: float = 0.95,
) -> Measurement:
    """How much more a critic sees on training data than on held-out data.

    Parameters
    ----------
    objective : callable
        Takes the critic's values (n,) on real samples and (m,) on generated ones, and gives what
        the critic maximises, such as the difference of their means.
    real, training, generated : array or tensor, shapes (n,), (k,) and (m,)
        The critic's values on held-out real samples, on training data and on generated samples;
        at least 10 of each; (n, 1) is taken too.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In the units of the objective; large for a critic that knows its training data by heart,
        whose estimate then says little of the laws.

    Raises
    ------
    ValueError
        For arguments that are not as above.
    """
    level = confidence(level, "critic_gap")
    given = {"real": real, "training": training, "generated": generated}
    arrays = {name: points(values, name, "critic_gap", LEAST) for name, values in given.items()}
    for name, array in arrays.items():
        if array.shape[1] > 1:
            refuse("critic_gap", name, "hold one value of the critic a row", str(array.shape))
    x, t, y = (array[:, 0] for array in arrays.values())

    def gap(real: Rows, training: Rows, generated: Rows) -> float:
        model = y[generated]
        return objective(t[training], model) - objective(x[real], model)

    sizes = (len(x), len(t), len(y))
    spread = jackknife(gap, sizes)
    return Measurement(
        "critic_gap", spread.estimate, *spread.interval(level), level, "units of the critic",
        "zero", spread.encloses + "; this critic is taken as given", sizes, None,
    )  # fmt: skip


def _jackknifed(
    name: str,
    distance: Pair,
    real: ArrayLike,
    generated: ArrayLike,
    other_real: ArrayLike | None,
    level: float,
    unit: str,
    better: Literal["lower", "zero"],
) -> Measurement:
    level = confidence(level, name)
    x, y, z = samples(name, LEAST, real=real, generated=generated, other_real=other_real)
    sizes = (len(x), len(y))
    spread = jackknife(lambda rows, columns: distance(x[rows], y[columns]), sizes)
    ends = spread.interval_of_square(level) if name == "kid" else spread.interval(level)
    return Measurement(
        name, spread.estimate, *ends, level, unit, better,
        spread.encloses, sizes,
        None if z is None else distance(x, z),
    )  # fmt: skip
