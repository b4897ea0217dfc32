"""Textbook formulas and integrals in mpmath that the closed forms for laws must agree with."""

import functools
import itertools

import mpmath as mp
import numpy as np
import torch

ALLOWED = 2e-13
LINE = {
    "Normal": [(0.3, 1.2), (-0.4, 0.8), (0.3 + 1e-7, 1.2), (40.0, 3.0)],
    "Laplace": [(0.3, 1.2), (-0.4, 0.8), (0.3, 1.2 + 1e-7), (9.0, 0.5)],
    "Exponential": [(1.3,), (0.4,), (1.3 + 1e-7,)],
    "Gamma": [(1.7, 1.2), (20.0, 0.8), (1.7 + 1e-7, 1.2)],
    "Beta": [(1.7, 1.2), (2.6, 31.0), (1.7, 1.2 + 1e-7)],
    "Uniform": [(0.1, 0.6), (0.05, 0.9), (0.2, 1.4), (-3.0, -1.0)],
    "Bernoulli": [(0.3,), (0.75,), (0.3 + 1e-9,)],
    "Poisson": [(1.3,), (7.5,), (1.3 + 1e-9,)],
    "Geometric": [(0.3,), (0.75,), (0.3 + 1e-9,)],
}


def _kl_normal(m1, s1, m2, s2):
    return mp.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - mp.mpf(1) / 2


def _kl_laplace(m1, b1, m2, b2):
    d = abs(m1 - m2)
    return mp.log(b2 / b1) + d / b2 + b1 / b2 * mp.exp(-d / b1) - 1


def _kl_gamma(a1, r1, a2, r2):
    part = (a1 - a2) * mp.psi(0, a1) - mp.loggamma(a1) + mp.loggamma(a2)
    return part + a2 * mp.log(r1 / r2) + a1 * (r2 - r1) / r1


def _kl_beta(a1, b1, a2, b2):
    part = mp.log(mp.beta(a2, b2) / mp.beta(a1, b1)) + (a1 - a2) * mp.psi(0, a1)
    return part + (b1 - b2) * mp.psi(0, b1) + (a2 - a1 + b2 - b1) * mp.psi(0, a1 + b1)


def _kl_bernoulli(p, q):
    return p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q))


def _kl_uniform(a, b, c, d):
    return mp.log((d - c) / (b - a)) if c <= a and b <= d else mp.inf


def _w1_normal(m1, s1, m2, s2):
    d, s = abs(m1 - m2), abs(s1 - s2)
    if s == 0:
        return d
    return s * mp.sqrt(2 / mp.pi) * mp.exp(-(d**2) / (2 * s**2)) + d * mp.erf(d / s / mp.sqrt(2))


def _w1_laplace(m1, b1, m2, b2):
    d, b = abs(m1 - m2), abs(b1 - b2)
    return d + (b * mp.exp(-d / b) if b else 0)


def _w1_uniform(a, b, c, d):
    low, high = c - a, d - b
    if low * high >= 0:
        return abs(low + high) / 2
    return (low**2 + high**2) / (2 * (abs(low) + abs(high)))


def _tv_normal(m1, s1, m2, s2):
    if s1 == s2:
        return mp.erf(abs(m1 - m2) / s1 / mp.sqrt(8))
    a, b = 1 / s2**2 - 1 / s1**2, m1 / s1**2 - m2 / s2**2
    c = (m2 / s2) ** 2 - (m1 / s1) ** 2 + 2 * mp.log(s2 / s1)
    root = mp.sqrt(b**2 - a * c)
    ends = sorted([(-b - root) / a, (-b + root) / a])
    p, q = (mp.ncdf(ends[1], m, s) - mp.ncdf(ends[0], m, s) for m, s in ((m1, s1), (m2, s2)))
    return abs(p - q)


def _tv_exponential(p, q):
    if p == q:
        return mp.mpf(0)
    x = mp.log(p / q) / (p - q)
    return abs(mp.exp(-p * x) - mp.exp(-q * x))


def _outside(a, b, c, d):
    return (max(min(b, c) - a, 0) + max(b - max(a, d), 0)) / (b - a)


def _tv_uniform(a, b, c, d):
    return max(_outside(a, b, c, d), _outside(c, d, a, b))


TEXTBOOK = {
    "kl_divergence": {
        "Normal": _kl_normal, "Laplace": _kl_laplace, "Gamma": _kl_gamma, "Beta": _kl_beta,
        "Exponential": lambda p, q: mp.log(p / q) + q / p - 1, "Uniform": _kl_uniform,
        "Bernoulli": _kl_bernoulli, "Poisson": lambda p, q: p * mp.log(p / q) - p + q,
        "Geometric": lambda p, q: _kl_bernoulli(p, q) / p,
    },
    "wasserstein1": {
        "Normal": _w1_normal, "Laplace": _w1_laplace, "Uniform": _w1_uniform,
        "Exponential": lambda p, q: abs(1 / p - 1 / q), "Bernoulli": lambda p, q: abs(p - q),
        "Poisson": lambda p, q: abs(p - q), "Geometric": lambda p, q: abs(1 / p - 1 / q),
    },
    "total_variation": {
        "Normal": _tv_normal, "Exponential": _tv_exponential, "Uniform": _tv_uniform,
        "Bernoulli": lambda p, q: abs(p - q),
    },
}  # fmt: skip


def _density(kind, values, x):
    a = values
    if kind in ("Exponential", "Gamma") and x <= 0:
        return -mp.inf
    return {
        "Normal": lambda: -(((x - a[0]) / a[1]) ** 2) / 2 - mp.log(a[1] * mp.sqrt(2 * mp.pi)),
        "Laplace": lambda: -abs(x - a[0]) / a[1] - mp.log(2 * a[1]),
        "Exponential": lambda: mp.log(a[0]) - a[0] * x,
        "Gamma": lambda: a[0] * mp.log(a[1]) + (a[0] - 1) * mp.log(x) - a[1] * x
        - mp.loggamma(a[0]),
        "Beta": lambda: (a[0] - 1) * mp.log(x) + (a[1] - 1) * mp.log(1 - x)
        - mp.log(mp.beta(a[0], a[1])),
        "Uniform": lambda: -mp.log(a[1] - a[0]),
    }[kind]()  # fmt: skip


def _edges(kind, values, other):
    if kind in ("Beta", "Uniform"):
        ends = (0, 1) if kind == "Beta" else values
    elif kind in ("Exponential", "Gamma"):
        ends = (0, 200)
    else:
        ends = (-60, 60)
    inner = [v for v in (*values[:1], *other[:1], -5, -1, 0.02, 0.3, 1, 3, 9, 30) if v]
    return sorted({mp.mpf(v) for v in (*ends, *(v for v in inner if ends[0] < v < ends[1]))})


def _cross_kl(first, second):
    """KL of laws of two families by quadrature; None where one escapes the other's support."""
    (kind, values), (other, theirs) = first, second
    low, high = {"Beta": (0, 1), "Uniform": theirs, "Exponential": (0, mp.inf),
                 "Gamma": (0, mp.inf)}.get(other, (-mp.inf, mp.inf))  # fmt: skip
    edges = _edges(kind, values, theirs)
    if edges[0] < low or edges[-1] > high:
        return mp.inf

    def integrand(x):
        p = _density(kind, values, x)
        return mp.exp(p) * (p - _density(other, theirs, x))

    return mp.quad(integrand, edges)


@functools.cache
def _cases():
    """(function, kind, values, kind, values, truth)."""
    cases = []
    with mp.workdps(40):
        exact = {k: [tuple(map(mp.mpf, v)) for v in many] for k, many in LINE.items()}
        for name, formulas in TEXTBOOK.items():
            for kind, formula in formulas.items():
                for p, q in itertools.product(range(len(LINE[kind])), repeat=2):
                    truth = formula(*exact[kind][p], *exact[kind][q]) if p != q else mp.mpf(0)
                    cases.append((name, kind, LINE[kind][p], kind, LINE[kind][q], truth))
    with mp.workdps(20):
        kinds = list(LINE)[:6]
        for first, second in itertools.permutations(kinds, 2):
            p, q = LINE[first][0], LINE[second][1 if second != "Normal" else 0]
            truth = _cross_kl((first, tuple(map(mp.mpf, p))), (second, tuple(map(mp.mpf, q))))
            cases.append(("kl_divergence", first, p, second, q, truth))
        for (m1, s1), (m2, s2) in itertools.combinations(LINE["Normal"][:3], 2):
            cases.append(("js_divergence", "Normal", (m1, s1), "Normal", (m2, s2),
                          _js_normal(m1, s1, m2, s2)))  # fmt: skip
    return cases


def _js_normal(m1, s1, m2, s2):
    def integrand(x):
        p, q = mp.npdf(x, m1, s1), mp.npdf(x, m2, s2)
        middle = (p + q) / 2
        return (p * mp.log(p / middle) + q * mp.log(q / middle)) / 2

    with mp.workdps(40):
        return mp.quad(integrand, [-30, -8, -4, -2, -1, 0, 1, 2, 4, 8, 30])


def law_is_wrong(package):
    """Whether a divergence of two laws, or a derivative of one, is wrong."""
    for name, first, p, second, q, truth in _cases():
        value = float(
            getattr(package, name)(getattr(package, first)(*p), getattr(package, second)(*q))
        )
        if mp.isinf(truth) or not np.isfinite(value):
            if value != float(truth):
                return True
        elif not abs(mp.mpf(value) - truth) <= ALLOWED * truth + mp.mpf("1e-300"):
            return True
    return (
        _space_is_wrong(package)
        or _plane_is_wrong(package)
        or _slopes_are_wrong(package)
        or _atoms_are_wrong(package)
    )


@functools.cache
def _balls(dimension, variance):
    """TV and JS of two centred balls, from the law of the radius."""
    with mp.workdps(25):
        half, v = mp.mpf(dimension) / 2, mp.mpf(variance)
        square = dimension * v * mp.log(v) / (v - 1)
        variation = abs(mp.gammainc(half, 0, square / 2, regularized=True)
                        - mp.gammainc(half, 0, square / 2 / v, regularized=True))  # fmt: skip

        def integrand(s):
            p, q = (mp.exp(-s / 2 / w) * s ** (half - 1) / (2 * w) ** half for w in (v, 1))
            middle = (p + q) / 2
            return (p * mp.log(p / middle) + q * mp.log(q / middle)) / 2 / mp.gamma(half)

        return variation, mp.quad(integrand, [0, 0.1, 1, 3, 8, 20, 50, 150, 400])


def _space_is_wrong(package):
    law = package.MultivariateNormal
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    for dimension, variance in ((2, 2.5), (3, 2.5), (3, 1.0009765625), (5, 0.25)):
        p, q = law(np.zeros(dimension), variance), law(np.zeros(dimension), 1.0)
        for name, truth in zip(
            ("total_variation", "js_divergence"), _balls(dimension, variance), strict=True
        ):
            value = float(getattr(package, name)(p, q))
            if not abs(value / float(truth) - 1.0) < 2e-11:
                return True
    line = (0.7, 0.6), (-0.2, 1.5)
    for name in ("total_variation", "js_divergence", "kl_divergence", "wasserstein1"):
        function = getattr(package, name)
        truth = float(function(*(package.Normal(*v) for v in line)))
        laws = [law([1.0, m, 2.0], np.diag([1.0, s * s, 4.0])) for m, s in line]
        if not abs(float(function(*laws)) / truth - 1.0) < 1e-13:
            return True
        laws = [law(turn @ a.mean, turn @ np.asarray(a.matrix()) @ turn.T) for a in laws]
        if name != "wasserstein1" and not abs(float(function(*laws)) / truth - 1.0) < 1e-11:
            return True
    a, b = rng.normal(size=(2, 3, 3))
    first, second, mean = a @ a.T + np.eye(3), b @ b.T + np.eye(3), rng.normal(size=3)
    with mp.workdps(40):
        s1, s2, m = mp.matrix(first.tolist()), mp.matrix(second.tolist()), mp.matrix(mean.tolist())
        inverse = s2**-1
        trace = sum((inverse * s1)[i, i] for i in range(3))
        truth = (trace + (m.T * inverse * m)[0] - 3 + mp.log(mp.det(s2) / mp.det(s1))) / 2
    value = float(package.kl_divergence(law(mean, first), law(np.zeros(3), second)))
    shifted = law([3.0, 4.0, 0.0], first), law(np.zeros(3), first)
    balls = law(np.zeros(3), 4.0), law(np.zeros(3), 1.0)
    mean_norm = 2.0 * np.sqrt(2.0 / np.pi)
    flat = law(np.zeros(2), [1.0, 0.0]), law([0.0, 1.0], [1.0, 0.0])
    return not (
        abs(value / float(truth) - 1.0) < 1e-13
        and abs(float(package.wasserstein1(*shifted)) - 5.0) < 1e-14
        and abs(float(package.wasserstein1(*balls)) - mean_norm) < 1e-14
        and [float(getattr(package, n)(*flat)) for n in ("total_variation", "kl_divergence")]
        == [1.0, np.inf]
    )  # fmt: skip


def _plane_is_wrong(package):
    """TV and JS of laws that differ in two directions by the trapezoidal rule, which suits JS."""
    shift, variances = np.array([0.7, -0.4]), np.array([0.36, 2.0])
    x = np.linspace(-16.0, 16.0, 1281)
    p, q = (
        np.outer(*(np.exp(-0.5 * (x - m) ** 2 / v) / np.sqrt(2 * np.pi * v) for m, v in law))
        for law in (zip(shift, variances, strict=True), ((0.0, 1.0), (0.0, 1.0)))
    )
    middle = 0.5 * (p + q) + 1e-300
    terms = p * np.log((p + 1e-300) / middle) + q * np.log((q + 1e-300) / middle)
    cell = (x[1] - x[0]) ** 2
    laws = [
        package.MultivariateNormal(shift, variances),
        package.MultivariateNormal([0.0, 0.0], 1.0),
    ]
    js, variation = 0.5 * cell * terms.sum(), 0.5 * cell * np.abs(p - q).sum()
    return not (
        abs(float(package.js_divergence(*laws)) / js - 1.0) < 1e-11
        and abs(float(package.total_variation(*laws)) / variation - 1.0) < 1e-3
    )


def _value(package, name, first, second, cut, numbers):
    laws = getattr(package, first)(*numbers[:cut]), getattr(package, second)(*numbers[cut:])
    return getattr(package, name)(*laws)


def _slopes_are_wrong(package):
    """Derivatives in all parameters against differences of values."""
    pairs = [(kind, kind) for kind in list(LINE) if kind != "Uniform"]
    pairs += [
        ("Normal", "Laplace"),
        ("Exponential", "Laplace"),
        ("Gamma", "Normal"),
        ("Beta", "Gamma"),
    ]
    for first, second in pairs:
        for name in ("kl_divergence", "wasserstein1", "total_variation"):
            if name != "kl_divergence" and (first != second or first in ("Gamma", "Beta")):
                continue
            p, q = LINE[first][0], LINE[second][1]

            value = functools.partial(_value, package, name, first, second, len(p))
            leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (*p, *q)]
            slopes = torch.autograd.grad(value(leaves), leaves)
            for index, slope in enumerate(slopes):
                ends = []
                for step in (1e-5, -1e-5):
                    moved = [*p, *q]
                    moved[index] += step
                    ends.append(float(value(moved)))
                if not abs((ends[0] - ends[1]) / 2e-5 - float(slope)) < 1e-6 * (
                    1 + abs(float(slope))
                ):
                    return True
    return False


def _atoms_are_wrong(package):
    """Wasserstein-1 of atoms and a normal law, by the integral of abs(F - G)."""
    value = float(package.wasserstein1(package.Discrete([2.0, -1.0, 0.5], [0.25, 0.25, 0.5]),
                                       package.Normal(0.3, 1.2)))  # fmt: skip
    return not abs(value / _atoms() - 1.0) < 1e-13


@functools.cache
def _atoms():
    with mp.workdps(30):

        def gap(x):
            steps = sum(
                w
                for a, w in ((-1, mp.mpf(1) / 4), (0.5, mp.mpf(1) / 2), (2, mp.mpf(1) / 4))
                if a <= x
            )
            return abs(steps - mp.ncdf(x, mp.mpf(0.3), mp.mpf(1.2)))

        cross = [
            mp.mpf(0.3) + mp.mpf(1.2) * mp.sqrt(2) * mp.erfinv(2 * c - 1)
            for c in (mp.mpf(1) / 4, mp.mpf(3) / 4)
        ]
        edges = sorted([-20, -1, mp.mpf(0.5), 2, 20, -5, 6, *cross])
        return float(mp.quad(gap, edges))
