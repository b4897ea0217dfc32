r"""Where a converse fails or a hypothesis is needed: the order KL, TV = JS, W1 is strict."""

import math
from dataclasses import replace

import numpy as np

from .. import (
    Discrete,
    Uniform,
    js_distance,
    js_divergence,
    kl_divergence,
    total_variation,
    wasserstein1,
)
from .._typing import Float64Array
from ..problems import vector_pair
from ._claim import ULP, Check, Claim, FalseVariant, Relation, at_most, equal
from ._variants import reversed_, rewritten, times, value

LOG_2 = math.log(2.0)


def _relative(value: float, ulps: int = 16) -> float:
    return ulps * ULP * abs(value)


def check_1(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """delta_{1/n} -> delta_0 in W1 and in nothing else."""
    n = index + 1 if index < 20 else int(rng.integers(1, 10**9))
    p, q = Discrete([1.0 / n]), Discrete([0.0])
    return (
        equal("W = 1/n", wasserstein1(p, q), 1.0 / n, 4 * np.spacing(1.0 / n)),
        equal("TV = 1", total_variation(p, q), 1.0),
        equal("JS = log 2", js_divergence(p, q), LOG_2, float(np.spacing(LOG_2))),
        equal("KL(P_n, P) = inf", kl_divergence(p, q), math.inf),
        equal("KL(P, P_n) = inf", kl_divergence(q, p), math.inf),
    )


def _wave(n: int, cells: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Centres and masses of the density 1 + sin(2 pi n x) and of the uniform one, in cells."""
    # One period's masses, repeated: 2 sin(w (k + 1/2)) sin(w/2) / (2 pi), free of cancellation.
    angle = 2 * math.pi / cells
    middle = angle * (np.arange(cells) + 0.5)
    period = (angle + 2 * np.sin(middle) * math.sin(angle / 2)) / (2 * math.pi * n)
    masses = np.tile(period, n)
    count = masses.size
    return (np.arange(count) + 0.5) / count, masses / masses.sum(), np.full(count, 1.0 / count)


def wave_logarithms(s: float, cells: int) -> tuple[float, float]:
    r"""Means of log(1 + s sin t) and of sin t log(1 + s sin t) over cells, t = (k + 1/2) 2 pi/N.

    With s = 2 r/(1 + r^2) and N divisible by 4, the product of 1 + r e^{i phi} over N equally
    spaced phi and the Fourier series of log(1 + r^2 + 2 r cos phi), of which the means see only
    the frequencies that are multiples of N, give

    .. math:: S_0 = \frac{2}{N} \log(1 + r^N) - \log(1 + r^2), \qquad
              S_1 = r + \sum_{j \ge 1} (-1)^j
              \Bigl(\frac{r^{jN+1}}{jN+1} + \frac{r^{jN-1}}{jN-1}\Bigr).
    """
    r = s / (1 + math.sqrt(1 - s * s))
    terms = [r]
    for j in range(1, 40):
        n = j * cells
        terms.append((-1) ** j * (r ** (n + 1) / (n + 1) + r ** (n - 1) / (n - 1)))
    return 2 / cells * math.log1p(r**cells) - math.log1p(r * r), math.fsum(terms)


def wave_on_cells(cells: int) -> tuple[float, float, float]:
    """KL(P_n, U), KL(U, P_n) and JS of the masses on ``cells`` cells a period, for every n."""
    angle = 2 * math.pi / cells
    s = math.sin(angle / 2) / (angle / 2)  # the masses are 1 + s sin t, divided by their number
    (zero, first), (zero_half, first_half) = (
        wave_logarithms(s, cells),
        wave_logarithms(s / 2, cells),
    )
    forward = zero + s * first
    js = (forward - (zero_half + s * first_half) - zero_half) / 2
    return forward, -zero, js


def check_2(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    r"""Absolutely continuous laws that oscillate: W1 -> 0, nothing else moves.

    The divergences of the cell masses are known in closed form, at most those of the densities
    (data processing), and short of them by at most w (1/sqrt(12) + log(2)/pi), w = 2 pi/N: with
    1 - s^2 <= w^2/12, log 2 - log(1 + r^2) <= (1 - r^2)/(1 + r^2) = sqrt(1 - s^2), and r^N <= 1.
    W and TV lose nothing: F - G is a constant and one cosine, |sin| sums to 1/sin(w/2).
    """
    n = index + 1 if index < 8 else int(rng.integers(1, 41))
    cells = 2000 if index < 8 else 4 * int(rng.integers(10, 501))
    centres, p, u = _wave(n, cells)
    forward, backward, mixed = wave_on_cells(cells)
    root = math.sqrt(0.75)
    js = (1 - LOG_2) / 2 - (math.log((1 + root) / 2) + 1 - root)
    distance = float(wasserstein1(centres, centres, p, u))
    lost = 2 * math.pi / cells * (1 / math.sqrt(12) + LOG_2 / math.pi)
    relations = [
        equal("W = 1/(2 pi n)", distance, 1 / (2 * math.pi * n), 1e-13),
        equal("TV = 1/pi", total_variation(p, u), 1 / math.pi, 1e-13),
    ]
    for name, found, exact, limit in (
        ("KL(P_n, U) = 1 - log 2", kl_divergence(p, u), forward, 1 - LOG_2),
        ("KL(U, P_n) = log 2", kl_divergence(u, p), backward, LOG_2),
        ("JS = .0887882777", js_divergence(p, u), mixed, js),
    ):
        relations += [
            equal(f"{name}, less what cells lose", float(found), exact, 1e-12),
            at_most(f"{name} at most, on cells", float(found), limit, 1e-13),
            at_most(f"{name}, up to what cells lose", limit, float(found) + lost, 1e-13),
        ]
    return tuple(relations)


def check_3(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """TV -> 0 with one KL infinite and the other vanishing."""
    n = index + 2 if index < 20 else int(rng.integers(2, 10**9))
    p, q = np.array([1.0 - 1.0 / n, 1.0 / n]), np.array([1.0, 0.0])
    expected = -math.log1p(-1.0 / n)
    return (
        equal("TV = 1/n", total_variation(p, q), 1.0 / n, 2 * ULP),
        equal("KL(P_n, P) = inf", kl_divergence(p, q), math.inf),
        equal("KL(P, P_n) = -log(1 - 1/n)", kl_divergence(q, p), expected, 4 * ULP),
    )


def check_4(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """TV -> 0 with one KL finite and unbounded."""
    _ = index
    e = float(rng.uniform(0.04, 0.5))
    tiny = math.exp(-1 / e**2)
    p, q = np.array([1.0 - e, e]), np.array([1.0 - tiny, tiny])
    large, small = float(kl_divergence(p, q)), float(kl_divergence(q, p))
    entropy = -e * math.log(e) - (1 - e) * math.log1p(-e)
    # KL(P, Q) = 1/e - h(e) - (1 - e) log(1 - tiny)
    expected = 1 / e - entropy - (1 - e) * math.log1p(-tiny)
    return (
        at_most("TV <= e", total_variation(p, q), e, _relative(e)),
        equal("KL(P, Q) = 1/e - h(e) + ...", large, expected, _relative(large, 64)),
        at_most("1/e - log 2 <= KL(P, Q)", 1 / e - LOG_2, large, _relative(large)),
        at_most("KL(Q, P) <= -log(1 - e)", small, -math.log1p(-e), _relative(small)),
    )


def check_5(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Without compactness TV -> 0 does not bound W1, nor does weak convergence."""
    n = float(index + 2) if index < 20 else float(rng.integers(2, 10**6))
    origin = Discrete([0.0])
    masses = np.array([1.0 - 1.0 / n, 1.0 / n])
    far, near = Discrete([0.0, n * n], masses), Discrete([0.0, n], masses)
    return (
        equal("TV = 1/n", total_variation(far, origin), 1.0 / n, 2 * ULP),
        equal("mass 1/n at n^2: W = n", wasserstein1(far, origin), n, _relative(n)),
        equal("mass 1/n at n: W = 1", wasserstein1(near, origin), 1.0, _relative(1.0)),
    )


def check_6(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """U[1/n, 1 + 1/n] against U[0, 1], both constant on cells of length 1/n."""
    n = index + 1 if index < 20 else int(rng.integers(1, 2000))
    level = np.full(n, 1.0 / n)
    p, q = np.concatenate([[0.0], level]), np.concatenate([level, [0.0]])
    shifted, uniform = Uniform(1.0 / n, 1.0 + 1.0 / n), Uniform(0.0, 1.0)
    return (
        equal("TV = 1/n", total_variation(p, q), 1.0 / n, 4 * ULP),
        equal("KL(P_n, P) = inf", kl_divergence(p, q), math.inf),
        equal("KL(P, P_n) = inf", kl_divergence(q, p), math.inf),
        equal("families: TV = 1/n", total_variation(shifted, uniform), 1.0 / n, 4 * ULP),
        equal("families: KL(P_n, P) = inf", kl_divergence(shifted, uniform), math.inf),
        equal("families: W = 1/n", wasserstein1(shifted, uniform), 1.0 / n, 4 * ULP),
    )


def check_7(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The triangle inequality: false for JS on three points, true for its root on all."""
    _ = index
    left, middle, right = np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([0.0, 1.0])
    direct = float(js_divergence(left, right))
    detour = float(js_divergence(left, middle)) + float(js_divergence(middle, right))
    pair = vector_pair(rng)
    third = rng.dirichlet(np.ones(pair.p.size))
    first, second = float(js_distance(pair.p, third)), float(js_distance(third, pair.q))
    whole = float(js_distance(pair.p, pair.q))
    return (
        at_most("JS(P,Q) exceeds JS(P,M) + JS(M,Q) by .2616", 0.2616, direct - detour),
        at_most("sqrt JS: d(P,Q) <= d(P,M) + d(M,Q)", whole, first + second, _relative(whole)),
    )


def _squared(relation: Relation) -> Relation:
    return replace(relation, rhs=relation.rhs**2)


def _no_excess(relation: Relation) -> Relation:
    return at_most(relation.name, relation.rhs, 0.0)


def _steeper_root(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The power 1/2 is the largest: three neighbouring points of the segment show it."""
    _ = index
    e = 10.0 ** rng.uniform(-3, -1)
    points = [np.array([0.5 + k * e, 0.5 - k * e]) for k in (-1.0, 0.0, 1.0)]
    pairs = ((0, 2), (0, 1), (1, 2))
    whole, first, second = (float(js_divergence(points[i], points[j])) ** 0.75 for i, j in pairs)
    return (at_most("JS^(3/4): d(P,Q) <= d(P,M) + d(M,Q)", whole, first + second),)


def _claim(
    number: int,
    title: str,
    summary: str,
    inequality: str,
    check: Check,
    cases: int,
    domain: str,
    *false: FalseVariant,
) -> Claim:
    return Claim(
        id=f"counterexample_{number}",
        title=title,
        statement=_STATEMENTS[number],
        summary=summary,
        inequality=inequality,
        source="beside section 2, Theorem 2",
        hypotheses=(),
        cases=cases,
        check=check,
        domain=domain,
        false_variants=false,
    )


_STATEMENTS = {
    1: r"W(P_n, P) \to 0 \text{ without } \delta(P_n, P) \to 0",
    2: r"W(P_n, P) \to 0 \text{ without } \delta(P_n, P) \to 0, "
    r"\quad P_n, P \text{ with densities}",
    3: r"\delta(P_n, P) \to 0 \text{ and } KL(P, P_n) \to 0 \text{ without } KL(P_n, P) \to 0",
    4: r"\delta \to 0 \text{ without } KL \to 0, \quad KL \text{ finite}",
    5: r"\delta(P_n, P) \to 0 \text{ without } W(P_n, P) \to 0 \text{ on the whole line}",
    6: r"\delta(P_n, P) \to 0 \text{ with both } KL \text{ infinite}",
    7: r"JS \text{ is not a metric}",
}

CLAIMS = (
    _claim(1, "Point masses", "delta_1/n: W = 1/n, TV = 1, JS = log 2, KL = inf",
           r"W(\delta_{1/n}, \delta_0) = 1/n, \quad TV = 1, \quad JS = \log 2, "
           r"\quad KL = \infty",
           check_1, 1000, "n = 1, ..., 20, then up to 1e9",
           rewritten("TV falls with W", check_1, "TV = 1", value(0.5)),
           rewritten("W does not fall", check_1, "W = 1/n", value(1.0))),
    _claim(2, "Oscillating densities", "1 + sin(2 pi n x): W = 1/(2 pi n), TV = 1/pi",
           r"dP_n = (1 + \sin 2 \pi n x)\, dx: \quad W(P_n, U) = \frac{1}{2 \pi n}, "
           r"\quad TV = \frac{1}{\pi}, \quad KL(P_n, U) = 1 - \log 2, "
           r"\quad KL(U, P_n) = \log 2, \quad JS = .0887882777",
           check_2, 50, "40 to 2000 cells a period; n = 1, ..., 8, then up to 40",
           rewritten("W = 1/n", check_2, "W = 1/(2 pi n)", times(2 * math.pi)),
           rewritten("KL is symmetric", check_2, "KL(P_n, U)", value(LOG_2))),
    _claim(3, "A vanishing atom", "TV = 1/n -> 0, one KL = inf, the other -> 0",
           r"P_n = (1 - \frac{1}{n}) \delta_0 + \frac{1}{n} \delta_1: \quad TV = \frac{1}{n}, "
           r"\quad KL(P_n, \delta_0) = \infty, \quad KL(\delta_0, P_n) = -\log(1 - \frac{1}{n})",
           check_3, 1000, "n = 2, ..., 21, then up to 1e9",
           rewritten("both KL vanish", check_3, "KL(P_n, P)", value(0.0)),
           rewritten("KL(P, P_n) = 1/n^2", check_3, "KL(P, P_n)", _squared)),
    _claim(4, "A finite, unbounded KL", "TV -> 0 while KL(P,Q) ~ 1/e is finite",
           r"P = (1 - e, e), \quad Q = (1 - e^{-1/e^2}, e^{-1/e^2}): \quad TV \le e, "
           r"\quad KL(P, Q) \ge 1/e - \log 2, \quad KL(Q, P) \le -\log(1 - e)",
           check_4, 1000, "e from .04 to .5",
           rewritten("KL(P, Q) <= 1/e - log 2", check_4, "1/e - log 2", reversed_),
           rewritten("TV <= e^2", check_4, "TV <= e", _squared)),
    _claim(5, "Compactness is needed", "mass 1/n at n^2: TV = 1/n -> 0, W = n",
           r"P_n = (1 - \frac{1}{n}) \delta_0 + \frac{1}{n} \delta_{n^2}: \quad "
           r"TV = \frac{1}{n}, \quad W = n; \quad "
           r"(1 - \frac{1}{n}) \delta_0 + \frac{1}{n} \delta_n: \quad W = 1",
           check_5, 1000, "n = 2, ..., 21, then up to 1e6",
           rewritten("W = TV", check_5, "mass 1/n at n^2", lambda r: value(1.0 / r.rhs)(r)),
           rewritten("weak convergence brings W to 0", check_5, "mass 1/n at n:", value(0.0))),
    _claim(6, "Shifted uniform laws", "U[1/n, 1+1/n]: TV = 1/n -> 0, both KL = inf",
           r"TV(U[\frac{1}{n}, 1 + \frac{1}{n}], U[0, 1]) = \frac{1}{n}, "
           r"\quad KL = \infty \text{ both ways}",
           check_6, 1000, "n = 1, ..., 20, then up to 2000; as cells and as families",
           rewritten("one KL is finite", check_6, "KL(P, P_n)", value(1.0)),
           rewritten("TV = 1/n^2", check_6, "TV = 1/n", _squared)),
    _claim(7, "JS is not a metric", "JS breaks the triangle inequality, its root not",
           r"JS(P, Q) > JS(P, M) + JS(M, Q) \text{ for } (1, 0), (\frac{1}{2}, \frac{1}{2}), "
           r"(0, 1); \quad \sqrt{JS} \text{ is a metric}",
           check_7, 1000, "the three points; random triples of vectors of 2 to 12 entries",
           rewritten("JS has the triangle inequality", check_7, "JS(P,Q) exceeds", _no_excess),
           FalseVariant("JS^(3/4) has the triangle inequality", _steeper_root)),
)  # fmt: skip
