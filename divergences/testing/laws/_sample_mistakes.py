"""What a wrong function of two samples would return, and the probes that tell."""

import math

import numpy as np

from ... import wasserstein1
from ..._typing import Float64Array
from . import _reference
from ._domain import PLANE_X, PLANE_Y
from ._mistakes import Quantity

FLAT = (
    (PLANE_X[:, 0], PLANE_Y[:3, 1]),
    (np.array([0.0, 1.0, 5.0, 7.0]), np.array([2.0, 2.5, 3.0, -4.0])),
    (np.array([0.5, -2.0]), np.array([3.0, 4.5])),
    (np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])),
)
PLANE = (
    (PLANE_X, PLANE_Y[:3]),
    (PLANE_Y, PLANE_Y[::-1] * 2.0 + 1.0),
    (PLANE_X[:2], PLANE_X[1:] + 3.0),
    (np.column_stack([PLANE_X, PLANE_X[::-1, 0]]), np.column_stack([PLANE_Y[:3], PLANE_X[:, 1]])),
    (PLANE_X[:, :1], PLANE_Y[:3, 1:]),
)
"""Pairs of one size: in the plane, in space, on the line."""


def _columns(x: Float64Array) -> Float64Array:
    return x.reshape(len(x), -1)


def _distances(x: Float64Array, y: Float64Array) -> Float64Array:
    return np.asarray(np.linalg.norm(_columns(x)[:, None] - _columns(y), axis=-1))


def _energy(x: Float64Array, y: Float64Array) -> float:
    inner = _distances(x, x).mean() + _distances(y, y).mean()
    return float(2 * _distances(x, y).mean() - inner)


def _nearest(x: Float64Array, y: Float64Array) -> tuple[Float64Array, Float64Array]:
    return _distances(x, y).min(axis=1), _distances(x, y).min(axis=0)


def _steps(x: Float64Array, y: Float64Array) -> Float64Array:
    """|F - G| at the points of both samples on the line."""
    points = np.unique(np.concatenate([x, y]))
    f, g = (np.searchsorted(np.sort(v.ravel()), points, side="right") / len(v) for v in (x, y))
    return np.asarray(np.abs(f - g))


_w2, _w22 = _reference.wasserstein2, _reference.squared_wasserstein2
SAMPLE_MISTAKES: tuple[tuple[str, Quantity], ...] = (
    ("W_p^p: it is the squared Wasserstein-2 distance; take its root", _w22),
    ("squared cost: it is the Wasserstein-2 distance", _w2),
    ("W_p^p and a factor 1/2: it is half the squared Wasserstein-2 distance",
     lambda x, y: _w22(x, y) / 2),
    ("squared: it is wasserstein1, squared", lambda x, y: wasserstein1(x, y) ** 2),
    ("square root: it is the root of wasserstein1", lambda x, y: math.sqrt(wasserstein1(x, y))),
    ("a sum instead of a mean: it is wasserstein1 times the number of points",
     lambda x, y: wasserstein1(x, y) * len(x)),
    ("missing 1/2: it is twice wasserstein1", lambda x, y: 2 * wasserstein1(x, y)),
    ("a factor 1/2 too many: it is half of wasserstein1", lambda x, y: wasserstein1(x, y) / 2),
    ("wrong sign: it is -wasserstein1", lambda x, y: -wasserstein1(x, y)),
    ("it is wasserstein1 times the dimension", lambda x, y: wasserstein1(x, y) * x[0].size),
    ("a mean over coordinates: it is wasserstein1 divided by the dimension",
     lambda x, y: wasserstein1(x, y) / x[0].size),
    ("cityblock instead of Euclidean ground distance",
     lambda x, y: wasserstein1(_columns(x), _columns(y), metric="cityblock")),
    ("chebyshev instead of Euclidean ground distance",
     lambda x, y: wasserstein1(_columns(x), _columns(y), metric="chebyshev")),
    ("a mean over coordinates: it is wasserstein1 for the cityblock distance, divided by d",
     lambda x, y: wasserstein1(_columns(x), _columns(y), metric="cityblock") / x[0].size),
    ("squared: it is the energy distance without its root", _energy),
    ("half the energy distance, without its root", lambda x, y: _energy(x, y) / 2),
    ("the root of the energy distance", lambda x, y: math.sqrt(max(0.0, _energy(x, y)))),
    ("points are compared in the order they come, not as laws",
     lambda x, y: float(np.linalg.norm(_columns(x) - _columns(y), axis=-1).mean())),
    ("the costs are not minimised: it is the mean distance of all pairs of points",
     lambda x, y: _distances(x, y).mean()),
    ("only the means are compared",
     lambda x, y: float(np.linalg.norm(_columns(x).mean(axis=0) - _columns(y).mean(axis=0)))),
    ("nearest neighbours, not couplings: it is the Hausdorff distance of the supports",
     lambda x, y: max(side.max() for side in _nearest(x, y))),
    ("nearest neighbours, not couplings: it is the Chamfer distance",
     lambda x, y: sum(side.mean() for side in _nearest(x, y))),
    ("nearest neighbours, not couplings: it is half the Chamfer distance",
     lambda x, y: sum(side.mean() for side in _nearest(x, y)) / 2),
    ("nearest neighbours, not couplings, of the points of one sample only",
     lambda x, y: _nearest(x, y)[0].mean()),
    ("nearest neighbours, not couplings, of the points of one sample only",
     lambda x, y: _nearest(x, y)[1].mean()),
)  # fmt: skip
LINE_MISTAKES: tuple[tuple[str, Quantity], ...] = (
    ("it is the Kolmogorov-Smirnov distance, the largest |F - G|",
     lambda x, y: _steps(x, y).max()),
    ("the spacing of the points is left out: it is the sum of |F - G| at the points",
     lambda x, y: _steps(x, y).sum()),
    ("the spacing of the points is left out: it is the mean of |F - G| at the points",
     lambda x, y: _steps(x, y).mean()),
    ("the largest difference of the sorted points (W_infinity), not their mean",
     lambda x, y: np.abs(np.sort(x) - np.sort(y)).max()),
)  # fmt: skip
"""Further ones on the line."""

SLICED = (
    "right on the line and too small in the plane: a sliced distance, of projections of the points"
)


BLURRED = "the plan is blurred by entropy (Sinkhorn, regularisation about"


def is_sliced(value: Quantity) -> bool:
    """Whether a distance is wasserstein1 on the line and less wherever there are more axes."""
    for x, y in PLANE:
        ratio = value(x, y) / wasserstein1(x, y)
        if not (abs(ratio - 1) <= 1e-6 if x.shape[1] == 1 else 0.05 < ratio < 1 - 1e-6):
            return False
    return True


def entropic(value: Quantity, flat: bool) -> str:
    r"""What is said of a distance whose plan is blurred by entropy, or "".

    For two points at distance l, each law on both, the plan of least cost + reg entropy moves
    1/(1 + exp(l^p/reg)) of the mass from either to the other: W(P, P) is that times l^p, not 0.
    """

    def of(length: float) -> float:
        x = np.array([0.0, length])
        return float(value(x, x) if flat else value(x[:, None], x[:, None]))

    near, far = of(0.25), of(0.5)
    for power in (1, 2):
        for root in (1, 2):
            cost, moved = 0.25**power, near**root / 0.25**power
            if not 0 < moved < 0.5:
                continue
            blur = cost / math.log(1 / moved - 1)
            expected = 0.5**power / (1 + math.exp(0.5**power / blur))
            if abs(far**root - expected) <= 1e-3 * expected:
                return f"{BLURRED} {blur:.3g}): d(P, P) is not 0"
    return ""
