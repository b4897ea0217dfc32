"""What an interval from samples says, on which assumptions, and by which method."""

from dataclasses import dataclass

from .._validation import refuse


@dataclass(frozen=True, slots=True)
class Interval:
    """Two numbers that enclose a divergence of the *laws* with probability ``level`` at least.

    Parameters
    ----------
    lower, estimate, upper : float
        The ends, and a point estimate between them, in the unit of the divergence.
    level : float
        The least probability, over the samples, that the ends enclose the truth.
    assumptions : tuple of str
        What has to hold for that.
    method : str
        How the ends were obtained.
    reason : str
        Why an end says nothing, where one does; empty otherwise.

    Raises
    ------
    ValueError
        If the three numbers are not in order.

    Examples
    --------
    >>> from divergences.intervals import Interval
    >>> interval = Interval(0.5, 1.0, 2.0, 0.95, (), "an example")
    >>> 1.5 in interval, interval.width
    (True, 1.5)
    """

    lower: float
    estimate: float
    upper: float
    level: float
    assumptions: tuple[str, ...]
    method: str
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.lower <= self.estimate <= self.upper:
            arrived = f"{self.lower!r}, {self.estimate!r} and {self.upper!r}"
            refuse("Interval", "lower, estimate and upper", "be in this order", arrived)

    @property
    def width(self) -> float:
        """The distance of the ends; 0 where both are inf."""
        return 0.0 if self.lower == self.upper else self.upper - self.lower

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper


def within(lower: float, estimate: float, upper: float) -> tuple[float, float, float]:
    """The three as floats, the estimate moved to the nearer end where it lies outside."""
    low, high = float(lower), float(upper)
    return low, min(max(float(estimate), low), high), high
