"""Scores that are high where the first law seems denser than the second: rules for events.

Each rule is fitted to two samples (n, d), (m, d) and returns a function (k, d) -> (k,). No rule has
to be right: an event is tested on other data.
"""

import math
from collections.abc import Callable

import numpy as np

from .._typing import Float64Array
from ._samples import order

MOST = 20_000  # points of either sample that a rule is fitted to
_FEW_COORDINATES = 12  # up to here a kd-tree is faster than all distances
_BLOCK = 1 << 22
_SOME_REPEATED, _MOSTLY_REPEATED = 0.75, 0.25  # shares of distinct values

Score = Callable[[Float64Array], Float64Array]
Rule = Callable[[Float64Array, Float64Array], Score]


def gaussian(x: Float64Array, y: Float64Array) -> Score:
    """The log-ratio of two normal densities with shrunken covariances; O((n + m) d^2 + d^3)."""
    first, second = _quadratic(x), _quadratic(y)
    return lambda z: first(z) - second(z)


def linear(x: Float64Array, y: Float64Array) -> Score:
    """Fisher's discriminant: the same with one covariance for both."""
    centred = np.concatenate([x - x.mean(axis=0), y - y.mean(axis=0)])
    direction = np.linalg.solve(_covariance(centred), x.mean(axis=0) - y.mean(axis=0))
    return lambda z: np.asarray(z @ direction)


def _quadratic(x: Float64Array) -> Score:
    centre = x.mean(axis=0)
    factor = np.linalg.cholesky(_covariance(x - centre))
    constant = float(np.log(np.diag(factor)).sum())

    def score(z: Float64Array) -> Float64Array:
        scaled = np.linalg.solve(factor, (z - centre).T)
        return np.asarray(-0.5 * (scaled * scaled).sum(axis=0) - constant)

    return score


def _covariance(centred: Float64Array) -> Float64Array:
    """Shrunken towards a multiple of the identity, and never singular; data of size about 1."""
    count, dimension = centred.shape
    plain = centred.T @ centred / count
    share = dimension / (dimension + count)
    level = float(np.trace(plain)) / dimension
    return np.asarray((1 - share) * plain + (share * level * 0.1 + 1e-12) * np.eye(dimension))


def neighbours(x: Float64Array, y: Float64Array) -> Score:
    """Distance to the k-th point of y over that to the k-th of x, k about sqrt(n)/2."""
    x, y = x[:MOST], y[:MOST]
    count = max(1, round(0.5 * math.sqrt(min(len(x), len(y)))))

    def score(z: Float64Array) -> Float64Array:
        own, other = _kth_distance(x, z, count), _kth_distance(y, z, count)
        return np.log(other + 1e-300) - np.log(own + 1e-300)

    return score


def _kth_distance(points: Float64Array, z: Float64Array, k: int) -> Float64Array:
    if points.shape[1] <= _FEW_COORDINATES:
        from scipy.spatial import cKDTree

        return np.asarray(cKDTree(points).query(z, k=[k])[0])[:, 0]
    squares = (points * points).sum(axis=1)
    answer = np.empty(len(z))
    step = max(1, _BLOCK // len(points))
    for start in range(0, len(z), step):
        block = z[start : start + step]
        distances = squares - 2.0 * (block @ points.T)
        nearest = np.partition(distances, k - 1, axis=1)[:, k - 1]
        answer[start : start + step] = nearest + (block * block).sum(axis=1)
    return np.sqrt(np.maximum(answer, 0.0))


def atoms(x: Float64Array, y: Float64Array) -> Score:
    """The log-ratio of the counts of exactly the same value; 0 for values not seen."""
    values, index = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
    index = index.reshape(-1)
    counts = [
        np.bincount(part, minlength=len(values)) for part in (index[: len(x)], index[len(x) :])
    ]
    ratio = np.log((counts[0] + 0.5) / len(x)) - np.log((counts[1] + 0.5) / len(y))

    def score(z: Float64Array) -> Float64Array:
        every, place = np.unique(np.concatenate([values, z]), axis=0, return_inverse=True)
        place = place.reshape(-1)
        scores = np.zeros(len(every))
        scores[place[: len(values)]] = ratio
        return scores[place[len(values) :]]

    return score


def rules(x: Float64Array, y: Float64Array) -> tuple[Rule, ...]:
    """What is worth trying on these points; where most values repeat, only their counts are."""
    pooled = np.concatenate([x[:MOST], y[:MOST]])
    distinct = len(np.unique(pooled, axis=0)) / len(pooled)
    if distinct < _MOSTLY_REPEATED:
        return (atoms, linear, gaussian)
    smooth: tuple[Rule, ...] = (linear, gaussian, neighbours)
    return (atoms, *smooth) if distinct < _SOME_REPEATED else smooth


def out_of_fold(
    rule: Rule, x: Float64Array, y: Float64Array, seed: int
) -> tuple[Float64Array, Float64Array]:
    """Scores of all points, each by a rule fitted to the other half."""
    answers = [np.empty(len(x)), np.empty(len(y))]
    folds = [np.array_split(order(len(sample), seed + 1), 2) for sample in (x, y)]
    for fit, ask in ((0, 1), (1, 0)):
        score = rule(x[folds[0][fit]], y[folds[1][fit]])
        for sample, fold, answer in zip((x, y), folds, answers, strict=True):
            answer[fold[ask]] = score(sample[fold[ask]])
    return answers[0], answers[1]
