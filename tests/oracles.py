"""Truths in high precision, of the exactly normalised inputs."""

import mpmath as mp
import numpy as np

DIGITS = 800  # a subnormal atom beside one of mass 1 takes some 650


def exact_vectors(p, q):
    """Total variation, KL and JS of two float vectors, normalised exactly, as mpf numbers."""
    with mp.workdps(DIGITS):
        first, second = ([mp.mpf(float(entry)) for entry in v] for v in (p, q))
        first = [entry / mp.fsum(first) for entry in first]
        second = [entry / mp.fsum(second) for entry in second]
        pairs = list(zip(first, second, strict=True))
        variation = mp.fsum(abs(a - b) for a, b in pairs) / 2
        singular = any(a > 0 and b == 0 for a, b in pairs)
        kl = mp.inf if singular else mp.fsum(a * mp.log(a / b) for a, b in pairs if a > 0)
        halves = [
            (a * mp.log(2 * a / (a + b)) if a else 0) + (b * mp.log(2 * b / (a + b)) if b else 0)
            for a, b in pairs
        ]
        return variation, kl, mp.fsum(halves) / 2


def error_in_eps(value, truth):
    """abs(value - truth)/truth in units of 2**-52; one subnormal spacing is forgiven."""
    if mp.isinf(truth):
        return 0.0 if value == np.inf else np.inf
    with mp.workdps(DIGITS):
        error = abs(mp.mpf(float(value)) - truth)
        if error <= mp.mpf(2) ** -1074:
            return 0.0
        return float(error / truth * mp.mpf(2) ** 52)
