r"""After Example 1: low-dimensional supports in general position meet in measure zero.

Samples prove nothing here: those of *any* two continuous laws are disjoint. What is measured is
f(e) = P(dist(X, supp Q) < e), which falls to 0 with e. The event A = {dist >= e} has P(A) = 1 - f
and Q(A) = 0, so by data processing TV >= 1 - f(e), JS >= JS((1 - f, f), (0, 1)), KL = inf.
"""

import math
from collections.abc import Callable

import numpy as np

from .. import Discrete, js_divergence, kl_divergence, total_variation
from .._typing import Float64Array
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import cross_distances, distance, norm
from ._networks import Network
from ._variants import rewritten, times, value

LOG_2 = math.log(2.0)
GRID = (np.arange(4000) + 0.5) / 4000
"""Quantiles of the latent variable, uniform on (0, 1): f is read off them to within 1/4000."""


def fraction(distances: Float64Array, e: float) -> float:
    """The part of the latent quantiles that lie within ``e``."""
    return float((distances < e).mean())


def crossing_segments(
    rng: np.random.Generator,
) -> tuple[Float64Array, Callable[[float], float]]:
    """Distances of a segment's points to the line of another; f(e) = 2 e/(length sin angle)."""
    angle, length, at = (
        rng.uniform(0.2, math.pi - 0.2),
        rng.uniform(0.5, 3.0),
        rng.uniform(0.2, 0.8),
    )
    across = np.abs((GRID - at) * length * math.sin(angle))
    return across, lambda e: min(1.0, 2 * e / (length * math.sin(angle)))


def two_circles(rng: np.random.Generator) -> tuple[Float64Array, Callable[[float], float]]:
    r"""Distances of a circle to another: f(e) <= arccos(1 - 2 d)/pi, d = r_2 e/(r_1 D).

    At the angle t the squared distance to the other centre is A + B cos t, B = 2 r_1 D, and within
    e of the circle it lies in an interval of length 4 r_2 e: cos t in one of length 2 d, whose
    preimage is the largest at an end of [-1, 1].
    """
    r1, r2, apart = rng.uniform(0.3, 2.0), rng.uniform(0.3, 2.0), rng.uniform(0.3, 3.0)
    t = 2 * math.pi * GRID
    distances = np.abs(np.hypot(apart + r1 * np.cos(t), r1 * np.sin(t)) - r2)

    def bound(e: float) -> float:
        d = r2 * e / (r1 * apart)
        return math.acos(1 - 2 * d) / math.pi if d < 1 else 1.0

    return distances, bound


def generated_curves(
    rng: np.random.Generator, dimension: int
) -> tuple[Float64Array, float, Float64Array]:
    """Distances between the images of two tanh networks of one latent variable, and their mesh."""
    first, second = (Network.draw(rng, (1, 6, dimension)) for _ in range(2))
    latent = 4.0 * GRID[:, None] - 2.0
    x, y = first(latent[::8]), second(latent[::4])
    mesh = float(norm(np.diff(y, axis=0)).max())
    return cross_distances(x, y).min(axis=1), mesh, cross_distances(x[1::7], x).min(axis=1)


def check_supports(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The three kinds of supports, what follows for the divergences, and W beside them."""
    relations: list[Relation] = []
    for name, (distances, bound) in (
        ("segments", crossing_segments(rng)),
        ("circles", two_circles(rng)),
    ):
        for e in (1e-1, 1e-2, 1e-3):
            found = fraction(distances, e)
            relations.append(
                at_most(f"{name}: P(dist < e) <= C(e)", found, bound(e), 2.0 / GRID.size)
            )
        relations += divergence_bounds(name, fraction(distances, 1e-3))
    distances, mesh, own = generated_curves(rng, 2 + index % 2)
    relations += [
        _falls(distances, mesh),
        equal("generators, P = Q: P(dist < e) = 1", fraction(own, 0.003 + mesh), 1.0),
    ]
    return (*relations, *_continuity(rng))


def _falls(distances: Float64Array, mesh: float) -> Relation:
    """From .3 to the mesh of the curve at least by half: curves that touch lose 1 - sqrt(1/12)."""
    wide, narrow = fraction(distances, 0.3), fraction(distances, 0.003 + mesh)
    return at_most("generators: P(dist < e) falls with e", narrow, 0.5 * wide, 0.05)


def divergence_bounds(name: str, f: float) -> tuple[Relation, ...]:
    """TV, JS and KL of the two laws are at least those of what they give the event A."""
    p, q = np.array([1.0 - f, f]), np.array([0.0, 1.0])
    tv, js = float(total_variation(p, q)), float(js_divergence(p, q))
    # log 2 - JS = (f log((1 + f)/f) + log(1 + f))/2, and log(1 + f) <= f
    room = 0.5 * f * (1.0 + math.log((1.0 + f) / f)) if f > 0 else 0.0
    return (
        equal(f"{name}: TV >= 1 - f(e)", tv, 1.0 - f, 4 * ULP),
        at_most(f"{name}: log 2 - JS <= f/2 (1 + log((1 + f)/f))", LOG_2 - js, room, 8 * ULP),
        equal(f"{name}: KL = inf", kl_divergence(p, q), math.inf),
    )


def _continuity(rng: np.random.Generator) -> tuple[Relation, ...]:
    """W moves by no more than a circle's centre does."""
    t = 2 * math.pi * np.arange(12) / 12
    circle = np.stack([np.cos(t), np.sin(t)], axis=1)
    shift, move = rng.normal(size=2), rng.normal(size=2) * 10.0 ** rng.uniform(-4, 0)
    first = distance(Discrete(circle), Discrete(0.5 * circle + shift))
    second = distance(Discrete(circle), Discrete(0.5 * circle + shift + move))
    change = abs(first.value - second.value)
    return (at_most("circles: |W(t) - W(s)| <= |t - s|", change, float(norm(move)),
                    first.error + second.error),)  # fmt: skip


def _same_image(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """One generator for both laws."""
    _, mesh, own = generated_curves(rng, 2 + index % 2)
    return (_falls(own, mesh),)


def _same_support(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Supports not in general position: two pieces of one line."""
    _ = index
    start = rng.uniform(0.0, 0.5)
    distances = np.maximum(0.0, start - GRID)  # U[0, 1] against U[start, 1 + start]
    return divergence_bounds("segments on one line", fraction(distances, 1e-3)) and (
        at_most("P(dist < e) <= 4 e", fraction(distances, 1e-3), 4e-3, 2.0 / GRID.size),
    )


CLAIMS = (
    Claim(
        id="general_position",
        title="Low-dimensional supports hardly meet",
        statement=r"\text{supports of low dimension in general position: } "
        r"KL = \infty, \quad JS = \log 2, \quad \delta = 1",
        summary="P(dist(X, supp Q) < e) -> 0: TV -> 1, JS -> log 2",
        inequality=r"P(dist(X, supp\, Q) < e) \le C(e) \to 0, \quad TV \ge 1 - f(e), \quad "
        r"\log 2 - JS \le \frac{f}{2} (1 + \log \frac{1 + f}{f}), \quad KL = \infty",
        source="section 2, after Example 1",
        hypotheses=("general position", "the latent dimension is below that of the space"),
        cases=50,
        check=check_supports,
        domain="crossing segments, two circles, images of two tanh networks R -> R^2, R^3",
        false_variants=(
            rewritten("a segment keeps a quarter of C(e)", check_supports, "segments: P(dist",
                      times(0.25)),
            rewritten("KL is finite", check_supports, "circles: KL", value(1e300)),
            FalseVariant("supports may lie on one line", _same_support),
            FalseVariant("both laws may have one generator", _same_image),
        ),
    ),
)  # fmt: skip
