"""What the critic's estimate is, in which unit, and what its height means: one text for all."""

import decimal
import math
from dataclasses import dataclass

from .algorithms import algorithm
from .config import TrainingConfig
from .networks import is_chain


@dataclass(frozen=True)
class Estimate:
    """The words about the critic's estimate of a run."""

    quantity: str
    """What is computed, with its sign."""
    unit: str
    """Its unit, in words."""
    short: str
    """The same for the progress bar."""
    explanation: str
    """What a reader may conclude, in sentences."""
    name: str = "critic estimate"
    """What it is called in a line for people."""


_SIGN = (
    "The critic maximises E f(data) − E f(samples), so a positive estimate means that it tells "
    "the two apart. "
)
_DUAL = "critic estimate E f(data) − E f(samples)"
_UNKNOWN = Estimate(
    _DUAL,
    "units of an unknown Lipschitz constant",
    "unknown Lipschitz unit",
    _SIGN + "A critic with bounded weights is K-Lipschitz for a K that nobody knows: its estimate "
    "has no unit and its height may not be compared with the distance above, nor with another "
    "run.",
)
_PENALISED = Estimate(
    _DUAL,
    "units of the data, if the penalty keeps the slope at 1",
    "units of the data, slope near 1",
    _SIGN + "The penalty draws its slope towards 1, so that the height is near the distance of "
    "the laws; it promises nothing, and a steeper critic shows more.",
)
_CERTIFIED = Estimate(
    _DUAL,
    "units of the data, from a 1-Lipschitz critic",
    "units of the data, 1-Lipschitz",
    _SIGN + "Its slope is at most 1 up to the certified constant in the table below, so that on "
    "held-out data the estimate over it is below the distance above, in the same unit.",
)
_ADVERSARIAL = Estimate(
    "JS estimate log 2 + (E log D(data) + E log(1 − D(samples))) / 2",
    f"nats, at most log 2 = {math.log(2):.4f}",
    "nats, at most log 2",
    "The discriminator's objective plus log 2 is a lower bound of the Jensen-Shannon divergence of "
    "the laws, in expectation and on data that it was not trained on. Near log 2 it says only that "
    "the two can be told apart, not how far they are from each other.",
    "JS estimate",
)


def estimate_of(config: TrainingConfig) -> Estimate:
    """The words about the estimate of a run, by its algorithm and its critic."""
    own = algorithm(config.algorithm)
    if own.objective == "jensen-shannon":
        return _ADVERSARIAL
    if own.constraint in ("penalty", "one-sided penalty"):
        return _PENALISED
    layers = own.constraint in ("spectral", "orthogonal")  # of norm 1 each
    return _CERTIFIED if layers and is_chain(str(config.critic)) else _UNKNOWN


def rounded(value: float, digits: int, *, up: bool) -> str:
    """A certified bound in so many digits that is still one: rounded one way, not to nearest.

    >>> rounded(0.32776, 4, up=False), rounded(0.32772, 4, up=True), rounded(2.0, 4, up=True)
    ('0.3277', '0.3278', '2')
    """
    way = decimal.ROUND_CEILING if up else decimal.ROUND_FLOOR
    shorter = decimal.Context(prec=digits, rounding=way).plus(decimal.Decimal(value))
    return f"{float(shorter):.{digits}g}"
