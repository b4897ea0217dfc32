"""Wrong functions: each makes one mistake that was seen in the field, or that is easily made."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import ot
import torch
from scipy.spatial.distance import cdist, jensenshannon
from scipy.special import rel_entr

import divergences as dv
from divergences.testing.laws._reference import squared_wasserstein2


@dataclass(frozen=True)
class Mutant:
    """A wrong function, how it is checked, and what its diagnosis must say."""

    fault: str
    function: Any
    diagnosis: str
    options: dict[str, Any] = field(default_factory=dict)


def f_divergence(reference=None, **more):
    return {"kind": "f-divergence", "reference": reference, **more}


KL, JS, TV = "kl_divergence", "js_divergence", "total_variation"


def midpoint_js(p, q):
    m = (p + q) / 2
    return 0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum()


def noisy_root(p, q):
    m = (p + q) / 2
    return np.sqrt(0.5 * (rel_entr(p, m) + rel_entr(q, m)).sum())


def categorical(p, q):
    first, second = (torch.distributions.Categorical(probs=vector) for vector in (p, q))
    return torch.distributions.kl_divergence(first, second)


def gradient_trap(p, q):
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum()


def single(p, q):
    p, q = p.astype(np.float32), q.astype(np.float32)
    return float(rel_entr(p, q).sum())


def underflowing(p, q):
    return rel_entr(p, np.where(q < 1e-38, 0.0, q)).sum()


def finite_terms(p, q):
    return rel_entr(p, q)[q > 0].sum()


def nan_for_infinite(p, q):
    value = rel_entr(p, q).sum()
    return value if np.isfinite(value) else np.nan


def knn_kl(x, y, k=1):
    """Wang, Kulkarni and Verdu, without a thought for ties."""
    x, y = np.sort(x)[:, None], y[:, None]
    rho = np.sort(cdist(x, x), axis=1)[:, k]
    nu = np.sort(cdist(x, y), axis=1)[:, k - 1]
    with np.errstate(all="ignore"):
        return np.log(nu / rho).mean() + np.log(len(y) / (len(x) - 1))


def kernel_js(x, y, width=0.01):
    """Jensen-Shannon of two kernel density estimates, summed without the width of the cells."""
    grid = np.linspace(0, 1, 50)
    p, q = (np.exp(-((grid[:, None] - v) ** 2) / (2 * width**2)).mean(axis=1) for v in (x, y))
    return midpoint_js(p, q) / (width * np.sqrt(2 * np.pi))


def energy(x, y):
    return cdist(x, y).mean() - cdist(x, x).mean() / 2 - cdist(y, y).mean() / 2


def bootstrap(x, y, level):
    rng = np.random.default_rng(0)
    values = [dv.wasserstein1(rng.choice(x, 100), rng.choice(y, 100)) for _ in range(40)]
    return tuple(np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))


FIELD = (
    # SciPy
    Mutant("jensenshannon is the square root", jensenshannon, "square root", f_divergence()),
    Mutant("jensenshannon normalises silently", jensenshannon, "silently normalises",
           {"kind": "metric", "reference": "js_distance"}),
    Mutant("jensenshannon reduces axis 0", jensenshannon, "axis 0",
           {"kind": "metric", "batch": True, "reference": "js_distance"}),
    Mutant("NaN for near-equal pairs", noisy_root, "rounding error below zero",
           {"kind": "metric", "max_examples": 200}),
    Mutant("inf at a subnormal", midpoint_js, "underflows", f_divergence(JS)),
    # torch
    Mutant("F.kl_div takes (log q, p)", lambda p, q: torch.nn.functional.kl_div(p, q), "",
           f_divergence()),
    Mutant("F.kl_div's default is a mean",
           lambda p, q: torch.where(p > 0, p * (p / q).log(), 0.0).mean(), "mean instead of",
           f_divergence(KL)),
    Mutant("NaN gradient at target 0", gradient_trap, "mask zeros before", f_divergence()),
    Mutant("NaN for -inf log-targets",
           lambda p, q: torch.nn.functional.kl_div(q.log(), p.log(), log_target=True,
                                                   reduction="sum"),
           "NaN at a zero", f_divergence(KL)),
    Mutant("Bernoulli in single precision is infinite", underflowing, "a probability underflows",
           f_divergence(KL)),
    Mutant("Categorical clamps at eps", categorical, "clipped", f_divergence(KL)),
    # torchmetrics
    Mutant("NaN where inf is right", nan_for_infinite, "NaN", f_divergence(KL)),
    Mutant("normalises silently", lambda p, q: dv.kl_divergence(p / p.sum(), q / q.sum()),
           "silently normalises", f_divergence(KL)),
    Mutant("single precision goes negative", single, "single precision",
           f_divergence(max_examples=200)),
    # TensorFlow Probability
    Mutant("JS without the 1/2", lambda p, q: 2 * dv.js_divergence(p, q), "missing 1/2",
           f_divergence(JS)),
    # divergence
    Mutant("TV of disjoint laws is 1/2", lambda p, q: 0.5 * np.abs(p - q)[p > 0].sum(),
           "one-sided grid", f_divergence(TV)),
    Mutant("TV is not symmetric", lambda p, q: 0.5 * np.abs(p - q)[p > 0].sum(),
           "one-sided grid", {"kind": "metric"}),
    Mutant("rounded data: 44 for .125", knn_kl, "repeated values",
           {"kind": "estimator", "reference": KL}),
    # infomeasure
    Mutant("KL is -.693 where it is infinite", finite_terms, "left out", f_divergence(KL)),
    Mutant("a JS of 3.4 > log 2", kernel_js, "times the truth",
           {"kind": "estimator", "reference": JS}),
    # NPEET, universal-divergence
    Mutant("ties give inf", knn_kl, "repeated values", {"kind": "estimator"}),
    Mutant("negative KL", lambda x, y: -knn_kl(x, y), "wrong sign",
           {"kind": "estimator", "reference": KL}),
    # POT
    Mutant("wasserstein_1d(p=2) is squared", lambda x, y: ot.wasserstein_1d(x, y, p=2), "W_p^p",
           {"kind": "metric"}),
    Mutant("emd2_1d is squared", lambda x, y: ot.emd2_1d(x, y), "W_p^p",
           {"kind": "metric", "reference": "wasserstein1"}),
    # GeomLoss
    Mutant("the quadratic cost is halved", lambda x, y: squared_wasserstein2(x, y) / 2,
           "a factor 1/2", {"kind": "metric", "reference": "wasserstein2"}),
    Mutant("half the energy distance", energy, "half the energy distance",
           {"kind": "metric", "domain": "samples"}),
)  # fmt: skip
"""The faults seen in other libraries, one by one."""

EASY = (
    Mutant("swapped", lambda p, q: dv.kl_divergence(q, p), "swapped arguments", f_divergence(KL)),
    Mutant("bits", lambda p, q: dv.kl_divergence(p, q, base=2), "base 2", f_divergence(KL)),
    Mutant("bits of JS", lambda p, q: dv.js_divergence(p, q) / np.log(2), "base 2",
           f_divergence(JS)),
    Mutant("root in bits", lambda p, q: jensenshannon(p, q, base=2), "square root and base 2",
           f_divergence(JS)),
    Mutant("smoothed", lambda p, q: (p * np.log((p + 1e-10) / (q + 1e-10))).sum(), "smoothed",
           f_divergence(KL)),
    Mutant("not guarded", lambda p, q: (p * np.log(p / q)).sum(), "0 log 0", f_divergence()),
    Mutant("Renyi", lambda p, q: -2 * np.log(np.sqrt(p * q).sum()), "", f_divergence()),
    Mutant("zero", lambda p, q: 0.0, "zero where the laws differ", f_divergence()),
    Mutant("raises", lambda p, q: 1 / 0, "ZeroDivisionError", f_divergence()),
    Mutant("a word", lambda p, q: "0", "returned a str", f_divergence()),
    Mutant("a pair", lambda p, q: (0.0, {}), "not one real number", f_divergence()),
    Mutant("complex", lambda p, q: 0j, "complex", f_divergence()),
    Mutant("batch mean", lambda p, q: rel_entr(p, q).sum(axis=-1).mean(), "the batch mean",
           f_divergence(batch=True)),
    Mutant("mean over entries", lambda p, q: rel_entr(p, q).mean(),
           "the mean over all entries instead of the batch mean", f_divergence(KL, batch=True)),
    Mutant("E2: sup over |f| <= 1", lambda p, q: np.abs(p - q).sum(), "missing 1/2",
           {"kind": "ipm", "reference": TV}),
    Mutant("JS as a metric", dv.js_divergence, "js_distance, has", {"kind": "metric"}),
    Mutant("KL as a metric", dv.kl_divergence, "not symmetric", {"kind": "metric"}),
    Mutant("Hellinger as an IPM", lambda p, q: np.linalg.norm(np.sqrt(p) - np.sqrt(q)), "",
           {"kind": "ipm"}),
    Mutant("W_2^2", squared_wasserstein2, "W_p^p", {"kind": "metric"}),
    Mutant("W_2 as an IPM", lambda x, y: squared_wasserstein2(x, y) ** 0.5, "squared cost",
           {"kind": "ipm"}),
    Mutant("W_2 for W_1", lambda x, y: squared_wasserstein2(x, y) ** 0.5, "squared cost",
           {"kind": "metric", "reference": "wasserstein1"}),
    Mutant("cityblock", lambda x, y: dv.wasserstein1(x, y, metric="cityblock"), "cityblock",
           {"kind": "ipm", "reference": "wasserstein1"}),
    Mutant("sum for mean", lambda x, y: dv.wasserstein1(x, y) * len(x), "sum instead of a mean",
           {"kind": "metric", "reference": "wasserstein1"}),
    Mutant("rows paired up", lambda x, y: np.linalg.norm(x - y, axis=-1).mean(), "in the order",
           {"kind": "metric", "domain": "samples"}),
    Mutant("signed", lambda x, y: x.mean() - y.mean(), "", {"kind": "ipm"}),
    Mutant("twice", lambda x, y: 2 * dv.wasserstein1(x, y), "missing 1/2",
           {"kind": "estimator", "reference": "wasserstein1"}),
    Mutant("naive bootstrap", bootstrap, "bootstrap",
           {"kind": "interval", "reference": "wasserstein1", "max_examples": 40}),
    Mutant("ends swapped", lambda x, y, level: (1.0, 0.0), "", {"kind": "interval"}),
    Mutant("no interval", lambda x, y, level: 1.0, "no .lower and .upper", {"kind": "interval"}),
    Mutant("squared cost", lambda cost, a, b: ot.emd(a, b, cost**2), "squared cost",
           {"kind": "coupling-solver"}),
    Mutant("product", lambda cost, a, b: np.outer(a, b), "product of the marginals",
           {"kind": "coupling-solver"}),
    Mutant("transposed", lambda cost, a, b: ot.emd(a, b, cost).T, "",
           {"kind": "coupling-solver"}),
    Mutant("conditional", lambda cost, a, b: ot.emd(a, b, cost) * len(a), "mass",
           {"kind": "coupling-solver"}),
    Mutant("dearest", lambda cost, a, b: ot.emd(a, b, -cost), "a sign is wrong",
           {"kind": "coupling-solver"}),
    Mutant("entropic", lambda cost, a, b: ot.sinkhorn(a, b, cost, 1.0), "",
           {"kind": "coupling-solver"}),
    Mutant("a value", lambda cost, a, b: 1.0, "a plan of shape ()", {"kind": "coupling-solver"}),
)  # fmt: skip
"""Mistakes that anyone makes."""
