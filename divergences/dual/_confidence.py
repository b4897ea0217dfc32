"""Honest lower confidence bounds: a critic from one half of the data, tested on the other.

A critic that is fixed before the test sample is drawn, and clamped to a fixed range, is still
Lipschitz, so its mean difference minus a radius bounds Wasserstein-1 of the *laws*. No assumption
about their support is needed.
"""

import math

import torch
from torch import Tensor

_TRIMS = (
    0.0,
    1e-3,
    5e-3,
    2e-2,
    5e-2,
)  # mass outside the range on either end, tried on the first half


def lower_confidence(
    chosen: tuple[Tensor, Tensor],
    tested: tuple[Tensor, Tensor],
    drawn: tuple[bool, bool],
    masses: tuple[Tensor | None, Tensor | None],
    level: float,
    widest: float,
) -> float:
    r"""Lower bound of :math:`E_P f - E_Q f` for the clamped critic, at confidence ``level``.

    Parameters
    ----------
    chosen : values of the critic at points of the first half, of x and of y
    tested : the same at the second half
    drawn : whether each side is a sample (else a law that is known, tested exactly)
    masses : weights of the known laws
    level : in (0, 1); what is missing to 1 is divided between the sides that are samples
    widest : a range that the critic's values cannot exceed (constant times diameter), or inf

    Notes
    -----
    Range and kind of radius (Hoeffding, empirical Bernstein) are chosen on the first half by the
    bound that they would give there. Values are rounded in float64, which no radius notices.

    References
    ----------
    Maurer and Pontil, Empirical Bernstein Bounds and Sample Variance Penalization (2009), thm 4.
    """
    risk = (1 - level) / max(1, sum(drawn))
    pooled = torch.cat(chosen)
    best: tuple[float, tuple[float, float], tuple[bool, bool]] | None = None
    for trim in _TRIMS:
        low, high = (
            float(q) for q in torch.quantile(_thinned(pooled), pooled.new_tensor([trim, 1 - trim]))
        )
        width = min(high - low, widest)
        kinds, total = [], 0.0
        for side, values, sampled, sign in zip(range(2), chosen, drawn, (1, -1), strict=True):
            clamped = values.clamp(low, high)
            total += sign * _mean(clamped, masses[side])
            count = tested[side].numel()
            variance = _variance(clamped, width) if clamped.numel() > 1 else 1.0
            bernstein = _bernstein(variance, width, count, risk)
            hoeffding = _hoeffding(width, count, risk)
            kinds.append(bernstein < hoeffding)
            total -= min(bernstein, hoeffding) if sampled else 0.0
        if best is None or total > best[0]:
            best = total, (low, high), (kinds[0], kinds[1])
    assert best is not None
    _, (low, high), kinds_chosen = best
    width = min(high - low, widest)
    bound = 0.0
    for side, values, sampled, sign in zip(range(2), tested, drawn, (1, -1), strict=True):
        clamped = values.clamp(low, high)
        bound += sign * _mean(clamped, masses[side])
        if sampled and kinds_chosen[side]:
            bound -= _bernstein(_variance(clamped, width), width, clamped.numel(), risk)
        elif sampled:
            bound -= _hoeffding(width, clamped.numel(), risk)
    return bound


def _mean(values: Tensor, masses: Tensor | None) -> float:
    return float(values.mean() if masses is None else masses @ values)


def _hoeffding(width: float, count: int, risk: float) -> float:
    return width * math.sqrt(math.log(1 / risk) / (2 * count))


def _variance(values: Tensor, width: float) -> float:
    """Of the values in units of their range: in their own units its square may underflow."""
    return float((values / width).var()) if width > 0 else 0.0


def _bernstein(variance: float, width: float, count: int, risk: float) -> float:
    """The radius for values in a range ``width``; ``variance`` in units of it."""
    if count < 2:
        return math.inf
    logarithm = math.log(2 / risk)
    return width * (math.sqrt(2 * variance * logarithm / count) + 7 * logarithm / (3 * (count - 1)))


def _thinned(values: Tensor) -> Tensor:
    """At most a million values: torch's quantile takes no more."""
    return values[:: max(1, math.ceil(values.numel() / 1_000_000))]
