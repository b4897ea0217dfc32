r"""Section 5 and appendix D: the supremum of E_P f - E_Q f over a class of f."""

import math

import numpy as np

from .. import Discrete, energy_distance, maximum_mean_discrepancy, total_variation
from ..problems import RELATIONS, random_measures, vector_pair
from . import _necessity
from ._claim import ULP, Claim, FalseVariant, Relation, at_most, equal
from ._distances import distance, norm
from ._variants import rewritten, times


def check_bounded(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The class |f| <= 1: the sign of p - q attains 2 TV, other functions stay below."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    difference = pair.p - pair.q
    best = math.fsum(np.sign(difference) * difference)
    other = math.fsum(rng.uniform(-1, 1, size=difference.size) * difference)
    tv = float(total_variation(pair.p, pair.q))
    rounding = 4 * ULP * difference.size
    return (
        equal("f = sign(p - q) attains 2 TV", best, 2.0 * tv, rounding),
        at_most("|E_P f - E_Q f| <= 2 TV, |f| <= 1", abs(other), 2.0 * tv, rounding),
    )


def check_energy_based(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The class 0 <= f <= m: the indicator of p > q times m attains m TV."""
    pair = vector_pair(rng, RELATIONS[index % len(RELATIONS)])
    difference, m = pair.p - pair.q, 10.0 ** rng.uniform(-2, 2)
    best = m * math.fsum(difference[difference > 0])
    other = math.fsum(rng.uniform(0, m, size=difference.size) * difference)
    bound = m * float(total_variation(pair.p, pair.q))
    rounding = 4 * ULP * difference.size * m
    return (
        equal("f = m 1(p > q) attains m TV", best, bound, rounding),
        at_most("E_P f - E_Q f <= m TV, 0 <= f <= m", abs(other), bound, rounding),
    )


def pair_on_common_atoms(rng: np.random.Generator) -> tuple[Discrete, Discrete, float]:
    """Two laws in R^d that share some atoms, and their total variation."""
    p, q = random_measures(rng)
    points = np.concatenate([p.points, q.points])
    share = rng.uniform(0, 1)
    a = np.concatenate([p.weights, np.zeros(len(q))])
    b = np.concatenate([share * p.weights, (1 - share) * q.weights])
    b /= b.sum()
    return Discrete(points, a), Discrete(points, b), float(total_variation(a, b))


def check_mmd(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The Gaussian kernel's discrepancy below its multiples of W and TV; near-equality."""
    _ = index
    p, q, tv = pair_on_common_atoms(rng)
    sigma = 10.0 ** rng.uniform(-1, 1)
    mmd, w = float(maximum_mean_discrepancy(p, q, bandwidth=sigma)), distance(p, q)
    # computed as the root of a difference of terms of size 1 or, if near 0, more carefully
    rounding = math.sqrt(64 * ULP)
    close = sigma * 10.0 ** rng.uniform(-3, -1.5)
    near = float(maximum_mean_discrepancy([0.0], [close], bandwidth=sigma))
    apart = float(maximum_mean_discrepancy([0.0], [50.0 * sigma], bandwidth=sigma))
    return (
        at_most("MMD <= W/sigma", mmd, w.value / sigma, rounding + w.error / sigma),
        at_most("MMD <= sqrt(2) TV", mmd, math.sqrt(2.0) * tv, rounding),
        at_most("near points: MMD >= .999 W/sigma", 0.999 * close / sigma, near, rounding),
        equal("far points: MMD = sqrt(2) TV", apart, math.sqrt(2.0), 16 * ULP),
    )


def check_energy(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The energy distance is at most 2 W, with equality between two points."""
    _ = index
    p, q = random_measures(rng)
    w = distance(p, q)
    x, y = rng.normal(size=(2, 1, p.dimension))
    apart = float(norm(x - y)[0])
    size = float(norm(np.concatenate([p.points, q.points])).max())
    return (
        at_most("2 E|X-Y| - E|X-X'| - E|Y-Y'| <= 2 W", energy_distance(p, q), 2.0 * w.value,
                2.0 * w.error + 64 * ULP * size),
        equal("two points: energy distance = 2 W", energy_distance(x, y), 2.0 * apart,
              16 * ULP * apart),
    )  # fmt: skip


def _twice_bounded(rng: np.random.Generator, index: int) -> tuple[Relation, ...]:
    """The class |f| <= 2 instead."""
    pair = vector_pair(rng, "generic")
    _ = index
    difference = pair.p - pair.q
    tv = float(total_variation(pair.p, pair.q))
    best = 2.0 * math.fsum(np.abs(difference))
    return (at_most("|E_P f - E_Q f| <= 2 TV", best, 2.0 * tv, 1e-12),)


CLAIMS = (
    Claim(
        id="bounded_functions",
        title="TV as a supremum over bounded functions",
        statement=r"d_F(P, Q) = \sup_{f \in F} E_P f - E_Q f",
        summary="sup over |f| <= 1 of E_P f - E_Q f is 2 TV",
        inequality=r"\sup_{|f| \le 1} E_P f - E_Q f = 2\, TV(P, Q)",
        source="section 5; the factor 2 is erratum_2",
        hypotheses=("f is measurable and bounded by 1",),
        cases=1000,
        check=check_bounded,
        domain="probability vectors of 2 to 12 entries in eight relations",
        false_variants=(
            rewritten("the supremum is TV", check_bounded, "f = sign", times(0.5)),
            FalseVariant("functions bounded by 2 stay below 2 TV", _twice_bounded),
        ),
    ),
    Claim(
        id="mean_discrepancy",
        title="MMD is weaker than W1 and TV",
        statement=r"MMD(P, Q) = \sup_{\Vert f \Vert_H \le 1} E_P f - E_Q f",
        summary="Gaussian kernel: MMD <= W/sigma, sqrt(2) TV",
        inequality=r"MMD \le W/\sigma, \quad MMD \le \sqrt{2}\, TV, \quad "
        r"k(x, y) = e^{-\Vert x - y \Vert^2/(2 \sigma^2)}",
        source="section 5",
        hypotheses=("the RKHS norm of f is at most 1: see erratum_3",),
        cases=200,
        check=check_mmd,
        domain="laws of up to 20 atoms in R^1 to R^5; sigma from 0.1 to 10",
        false_variants=(
            rewritten("MMD <= TV", check_mmd, "far points", times(math.sqrt(0.5))),
            rewritten("MMD <= TV/2", check_mmd, "MMD <= sqrt(2) TV", times(math.sqrt(0.125))),
            rewritten("MMD <= W/(2 sigma)", check_mmd, "MMD <= W/sigma", times(0.5)),
        ),
    ),
    Claim(
        id="energy_distance",
        title="The energy distance is at most 2 W1",
        statement=r"2 E \Vert X - Y \Vert - E \Vert X - X' \Vert - E \Vert Y - Y' \Vert \le 2 W",
        summary="2 E|X-Y| - E|X-X'| - E|Y-Y'| <= 2 W",
        inequality=r"2 E \Vert X - Y \Vert - E \Vert X - X' \Vert - E \Vert Y - Y' \Vert "
        r"\le 2 W(P, Q)",
        source="section 5",
        hypotheses=("finite first moments",),
        cases=200,
        check=check_energy,
        domain="laws of up to 10 atoms in R^1 to R^5; pairs of points",
        false_variants=(
            rewritten("it is at most W", check_energy, "two points", times(0.5)),
            rewritten("it is at most W/2", check_energy, "2 E|X-Y|", times(0.25)),
        ),
    ),
    Claim(
        id="energy_based_gan",
        title="The energy-based GAN minimises TV",
        statement=r"\sup_{0 \le f \le m} E_P f - E_Q f = m\, \delta(P, Q)",
        summary="sup over 0 <= f <= m of E_P f - E_Q f is m TV",
        inequality=r"\sup_{0 \le f \le m} E_P f - E_Q f = m\, TV(P, Q)",
        source="appendix D",
        hypotheses=("the discriminator is optimal",),
        cases=1000,
        check=check_energy_based,
        domain="probability vectors of 2 to 12 entries in eight relations; m from 0.01 to 100",
        false_variants=(
            rewritten("the supremum is 2 m TV", check_energy_based, "f = m", times(2.0)),
            rewritten("half of m TV bounds it", check_energy_based, "E_P f - E_Q f", times(0.5)),
            FalseVariant("any discriminator attains it", _necessity.any_discriminator),
        ),
    ),
)  # fmt: skip
