"""Critics that are 1-Lipschitz by construction, fitted to two samples in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._array import as_numpy
from .._metrics import Metric
from .._optimal_transport import optimal_transport
from .._transport_result import CallableCritic, MetricCritic
from .._typing import Float64Array

MOST = 1500  # points of either sample on which an exact critic is fitted

Critic = Callable[[Float64Array], Float64Array]
Fit = Callable[[Float64Array, Float64Array, Metric], Critic]


@dataclass(frozen=True, eq=False)
class Middle:
    """The middle of the greatest and the least optimal critic: it changes sign with the roles."""

    greatest: Callable[[Any], Any]
    negated_least: Callable[[Any], Any]

    def __call__(self, z: Float64Array) -> Float64Array:
        """Values at points (n, d), shape (n,)."""
        return np.asarray(0.5 * (self.greatest(z) - self.negated_least(z)))


def exact(x: Float64Array, y: Float64Array, metric: Metric) -> Critic:
    """The optimal critic of at most `MOST` points of each sample, McShane-extended."""
    x, y = x[:MOST], y[:MOST]
    result = optimal_transport(x, y, metric=_given(metric))
    other = result._critic
    potential = as_numpy(result.potential_x)
    if isinstance(other, MetricCritic):
        least: Any = replace(
            other,
            anchors=other.metric.prepare(x, other.scale),
            heights=-potential * other.scale,
        )
    else:
        assert isinstance(other, CallableCritic)
        least = replace(other, y=x, heights=-potential)
    return Middle(result.critic, least)


@dataclass(frozen=True, eq=False)
class OnLine:
    """A piecewise linear function of one coordinate, constant beyond its knots."""

    knots: Float64Array
    heights: Float64Array

    def __call__(self, z: Float64Array) -> Float64Array:
        """Values at points (n, 1), shape (n,)."""
        return np.interp(z[:, 0], self.knots, self.heights)


def on_line(x: Float64Array, y: Float64Array, _: Metric) -> Critic:
    """The optimal critic of numbers, f' = sign(G - F); of all of them, O((n + m) log(n + m))."""
    knots = np.unique(np.concatenate([x[:, 0], y[:, 0]]))
    shares = [
        np.searchsorted(np.sort(sample[:, 0]), knots[:-1], side="right") / len(sample)
        for sample in (x, y)
    ]
    rises = np.sign(shares[1] - shares[0]) * np.diff(knots)
    return OnLine(knots, np.concatenate([[0.0], np.cumsum(rises)]))


def _given(metric: Metric) -> Any:
    if metric.name == "callable":
        return metric.function
    return ("minkowski", metric.order) if metric.name == "minkowski" else metric.name


@dataclass(frozen=True, eq=False)
class Ridge:
    """A critic of one linear functional of dual norm 1."""

    direction: Float64Array
    profile: Critic

    def __call__(self, z: Float64Array) -> Float64Array:
        """Values at points (n, d), shape (n,)."""
        return self.profile((z @ self.direction)[:, None])


def ridge(x: Float64Array, y: Float64Array, metric: Metric) -> Critic:
    """The exact critic of the projections on the direction between the means; norms only."""
    difference = x.mean(axis=0) - y.mean(axis=0)
    largest = np.abs(difference).max()
    if not largest > 0:
        return _zero
    difference = difference / largest
    if metric.order == 1.0:  # the dual of the sum of the coordinates is the largest one
        direction = np.sign(difference) * (np.abs(difference) > 0.05)
    elif np.isinf(metric.order):
        direction = difference / np.abs(difference).sum()
    else:  # its own norm attains the dual norm of a rescaled copy
        direction = np.sign(difference) * np.abs(difference) ** (metric.order - 1.0)
        conjugate = metric.order / (metric.order - 1.0)
        direction /= (np.abs(direction) ** conjugate).sum() ** (1.0 / conjugate)
    profile = on_line((x @ direction)[:, None], (y @ direction)[:, None], metric)
    return Ridge(direction * (1.0 - 1e-14), profile)


@dataclass(frozen=True, eq=False)
class Cone:
    """The signed distance from a centre."""

    metric: Metric
    centre: Float64Array
    sign: float

    def __call__(self, z: Float64Array) -> Float64Array:
        """Values at points (n, d), shape (n,)."""
        return self.sign * self.metric.matrix(z, self.centre[None, :])[:, 0]


def cone(x: Float64Array, y: Float64Array, metric: Metric) -> Critic:
    """The distance from the pooled mean: for laws of one centre and two widths; norms only."""
    centre = np.concatenate([x, y]).mean(axis=0)
    far = Cone(metric, centre, 1.0)
    return far if far(x).mean() >= far(y).mean() else replace(far, sign=-1.0)


def _zero(z: Float64Array) -> Float64Array:
    return np.zeros(len(z))


def fits(metric: Metric, dimension: int) -> tuple[Fit, ...]:
    """The kinds of critic that a metric allows."""
    if not metric.is_norm:
        return (exact,)
    return (on_line,) if dimension == 1 else (exact, ridge, cone)
