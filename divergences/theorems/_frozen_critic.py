r"""Section 3: a frozen critic collapses every generator, a critic kept optimal does not."""

import math
from typing import Any

import numpy as np

from .. import Discrete, optimal_transport
from ..problems import random_measures, simplex_vector
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import distance, norm
from ._variants import rewritten, times, value


def check_frozen(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """No law beats a point mass at the argmax of f; re-optimised, a critic moves it on."""
    _ = index
    data, other = random_measures(rng)
    result: Any = optimal_transport(data, other)
    candidates = np.concatenate([data.points, other.points, rng.normal(size=(20, data.dimension))])
    f = np.asarray(result.critic(candidates))
    law = simplex_vector(rng, f.size)
    best = int(f.argmax())
    rounding = 4 * ULP * f.size * float(np.abs(f).max())
    collapsed = candidates[best]
    w = distance(data, Discrete(collapsed[None, :]))
    steps = collapsed - data.points
    lengths = norm(steps)
    mean = math.fsum(data.weights * lengths)
    away = lengths > 0
    unit = (data.weights[away] / lengths[away]) @ steps[away]
    # The point's own atom of data, if it is one, pulls with at most its mass.
    pull = max(float(norm(unit)) - float(data.weights[~away].sum()), 0.0)
    return (
        at_most("E_P f <= max f", math.fsum(law * f), float(f.max()), rounding),
        equal("a point mass at argmax f attains it", float(f[best]), float(f.max())),
        equal("W(P_r, delta_y) = E|X - y|", w.value, mean, w.error + 16 * ULP * mean),
        at_most("the collapsed law has W > 0", 1e-3 * spread(data), w.value),
        *_descends(data, collapsed, unit, pull, w.value),
    )


def spread(data: Discrete) -> float:
    """E|X - X'|, of which W(P_r, delta_y) is at least the half for every y."""
    apart = norm(data.points[:, None, :] - data.points[None, :, :])
    return float(data.weights @ apart @ data.weights)


def _descends(
    data: Discrete, y: np.ndarray[Any, Any], unit: np.ndarray[Any, Any], pull: float, w: float
) -> tuple[Relation, ...]:
    """Moving against the gradient of W(P_r, delta_y) lowers it, at nearly its slope."""
    if pull < 1e-2:  # y is almost the median of the data, where the best point mass is
        return ()
    direction = -unit / norm(unit)
    h = 1e-7
    moved = distance(data, Discrete((y + h * direction)[None, :]))
    return (at_most("re-optimised critic: a step h lowers W by h |grad| / 2",
                    0.5 * pull * h, w - moved.value, 2 * moved.error),)  # fmt: skip


def _still_frozen(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """At its maximum the frozen critic has no lower loss to offer."""
    _ = index
    data, other = random_measures(rng)
    result: Any = optimal_transport(data, other)
    candidates = np.concatenate([data.points, rng.normal(size=(20, data.dimension))])
    f = np.asarray(result.critic(candidates))
    law = simplex_vector(rng, f.size)
    return (at_most("max f <= E_P f", float(f.max()), math.fsum(law * f)),)


CLAIMS = (
    Claim(
        id="frozen_critic",
        title="A frozen critic collapses every generator",
        statement=r"\inf_P -E_P f = -\max f, \quad \text{attained by laws on } argmax\, f",
        summary="frozen f: the best P is a point; W of it is > 0",
        inequality=r"E_P f \le \max f = E_{\delta_y} f, \quad "
        r"W(P_r, \delta_y) = E \Vert X - y \Vert > 0, \quad "
        r"W(P_r, \delta_{y - h u}) \le W(P_r, \delta_y) - \frac{h}{2} \Vert \nabla \Vert",
        source="section 3, on mode collapse",
        hypotheses=("P_r is not a point mass", "y is not the median of P_r, for the last one"),
        cases=60,
        check=check_frozen,
        domain="optimal critics of laws of up to 10 atoms in R^1 to R^5",
        false_variants=(
            rewritten("the collapsed law has W = 0", check_frozen, "W(P_r, delta_y)", value(0.0)),
            rewritten("a third of max f bounds E_P f", check_frozen, "a point mass", times(1 / 3)),
            FalseVariant("a frozen critic keeps the law spread out", _still_frozen),
            FalseVariant("P_r may be a point mass", _necessity.point_mass_data),
            FalseVariant("y may be the median of P_r", _necessity.collapsed_at_the_median),
        ),
    ),
)
