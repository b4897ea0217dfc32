r"""The topologies of section 2 along convergent sequences: rates, and the strict order."""

import math

import numpy as np

from .. import (
    Discrete,
    Uniform,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from ..problems import finite_space, vector_pair
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import distance
from ._variants import rewritten, times, value

LOG_2 = math.log(2.0)


def rate(coarse: float, fine: float, refinement: float) -> float:
    """The power of 1/n at which a quantity falls when n grows by ``refinement``."""
    return math.log(coarse / fine) / math.log(refinement)


def check_rates(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    r"""P_n = (1 - 1/n) P + R/n, R << P: TV and W fall as 1/n exactly, KL and JS as 1/n^2.

    With c = max |r/p - 1|, e = 1/n and e c <= 1/2, log(1 + u) = u - u^2/2 + O(u^3) makes
    KL = e^2 chi^2/2 (1 + O(e c)) and JS = e^2 chi^2/8 (1 + O(e c)), chi^2 = E_P (r/p - 1)^2: over
    a factor 10 the measured rate is 2 within e c.
    """
    _ = index
    space = finite_space(rng, "generic")
    p = 0.5 * space.pair.p + 0.5 / space.pair.p.size
    p /= p.sum()
    r = rng.dirichlet(np.ones(p.size))
    c = float(np.abs(r / p - 1.0).max())
    n = max(10.0, 4.0 * c) * 10.0 ** rng.uniform(0, 2)
    terms = [(1.0 - 1.0 / m) * p + r / m for m in (n, 10.0 * n)]
    first, second = (term / term.sum() for term in terms)
    tv, whole = (float(total_variation(p, first)), float(total_variation(p, r)))
    limit = Discrete(space.points, p)
    near, far = (
        distance(Discrete(space.points, first), limit),
        distance(Discrete(space.points, r), limit),
    )
    chi = math.fsum((r - p) ** 2 / p)
    relations = [
        equal("TV(P_n, P) = TV(R, P)/n", tv, whole / n, 16 * ULP),
        equal("W(P_n, P) = W(R, P)/n", near.value, far.value / n,
              2 * (near.error + far.error / n) + 16 * ULP * far.value),
    ]  # fmt: skip
    for name, constant, values in (
        ("KL(P_n, P)", 2.0, [float(kl_divergence(law, p)) for law in (first, second)]),
        ("KL(P, P_n)", 2.0, [float(kl_divergence(p, law)) for law in (first, second)]),
        ("JS(P_n, P)", 8.0, [float(js_divergence(law, p)) for law in (first, second)]),
    ):
        leading = chi / (constant * n * n)
        # P_n is rounded to ULP in each entry, which a divergence of order 1/n^2 feels as ULP/n.
        rounding = 64 * ULP * n / max(chi, ULP)
        relations += [
            equal(f"{name}: rate 2", rate(values[0], values[1], 10.0), 2.0, c / n + rounding * c),
            equal(f"{name} = chi^2/({constant:g} n^2)", values[0], leading,
                  leading * (c / n + rounding * c)),
        ]  # fmt: skip
    return tuple(relations)


def check_order(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Each topology bounds the next one, and along a witness the next one does not bound it."""
    _ = index
    n = int(rng.integers(2, 10**6))
    pair = vector_pair(rng, "generic")
    kl, tv, js = (float(f(pair.p, pair.q)) for f in (kl_divergence, total_variation, js_divergence))
    points = np.cumsum(rng.uniform(0.1, 1.0, size=pair.p.size))
    w = distance(Discrete(points, pair.p), Discrete(points, pair.q))
    point, origin = Discrete([1.0 / n]), Discrete([0.0])
    shifted, uniform = Uniform(1.0 / n, 1.0 + 1.0 / n), Uniform(0.0, 1.0)
    return (
        at_most("KL >= 2 TV^2", 2 * tv * tv, kl, 64 * ULP * kl),
        at_most("JS <= TV log 2", js, tv * LOG_2, 16 * ULP),
        at_most("TV <= sqrt(2 JS)", tv, math.sqrt(2 * js), 16 * ULP),
        at_most("W <= diam TV", w.value, float(np.ptp(points)) * tv, w.error),
        equal("delta_1/n: W = 1/n", wasserstein1(point, origin), 1.0 / n, 4 * ULP / n),
        equal("delta_1/n: TV = 1", total_variation(point, origin), 1.0),
        equal("U[1/n, 1 + 1/n]: TV = 1/n", total_variation(shifted, uniform), 1.0 / n, 4 * ULP),
        equal("U[1/n, 1 + 1/n]: KL(P_n, P) = inf", kl_divergence(shifted, uniform), math.inf),
        equal("U[1/n, 1 + 1/n]: KL(P, P_n) = inf", kl_divergence(uniform, shifted), math.inf),
    )


def _not_dominated(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """R with an atom that P lacks: JS falls as 1/n only."""
    _ = index
    n = 10.0 ** rng.uniform(1, 3)
    p = np.array([1.0, 0.0])
    values = [float(js_divergence(np.array([1 - 1 / m, 1 / m]), p)) for m in (n, 10 * n)]
    return (equal("JS(P_n, P): rate 2", rate(values[0], values[1], 10.0), 2.0, 0.25),)


CLAIMS = (
    Claim(
        id="theorem_2_rates",
        title="Rates along convergent sequences",
        statement=r"P_n = (1 - \frac{1}{n}) P + \frac{1}{n} R \to P \text{ in } KL, JS, TV, W",
        summary="P_n = (1-1/n) P + R/n: TV, W as 1/n; KL, JS 1/n^2",
        inequality=r"TV(P_n, P) = \frac{TV(R, P)}{n}, \quad W(P_n, P) = \frac{W(R, P)}{n}, \quad "
        r"KL = \frac{\chi^2}{2 n^2}(1 + O(\frac{c}{n})), \quad "
        r"JS = \frac{\chi^2}{8 n^2}(1 + O(\frac{c}{n}))",
        source="section 2, Theorem 2, with its rates worked out",
        hypotheses=("R << P, c = max |dR/dP - 1|",),
        cases=100,
        check=check_rates,
        domain="finite spaces of 2 to 12 points in R^1 to R^4; n from 10 to some 1e4, and 10 n",
        false_variants=(
            rewritten("KL falls as 1/n", check_rates, "KL(P_n, P): rate", value(1.0)),
            rewritten("JS = chi^2/(4 n^2), as if not halved", check_rates, "JS(P_n, P) =",
                      times(2.0)),
            FalseVariant("R need not be dominated by P", _not_dominated),
        ),
    ),
    Claim(
        id="topology_order",
        title="The order KL, JS = TV, W is strict",
        statement=r"KL \Rightarrow JS \Leftrightarrow \delta \Rightarrow W, "
        r"\quad \text{and no arrow turns back}",
        summary="KL => JS <=> TV => W, and no arrow turns back",
        inequality=r"2\, TV^2 \le KL, \quad \frac{TV^2}{2} \le JS \le TV \log 2, \quad "
        r"W \le diam\, TV; \quad \delta_{1/n}: W = \frac{1}{n}, TV = 1; \quad "
        r"U[\frac{1}{n}, 1 + \frac{1}{n}]: TV = \frac{1}{n}, KL = \infty",
        source="section 2, after the definitions; Theorem 2",
        hypotheses=("X compact for the last arrow",),
        cases=1000,
        check=check_order,
        domain="vectors of 2 to 12 entries on the line; n up to 1e6",
        false_variants=(
            rewritten("W forces TV", check_order, "delta_1/n: TV", value(0.0)),
            rewritten("TV forces KL", check_order, "U[1/n, 1 + 1/n]: KL(P, P_n)", value(0.0)),
            rewritten("W <= diam TV / 2", check_order, "W <= diam", times(0.5)),
            FalseVariant("TV forces W on the whole line", _necessity.far_mass),
        ),
    ),
)  # fmt: skip
