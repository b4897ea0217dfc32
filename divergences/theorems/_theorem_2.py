r"""Theorem 2: how the topologies of TV, JS, KL and W1 lie to each other."""

import math
from dataclasses import replace

import numpy as np

from .. import Discrete, js_divergence, kl_divergence, optimal_transport, total_variation
from .._typing import Float64Array
from ..problems import RELATIONS, FiniteSpace, diracs, finite_space, random_measures, vector_pair
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import Distance, cross_distances, distance, norm
from ._variants import reversed_, rewritten, times, value

LOG_2 = math.log(2.0)


def relative(value: float) -> float:
    """The rounding allowed for a computed quantity: 16 units in its last place.

    And, far below what floats of sum 1 can differ by, ULP^3: vectors that are proportional have
    divergence 0, but are known to be so in thrice the working precision only.
    """
    return 16 * ULP * value + ULP**3 if math.isfinite(value) else 0.0


def js_from_tv(t: float) -> float:
    r"""Least JS of two laws at TV = t: log 2 - h((1 - t)/2), h the binary entropy."""
    if t >= 1.0:
        return LOG_2
    return 0.5 * ((1.0 + t) * math.log1p(t) + (1.0 - t) * math.log1p(-t))


def js_curve_rounding(t: float) -> float:
    """The rounding of `js_from_tv`: its two terms are of size t and cancel to t^2/2."""
    return 4 * ULP * t


def check_tv_js(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Both chains between TV and JS, the second through the squared Hellinger distance."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    tv, js = float(total_variation(pair.p, pair.q)), float(js_divergence(pair.p, pair.q))
    hellinger, curve = pair.answers.hellinger, js_from_tv(tv)
    return (
        at_most("TV^2/2 <= log 2 - h((1-TV)/2)", tv * tv / 2, curve, js_curve_rounding(tv)),
        at_most("log 2 - h((1-TV)/2) <= JS", curve, js, js_curve_rounding(tv) + relative(js)),
        at_most("TV^2/2 <= JS", tv * tv / 2, js, relative(js)),
        at_most("JS <= TV log 2", js, tv * LOG_2, relative(tv)),
        at_most("log 2 H^2 <= JS", LOG_2 * hellinger, js, relative(js)),
        at_most("JS <= H^2", js, hellinger, relative(hellinger)),
    )


def check_kl_tv(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Pinsker's and Bretagnolle and Huber's inequality, in both orders of KL."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    tv = float(total_variation(pair.p, pair.q))
    relations = []
    for name, kl in (
        ("KL(P,Q)", float(kl_divergence(pair.p, pair.q))),
        ("KL(Q,P)", float(kl_divergence(pair.q, pair.p))),
    ):
        pinsker, bretagnolle = math.sqrt(kl / 2), math.sqrt(-math.expm1(-kl))
        relations += [
            at_most(f"TV <= sqrt({name}/2)", tv, pinsker, relative(tv)),
            at_most(f"TV <= sqrt(1 - exp(-{name}))", tv, bretagnolle, relative(tv)),
        ]
    return tuple(relations)


def cones(rng: np.random.Generator, atoms: Float64Array) -> tuple[Float64Array, float]:
    """Values at ``atoms`` of a random sum of cones, f(x) = sum_k c_k |x - z_k|, and sum |c_k|."""
    centres = rng.normal(size=(int(rng.integers(1, 5)), atoms.shape[1])) * 2.0
    heights = rng.normal(size=len(centres))
    return cross_distances(atoms, centres) @ heights, float(np.abs(heights).sum())


def check_weak(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """W1 bounds every Lipschitz test function; discretised and shrinking laws converge in W1."""
    p, q = random_measures(rng)
    value = distance(p, q)
    f_p, constant = cones(rng, np.concatenate([p.points, q.points]))
    weights = np.concatenate([p.weights, -q.weights])
    gap = abs(math.fsum(weights * f_p))
    rounding = relative(float(np.abs(f_p).max()))
    mesh = 2.0 ** -float(index % 12)
    points = p.points
    if index % 2:  # midway between the mesh's points, where rounding moves the farthest
        points = (np.round(points / mesh) + 0.5) * mesh
    rounded = np.floor(points / mesh + 0.5) * mesh
    near = distance(Discrete(points, p.weights), Discrete(rounded, p.weights))
    n = index + 1
    shrinking, origin = Discrete([1.0 / n]), Discrete([0.0])
    point = diracs(rng)
    return (
        *_prokhorov(p, q, value),
        at_most("|E_P f - E_Q f| <= Lip(f) W", gap, constant * value.value,
                constant * value.error + rounding),
        at_most("W(P, P rounded to mesh h) <= h sqrt(d)/2", near.value,
                mesh * math.sqrt(p.dimension) / 2, near.error),
        equal("W(delta_1/n, delta_0) = 1/n", distance(shrinking, origin).value, 1 / n, ULP / n),
        equal("TV(delta_1/n, delta_0) = 1", total_variation(shrinking, origin), 1.0),
        equal("W(delta_x, delta_y) = |x - y|", distance(*point.measures).value,
              point.wasserstein1, 4 * ULP * point.wasserstein1),
    )  # fmt: skip


def prokhorov(p: Discrete, q: Discrete) -> float:
    r"""Prokhorov's distance, by Strassen: the least e such that a coupling has P(d > e) <= e.

    The least P(d > e) over couplings is a transport problem of cost 0 and 1, constant between two
    distances that occur and falling in e: bisection over the distances.
    """
    apart = cross_distances(p.points, q.points)
    levels = np.concatenate([[0.0], np.unique(apart)])

    def far(k: int) -> float:
        cost = (apart > levels[k]).astype(float)
        result = optimal_transport(cost=cost, x_weights=p.weights, y_weights=q.weights)
        return max(float(result.value), 0.0)

    low, high = 0, len(levels) - 1  # far(high) = 0 <= levels[high]
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if far(middle) <= levels[middle] else (middle + 1, high)
    return min(float(levels[high]), far(high - 1)) if high else 0.0


def _prokhorov(p: Discrete, q: Discrete, value: Distance) -> tuple[Relation, ...]:
    rho = prokhorov(p, q)
    diameter = float(cross_distances(*[np.concatenate([p.points, q.points])] * 2).max())
    bound = (diameter + 1.0) * rho
    return (
        at_most("rho^2 <= W", rho * rho, value.value, value.error + 64 * ULP * (rho + bound)),
        at_most("W <= (diam + 1) rho", value.value, bound, value.error + 64 * ULP * (1.0 + bound)),
    )


def check_tv_w(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """W1 between its two multiples of TV on a finite space; equality under the discrete metric."""
    space = finite_space(rng, RELATIONS[index % len(RELATIONS)])
    p, q = space.pair.p, space.pair.q
    tv = float(total_variation(p, q))
    value = distance(Discrete(space.points, p), Discrete(space.points, q))
    discrete = optimal_transport(cost=1.0 - np.eye(p.size), x_weights=p, y_weights=q)
    rounding = max(float(discrete.gap), 0.0) + 4 * ULP * p.size
    return (
        at_most("d_min TV <= W", space.separation * tv, value.value, value.error),
        at_most("W <= diam TV", value.value, space.diameter * tv, value.error),
        equal("W = TV under the discrete metric", discrete.value, tv, rounding),
        *_two_points(space, tv),
    )


def _two_points(space: FiniteSpace, tv: float) -> tuple[Relation, ...]:
    """On two points both multiples are the same number: W = |x_1 - x_2| TV."""
    points = space.points[:2]
    apart = float(norm(points[0] - points[1]))
    p, q = np.array([tv, 1.0 - tv]), np.array([0.0, 1.0])
    value = distance(Discrete(points, p), Discrete(points, q))
    bound = apart * float(total_variation(p, q))
    return (equal("W = |x - y| TV on two points", value.value, bound, value.error),)


def _squared(relation: Relation) -> Relation:
    return replace(relation, rhs=relation.rhs**2)


def _twice_lhs(relation: Relation) -> Relation:
    return replace(relation, lhs=2.0 * relation.lhs)


def _light_and_far(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Mass 1/n at n: the laws converge in distribution, and W is 1 for all n."""
    _ = index
    n = float(rng.integers(10, 1000))
    law, origin = Discrete([0.0, n], [1.0 - 1.0 / n, 1.0 / n]), Discrete([0.0])
    rho = prokhorov(law, origin)
    return (at_most("W <= 2 rho", distance(law, origin).value, 2.0 * rho),)


def _escaping_mass(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Mass 1/n at n^2: no multiple of TV bounds W."""
    _ = index
    n = float(rng.integers(10, 1000))
    law, origin = Discrete([0.0, n * n], [1.0 - 1.0 / n, 1.0 / n]), Discrete([0.0])
    bound = 10.0 * float(total_variation(law, origin))
    return (at_most("W <= 10 TV", distance(law, origin).value, bound),)


CLAIMS = (
    Claim(
        id="theorem_2_1",
        title="TV and JS are equally strong",
        statement=r"\delta(P_n, P) \to 0 \iff JS(P_n, P) \to 0",
        summary="TV^2/2 <= log 2 - h((1-TV)/2) <= JS <= TV log 2",
        inequality=r"\tfrac12 TV^2 \le \log 2 - h\bigl(\tfrac{1 - TV}{2}\bigr) \le JS "
        r"\le TV \log 2, "
        r"\quad H^2 \log 2 \le JS \le H^2 = \tfrac12 \sum (\sqrt p - \sqrt q)^2",
        source="section 2, Theorem 2 (1); Lin 1991; Topsoe 2000",
        hypotheses=(),
        cases=1000,
        check=check_tv_js,
        domain="probability vectors of 2 to 12 entries in eight relations",
        false_variants=(
            rewritten("TV^2 <= JS", check_tv_js, "TV^2/2 <= JS", _twice_lhs),
            rewritten("JS <= TV^2 log 2", check_tv_js, "JS <= TV log 2", _squared),
            rewritten("the curve is an upper bound", check_tv_js, "log 2 - h", reversed_),
            rewritten("JS <= H^2 log 2", check_tv_js, "JS <= H^2", times(LOG_2)),
        ),
    ),
    Claim(
        id="theorem_2_2",
        title="W1 metrises weak convergence",
        statement=r"W(P_n, P) \to 0 \iff P_n \to P \text{ in distribution}",
        summary="|E_P f - E_Q f| <= Lip(f) W, f any test function",
        inequality=r"|E_P f - E_Q f| \le \operatorname{Lip}(f)\, W(P, Q); \quad "
        r"W(P, \text{P rounded to mesh } h) \le \tfrac12 h \sqrt d",
        source="section 2, Theorem 2 (2)",
        hypotheses=("X compact for the converse: see counterexample_5",),
        cases=100,
        check=check_weak,
        domain="laws of up to 10 atoms in R^1 to R^5; f a random sum of cones",
        false_variants=(
            rewritten("half of Lip(f) W bounds |E_P f - E_Q f|", check_weak, "|E_P f", times(0.5)),
            rewritten("W <= rho^2", check_weak, "rho^2 <= W", reversed_),
            rewritten("W <= (diam + 1) rho / 2", check_weak, "W <= (diam", times(0.5)),
            FalseVariant("W <= 2 rho whatever the diameter, on the whole line", _light_and_far),
            rewritten("W -> 0 forces TV -> 0", check_weak, "TV(delta_1/n", value(0.0)),
        ),
    ),
    Claim(
        id="theorem_2_3",
        title="KL is stronger than TV",
        statement=r"KL(P_n, P) \to 0 \text{ or } KL(P, P_n) \to 0 \implies \delta(P_n, P) \to 0",
        summary="TV <= sqrt(KL/2), sqrt(1 - exp(-KL)); both orders",
        inequality=r"TV \le \sqrt{KL/2}, \quad TV \le \sqrt{1 - e^{-KL}}",
        source="section 2, Theorem 2 (3); Pinsker; Bretagnolle and Huber 1979",
        hypotheses=(),
        cases=1000,
        check=check_kl_tv,
        domain="probability vectors of 2 to 12 entries in eight relations",
        false_variants=(
            rewritten(
                "TV <= sqrt(KL)/2", check_kl_tv, "TV <= sqrt(KL(P,Q)/2)", times(math.sqrt(0.5))
            ),
            rewritten("TV <= 1 - exp(-KL)", check_kl_tv, "TV <= sqrt(1 - exp(-KL(P", _squared),
            rewritten(
                "KL is bounded by TV: KL <= 2 TV^2", check_kl_tv, "TV <= sqrt(KL(Q,P)/2)", reversed_
            ),
        ),
    ),
    Claim(
        id="theorem_2_4",
        title="TV is stronger than W1 on a compact space",
        statement=r"\delta(P_n, P) \to 0 \implies W(P_n, P) \to 0",
        summary="d_min TV <= W <= diam TV; W = TV if all d = 1",
        inequality=r"\min_{x \ne y} d(x, y)\, TV \le W \le \operatorname{diam}(X)\, TV",
        source="section 2, Theorem 2 (4)",
        hypotheses=("X compact: see counterexample_5",),
        cases=100,
        check=check_tv_w,
        domain="finite metric spaces of 2 to 12 points in R^1 to R^4",
        false_variants=(
            rewritten("W <= diam TV / 2", check_tv_w, "W <= diam", times(0.5)),
            rewritten("2 d_min TV <= W", check_tv_w, "d_min", _twice_lhs),
            FalseVariant("TV -> 0 forces W -> 0 on the whole line", _escaping_mass),
        ),
    ),
)
