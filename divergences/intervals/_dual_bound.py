r"""Wasserstein-1 from below in any dimension: a critic from one half, tested on the other.

A function that is 1-Lipschitz, and clamped to a range, is 1-Lipschitz; fixed before the test half
is drawn, its mean difference is at most W1 in expectation, and a lower confidence bound of that is
one of W1. Nothing is assumed about the laws.
"""

import math

import numpy as np

from .._metrics import Metric
from .._typing import Float64Array
from ._betting import mean_lower_bound
from ._critics import Critic, Fit, fits
from ._samples import halved, in_fixed_roles, order

_TRIMS = (0.0, 1e-3, 1e-2, 5e-2)  # shares of the values outside the range on either end
_NOMINAL = 0.05  # the risk for which critic and range are chosen, whatever the level


def dual_lower_bound(
    x: Float64Array, y: Float64Array, metric: Metric, risk: float, seed: int
) -> float:
    """A number that is at most W1 of the laws with probability 1 - risk; 0 for a handful of points.

    Which critic, and which range, is decided by cross-validation within the first half.
    """
    if not metric.is_norm:
        return _lower_bound(x, y, metric, risk, seed)
    exponent = int(np.frexp(max(np.abs(x).max(), np.abs(y).max()))[1])
    x, y = np.ldexp(x, -exponent), np.ldexp(y, -exponent)  # squares stay in range
    return float(np.ldexp(_lower_bound(x, y, metric, risk, seed), exponent))


def _lower_bound(x: Float64Array, y: Float64Array, metric: Metric, risk: float, seed: int) -> float:
    chosen_x, chosen_y, tested_x, tested_y = in_fixed_roles(halved(x, y, seed))
    if min(len(chosen_x), len(chosen_y)) < 4:
        return 0.0
    best: tuple[float, Fit, float, tuple[Float64Array, Float64Array]] | None = None
    for fit in fits(metric, x.shape[1]):
        values = _out_of_fold(fit, chosen_x, chosen_y, metric, seed)
        for trim in _TRIMS:
            score = _expected(*values, trim, (len(tested_x), len(tested_y)))
            if best is None or score > best[0]:
                best = score, fit, trim, values
    assert best is not None
    _, fit, trim, first = best
    critic = fit(chosen_x, chosen_y, metric)
    low, high = _range(np.concatenate(first), trim)
    sizes = (len(tested_x), len(tested_y))
    clipped = [np.clip(values, low, high) for values in first]
    variance = _variance(clipped[0], clipped[1], sizes)
    tested = [np.clip(critic(half), low, high) for half in (tested_x, tested_y)]
    differences = _differences(tested[0], tested[1], seed)
    bound = mean_lower_bound(differences, low - high, high - low, risk, variance)
    return max(bound, 0.0)


def _out_of_fold(
    fit: Fit, x: Float64Array, y: Float64Array, metric: Metric, seed: int
) -> tuple[Float64Array, Float64Array]:
    """The values of critics at points that they were not fitted to, by two folds."""
    fold = halved(x, y, seed + 1)
    critics: list[Critic] = [fit(fold.chosen_x, fold.chosen_y, metric)]
    critics.append(fit(fold.tested_x, fold.tested_y, metric))
    return (
        np.concatenate([critics[0](fold.tested_x), critics[1](fold.chosen_x)]),
        np.concatenate([critics[0](fold.tested_y), critics[1](fold.chosen_y)]),
    )


def _range(values: Float64Array, trim: float) -> tuple[float, float]:
    low, high = np.quantile(values, [trim, 1.0 - trim])
    return float(low), float(high)


def _expected(
    x_values: Float64Array, y_values: Float64Array, trim: float, sizes: tuple[int, int]
) -> float:
    """About the bound that a critic and a range would give (Bernstein's form)."""
    low, high = _range(np.concatenate([x_values, y_values]), trim)
    first, second = np.clip(x_values, low, high), np.clip(y_values, low, high)
    count, logarithm = min(sizes), -math.log(_NOMINAL)
    radius = math.sqrt(2.0 * _variance(first, second, sizes) * logarithm / count)
    radius += (high - low) * logarithm / (1.5 * count)
    return float(first.mean() - second.mean()) - radius


def _variance(first: Float64Array, second: Float64Array, sizes: tuple[int, int]) -> float:
    """Of one of the differences below."""
    count = min(sizes)
    return float(first.var() * count / sizes[0] + second.var() * count / sizes[1])


def _differences(first: Float64Array, second: Float64Array, seed: int) -> Float64Array:
    """Independent differences of mean E f(X) - E f(Y): the longer sample is averaged in groups.

    One sample of differences needs no division of the risk between two.
    """
    count = min(first.size, second.size)
    parts = []
    for values in (first, second):
        shuffled = values[order(values.size, seed + 2)]
        groups = np.arange(values.size) % count
        parts.append(np.bincount(groups, weights=shuffled) / np.bincount(groups))
    return np.asarray(parts[0] - parts[1])
