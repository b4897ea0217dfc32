"""Precision and recall, density and coverage: samples in balls about each other's points."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .measurement import Float64Array, Measurement, confidence, integer, refuse, samples
from .spread import (
    LEAST,
    Rows,
    Spread,
    Statistic,
    dependent_share,
    extrapolated,
    fewest,
    jackknife,
)

PRECISION_NEIGHBOURS = 3
"""k of precision and recall, as published."""
COVERAGE_NEIGHBOURS = 5
"""k of density and coverage, as published."""
QUARTERS = 8
"""Points for each neighbour from which on halves and quarters are looked at."""
LEAST_FOR_DENSITY = 100
"""Points from which on they are for a density."""


def precision(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    neighbours: int = PRECISION_NEIGHBOURS,
    level: float = 0.95,
) -> Measurement:
    r"""Share of generated samples that lie near real ones.

    .. math:: \frac1m \sum_j 1\bigl[ y_j \in \bigcup_i B(x_i, r_k(x_i)) \bigr]

    with closed balls whose radius is the distance of :math:`x_i` to its k-th nearest neighbour
    among the other :math:`x`.

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        Features x and y, at least 10 of each, and more than ``neighbours`` with a tenth left out.
    neighbours : int
        k.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In [0, 1]; 1 is best. It says nothing about what is missing.

    Raises
    ------
    ValueError
        For samples, k or a level that are not as above.

    Notes
    -----
    It depends on n and m: compare values of equal sizes only. One real outlier has a large ball.
    Cost O((n + m)^2 d).

    References
    ----------
    Kynkaanniemi, Karras, Laine, Lehtinen and Aila 2019, Improved precision and recall metric for
    assessing generative models, NeurIPS.
    """
    balls = Neighbourhoods("precision", real, generated, None, neighbours)
    return balls.precision(level)


def recall(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    neighbours: int = PRECISION_NEIGHBOURS,
    level: float = 0.95,
) -> Measurement:
    r"""Share of real samples that lie near generated ones: precision with the roles exchanged.

    .. math:: \frac1n \sum_i 1\bigl[ x_i \in \bigcup_j B(y_j, r_k(y_j)) \bigr]

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        As for `precision`.
    neighbours : int
        k.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In [0, 1]; 1 is best. It says nothing about the quality of the samples.

    Raises
    ------
    ValueError
        As `precision`.

    Notes
    -----
    Samples scattered far and wide have large balls and a high recall: read it beside `precision`.

    References
    ----------
    As `precision`.
    """
    balls = Neighbourhoods("recall", real, generated, None, neighbours)
    return balls.recall(level)


def density(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    neighbours: int = COVERAGE_NEIGHBOURS,
    level: float = 0.95,
) -> Measurement:
    r"""In how many balls of real samples a generated one lies, over what is expected.

    .. math:: \frac1{k m} \sum_j \sum_i 1[y_j \in B(x_i, r_k(x_i))]

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        As for `precision`.
    neighbours : int
        k.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        At least 0 and about 1 for a perfect generator; more for one that stays where data are
        dense.

    Raises
    ------
    ValueError
        As `precision`.

    Notes
    -----
    For samples of one law, if it has a density, the expectation is 1 whatever n, m and k.

    References
    ----------
    Naeem, Oh, Uh, Choi and Yoo 2020, Reliable fidelity and diversity metrics for generative
    models, ICML.
    """
    balls = Neighbourhoods("density", real, generated, None, neighbours)
    return balls.density(level)


def coverage(
    real: ArrayLike,
    generated: ArrayLike,
    *,
    neighbours: int = COVERAGE_NEIGHBOURS,
    level: float = 0.95,
) -> Measurement:
    r"""Share of real samples with a generated one among their nearest neighbours.

    .. math:: \frac1n \sum_i 1[\exists j : y_j \in B(x_i, r_k(x_i))]

    Parameters
    ----------
    real, generated : array or tensor, shapes (n, d) and (m, d)
        As for `precision`.
    neighbours : int
        k.
    level : float
        That of the interval.

    Returns
    -------
    Measurement
        In [0, 1]; for a perfect generator and continuous features the expectation is
        1 - (n - 1)...(n - k) / ((n + m - 1)...(n + m - k)), about 1 - 2^-k for equal sizes.

    Raises
    ------
    ValueError
        As `precision`.

    References
    ----------
    As `density`.
    """
    balls = Neighbourhoods("coverage", real, generated, None, neighbours)
    return balls.coverage(level)


class Neighbourhoods:
    """The distances behind these four metrics, computed once.

    Parameters
    ----------
    function : str
        For whose arguments errors are raised.
    real, generated : array (n, d) and (m, d)
    other_real : array (l, d) or None
        Real samples that take the place of the generated ones in ``Measurement.real``.
    neighbours : int or None
        k; None for each metric's published one.
    """

    def __init__(
        self,
        function: str,
        real: ArrayLike,
        generated: ArrayLike,
        other_real: ArrayLike | None,
        neighbours: int | None = None,
    ) -> None:
        given = samples(function, LEAST, real=real, generated=generated, other_real=other_real)
        largest = max(float(np.abs(array).max()) for array in given if array is not None)
        exponent = -int(np.frexp(largest)[1])  # ranks do not change, and squares stay in range
        self.x, self.y, self.z = (_scaled(array, exponent) for array in given)
        self.function, self.neighbours = function, neighbours
        if neighbours is not None:
            integer(neighbours, "neighbours", function, 1)

    def precision(self, level: float) -> Measurement:
        """See :func:`precision`."""
        return self._share("precision", _precision, PRECISION_NEIGHBOURS, level)

    def recall(self, level: float) -> Measurement:
        """See :func:`recall`."""
        return self._share("recall", _recall, PRECISION_NEIGHBOURS, level)

    def coverage(self, level: float) -> Measurement:
        """See :func:`coverage`."""
        return self._share("coverage", _coverage, COVERAGE_NEIGHBOURS, level)

    def density(self, level: float) -> Measurement:
        """See :func:`density`."""
        return self._share("density", _density, COVERAGE_NEIGHBOURS, level)

    def _share(self, name: str, formula: "Formula", published: int, level: float) -> Measurement:
        level = confidence(level, self.function)
        k = published if self.neighbours is None else self.neighbours
        sizes = self._xy.shape
        if k >= fewest(sizes):
            requirement = f"be below {fewest(sizes)} for samples of {sizes[0]} and {sizes[1]}"
            refuse(self.function, "neighbours", requirement, str(k))
        within, across, back = self._xx, self._xy, self._yy

        def statistic(x: Rows, y: Rows) -> float:
            return formula(_part(within, x, x), _part(across, x, y), _part(back, y, y), k)

        count = sizes[1] if name == "precision" else sizes[0]
        spread = _spread(statistic, sizes, k, None if name == "density" else count)
        if name == "density":
            lower, upper = spread.interval(level)
            lower, unit = max(0.0, lower), "at least 0"
        else:
            lower, upper = dependent_share(spread, count, level)
            unit = "share, in [0, 1]"
        perfect = None if self.z is None else formula(within, self._xz, self._zz, k)
        encloses = spread.encloses + f"; k = {k}"
        return Measurement(
            name, spread.estimate, lower, upper, level, unit, "higher", encloses, sizes, perfect
        )

    @cached_property
    def _xx(self) -> Float64Array:
        return _distances(self.x, self.x)

    @cached_property
    def _xy(self) -> Float64Array:
        return _distances(self.x, self.y)

    @cached_property
    def _yy(self) -> Float64Array:
        return _distances(self.y, self.y)

    @cached_property
    def _xz(self) -> Float64Array:
        return _distances(self.x, self.z)

    @cached_property
    def _zz(self) -> Float64Array:
        return _distances(self.z, self.z)


def _spread(statistic: Statistic, sizes: Sequence[int], k: int, events: int | None) -> Spread:
    """The spread of a share of so many events, or of a density, by as close a method as is sound.

    Parts must hold more neighbours than k, and densities, whose few large balls count often, many
    points: else by the jackknife.
    """
    least = QUARTERS * k if events is not None else max(QUARTERS * k, LEAST_FOR_DENSITY)
    if min(sizes) < least:
        return jackknife(statistic, sizes)
    if events is None:
        return extrapolated(statistic, sizes, lambda density: max(density, 1 / sizes[1]))
    edge = 0.5 / events

    def variance_of_one(share: float) -> float:
        inner = min(max(share, edge), 1 - edge)
        return inner * (1 - inner)

    return extrapolated(statistic, sizes, variance_of_one)


Formula = Callable[[Float64Array, Float64Array, Float64Array, int], float]
"""A metric from the distances (n, n) of real, (n, m) of real and generated, (m, m) of generated."""


def _precision(xx: Float64Array, xy: Float64Array, yy: Float64Array, k: int) -> float:
    del yy
    return float((xy <= _radii(xx, k)[:, None]).any(axis=0).mean())


def _recall(xx: Float64Array, xy: Float64Array, yy: Float64Array, k: int) -> float:
    del xx
    return float((xy <= _radii(yy, k)[None, :]).any(axis=1).mean())


def _density(xx: Float64Array, xy: Float64Array, yy: Float64Array, k: int) -> float:
    del yy
    return float((xy <= _radii(xx, k)[:, None]).sum(axis=0).mean() / k)


def _coverage(xx: Float64Array, xy: Float64Array, yy: Float64Array, k: int) -> float:
    del yy
    return float((xy <= _radii(xx, k)[:, None]).any(axis=1).mean())


def _scaled(array: Any, exponent: int) -> Any:
    return None if array is None else np.ldexp(array, exponent)


def _radii(within: Float64Array, k: int) -> Float64Array:
    """Distance of every point to its k-th nearest other point; its own 0 comes first."""
    return np.asarray(np.partition(within, k, axis=1)[:, k])


def _part(distances: Float64Array, rows: Rows, columns: Rows) -> Float64Array:
    whole = (len(rows), len(columns)) == distances.shape
    return distances if whole else distances[np.ix_(rows, columns)]


def _distances(x: Float64Array, y: Float64Array) -> Float64Array:
    """Euclidean distances from coordinate differences: equal points are at exactly 0."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(x, y))
