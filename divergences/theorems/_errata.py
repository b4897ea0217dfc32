r"""What has been found wrong in the paper: each as the paper has it, and as it holds."""

import math

import numpy as np

from .. import (
    Discrete,
    js_distance,
    js_divergence,
    kl_divergence,
    maximum_mean_discrepancy,
    optimal_transport,
    total_variation,
    wasserstein1,
)
from ..problems import RELATIONS, parallel_lines, random_measures, vector_pair
from ._bumps import flat_bump, logarithmic_mass, tall_bump
from ._claim import ULP, Check, Claim, FalseVariant, Relation, at_most, equal
from ._distances import distance, norm
from ._variants import reversed_, rewritten, times, value

LOG_2 = math.log(2.0)


def check_1(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """JS without its 1/2 is twice the JS that the rest of the paper uses."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    middle = pair.p + 0.5 * (pair.q - pair.p)
    middle = middle / middle.sum()
    written = float(kl_divergence(pair.p, middle)) + float(kl_divergence(pair.q, middle))
    used = float(js_divergence(pair.p, pair.q))
    p, q = parallel_lines(rng, 10.0 ** rng.uniform(-8, 2)).measures
    # the middle law is rounded: each of its entries to ULP, which moves KL by as much
    return (
        equal("KL(P,M) + KL(Q,M) = 2 JS", written, 2.0 * used, 64 * ULP),
        equal("Example 1: JS = log 2", js_divergence(p, q), LOG_2, float(np.spacing(LOG_2))),
        at_most("the JS in use is at most log 2", used, LOG_2),
    )


def check_2(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The supremum over |f| <= 1 is twice the supremum over events."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    difference = pair.p - pair.q
    functions = math.fsum(np.abs(difference))
    events = math.fsum(difference[difference > 0])
    tv, rounding = float(total_variation(pair.p, pair.q)), 4 * ULP * difference.size
    return (
        equal("sup over events = TV", events, tv, rounding),
        equal("sup over |f| <= 1 = 2 TV", functions, 2.0 * tv, rounding),
        at_most("TV <= 1", tv, 1.0),
    )


def check_3(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The ball of an RKHS is not that of the sup norm; L2's holds it, and has no evaluation."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    difference = pair.p - pair.q
    # In L2(m), m uniform on K points, the unit ball's supremum is sqrt(K) |p - q|_2.
    square = math.sqrt(difference.size * math.fsum(difference**2))
    two_tv = 2.0 * float(total_variation(pair.p, pair.q))
    n = 10.0 ** rng.uniform(1, 6)
    points = Discrete([1.0 / n]), Discrete([0.0])
    mmd = float(maximum_mean_discrepancy(*points, bandwidth=1.0))
    cells = int(rng.integers(2, 1000))
    spike = np.zeros(cells)
    spike[0] = math.sqrt(cells)  # on [0, 1/K]
    return (
        at_most("2 TV <= sup over the unit ball of L2(m)", two_tv, square, 16 * ULP),
        at_most("delta_1/n: MMD <= 1/n", mmd, 1.0 / n, math.sqrt(64 * ULP)),
        equal("delta_1/n: sup over |f| <= 1 is 2", 2.0 * float(total_variation(*points)), 2.0),
        equal("f = sqrt(K) on [0, 1/K]: norm 1 in L2", float(norm(spike)) / math.sqrt(cells), 1.0,
              8 * ULP),
        equal("f = sqrt(K) on [0, 1/K]: f(0) = sqrt(K)", spike[0] ** 2, float(cells),
              4 * ULP * cells),
    )  # fmt: skip


def check_4(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A continuous generator with a discontinuous W; cut off at a height, W is continuous."""
    t = 10.0 ** -(1.0 + index % 12) * rng.uniform(0.1, 1.0)
    z, cap = rng.uniform(t, 1.0), 10.0 ** rng.uniform(0, 1)
    origin = Discrete([0.0])
    at_z = 2.0 * math.sin(math.pi * z / t) ** 2 / t if z < t else 0.0
    return (
        equal("g_t(z) = g_0(z) once t <= z", at_z, 0.0),
        equal("W(P_t, P_0) = 1 for t > 0", wasserstein1(tall_bump(t), origin), 1.0, 256 * ULP),
        at_most("X = [0, b]: W(P_t, P_0) <= b t", wasserstein1(tall_bump(t, cap=cap), origin),
                cap * t, 64 * ULP * cap * t),
    )  # fmt: skip


def check_5(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The optimal critic of samples has a cone's apex at every y: a kink where it is needed."""
    _ = index
    p, q = random_measures(rng)
    result = optimal_transport(p, q)
    y, v = q.points, np.asarray(result.potential_y)
    unit = rng.normal(size=p.dimension)
    unit /= norm(unit)
    j = int(rng.integers(len(q)))
    others = np.delete(norm(y - y[j]) - v, j)
    room = float(others.min() + v[j])  # how far the apex at y_j lies below the other cones
    h = 2.0**-20

    def critic(z: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return float((norm(z - y) - v).min())

    up, down = critic(y[j] + h * unit) - critic(y[j]), critic(y[j] - h * unit) - critic(y[j])
    rounding = 64 * ULP * float(np.abs(v).max() + norm(y).max() + 1.0) / h
    pair = parallel_lines(rng, 10.0 ** rng.uniform(-6, 2))
    mirror = Discrete(pair.y * [-1.0, 1.0], pair.y_weights)
    theta = pair.wasserstein1
    right, left = (float(wasserstein1(pair.measures[0], law)) / theta
                   for law in (pair.measures[1], mirror))  # fmt: skip
    relations = [
        equal("Example 1 at 0: right derivative 1", right, 1.0, 8 * ULP),
        equal("Example 1 at 0: left derivative -1", -left, -1.0, 8 * ULP),
    ]
    if room > 4 * h:
        relations += [
            equal("critic at y_j: slope +1 along u", up / h, 1.0, rounding),
            equal("critic at y_j: slope +1 along -u", down / h, 1.0, rounding),
        ]
    return tuple(relations)


def check_6(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Locally constant in theta at every z, and yet W has an infinite slope at 0."""
    t = (0.1, 1e-3, 1e-6)[index] if index < 3 else 10.0 ** rng.uniform(-9, -1)
    z = rng.uniform(t, 1.0)
    at_z = math.sin(math.pi * z / t) ** 2 if z < t else 0.0
    slopes, errors = [], []
    for s in (t, t / 10.0):
        law, error = flat_bump(s)
        slopes.append(float(wasserstein1(law, Discrete([0.0]))) / s)
        errors.append(error / s)
    quarter, three = logarithmic_mass(np.array([0.25 * t, 0.75 * t]))
    least = 0.5 * float(three - quarter) / t  # sin^2 >= 1/2 on the middle half
    return (
        equal("g_t(z) = g_0(z) once t <= z", at_z, 0.0),
        at_most("P(t/4 < Z < 3t/4)/(2 t) <= W(t)/t", least, slopes[0], errors[0]),
        at_most(
            "2 W(t)/t <= W(t/10)/(t/10)", 2.0 * slopes[0], slopes[1], 2 * errors[0] + errors[1]
        ),
    )


def check_7(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """A constant loss along laws that jump; the direction that holds, for metrics."""
    _ = index
    s, t = rng.uniform(-1, 1, size=2)
    line = parallel_lines(rng, 1.0, size=5)
    laws = [Discrete(line.x + np.array([shift, 0.0]), line.x_weights) for shift in (5.0, s, t)]
    target, first, second = laws
    a, b, c = rng.dirichlet(np.ones(4), size=3)
    root = [float(js_distance(*two)) for two in ((a, b), (a, c), (b, c))]
    tv = [float(total_variation(*two)) for two in ((a, b), (a, c), (b, c))]
    w = [distance(*two) for two in ((target, first), (target, second), (first, second))]
    return (
        equal("loss: TV(P_r, P_t) = TV(P_r, P_s)", total_variation(target, second),
              total_variation(target, first)),
        equal("law: TV(P_t, P_s) = 1", total_variation(first, second), 1.0),
        at_most("TV: |d(P,P_t) - d(P,P_s)| <= d(P_t,P_s)", abs(tv[0] - tv[1]), tv[2], 8 * ULP),
        at_most("sqrt JS: |d(P,P_t) - d(P,P_s)| <= d(P_t,P_s)", abs(root[0] - root[1]), root[2],
                16 * ULP),
        at_most("W: |d(P,P_t) - d(P,P_s)| <= d(P_t,P_s)", abs(w[0].value - w[1].value),
                w[2].value, sum(each.error for each in w)),
    )  # fmt: skip


def _kl_for_a_metric(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    p, s, t = rng.dirichlet(np.ones(3), size=3)
    change = abs(float(kl_divergence(p, s)) - float(kl_divergence(p, t)))
    return (at_most("KL: |d(P,P_t) - d(P,P_s)| <= d(P_t,P_s)", change, kl_divergence(s, t)),)


def _sup_norm_discrepancy(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    _ = index
    n = 10.0 ** rng.uniform(1, 6)
    p, q = Discrete([1.0 / n]), Discrete([0.0])
    mmd = float(maximum_mean_discrepancy(p, q, bandwidth=1.0))
    return (equal("MMD = sup over |f| <= 1", mmd, 2.0 * float(total_variation(p, q)), 1e-6),)


def _erratum(
    number: int,
    title: str,
    summary: str,
    statement: str,
    inequality: str,
    explanation: str,
    source: str,
    check: Check,
    cases: int,
    domain: str,
    *false: FalseVariant,
) -> Claim:
    return Claim(
        id=f"erratum_{number}",
        title=title,
        statement=statement,
        summary=summary,
        inequality=inequality,
        source=source,
        hypotheses=(),
        cases=cases,
        check=check,
        domain=domain,
        false_variants=false,
        explanation=explanation,
    )


CLAIMS = (
    _erratum(
        1, "JS lacks its factor 1/2", "KL(P,M) + KL(Q,M) = 2 JS; Example 1: JS = log 2",
        r"JS(P, Q) = \frac{1}{2} KL(P, M) + \frac{1}{2} KL(Q, M)",
         r"KL(P, M) + KL(Q, M) = 2\, JS, \quad JS \le \log 2",
        "The paper defines JS as KL(P, M) + KL(Q, M). Its Example 1 (log 2), its '2 JS - 2 log 2' "
        "and its 'highest value log 2' all use the half of that. So does this library.",
        "section 2, the definition of JS, against Example 1 and Figure 4",
        check_1, 1000, "vectors in eight relations; parallel lines",
        rewritten("as defined there: KL + KL = JS", check_1, "KL(P,M)", times(0.5)),
        rewritten("as defined there: JS = 2 log 2 in Example 1", check_1, "Example 1",
                  value(2 * LOG_2)),
    ),
    _erratum(
        2, "Bounded functions give twice TV", "sup over |f| <= 1 is 2 TV; over events it is TV",
        r"\sup_{|f| \le 1} E_P f - E_Q f = 2\, \delta(P, Q)",
         r"\sup_A P(A) - Q(A) = TV, \quad \sup_{|f| \le 1} E_P f - E_Q f = 2\, TV",
        "Section 5 says that the functions bounded by 1 in magnitude retrieve the total variation "
        "delta. With delta as the supremum over events, which lies in [0, 1], they give 2 delta.",
        "section 5", check_2, 1000, "vectors in eight relations",
        rewritten("as written: the supremum is TV", check_2, "sup over |f|", times(0.5)),
    ),
    _erratum(
        3, "The ball of MMD", "MMD's ball is the RKHS norm's; L2's gives >= 2 TV",
        r"MMD = \sup_{\Vert f \Vert_H \le 1} E_P f - E_Q f",
         r"2\, TV \le \sup_{\Vert f \Vert_{L^2(m)} \le 1} E_P f - E_Q f; \quad "
         r"\delta_{1/n}: MMD \le \frac{1}{n}, \ \sup_{\Vert f \Vert_\infty \le 1} = 2",
        "The paper puts the sup norm of f at most 1 into the definition of MMD; it is the norm of "
        "the RKHS. L2 is no RKHS, since evaluating at a point is not continuous on it. And a class "
        "that contains all functions bounded by 1 gives at least, not at most, TV.",
        "section 5", check_3, 1000, "vectors in eight relations; n from 10 to 1e6",
        rewritten("as written: d_F <= TV", check_3, "2 TV <= sup", reversed_),
        FalseVariant("as written: MMD is the supremum over |f| <= 1", _sup_norm_discrepancy),
    ),
    _erratum(
        4, "Theorem 1 (1) needs a compact X", "g_t -> g_0 at each z, yet W(P_t, P_0) = 1",
        r"g \text{ continuous in } \theta, \ X \text{ compact} \implies W(P_r, P_\theta) "
         r"\text{ continuous}",
         r"g_t(z) = \frac{2}{t} \sin^2(\frac{\pi z}{t}) 1_{z < t}, \ Z \sim U(0, 1): \quad "
         r"W(P_t, P_0) = 1; \quad \min(g_t, b): W \le b t",
        "Without a compact X, or uniform integrability, a generator that is continuous in theta at "
        "every z may lose W: the bump of height 2/t on (0, t) has mean 1 for every t > 0 and "
        "vanishes at t = 0.",
        "section 2, Theorem 1 (1) and its proof", check_4, 1000,
        "t from 1e-13 to 0.1; 64 cells of (0, t); heights b from 1 to 10",
        rewritten("W -> 0", check_4, "W(P_t, P_0)", value(0.0)),
        rewritten("W <= b t/10 with X = [0, b]", check_4, "X = [0, b]", times(0.1)),
    ),
    _erratum(
        5, "Critics of samples have kinks at the data",
        "critic at y_j: slope +1 both ways; W'(0) = -1, 1",
        r"\nabla_\theta W = -E \nabla_\theta f(g_\theta(Z)) \text{ where both sides are defined}",
         r"f(y_j + h u) - f(y_j) = h = f(y_j - h u) - f(y_j), \quad "
         r"f(z) = \min_j \Vert z - y_j \Vert - v_j; \quad W'(0^\pm) = \pm 1",
        "With finite samples the optimal critics of Theorem 3 are not unique, and their kinks lie "
        "at the very points at which the theorem differentiates them. The gradient is taken from "
        "the plan instead: see theorem_3, whose false variants differentiate critics.",
        "section 3, Theorem 3", check_5, 60, "laws of up to 10 atoms in R^1 to R^5; parallel lines",
        rewritten("the critic is differentiable at the data", check_5,
                  "critic at y_j: slope +1 along -u",                  value(-1.0)),
        rewritten("W is differentiable at 0 in Example 1", check_5, "Example 1 at 0: left",
                  value(1.0)),
    ),
    _erratum(
        6, "Theorem 1 (2) needs one constant", "L(0, z) = 0 for all z, yet (W(t) - W(0))/t -> inf",
        r"|W(t) - W(s)| \le E L(Z) \Vert t - s \Vert, \quad L(Z) \text{ valid on all of } [s, t]",
         r"g_t(z) = \sin^2(\frac{\pi z}{t}) 1_{z < t}, \quad P(Z < t) = \frac{1}{1 + \log(1/t)}: "
         r"\quad \frac{W(t)}{t} \ge \frac{P(t/4 < Z < 3t/4)}{2 t} \to \infty",
        "The paper's local Lipschitz constant may be valid on a neighbourhood that depends on z. "
        "Then even on a compact X the difference quotient of W is unbounded. Corollary 1 survives: "
        "networks have one constant for a whole neighbourhood.",
        "section 2, Theorem 1 (2) and its proof", check_6, 60,
        "t from 1e-9 to 0.1; 2000 cells of (0, t)",
        rewritten("the slope of W at 0 stays bounded", check_6, "2 W(t)/t", reversed_),
    ),
    _erratum(
        7, "Continuous losses do not make continuous laws",
        "TV(P_r, P_t) = 1 constantly while P_t jumps",
        r"\theta \mapsto P_\theta \text{ continuous} \implies "
         r"\theta \mapsto d(P_r, P_\theta) \text{ continuous}, \quad d \text{ a metric}",
         r"|d(P, P_t) - d(P, P_s)| \le d(P_t, P_s); \quad P_r = P_5: \ TV(P_r, P_t) = 1, \ "
         r"TV(P_t, P_s) = 1 \text{ for } s \ne t",
        "The paper says that a continuous loss is equivalent to a continuous map theta -> P_theta. "
        "Only the forward direction holds, and only for a metric: the parallel line at 5 is at "
        "total variation 1 from all lines in (-1, 1), which are as far from each other.",
        "section 2, before the definitions", check_7, 1000,
        "lines of five atoms at s, t in (-1, 1) and 5; triples of vectors",
        rewritten("a constant loss makes the laws equal", check_7, "law: TV", value(0.0)),
        FalseVariant("the forward direction holds for KL", _kl_for_a_metric),
    ),
)  # fmt: skip
