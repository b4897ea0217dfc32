"""A metric's number with its interval, its unit, and what these say."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64Array = NDArray[np.float64]
LARGEST = 1e50
"""Features beyond this are refused: the third power of an inner product would overflow."""


@dataclass(frozen=True)
class Measurement:
    """What a metric says of two samples.

    Parameters
    ----------
    name : str
        The metric, as ``wgan evaluate`` names it.
    estimate : float
        Its value on the samples.
    lower, upper : float
        Ends of the interval; infinite where nothing can be said.
    level : float or None
        The probability with which the interval encloses what ``encloses`` says; 1 for certain,
        None for ends that are no confidence interval.
    unit : str
        The unit, and the range.
    better : {"higher", "lower", "zero"}
        Which values a good generator has.
    encloses : str
        What the interval encloses, by which method, on which assumptions.
    samples : tuple of int
        How many samples of each kind went in: real, generated, or as the metric says.
    real : float or None
        The same metric with other real samples in place of the generated ones, where it was
        computed: what a perfect generator gets.
    """

    name: str
    estimate: float
    lower: float
    upper: float
    level: float | None
    unit: str
    better: Literal["higher", "lower", "zero"]
    encloses: str
    samples: tuple[int, ...]
    real: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; an infinite end is None."""
        values = asdict(self)
        for end in ("lower", "upper"):
            values[end] = values[end] if math.isfinite(values[end]) else None
        return {**values, "samples": list(self.samples)}


def refuse(function: str, parameter: str, requirement: str, arrived: str) -> NoReturn:
    """ValueError about an argument."""
    message = f"{function}: {parameter} must {requirement}; got {arrived}"
    raise ValueError(message)


def points(value: ArrayLike | None, parameter: str, function: str, least: int) -> Float64Array:
    """Features as float64 (n, d), of at least so many rows; (n,) is n numbers, (n, 1)."""
    if value is not None and hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal lengths
        array = np.asarray(value, dtype=object)
    array = array[:, None] if array.ndim == 1 else array
    if array.dtype.kind not in "fiub" or array.ndim != 2:
        arrived = f"an array of shape {array.shape} and type {array.dtype}"
        refuse(function, parameter, "be numbers of shape (n, d) or (n,)", arrived)
    if len(array) < least:
        refuse(function, parameter, f"hold at least {least} points", str(len(array)))
    if not array.shape[1]:
        refuse(function, parameter, "have at least 1 coordinate", "0")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        refuse(function, parameter, "be finite", "entries that are NaN or infinite")
    if (largest := float(np.abs(array).max())) > LARGEST:
        requirement = f"have no entry above {LARGEST:g}, whose powers are not finite"
        refuse(function, parameter, requirement, f"{largest:.3g}")
    return array


def samples(function: str, least: int, **given: ArrayLike | None) -> tuple[Any, ...]:
    """Several samples of one dimension, as `points` gives them; ``other_real`` may be None."""
    arrays = {
        name: None
        if value is None and name == "other_real"
        else points(value, name, function, least)
        for name, value in given.items()
    }
    sizes = {name: array.shape[1] for name, array in arrays.items() if array is not None}
    if len(set(sizes.values())) > 1:
        arrived = ", ".join(f"{size} in {name}" for name, size in sizes.items())
        refuse(function, " and ".join(sizes), "have equally many coordinates", arrived)
    return tuple(arrays.values())


def confidence(level: float, function: str) -> float:
    """A level strictly between 0 and 1."""
    number = isinstance(level, (int, float)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        refuse(function, "level", "be a number strictly between 0 and 1", repr(level))
    return float(level)


def integer(value: int, parameter: str, function: str, least: int) -> int:
    """An integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        refuse(function, parameter, f"be an integer of at least {least}", repr(value))
    return int(value)
