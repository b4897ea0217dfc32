"""Densities, masses and divergences of parametric laws by mpmath."""

import itertools

import mpmath as mp


def density(law):
    """The density of a law on the line as a function of an mpf."""
    a = [mp.mpf(float(value)) for value in law.parameters().values()]
    return {
        "Normal": lambda x: mp.npdf(x, *a),
        "Laplace": lambda x: mp.exp(-abs(x - a[0]) / a[1]) / (2 * a[1]),
        "Exponential": lambda x: a[0] * mp.exp(-a[0] * x) if x > 0 else mp.mpf(0),
        "Gamma": lambda x: (
            a[1] ** a[0] / mp.gamma(a[0]) * x ** (a[0] - 1) * mp.exp(-a[1] * x)
            if x > 0
            else mp.mpf(0)
        ),
        "Beta": lambda x: (
            x ** (a[0] - 1) * (1 - x) ** (a[1] - 1) / mp.beta(*a) if 0 < x < 1 else mp.mpf(0)
        ),
        "Uniform": lambda x: 1 / (a[1] - a[0]) if a[0] <= x <= a[1] else mp.mpf(0),
    }[type(law).__name__]


def mass(law):
    """The mass of a law on the integers."""
    a = [mp.mpf(float(value)) for value in law.parameters().values()]
    return {
        "Poisson": lambda k: mp.exp(k * mp.log(a[0]) - a[0] - mp.loggamma(k + 1)),
        "Geometric": lambda k: a[0] * (1 - a[0]) ** k,
        "Bernoulli": lambda k: [1 - a[0], a[0]][k] if k < 2 else mp.mpf(0),
        "Binomial": lambda k: (
            mp.binomial(a[0], k) * a[1] ** k * (1 - a[1]) ** (a[0] - k) if k <= a[0] else mp.mpf(0)
        ),
    }[type(law).__name__]


def kl_term(p, q):
    if p == 0:
        return q
    return p * mp.log(p / q) - p + q if q else mp.inf


def js_term(p, q):
    middle = (p + q) / 2
    return sum((v * mp.log(v / middle) for v in (p, q) if v), mp.mpf(0)) / 2


def variation_term(p, q):
    return abs(p - q) / 2


TERMS = {
    "total_variation": variation_term,
    "kl_divergence": kl_term,
    "js_divergence": js_term,
}


def crossings(p, q, edges):
    """Where the densities cross, between neighbouring edges."""
    f, g = density(p), density(q)

    def difference(x):
        return f(x) - g(x)

    roots = []
    for start, stop in itertools.pairwise(edges):
        inset = (stop - start) * mp.mpf("1e-25")
        low, high = start + inset, stop - inset
        if difference(low) * difference(high) < 0:
            for _ in range(130):
                middle = (low + high) / 2
                same = difference(low) * difference(middle) > 0
                low, high = (middle, high) if same else (low, middle)
            roots.append(low)
    return roots


def integral(name, p, q, edges):
    """A divergence of two laws with densities on the line, to about 25 digits."""
    with mp.workdps(40):
        edges = [mp.mpf(edge) for edge in edges]
        if name == "total_variation":
            edges = sorted([*edges, *crossings(p, q, edges)])
        f, g = density(p), density(q)
        return mp.quad(lambda x: TERMS[name](f(x), g(x)), edges)


def series(name, p, q, count):
    """A divergence of two laws on the integers, summed over 0 to ``count``."""
    with mp.workdps(40):
        f, g = mass(p), mass(q)
        pairs = [(f(k), g(k)) for k in range(count + 1)]
        if name == "wasserstein1":
            gap, value = mp.mpf(0), mp.mpf(0)
            for first, second in pairs:
                gap += first - second
                value += abs(gap)
            return value
        return mp.fsum(TERMS[name](first, second) for first, second in pairs)


def relative_error(value, truth):
    """abs(value - truth)/abs(truth)."""
    with mp.workdps(40):
        return float(abs(mp.mpf(float(value)) - truth) / abs(truth))
