r"""Section 1: every f-divergence from below by its dual, and its value between singular laws."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import (
    chi_squared_divergence,
    hellinger_distance,
    js_divergence,
    kl_divergence,
    total_variation,
)
from .._typing import Float64Array
from ..problems import parallel_lines, vector_pair
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._variants import reversed_, rewritten, times

Function = Callable[[Float64Array], Float64Array]


@dataclass(frozen=True)
class Generator:
    """A convex f with f(1) = 0: D_f(P, Q) = E_Q f(p/q), its slope f' and conjugate f*.

    ``ends`` are f(0) and f'(inf), their sum the value between singular laws.
    """

    divergence: Callable[..., object]
    slope: Function
    conjugate: Function
    ends: tuple[float, float]


LOG_2 = math.log(2.0)

GENERATORS: dict[str, Generator] = {
    "KL(P, Q)": Generator(
        kl_divergence, lambda t: 1.0 + np.log(t), lambda s: np.exp(s - 1.0), (0.0, math.inf)
    ),
    "KL(Q, P)": Generator(
        lambda p, q: kl_divergence(q, p), lambda t: -1.0 / t, lambda s: -1.0 - np.log(-s),
        (math.inf, 0.0),
    ),
    "JS": Generator(
        js_divergence,
        lambda t: 0.5 * np.log(2.0 * t / (1.0 + t)),
        lambda s: -0.5 * np.log(2.0 - np.exp(2.0 * s)),
        (0.5 * LOG_2, 0.5 * LOG_2),
    ),
    "TV": Generator(
        total_variation, lambda t: 0.5 * np.sign(t - 1.0), lambda s: s, (0.5, 0.5)
    ),
    "squared Hellinger": Generator(
        lambda p, q: float(hellinger_distance(p, q)) ** 2, lambda t: 0.5 - 0.5 * t**-0.5,
        lambda s: s / (1.0 - 2.0 * s), (0.5, 0.5),
    ),
    "chi squared": Generator(
        chi_squared_divergence, lambda t: 2.0 * (t - 1.0), lambda s: s + 0.25 * s**2,
        (1.0, math.inf),
    ),
}  # fmt: skip


def dual_value(generator: Generator, p: Float64Array, q: Float64Array, t: Float64Array) -> float:
    """E_P T - E_Q f*(T) for T = ``t``."""
    return math.fsum(np.concatenate([p * t, -q * generator.conjugate(t)]))


def check_duals(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """One of six divergences in turn: its dual at a random T and at the optimal one; a step."""
    name = tuple(GENERATORS)[index % len(GENERATORS)]
    generator = GENERATORS[name]
    pair = vector_pair(rng, "generic", size=int(rng.integers(2, 13)))
    p, q = pair.p + 1e-3, pair.q + 1e-3
    p, q = p / p.sum(), q / q.sum()
    value = float(generator.divergence(p, q))  # type: ignore[arg-type]
    best = generator.slope(p / q)
    other = generator.slope(p / q * np.exp(0.5 * rng.normal(size=p.size)))
    scale = 1.0 + float((p * np.abs(best) + q * np.abs(generator.conjugate(best))).sum())
    rounding = 64 * ULP * scale
    lines = parallel_lines(rng, 10.0 ** rng.uniform(-8, 2))
    lost = generator.divergence(*_on_one_support(lines.x_weights, lines.y_weights))
    singular = sum(generator.ends)
    return (
        at_most("E_P T - E_Q f*(T) <= D_f", dual_value(generator, p, q, other), value, rounding),
        equal("T = f'(p/q) attains D_f", dual_value(generator, p, q, best), value, rounding),
        equal("singular: D_f = f(0) + f'(inf)", float(lost), singular,  # type: ignore[arg-type]
              8 * ULP if math.isfinite(singular) else 0.0),
    )  # fmt: skip


def _on_one_support(a: Float64Array, b: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Two laws on disjoint atoms as vectors on all of them."""
    return np.concatenate([a, np.zeros_like(b)]), np.concatenate([np.zeros_like(a), b])


def _no_conjugate(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """E_P T - E_Q T, as if every f were that of TV, without its bound on T."""
    _ = index
    pair = vector_pair(rng, "generic")
    t = 10.0 * np.sign(pair.p - pair.q)
    gap = math.fsum((pair.p - pair.q) * t)
    return (at_most("E_P T - E_Q T <= TV", gap, float(total_variation(pair.p, pair.q)), 1e-12),)


CLAIMS = (
    Claim(
        id="f_divergences",
        title="f-divergences: their duals, and steps in Example 1",
        statement=r"D_f(P, Q) = \sup_T E_P T - E_Q f^*(T)",
        summary="D_f >= E_P T - E_Q f*(T); singular: f(0)+f'(inf)",
        inequality=r"D_f \ge E_P T - E_Q f^*(T), \quad D_f = f(0) + f'(\infty) "
        r"\text{ for singular } P, Q",
        source="section 1; Nowozin, Cseke and Tomioka 2016",
        hypotheses=("f convex", "f(1) = 0", "T in the domain of f*"),
        cases=1200,
        check=check_duals,
        domain="KL both ways, JS, TV, squared Hellinger, chi squared in turn; vectors of 2 to 12",
        false_variants=(
            rewritten("the dual is an upper bound", check_duals, "E_P T", reversed_),
            rewritten("singular laws: twice f(0) + f'(inf)", check_duals, "singular", times(2.0)),
            FalseVariant("T needs no bound for TV", _no_conjugate),
            FalseVariant("f need not be convex", _necessity.not_convex),
            FalseVariant("f(1) need not be 0", _necessity.not_zero_at_one),
        ),
    ),
)
