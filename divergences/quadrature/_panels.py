"""Gauss-Legendre panels for two laws with densities on the line.

The line is cut at the ends of supports and at kinks. On each piece a coordinate is chosen in which
both densities are smooth, although they may be powers of the distance to an end: the logarithm of
that distance, or the logit between two such ends. Panels start at quantiles of both laws, down to
tails of 1e-33, and are halved until 20 nodes give the same integral as twice 20.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._special import legendre
from .._typing import Float64Array
from ..families._line import ContinuousLaw, Points, off_the_graph
from ._log_ratio import log_ratio

TAILS = np.exp(-2.0 * np.arange(39.0)) * 0.5
MOST_PANELS = 20_000
AGREEMENT = 1e-14  # of a panel's integral: what rounding of the densities leaves
NEGLIGIBLE = 1e-17  # of the whole integral
STAGNANT = 1e-13  # of the whole: below, an error that no longer falls is rounding

Integrand = Callable[["Nodes"], Float64Array]


@dataclass(frozen=True)
class Nodes:
    """Places, and there the log-densities per unit of the coordinate, and their log-ratio."""

    points: Points
    log_p: Float64Array
    log_q: Float64Array
    ratio: Float64Array
    log_slope: Float64Array
    weights: Float64Array

    @property
    def p(self) -> Float64Array:
        """The first density per unit of the coordinate."""
        return np.exp(self.log_p)

    @property
    def q(self) -> Float64Array:
        """The second density per unit of the coordinate."""
        return np.exp(self.log_q)


@dataclass(frozen=True)
class Piece:
    """An interval of the line with its coordinate: "line", "above", "below" or "between"."""

    low: float
    high: float
    kind: str

    def points(self, y: Float64Array) -> tuple[Points, Float64Array]:
        """The places of coordinates ``y``, and the log of the derivative of x in y."""
        low, high = self.low, self.high
        if self.kind == "line":
            return Points(y, low, high), np.zeros_like(y)
        if self.kind == "above":
            return Points(low + np.exp(y), low, high, y), y
        if self.kind == "below":
            return Points(high - np.exp(-y), low, high, None, -y), -y
        width = math.log(high - low)
        from_low, to_high = -np.logaddexp(0.0, -y), -np.logaddexp(0.0, y)
        nearer = np.where(
            y < 0,
            low + (high - low) * np.exp(from_low),
            high - (high - low) * np.exp(to_high),
        )
        places = Points(nearer, low, high, from_low + width, to_high + width)
        return places, from_low + to_high + width

    def coordinate(self, x: Float64Array) -> Float64Array:
        """The coordinates of places inside, infinite at ends."""
        with np.errstate(divide="ignore"):
            if self.kind == "line":
                return x
            if self.kind == "above":
                return np.asarray(np.log(x - self.low))
            if self.kind == "below":
                return np.asarray(-np.log(self.high - x))
            return np.asarray(np.log(x - self.low) - np.log(self.high - x))


def pieces(p: ContinuousLaw, q: ContinuousLaw) -> list[Piece]:
    """The pieces on which both densities are smooth, from left to right."""
    ends = {end for law in (p, q) for end in (*law.support, *law.break_points)}
    singular = {end for law in (p, q) for end in law.singular_ends}
    ordered = sorted(ends)
    result = []
    for low, high in itertools.pairwise(ordered):
        inside = [law for law in (p, q) if law.support[0] <= low and high <= law.support[1]]
        if not inside:
            continue
        kinds = {(True, False): "above", (False, True): "below", (True, True): "between"}
        kind = kinds.get((low in singular, high in singular), "line")
        result.append(Piece(low, high, kind))
    return result


def _edges(piece: Piece, laws: tuple[ContinuousLaw, ...]) -> Float64Array:
    """Edges of the first panels of a piece, in its coordinate."""
    with np.errstate(all="ignore"):
        x = np.concatenate([law.edges(TAILS) for law in laws])
        x = np.concatenate([x, *(np.asarray(law.turning_points, dtype=float) for law in laws)])
        x = x[(x > piece.low) & (x < piece.high) & np.isfinite(x)]
        y = [piece.coordinate(x)]
        finite = y[0][np.isfinite(y[0])]
        middle = float(np.median(finite)) if finite.size else 0.0
        if piece.kind in ("above", "between"):
            y += [law.log_edges(TAILS, piece.low) for law in laws]
            y.append(min(middle, 0.0) - np.arange(0.0, 80.0, 4.0))
        if piece.kind in ("below", "between"):
            y += [-law.log_edges(TAILS, piece.high) for law in laws]
            y.append(max(middle, 0.0) + np.arange(0.0, 80.0, 4.0))
        limits = piece.coordinate(np.array([piece.low, piece.high]))
        y.append(limits[np.isfinite(limits)])
    joined = np.concatenate(y)
    joined = joined[np.isfinite(joined) & (joined >= limits[0]) & (joined <= limits[1])]
    return np.unique(joined)


class Panels:
    """Panels of one piece: two arrays of coordinates and the evaluation on their nodes."""

    def __init__(self, p: ContinuousLaw, q: ContinuousLaw, piece: Piece) -> None:
        self.p, self.q, self.piece = off_the_graph(p), off_the_graph(q), piece
        edges = _edges(piece, (self.p, self.q))
        self.low, self.high = edges[:-1], edges[1:]

    def nodes(self, low: Float64Array, high: Float64Array) -> Nodes:
        """The nodes of panels [low, high], as arrays (panels, 20)."""
        x, w = legendre()
        half = 0.5 * (high - low)[:, None]
        return self.at((low[:, None] + half) + half * x, half * w)

    def at(self, y: Float64Array, weights: Float64Array) -> Nodes:
        """Both laws at coordinates ``y``."""
        points, log_slope = self.piece.points(y)
        with np.errstate(all="ignore"):
            log_p = np.asarray(self.p.log_density_at(np, points)) + log_slope
            log_q = np.asarray(self.q.log_density_at(np, points)) + log_slope
            ratio = log_ratio(self.p, self.q, points)
        return Nodes(points, log_p, log_q, ratio, log_slope, weights)

    def split_at_crossings(self) -> None:
        """Make edges of the places where the densities cross."""
        if self.low.size == 0:
            return
        nodes = self.nodes(self.low, self.high)
        x, _ = legendre()
        half = 0.5 * (self.high - self.low)[:, None]
        y = (self.low[:, None] + half) + half * x
        y = np.concatenate([self.low[:, None], y, self.high[:, None]], axis=1)
        sign = np.sign(nodes.ratio)
        sign = np.concatenate([self._sign(self.low), sign, self._sign(self.high)], axis=1)
        flat_y, flat_sign = y.ravel(), np.nan_to_num(sign.ravel())
        change = np.flatnonzero(flat_sign[:-1] * flat_sign[1:] < 0)
        roots = self._roots(flat_y[change], flat_y[change + 1], flat_sign[change])
        edges = np.unique(np.concatenate([self.low, self.high, roots]))
        self.low, self.high = edges[:-1], edges[1:]

    def _sign(self, y: Float64Array) -> Float64Array:
        return np.asarray(np.sign(self.at(y, y).ratio))[:, None]

    def _roots(self, low: Float64Array, high: Float64Array, sign: Float64Array) -> Float64Array:
        for _ in range(60):
            middle = low + 0.5 * (high - low)
            same = np.sign(self.at(middle, middle).ratio) == sign
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return high

    def refine(self, integrand: Integrand) -> None:
        """Halve panels until the integral over each agrees with that over its halves."""
        done_low, done_high = [], []
        before = np.full(self.low.shape, np.inf)
        low, high = self.low, self.high
        whole = self._integrals(integrand, low, high)
        total = float(np.sum(np.abs(whole[np.isfinite(whole)])))
        for _ in range(60):
            if low.size == 0 or low.size > MOST_PANELS:
                break
            middle = low + 0.5 * (high - low)
            left = self._integrals(integrand, low, middle)
            right = self._integrals(integrand, middle, high)
            both = left + right
            with np.errstate(invalid="ignore"):
                error = np.abs(both - whole)
                keep = ~(error > AGREEMENT * np.abs(both)) | (error < NEGLIGIBLE * total)
                keep |= (error > 0.1 * before) & (error < STAGNANT * total)
            keep |= ~np.isfinite(both)
            before = np.concatenate([error[~keep], error[~keep]])
            done_low.append(low[keep])
            done_high.append(high[keep])
            low, high, whole = (
                np.concatenate(pair)
                for pair in (
                    (low[~keep], middle[~keep]),
                    (middle[~keep], high[~keep]),
                    (left[~keep], right[~keep]),
                )
            )
        order = np.argsort(np.concatenate([*done_low, low]), kind="stable")
        self.low = np.concatenate([*done_low, low])[order]
        self.high = np.concatenate([*done_high, high])[order]

    def _integrals(self, integrand: Integrand, low: Float64Array, high: Float64Array) -> Any:
        nodes = self.nodes(low, high)
        with np.errstate(all="ignore"):
            return np.sum(nodes.weights * integrand(nodes), axis=1)
