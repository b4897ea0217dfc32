r"""Where a converse fails or a hypothesis is needed: the order KL, TV = JS, W1 is strict."""

import math

import numpy as np

from .. import Discrete, js_distance, js_divergence, kl_divergence, total_variation, wasserstein1
from .._typing import Float64Array
from ..problems import vector_pair
from ._claim import ULP, Check, Claim, Relation, at_most, equal

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


CELLS_PER_PERIOD = 2000


def _wave(n: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Centres and masses of the density 1 + sin(2 pi n x) and of the uniform one, in cells."""
    # One period's masses, repeated: 2 sin(w (k + 1/2)) sin(w/2) / (2 pi), free of cancellation.
    angle = 2 * math.pi / CELLS_PER_PERIOD
    middle = angle * (np.arange(CELLS_PER_PERIOD) + 0.5)
    period = (angle + 2 * np.sin(middle) * math.sin(angle / 2)) / (2 * math.pi * n)
    masses = np.tile(period, n)
    cells = masses.size
    return (np.arange(cells) + 0.5) / cells, masses / masses.sum(), np.full(cells, 1.0 / cells)


def check_2(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """Absolutely continuous laws that oscillate: W1 -> 0, nothing else moves."""
    _ = rng
    n = index + 1
    centres, p, u = _wave(n)
    angle = 2 * math.pi / CELLS_PER_PERIOD
    # Within a cell the density changes by at most `angle`, and divergences lose its square to the
    # cells; but log p has a pole at the density's zero, whose two cells lose a part of their mass.
    # W loses nothing: the trapezoidal rule is exact for F - G, a constant and one cosine.
    lost, lost_at_pole = 4 * angle**2, angle
    root = math.sqrt(0.75)
    js = (1 - LOG_2) / 2 - (math.log((1 + root) / 2) + 1 - root)
    distance = float(wasserstein1(centres, centres, p, u))
    return (
        equal("W = 1/(2 pi n)", distance, 1 / (2 * math.pi * n), 1e-13),
        equal("TV = 1/pi", total_variation(p, u), 1 / math.pi, 1e-13),
        equal("KL(P_n, U) = 1 - log 2", kl_divergence(p, u), 1 - LOG_2, lost),
        equal("KL(U, P_n) = log 2", kl_divergence(u, p), LOG_2, lost_at_pole),
        equal("JS = .0887882777", js_divergence(p, u), js, lost),
    )


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
    return (
        equal("TV = 1/n", total_variation(p, q), 1.0 / n, 4 * ULP),
        equal("KL(P_n, P) = inf", kl_divergence(p, q), math.inf),
        equal("KL(P, P_n) = inf", kl_divergence(q, p), math.inf),
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


def _claim(
    number: int, title: str, summary: str, inequality: str, check: Check, cases: int
) -> Claim:
    return Claim(
        id=f"counterexample_{number}",
        title=title,
        statement=inequality,
        summary=summary,
        inequality=inequality,
        source="beside section 2, Theorem 2",
        hypotheses=(),
        cases=cases,
        check=check,
    )


CLAIMS = (
    _claim(1, "Point masses", "delta_1/n: W = 1/n, TV = 1, JS = log 2, KL = inf",
           r"W(\delta_{1/n}, \delta_0) = 1/n, \ TV = 1, \ JS = \log 2, \ KL = \infty",
           check_1, 40),
    _claim(2, "Oscillating densities", "1 + sin(2 pi n x): W = 1/(2 pi n), TV = 1/pi",
           r"W(P_n, U) = \tfrac{1}{2 \pi n}, \ TV = \tfrac1\pi, \ KL(P_n, U) = 1 - \log 2, "
           r"\ KL(U, P_n) = \log 2, \quad dP_n = (1 + \sin 2 \pi n x)\, dx",
           check_2, 6),
    _claim(3, "A vanishing atom", "TV = 1/n -> 0, one KL = inf, the other -> 0",
           r"P_n = (1 - \tfrac1n) \delta_0 + \tfrac1n \delta_1: \ TV = \tfrac1n, "
           r"\ KL(P_n, \delta_0) = \infty, \ KL(\delta_0, P_n) \to 0",
           check_3, 40),
    _claim(4, "A finite, unbounded KL", "TV -> 0 while KL(P,Q) ~ 1/e is finite",
           r"P = (1 - e, e),\ Q = (1 - e^{-1/e^2}, e^{-1/e^2}): \ TV \le e, "
           r"\ KL(P, Q) \ge 1/e - \log 2, \ KL(Q, P) \to 0",
           check_4, 40),
    _claim(5, "Compactness is needed", "mass 1/n at n^2: TV = 1/n -> 0, W = n",
           r"P_n = (1 - \tfrac1n) \delta_0 + \tfrac1n \delta_{n^2}: \ TV = \tfrac1n, \ W = n",
           check_5, 40),
    _claim(6, "Shifted uniform laws", "U[1/n, 1+1/n]: TV = 1/n -> 0, both KL = inf",
           r"TV(U[\tfrac1n, 1 + \tfrac1n], U[0, 1]) = \tfrac1n, \ KL = \infty \text{ both ways}",
           check_6, 30),
    _claim(7, "JS is not a metric", "JS breaks the triangle inequality, its root not",
           r"JS(P, Q) > JS(P, M) + JS(M, Q) \text{ for } (1, 0), (\tfrac12, \tfrac12), (0, 1); "
           r"\quad \sqrt{JS} \text{ is a metric}",
           check_7, 60),
)  # fmt: skip
