"""Wrong functions that look right: faults that the laws were not made for."""

import itertools
import math

import numpy as np
import ot
from scipy.special import rel_entr
from scipy.stats import wasserstein_distance

import divergences as dv
from divergences.estimators import kl_knn

from .mutants import JS, KL, TV, Mutant, f_divergence

W1 = "wasserstein1"


def metric(reference=None, **more):
    return {"kind": "metric", "reference": reference, **more}


def ipm(reference=None):
    return {"kind": "ipm", "reference": reference}


def estimator(reference=None):
    return {"kind": "estimator", "reference": reference}


def weighted_log(p, q):
    return np.where(p > 0, p * np.log(p / q), 0.0).sum()


def clipped(eps):
    return lambda p, q: (np.clip(p, eps, 1) * np.log(np.clip(p, eps, 1) / np.clip(q, eps, 1))).sum()


def half_js(p, q):
    return rel_entr(p, (p + q) / 2).sum()


def unhalved_midpoint(p, q):
    return (rel_entr(p, p + q) + rel_entr(q, p + q)).sum() / 2


def renyi(p, q):
    if ((q == 0) & (p > 0)).any():
        return np.inf
    return np.log(np.divide(p * p, q, out=np.zeros_like(p), where=q > 0).sum())


def distances(x, y):
    return ot.dist(x.reshape(len(x), -1), y.reshape(len(y), -1), metric="euclidean")


def chamfer(x, y):
    return distances(x, y).min(0).mean() + distances(x, y).min(1).mean()


def hausdorff(x, y):
    return max(distances(x, y).min(0).max(), distances(x, y).min(1).max())


def means(x, y):
    return np.linalg.norm(x.mean(0) - y.mean(0))


def moments(x, y):
    return means(x, y) + np.linalg.norm(x.var(0) - y.var(0))


def axes_only(x, y):
    """Sliced along the axes: two laws with the same marginals are not told apart."""
    return sum(wasserstein_distance(x[:, k], y[:, k]) for k in range(x.shape[1]))


def steps(x, y):
    points = np.unique(np.concatenate([x, y]))
    f, g = (np.searchsorted(np.sort(v), points, side="right") / len(v) for v in (x, y))
    return np.abs(f - g)


def projected(x, y):
    ways = np.random.default_rng(0).normal(size=(20, x.shape[1]))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return np.mean([wasserstein_distance(x @ way, y @ way) for way in ways])


def projected_anew(x, y):
    way = np.random.default_rng().normal(size=x.shape[1])
    return wasserstein_distance(x @ way, y @ way)


def entropic(regularisation):
    def value(x, y):
        cost, a, b = distances(x, y), np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
        kernel = np.exp(-cost / regularisation)
        u = np.ones(len(x))
        for _ in range(100):
            v = b / (kernel.T @ u)
            u = a / (kernel @ v)
        return (u[:, None] * kernel * v * cost).sum()

    return value


def single_plan(x, y):
    return float(ot.emd2([], [], distances(x, y).astype(np.float32)))


def gauss_kl(x, y):
    return (
        math.log(y.std() / x.std()) + (x.var() + (x.mean() - y.mean()) ** 2) / (2 * y.var()) - 0.5
    )


def cells(x):
    return np.histogram(x, 4, (0, 1))[0] / len(x)


class Remembering:
    """The first answer for a shape is given ever after."""

    def __init__(self):
        self.known = {}

    def __call__(self, p, q):
        return self.known.setdefault(p.shape, dv.kl_divergence(p, q))


counter = itertools.count()


def drifting(p, q):
    return dv.kl_divergence(p, q) * (1 + 1e-3 * (next(counter) % 7))


SUBTLE = (
    Mutant("clipped at 1e-8", clipped(1e-8), "clipped or smoothed at 1e-08", f_divergence()),
    Mutant("clipped at 1e-12", clipped(1e-12), "clipped or smoothed at 1e-12", f_divergence(KL)),
    Mutant("q kept above 1e-3", lambda p, q: weighted_log(p, np.maximum(q, 1e-3)),
           "clipped or smoothed at 0.001", f_divergence()),
    Mutant("q plus 1e-20", lambda p, q: weighted_log(p, q + 1e-20), "clipped or smoothed at 1e-20",
           f_divergence()),
    Mutant("log of tensors plus 1e-9",
           lambda p, q: (p * ((p + 1e-9).log() - (q + 1e-9).log())).sum(),
           "clipped or smoothed at 1e-09", f_divergence(KL)),
    Mutant("capped", lambda p, q: min(dv.kl_divergence(p, q), 100.0), "where no mass is zero",
           f_divergence()),
    Mutant("half of TV, one-sided", lambda p, q: np.maximum(p - q, 0).sum() / 2,
           "half of total_variation", f_divergence(TV)),
    Mutant("the largest difference", lambda p, q: np.abs(p - q).max(), "largest difference",
           f_divergence()),
    Mutant("Euclidean", lambda p, q: np.linalg.norm(p - q), "Euclidean", f_divergence()),
    Mutant("sorted entries", lambda p, q: np.abs(np.sort(p) - np.sort(q)).sum() / 2,
           "it is zero where the laws differ", metric()),
    Mutant("the first atom alone", lambda p, q: abs(p[0] - q[0]),
           "it is zero where the laws differ", metric()),
    Mutant("the last atom alone", lambda p, q: abs(p[-1] - q[-1]),
           "it is zero where the laws differ", metric()),
    Mutant("cumulative", lambda p, q: np.abs(np.cumsum(p - q)).sum(), "points 0, 1, 2",
           f_divergence(TV)),
    Mutant("cross-entropy",
           lambda p, q: -np.where(p > 0, p * np.log(np.maximum(q, 1e-300)), 0).sum(),
           "cross-entropy", f_divergence(KL)),
    Mutant("absolute terms", lambda p, q: np.abs(rel_entr(p, q)).sum(), "absolute values",
           f_divergence()),
    Mutant("positive terms", lambda p, q: np.maximum(rel_entr(p, q), 0).sum(), "negative terms",
           f_divergence(KL)),
    Mutant("the larger KL", lambda p, q: max(rel_entr(p, q).sum(), rel_entr(q, p).sum()),
           "the larger of", f_divergence()),
    Mutant("the smaller KL", lambda p, q: min(rel_entr(p, q).sum(), rel_entr(q, p).sum()),
           "the smaller of", f_divergence()),
    Mutant("Renyi of order 2", renyi, "Renyi divergence of order 2; it does not add up",
           f_divergence(KL)),
    Mutant("Bhattacharyya", dv.bhattacharyya_distance, "no triangle inequality", metric()),
    Mutant("Hellinger as an f-divergence", dv.hellinger_distance, "its square is one",
           f_divergence()),
    Mutant("squared Hellinger", lambda p, q: dv.hellinger_distance(p, q) ** 2,
           "its square root has", metric()),
    Mutant("chi squared", dv.chi_squared_divergence, "not symmetric", metric()),
    Mutant("half of JS", half_js, "one half of Jensen-Shannon only", f_divergence(JS)),
    Mutant("midpoint not halved", unhalved_midpoint, "m = p + q, not halved", f_divergence()),
    Mutant("geometric midpoint", lambda p, q: (rel_entr(p, q) + rel_entr(q, p)).sum() / 4,
           "geometric mean", f_divergence(JS)),
    Mutant("root of a rounding error", lambda p, q: np.sqrt(1 - np.sqrt(p * q).sum()),
           "rounding error below zero", metric(max_examples=60)),
    Mutant("a drifting state", drifting, "keeps a state", f_divergence()),
    Mutant("a cache by shape", Remembering(), "the arguments are not used", f_divergence(KL)),
    Mutant("new directions each time", projected_anew, "draws at random", metric()),
    Mutant("spacing left out", lambda x, y: steps(x, y).sum(), "spacing of the points", ipm()),
    Mutant("spacing left out, a mean", lambda x, y: steps(x, y).mean(), "spacing of the points",
           metric(W1)),
    Mutant("Kolmogorov-Smirnov", lambda x, y: steps(x, y).max(), "Kolmogorov-Smirnov", metric(W1)),
    Mutant("W_infinity", lambda x, y: np.abs(np.sort(x) - np.sort(y)).max(), "W_infinity", ipm()),
    Mutant("sliced", projected, "a sliced distance", metric(W1)),
    Mutant("axes only", axes_only, "the same marginals", metric()),
    Mutant("chebyshev", lambda x, y: dv.wasserstein1(x, y, metric="chebyshev"), "chebyshev",
           metric(W1)),
    Mutant("times d", lambda x, y: dv.wasserstein1(x, y) * x.shape[1], "times the dimension",
           metric(W1)),
    Mutant("W_1 for W_2", dv.wasserstein1, "it is wasserstein1", metric("wasserstein2")),
    Mutant("all pairs", lambda x, y: distances(x, y).mean(), "costs are not minimised", metric()),
    Mutant("Sinkhorn", entropic(0.5), "blurred by entropy (Sinkhorn, regularisation about 0.5)",
           metric()),
    Mutant("Hausdorff", hausdorff, "the same support", metric()),
    Mutant("Chamfer", chamfer, "Chamfer", metric()),
    Mutant("means", means, "the same mean", metric()),
    Mutant("means and variances", moments, "the same mean and variance", metric()),
    Mutant("energy without its root", dv.energy_distance, "without its root", metric()),
    Mutant("costs in single precision", single_plan, "single precision", metric(W1)),
    Mutant("rows sorted together", lambda x, y: means(np.sort(x, 0), np.sort(y, 0)),
           "the same mean", metric(domain="samples")),
    Mutant("means as W1", lambda x, y: abs(x.mean() - y.mean()), "only the means", estimator(W1)),
    Mutant("W_2 as W1", lambda x, y: math.sqrt(ot.wasserstein_1d(x, y, p=2)), "times the truth",
           estimator(W1)),
    Mutant("swapped samples", lambda x, y: kl_knn(y, x), "swapped arguments", estimator(KL)),
    Mutant("bits of an estimate", lambda x, y: kl_knn(x, y) / math.log(2), "base 2", estimator(KL)),
    Mutant("root of an estimate", lambda x, y: dv.js_distance(cells(x), cells(y)), "square root",
           estimator(JS)),
    Mutant("normal laws", gauss_kl, "times the truth", estimator(KL)),
    Mutant("a constant", lambda x, y: 0.3, "the samples are not used", estimator(W1)),
    Mutant("minus W1", lambda x, y: -dv.wasserstein1(x, y), "a wrong sign", estimator()),
    Mutant("pairs of samples", lambda x, y: np.abs(x - y).mean(), "", estimator()),
    Mutant("tensors, in single precision",
           lambda p, q: (p.float() - q.float()).abs().sum().double() / 2, "single precision",
           f_divergence(TV)),
)  # fmt: skip
"""Their diagnoses must name the mistake, their counterexamples be small."""
