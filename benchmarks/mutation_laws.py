"""Textbook formulas and integrals in mpmath that the closed forms for laws must agree with."""

import functools
import itertools

import mpmath as mp
import numpy as np
import torch

from .mutation_space import plane_is_wrong, products_are_wrong, slopes_are_wrong, space_is_wrong

ALLOWED = 2e-13
LINE = {
    "Normal": [(0.3, 1.2), (-0.4, 0.8), (0.3 + 1e-7, 1.2), (40.0, 3.0), (0.9, 1.2 + 1e-9)],
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


def _js_uniform(a, b, c, d):
    first, second = _outside(a, b, c, d), _outside(c, d, a, b)
    p, q = 1 - first, 1 - second  # the masses where both are
    inner = p * mp.log(2 * p / (p + q)) + q * mp.log(2 * q / (p + q)) if p else 0
    return ((first + second) * mp.log(2) + inner) / 2


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
    "js_divergence": {"Uniform": _js_uniform},
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


def _drawn(kind, rng):
    """Parameters over four orders of magnitude, and others that are near or apart."""
    size = 10 ** rng.uniform(-10.0, -0.5)
    if kind in ("Bernoulli", "Geometric"):
        first, second = rng.uniform(0.02, 0.98, size=2)
        near = first + size * min(first, 1.0 - first) * rng.uniform(-1.0, 1.0)
        return (first,), (near if rng.uniform() < 0.6 else second,)
    positive = {"Exponential": 1, "Poisson": 1, "Gamma": 2, "Beta": 2}.get(kind, 1)
    first, second = 10 ** rng.uniform(-2.0, 2.0, size=(2, positive))
    if rng.uniform() < 0.6:
        second = first * (1.0 + size * rng.uniform(-1.0, 1.0, size=positive))
    if kind in ("Normal", "Laplace", "Uniform"):
        place, apart = rng.normal(), rng.normal() * first[0]
        other = place + apart * (size if rng.uniform() < 0.6 else 1.0)
        if kind == "Uniform":
            return (place, place + first[0]), (other, other + second[0])
        return (place, first[0]), (other, second[0])
    return tuple(first), tuple(second)


def _moderate(kind, rng):
    """Parameters at which the quadrature of ``_cross_kl`` is good."""
    place, scale, a, b = rng.uniform([-1.0, 0.4, 0.7, 0.7], [1.5, 1.2, 4.0, 4.0])
    return {
        "Normal": (place, scale), "Laplace": (place, scale), "Exponential": (a,), "Gamma": (a, b),
        "Beta": (a, b), "Uniform": (place, place + scale),
    }[kind]  # fmt: skip


def _random_cross_cases(count):
    rng, cases = np.random.default_rng(6), []
    with mp.workdps(20):
        for first, second in itertools.permutations(list(LINE)[:6], 2):
            for _ in range(count):
                p, q = _moderate(first, rng), _moderate(second, rng)
                if first == "Uniform" and second != "Uniform":
                    p = (p[0] % 0.3, p[0] % 0.3 + 0.5 * p[1] % 0.7)  # inside [0, 1]
                exact = [tuple(map(mp.mpf, map(float, v))) for v in (p, q)]
                truth = _cross_kl((first, exact[0]), (second, exact[1]))
                cases.append(("kl_divergence", first, p, second, q, truth))
    return cases


def _random_cases(count):
    """The textbook formulas at parameters drawn over scales, near each other and apart."""
    rng, cases = np.random.default_rng(5), []
    with mp.workdps(80):
        for name, formulas in TEXTBOOK.items():
            for kind, formula in formulas.items():
                for _ in range(count):
                    p, q = (tuple(map(float, v)) for v in _drawn(kind, rng))
                    truth = formula(*map(mp.mpf, p), *map(mp.mpf, q))
                    cases.append((name, kind, p, kind, q, truth))
        for (n, a), (m, b) in (((7, 0.3), (7, 0.75)), ((900, 0.3), (1000, 0.3 + 1e-9)),
                               ((40, 0.2), (40, 0.2 - 1e-8))):  # fmt: skip
            exact = mp.mpf(a), mp.mpf(b)
            away = abs(n * exact[0] - m * exact[1])
            cases.append(("wasserstein1", "Binomial", (n, a), "Binomial", (m, b), away))
            if n == m:
                kl = n * _kl_bernoulli(*exact)
                cases.append(("kl_divergence", "Binomial", (n, a), "Binomial", (m, b), kl))
    return cases


@functools.cache
def _cases():
    """(function, kind, values, kind, values, truth)."""
    cases = _random_cases(12) + _random_cross_cases(3)
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
        _ends_are_wrong(package)
        or products_are_wrong(package)
        or _atoms_are_wrong(package)
        or space_is_wrong(package)
        or plane_is_wrong(package)
        or _slopes_are_wrong(package)
        or slopes_are_wrong(package)
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


def _ends_are_wrong(package):
    """Laws that are as good as disjoint, probabilities of 0 and 1, roots, vmap."""
    normal, coin, log_2 = package.Normal, package.Bernoulli, float(mp.log(2))
    caps = {"total_variation": 1.0, "js_divergence": log_2, "js_distance": log_2**0.5}
    disjoint = [(0.0, 1.0, 1e4, 1.0), (0.0, 1.0, 0.0, 1e-20), (0.0, 1.0, -1e4, 1e-20),
                (0.0, 1e-9, 0.0, 1e-29), (0.0, 1e12, 0.0, 1e-7)]  # fmt: skip
    near = [(0.0, 1.0, far, 10**size) for far in range(18, 60, 3) for size in (-3, -1, 0.1, 0.3)]
    for number, (m1, s1, m2, s2) in enumerate(disjoint + near):
        for pair in ((normal(m1, s1), normal(m2, s2)), (normal(m2, s2), normal(m1, s1))):
            values = [float(getattr(package, name)(*pair)) for name in caps]
            if any(v > cap for v, cap in zip(values, caps.values(), strict=True)):
                return True
            if number < len(disjoint) and values != list(caps.values()):
                return True
    pairs = [(normal(0.3, 1.2), normal(-0.4, 0.8)), (normal(0.3, 1.2), normal(0.3, 1.2))]
    roots = [(package.js_distance(*pair), package.js_divergence(*pair)) for pair in pairs]
    ends = [(0.5, 1.0), (0.5, 0.0), (1.0, 0.5), (0.0, 0.5), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0)]
    values = [float(package.kl_divergence(coin(a), coin(b))) for a, b in ends]
    rates = torch.tensor([[1.3, 0.4], [0.4, 1.3], [0.7, 0.7], [2.0, 0.01]], dtype=torch.float64)

    def variation(pair):
        return package.total_variation(*(package.Exponential(rate) for rate in pair))

    mapped = torch.vmap(variation)(rates).tolist()
    alone = [float(variation(pair)) for pair in rates.tolist()]
    return not (
        all(abs(float(root) ** 2 - float(square)) < 1e-16 for root, square in roots)
        and values == [np.inf, np.inf, *values[2:4], 0.0, 0.0, np.inf]
        and np.allclose(values[2:4], log_2, rtol=1e-15)
        and np.allclose(mapped, alone, rtol=1e-14)
    )


def _atoms_are_wrong(package):
    """Wasserstein-1 of atoms and a normal law, by the integral of abs(F - G)."""
    value = float(package.wasserstein1(package.Discrete([2.0, -1.0, 0.5], [0.25, 0.25, 0.5]),
                                       package.Normal(0.3, 1.2)))  # fmt: skip
    if not abs(value / _atoms() - 1.0) < 1e-13:
        return True
    for end in (1e20, -1e20):  # a tail that only counts by how far it goes
        atoms = package.Discrete([0.0, end], [1.0, 1e-17])
        far = float(package.wasserstein1(atoms, package.Normal(0.0, 1.0)))
        if not abs(far / (1e3 + np.sqrt(2.0 / np.pi)) - 1.0) < 1e-13:
            return True
    return False


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
