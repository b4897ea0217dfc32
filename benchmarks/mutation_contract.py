"""What the contract fixes beside values, as a check of one imported ``divergences``."""

import functools
import math
import sys

import mpmath as mp
import numpy as np
import torch

from .mutation_vectors import truths_of

NAMES = ("total_variation", "kl_divergence", "js_divergence")


def contract_is_broken(package):
    """Whether axes, bases, ends, or derivatives at -inf are not as documented."""
    return (
        _axes_are_wrong(package)
        or _ends_are_inexact(package)
        or _long_rows_are_wrong(package)
        or _slopes_of_logits_are_wrong(package)
        or _slopes_of_neighbours_are_wrong(package)
        or _bends_of_logits_are_wrong(package)
    )


def compiled_is_wrong(package):
    """Large defects of masses, caps and bad entries on the ways of kernels and of blocks."""
    compiled = sys.modules["divergences._vector_compiled"]
    kept = compiled.LARGE, compiled.BLOCK
    try:
        for large, block in ((0, 16), (0, 64), kept):
            compiled.LARGE, compiled.BLOCK = large, block
            if _defects_are_wrong(compiled) or _ends_are_inexact(package):
                return True
            for bad in ([-0.5, 1.5], [0.5, -5e-324, 0.5]):
                good = np.full(len(bad), 1.0 / len(bad))
                for pair in ((np.array(bad), good), (good, np.array(bad))):
                    if any(compiled.evaluate(name, *pair).in_order(1e-3) for name in NAMES):
                        return True
        if _kernels_are_wrong(compiled):
            return True
    finally:
        compiled.LARGE, compiled.BLOCK = kept
    return False


def _kernels_are_wrong(compiled):
    """Terms one by one, for the sums fall back to other ways, and rows of several pieces."""
    kernels = sys.modules["divergences._vector_kernels"]
    zero = np.float64(0.0)
    if kernels.js_term(zero, zero, zero) != 0.0 or kernels.kl_term(zero, zero) != 0.0:
        return True
    one, small = np.float64(1.0), np.float64(2.0**-70)
    if kernels.add(one, 3 * small, small) != (1.0, 4 * small):
        return True
    if kernels.add(small, 2.0**-130 * one, one) != (1.0, small + 2.0**-130):
        return True
    for (p, q), js, kl in _terms():
        found = kernels.js_term(abs(p - q), p + q, min(p, q)), kernels.kl_term(p, q)
        for value, truth in zip(found, (js, kl), strict=True):
            if value != truth and not abs(value - truth) < 1e-14 * truth:
                return True
    compiled.LARGE, compiled.BLOCK = 0, 2048
    return any(
        not abs(compiled.evaluate(name, p, q).value - truth) <= 8 * 2.0**-52 * truth
        for name, truth, p, q in _long_pairs()
    )


@functools.cache
def _terms():
    pairs = ((0.5, 0.25), (0.5, 0.05), (0.3, 0.29), (0.1, 0.9), (0.2, 0.0), (0.0, 0.2))
    cases = []
    with mp.workdps(40):
        for p, q in pairs:
            a, b = mp.mpf(p), mp.mpf(q)
            js = mp.fsum(v * mp.log(2 * v / (a + b)) for v in (a, b) if v) / 2
            kl = a * mp.log(a / b) - a + b if a and b else (mp.inf if a else b)
            cases.append(((np.float64(p), np.float64(q)), float(js), float(kl)))
    return cases


@functools.cache
def _long_pairs():
    rng, cases = np.random.default_rng(8), []
    for size in (1e-6, 1.0):
        p = rng.dirichlet(np.full(1100, 2.0))
        q = p * np.exp(size * rng.normal(size=1100))
        p, q = p * (1.0 + 1e-5), q / q.sum()
        with mp.workdps(50):
            exact = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
            truths = truths_of(*([v / mp.fsum(vector) for v in vector] for vector in exact))
        cases += [(name, float(t), p, q) for name, t in zip(NAMES, truths[:3], strict=True)]
    return cases


def _defects_are_wrong(compiled):
    """Masses as far from 1 as float32 allows, whatever the distance of the laws."""
    for name, truth, p, q in _defects():
        found = compiled.evaluate(name, p, q)
        if not abs(found.value - truth) <= 8 * 2.0**-52 * truth:
            return True
        if not (abs(found.p_mass - p.sum()) < 1e-14 and abs(found.q_mass - q.sum()) < 1e-14):
            return True
    return False


@functools.cache
def _defects():
    rng, cases = np.random.default_rng(7), []
    for size in (1e-9, 3e-3, 0.1, 1.0):
        for off in ((5e-4, -5e-4), (-5e-4, 5e-4), (4e-7, -3e-7), (5e-4, 5e-4)):
            p = rng.dirichlet(np.full(30, 4.0))
            q = p * np.exp(size * rng.normal(size=30))
            p, q = p * (1.0 + off[0]), q / q.sum() * (1.0 + off[1])
            with mp.workdps(60):
                exact = ([mp.mpf(float(v)) for v in vector] for vector in (p, q))
                truths = truths_of(*([v / mp.fsum(vector) for v in vector] for vector in exact))
            cases += [(name, float(t), p, q) for name, t in zip(NAMES, truths[:3], strict=True)]
    return cases


def _axes_are_wrong(package):  # noqa: PLR0911
    p, q = np.array([0.125, 0.375, 0.5]), np.array([0.25, 0.25, 0.5])
    for name in (*NAMES, "js_distance"):
        function = getattr(package, name)
        value = function(p, q)
        rows = np.stack([p, p[::-1]]), np.stack([q, q[::-1]])
        if not np.allclose(function(*(r.T.copy() for r in rows), axis=0), value, rtol=1e-15):
            return True
        # Both axes of these sum to 1, so that only the answer tells which was meant.
        both = (
            np.stack([np.roll(p, k) for k in range(3)]),
            np.stack([np.roll(q, -k) for k in range(3)]),
        )
        if not np.allclose(function(*both, axis=0), function(*(m.T for m in both)), rtol=1e-14):
            return True
        if function(p, q, axis=0) != value:
            return True
        if _passes(lambda f=function: f(p, q, axis=1)):
            return True
        if _passes(lambda f=function: f(np.ones(1), q)) or _passes(lambda f=function: f(p, q[:2])):
            return True
    for name in ("kl_divergence", "js_divergence"):
        function = getattr(package, name)
        if abs(function(p, q, base=2) * math.log(2.0) / function(p, q) - 1.0) > 1e-15:
            return True
    return False


def _passes(call):
    try:
        call()
    except ValueError:
        return False
    return True


def _long_rows_are_wrong(package):
    """Rows of more entries than a block have the bits that each has alone."""
    rng = np.random.default_rng(8)
    p, near = rng.dirichlet(np.ones(17_000), size=(2, 2))
    q = p[0] * np.exp(1e-3 * rng.normal(size=17_000))
    pairs = np.stack([p[0], p[0]]), np.stack([near[0], q / q.sum()])
    return any(
        getattr(package, name)(*pairs).tolist()
        != [getattr(package, name)(*(v[row] for v in pairs)) for row in (0, 1)]
        for name in NAMES
    )


def _ends_are_inexact(package):
    """Equal vectors give 0, disjoint ones the caps, to the bit, on every way."""
    rng = np.random.default_rng(3)
    caps = {"total_variation": 1.0, "js_divergence": math.log(2.0), "js_distance": 0.0}
    caps["js_distance"] = math.sqrt(caps["js_divergence"])
    caps |= {"hellinger_distance": 1.0, "bhattacharyya_distance": math.inf}
    for count in (2, 3, 7, 11):
        p, q = np.zeros((2, 40, 2 * count))
        p[:, :count], q[:, count:] = rng.dirichlet(np.ones(count), size=(2, 40))
        near = [v + 1e-40 * rng.uniform(size=v.shape) for v in (p, q)]
        tensors = [torch.from_numpy(v) for v in (p, q, *near)]
        for name, cap in caps.items():
            function = getattr(package, name)
            mapped = torch.vmap(function)
            values = [function(p[0], q[0]), *function(p, q), *mapped(*tensors[:2]).tolist()]
            zeros = [function(p[0], p[0]), *function(p, p), *mapped(tensors[0], tensors[0])]
            if any(v != cap for v in values) or any(zeros):
                return True
            if max(*function(*near), *mapped(*tensors[2:]).tolist()) > cap:
                return True
    return False


def _slopes_of_neighbours_are_wrong(package):
    """Hellinger, Bhattacharyya, chi-squared at zeros of one law and of both, by their formulas."""
    pairs = [
        ([0.0, 0.25, 0.5, 0.25, 0.0], [0.25, 0.0, 0.25, 0.5, 0.0]),
        ([0.9, 0.1, 0.0], [0.001, 0.0, 0.999]),
        ([0.0, 0.25, 0.75, 0.0], [0.25, 0.5, 0.25, 0.0]),
    ]
    for p, q in [tuple(map(np.array, pair)) for pair in pairs]:
        square = 0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum()
        for name, scale in (
            ("hellinger", 0.5 / math.sqrt(square)),
            ("bhattacharyya", 1.0 / (1.0 - square)),
        ):
            expected = [scale * _of_square(p, q), scale * _of_square(q, p)]
            if not _agree(getattr(package, f"{name}_distance"), p, q, expected):
                return True
    q_or_one = np.where(q > 0, q, 1.0)  # of the last pair, whose chi-squared is finite
    of_p, of_q = 2.0 * (p - q) / q_or_one, np.where(q > 0, 1.0 - (p / q_or_one) ** 2, 1.0)
    expected = [np.where(p + q > 0, of_p - p @ of_p, 0.0), of_q - q @ of_q]
    return not _agree(package.chi_squared_divergence, p, q, expected)


def _of_square(p, q):
    both = (p > 0) & (q > 0)
    slopes = 0.5 - 0.5 * np.sqrt(np.where(both, q, 0.0) / np.where(both, p, 1.0))
    return np.where((p == 0) & (q > 0), 0.0, slopes - p @ slopes)


def _bends_of_logits_are_wrong(package):
    """Second derivatives, which pass through what is 0 to first order."""
    x = torch.tensor([0.3, -0.2, 1.0, -0.7, 0.4, 0.1], dtype=torch.float64)

    def kl(p, q):
        return (p * (p / q).log()).sum()

    def js(p, q):
        middle = 0.5 * (p + q)
        return 0.5 * (kl(p, middle) + kl(q, middle))

    for name, textbook in (("kl_divergence", kl), ("js_divergence", js)):
        function = getattr(package, f"{name}_from_logits")
        found, expected = (
            torch.autograd.functional.hessian(of, x)
            for of in (
                lambda v, f=function: f(v[:3], v[3:]),
                lambda v, f=textbook: f(v[:3].softmax(-1), v[3:].softmax(-1)),
            )
        )
        if not torch.allclose(found, expected, rtol=1e-11, atol=1e-13):
            return True
    return False


def _agree(function, p, q, expected):
    leaves = [torch.tensor(v, requires_grad=True) for v in (p, q)]
    found = torch.autograd.grad(function(*leaves), leaves)
    return all(
        np.allclose(one.numpy(), two, rtol=1e-12, atol=1e-15)
        for one, two in zip(found, expected, strict=True)
    )


def _slopes_of_logits_are_wrong(package):
    """The derivatives are those of the probabilities' function behind a softmax, at -inf too."""
    tensor = functools.partial(torch.tensor, dtype=torch.float64)
    pairs = [
        (tensor([0.3, -0.2, 1.0]), tensor([-0.7, 0.4, 0.1])),
        (tensor([0.3, -math.inf, 1.0, 0.2]), tensor([-0.7, 0.4, 0.1, -0.3])),
        (tensor([0.3, 0.6, 1.0, -math.inf]), tensor([-0.7, -math.inf, 0.1, -0.3])),
    ]
    apart = [tensor(v).requires_grad_() for v in ([0.25, 0.75, 0.0], [0.0, 0.5, 0.5])]
    slopes = torch.autograd.grad(package.kl_divergence(*apart), apart)
    if any(bool(slope.any()) for slope in slopes):  # of an infinite value
        return True
    zeros = [tensor(v) for v in ([0.0, 0.25, 0.75, 0.0], [0.5, 0.0, 0.25, 0.25])]
    for name in ("total_variation", "js_divergence"):  # each law's derivative is the other's
        sides = []
        for pair in (zeros, zeros[::-1]):
            leaves = [v.clone().requires_grad_() for v in pair]
            sides.append(torch.autograd.grad(getattr(package, name)(*leaves), leaves))
        if not all(torch.equal(a, b) for a, b in zip(sides[0], sides[1][::-1], strict=True)):
            return True
    for name in NAMES:
        for pair in (*pairs, *(pair[::-1] for pair in pairs)):
            leaves = [v.clone().requires_grad_() for v in pair]
            value = getattr(package, f"{name}_from_logits")(*leaves)
            found = torch.autograd.grad(value, leaves)
            other = [v.clone().requires_grad_() for v in pair]
            plain = getattr(package, name)(*(v.softmax(-1) for v in other))
            expected = torch.autograd.grad(plain, other)
            for one, two in zip(found, expected, strict=True):
                if not torch.allclose(one, two, rtol=1e-12, atol=1e-14):
                    return True
    return False


def bad_input_passes(package, names):
    """Whether a vector that is no probability vector is taken."""
    bad = ([-0.5, 1.5], [0.5, 0.6], [math.nan, 1.0])
    for name in names:
        for vector in bad:
            for pair in ((vector, [0.5, 0.5]), ([0.5, 0.5], vector)):
                try:
                    getattr(package, name)(*(np.array(v) for v in pair))
                except ValueError:
                    continue
                return True
    return False
