r"""Seeded problems together with their answers.

Every function draws one problem from a NumPy generator and returns it with what theory says the
answer is: by construction (a translation costs the norm of its shift), or by arithmetic of 80 and
more decimal digits on the very floats of the problem, so that an answer is right to the last bit.
The theorems, the Hypothesis strategies, the tests and the benchmarks draw from here.

References: M. Arjovsky, S. Chintala, L. Bottou, Wasserstein GAN, arXiv:1701.07875, Example 1.
"""

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from ._typing import Float64Array
from .families import Normal
from .measures import Discrete

Generator = np.random.Generator

RELATIONS = (
    "equal",
    "near",
    "balanced",
    "disjoint",
    "overlapping",
    "dominated",
    "generic",
    "lopsided",
)
"""How two probability vectors may lie to each other: see :func:`vector_pair`."""


def _digits(least: float = 1.0) -> Context:
    """Arithmetic of 80 decimal digits, and as many more as ``least`` has zeros behind the point.

    An atom of mass 1e-200 moves the others by 1e-200 when the masses are normalised, and in a
    divergence of that size this counts.
    """
    return Context(prec=80 + math.ceil(-math.log10(least)), Emin=-9_999_999, Emax=9_999_999)


@dataclass(frozen=True)
class Answers:
    r"""The exact divergences of two laws P and Q on a common countable support, in nats.

    Attributes
    ----------
    total_variation : float in [0, 1]
    kl, kl_reverse : floats in [0, inf], :math:`KL(P, Q)` and :math:`KL(Q, P)`
    js : float in [0, log 2], the halved Jensen-Shannon divergence
    hellinger : float in [0, 1], :math:`\frac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2`
    """

    total_variation: float
    kl: float
    kl_reverse: float
    js: float
    hellinger: float


SAME = Answers(0.0, 0.0, 0.0, 0.0, 0.0)
SINGULAR = Answers(1.0, math.inf, math.inf, math.log(2.0), 1.0)


@dataclass(frozen=True)
class VectorPair:
    """Two probability vectors of one length, and the relation they were drawn in."""

    relation: str
    p: Float64Array
    q: Float64Array

    @cached_property
    def answers(self) -> Answers:
        """Their exact divergences (of p and q divided by their exact sums)."""
        return exact_answers(self.p, self.q)


@dataclass(frozen=True)
class MeasurePair:
    """Two discrete laws in R^d with their distance.

    Attributes
    ----------
    name : str, the construction
    x, y : arrays, shapes (n, d) and (m, d), the atoms
    x_weights, y_weights : arrays, shapes (n,) and (m,), their masses
    wasserstein1 : float, the exact Euclidean distance, in the unit of the points
    answers : Answers or None, the exact divergences where the construction settles them
    """

    name: str
    x: Float64Array
    y: Float64Array
    x_weights: Float64Array
    y_weights: Float64Array
    wasserstein1: float
    answers: Answers | None = None

    @property
    def measures(self) -> tuple[Discrete, Discrete]:
        """The two laws as values."""
        return Discrete(self.x, self.x_weights), Discrete(self.y, self.y_weights)

    @property
    def diameter(self) -> float:
        """The largest coordinate range times sqrt(d): no less than the diameter of the atoms."""
        both = np.concatenate([self.x, self.y])
        return float(np.ptp(both, axis=0).max()) * math.sqrt(both.shape[1])


@dataclass(frozen=True)
class FiniteSpace:
    """Two laws p and q on the same n distinct points of R^d."""

    points: Float64Array
    pair: VectorPair

    @cached_property
    def distances(self) -> Float64Array:
        """The (n, n) matrix of Euclidean distances."""
        difference = self.points[:, None, :] - self.points[None, :, :]
        return np.asarray(np.sqrt((difference**2).sum(axis=-1)))

    @property
    def diameter(self) -> float:
        """The largest distance of two points."""
        return float(self.distances.max())

    @property
    def separation(self) -> float:
        """The smallest distance of two different points."""
        apart = ~np.eye(len(self.points), dtype=bool)
        return float(self.distances[apart].min())


@dataclass(frozen=True)
class NormalPair:
    """Two normal laws on the line."""

    p: Normal
    q: Normal

    @property
    def kl(self) -> float:
        """KL(P, Q) in nats, from 80-digit arithmetic."""
        mean, std = Decimal(float(self.p.mean)), Decimal(float(self.p.std))
        mean_q, std_q = Decimal(float(self.q.mean)), Decimal(float(self.q.std))
        with localcontext(_digits()):
            quadratic = (std**2 + (mean - mean_q) ** 2) / (2 * std_q**2)
            return float((std_q / std).ln() + quadratic - Decimal("0.5"))

    @property
    def wasserstein1(self) -> float:
        """E abs(dmu + ds Z), Z standard normal: a sum of two non-negative terms."""
        shift = abs(float(self.p.mean) - float(self.q.mean))
        stretch = abs(float(self.p.std) - float(self.q.std))
        if stretch == 0.0:
            return shift
        ratio = shift / stretch / math.sqrt(2.0)
        spread = stretch * math.sqrt(2.0 / math.pi) * math.exp(-(ratio**2))
        return spread + shift * math.erf(ratio)


def exact_answers(p: Float64Array, q: Float64Array) -> Answers:
    """The divergences of p / sum p and q / sum q by `_digits` arithmetic, rounded once."""
    least = min(float(vector[vector > 0].min()) for vector in (p, q))
    with localcontext(_digits(min(least, 1.0))):
        first, second = ([Decimal(float(value)) for value in vector] for vector in (p, q))
        mass_p, mass_q = sum(first, Decimal()), sum(second, Decimal())
        pairs = [(a / mass_p, b / mass_q) for a, b in zip(first, second, strict=True)]
        if all(a == b for a, b in pairs):
            return SAME
        half = Decimal("0.5")
        middle = [((a + b) * half, a, b) for a, b in pairs]
        return Answers(
            total_variation=float(half * sum(abs(a - b) for a, b in pairs)),
            kl=_kl(pairs),
            kl_reverse=_kl([(b, a) for a, b in pairs]),
            js=float(half * sum(_term(a, m) + _term(b, m) for m, a, b in middle)),
            hellinger=float(half * sum((a.sqrt() - b.sqrt()) ** 2 for a, b in pairs)),
        )


def _kl(pairs: list[tuple[Decimal, Decimal]]) -> float:
    if any(a > 0 and b == 0 for a, b in pairs):
        return math.inf
    return float(sum((_term(a, b) for a, b in pairs), Decimal()))


def _term(a: Decimal, b: Decimal) -> Decimal:
    return a * (a / b).ln() if a > 0 else Decimal()


def simplex_vector(rng: Generator, size: int, *, spread: float = 1.0) -> Float64Array:
    """A positive probability vector whose log-weights have standard deviation ``spread``."""
    logits = rng.normal(size=size) * spread
    values = np.exp(np.clip(logits - logits.max(), -650.0, None))
    return np.asarray(values / values.sum())


def vector_pair(rng: Generator, relation: str | None = None, size: int | None = None) -> VectorPair:
    """Two probability vectors in a relation (drawn if not given), of ``size`` entries (2 to 12).

    ``equal``; ``near`` (relative differences from 1e-14 to 0.1); ``balanced`` (uniform against
    alternately a little more and less, where Pinsker's inequality is sharp); ``disjoint`` supports;
    ``overlapping`` (each has an atom the other lacks: both KL infinite); ``dominated`` (p lives on
    a part of q's support: one KL infinite); ``generic``; ``lopsided`` (weights over hundreds of
    orders of magnitude).
    """
    relation = relation or str(rng.choice(RELATIONS))
    size = size or int(rng.integers(2, 13))
    if relation not in RELATIONS or size < 2:
        message = f"vector_pair: relation must be one of {RELATIONS} and size at least 2"
        raise ValueError(message)
    if relation == "balanced":
        return _balanced(rng, size + size % 2)
    spread = 120.0 if relation == "lopsided" else 1.0
    p, q = simplex_vector(rng, size, spread=spread), simplex_vector(rng, size, spread=spread)
    if relation == "equal":
        q = p.copy()
    elif relation == "near":
        q = p * (1.0 + 10.0 ** rng.uniform(-14, -1) * rng.uniform(-1, 1, size))
    elif relation == "disjoint":
        side = _split(rng, size)
        p, q = p * side, q * ~side
    elif relation == "overlapping":
        order = rng.permutation(size)
        p[order[0]] = q[order[1]] = 0.0
        p[order[1]] += 1.0  # where only two atoms are left, both laws keep some mass
        q[order[0]] += 1.0
    elif relation == "dominated":
        p = p * _split(rng, size)
    return VectorPair(relation, p / p.sum(), q / q.sum())


def _balanced(rng: Generator, size: int) -> VectorPair:
    tilt = 10.0 ** rng.uniform(-6, -1) * np.resize([1.0, -1.0], size)
    return VectorPair("balanced", np.full(size, 1.0 / size), (1.0 + tilt) / size)


def _split(rng: Generator, size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """A random subset that is neither empty nor everything, as a mask."""
    side = np.zeros(size, dtype=bool)
    side[rng.permutation(size)[: rng.integers(1, size)]] = True
    return side


def parallel_lines(
    rng: Generator, theta: float | None = None, size: int | None = None
) -> MeasurePair:
    """Example 1 on atoms: (0, z_i) against (theta, z_i), with the same heights and weights.

    The heights are distinct multiples of 2^-20 in [0, 1]; theta, if not given, is log-uniform in
    magnitude from 1e-300 to 1e300, of either sign, and the number of atoms from 1 to 12.
    """
    size = size or int(rng.integers(1, 13))
    if theta is None:
        theta = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-300, 300))
    heights = rng.choice(2**20 + 1, size=size, replace=False) * 2.0**-20
    weights = np.full(size, 1.0 / size) if rng.random() < 0.5 else simplex_vector(rng, size)
    x = np.stack([np.zeros(size), heights], axis=1)
    y = np.stack([np.full(size, theta), heights], axis=1)
    order = rng.permutation(size)
    answers = SAME if theta == 0 else SINGULAR
    return MeasurePair("parallel lines", x, y[order], weights, weights[order], abs(theta), answers)


def _lattice(rng: Generator, *shape: int) -> Float64Array:
    """Points with multiples of 2^-10 in [-4, 4] for coordinates: their sums are exact."""
    return np.asarray(rng.integers(-(2**12), 2**12 + 1, size=shape) * 2.0**-10)


def _shape(rng: Generator, size: int | None, dimension: int | None) -> tuple[int, int]:
    return size or int(rng.integers(1, 13)), dimension or int(rng.integers(1, 6))


def translation(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    """A law against itself moved by a shift: the distance is the norm of the shift."""
    size, dimension = _shape(rng, size, dimension)
    x, shift = _lattice(rng, size, dimension), _lattice(rng, dimension)
    weights = simplex_vector(rng, size)
    order = rng.permutation(size)
    distance = math.hypot(*shift)
    return MeasurePair("translation", x, (x + shift)[order], weights, weights[order], distance)


def permutation(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    """The same atoms in another order: distance and divergences are zero."""
    size, dimension = _shape(rng, size, dimension)
    x, weights = rng.normal(size=(size, dimension)), simplex_vector(rng, size)
    order = rng.permutation(size)
    return MeasurePair("permutation", x, x[order], weights, weights[order], 0.0, SAME)


def diracs(rng: Generator, dimension: int | None = None) -> MeasurePair:
    """Two different point masses: the distance of the points; singular."""
    _, dimension = _shape(rng, 1, dimension)
    x, y = rng.normal(size=(2, 1, dimension)) * 10.0 ** rng.uniform(-3, 3)
    one = np.ones(1)
    return MeasurePair("point masses", x, y, one, one, math.dist(x[0], y[0]), SINGULAR)


def outward_rays(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> MeasurePair:
    r"""Atoms against the same atoms moved away from the origin, each by its own factor 1 to 3.

    With the 1-Lipschitz :math:`f(z) = -\lVert z \rVert`,
    :math:`f(x_i) - f(y_i) = \lVert x_i - y_i \rVert`: moving
    along the rays is optimal and the distance is the mean displacement.
    """
    size, dimension = _shape(rng, size, dimension)
    x, weights = rng.normal(size=(size, dimension)), simplex_vector(rng, size)
    y = x * rng.uniform(1.05, 3.0, size=(size, 1))
    distance = math.fsum(w * math.dist(a, b) for w, a, b in zip(weights, x, y, strict=True))
    order = rng.permutation(size)
    mass = math.fsum(weights)
    return MeasurePair("outward rays", x, y[order], weights, weights[order], distance / mass, None)


def line(rng: Generator, size: int | None = None) -> MeasurePair:
    r"""Two laws on the line: :math:`\int |F(t) - G(t)| \, dt`, in rational arithmetic."""
    size = size or int(rng.integers(1, 13))
    other = int(rng.integers(1, 13))
    x, y = rng.normal(size=size), rng.normal(size=other) * 2.0 + 0.5
    x_weights, y_weights = simplex_vector(rng, size), simplex_vector(rng, other)
    jumps = _normalised_jumps(x, x_weights, 1) + _normalised_jumps(y, y_weights, -1)
    jumps.sort()
    total = height = Fraction(0)
    for (here, jump), (there, _) in pairwise(jumps):
        height += jump
        total += abs(height) * (there - here)
    return MeasurePair("line", x[:, None], y[:, None], x_weights, y_weights, float(total))


def _normalised_jumps(
    atoms: Float64Array, weights: Float64Array, sign: int
) -> list[tuple[Fraction, Fraction]]:
    masses = [Fraction(float(weight)) for weight in weights]
    total = sum(masses, Fraction(0))
    return [
        (Fraction(float(atom)), sign * mass / total)
        for atom, mass in zip(atoms, masses, strict=True)
    ]


def measure_pair(rng: Generator) -> MeasurePair:
    """One of the problems above with a known Wasserstein-1 distance."""
    makers = (parallel_lines, translation, permutation, diracs, outward_rays, line)
    return makers[int(rng.integers(len(makers)))](rng)


def random_measures(
    rng: Generator, size: int | None = None, dimension: int | None = None
) -> tuple[Discrete, Discrete]:
    """Two unrelated laws of 2 to 10 (or ``size``) atoms each in R^d, d from 1 to 5; no answer."""
    dimension = dimension or int(rng.integers(1, 6))
    sizes = (size, size) if size else (int(rng.integers(2, 11)), int(rng.integers(2, 11)))
    scale = rng.uniform(0.5, 2.0)
    x = rng.normal(size=(sizes[0], dimension))
    y = rng.normal(size=(sizes[1], dimension)) * scale + rng.normal(size=dimension)
    return (
        Discrete(x, simplex_vector(rng, sizes[0])),
        Discrete(y, simplex_vector(rng, sizes[1])),
    )


def finite_space(rng: Generator, relation: str | None = None) -> FiniteSpace:
    """Two laws on a finite metric space of 2 to 12 distinct points in R^d, d from 1 to 4."""
    pair = vector_pair(rng, relation)
    points = rng.normal(size=(pair.p.size, int(rng.integers(1, 5))))
    return FiniteSpace(points, pair)


def normal_pair(rng: Generator, *, same_std: bool = False) -> NormalPair:
    """Two normal laws with means of order 1 and standard deviations from 0.1 to 10."""
    means = rng.normal(size=2)
    stds = 10.0 ** rng.uniform(-1, 1, size=2)
    if same_std:
        stds[1] = stds[0]
    return NormalPair(
        Normal(float(means[0]), float(stds[0])), Normal(float(means[1]), float(stds[1]))
    )
