"""Normal laws in space, and products: integrals and other ways that they must agree with."""

import functools
import math
import sys

import mpmath as mp
import numpy as np
import torch


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

        return variation, mp.quad(integrand, [0, 0.1, 1, 3, 8, 20, 50, 150, 400, 2000])


def space_is_wrong(package):
    law = package.MultivariateNormal
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    for dimension, variance in (
        (2, 2.5),
        (3, 2.5),
        (3, 1.0009765625),
        (5, 0.25),
        (10, 7.0),
        (4, 1.0 + 2.0**-20),
    ):
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
        thin = [law([1.0, m, 2.0], np.diag([1.0, s * s, 0.0])) for m, s in line]
        if name != "wasserstein1" and not abs(float(function(*thin)) / truth - 1.0) < 1e-13:
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
    balls = law(np.zeros(3), 9.0), law(np.zeros(3), 1.0)
    mean_norm = 4.0 * np.sqrt(2.0 / np.pi)
    longer = law([1.0, 2.0], [4.0, 1.0]), law([1.0, 2.0], [9.0, 1.0])
    flat = law(np.zeros(2), [1.0, 0.0]), law([0.0, 1.0], [1.0, 0.0])
    return not (
        abs(value / float(truth) - 1.0) < 1e-13
        and abs(float(package.wasserstein1(*shifted)) - 5.0) < 1e-14
        and abs(float(package.wasserstein1(*balls)) - mean_norm) < 1e-14
        and abs(float(package.wasserstein1(*longer)) - np.sqrt(2.0 / np.pi)) < 1e-15
        and all(_flat_agrees(package, scale) for scale in (1e-6, 1.0, 1e6))
        and _shifted_agrees(package)
        and [float(getattr(package, n)(*flat)) for n in ("total_variation", "kl_divergence")]
        == [1.0, np.inf]
    )  # fmt: skip


def _flat_agrees(package, scale):
    """Laws on a line in the plane, in units of any size, and such that leave it."""
    root = scale * np.array([0.6, 0.8])
    flat = np.outer(root, root)
    law, normal = package.MultivariateNormal, package.Normal
    pair = law(0.5 * root, 2.0 * flat), law(0.0 * root, flat)
    lines = normal(0.5, np.sqrt(2.0)), normal(0.0, 1.0)
    away = law(0.5 * root + scale * np.array([0.8, -0.6]), 2.0 * flat), law(0.0 * root, flat)
    wider = law(0.0 * root, flat + 1e-3 * scale**2 * np.eye(2)), law(0.0 * root, flat)
    for name in ("total_variation", "kl_divergence", "js_divergence"):
        function = getattr(package, name)
        if not abs(float(function(*pair)) / float(function(*lines)) - 1.0) < 1e-9:
            return False
        end = {"total_variation": 1.0, "kl_divergence": np.inf}.get(name, float(mp.log(2)))
        if any(float(function(*laws)) != end for laws in (away, wider)):
            return False
    return float(package.total_variation(*wider[::-1])) == 1.0


def _shifted_agrees(package):
    """Two variances and a third mean: no integral over a plane."""
    shift, excess = np.array([0.2, -0.3, 0.8]), np.array([0.5, -0.3, 0.0])
    laws = (
        package.MultivariateNormal(shift, 1.0 + excess),
        package.MultivariateNormal([0.0] * 3, 1.0),
    )
    other = sys.modules["divergences.closed_forms._normal_space"]
    truth = other.of_normals("total_variation", shift, (1.0 + excess) - 1.0)
    return abs(float(package.total_variation(*laws)) / truth - 1.0) < 1e-12


def plane_is_wrong(package):
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
        and all(_plane_agrees(package, *pair) for pair in _plane_pairs())
    )


@functools.cache
def _plane_pairs():
    """Shifts and excesses of the variances, of all signs, near and far."""
    rng = np.random.default_rng(4)
    pairs = [(rng.normal(size=2), np.exp(rng.normal(size=2)) - 1.0) for _ in range(6)]
    pairs += [(1e-5 * rng.normal(size=2), 1e-5 * rng.normal(size=2)) for _ in range(2)]
    return [
        *pairs,
        (np.zeros(2), np.array([0.5, -0.4])),
        (np.array([4.0, -3.0]), pairs[0][1]),
        (np.array([0.3, 0.7]), np.array([0.5, 0.0])),
        (np.zeros(2), np.array([50.0, -0.9996])),
        (np.array([3.0, 0.0]), np.array([50.0, 40.0])),
        (np.array([1e-8, 0.0]), np.array([3e-8, -2e-8])),
        (np.array([0.3, -0.2]), np.array([1e-9, -0.8])),
    ]


def _plane_agrees(package, shift, excess):
    """The integral over lines gives what the one over frequencies does."""
    laws = (
        package.MultivariateNormal(shift, 1.0 + excess),
        package.MultivariateNormal([0.0] * 2, 1.0),
    )
    other = sys.modules["divergences.closed_forms._normal_space"]
    truth = other.of_normals("total_variation", shift, (1.0 + excess) - 1.0)
    first = np.argsort(-np.abs(excess))
    plane = sys.modules["divergences.closed_forms._normal_plane"]
    lines = plane.total_variation(shift[first], (1.0 + excess)[first] - 1.0)
    if not abs(lines - truth) < 1e-14:  # an absolute error, so that small values go elsewhere
        return False
    return abs(float(package.total_variation(*laws)) / truth - 1.0) < 1e-11


def products_are_wrong(package):
    """KL adds up over factors; of the rest one differing factor decides, or a disjoint one."""
    pairs = [(package.Normal(0.3, 1.2), package.Normal(-0.4, 0.8)),
             (package.Uniform(0.0, 1.0), package.Uniform(0.0, 2.0)),
             (package.Poisson(1.5), package.Poisson(2.5))]  # fmt: skip
    both = [package.Product(side) for side in zip(*pairs, strict=True)]
    total = sum(float(package.kl_divergence(*pair)) for pair in pairs)
    if not abs(float(package.kl_divergence(*both)) / total - 1.0) < 1e-14:
        return True
    for name in ("total_variation", "js_divergence", "wasserstein1"):
        function = getattr(package, name)
        one = [package.Product([pairs[1][0], law]) for law in pairs[0]]
        if float(function(*one)) != float(function(*pairs[0])):
            return True
        if float(function(one[0], one[0])) != 0.0:
            return True
    normals = ((0.3, 1.2), (-0.4, 0.8)), ((0.0, 0.7), (0.2, 1.9))
    several = [package.Product([package.Normal(*v) for v in law]) for law in normals]
    plain = [
        package.MultivariateNormal([m for m, _ in law], np.diag([s * s for _, s in law]))
        for law in normals
    ]
    for name in ("total_variation", "js_divergence"):
        function = getattr(package, name)
        if not abs(float(function(*several)) / float(function(*plain)) - 1.0) < 1e-12:
            return True
    far = package.Uniform(0.0, 1.0), package.Uniform(5.0, 6.0)
    apart = [package.Product([a, b]) for a, b in zip(pairs[0], far, strict=True)]
    return float(package.total_variation(*apart)) != 1.0


def _translations_are_wrong(package):
    """Normal laws of one covariance, equal ones, and balls about one centre, with derivatives."""
    tensor = functools.partial(torch.tensor, dtype=torch.float64, requires_grad=True)
    mean, other, size = tensor([0.4, -0.1]), tensor([0.16, -0.42]), tensor(2.0)
    pair = package.MultivariateNormal(mean, 1.0), package.MultivariateNormal(other, 1.0)
    (slope,) = torch.autograd.grad(package.wasserstein1(*pair), mean)
    variation = float(package.total_variation(*pair).detach())
    wrong = not torch.allclose(slope, (mean - other).detach() / 0.4, rtol=1e-13)
    wrong |= not abs(variation / math.erf(0.2 / math.sqrt(2.0)) - 1.0) < 1e-14
    for name in ("total_variation", "js_divergence"):  # a minimum
        equal = pair[0], package.MultivariateNormal(mean.detach(), 1.0)
        (slope,) = torch.autograd.grad(getattr(package, name)(*equal), mean)
        wrong |= bool(slope.any())
    centred = package.MultivariateNormal(other, size), package.MultivariateNormal(other, 1.0)
    (slope,) = torch.autograd.grad(package.wasserstein1(*centred), size)
    return wrong or not abs(float(slope) - math.sqrt(math.pi / 16.0)) < 1e-12


def _ends_of_slopes_are_wrong(package):
    """Derivatives at common ends of two supports, and of infinite values."""
    tensor = functools.partial(torch.tensor, dtype=torch.float64, requires_grad=True)
    low, high, share = tensor(0.0), tensor(2.0), tensor(0.25)
    pair = package.Uniform(low, high), package.Uniform(0.0, 1.0)
    found = torch.autograd.grad(package.wasserstein1(*pair), (low, high))
    if [float(v) for v in found] != [0.5, 0.5]:
        return True
    for chance in (0.0, 1.0):
        value = package.kl_divergence(package.Bernoulli(share), package.Bernoulli(tensor(chance)))
        (slope,) = torch.autograd.grad(value, share)
        if value != math.inf or slope != 0.0:
            return True
    return False


def slopes_are_wrong(package):
    """Derivatives of normal laws' divergences in means and covariances against differences."""
    if _translations_are_wrong(package) or _ends_of_slopes_are_wrong(package):
        return True
    numbers = [0.3, -0.2, 1.4, 0.3, 0.9, -0.5, 0.1, 0.8, -0.1, 1.7]

    def value(name, v):
        rows = [((v[k], v[k + 1]), ((v[k + 2], v[k + 3]), (v[k + 3], v[k + 4]))) for k in (0, 5)]
        if torch.is_tensor(v):
            rows = [(torch.stack(m), torch.stack([torch.stack(r) for r in c])) for m, c in rows]
        return getattr(package, name)(*(package.MultivariateNormal(*row) for row in rows))

    along = torch.tensor([0.6, 0.8, 0.0], dtype=torch.float64)
    flat, mean = torch.outer(along, along), (0.5 * along).requires_grad_()
    pair = package.MultivariateNormal(mean, flat), package.MultivariateNormal(0.0 * along, flat)
    (slopes,) = torch.autograd.grad(package.kl_divergence(*pair), mean)
    if not torch.allclose(slopes, 0.5 * along, rtol=1e-12, atol=1e-14):
        return True
    for name in ("kl_divergence", "js_divergence", "total_variation"):
        leaf = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        (slopes,) = torch.autograd.grad(value(name, leaf), leaf)
        for index, slope in enumerate(slopes.tolist()):
            ends = []
            for step in (1e-4, -1e-4):
                moved = list(numbers)
                moved[index] += step
                ends.append(float(value(name, moved)))
            if not abs((ends[0] - ends[1]) / 2e-4 - slope) < 1e-6:
                return True
    return False
