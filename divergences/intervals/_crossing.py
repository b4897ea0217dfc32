r"""The probability that uniform order statistics stay between two boundaries.

The empirical process of n uniform draws is a Poisson process of rate n on [0, 1], given that it
ends at n. Its counts are propagated from one boundary point to the next, and what leaves the
allowed range is dropped. All terms are non-negative, and Poisson tails beyond some nine standard
deviations are dropped too, so the result errs (by less than 1e-12) to the safe side only.
"""

import math

import numpy as np

from .._typing import Float64Array, IntArray

_DIRECT = 200_000  # products of a convolution above which Fourier transforms are faster


def staying_probability(
    count: int, ranks: IntArray, low: Float64Array, high: Float64Array
) -> float:
    r"""P(low_k <= U_(ranks_k) <= high_k for all k), of ``count`` uniform draws.

    Parameters
    ----------
    count : number n of draws
    ranks : increasing ranks in 1..n, shape (K,)
    low, high : increasing bounds in [0, 1], shape (K,)

    Notes
    -----
    Cost: 2K convolutions of the counts that are allowed, O(sqrt n) for bands of confidence, with
    the Poisson probabilities of a step.

    References
    ----------
    Khmaladze and Shinjikashvili, Calculation of noncrossing probabilities for Poisson processes and
    its corollaries (2001); Moscovich and Nadler, Fast calculation of boundary crossing
    probabilities for Poisson processes (2017).
    """
    from scipy.special import gammaln

    times = np.unique(np.concatenate([low, high]))
    times = times[
        (times > 0.0) & (times < 1.0)
    ]  # where a quantile rounds to 0 or 1, all draws obey
    padded = np.concatenate([[0], ranks, [count + 1]])
    least = padded[np.searchsorted(high, times, side="right")]
    most = padded[np.searchsorted(low, times, side="left") + 1] - 1
    log_factorials = gammaln(np.arange(count + 1) + 1.0)
    state, first, before = np.ones(1), 0, 0.0
    for time, required, largest in zip(times.tolist(), least.tolist(), most.tolist(), strict=True):
        fewest = max(required, first)
        steps, weights = _poisson(
            count * (time - before), fewest - first - state.size + 1, largest - first,
            log_factorials,
        )  # fmt: skip
        if weights.size == 0:
            return 0.0
        moved = _convolved(state, weights)
        start = first + steps
        state = moved[max(fewest - start, 0) : largest - start + 1]
        first, before = max(start, fewest), time
        if state.size == 0:
            return 0.0
    rest = count * (1.0 - before)
    missing = count - first - np.arange(state.size)
    last = -rest + missing * math.log(rest) - log_factorials[missing]
    last -= -count + count * math.log(count) - log_factorials[count]
    return float(np.dot(state, np.exp(last)))


def _poisson(
    mean: float, fewest: int, largest: int, log_factorials: Float64Array
) -> tuple[int, Float64Array]:
    """The Poisson probabilities of fewest..largest, as far as they are not negligible."""
    reach = 9.0 * math.sqrt(mean) + 12.0
    start = max(fewest, 0, math.floor(mean - reach))
    stop = min(largest, math.ceil(mean + reach))
    if stop < start:
        return start, np.empty(0)
    counts = np.arange(start, stop + 1)
    logs = -mean + counts * math.log(mean) - log_factorials[start : stop + 1]
    return start, np.exp(logs)


def _convolved(first: Float64Array, second: Float64Array) -> Float64Array:
    if first.size * second.size <= _DIRECT:
        return np.convolve(first, second)
    size = first.size + second.size - 1
    length = 1 << (size - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(first, length) * np.fft.rfft(second, length), length)
    return np.maximum(product[:size], 0.0)
